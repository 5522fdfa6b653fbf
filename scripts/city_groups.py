"""Who shares a group of connected clients in a generated city, and whether there is a true cause for it.

    python scripts/city_groups.py --companies 2000 --days 180 --seeds 1 2 3

Groups are found as in the night: control by the register with agreements and kinship, dependence by invoices, payments and guarantees,
under CN-LE-2018. The truth are those who truly control, and dependence as the city planned it, of which the bank sees only what falls into
its files: the lasting trade of a year, all sales and running costs, debts. Told besides: how many ties happened, which are half of what
all accounts of the city moved in the period; in a year's city that is the law's own measure, and what happened there is true.

Neighbours are two honest companies of one park, one agent's address or one family. Parks, agents and kinship tie nobody, so of each such
pair that shares a group it is told whether they truly belong together.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from city_columns import InMemory
from city_links import ids, month

from kg.derivations.control import JOINT, find_control
from kg.derivations.dependence import guarantee_dependence, sold, trade_dependence, traded, turnover
from kg.derivations.groups import find_groups
from kg.derivations.invoices import invoiced
from kg.derivations.payments import paid
from kg.engine import Engine
from kg.rulesets import get
from loaders.city import Params
from loaders.city.build import City
from loaders.city.money import DAY, POWER, RENT, SALARY, SERVICE, TAXES
from loaders.city.supply import taxed

RULES = get("CN-LE-2018")
_NEIGHBOURS = ("industrial_park", "secretarial_address", "shop_accountant", "family")
TESTS = ("receipts", "spending", "guarantee")
#: What is paid to nobody from whom there are invoices.
_RUNNING = (SALARY, TAXES, RENT, POWER, SERVICE)
Pair = tuple[str, str]
#: A test of dependence, who depends and on whom.
Part = tuple[str, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Measured:
    """What came out of a city.

    Attributes
    ----------
    neighbours
        Pairs of neighbours that share a group, by the way in which they do: ``control`` or ``dependence``.
    untrue
        Those of them that share no true group.
    ties
        Of each test of dependence.
    """

    groups: int
    neighbours: Mapping[str, int]
    untrue: Mapping[str, int]
    ties: Mapping[str, Ties]


@dataclass(frozen=True)
class Ties:
    """How many ties were found; how many of them were planned, and happened; how many were planned in all, and happened."""

    found: int
    planned: int
    happened: int
    all_planned: int
    all_happened: int


# -- as the bank sees it ------------------------------------------------------------------------------------------


def control_of(source: InMemory) -> pa.Table:
    """Return who controls whom by the register and what the bank was told."""
    held = source.rows("shareholders", "holder", "holder_kind", "company", "share_ppm")
    holdings = {"holder": ids(held["holder"], held["holder_kind"]), "held": ids(held["company"], "company"), "share_ppm": held["share_ppm"]}
    kin = source.rows("kinship", "a", "b", "kinship")
    agreed = source.rows("concert", "a", "a_kind", "b", "b_kind")
    straw = source.rows("nominations", "nominator", "nominator_kind", "nominee", "nominee_kind", "company")
    return find_control(
        pa.table(holdings),
        RULES,
        kin=pa.table({"a": ids(kin["a"], "person"), "b": ids(kin["b"], "person"), "kinship": kin["kinship"]}),
        concert=pa.table({end: ids(agreed[end], agreed[f"{end}_kind"]) for end in ("a", "b")}),
        taking_part=True,
        nominations=pa.table(
            {
                **{end: ids(straw[end], straw[f"{end}_kind"]) for end in ("nominator", "nominee")},
                "held": ids(straw["company"], "company"),
            }
        ),
        parties=kinds(source),
    )


def kinds(source: InMemory) -> pa.Table:
    """Return which companies are bodies of the State, or listed."""
    rows = source.rows("companies", "company", "kind", "listed")
    kind = pc.fill_null(rows["kind"], "company")
    return pa.table({"party": ids(rows["company"], "company"), "kind": kind, "listed": rows["listed"]})


def dependence_of(source: InMemory, engine: Engine) -> pa.Table:
    """Return who depends on whom by what the bank's files say."""
    issued = source.rows("invoices", "seller", "buyer", "goods", "issued_on", "net_fen", "tax_fen", "status", "void_on")
    for end in ("seller", "buyer"):
        issued = issued.set_column(issued.column_names.index(end), end, ids(issued[end], "company"))
    held = source.rows("accounts", "account", "owner", "owner_kind")
    owners = pa.table({"src": ids(held["owner"], held["owner_kind"]), "dst": held["account"]})
    moved = source.rows("transfers", "payer", "payee", "amount_fen", "at")
    moved = pa.table({"src": moved["payer"], "dst": moved["payee"], "amount_fen": moved["amount_fen"], "month": month(moved["at"])})
    moved = moved.append_column("currency", pa.repeat("CNY", len(moved)))
    firms = source.rows("companies", "company", "capital_fen", "founded_on")
    companies = engine.arrow(firms.set_column(0, "id", ids(firms["company"], "company")))
    payments = paid(engine.arrow(moved), engine.arrow(owners))
    day = source.city.params.end - timedelta(1)
    pairs = engine.keep(traded(sold(invoiced(engine.arrow(issued)), day), payments, day))
    turned = turnover(pairs, companies, day)
    guaranteed, debts = (engine.arrow(table) for table in _credit(source))
    return pa.concat_tables(
        engine.table(found) for found in (trade_dependence(pairs, turned), guarantee_dependence(guaranteed, debts, companies, turned))
    )


