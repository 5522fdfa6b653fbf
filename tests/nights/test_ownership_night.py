"""Who controls, owns and belongs together is in the graph every night, and people are told of it in the same words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kg.stores.server import Address

from .bank import Bank, emptied
from .town import firms

pytestmark = pytest.mark.untraced

LAW = {"groups": "CN-LE-2018", "owners": "CN-UBO-2024"}


def holding(holder: str, company: str, share: str = "") -> dict[str, str]:
    return {"holder": holder, "holder_kind": "person" if holder.startswith("P") else "company", "company": company, "share_ppm": share}


def owes(party: str, yuan: int, kind: str = "loan") -> dict[str, Any]:
    return {"party": party, "party_kind": "company", "kind": kind, "amount_fen": yuan}


#: P1 holds A, A holds B; P2 and P3 are married and hold C together; D and E own one another; F has a share too many.
HOLDINGS = [
    holding("P1", "A", "60%"),
    holding("P4", "A", "40%"),
    holding("A", "B", "51%"),
    holding("P2", "C", "30%"),
    holding("P3", "C", "30%"),
    holding("P4", "C", "40%"),
    holding("D", "E", "100%"),
    holding("E", "D", "100%"),
    holding("P4", "F", "70%"),
    holding("P1", "F", "45%"),
]
#: D sells B twice as much as E does, a contract stands beside it; two months make nobody dependent.
INVOICES = [
    {"number": "1", "seller": "D", "buyer": "B", "issued_on": "2023-11-10", "net_fen": "100", "goods": "power"},
    {"number": "2", "seller": "D", "buyer": "B", "issued_on": "2023-12-10", "net_fen": "100", "goods": "power"},
    {"number": "3", "seller": "E", "buyer": "B", "issued_on": "2023-12-11", "net_fen": "100"},
    {"number": "4", "seller": "B", "buyer": "C", "issued_on": "2023-12-12", "net_fen": "500", "goods": "part"},
]
CONTRACTS = [{"number": "K1", "seller": "D", "buyer": "B", "signed_on": "2023-02-01", "amount_fen": "900"}]
#: Power for a maker of parts, who supplies a shop.
INDUSTRIES = {"D": "D44", "E": "4400", "B": "C36", "C": "F52"}
PEOPLE = [{"person": f"P{number}", "name": name} for number, name in enumerate(("张一", "王二", "李三", "赵四"), 1)]


def settled(bank: Bank) -> Bank:
    """Give a bank six companies, their holders, and what the bank has lent them."""
    bank.source("companies", record_id="company")
    bank.source("persons", record_id="person")
    for name in ("shareholders", "kinship", "exposures", "bank_capital", "goods"):
        bank.source(name)
    bank.deliver("goods", [{"goods": "part", "made_from": "power"}])
    bank.source("invoices", record_id="number")
    bank.source("contracts", record_id="number")
    bank.deliver("invoices", INVOICES)
    bank.deliver("contracts", CONTRACTS)
    bank.deliver("companies", [{**row, "industry": INDUSTRIES.get(row["company"])} for row in firms(*"ABCDEF")])
    bank.deliver("persons", PEOPLE)
    bank.deliver("shareholders", HOLDINGS)
    bank.deliver("kinship", [{"a": "P2", "b": "P3", "kinship": "spouse"}])
    bank.deliver("exposures", [owes("A", 12), owes("B", 9), owes("C", 5), owes("D", 16)])
    bank.deliver("bank_capital", [{"reported_on": "2024-01-31", "net_capital_fen": "200", "tier_1_fen": "100"}])
    return bank


@pytest.fixture
def house(bank: Bank) -> Bank:
    """A bank whose files lie ready."""
    return settled(bank)


@dataclass(frozen=True)
class Seen:
    """What Neo4j held after a night, before another one emptied it."""

    controls: dict[tuple[str, str], tuple[int, str | None]]
    members: set[frozenset[str]]
    owners: list[dict[str, Any]]
    #: The ends of the holdings by which P1 controls B.
    evidence: list[str]
    supplies: list[dict[str, Any]]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, night_server: Address) -> tuple[Bank, Seen]:
    """A bank after its first night, and what it saw in the graph."""
    bank = settled(Bank.create(tmp_path_factory.mktemp("owned") / "bank", emptied(night_server)))
    bank.run()
    owned = bank.ask(
        "MATCH (p:Person)-[r:BENEFICIALLY_OWNS]->(c) RETURN p.id AS p, c.id AS c, r.test AS test, r.low_ppm AS low, r.rules AS rules"
    )
    told = bank.one("MATCH (:Person {id: $p})-[r:CONTROLS]->(:Company {id: $c}) RETURN r.evidence AS e", p=id_of("P1"), c=id_of("B"))
    held = [bank.one("MATCH (a)-[r:HOLDS_SHARES {id: $id}]->(b) RETURN a.id + b.id AS ends", id=each) for each in json.loads(told)]
    trade = bank.ask("MATCH (a)-[r:SUPPLIES]->(b) RETURN a.id AS supplier, b.id AS buyer, properties(r) AS of")
    return bank, Seen(controls(bank), members(bank), owned, held, trade)


@pytest.fixture
def done(night: tuple[Bank, Seen]) -> Bank:
    """A bank after its first night."""
    return night[0]


@pytest.fixture
def later(night: tuple[Bank, Seen], tmp_path: Path) -> Bank:
    """The same bank to go on with; its database is empty."""
    emptied(night[0].server)
    return night[0].copy(tmp_path / "bank")


@pytest.fixture
def seen(night: tuple[Bank, Seen]) -> Seen:
    """What Neo4j held then."""
    return night[1]


def short(id_: str) -> str:
    return id_.rpartition(":")[2]


def controls(bank: Bank) -> dict[tuple[str, str], tuple[int, str | None]]:
    rows = bank.ask("MATCH (a)-[r:CONTROLS]->(b) RETURN a.id AS a, b.id AS b, r.votes_ppm AS votes, r.jointly AS jointly, r.rules AS rules")
    assert {row["rules"] for row in rows} <= {LAW["groups"]}
    return {
        (short(row["a"]), short(row["b"])): (row["votes"], row["jointly"] and "＋".join(map(short, row["jointly"].split("＋"))))
        for row in rows
    }


def members(bank: Bank) -> set[frozenset[str]]:
    rows = bank.ask("MATCH (a)-[:MEMBER_OF]->(g:Group) RETURN g.id AS group, collect(a.id) AS members")
    return {frozenset(map(short, row["members"])) for row in rows}


def id_of(number: str) -> str:
    return f"{'person' if number.startswith('P') else 'company'}:bank:{number}"


def test_control_joint_control_and_groups_are_in_the_graph_with_rule_set_and_evidence(seen: Seen):
    found = seen.controls
    assert found["P1", "A"] == (600_000, None)
    assert found["P1", "B"] == found["A", "B"] == (510_000, None)
    assert found["P2", "C"] == found["P3", "C"] == (600_000, "P2＋P3")
    assert ("P4", "C") not in found
    assert seen.evidence == [id_of("A") + id_of("B")]
    assert {frozenset({"P1", "A", "B"}), frozenset({"P2", "P3", "C"}), frozenset({"D", "E"})} <= seen.members


def test_beneficial_owners_are_in_the_graph_by_the_test_that_names_them(seen: Seen):
    found = {(short(row["p"]), short(row["c"])): (row["test"], row["low"]) for row in seen.owners}
    assert found["P1", "B"] == ("capital", 306_000)
    assert found["P2", "C"] == ("capital", 300_000)
    assert ("P4", "B") not in found
    assert {row["rules"] for row in seen.owners} == {LAW["owners"]}


def test_a_group_beyond_its_limit_and_closed_or_overfull_holdings_are_flagged(done: Bank):
    flagged: dict[str, set[str]] = {}
    for flag in done.flags():
        flagged.setdefault(flag["reason"], set()).add(short(flag["entity_id"]))
    # A and B owe 21 of 100 of tier 1; a group may owe 20, and a client alone 15
    assert flagged["GROUP_LIMIT_PASSED"] == {"P1", "A", "B"}
    assert "GROUP_LIMIT_SPLIT" not in flagged
    assert flagged["CLIENT_LIMIT_PASSED"] == {"D"}
    assert flagged["CLOSED_HOLDING_CIRCLE"] == {"D", "E"}
    assert flagged["CIRCULAR_HOLDING"] == {"D", "E"}
    assert flagged["SHARES_OVER_WHOLE"] == {"F"}


def test_what_reaches_a_limit_is_within_it(house: Bank):
    house.deliver("exposures", [owes("A", 12), owes("B", 8)])
    house.run()
    assert not [flag for flag in house.flags() if flag["reason"] == "GROUP_LIMIT_PASSED"]
    told = house.json("limit", id_of("B"))
    assert told["limits"][0]["headroom_fen"] == 0
    assert not told["limits"][0]["breach"]
    assert not told["as_if_insider"]
    assert "as if this party were" in house.cli("limit", id_of("B"), "--rules", "CN-RPT-2022").stdout


def test_two_capitals_of_one_day_bound_nobody_and_people_are_told_why(house: Bank):
    both = [{"reported_on": "2024-01-31", "net_capital_fen": net, "tier_1_fen": "100"} for net in ("200", "300")]
    house.deliver("bank_capital", both)
    house.run()
    assert not [flag for flag in house.flags() if flag["reason"].startswith("GROUP_LIMIT")]
    refused = house.cli("limit", id_of("B"))
    assert refused.exit_code == 1
    assert "bank_capital" in refused.stderr


def test_a_group_keeps_its_id_when_a_member_joins_and_is_gone_when_control_is(later: Bank):
    (before,) = {row["dst"] for row in later.current("graph/MEMBER_OF") if row["src"] == id_of("B")}
    later.deliver("shareholders", [*HOLDINGS[:6], holding("B", "F", "51%")])
    later.run()
    assert later.one("MATCH (:Company {id: $f})-[:MEMBER_OF]->(g) WHERE g.id = $g RETURN count(*)", f=id_of("F"), g=before) == 1
    later.deliver("shareholders", HOLDINGS[6:])
    later.run()
    assert later.one("MATCH (g:Group {id: $g}) RETURN count(g)", g=before) == 0


def test_nothing_is_made_again_where_nothing_of_it_has_changed(later: Bank):
    later.deliver("exposures", [owes("A", 12), owes("B", 9), owes("C", 6)])
    outcome = later.run()
    assert set(outcome.results["derive"]) == {"graph/Group", "graph/LargeExposure", "made_with"}


def test_an_own_number_with_a_plus_in_it_is_one_party_and_full_width_is_the_same(house: Bank):
    house.deliver("persons", [*PEOPLE, {"person": "z+y", "name": "周五"}])
    house.deliver("companies", firms(*"ABCDEF", "a+b"))
    house.deliver("shareholders", [*HOLDINGS, holding("P1", "a+b", "10%"), {**holding("z＋y", "a+b", "80%"), "holder_kind": "person"}])
    house.run()
    assert controls(house)["z+y", "a+b"] == (800_000, None)
    assert frozenset({"z+y", "a+b"}) in members(house)
    assert house.cli("store", "verify").exit_code == 0


def test_another_rule_set_of_the_settings_makes_other_control_and_earlier_runs_are_made_again_with_theirs(later: Bank):
    (first,) = later.runs()
    later.settings["ownership"] = {"groups": "US-32.5"}
    later.source("companies")
    later.run()
    rows = later.ask("MATCH (:Person)-[r:CONTROLS]->() RETURN DISTINCT r.rules AS rules")
    assert [row["rules"] for row in rows] == ["US-32.5"]
    then, now = (later.json("runs", "replay", run_id) for run_id in (first, "last"))
    assert (then["differences"], now["differences"]) == ([], [])
    assert ("CN-LE-2018" in then["said"], "rule sets" in now["said"]) == (True, False)
    later.settings["ownership"] = {"groups": "CN-LE-2081"}
    later.source("companies")
    wrong = later.cli("run")
    assert wrong.exit_code == 2
    assert "CN-LE-2018" in wrong.stderr


def test_a_rebutted_link_holds_nothing_together_until_it_is_restored_or_the_day_has_come(house: Bank):
    house.source("rebuttals", mode="append")
    event = {"a": "A", "a_kind": "company", "b": "B", "b_kind": "company", "reason": "独立经营，已核实", "user": "K007"}
    house.deliver("rebuttals", [{**event, "action": "rebut", "until_on": "2024-06-01", "decided_at": "2026-02-01 09:00:00"}])
    house.run(as_of=date(2024, 3, 1))
    assert frozenset({"P1", "A"}) in members(house)
    house.run(as_of=date(2024, 6, 1))
    assert frozenset({"P1", "A", "B"}) in members(house)


def test_the_owners_of_a_company_are_told_as_a_tree_with_who_controls_it(done: Bank):
    said = done.cli("owners", id_of("B")).stdout
    assert "└─ 51 %" in said
    assert "   ├─ 60 %  张一" in said
    told = done.json("owners", id_of("B"))
    assert [(row["controller"], row["votes_ppm"]) for row in told["controllers"]] == [(id_of("A"), 510_000), (id_of("P1"), 510_000)]
    assert {row["owner"]: row["share_ppm"] for row in told["ultimate_owners"]} == {id_of("P1"): 306_000, id_of("P4"): 204_000}
    assert told["up"][0]["evidence"]
    picture = done.cli("owners", id_of("B"), "--svg").stdout
    assert picture.startswith("<svg")
    assert "张一" in picture


def test_a_circle_of_holdings_is_shown_once(done: Bank):
    (branch,) = done.json("owners", id_of("D"))["up"]
    assert (branch["party"], branch["seen"]) == (id_of("E"), False)
    assert [(each["party"], each["seen"]) for each in branch["branches"]] == [(id_of("D"), True)]


def test_a_company_is_found_by_its_name_and_a_wrong_one_is_refused(done: Bank):
    assert done.json("owners", "B Ltd")["company"] == id_of("B")
    refused = done.cli("owners", "Z Ltd")
    assert refused.exit_code == 2
    assert "'Z Ltd'" in refused.stderr
    assert done.cli("owners", "B Ltd", "--rules", "CN-LE-2081").exit_code == 2


def test_the_groups_of_a_party_are_told_with_the_reason_of_each_member(done: Bank):
    (group,) = done.json("group", id_of("B"))["groups"]
    assert {row["party"]: row["role"] for row in group["members"]} == {
        id_of("P1"): "head",
        id_of("A"): "controlled",
        id_of("B"): "controlled",
    }
    assert f"controlled by {id_of('P1')} with 510000 ppm" in done.cli("group", id_of("B")).stdout


def test_a_link_is_shown_rebutted_with_user_reason_and_end_and_restored(house: Bank):
    """C is guaranteed by A; the owner of A signs in at the account of C, too."""
    house.source("accounts", record_id="account")
    house.source("sign_ins", unknown_end="stub")
    house.deliver("companies", [*firms("A", customer_ref="K1"), *firms(*"BCDEF")])
    house.deliver("accounts", [{"account": f"622{name}0001", "owner": name, "owner_kind": "company"} for name in "AC"])
    house.deliver("sign_ins", [{"device": "D-1", "account": f"622{name}0001", "at": "2024-01-02 08:00:00"} for name in "AC"])
    house.run()
    a, c = id_of("A"), id_of("C")
    (path,) = house.json("links", a, c)["paths"]
    assert [(step["src"], step["dst"], step["kinds"]) for step in path] == [(a, c, ["shared_device"])]
    restore = ("links", "restore", a, c, "--user", "K008", "--reason", "误判")
    never = house.cli(*restore)
    assert (never.exit_code, "was never rebutted" in never.stderr) == (2, True)
    lacking = house.cli("links", "rebut", a, c, "--until", "2025-01-01", "--user", "K007")
    assert (lacking.exit_code, "--reason" in lacking.stderr) == (2, True)
    past = house.cli("links", "rebut", a, c, "--until", "2024-01-01", "--user", "K007", "--reason", "同一会计")
    assert (past.exit_code, "never be in force" in past.stderr) == (2, True)
    done = house.cli("links", "rebut", a, c, "--until", "2025-01-01", "--user", "K007", "--reason", "同一会计，电话13812345678")
    assert done.exit_code == 0, done.stderr
    assert "13812345678" not in (house.root / "rebuttals.jsonl").read_text(encoding="utf-8")
    house.run()
    assert house.json("links", a, c)["paths"] == []
    (event,) = house.json("links", "log")
    assert (event["user"], event["until_on"], event["action"]) == ("K007", "2025-01-01", "rebut")
    assert house.cli(*restore).exit_code == 0
    again = house.cli(*restore)
    assert (again.exit_code, "was restored on" in again.stderr) == (2, True)
    assert house.cli("links", "rebut", c, a, "--until", "2025-01-01", "--user", "K007", "--reason", "同一会计").exit_code == 0
    assert house.cli(*restore).exit_code == 0
    house.run()
    assert len(house.json("links", a, c)["paths"]) == 1
    assert len(house.json("links", "log")) == 4
    assert house.json("links", "hubs") == []


def test_who_supplies_whom_is_in_lake_and_graph_with_parts_months_and_sources(done: Bank, seen: Seen):
    told = {(short(row["supplier"]), short(row["buyer"])): row["of"] for row in seen.supplies}
    assert told.keys() == {("D", "B"), ("E", "B"), ("B", "C")}
    of = told["D", "B"]
    assert (of["amount_fen"], of["sales_ppm"], of["purchases_ppm"], of["months"]) == (20_000, 1_000_000, 666_666, 2)
    assert (str(of["since"]), of["measure"], of["said_by"]) == ("2023-02-01", "invoices", "contracts, invoices")
    assert {row["amount_fen"] for row in done.current("graph/SUPPLIES")} == {20_000, 10_000, 50_000}
    assert [row[1] for row in json.loads(done.cli("query", "--name", "suppliers", "-p", f"company={id_of('B')}", "--json").stdout)["rows"]]


def test_the_companies_on_a_chain_of_goods_are_told_by_what_they_have_invoiced(done: Bank):
    found = done.json("goods", "power")["sellers"]
    assert [(row["step"], row["goods"], short(row["company"]), row["name"], row["amount_fen"]) for row in found] == [
        (0, "power", "D", "D Ltd", 20_000),
        (1, "part", "B", "B Ltd", 50_000),
    ]
    assert [row["goods"] for row in done.json("goods", "part", "--sources")["sellers"]] == ["part", "power"]
    assert len(done.json("goods", "power", "--steps", "1")["sellers"]) == 2
    assert "B Ltd" in done.cli("goods", "power").stdout
    assert "no row of goods names gold" in done.cli("goods", "gold").stderr


def test_who_supplied_long_ago_supplies_no_more_when_its_month_is_over_though_nothing_is_delivered(house: Bank):
    house.run(as_of=date(2024, 1, 31))
    house.run(as_of=date(2024, 12, 1))
    told = {(short(row["src"]), short(row["dst"])): row["amount_fen"] for row in house.current("graph/SUPPLIES")}
    assert told == {("D", "B"): 10_000, ("E", "B"): 10_000, ("B", "C"): 50_000}
    house.run(as_of=date(2025, 1, 1))
    assert house.one("MATCH ()-[r:SUPPLIES]->() RETURN count(r)") == 0


def test_the_borrowers_that_are_hurt_when_a_company_stops_are_told_with_what_they_owe(done: Bank):
    told = done.json("shock", id_of("D"))
    found = {short(row["company"]): row for row in told["borrowers"]}
    # power comes from D and E alike, and B stands still without it as far as it is missing; C sells on what it gets of B
    assert {name: (row["h_ppm"], row["by"], row["exposure_fen"]) for name, row in found.items()} == {
        "D": (0, "shock", 1_600),
        "B": (333_333, "inputs", 900),
        "C": (333_333, "inputs", 500),
    }
    assert [short(station) for station in found["C"]["path"]] == ["D", "B", "C"]
    assert told["exposure_fen"] == 3_000
    half = done.json("shock", "D Ltd", "--remaining", "0.5")
    assert {short(row["company"]): row["h_ppm"] for row in half["borrowers"]} == {"D": 500_000, "B": 666_667, "C": 666_667}
    said = done.cli("shock", id_of("D")).stdout
    assert "33.3333 %" in said
    assert "D Ltd → B Ltd → C Ltd" in said
    assert "no borrower is hurt" in done.cli("shock", id_of("F")).stdout


def test_a_file_of_what_is_essential_takes_the_place_of_the_rule(done: Bank):
    (done.root / "essential.csv").write_text("supplier_industry,buyer_industry,kind\nD44,C,0\n", encoding="utf-8")
    setting = ("--set", "contagion.essential=essential.csv")
    spared = done.cli(*setting, "shock", id_of("D"), "--json")
    assert [row["by"] for row in json.loads(spared.stdout)["borrowers"]] == ["shock"]
    (done.root / "essential.csv").write_text("supplier_industry,buyer_industry,kind\nD44,C,5\n", encoding="utf-8")
    refused = done.cli(*setting, "shock", id_of("D"))
    assert (refused.exit_code, "essential.csv line 2: kind is '5'" in refused.stderr) == (2, True)


def test_confirmed_fraud_is_near_from_the_day_on_which_it_was_known(house: Bank):
    house.source("cases")
    house.deliver("cases", [{"entity": "B", "entity_kind": "company", "reason": "虚假贸易", "known_on": "2024-03-01"}])
    house.run(as_of=date(2024, 2, 29))
    assert house.json("shock", id_of("B"))["fraud_near"] is None
    house.run(as_of=date(2024, 3, 1))
    told = house.json("shock", id_of("D"))
    assert told["fraud_near"]["path"] == [id_of("B"), id_of("D")]
    assert told["fraud_near"]["types"] == ["SUPPLIES"]
    # all that D sells goes to B: a fifth, halved by the step
    assert told["fraud_near"]["ppm"] == 100_000
    assert not [flag for flag in house.flags() if flag["entity_id"] == id_of("D") and "FRAUD" in flag["reason"]]
