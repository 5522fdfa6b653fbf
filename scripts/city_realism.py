"""How like real companies a generated city is: tails, invoices and shareholdings beside published and measured ones.

    python scripts/city_realism.py --folder DIR         measures a city made by kgfraud city, and writes DIR/truth/realism.json

Published figures, all as exponents of the cumulative tail, P(X ≥ x) ~ x ** -exponent. The papers exist as cited; exponents of which it is
said are cited from memory, to be checked against the papers' tables:

- partners: 1.35 by customers and 1.26 by suppliers among a million Japanese firms (Fujiwara and Aoyama, Eur. Phys. J. B 77, 2010),
  about 1.3 to 1.5 in the trading network of Japan (Ohnishi, Takayasu and Takayasu, J. Econ. Interact. Coord. 5, 2010),
  1.4 to 1.5 among Estonian firms by payments (densities of 2.4 to 2.5: Rendón de la Torre, Kalda, Kitt and Engelbrecht, Chaos,
  Solitons & Fractals 90, 2016) — all exponents from memory;
- size: the share of firms above a size is inversely proportional to it by several measures (Axtell, Science 293, 2001: its abstract), with
  1.06 by employees and 0.99 by receipts from memory;
- shareholdings: 5.6 million Chinese companies hold shares of another one or are held by one, 35 million do neither (Allen, Cai, Gu,
  Qian, Zhao and Zhu, Ownership Networks and Firm Growth: its abstract).

Their authors fitted them each in their own way and the data behind them are closed, so they cannot be fitted again; all figures of the city
are fitted in one way, see ``city_tails.py``.

Invoices of all companies, and of those that borrow, stand beside those of 425 real small borrowers (attachment of the competition
CUMCM 2020 C), over as many days; only totals of these are written. For the amounts of single payments between firms no published tail
is known to us, so the real invoices serve.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from city_tails import Tail, Values, fitted
from pyarrow import csv
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import loaders
from loaders.city.describe import measures
from loaders.city.describe.landing import Landing, number_of, ordinary
from loaders.city.describe.svg import ccdf, thinned

REAL = Path("../shared/data/sme_invoices")
FINBENCH = Path(str(loaders.__file__)).parent / "samples" / "finbench"
_BEGIN = date(2019, 1, 1)
#: Concentration is that of firms with so many invoices on one side.
_ENOUGH = 10
_MEMORY = "exponents cited from memory, to be checked"
_NETWORKS = f"Fujiwara and Aoyama 2010; Ohnishi et al. 2010; Rendón de la Torre et al. 2016; {_MEMORY}"
_SIZES = f"Axtell 2001; {_MEMORY}"
Curve = dict[str, Any]


@dataclass(frozen=True)
class Invoiced:
    """Invoices of one city or one data set: their table, and figures by name, in the order in which they are shown."""

    figures: Mapping[str, float]
    curves: Mapping[str, tuple[list[float], list[float]]]
    gross: Tail


# -- tails --------------------------------------------------------------------------------------------------------


def tails(landing: Landing) -> Iterator[dict[str, Any]]:
    """Yield the tails of a city beside what is published."""
    paid = measures.payments(landing)
    ours = measures.between(landing, paid)
    trade = measures.trade(landing, ours)
    size = landing.truth("sizes")
    fen, often = measures.amounts(landing, ours)
    middle = fen + 10 ** (np.floor(np.log10(fen)).astype(np.int64) - 1) // 2
    yield _said("suppliers paid by a company", fitted(trade.out, whole=True), (1.2, 1.5), _NETWORKS)
    yield _said("customers that pay a company", fitted(trade.into, whole=True), (1.2, 1.5), _NETWORKS)
    yield _said("employees", fitted(size["employees"].to_numpy(), whole=True), (1.0, 1.12), _SIZES)
    yield _said("yearly sales, yuan", fitted(size["sales_fen"].to_numpy() / 100), (0.9, 1.12), _SIZES)
    yield _said("payments between companies, yuan", fitted(middle / 100, often), None, "none known; see invoices")


def _said(what: str, tail: Tail, published: tuple[float, float] | None, source: str) -> dict[str, Any]:
    figures = {"exponent": round(tail.exponent, 3), "error": round(tail.error, 3), "from": round(tail.threshold, 2), "points": tail.points}
    return {"what": what, **figures, "published": published, "source": source}


# -- invoices -----------------------------------------------------------------------------------------------------


def of_city(landing: Landing, *, borrowers: bool = False) -> ir.Table:
    """Return the invoices of a city's companies, or of those that borrow, once for each side."""
    rows = landing.table("invoices", "seller", "buyer", "gross_fen", "status")
    sold = rows.select(
        firm=number_of(rows.seller), other=number_of(rows.buyer), side=ibis.literal("sold"), fen="gross_fen", status="status"
    )
    bought = rows.select(
        firm=number_of(rows.buyer), other=number_of(rows.seller), side=ibis.literal("bought"), fen="gross_fen", status="status"
    )
    firms = ordinary(landing).select(firm="company")
    if borrowers:
        lent = landing.table("loans", "borrower", "borrower_kind")
        firms = firms.semi_join(lent.filter(lent.borrower_kind == "company").select(firm=number_of(lent.borrower)), "firm")
    return landing.engine.keep(ibis.union(sold, bought).filter(ibis._.firm.notnull(), ibis._.other.notnull()).semi_join(firms, "firm"))


