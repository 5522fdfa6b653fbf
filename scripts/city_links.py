"""How well hidden controllers of a generated city are found by evidence besides equity, printed beside a plain rival.

    python scripts/city_links.py --companies 2000 --days 180 --seeds 21 22 23
    python scripts/city_links.py --folder DIR [DIR ...]      looks at cities on the disk

A case is a company in whose register a nominee stands. It is found where the person behind is among the first three candidates and
scores as high as an alarm. A false alarm is an honest company, with a part in no scheme, that has a candidate of that score. The rival
takes all persons in a company's component over shared addresses and phones for its candidates, the nearest by number of shared ones first.
Told besides: how many links of the level strong, that the register does not tell, stand between honest companies of parks, agents and
families, who share and lend without guilt.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from city_columns import InFiles, InMemory, Rows
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kg.derivations.control import find_control
from kg.derivations.linked_parties import Evidence, LinkParams, find_hidden_controllers, find_links, rank_links
from kg.rulesets import get
from loaders.city import Params

_PLACES = 3
_HONEST = ("industrial_park", "secretarial_address", "shop_accountant", "family")
#: Score of a candidate by company and person.
Candidates = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Found:
    """What came out of a city.

    Attributes
    ----------
    first, alarmed
        Part of the cases with the person behind among the first three, and with an alarm for it too; ``planted``: of those of schemes.
    false
        Part of the honest companies with an alarm.
    strong
        Undisclosed strong links between honest companies of parks, agents and families.
    """

    cases: int
    first: float
    alarmed: float
    planted: float
    false: float
    strong: int
    seconds: float


@dataclass(frozen=True)
class Truth:
    """Who is behind which company in whose register a nominee stands; companies of plots; all honest companies."""

    behind: Mapping[str, str]
    planted: Collection[str]
    honest: Collection[str]
    lookalike: Mapping[str, str]

    @classmethod
    def of(cls, source: Rows) -> Truth:
        """Read it."""
        controllers = source.truth("controllers")
        nominees = controllers.filter(controllers["nominee"])
        pairs = zip(ids(nominees["company"], "company"), ids(nominees["controller"], "person"), strict=True)
        behind = {company.as_py(): person.as_py() for company, person in pairs}
        guilty = set(ids(source.truth("members")["company"], "company").to_pylist())
        every = set(ids(source.truth("sizes")["company"], "company").to_pylist())
        kinds = {row["number"]: row["kind"] for row in source.truth("lookalikes").to_pylist()}
        members = source.truth("lookalike_members")
        numbers = zip(ids(members["company"], "company").to_pylist(), members["number"].to_pylist(), strict=True)
        planted = set(ids(source.truth("fronts")["company"], "company").to_pylist())
        return cls(behind, planted, every - guilty - set(behind), {company: kinds[number] for company, number in numbers})


# -- the files as evidence ----------------------------------------------------------------------------------------


def ids(column: pa.ChunkedArray, kind: str | pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the ids of parties of one kind, or of the kinds in a column."""
    prefix = pa.scalar(f"{kind}:") if isinstance(kind, str) else pc.binary_join_element_wise(kind.cast(pa.string()), "", ":")
    return pc.binary_join_element_wise(prefix, column, "")


def evidence_of(source: Rows) -> Evidence:
    """Return what a bank's files say, as `find_links` reads it."""
    companies = source.rows("companies", "company", "uscc", "name", "region", "founded_on", "customer_ref")
    known = {name: companies[name] for name in ("uscc", "name", "region", "founded_on")}
    persons = source.rows("persons", "person", "name")
    held = source.rows("shareholders", "holder", "holder_kind", "company", "share_ppm")
    holder = ids(held["holder"], held["holder_kind"])
    holdings = pa.table({"holder": holder, "held": ids(held["company"], "company"), "share_ppm": held["share_ppm"]})
    bodies = companies.filter(pc.is_null(companies["customer_ref"]))["company"]
    reason = pa.array(["institution"] * len(bodies), pa.string())
    return replace(
        _money(source),
        companies=pa.table({"id": ids(companies["company"], "company"), **known}),
        persons=pa.table({"id": ids(persons["person"], "person"), "name": persons["name"]}),
        holdings=holdings,
        control=find_control(holdings, get("CN-COLAW-2023")),
        hubs=pa.table({"id": ids(bodies, "company"), "reason": reason}),
        **_people(source),
        **_places(source),
    )


