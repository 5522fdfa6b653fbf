"""Links besides equity in a generated city: hidden controllers are found, honest neighbours raise nothing, and the script says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kg.derivations.linked_parties import LinkParams, find_links
from loaders.city import Params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import city_links  # noqa: PLC0415 - scripts are no package

        yield city_links
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def city(script):
    source = script.InMemory(Params(companies=1_500, days=150, seed=5))
    return source, script.evidence_of(source)


def test_hidden_controllers_are_among_the_first_three_at_few_false_alarms(script, city):
    source, graph = city
    found = script.measured(source, LinkParams(), graph)
    assert found.cases >= 20
    assert found.first >= 0.6
    assert found.alarmed >= 0.5
    assert found.false <= 0.05
    assert found.strong == 0


def test_a_plain_look_at_shared_addresses_and_phones_finds_fewer(script, city):
    source, graph = city
    truth = script.Truth.of(source)
    assert script.rival(graph, truth).first < script.measured(source, LinkParams(), graph).first


def test_institutions_are_linked_to_nobody(city):
    _, graph = city
    bodies = set(graph.hubs["id"].to_pylist())
    links = find_links(graph)
    assert links.num_rows > 0
    assert not bodies & (set(links["a"].to_pylist()) | set(links["b"].to_pylist()))


def test_the_script_prints_ratios_beside_the_rival_s(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["city_links.py", "--companies", "300", "--days", "60", "--seeds", "1"])
    script.main()
    said = capsys.readouterr().out
    assert "seed 1" in said
    assert "components" in said