def of_real(landing: Landing, folder: Path, days: int) -> ir.Table:
    """Return the real invoices of as many days."""
    rows = landing.engine.parquet([folder / "invoices.parquet"])
    rows = rows.filter(rows.date >= _BEGIN, rows.date < _BEGIN + timedelta(days=days))
    side = ibis.ifelse(rows.direction == "output", "sold", "bought")
    return landing.engine.keep(
        rows.select("firm", "status", other=rows.counterparty, side=side, fen=(rows.gross * 100).round().cast("int64"))
    )


def invoiced(landing: Landing, rows: ir.Table) -> Invoiced:
    """Return the figures of invoices."""
    ask = landing.engine.table
    shares = ask(rows.filter(rows.side == "sold").agg(void=(ibis._.status == "void").mean(), red=(ibis._.fen < 0).mean()))
    figures = {"part of the issued that is void": shares["void"][0].as_py(), "part of the issued below zero": shares["red"][0].as_py()}
    good = rows.filter(rows.status == "valid", rows.fen > 0)
    yuan = ask(good.filter(good.side == "sold").select("fen"))["fen"].to_numpy() / 100
    for percent in (10, 50, 90, 99):
        figures[f"gross amount issued, {percent} % quantile, yuan"] = float(np.quantile(yuan, percent / 100))
    curves = {"Gross amount of an invoice issued": _curve(yuan)}
    for side in ("sold", "bought"):
        pairs = landing.engine.keep(good.filter(good.side == side).group_by("firm", "other").agg(n=ibis._.count(), fen=ibis._.fen.sum()))
        found = ask(
            pairs.group_by("firm").agg(
                n=ibis._.n.sum(),
                others=ibis._.count(),
                top=ibis._.fen.max(),
                fen=ibis._.fen.sum(),
                squares=(ibis._.fen.cast("float64") ** 2).sum(),
            )
        )
        n, others, top, fen, squares = (found[name].to_numpy().astype(np.float64) for name in ("n", "others", "top", "fen", "squares"))
        many, word = n >= _ENOUGH, "customers" if side == "sold" else "suppliers"
        figures[f"invoices {side}, median of firms"] = float(np.median(n))
        figures[f"{word}, median of firms"] = float(np.median(others))
        figures[f"{word}, 90 % quantile of firms"] = float(np.quantile(others, 0.9))
        figures[f"invoices for each of the {word}, median"] = float(np.median(n / others))
        if many.any():
            figures[f"{word}, median of firms with {_ENOUGH} invoices or more"] = float(np.median(others[many]))
            figures[f"part of the largest of the {word}, median"] = float(np.median((top / fen)[many]))
            figures[f"concentration on {word} (HHI), median"] = float(np.median((squares / fen**2)[many]))
        curves |= {f"{word.capitalize()} of a firm": _curve(others), f"Invoices of a firm, {side}": _curve(n)}
    return Invoiced(figures, curves, fitted(yuan))


def _curve(values: Values) -> tuple[list[float], list[float]]:
    x, y = thinned(*ccdf(values), most=80)
    return [float(f"{value:.3g}") for value in x], [float(f"{value:.3g}") for value in y]


# -- shareholdings ------------------------------------------------------------------------------------------------


def holdings_of_city(landing: Landing) -> dict[str, float]:
    """Return figures of a city's shareholdings."""
    held = landing.table("shareholders", "holder", "holder_kind", "company")
    found = landing.engine.table(held.filter(held.holder_kind == "company").select(a=number_of(held.holder), b=number_of(held.company)))
    count = landing.engine.count(ordinary(landing))
    return held_by(found["a"].to_numpy(), found["b"].to_numpy(), count)


