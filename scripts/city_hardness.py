"""How hard a generated city is: what simple looks at it tell about guilt, printed as a table.

    python scripts/city_hardness.py --companies 2000 --days 180 --seeds 1 2 3
    python scripts/city_hardness.py --folder DIR [DIR ...]       measures cities on the disk, and writes their truth/hardness.json

Each measure has the bound that it is meant to keep: neither a single column or degree nor boosted trees over all of one company's
columns may separate guilty companies from honest ones too well, components of the payment graph must not be rings, and a shared address
must mostly be honest. But who knew the deeds of the schemes must find nearly all of their members. Seeds are pooled; all
members of a plot stand on the same side, in training or in the test. The trees need scikit-learn (a dependency for development).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from city_columns import Companies, InFiles, InMemory, Ints, Mask, Values
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from loaders.city import CITY_VERSION, Params

_FOLDS, _REPEATS = 5, 2
_SHARED = 5


@dataclass(frozen=True)
class Measure:
    """A measure and the bound that it is meant to keep, if any."""

    what: str
    value: float
    bound: float | None = None
    side: str = "at most"

    @property
    def met(self) -> bool:
        """Whether it keeps its bound."""
        return self.bound is None or (self.value <= self.bound if self.side == "at most" else self.value >= self.bound)


@dataclass(frozen=True)
class Pool:
    """The companies of all cities: columns, who is guilty, the group that must stay together, the city."""

    columns: Mapping[str, Values]
    deeds: Mapping[str, Values]
    guilty: Mask
    group: Ints
    city: Ints


def above(score: Values, guilty: Mask) -> float:
    """Return the chance that a guilty one scores higher than an honest one."""
    rank, count = rankdata(score), int(guilty.sum())
    return float((rank[guilty].sum() - count * (count + 1) / 2) / (count * (guilty.size - count)))


def auc(score: Values, guilty: Mask) -> float:
    """Return the chance that a guilty one scores higher than an honest one, or lower, whichever tells more."""
    found = above(score, guilty)
    return max(found, 1 - found)


def pooled(cities: Sequence[Companies]) -> Pool:
    """Put the companies of several cities together."""
    groups, offset = [], 0
    for city in cities:
        alone = np.arange(city.plot.size) + 2 * int(np.abs(city.plot).max()) + 2
        of = np.where(city.plot == 0, alone, np.where(city.plot > 0, 2 * city.plot, -2 * city.plot + 1))
        groups.append(of + offset)
        offset += int(of.max()) + 1
    columns, deeds = [city.columns() for city in cities], [city.scheme_variables() for city in cities]
    return Pool(
        {name: np.concatenate([one[name] for one in columns]) for name in columns[0]},
        {name: np.concatenate([one[name] for one in deeds]) for name in deeds[0]},
        np.concatenate([city.guilty for city in cities]),
        np.concatenate(groups),
        np.repeat(np.arange(len(cities)), [city.plot.size for city in cities]),
    )


# -- boosted trees ----------------------------------------------------------------------------------------------


def by_trees(columns: Mapping[str, Values], pool: Pool) -> Iterator[tuple[str, float]]:
    """Yield what boosted trees reach on companies that they were not trained on: in cross-validation, and on other cities."""
    table = np.column_stack(list(columns.values()))
    scores = []
    for repeat in range(_REPEATS):
        fold = _folds(pool, repeat)
        scores.append(above(_foretold(table, pool.guilty, fold, repeat), pool.guilty))
    yield "trees, cross-validated", float(np.mean(scores))
    if pool.city.max() > 0:
        found = _foretold(table, pool.guilty, pool.city, 0)
        within = [above(found[pool.city == city], pool.guilty[pool.city == city]) for city in range(pool.city.max() + 1)]
        yield "trees, trained on other cities", float(np.mean(within))


def _folds(pool: Pool, repeat: int) -> Ints:
    """Return the fold of each company: one for all of a group, and guilty groups evenly spread."""
    rng = np.random.default_rng(repeat)
    groups, place = np.unique(pool.group, return_inverse=True)
    guilty = np.bincount(place, pool.guilty) > 0
    order = np.lexsort((rng.random(groups.size), guilty))
    fold = np.empty(groups.size, np.int64)
    fold[order] = np.arange(groups.size) % _FOLDS
    return fold[place]


def _foretold(table: Values, guilty: Mask, fold: Ints, seed: int) -> Values:
    """Return the score of each company by trees that were trained on the other folds."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - not everybody has it
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    found = np.zeros(guilty.size)
    for number in np.unique(fold):
        test = fold == number
        trees = HistGradientBoostingClassifier(
            learning_rate=0.08,
            max_iter=80,
            max_leaf_nodes=15,
            min_samples_leaf=20,
            l2_regularization=1.0,
            class_weight="balanced",
            random_state=seed,
        )
        with threadpool_limits(1):  # small tables: on a machine that others use, threads wait for one another
            trees.fit(table[~test], guilty[~test])
            found[test] = trees.decision_function(table[test])
    return found


