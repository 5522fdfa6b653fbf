"""What a store lacks of a run, told by the lake's versions: rows to write, to change in place, and to remove."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kg import history, schema
from kg.engine import Engine
from kg.graph import columns, table_name
from kg.history import Moment, Since
from kg.lake import Lake
from kg.publishing import Publication

ZONE = "Asia/Shanghai"
FIRST, NEXT = date(2024, 3, 1), date(2024, 3, 2)
HOLDS, PAID_TO = schema.edge("HOLDS_SHARES"), schema.edge("TRANSFERRED_TO")

ends = st.sampled_from(["company:b:1", "company:b:2", "company:b:3"])
days = st.none() | st.integers(-2, 4).map(lambda n: FIRST + timedelta(days=n))
holding = st.fixed_dictionaries({"src": ends, "dst": ends, "share_ppm": st.integers(0, 2), "valid_from": days, "valid_to": days})
moments = st.none() | st.integers(-60, 100).map(lambda hours: datetime(2024, 3, 1) + timedelta(hours=hours))
transfer = st.fixed_dictionaries({"src": ends, "dst": ends, "amount_fen": st.integers(0, 2), "at": moments})
ids = st.sampled_from(["r1", "r2", "r3", "r4"])


def nights(row):
    """Nights, each the number of days that have gone by, and the rows that were delivered."""
    return st.lists(st.tuples(st.integers(0, 2), st.dictionaries(ids, row, max_size=4)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


class Store:
    """A store of one type in memory that refuses what a Neo4j would have to look for."""

    def __init__(self):
        self.rows = {}

    def apply(self, changes):
        for change in changes:
            for batch in change.deletes():
                for id_ in batch.to_pylist():
                    self.rows.pop(id_, None)
            for row in (row for batch in change.updates() for row in batch.to_pylist()):
                there = self.rows[row["id"]]
                assert (there["src"], there["dst"]) == (row["src"], row["dst"])
                self.rows[row["id"]] = row
            for row in (row for batch in change.upserts() for row in batch.to_pylist()):
                assert row["id"] not in self.rows
                self.rows[row["id"]] = row


def told(lake, type_, number, as_of, rows):
    """Bring the lake to what a night delivered, and say which run it was."""
    run_id = f"2024030{number}T000000Z"
    name = table_name(type_)
    lake.ensure(name, columns(type_))
    arrow = pa.Table.from_pylist([{"id": id_, **row} for id_, row in rows.items()], schema=columns(type_).to_pyarrow())
    given_ = lake.engine.arrow(arrow).drop("first_run", "last_run", "digest")
    content = [c for c in given_.columns if c not in ("id", "record_id", "source")]
    history.update(lake, name, given_.mutate(digest=history.digest(given_, content)), ["id"], Moment(as_of, run_id), computed=True)
    return Since(run_id, as_of, lake.versions)


def published(engine, folder, type_, delivered, days):
    """Publish each night by difference, and hold the store against all that it should hold."""
    lake, store, held, as_of = Lake(folder, engine), Store(), None, FIRST
    for number, (gone_by, rows) in enumerate(delivered, 1):
        as_of += timedelta(days=gone_by)
        now = told(lake, type_, number, as_of, rows)
        wanted = Publication(lake, as_of, ZONE, days)
        store.apply(wanted.since(held))
        held = now
        every = {row["id"]: row for batch in wanted.sorted_rows(type_) for row in batch.to_pylist()}
        assert store.rows == every


ENDED = {"src": "company:b:1", "dst": "company:b:1", "share_ppm": 0, "valid_from": None, "valid_to": FIRST}
OPEN = {**ENDED, "valid_to": None}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([(0, {"r1": ENDED}), (0, {"r1": OPEN})])
@example([(0, {"r1": OPEN}), (0, {"r1": ENDED}), (1, {"r1": OPEN})])
@given(nights(holding))
def test_a_store_brought_from_night_to_night_holds_what_it_should_and_is_never_told_to_write_what_is_there(
    tmp_path_factory, engine, delivered
):
    published(engine, tmp_path_factory.mktemp("lake"), HOLDS, delivered, 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nights(transfer), st.integers(0, 3))
def test_transfers_come_into_the_window_and_leave_it(tmp_path_factory, engine, delivered, days):
    published(engine, tmp_path_factory.mktemp("lake"), PAID_TO, delivered, days)


def test_what_changed_in_its_properties_alone_is_changed_in_place_and_what_moved_is_written_anew(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    row = {"src": "company:b:1", "dst": "company:b:2", "share_ppm": 1}
    held = told(lake, HOLDS, 1, FIRST, {"same": row, "changed": row, "moved": row, "gone": row})
    told(lake, HOLDS, 2, NEXT, {"same": row, "changed": {**row, "share_ppm": 2}, "moved": {**row, "src": "company:b:3"}, "new": row})
    (change,) = Publication(lake, NEXT, ZONE).since(held)
    assert [r["id"] for batch in change.updates() for r in batch.to_pylist()] == ["changed"]
    assert {r["id"] for batch in change.upserts() for r in batch.to_pylist()} == {"moved", "new"}
    assert {id_ for batch in change.deletes() for id_ in batch.to_pylist()} == {"moved", "gone"}
