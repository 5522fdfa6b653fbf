"""Links and groups in a generated city: hidden controllers are found, honest neighbours raise nothing, and the scripts say so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kg.derivations.linked_parties import LinkParams, find_links
from loaders.city import Params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, str(ROOT / "scripts"))
    yield
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def script(scripts):
    import city_links  # noqa: PLC0415 - scripts are no package

    return city_links


@pytest.fixture(scope="module")
def groups(scripts):
    import city_groups  # noqa: PLC0415

    return city_groups


@pytest.fixture(scope="module", params=[(2, 180), (3, 366)], ids=["half a year", "a year"])
def together(request, groups):
    """What groups of connected clients a city has, and what is true of them."""
    seed, days = request.param
    return days, groups.measured(groups.InMemory(Params(companies=1_200, days=days, seed=seed)))


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


# -- groups of connected clients ----------------------------------------------------------------------------------


def test_no_neighbours_of_a_park_an_agent_or_a_family_share_a_group_by_control_but_those_who_are_truly_controlled_together(together):
    _, found = together
    assert found.groups > 500
    assert found.untrue.get("control", 0) == 0


def test_hardly_any_neighbours_share_a_group_by_dependence_that_is_not_true(together):
    _, found = together
    assert found.untrue.get("dependence", 0) <= 2


def test_who_is_told_to_depend_on_another_by_trade_truly_got_or_spent_half_of_its_money_there(together):
    days, found = together
    for test in ("receipts", "spending"):
        ties = found.ties[test]
        # a year is told by whole months, of which the first may count that is not quite within it
        assert ties.found - ties.happened <= ties.found // 50 + 1, test
        if days >= 365:
            assert ties.happened >= 0.6 * ties.all_happened, test
            assert ties.planned >= 0.5 * ties.found, test


def test_who_is_told_to_be_ruined_by_a_guarantee_truly_owes_more_than_it_could_pay(together):
    _, found = together
    ties = found.ties["guarantee"]
    assert ties.found >= 5
    assert ties.planned >= 0.9 * ties.found


def test_kinship_alone_makes_no_group(groups):
    source = groups.InMemory(Params(companies=1_200, days=60, seed=4))
    kin = source.rows("kinship", "a", "b", "kinship")
    told = groups.find_groups(groups.control_of(source), None, groups.RULES, parties=groups.kinds(source))
    source._full["kinship"] = kin.slice(0, 0).combine_chunks
    without = groups.find_groups(groups.control_of(source), None, groups.RULES, parties=groups.kinds(source))
    among = list(groups.neighbours(source))
    assert kin.num_rows > 50
    assert groups.shared(told, among) == groups.shared(without, among)


def test_the_script_prints_pairs_and_ties(groups, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["city_groups.py", "--companies", "300", "--days", "60", "--seeds", "1"])
    groups.main()
    said = capsys.readouterr().out
    assert "pairs of neighbours that share one" in said
    assert "receipts" in said
