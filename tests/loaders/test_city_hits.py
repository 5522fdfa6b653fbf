"""The script that judges large cities seed by seed: what it keeps is what it found, and is found once; and what it must find in the end."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path

import pytest

from kg.rule import choose
from kg.rules import RULES
from loaders.city import Params

ROOT = Path(__file__).parents[2]
SMALL = Params(companies=300, days=60)
SOME = [choose(RULES, name) for name in ("payment_ring", "guarantees_serve_one")]
#: None of these seeds was looked at when rules were made.
SEEDS = range(11, 21)
#: Schemes of which nine cases in ten are hit.
FOUND = ("loan_return", "scatter_gather", "many_lenders", "guarantee_circle")


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield importlib.import_module("city_hits")  # scripts are no package
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hits")


@pytest.fixture(scope="module")
def city(script, folder):
    return script.kept(folder, SMALL, SOME)


def test_what_is_kept_of_a_city_is_what_the_other_scripts_find(script, city):
    schemes = script.scheme_hits.judged(SMALL, SOME)
    assert city.schemes == dataclasses.replace(schemes, seconds=city.schemes.seconds)
    assert city.rings == script.ring_hits.judged(SMALL)


def test_a_longer_city_is_looked_at_every_half_year_and_what_any_look_finds_is_found(script):
    longer, rules = dataclasses.replace(SMALL, days=300), [choose(RULES, name) for name in ("pass_through", "scatter_gather")]
    city, last = script.judged(longer, rules), script.scheme_hits.judged(longer, rules)
    assert not last.flagged["pass_through"]
    assert city.schemes.flagged["pass_through"]
    assert last.flagged["scatter_gather"] <= city.schemes.flagged["scatter_gather"]
    rings = script.ring_hits.judged(longer)
    assert city.rings.told[: len(rings.told)] == rings.told
    assert (city.rings.planted, city.schemes.cases) == (rings.planted, last.cases)


def test_a_city_is_judged_once(script, city, folder, monkeypatch):
    monkeypatch.setattr(script, "judged", None)
    again = script.kept(folder, SMALL, SOME)
    for part in ("found", "right", "innocent"):
        assert getattr(again.rings, part)() == getattr(city.rings, part)()
    assert [again.schemes.hit(kind) for kind in script.scheme_hits.MEANT] == [city.schemes.hit(kind) for kind in script.scheme_hits.MEANT]
    assert again.schemes.false(["payment_ring"]) == city.schemes.false(["payment_ring"])


@pytest.mark.parametrize("other", ["code", "rules"])
def test_what_other_code_or_other_rules_found_is_not_taken(script, city, folder, monkeypatch, other):
    monkeypatch.setattr(script, "judged", lambda params, rules: pytest.fail("judged anew"))
    if other == "code":
        monkeypatch.setattr(script, "code_version", lambda: "0.0.0+another")
    with pytest.raises(pytest.fail.Exception, match="judged anew"):
        script.kept(folder, SMALL, SOME if other == "code" else SOME[:1])


def test_levels_of_camouflage_stand_side_by_side(script, city, capsys):
    script.report({0: [city], 50: [city]})
    told = capsys.readouterr().out
    assert "camouflage 0, seeds 1" in told
    assert told.rindex("guarantee_circle") > told.rindex("planted rings told")


@pytest.fixture(scope="module")
def large(request, script):
    """Return how a large city is judged; what is found outlives the run, so that a long one may be broken off."""
    kept = request.config.cache.mkdir("city_hits")
    return lambda seed: script.kept(kept, Params(companies=20_000, days=1_095, seed=seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_a_large_city_is_judged(large, seed):
    assert large(seed).rings.planted


@pytest.mark.soak
def test_rings_and_schemes_are_found_in_cities_that_they_were_not_tuned_on(script, large):
    cities = [large(seed) for seed in SEEDS]
    script.report({Params().camouflage: cities})
    found, right, _ = script.ring_hits.pooled([city.rings for city in cities])
    assert right.found >= 0.95 * right.of
    assert found.found >= 0.95 * found.of
    assert not sum(city.rings.of_lookalikes() for city in cities)
    told = {kind: (hit, false) for kind, hit, _, false in script.scheme_hits.schemes([city.schemes for city in cities])}
    for kind in FOUND:
        hit, false = told[kind]
        assert hit.found >= 0.9 * hit.of, (kind, hit)
        assert false.found <= 0.002 * false.of, (kind, false)
