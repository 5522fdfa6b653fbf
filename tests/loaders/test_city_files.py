"""The files of a generated city as they really come: spoilt rows, late ones, those that come again; and as they are read."""

from __future__ import annotations

import shutil
from collections import Counter

import pyarrow.parquet as pq
import pytest

from kg.cli.common import packs_folder
from kg.cli.init import make
from kg.config import Workspace
from kg.pipeline import check_sources, run_pipeline
from kg.progress import Silent
from loaders.city import Params, build, sources, write
from loaders.city.dirt import FAULTS
from loaders.sources import KINDS

#: A bank whose files are read within seconds.
SHORT = {"companies": 240, "days": 32}


def bank(folder, city, kept=None):
    """Write a city into a workspace that reads all of it, or the kinds named; return the workspace and what was planted."""
    workspace = make(folder)
    write(city, folder)
    head, *tables = sources(city).split("[[sources]]")
    tables = [table for table in tables if kept is None or table.split('"')[1].removeprefix("city.") in kept]
    with workspace.toml.open("a", encoding="utf-8") as file:
        file.write("[[sources]]".join([head, *tables]))
    return workspace, pq.read_table(folder / "truth" / "dirt.parquet").to_pylist()


def refused(found):
    """Return how many rows were refused of each kind."""
    return {entry["source"].removeprefix("city."): entry["quarantined"] for entry in found.sources if entry["quarantined"]}


def test_a_city_loads_without_a_row_refused(tmp_path):
    city = build(Params(**SHORT, seed=5))  # so small a town may have nobody who acts in concert
    workspace = make(tmp_path / "bank")
    rows = write(city, workspace.root)
    with workspace.toml.open("a", encoding="utf-8") as file:
        file.write(sources(city))
    found = check_sources(Workspace.open(workspace.root, packs=packs_folder()), Silent())
    assert found.stopped is None
    assert {entry["source"].removeprefix("city."): entry["accepted"] for entry in found.sources} == rows
    assert refused(found) == {}
    # default, court and discovery take longer than these days
    assert all(rows[kind.name] > 0 for kind in KINDS if kind.name not in ("cases", "court_cases"))


#: What is spoilt, and what that leads to.
SPOILT = {*(fault.kind for fault in FAULTS), "accounts", "loans"}


@pytest.mark.parametrize(
    ("seed", "rate", "kept"),
    [
        (5, 500_000, SPOILT),
        pytest.param(5, 500_000, None, marks=pytest.mark.soak),
        pytest.param(1, 100_000, None, marks=pytest.mark.soak),
        pytest.param(2, 5_000, None, marks=pytest.mark.soak),
    ],
)
def test_exactly_the_planted_bad_rows_are_refused_at_any_rate(tmp_path, seed, rate, kept):
    workspace, planted = bank(tmp_path / "bank", build(Params(**SHORT, seed=seed, dirt_ppm=rate)), kept)
    assert rate < 500_000 or {mark["fault"] for mark in planted} == {fault.name for fault in FAULTS}
    found = check_sources(Workspace.open(workspace.root, packs=packs_folder()), Silent())
    assert refused(found) == Counter(mark["kind"] for mark in planted if mark["refused"])


def test_kinds_without_faults_are_written_as_in_a_clean_city(tmp_path):
    for name, rate in (("clean", 0), ("spoilt", 500_000)):
        write(build(Params(**SHORT, dirt_ppm=rate)), tmp_path / name)
    kinds = Counter()
    for path in (tmp_path / "clean" / "landing").rglob("*.csv"):
        again = tmp_path / "spoilt" / path.relative_to(tmp_path / "clean")
        kinds[path.stem.split("-")[0], again.exists() and again.read_bytes() == path.read_bytes()] += 1
    assert {kind for kind, same in kinds if not same} == {fault.kind for fault in FAULTS}


def test_a_row_that_comes_again_is_refused_within_a_delivery_and_in_a_later_one_only_where_it_says_something_else(tmp_path):
    """The files are read in two nights; those of the kinds that neither come again nor are referred to are left out."""
    city = build(Params(**SHORT, dirt_ppm=100_000))
    kept = {"companies", "persons", "accounts", "loans", "transfers", "loan_flows", "invoices"}
    workspace, planted = bank(tmp_path / "bank", city, kept)
    landing, later, cut = tmp_path / "bank" / "landing", tmp_path / "later", city.params.day(13)
    for path in landing.glob("*/*.csv"):
        if path.stem[-8:] >= f"{cut:%Y%m%d}":
            (later / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.move(path, later / path.parent.name / path.name)
    opened = Workspace.open(workspace.root, packs=packs_folder())
    planted = [mark for mark in planted if mark["kind"] in kept]
    first = [mark for mark in planted if mark["delivered_on"] is None or mark["delivered_on"] < cut]
    assert refused(run_pipeline(opened, only="load")) == Counter(mark["kind"] for mark in first if mark["refused"])
    shutil.copytree(later, landing, dirs_exist_ok=True)
    across = [mark["due_on"] is not None and mark["due_on"] < cut <= mark["delivered_on"] for mark in planted]
    expected = [mark["kind"] for mark, two in zip(planted, across, strict=True) if mark["refused_by_day" if two else "refused"]]
    found = run_pipeline(opened, only="load")
    assert refused(found) == Counter(expected)
    again = [mark for mark, two in zip(planted, across, strict=True) if two and mark["fault"] == "delivered again later"]
    unchanged = {entry["source"]: entry["unchanged"] for entry in found.sources}
    assert unchanged["city.transfers"] == len(again) > 0


def test_late_rows_and_those_that_come_again_stand_in_the_files_of_later_days(tmp_path):
    city = build(Params(**SHORT, dirt_ppm=100_000))
    write(city, tmp_path, "parquet")
    marks = pq.read_table(tmp_path / "truth" / "dirt.parquet").to_pylist()
    assert {mark["fault"] for mark in marks if mark["due_on"] != mark["delivered_on"]} == {
        "late",
        "delivered again later",
        "corrected amount",
    }

    def records(kind, day):
        path = tmp_path / "landing" / kind / f"{kind}-{day:%Y%m%d}.parquet"
        return pq.read_table(path).column(0).to_pylist() if path.exists() else []

    for mark in marks:
        if mark["due_on"] != mark["delivered_on"]:
            assert mark["delivered_on"] > mark["due_on"]
            assert mark["record"] in records(mark["kind"], mark["delivered_on"])
            assert (mark["record"] in records(mark["kind"], mark["due_on"])) == (mark["fault"] != "late")
    transfers = pq.read_table(tmp_path / "landing" / "transfers").column(0).to_pylist()
    assert set(transfers) == {f"T{place:011}" for place in range(len(city.ledger.flows))}