def _people(source: Rows) -> dict[str, pa.Table]:
    kin = source.rows("kinship", "a", "b")
    posts = source.rows("officers", "person", "company", "legal_representative")
    officers = pa.table({"src": ids(posts["person"], "person"), "dst": ids(posts["company"], "company")})
    heads = officers.filter(pc.equal(posts["legal_representative"].cast(pa.string()), "true"))
    return {"kin": pa.table({"src": ids(kin["a"], "person"), "dst": ids(kin["b"], "person")}), "officers": officers, "represents": heads}


def _places(source: Rows) -> dict[str, pa.Table]:
    at = source.rows("contacts", "party", "party_kind", "address", "phone", "email")
    party = ids(at["party"], at["party_kind"])
    located, phone, email = (
        pa.table({"src": party, "dst": at[name]}).filter(pc.is_valid(at[name])) for name in ("address", "phone", "email")
    )
    given = source.rows("guarantees", "guarantor", "guarantor_kind", "beneficiary", "beneficiary_kind")
    ends = {"src": ids(given["guarantor"], given["guarantor_kind"]), "dst": ids(given["beneficiary"], given["beneficiary_kind"])}
    return {"located_at": located, "reached_at": pa.concat_tables([phone, email]), "guarantees": pa.table(ends)}


def _money(source: Rows) -> Evidence:
    held = source.rows("accounts", "account", "owner", "owner_kind")
    owns = pa.table({"src": ids(held["owner"], held["owner_kind"]), "dst": held["account"]})
    signed = source.rows("sign_ins", "device", "account").rename_columns(["src", "dst"])
    moved = source.rows("transfers", "transfer", "payer", "payee", "amount_fen", "at")
    sold = source.rows("invoices", "seller", "buyer", "net_fen", "issued_on", "status")
    sold = sold.filter(pc.equal(sold["status"], "valid"))
    ends = {"src": ids(sold["seller"], "company"), "dst": ids(sold["buyer"], "company")}
    loans = source.rows("loans", "loan", "borrower", "borrower_kind")
    out = source.rows("loan_flows", "loan", "account", "direction", "amount_fen", "at")
    out = out.filter(pc.equal(out["direction"], "paid_out")).drop_columns(["direction"])
    return Evidence(
        owns_account=owns,
        signed_in=signed,
        paid=_paid(owns, moved),
        invoiced=_monthly({**ends, "month": month(sold["issued_on"]), "net_fen": sold["net_fen"]}),
        borrowed=pa.table({"src": ids(loans["borrower"], loans["borrower_kind"]), "dst": loans["loan"]}),
        paid_out=out.rename_columns(["src", "dst", "amount_fen", "at"]),
        transfers=moved.rename_columns(["id", "src", "dst", "amount_fen", "at"]),
    )


def _paid(owns: pa.Table, moved: pa.Table) -> pa.Table:
    account, owner = owns["dst"].combine_chunks(), owns["src"].combine_chunks()
    payer, payee = (owner.take(pc.index_in(moved[end], account).combine_chunks()) for end in ("payer", "payee"))
    return _monthly({"src": payer, "dst": payee, "month": month(moved["at"]), "amount_fen": moved["amount_fen"]})


