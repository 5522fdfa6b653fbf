"""What a night makes of the deliveries after the first: closed, replaced, renamed, refused."""

from datetime import date

import pytest

from .town import FIRST, SECOND, THIRD, firms, holding, known, payment, uscc

pytestmark = pytest.mark.untraced

IDS = "MATCH (n:Company) RETURN n.id AS id ORDER BY id"


# -- full, append, upsert --------------------------------------------------------------------------------------


def test_a_full_source_closes_what_disappeared_and_what_comes_back_is_a_new_row(owners):
    owners.deliver("companies", firms("A", "B", "C"))
    owners.deliver("shareholders", [holding("A", "B"), holding("A", "C")])
    first = owners.run(as_of=FIRST)
    assert known(owners) == ["A", "B", "C"]

    owners.deliver("companies", firms("A", "C"))
    owners.deliver("shareholders", [holding("A", "C")])
    second = owners.run(as_of=SECOND)
    (gone,) = [row for row in owners.table("graph/Company") if row["last_run"]]
    assert (gone["id"], gone["valid_to"], gone["first_run"], gone["last_run"]) == ("company:bank:B", SECOND, first.run_id, second.run_id)
    assert [row["valid_to"] for row in owners.table("graph/HOLDS_SHARES") if row["last_run"]] == [SECOND]
    assert (known(owners), owners.one("MATCH ()-[r:HOLDS_SHARES]->() RETURN count(r)")) == (["A", "C"], 1)

    owners.deliver("companies", firms("A", "B", "C"))
    owners.run(as_of=THIRD)
    rows = sorted(
        (row["valid_from"] or date.min, row["valid_to"]) for row in owners.table("records/companies") if row["company"].endswith("B")
    )
    assert rows == [(date.min, SECOND), (THIRD, None)]
    assert known(owners) == ["A", "B", "C"]


def test_a_full_source_keeps_the_old_word_where_the_new_one_is_refused(registry):
    registry.deliver("companies", firms("A", capital_fen="100") + firms("B", capital_fen="200") + firms("C", capital_fen="300"))
    registry.run(as_of=FIRST)
    registry.deliver("companies", firms("A", capital_fen="one hundred") + firms("B", capital_fen="250"))
    registry.run(as_of=SECOND)
    capital = {row["id"]: row["fen"] for row in registry.ask("MATCH (n:Company) RETURN n.id AS id, n.capital_fen AS fen")}
    assert capital == {"company:bank:A": 100_00, "company:bank:B": 250_00}
    assert [(row["line"], row["column"], row["rule"]) for row in registry.refused()] == [(2, "capital_fen", "money")]
    registry.deliver("companies", firms("A", capital_fen="110") + firms("B", capital_fen="250"))
    registry.run(as_of=THIRD)
    assert registry.refused() == []
    assert registry.one("MATCH (n:Company {id: 'company:bank:A'}) RETURN n.capital_fen") == 110_00