def _credit(source: InMemory) -> tuple[pa.Table, pa.Table]:
    """Return who guarantees for whom, and what each party owes."""
    given = source.rows("guarantees", "guarantor", "guarantor_kind", "beneficiary", "beneficiary_kind", "amount_fen")
    ends = {"src": ids(given["guarantor"], given["guarantor_kind"]), "dst": ids(given["beneficiary"], given["beneficiary_kind"])}
    loans = source.rows("loans", "borrower", "borrower_kind", "balance_fen")
    owed = pa.table({"party": ids(loans["borrower"], loans["borrower_kind"]), "owed_fen": loans["balance_fen"]})
    debts = owed.group_by("party").aggregate([("owed_fen", "sum")]).rename_columns(["party", "owed_fen"])
    return pa.table({**ends, "amount_fen": given["amount_fen"]}), debts


# -- as it truly is -----------------------------------------------------------------------------------------------


def true_control(source: InMemory) -> pa.Table:
    """Return who truly controls whom: persons behind companies, those who act in concert, companies with a majority."""
    told = source.truth("controllers")
    joint: dict[str, list[str]] = {}
    for row in source.truth("concert").to_pylist():
        joint.setdefault(f"company:{row['company']}", []).append(_party(row["member"]))
    rows = [
        (JOINT.join(sorted(joint[company])) if (company := f"company:{row['company']}") in joint else _party(row["controller"]), company)
        for row in told.to_pylist()
    ]
    held = source.rows("shareholders", "holder", "holder_kind", "company", "share_ppm")
    held = held.filter(pc.and_(pc.equal(held["holder_kind"], "company"), pc.greater(held["share_ppm"], 500_000)))
    rows += zip(ids(held["holder"], "company").to_pylist(), ids(held["company"], "company").to_pylist(), strict=True)
    rows = sorted({row for row in rows if row[0] != row[1]})
    columns = {"controller": [one for one, _ in rows], "controlled": [other for _, other in rows]}
    return pa.table({**columns, "votes_ppm": pa.repeat(1_000_000, len(rows)), "certain": pa.repeat(True, len(rows))})


def _party(number: str) -> str:
    return f"{'company' if number.startswith('C') else 'person'}:{number}"


