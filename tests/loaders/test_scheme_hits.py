"""The script that holds the rules against the truth of a city: what it counts, and that its graph is the night's."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from kg.rules import RULES
from loaders.city import Params

ROOT = Path(__file__).parents[2]
SMALL = Params(companies=300, days=60)


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield importlib.import_module("scheme_hits")  # scripts are no package
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def city(script):
    names = ("guarantee_circle", "guarantees_serve_one", "loan_return", "loan_return_split")
    return script.judged(SMALL, [rule for rule in RULES if rule.name in names])


def test_an_interval_is_wilsons(script):
    # Brown, Cai and DasGupta 2001, formula 4, by hand for 9 of 10
    low, high = script.Part(9, 10).interval()
    assert (round(low, 4), round(high, 4)) == (0.5958, 0.9821)
    assert script.Part(0, 10).interval()[0] == 0
    assert script.Part(10, 10).interval()[1] == pytest.approx(1)


def test_each_planted_case_is_counted_once(script, city):
    planted = sum(city.hit(kind).of for kind in script.MEANT)
    assert planted == len(city.cases) > 0
    assert all(city.hit(kind, usual=True).of <= city.hit(kind).of for kind in script.MEANT)


def test_the_guilty_are_never_a_false_hit(city):
    guilty = {company for case in city.cases for company in case.companies}
    assert guilty
    assert guilty.isdisjoint(city.honest)
    assert len(guilty | set(city.honest)) == 300


def test_circles_of_guarantees_are_hit_and_associations_beside_them(script, city):
    assert city.hit("guarantee_circle") == script.Part(2, 2)
    assert city.false(("guarantee_circle",)).found > 0  # a trade association's circle looks the same


def test_the_table_is_printed(script, monkeypatch, capsys):
    words = ["--companies", "300", "--days", "60", "--seeds", "1", "--rules", "guarantees_serve_one", "loan_return_split", "--missed"]
    monkeypatch.setattr(sys, "argv", ["scheme_hits.py", *words])
    script.main()
    told = capsys.readouterr().out
    assert "guarantee_circle      2/2" in told
    assert "missed loan_return" in told
