"""The scripts that measure a city, run as a person runs them."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize("exponent", [1.0, 1.35])
def test_the_exponent_of_a_drawn_law_is_found_again_and_that_of_a_body_is_not_taken_for_it(monkeypatch, exponent):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    fitted = importlib.import_module("city_tails").fitted
    rng = np.random.default_rng(1)
    law = (1 - rng.random(6_000)) ** (-1 / exponent)
    whole = np.floor(5.5 * law + 0.5)
    found = fitted(whole, whole=True)
    assert found.exponent == pytest.approx(exponent, abs=0.05)
    assert found == fitted(*np.unique(whole, return_counts=True), whole=True)
    bent = fitted(np.concatenate([rng.uniform(1, 20, 6_000), 20 * law]))
    assert bent.exponent == pytest.approx(exponent, abs=0.05)
    assert bent.threshold > 15


def test_hardness_is_measured_from_the_files(run, folder):
    run("city_hardness.py", "--folder", str(folder))
    noted = json.loads((folder / "truth" / "hardness.json").read_text(encoding="utf-8"))
    assert {"partners out", "shared address"} <= noted["columns"].keys()
    assert all(0 <= value <= 1 for value in noted["columns"].values())


@pytest.mark.soak
@pytest.mark.parametrize("seed", [21, 22])
def test_a_large_city_keeps_its_tails_within_the_published_ranges_and_its_hardness(run, tmp_path, seed):
    write(build(Params(companies=20_000, days=365, seed=seed)), tmp_path, "parquet")
    run("city_realism.py", "--folder", str(tmp_path), "--real", str(tmp_path / "nowhere"))
    for one in json.loads((tmp_path / "truth" / "realism.json").read_text(encoding="utf-8"))["tails"]:
        if one["published"]:
            low, high = one["published"]
            assert low - one["error"] <= one["exponent"] <= high + one["error"], one["what"]
    run("city_hardness.py", "--folder", str(tmp_path))
    noted = json.loads((tmp_path / "truth" / "hardness.json").read_text(encoding="utf-8"))
    assert [one["what"] for one in noted["measures"] if not one["met"]] == []