def planned(source: InMemory) -> pa.Table:
    """Return who depends on whom by a year's plans: half of all receipts or spending, or a call that takes as much."""
    city, name = source.city, _names(source)
    sales = np.maximum(city.firms.sales, np.bincount(city.links.seller, city.links.volume, len(city.firms)).astype(np.int64))
    gross = city.links.volume + taxed(city.links.volume, city.links.goods)
    spending = np.bincount(city.links.buyer, gross, len(city.firms)).astype(np.int64) + _running(city)
    parts = [
        _halves("receipts", (city.links.seller, city.links.buyer), city.links.volume, sales),
        _halves("spending", (city.links.buyer, city.links.seller), gross, spending),
        ("guarantee", *_ruined(city, sales)),
    ]
    return _told(parts, name)


def happened(source: InMemory) -> pa.Table:
    """Return who got or spent half of all that went through the city's invoices and accounts in the last year with one other."""
    city, year = source.city, max(source.city.params.days - 365, 0)
    count = len(city.firms) + len(city.people)
    issued = city.invoices.take((city.invoices.void == 0) & (city.invoices.day >= year))
    flows = city.ledger.flows.take(city.ledger.flows.second >= year * DAY)
    payer, payee = (city.accounts.owner[end].astype(np.int64) for end in (flows.payer, flows.payee))
    keys = [issued.seller * count + issued.buyer, payee * count + payer, payer * count + payee]
    pair, place = np.unique(np.concatenate(keys), return_inverse=True)
    places = np.split(place, np.cumsum([key.size for key in keys])[:-1])
    gross, moved = np.zeros(pair.size, np.int64), np.zeros(pair.size, np.int64)
    np.add.at(gross, places[0], issued.net + issued.tax)
    np.add.at(moved, places[1], flows.fen.astype(np.int64))
    np.subtract.at(moved, places[2], flows.fen.astype(np.int64))
    seller, buyer = pair // count, pair % count
    most = np.where(seller == buyer, 0, np.maximum(np.maximum(gross, moved), 0))
    sides = (("receipts", (seller, buyer)), ("spending", (buyer, seller)))
    return _told([_halves(test, ends, gross, np.bincount(ends[0], most, count).astype(np.int64)) for test, ends in sides], _names(source))


def _halves(test: str, ends: tuple[np.ndarray, np.ndarray], part: np.ndarray, whole: np.ndarray) -> Part:
    kept = (part > 0) & (2 * part >= whole[ends[0]])
    return test, ends[0][kept], ends[1][kept]


def _told(parts: list[Part], name: pa.Array) -> pa.Table:
    """Return ties as a table of dependence."""
    columns = {"dependent": name.take(_places(parts, 1)), "on": name.take(_places(parts, 2))}
    tests = np.repeat([test for test, *_ in parts], [len(of) for _, of, _ in parts])
    return pa.table({**columns, "test": pa.array(tests), "ppm": pa.array(np.full(tests.size, 1_000_000), mask=tests == "guarantee")})


def _places(parts: list[Part], column: int) -> pa.Array:
    return pa.array(np.concatenate([part[column] for part in parts]))


def _names(source: InMemory) -> pa.Array:
    party, count = source.party, len(source.city.firms)
    kind = pa.array(np.repeat(["company:", "person:"], [count, len(party) - count]))
    return pc.binary_join_element_wise(kind, party, "")


def _running(city: City) -> np.ndarray:
    """Return what each company pays in a year for wages, tax, rent, power and services."""
    flows, count = city.ledger.flows, len(city.firms)
    owner = city.accounts.owner[flows.payer]
    kept = np.isin(flows.purpose, _RUNNING) & (owner < count) & (flows.scheme == 0)
    return (np.bincount(owner[kept], flows.fen[kept], count) * 365 / city.params.days).astype(np.int64)