def test_an_appending_source_is_idempotent_by_record_id_and_refuses_a_changed_word(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1"), payment("2", "ACC1", "ACC2")])
    teller.run()
    teller.deliver("transfers", [payment("2", "ACC1", "ACC2"), payment("3", "ACC2", "ACC3")])
    assert teller.run().sources[-1]["inserted"] == 1
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 3
    teller.deliver("transfers", [payment("3", "ACC2", "ACC3", amount="999")])
    teller.run()
    assert {row["rule"] for row in teller.refused()} == {"changed"}
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN sum(r.amount_fen)") == 300_00


def test_an_upserting_source_replaces_what_it_names_and_leaves_the_rest(registry):
    registry.source("companies", mode="upsert")
    registry.deliver("companies", firms("A", "B", "C"))
    registry.run(as_of=FIRST)
    registry.deliver("companies", [{"company": "B", "name": "B new"}, {"company": "D", "name": "D Ltd"}])
    registry.run(as_of=SECOND)
    names = {row["id"][-1]: row["name"] for row in registry.ask("MATCH (n:Company) RETURN n.id AS id, n.name AS name")}
    assert names == {"A": "A Ltd", "B": "B new", "C": "C Ltd", "D": "D Ltd"}
    (old,) = [row for row in registry.table("records/companies") if row["last_run"]]
    assert (old["name"], old["valid_to"]) == ("B Ltd", SECOND)


# -- ids -------------------------------------------------------------------------------------------------------


def test_equal_rows_without_a_named_id_all_stay_and_the_same_delivery_changes_nothing(teller):
    del teller.sources["transfers"]["record_id"]
    teller.source("transfers", mode="full")
    three, other = [payment("", "ACC0", "ACC1")] * 3, payment("", "ACC2", "ACC3")
    teller.deliver("transfers", [*three, other])
    teller.run()
    before = teller.content()
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN sum(r.amount_fen)") == 400_00
    # the same file, and the same rows in another order
    for rows in ([*three, other], [three[0], other, *three[1:]]):
        teller.deliver("transfers", rows)
        again = teller.run()
        assert (again.results["load"]["inserted"], again.results["load"]["closed"]) == (0, 0)
        assert teller.content() == before
    teller.deliver("transfers", [other, *three[1:]])
    assert teller.run().results["load"]["closed"] == 1
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 3


def test_only_the_repetition_of_a_named_id_is_refused(registry):
    registry.deliver("companies", [*firms("A", "B"), {"company": "A", "name": "A again"}, {"company": "A", "name": "A Ltd"}])
    registry.run(as_of=FIRST)
    assert [(row["line"], row["column"], row["rule"]) for row in sorted(registry.refused(), key=lambda r: r["line"])] == [
        (4, "record_id", "duplicate"),
        (5, "record_id", "duplicate"),
    ]
    assert registry.one("MATCH (n:Company {id: 'company:bank:A'}) RETURN n.name") == "A Ltd"


def test_a_company_that_gets_its_code_is_known_by_it_and_nothing_is_doubled(owners):
    code = uscc(77)
    owners.deliver("companies", [{"company": "A", "name": "A Ltd", "uscc": ""}, {"company": "B", "name": "B Ltd", "uscc": uscc(5)}])
    owners.deliver("shareholders", [holding("A", "B"), holding("B", "A", "20%")])
    owners.run(as_of=FIRST)
    edges = "MATCH (a)-[r:HOLDS_SHARES]->(b) RETURN a.id AS a, b.id AS b, r.share_ppm AS ppm ORDER BY ppm"
    other = f"company:uscc:{uscc(5)}"
    assert [tuple(row.values()) for row in owners.ask(edges)] == [(other, "company:bank:A", 200_000), ("company:bank:A", other, 300_000)]

    owners.deliver("companies", [{"company": "A", "name": "A Ltd", "uscc": code}, {"company": "B", "name": "B Ltd", "uscc": uscc(5)}])
    owners.run(as_of=SECOND)
    new = f"company:uscc:{code}"
    assert [tuple(row.values()) for row in owners.ask(edges)] == [(other, new, 200_000), (new, other, 300_000)]
    assert [row["id"] for row in owners.ask(IDS)] == sorted([new, other])
    assert owners.cli("store", "verify").exit_code == 0


def test_a_company_is_found_by_its_number_its_code_and_its_name(owners):
    owners.source("by_code", kind="shareholders", path="landing/by_code.csv", constants={"holder_kind": "company"})
    owners.source("by_code", columns={"company": {"column": "code", "by": "uscc"}})
    owners.source("by_name", kind="shareholders", path="landing/by_name.csv", constants={"holder_kind": "company"})
    owners.source("by_name", columns={"company": {"column": "title", "by": "name"}})
    owners.deliver("companies", [{"company": "A", "name": "甲公司", "uscc": uscc(1)}, {"company": "B", "name": "乙公司", "uscc": ""}])
    owners.deliver("shareholders", [holding("B", "A")])
    owners.deliver("by_code", [{"holder": "B", "code": uscc(1), "share_ppm": "0.1"}])
    owners.deliver(
        "by_name", [{"holder": "B", "title": "甲公司", "share_ppm": "0.2"}, {"holder": "B", "title": "丙公司", "share_ppm": "0.2"}]
    )
    owners.run(as_of=FIRST)
    ends = owners.ask("MATCH (a)-[r:HOLDS_SHARES]->(b) RETURN a.id AS a, b.id AS b, r.share_ppm AS ppm ORDER BY ppm")
    assert [tuple(row.values()) for row in ends] == [
        ("company:bank:B", f"company:uscc:{uscc(1)}", ppm) for ppm in (100_000, 200_000, 300_000)
    ]
    # and so by people who ask for it
    asked = ("company:bank:A", uscc(1), "甲公司", f"company:uscc:{uscc(1)}")
    assert {owners.json("owners", name)["company"] for name in asked} == {f"company:uscc:{uscc(1)}"}
    assert [(row["source"], row["line"], row["rule"]) for row in owners.refused()] == [("by_name", 3, "unknown_end")]


def test_two_sources_speak_of_one_company_and_the_first_named_is_trusted_more(registry):
    registry.source("tax.companies", kind="companies", path="landing/tax.csv", record_id="uscc")
    code = uscc(8)
    registry.deliver("companies", [{"company": "A", "name": "A of the bank", "uscc": code, "industry": ""}])
    registry.deliver("tax", [{"uscc": code, "name": "A of the tax office", "industry": "C26"}])
    registry.run(as_of=FIRST)
    found = "MATCH (n:Company) RETURN n.id AS id, n.name AS name, n.industry AS industry"
    assert registry.ask(found) == [{"id": f"company:uscc:{code}", "name": "A of the bank", "industry": "C26"}]
    registry.deliver("companies", firms("B"))
    registry.run(as_of=SECOND)
    assert {"id": f"company:uscc:{code}", "name": "A of the tax office", "industry": "C26"} in registry.ask(found)
    assert registry.one("MATCH (n:Company) RETURN count(n)") == 2


def test_an_unknown_end_may_be_a_stub_until_somebody_registers_it(teller):
    teller.source("transfers", unknown_end="stub")
    teller.deliver("transfers", [payment("1", "ACC0", "FOREIGN1"), payment("2", "FOREIGN2", "ACC1")])
    teller.run()
    stubs = "MATCH (n:Account {stub: true}) RETURN count(n)"
    assert (teller.one(stubs), teller.refused()) == (2, [])
    teller.deliver("accounts", [{"account": name} for name in ("ACC0", "ACC1", "FOREIGN1")])
    teller.run()
    assert (teller.one(stubs), teller.one("MATCH (n:Account) RETURN count(n)")) == (1, 4)
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 2
    assert teller.cli("store", "verify").exit_code == 0


def test_a_file_that_did_not_change_is_judged_anew_when_what_it_names_came_or_went(owners):
    owners.deliver("companies", firms("A", "B"))
    owners.deliver("shareholders", [holding("A", "B"), holding("A", "D", "20%")])
    owners.run(as_of=FIRST)
    assert [row["line"] for row in owners.refused()] == [3]
    owners.deliver("companies", firms("A", "B", "D"))
    owners.run(as_of=SECOND)
    assert owners.refused() == []
    assert owners.one("MATCH ()-[r:HOLDS_SHARES]->() RETURN count(r)") == 2
    owners.deliver("companies", firms("A", "D"))
    owners.run(as_of=THIRD)
    assert [row["line"] for row in owners.refused()] == [2]
    assert owners.cli("store", "verify").exit_code == 0


# -- days ------------------------------------------------------------------------------------------------------


def test_a_relationship_is_in_neo4j_from_its_first_day_to_its_last_though_nothing_is_delivered_anew(owners):
    owners.source("accounts", record_id="account")
    owners.source("transfers", mode="append", record_id="number")
    owners.deliver("companies", firms("A", "B", valid_from="2024-03-02", valid_to="2024-03-03"))
    owners.deliver("shareholders", [{**holding("A", "B"), "valid_from": "2024-03-02", "valid_to": "2024-03-03"}])
    owners.deliver("accounts", [{"account": "ACC0"}, {"account": "ACC1"}])
    # the third of March begins in Shanghai while it is still the second in UTC
    owners.deliver(
        "transfers", [payment("1", "ACC0", "ACC1", at="2024-03-02 23:59:59"), payment("2", "ACC0", "ACC1", at="2024-03-03 00:00:00")]
    )
    seen = []
    for day in (FIRST, SECOND, THIRD):
        owners.run(as_of=day)
        held, paid = (owners.one(f"MATCH ()-[r:{type_}]->() RETURN count(r)") for type_ in ("HOLDS_SHARES", "TRANSFERRED_TO"))
        seen.append((known(owners), held, paid))
        assert owners.cli("store", "verify").exit_code == 0
    assert seen == [(["A", "B"], 0, 0), (["A", "B"], 1, 1), (["A", "B"], 0, 2)]


def test_only_the_transfers_of_the_last_days_are_published_where_a_bound_is_set(teller):
    teller.settings["publish"] = {"transfer_days": 10}
    days = ("2024-02-01", "2024-02-20", "2024-02-25")
    teller.deliver("transfers", [payment(str(n), "ACC0", "ACC1", at=f"{day} 12:00:00") for n, day in enumerate(days)])
    teller.source("transfers")
    there = "MATCH ()-[r:TRANSFERRED_TO]->() RETURN r.record_id AS id ORDER BY id"
    teller.run()
    assert len(teller.ask(there)) == 2
    teller.run(as_of=date(2024, 3, 4))
    assert len(teller.ask(there)) == 1
    teller.settings["publish"] = {"transfer_days": 0}
    teller.source("transfers")
    teller.run()
    assert len(teller.ask(there)) == len(teller.current("graph/TRANSFERRED_TO")) == 3
    # a night that died behind its last write left nothing on record of the window
    (teller.root / "runs" / teller.runs()[-1] / "publish.done").unlink()
    teller.settings["publish"] = {"transfer_days": 10}
    teller.source("transfers")
    teller.run(only="publish")
    assert len(teller.ask(there)) == 1
    assert teller.cli("store", "verify").exit_code == 0