def month(day: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the first day of the month of each day."""
    return pc.floor_temporal(day, unit="month").cast(pa.date32())


def _monthly(columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    *keys, fen = columns
    return pa.table(columns).group_by(keys, use_threads=False).aggregate([(fen, "sum")]).rename_columns([*keys, fen])


# -- what was found -----------------------------------------------------------------------------------------------


def measured(source: Rows, params: LinkParams, evidence: Evidence | None = None) -> Found:
    """Return how well links find the hidden controllers of a city."""
    graph, truth = evidence or evidence_of(source), Truth.of(source)
    begin = time.process_time()
    links = find_links(graph, params)
    told = find_hidden_controllers(graph, links, params)
    seconds = time.process_time() - begin
    by: dict[str, dict[str, int]] = {}
    for row in told.filter(pc.invert(told["relative"])).to_pylist():
        by.setdefault(row["company"], {})[row["person"]] = row["score"]
    return replace(judged(by, truth, params.alarm_ppm), strong=len(list(_strong(links, truth, params))), seconds=seconds)


def judged(by: Candidates, truth: Truth, alarm: int) -> Found:
    """Return what candidates, each company's in their order, are worth."""
    cases = {company: list(by.get(company, {}).items())[:_PLACES] for company in truth.behind}
    first = {company for company, best in cases.items() if truth.behind[company] in dict(best)}
    alarmed = {company for company in first if dict(cases[company])[truth.behind[company]] >= alarm}
    planted = truth.planted & set(cases)
    false = [company for company in truth.honest if max(by.get(company, {}).values(), default=-1) >= alarm]
    parts = len(first) / max(len(cases), 1), len(alarmed) / max(len(cases), 1), len(alarmed & planted) / max(len(planted), 1)
    return Found(len(cases), *parts, len(false) / max(len(truth.honest), 1), 0, 0.0)


def _strong(links: pa.Table, truth: Truth, params: LinkParams) -> Iterator[dict[str, object]]:
    """Yield the undisclosed strong links of two honest companies of which one has a part in an honest park, agency or family."""
    ranked = rank_links(links, params)
    ranked = ranked.filter(pc.and_(pc.equal(ranked["level"], "strong"), pc.invert(ranked["disclosed"])))
    for row in ranked.to_pylist():
        ends = {row["a"], row["b"]}
        if ends <= set(truth.honest) and any(truth.lookalike.get(end) in _HONEST for end in ends):
            yield row


def rival(graph: Evidence, truth: Truth) -> Found:
    """Return what components over shared addresses and phones are worth: each person in a company's component is its candidate."""
    assert graph.located_at is not None
    assert graph.reached_at is not None
    at = pa.concat_tables([graph.located_at, graph.reached_at])
    party, place = (at[name].combine_chunks().dictionary_encode() for name in ("src", "dst"))
    rows, columns, n = party.indices.to_numpy(), place.indices.to_numpy(), len(party.dictionary)
    size = n + len(place.dictionary)
    _, label = connected_components(coo_array((np.ones(rows.size), (rows, columns + n)), shape=(size, size)), directed=False)
    names = np.array(party.dictionary.to_pylist())
    register = _registers(graph)
    members: dict[int, list[str]] = {}
    for name, group in zip(names.tolist(), label[:n].tolist(), strict=True):
        members.setdefault(group, []).append(name)
    by = {}
    for group in members.values():
        persons = [name for name in group if name.startswith("person")]
        for company in (name for name in group if name.startswith("company")):
            by[company] = {person: 1 for person in persons if person not in register.get(company, ())}
    return judged(by, truth, 1)


def _registers(graph: Evidence) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, (party, company) in ((graph.holdings, ("holder", "held")), (graph.officers, ("src", "dst"))):
        assert table is not None
        for who, of in zip(table[party].to_pylist(), table[company].to_pylist(), strict=True):
            found.setdefault(of, set()).add(who)
    return found


def main() -> None:
    """Look at the cities and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--folder", type=Path, nargs="+", default=[], help="folders of cities made by kgfraud city")
    asked = parser.parse_args()
    print(f"{'':<22}{'cases':>6}{'top 3':>8}{'+ alarm':>8}{'planted':>8}{'false':>8}{'strong':>8}{'CPU s':>8}")
    with ExitStack() as stack:
        cities = [(str(path), stack.enter_context(InFiles.of(path))) for path in asked.folder]
        built = ((f"seed {seed}", InMemory(Params(companies=asked.companies, days=asked.days, seed=seed))) for seed in asked.seeds)
        for name, source in cities or built:
            graph = evidence_of(source)
            for who, found in ((name, measured(source, LinkParams(), graph)), ("  components", rival(graph, Truth.of(source)))):
                ratios = "".join(f"{part:8.3f}" for part in (found.first, found.alarmed, found.planted, found.false))
                print(f"{who:<22}{found.cases:>6}{ratios}{found.strong:>8}{found.seconds:8.1f}", flush=True)


if __name__ == "__main__":
    main()