# -- the graph and the places -------------------------------------------------------------------------------------


def rings_by_components(city: Companies, kind: str) -> tuple[float, float]:
    """Return precision and recall of rings where all companies of a component, of a ring's size at least, are taken for a ring's."""
    _, label = connected_components(city.pairs(city.payer, city.payee), directed=True, connection=kind)
    large = (np.bincount(label)[label] >= 3)[city.number]
    rings = np.isin(city.plot, ring_numbers(city))
    return float(rings[large].mean()) if large.any() else 0.0, float(large[rings].mean()) if rings.any() else 0.0


def ring_numbers(city: Companies) -> Ints:
    """Return the numbers of the payment rings."""
    plots = city.source.truth("schemes")
    return plots.filter(pc.equal(plots["kind"], "payment_ring"))["number"].to_numpy()


def measures(cities: Sequence[Companies], pool: Pool, scores: Mapping[str, float]) -> Iterator[Measure]:
    """Yield all measures."""
    best = max(scores, key=lambda name: scores[name])
    yield Measure(f"AUC of the best single column ({best})", scores[best], 0.70)
    for what, value in by_trees(pool.columns, pool):
        yield Measure(f"AUC of boosted {what}", value, 0.80)
    for kind, bound in (("weak", 0.40), ("strong", None)):
        found = np.mean([rings_by_components(city, kind) for city in cities], axis=0)
        yield Measure(f"rings by {kind} components, precision", float(found[0]), bound)
        yield Measure(f"rings by {kind} components, recall", float(found[1]))
    shared = pool.columns["shared address"] >= _SHARED
    if shared.any():  # a town may be too small for it
        yield Measure(f"honest at an address of {_SHARED} companies or more", float(1 - pool.guilty[shared].mean()), 0.90, "at least")
    for what, value in by_trees(pool.deeds, pool):
        yield Measure(f"AUC by the schemes' deeds, {what}", value, 0.98, "at least")
    yield Measure("part of the companies that is guilty", float(pool.guilty.mean()))
    yield Measure("part of the transfers that is guilty", float(np.mean([city.guilty_transfers() for city in cities])))


def report(found: Sequence[Measure], scores: Mapping[str, float]) -> None:
    """Print the measures, and the columns that tell most."""
    for one in found:
        bound = "" if one.bound is None else f"  {one.side} {one.bound:.2f}{'' if one.met else '   NOT KEPT'}"
        print(f"{one.what:<62}{one.value:8.4f}{bound}")
    print()
    for name, value in sorted(scores.items(), key=lambda item: -item[1])[:24]:
        print(f"{name:<40}{value:6.3f}{'   above 0.70' if value > 0.70 else ''}")


def measured(cities: Sequence[Companies]) -> tuple[list[Measure], dict[str, float]]:
    """Return the measures of some cities together, and what each single column tells."""
    pool = pooled(cities)
    scores = {name: auc(values, pool.guilty) for name, values in pool.columns.items()}
    return list(measures(cities, pool, scores)), scores


def main() -> None:
    """Build or read the cities, print the measures, and note them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--folder", type=Path, nargs="+", default=[], help="folders of cities made by kgfraud city")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    asked = parser.parse_args()
    try:
        import sklearn  # noqa: F401, PLC0415 - said before anything is built
    except ImportError:
        parser.error("boosted trees need scikit-learn: uv pip install scikit-learn")
    with ExitStack() as stack:
        cities = [Companies(stack.enter_context(InFiles.of(folder))) for folder in asked.folder]
        seeds = [] if asked.folder else asked.seeds
        cities += [Companies(InMemory(Params(companies=asked.companies, days=asked.days, seed=seed))) for seed in seeds]
        found, scores = measured(cities)
    report(found, scores)
    noted = {"version": CITY_VERSION, "measures": [{**asdict(one), "met": one.met} for one in found], "columns": scores}
    for path in [*(folder / "truth" / "hardness.json" for folder in asked.folder), *([asked.json] if asked.json else [])]:
        path.write_text(json.dumps(noted, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
