"""The lake: versions, the way back, and old versions that stay readable."""

from __future__ import annotations

import json
import os
import time

import ibis
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from kg.engine import Engine
from kg.errors import KgfraudError
from kg.lake import CONFIGURATION, Lake

SCHEMA = ibis.schema({"k": "string", "at": "timestamp(6)", "valid_to": "date", "last_run": "string"})


@pytest.fixture
def engine(tmp_path):
    with Engine(tmp_path / "spill") as engine:
        yield engine


def add(lake, *keys, run="r"):
    at = pa.array([1_600_000_000_123_456] * len(keys), pa.timestamp("us"))
    nulls = pa.array([None] * len(keys))
    table = pa.table({"k": list(keys), "at": at, "valid_to": nulls.cast(pa.date32()), "last_run": nulls.cast(pa.string())})
    return lake.append("graph/X", lake.engine.arrow(table), run)


def keys(lake):
    return sorted(lake.engine.table(lake.view("graph/X"))["k"].to_pylist())


def test_a_table_is_read_at_its_pin_while_newer_versions_exist(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "a")
    pins = lake.versions
    add(lake, "b")
    assert keys(Lake(tmp_path / "lake", engine, pins)) == ["a"]
    assert keys(lake) == ["a", "b"]


def test_nothing_to_append_makes_no_version(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    assert add(lake) == 0
    assert lake.versions == {"graph/X": 0}


def test_a_table_holds_something_from_its_first_row_on_and_for_ever_as_it_is_read(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    assert not lake.holds("graph/X")
    lake.ensure("graph/X", SCHEMA)
    before = lake.versions
    assert (lake.has("graph/X"), lake.holds("graph/X")) == (True, False)
    add(lake, "a")
    assert lake.holds("graph/X")
    assert lake.without(["graph/Y"]).holds("graph/X")
    assert not Lake(tmp_path / "lake", engine, before).holds("graph/X")
    over = Lake(tmp_path / "over", engine, base=lake)
    assert (over.holds("graph/X"), over.holds("graph/Y")) == (True, False)
    lake.close("graph/X", engine.arrow(pa.table({"k": ["a"], "valid_to": pa.array([0], pa.date32())})), ["k"], "r2")
    assert engine.count(lake.view("graph/X").filter(lake.view("graph/X").last_run.isnull())) == 0
    assert lake.holds("graph/X")
    after = Lake(tmp_path / "lake", engine, before)
    after.restore()
    assert not after.holds("graph/X")
    add(after, "b")
    assert (after.holds("graph/X"), keys(after)) == (True, ["b"])


def test_what_a_dead_run_left_ahead_is_taken_back(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "a")
    pins = lake.versions
    add(lake, "b")
    lake.ensure("graph/Y", SCHEMA)
    after = Lake(tmp_path / "lake", engine, pins)
    assert after.restore() == ["graph/X", "graph/Y"]
    assert keys(after) == ["a"]
    assert after.names() == ["graph/X"]
    again = Lake(tmp_path / "lake", engine, pins)
    again.restore()
    assert keys(again) == ["a"]


def test_a_table_of_before_gets_a_new_column_and_is_taken_back_with_the_run_that_died(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "a")
    pins, wider = lake.versions, ibis.schema({**SCHEMA, "why": "string"})
    lake.widen("graph/X", wider, "r")
    rows = engine.table(lake.view("graph/X"))
    assert (rows["k"].to_pylist(), rows["why"].to_pylist()) == (["a"], [None])
    lake.close("graph/X", engine.arrow(rows.select(["k", "valid_to"]).append_column("why", pa.array(["so"]))), ["k"], "s")
    closed = engine.table(lake.view("graph/X"))
    assert (closed["why"].to_pylist(), closed["last_run"].to_pylist()) == (["so"], ["s"])
    version = lake.versions
    lake.widen("graph/X", wider, "r")
    assert lake.versions == version
    assert DeltaTable(tmp_path / "lake/graph/X").metadata().configuration == CONFIGURATION
    after = Lake(tmp_path / "lake", engine, pins)
    assert after.restore() == ["graph/X"]
    assert (keys(after), "why" in after.view("graph/X").columns) == (["a"], False)


def test_times_are_kept_to_the_microsecond_and_marked_as_utc_on_the_disk(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "a")
    on_disk = DeltaTable(tmp_path / "lake/graph/X").to_pyarrow_table()
    assert on_disk.schema.field("at").type == pa.timestamp("us", "UTC")
    assert on_disk["at"].cast(pa.int64()).to_pylist() == [1_600_000_000_123_456]
    assert engine.table(lake.view("graph/X"))["at"].type == pa.timestamp("us")


def test_an_unknown_table_is_named(tmp_path, engine):
    with pytest.raises(KgfraudError, match="no table graph/Nope"):
        Lake(tmp_path, engine).view("graph/Nope")


def test_a_version_is_still_there_after_forty_days_and_a_checkpoint_which_is_when_old_entries_go(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "first")
    pins = lake.versions
    age(tmp_path / "lake/graph/X/_delta_log", days=40)
    for number in range(110):
        add(lake, f"k{number:03d}")
    assert (tmp_path / "lake/graph/X/_delta_log/_last_checkpoint").exists()
    assert keys(Lake(tmp_path / "lake", engine, pins)) == ["first"]
    assert len(keys(lake)) == 111


def age(log, days):
    """Make a table's log look as if it had been written some days ago, in its files' times and in its entries."""
    past = time.time() - days * 86_400
    for entry in log.glob("*.json"):
        lines = [json.loads(line) for line in entry.read_text().splitlines()]
        for line in lines:
            if "commitInfo" in line:
                line["commitInfo"]["timestamp"] = int(past * 1000)
        entry.write_text("\n".join(json.dumps(line) for line in lines))
        os.utime(entry, (past, past))


def test_pruning_keeps_the_versions_that_are_named_and_frees_the_others(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "a")
    closes = engine.arrow(pa.table({"k": ["a"], "valid_to": pa.array([19000], pa.date32())}))
    lake.close("graph/X", closes, ["k"], "r2")
    first, second = 1, lake.versions["graph/X"]
    assert lake.prune({"graph/X": {first, second}}) == 0
    assert keys(Lake(tmp_path / "lake", engine, {"graph/X": first})) == ["a"]
    assert lake.prune({"graph/X": {second}}) > 0
    assert keys(lake) == ["a"]
    files = sorted((tmp_path / "lake").rglob("*"))
    assert lake.prune({"graph/X": {second}}) == 0
    assert sorted((tmp_path / "lake").rglob("*")) == files


def test_what_this_lake_wrote_itself_is_taken_back_too(tmp_path, engine):
    lake = Lake(tmp_path / "lake", engine)
    lake.ensure("graph/X", SCHEMA)
    add(lake, "a")
    again = Lake(tmp_path / "lake", engine, lake.versions)
    add(again, "b")
    again.ensure("graph/Y", SCHEMA)
    assert again.restore() == ["graph/X", "graph/Y"]
    assert keys(again) == ["a"]
    assert again.names() == ["graph/X"]
