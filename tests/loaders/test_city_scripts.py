"""The scripts that measure a city, run as a person runs them."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from loaders.city import Params, build, write
from loaders.city.describe import describe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("city")
    write(build(Params(companies=240, days=60)), made, "parquet")
    return made


@pytest.fixture
def run(monkeypatch, capsys):
    """Return how a script is run: by its name, with the words behind it; what it prints comes back."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))

    def ran(script: str, *words: str) -> str:
        monkeypatch.setattr(sys, "argv", [script, *words])
        runpy.run_path(str(ROOT / "scripts" / script), run_name="__main__")
        return capsys.readouterr().out

    return ran


def test_realism_is_measured_from_the_files_and_shown_on_the_page(run, folder):
    assert "employees" in run("city_realism.py", "--folder", str(folder), "--real", str(folder / "nowhere"))
    noted = json.loads((folder / "truth" / "realism.json").read_text(encoding="utf-8"))
    assert {one["what"]: one["published"] for one in noted["tails"]}["employees"] == [1.0, 1.12]
    finbench = {one["what"]: one["finbench"] for one in noted["holdings"]}
    # the strong component of FinBench's shareholdings that others counted
    assert finbench["largest group that holds itself"] == 457
    describe(folder, folder / "city.html")
    assert "Axtell 2001" in (folder / "city.html").read_text(encoding="utf-8")


def test_realism_stands_beside_the_real_invoices_where_they_are(run, folder):
    real = ROOT.parent / "shared" / "data" / "sme_invoices"
    if not (real / "invoices.parquet").exists():
        pytest.skip("sme_invoices may not be copied and is not at hand in ../shared/data")
    run("city_realism.py", "--folder", str(folder), "--real", str(real))
    noted = json.loads((folder / "truth" / "realism.json").read_text(encoding="utf-8"))
    assert all(one["real"] is not None for one in noted["invoices"])
    describe(folder, folder / "city.html")
    assert "425 real firms" in (folder / "city.html").read_text(encoding="utf-8")


def test_hardness_is_measured_from_the_files(run, folder):
    run("city_hardness.py", "--folder", str(folder))
    noted = json.loads((folder / "truth" / "hardness.json").read_text(encoding="utf-8"))
    assert {"partners out", "shared address"} <= noted["columns"].keys()
    assert all(0 <= value <= 1 for value in noted["columns"].values())
