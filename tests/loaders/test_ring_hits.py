"""The script that holds rings against the truth of a city: what it counts as found, as right and as innocent."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from loaders.city import Params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield importlib.import_module("ring_hits")  # scripts are no package
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_a_ring_is_a_planted_one_where_half_of_all_members_are_of_both(script):
    city = script.Judged(1, ["abcd", "xy"], ["ghi"], ["abce", "ab", "pqr", "gh"], set("abcdxyghi"), set("pqab"))
    assert (city.found().found, city.found().of) == (1, 2)
    assert (city.right().found, city.right().of) == (3, 4)  # a loan that came back is right, and not asked for
    assert (city.innocent().found, city.innocent().of) == (1, 4)
    assert city.of_lookalikes() == 1


def test_a_city_is_judged_by_its_truth_and_the_table_is_printed(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ring_hits.py", "--companies", "600", "--days", "120", "--seeds", "2"])
    script.main()
    told = capsys.readouterr().out
    assert "camouflage 50" in told
    assert len(script.judged(Params(companies=600, days=120, seed=2)).planted) >= 2
