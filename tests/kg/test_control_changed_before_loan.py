"""The rule control_changed_before_loan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import schema
from kg.engine import Engine
from kg.errors import UsageError
from kg.graph import Graph, columns, table_name
from kg.lake import Lake
from kg.rule import Reading, evaluate
from kg.rules.control_changed_before_loan import RULE, ControlChangedBeforeLoanParameters, find_changed_control

from .narrowing import narrowed_and_whole

A, H = "company:x:a", "company:x:h"
P, Q, R = (f"person:x:{c}" for c in "pqr")
LOAN = date(2024, 6, 1)


def day(before):
    """Return the day so many days before the loan, None where nothing is stated."""
    return None if before is None else LOAN - timedelta(days=before)


def holding(party, share=100, begin=None, end=None, first="run-0", last=None, company=A, source="reg"):
    """Return a version: share in %, days counted back from the loan."""
    return {
        "src": party,
        "dst": company,
        "source": source,
        "share_ppm": share * 10_000,
        "valid_from": day(begin),
        "valid_to": day(end),
        "first_run": first,
        "last_run": last,
    }


def table(name, letter, rows):
    (need,) = (each for each in RULE.requires if each.name == name)
    full = [{**dict.fromkeys(need.columns), "id": f"{letter}{place}", **row} for place, row in enumerate(rows)]
    return pa.Table.from_pylist([{key: row[key] for key in need.columns} for row in full], schema=need.empty().schema)


def tables(held=(), led=(), founded=date(2010, 1, 1), kin=(), controls=(), loans=((A, LOAN),)):
    """Return the tables; versions with an end before today are the ended ones."""
    at = [datetime(of.year, of.month, of.day, 3, tzinfo=UTC) for _, of in loans]
    lent = [{"src": who, "dst": "loan:x:1", "amount_fen": 500, "at": when} for (who, _), when in zip(loans, at, strict=True)]
    parts = {}
    for name, rows in (("HOLDS_SHARES", held), ("REPRESENTS", led)):
        parts[name] = table(name, name[0].lower(), [row for row in rows if row["valid_to"] is None])
        parts[f"ended/{name}"] = table(f"ended/{name}", f"old-{name[0].lower()}", [row for row in rows if row["valid_to"] is not None])
    return {
        **parts,
        "BORROWED": table("BORROWED", "b", lent),
        "Company": pa.table({"id": [A], "founded_on": pa.array([founded], pa.date32())}),
        "KIN_OF": table("KIN_OF", "k", [{"src": a, "dst": b} for a, b in kin]),
        "CONTROLS": table("CONTROLS", "c", [{"src": a, "dst": b} for a, b in controls]),
    }


def found(*args, parameters=None, **more):
    return find_changed_control(tables(*args, **more), ControlChangedBeforeLoanParameters(**(parameters or {}))).to_pylist()


SOLD = [holding(P, end=30, last="run-9"), holding(Q, begin=30, first="run-9")]


def test_a_company_that_was_sold_a_month_before_its_loan_is_hit_with_all_rows_that_say_so():
    (hit,) = found(SOLD)
    assert (hit["entity_id"], hit["root"], hit["amount_fen"]) == (A, Q, 500)
    assert hit["evidence"] == ["h0", "old-h0", "b0"]
    assert hit["at"] == datetime(2024, 6, 1, 3, tzinfo=UTC)


def test_a_new_representative_is_told_too():
    rows = [holding(P, end=5, last="run-9"), holding(Q, begin=5, first="run-9")]
    (hit,) = found([], rows)
    assert (hit["root"], hit["evidence"]) == (Q, ["r0", "old-r0", "b0"])


def test_the_last_day_counts_and_what_came_after_the_loan_does_not():
    for before, expected in ((0, True), (90, True), (91, False), (-1, False)):
        rows = [holding(P, end=before, last="run-9"), holding(Q, begin=before, first="run-9")]
        assert bool(found(rows)) == expected
    assert found(SOLD, parameters={"within_days": 30})
    assert found(SOLD, parameters={"within_days": 29}) == []


def test_a_row_that_states_no_beginning_begins_where_the_run_that_wrote_it_ended_another():
    rows = [holding(P, end=30, last="run-9"), holding(Q, first="run-9")]
    assert found(rows)
    assert found([holding(P, end=30, last="run-9"), holding(Q, first="run-8")]) == []


def test_a_young_company_has_its_first_owners():
    assert found(SOLD, founded=day(30 + 179)) == []
    assert found(SOLD, founded=day(30 + 180))


def test_where_the_day_of_foundation_is_unknown_somebody_must_have_been_there_before():
    assert found(SOLD, founded=None)
    assert found(SOLD[1:], founded=None) == []
    assert found(SOLD[1:])


def test_who_had_the_majority_before_and_bought_more_is_not_new():
    assert found([holding(P, 60, end=30, last="run-9"), holding(P, 80, begin=30, first="run-9")]) == []


def test_half_is_no_majority_and_parts_of_one_source_add_up():
    half = [holding(P, 100, end=30, last="run-9"), holding(Q, 50, begin=30, first="run-9"), holding(R, 50, begin=30, first="run-9")]
    assert found(half) == []
    parts = [holding(Q, 30, begin=200), holding(Q, 30, begin=30)]
    assert [hit["root"] for hit in found(parts)] == [Q]
    assert found([holding(Q, 30, begin=200), holding(Q, 30, begin=30, source="other")]) == []


@pytest.mark.parametrize(
    "tie",
    [{"kin": [(P, Q)]}, {"kin": [(Q, P)]}, {"controls": [(P, Q)]}, {"controls": [(Q, P)]}],
    ids=["a son", "a father", "his own holding company", "her own holding company, dissolved"],
)
def test_who_belongs_to_those_before_is_no_stranger(tie):
    assert found(SOLD, **tie) == []


def test_an_owner_who_takes_the_office_himself_changes_nothing():
    owner = [holding(Q)]
    assert found(owner, [holding(P, end=5, last="run-9"), holding(Q, begin=5, first="run-9")]) == []
    assert found([holding(R)], [holding(P, end=5, last="run-9"), holding(Q, begin=5, first="run-9")])


def test_a_company_that_did_not_borrow_or_a_version_that_never_held_is_no_hit():
    assert found(SOLD, loans=[(H, LOAN)]) == []
    assert found([holding(P), holding(Q, begin=30, end=30, last="run-9")]) == []


def test_two_loans_in_time_are_one_finding():
    (hit,) = found(SOLD, loans=[(A, LOAN), (A, LOAN + timedelta(days=10)), (A, LOAN + timedelta(days=100))])
    assert (hit["amount_fen"], hit["evidence"][2:]) == (1_000, ["b0", "b1"])


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def put(lake, type_, *rows):
    lake.ensure(table_name(type_), columns(type_))
    full = pa.Table.from_pylist([{"digest": "d", "first_run": "run-0", **row} for row in rows], schema=columns(type_).to_pyarrow())
    lake.append(table_name(type_), lake.engine.arrow(full), "run-0")


def test_the_lake_tells_what_held_before(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    put(lake, schema.node("Company"), {"id": A, "founded_on": date(2010, 1, 1)})
    put(
        lake, schema.edge("BORROWED"), {"id": "b0", "src": A, "dst": "loan:x:1", "amount_fen": 5, "at": datetime(2024, 6, 1, 3, tzinfo=UTC)}
    )
    old = {"id": "h0", "src": P, "dst": A, "share_ppm": 1_000_000, "valid_to": day(30), "last_run": "run-9"}
    put(lake, schema.edge("HOLDS_SHARES"), old, {"id": "h1", "src": Q, "dst": A, "share_ppm": 900_000, "first_run": "run-9"})
    hits = evaluate((RULE,), Reading(Graph(lake, date(2024, 7, 1)))).to_pylist()
    assert [(hit["entity_id"], hit["root"], hit["evidence"]) for hit in hits] == [(A, Q, ["h1", "h0", "b0"])]


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_neither_the_order_of_rows_nor_leaving_out_others_changes_anything(engine, data):
    spans = st.sampled_from(((None, None), (60, None), (None, 30), (90, 30), (30, None)))
    rows = st.builds(
        lambda party, share, span, run, company: holding(
            party, share, *span, first=run, last="run-9" if span[1] else None, company=company
        ),
        st.sampled_from((P, Q)),
        st.sampled_from((40, 60)),
        spans,
        st.sampled_from(("run-0", "run-9")),
        st.sampled_from((A, H)),
    )
    known = tables(data.draw(st.lists(rows, max_size=5)), data.draw(st.lists(rows, max_size=4)))
    narrow, whole = narrowed_and_whole(RULE, engine, known)
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_changed_control(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@pytest.mark.parametrize("wrong", [{"within_days": -1}, {"min_age_days": -1}], ids=str)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        ControlChangedBeforeLoanParameters(**wrong)
