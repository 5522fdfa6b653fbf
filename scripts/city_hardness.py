"""How hard a generated city is: what simple looks at it tell about guilt, printed as a table.

    python scripts/city_hardness.py --companies 2000 --days 180 --seeds 1 2 3

Each measure has the bound that it is meant to keep: a single column or a degree must not separate guilty companies from honest
ones, components of the payment graph must not be rings, and a shared address must mostly be honest. Seeds are pooled.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from loaders.city import City, Params, build
from loaders.city.money import DAY

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def auc(score: Values, guilty: Mask) -> float:
    """Return the chance that a guilty one scores higher than an honest one, or lower, whichever tells more."""
    rank = rankdata(score)
    count = int(guilty.sum())
    above = (rank[guilty].sum() - count * (count + 1) / 2) / (count * (guilty.size - count))
    return float(max(above, 1 - above))


def guilty_of(city: City) -> Mask:
    """Tell which companies have a part in a scheme."""
    found = np.zeros(city.params.companies, np.bool_)
    for of in city.actors:
        found[of.firms] |= of.number > 0
    return found


def columns(city: City) -> Iterator[tuple[str, Values]]:
    """Yield single columns and totals of one company each."""
    count, flows = city.params.companies, city.ledger.flows
    owner = city.accounts.owner
    for name in ("founded", "employees", "sales", "capital", "paid_in", "region", "industry"):
        yield name, getattr(city.firms, name)[:count].astype(np.float64)
    for name, own, other in (("out", flows.payer, flows.payee), ("in", flows.payee, flows.payer)):
        party = owner[own]
        ours = party < count
        yield f"payments {name}", np.bincount(party[ours], minlength=count)[:count].astype(np.float64)
        yield f"fen {name}", np.bincount(party[ours], flows.fen[ours], count)[:count]
        pairs = np.unique(party[ours] * (owner.max() + 1) + owner[other[ours]])
        yield f"partners {name}", np.bincount(pairs // (owner.max() + 1), minlength=count)[:count].astype(np.float64)
        yield f"round amounts {name}", np.bincount(party[ours], flows.fen[ours] % 10_000 == 0, count)[:count]
        nights = (flows.second[ours] % DAY < 6 * 3600) | (flows.second[ours] % DAY > 21 * 3600)
        yield f"at night {name}", np.bincount(party[ours], nights, count)[:count]
        largest = np.zeros(count)
        np.maximum.at(largest, party[ours], flows.fen[ours])
        yield f"largest {name}", largest
    for name in ("address", "phone", "device"):
        number = getattr(city.contacts, name)
        _, place, sizes = np.unique(number, return_inverse=True, return_counts=True)
        yield f"shared {name}", sizes[place][:count].astype(np.float64)
    for name, party in (("loans", city.loans.borrower), ("guarantees given", city.guarantees.guarantor), ("sued", city.court.defendant)):
        yield name, np.bincount(party[party < count], minlength=count)[:count].astype(np.float64)


def ring_precision(city: City) -> float:
    """Return which part of the companies in weak components of company payments, of a ring's size at least, are in a ring."""
    count, owner, flows = city.params.companies, city.accounts.owner, city.ledger.flows
    payer, payee = owner[flows.payer], owner[flows.payee]
    ours = (payer < count) & (payee < count)
    graph = coo_array((np.ones(int(ours.sum())), (payer[ours], payee[ours])), shape=(count, count))
    _, label = connected_components(graph, directed=True, connection="weak")
    large = np.bincount(label)[label] >= 3
    rings = np.zeros(count, np.bool_)
    for of in city.actors:
        rings[of.firms] |= of.name == "payment_ring"
    return float(rings[large].mean())


def honest_at_shared(city: City, guilty: Mask) -> float:
    """Return which part of the companies at an address with five or more companies are honest."""
    _, place, sizes = np.unique(city.contacts.address, return_inverse=True, return_counts=True)
    shared = (sizes[place] >= 5)[: guilty.size]
    return float(1 - guilty[shared].mean())


def main() -> None:
    """Build the cities and print the measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    asked = parser.parse_args()
    cities = [build(Params(companies=asked.companies, days=asked.days, seed=seed)) for seed in asked.seeds]
    guilty = np.concatenate([guilty_of(city) for city in cities])
    pooled = [dict(columns(city)) for city in cities]
    print(f"{guilty.size:,} companies, {guilty.sum():,} guilty ({guilty.mean():.2%})")
    print(f"guilty transfers: {np.mean([(city.ledger.flows.scheme > 0).mean() for city in cities]):.2%}\n")
    scores = {name: auc(np.concatenate([one[name] for one in pooled]), guilty) for name in pooled[0]}
    for name, value in sorted(scores.items(), key=lambda item: -item[1]):
        print(f"{name:<22}{value:6.3f}{'   above 0.70' if value > 0.70 else ''}")
    print(f"\nrings by components, precision (at most 0.40): {np.mean([ring_precision(city) for city in cities]):.3f}")
    honest = np.mean([honest_at_shared(city, guilty_of(city)) for city in cities])
    print(f"honest at a shared address (at least 0.90): {honest:.3f}")


if __name__ == "__main__":
    main()