def _ruined(city: City, sales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the companies, and for whom each stands, that would have to pay more than their capital and half of a year's sales."""
    given, count, days = city.guarantees, len(city.firms), city.params.days
    owed = np.zeros(count + len(city.people), np.int64)
    done = (city.loans.second // DAY + city.loans.term < days) & (city.loans.fails >= days)
    np.add.at(owed, city.loans.borrower[~done], city.loans.fen[~done])
    rows = given.take(given.guarantor < count)
    pair, place = np.unique(rows.guarantor << 32 | rows.beneficiary, return_inverse=True)
    fen = np.bincount(place, rows.fen, pair.size).astype(np.int64)
    of, on = pair >> 32, pair & (2**32 - 1)
    fen = np.minimum(fen, owed[on])
    kept = (fen > city.firms.capital[of]) & (2 * fen >= sales[of]) & (of != on)
    return of[kept], on[kept]


# -- held against each other --------------------------------------------------------------------------------------


def neighbours(source: InMemory) -> Iterator[list[str]]:
    """Yield the honest companies of each park, agent's address and family, those in whose register a nominee stands left out."""
    kind = {row["number"]: row["kind"] for row in source.truth("lookalikes").to_pylist()}
    guilty = set(source.truth("members")["company"].to_pylist())
    straw = {row["company"] for row in source.truth("controllers").to_pylist() if row["nominee"]}
    of: dict[int, list[str]] = {}
    for row in source.truth("lookalike_members").to_pylist():
        if kind[row["number"]] in _NEIGHBOURS and row["company"] not in guilty | straw:
            of.setdefault(row["number"], []).append(f"company:{row['company']}")
    yield from of.values()


def shared(groups: pa.Table, among: Collection[list[str]]) -> dict[Pair, str]:
    """Return the pairs of neighbours that share a group, each with how: by control, or by dependence of one of them at least."""
    in_groups: dict[str, dict[str, str]] = {}
    for row in groups.to_pylist():
        in_groups.setdefault(row["party"], {})[row["group_id"]] = row["role"]
    found = {}
    for one, other in (pair for companies in among for pair in combinations(sorted(companies), 2)):
        both = in_groups.get(one, {}).keys() & in_groups.get(other, {}).keys()
        if both:
            by_control = any("dependent" not in (in_groups[one][each], in_groups[other][each]) for each in both)
            found[one, other] = "control" if by_control else "dependence"
    return found


def measured(source: InMemory) -> Measured:
    """Return who shares groups in a city, and how much of that is true."""
    with tempfile.TemporaryDirectory() as spill, Engine(Path(spill), "1GB", threads=1) as engine:
        depends = dependence_of(source, engine)
    plan, did = planned(source), happened(source)
    truly = pa.concat_tables([plan, did]) if source.city.params.days >= 365 else plan
    groups = find_groups(control_of(source), depends, RULES, parties=kinds(source))
    true_groups = find_groups(true_control(source), truly, RULES, parties=kinds(source))
    among = list(neighbours(source))
    found, true = shared(groups, among), shared(true_groups, among)
    untrue = Counter(how for pair, how in found.items() if pair not in true)
    return Measured(
        len(pc.unique(groups["group_id"])), Counter(found.values()), untrue, {test: _ties(depends, plan, did, test) for test in TESTS}
    )


def _ties(depends: pa.Table, plan: pa.Table, did: pa.Table, test: str) -> Ties:
    found, of_plan, of_fact = ({(row["dependent"], row["on"]) for row in _rows(table, test)} for table in (depends, plan, did))
    return Ties(len(found), len(found & of_plan), len(found & of_fact), len(of_plan), len(of_fact))


def _rows(table: pa.Table, test: str) -> list[dict[str, str]]:
    rows = table.filter(pc.equal(table["test"], test))
    return rows.filter(pc.starts_with(rows["dependent"], "company:")).to_pylist()


def main() -> None:
    """Look at the cities and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    asked = parser.parse_args()
    for seed in asked.seeds:
        found = measured(InMemory(Params(companies=asked.companies, days=asked.days, seed=seed)))
        pairs = ", ".join(f"{count} by {how}, {found.untrue.get(how, 0)} of them untrue" for how, count in sorted(found.neighbours.items()))
        print(f"seed {seed}: {found.groups} groups; pairs of neighbours that share one: {pairs or 'none'}")
        for test, ties in found.ties.items():
            facts = "" if test == "guarantee" else f"; {ties.happened} of {ties.all_happened} that happened"
            print(f"  {test:<10}{ties.found:>6} found: {ties.planned} of {ties.all_planned} that were planned{facts}", flush=True)


if __name__ == "__main__":
    main()