def holdings_of_finbench() -> dict[str, float]:
    """Return those of the FinBench example."""
    options = csv.ParseOptions(delimiter="|")
    read = {name: csv.read_csv(FINBENCH / f"{name}.csv.gz", parse_options=options) for name in ("CompanyInvestCompany", "Company")}
    held = read["CompanyInvestCompany"]
    return held_by(held["investorId"].to_numpy(), held["companyId"].to_numpy(), read["Company"].num_rows)


def held_by(holder: Values, company: Values, companies: int) -> dict[str, float]:
    """Return how deep and how crossed holdings of companies in companies are, among so many companies.

    >>> found = held_by(np.array([1, 2, 3]), np.array([2, 3, 2]), 10)
    >>> found["held by a company"], found["longest chain"]
    (0.2, 1.0)
    """
    names, place = np.unique(np.concatenate([holder, company]), return_inverse=True)
    a, b = place[: holder.size], place[holder.size :]
    graph = coo_array((np.ones(a.size), (a, b)), shape=(names.size, names.size)).tocsr()
    _, label = connected_components(graph, directed=True, connection="strong")
    inside = np.bincount(label)[label] > 1
    level = _levels(label[a], label[b], int(label.max(initial=0)) + 1)
    return {
        "held by a company": float(np.unique(b).size / companies),
        "hold or are held by a company": float(names.size / companies),
        "longest chain": float(level.max(initial=0)),
        "mean chain above the held": float(level[label[np.unique(b)]].mean()) if b.size else 0.0,
        "of these, in a cross-holding": float(inside.mean()) if names.size else 0.0,
        "largest group that holds itself": float(np.bincount(label).max(initial=0)),
    }


def _levels(above: Values, below: Values, count: int) -> Values:
    """Return the length of the longest chain above each, where what holds one another counts as one."""
    level, apart = np.zeros(count), above != below
    above, below = above[apart], below[apart]
    for _ in range(count):
        found = level.copy()
        np.maximum.at(found, below, level[above] + 1)
        if np.array_equal(found, level):
            break
        level = found
    return level


# -- the whole ----------------------------------------------------------------------------------------------------


def measured(landing: Landing, real: Path) -> dict[str, Any]:
    """Return all that is noted."""
    days = int((landing.noted("city") or {}).get("params", {}).get("days", 365))
    city, lent = invoiced(landing, of_city(landing)), invoiced(landing, of_city(landing, borrowers=True))
    there = invoiced(landing, of_real(landing, real, days)) if (real / "invoices.parquet").exists() else None
    lines = [
        {"what": what, "city": value, "borrowers": lent.figures.get(what), "real": there.figures.get(what) if there else None}
        for what, value in city.figures.items()
    ]
    curves = [
        {
            "title": name,
            "x_label": "yuan" if "amount" in name else name.split()[0].lower(),
            "city": points,
            "real": there.curves.get(name) if there else None,
        }
        for name, points in city.curves.items()
    ]
    source = "425 real firms" if there else "real invoices not at hand"
    found = [*tails(landing), _said("invoices issued, yuan", city.gross, None, "none: real invoices end at the limits of their forms")]
    about = f"Invoices over {days} days, beside those of {source} over as many days from {_BEGIN} on (competition CUMCM 2020 C)."
    return {"tails": found, "invoices_about": about, "invoices": lines, "curves": curves, "holdings": _holdings(landing)}


def _holdings(landing: Landing) -> list[dict[str, Any]]:
    city, finbench = holdings_of_city(landing), holdings_of_finbench()
    published = {"hold or are held by a company": (0.138, "Allen et al., EquiNet: 5.6 of 40.6 million")}
    return [
        {
            "what": what,
            "city": value,
            "finbench": finbench[what],
            "published": published.get(what, (None, None))[0],
            "source": published.get(what, (None, None))[1],
        }
        for what, value in city.items()
    ]


def main() -> None:
    """Measure a city, print the figures and note them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="folder of a city made by kgfraud city")
    parser.add_argument("--real", type=Path, default=REAL, help="folder of the real invoices")
    asked = parser.parse_args()
    with Landing.opened(asked.folder) as landing:
        found = measured(landing, asked.real)
    for one in found["tails"]:
        tail = f"{one['exponent']:7.3f} ± {one['error']:.3f} from {one['from']:,} ({one['points']:,})"
        print(f"{one['what']:<36}{tail}  published {one['published']}")
    for one in found["invoices"]:
        beside = [float("nan") if one[who] is None else one[who] for who in ("borrowers", "real")]
        print(f"{one['what']:<60}{one['city']:14,.4g}" + "".join(f"{value:14,.4g}" for value in beside))
    for one in found["holdings"]:
        print(f"{one['what']:<40}{one['city']:12.4g}{one['finbench']:12.4g}  {one['published'] or ''}")
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    (asked.folder / "truth" / "realism.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
