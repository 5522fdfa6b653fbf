"""Versions of rows, held against an independent account kept in plain dictionaries."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import history
from kg.engine import Engine
from kg.history import Moment, compare, digest, open_at, update
from kg.lake import Lake

DAY = date(2024, 1, 1)
ZONE = "Asia/Shanghai"


@pytest.fixture
def lake(tmp_path):
    with Engine(tmp_path / "spill") as engine:
        yield Lake(tmp_path / "lake", engine)


def rows(engine, content, since=None):
    table = pa.table(
        {
            "k": pa.array(list(content), pa.string()),
            "v": pa.array(list(content.values()), pa.int64()),
            "valid_from": pa.array([(since or {}).get(k) for k in content], pa.date32()),
            "valid_to": pa.array([None] * len(content), pa.date32()),
        }
    )
    given_ = engine.arrow(table)
    return given_.mutate(digest=digest(given_, ["v", "valid_from"]))


def night(lake, number, content, *, complete=True, since=None):
    moment = Moment(DAY + timedelta(days=number), f"run{number:03d}")
    return update(lake, "t", rows(lake.engine, content, since), ["k"], moment, complete=complete)


def stored(lake):
    return lake.engine.table(lake.view("t")).to_pylist()


def test_the_first_version_of_a_row_has_the_day_that_the_source_states(lake):
    night(lake, 0, {"a": 1, "b": 2}, since={"a": date(2020, 5, 6)})
    assert {r["k"]: r["valid_from"] for r in stored(lake)} == {"a": date(2020, 5, 6), "b": None}


def test_the_same_delivery_again_writes_no_new_version(lake):
    night(lake, 0, {"a": 1, "b": 2})
    before = lake.versions
    assert not night(lake, 1, {"b": 2, "a": 1})
    assert lake.versions == before


def test_a_changed_row_is_closed_and_goes_on_from_the_day_of_the_change(lake):
    night(lake, 0, {"a": 1})
    written = night(lake, 3, {"a": 2})
    assert (written.inserted, written.closed) == (1, 1)
    old, new = sorted(stored(lake), key=lambda r: r["first_run"])
    assert (old["v"], old["valid_to"], old["last_run"]) == (1, DAY + timedelta(days=3), "run003")
    assert (new["v"], new["valid_from"], new["valid_to"], new["last_run"]) == (2, DAY + timedelta(days=3), None, None)


def test_a_row_that_comes_back_is_a_new_row_from_the_day_it_came_back(lake):
    night(lake, 0, {"a": 1})
    night(lake, 1, {})
    night(lake, 2, {"a": 1}, since={"a": date(2001, 1, 1)})
    spans = sorted((r["valid_from"] or date.min, r["valid_to"]) for r in stored(lake))
    assert spans == [(date.min, DAY + timedelta(days=1)), (DAY + timedelta(days=2), None)]


def test_an_incomplete_delivery_closes_only_what_it_replaces(lake):
    night(lake, 0, {"a": 1, "b": 2})
    written = night(lake, 1, {"b": 3}, complete=False)
    assert (written.inserted, written.closed) == (1, 1)
    assert {r["k"]: r["v"] for r in stored(lake) if r["last_run"] is None} == {"a": 1, "b": 3}


def test_a_key_whose_new_version_was_refused_stays_as_it_is(lake):
    night(lake, 0, {"a": 1, "b": 2, "c": 3})
    keep = lake.engine.arrow(pa.table({"k": ["b"]}))
    changes = compare(lake.view("t"), rows(lake.engine, {"a": 1}), ["k"], Moment(DAY, "run1"), complete=True, keep=keep)
    assert lake.engine.table(changes.closes)["k"].to_pylist() == ["c"]


def test_sources_that_share_a_table_do_not_close_one_another_s_rows(lake):
    def deliver(source, number, content):
        incoming = rows(lake.engine, content).mutate(source=ibis.literal(source))
        moment = Moment(DAY, f"run{number}")
        return update(lake, "t", incoming, ["source", "k"], moment, source=source)

    deliver("x", 1, {"a": 1})
    deliver("y", 2, {"b": 1})
    assert not deliver("x", 3, {"a": 1})
    assert {(r["source"], r["k"]) for r in stored(lake) if r["last_run"] is None} == {("x", "a"), ("y", "b")}


contents = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(contents, st.booleans()), min_size=1, max_size=6))
def test_any_sequence_of_nights_gives_the_versions_that_a_plain_account_gives(tmp_path_factory, nights):
    folder = tmp_path_factory.mktemp("lake")
    account: list[dict] = []
    with Engine(folder / "spill") as engine:
        lake = Lake(folder / "lake", engine)
        for number, (content, complete) in enumerate(nights):
            night(lake, number, content, complete=complete)
            keep_account(account, number, content, complete)
        found = sorted((r["k"], r["v"], r["first_run"], r["last_run"] or "", r["valid_to"]) for r in stored(lake))
    assert found == sorted((r["k"], r["v"], r["first_run"], r["last_run"] or "", r["valid_to"]) for r in account)


def keep_account(account, number, content, complete):
    run, day = f"run{number:03d}", DAY + timedelta(days=number)
    current = {r["k"]: r for r in account if r["last_run"] is None}
    for key, row in current.items():
        if (key in content and content[key] != row["v"]) or (complete and key not in content):
            row["last_run"], row["valid_to"] = run, day
    for key, value in content.items():
        if key not in current or current[key]["v"] != value:
            account.append({"k": key, "v": value, "first_run": run, "last_run": None, "valid_to": None})


def test_rows_with_different_content_never_read_the_same(tmp_path):
    with Engine(tmp_path) as engine:
        pairs = [("a", "bc"), ("ab", "c"), (None, "abc"), ("", "abc"), ("abc", None), ("abc", ""), ("-;", "abc"), (None, None)]
        table = engine.arrow(pa.table({"x": [p[0] for p in pairs], "y": [p[1] for p in pairs]}))
        digests = engine.table(table.select(d=digest(table, ["x", "y"])))["d"].to_pylist()
    assert len(set(digests)) == len(pairs)


def test_rows_hold_from_their_first_day_up_to_but_not_on_their_last(tmp_path):
    with Engine(tmp_path) as engine:
        table = engine.arrow(
            pa.table(
                {
                    "k": ["open", "begins", "ends", "over", "closed"],
                    "valid_from": pa.array([None, DAY, None, None, None], pa.date32()),
                    "valid_to": pa.array([None, None, DAY + timedelta(days=1), DAY, None], pa.date32()),
                    "last_run": pa.array([None, None, None, None, "run1"], pa.string()),
                }
            )
        )
        assert sorted(engine.table(open_at(table, DAY, ZONE))["k"].to_pylist()) == ["begins", "ends", "open"]
        assert sorted(engine.table(open_at(table, DAY - timedelta(days=1), ZONE))["k"].to_pylist()) == ["ends", "open", "over"]


def test_an_event_holds_once_its_day_has_come_in_the_bank_s_zone(tmp_path):
    # 2024-01-01 24:00 in Shanghai is 16:00 UTC
    moments = {"last second": datetime(2024, 1, 1, 15, 59, 59), "next day": datetime(2024, 1, 1, 16, 0, 0)}
    nulls = pa.nulls(2)
    with Engine(tmp_path) as engine:
        table = engine.arrow(
            pa.table(
                {
                    "k": list(moments),
                    "at": pa.array(list(moments.values()), pa.timestamp("us")),
                    "valid_from": nulls.cast(pa.date32()),
                    "valid_to": nulls.cast(pa.date32()),
                    "last_run": nulls.cast(pa.string()),
                }
            )
        )
        assert engine.table(open_at(table, DAY, ZONE))["k"].to_pylist() == ["last second"]


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_every_step_compiles_for_both_engines(dialect):
    table = ibis.table({"k": "string", "at": "timestamp(6)", "b": "boolean", **history.VERSION_SCHEMA}, name="stored")
    incoming = ibis.table(
        {"k": "string", "at": "timestamp(6)", "b": "boolean", "digest": "string", "valid_from": "date", "valid_to": "date"}, name="new"
    )
    changes = compare(table, incoming, ["k"], Moment(DAY, "run1"), complete=True, keep=incoming.select("k"))
    for expr in (changes.inserts, changes.closes, open_at(table, DAY, ZONE), table.select(d=digest(table, ["k", "at", "b"]))):
        assert ibis.to_sql(expr, dialect=dialect)
