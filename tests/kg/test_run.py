"""Runs: the lock, ids, records."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from kg.errors import KgfraudError, UsageError
from kg.run import RunRecord, Runs


def record(run_id):
    return RunRecord(run_id, date(2024, 1, 31), "s", "c", "0.1.0+x", "d", {"graph/Company": 3}, ({"source": "a", "rows": 2},))


def test_a_record_reads_back_as_it_was_written(tmp_path):
    runs = Runs(tmp_path)
    runs.commit(record("20240131T020000Z"))
    assert runs.last() == record("20240131T020000Z")
    assert runs.record("last").tables == {"graph/Company": 3}


def test_ids_sort_in_the_order_of_the_runs_even_when_the_clock_goes_back(tmp_path):
    runs = Runs(tmp_path)
    runs.commit(record("20240131T020000Z"))
    assert runs.new_id(datetime(2024, 1, 30, tzinfo=UTC)) == "20240131T020001Z"
    assert runs.new_id(datetime(2024, 2, 1, tzinfo=UTC)) == "20240201T000000Z"


def test_an_unknown_run_is_refused_with_the_nearest_one(tmp_path):
    runs = Runs(tmp_path)
    with pytest.raises(KgfraudError, match="no run was committed yet; run kgfraud run first"):
        runs.record("last")
    runs.commit(record("20240131T020000Z"))
    with pytest.raises(UsageError, match="did you mean '20240131T020000Z'"):
        runs.record("20240131T020001Z")


def test_a_run_that_began_and_was_not_committed_is_found_and_forgotten(tmp_path):
    runs = Runs(tmp_path)
    runs.begin("20240131T020000Z")
    assert runs.begun() == ["20240131T020000Z"]
    runs.forget(runs.begun())
    assert runs.begun() == []


def test_one_workspace_takes_one_run_at_a_time_and_the_lock_dies_with_its_process(tmp_path):
    code = f"import sys; sys.path[:0] = {sys.path!r}; from kg.run import Runs; from pathlib import Path; import time\n" + (
        f"with Runs(Path({str(tmp_path)!r})).lock(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(KgfraudError, match=f"process {other.pid}"), Runs(tmp_path).lock():
            pass
        other.kill()
        other.wait()
    with Runs(tmp_path).lock():
        pass
