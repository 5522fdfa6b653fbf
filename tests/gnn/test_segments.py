"""Scores in parts of the companies, money, capture, cases never found, base rates, and companies that belong together."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from gnn.company import FAMILIES
from gnn.segments import DEPTHS, by_segment, captured, money, owing, segments
from gnn.snapshot import names, snapshot
from gnn.together import together
from gnn.unlabelled import base_rate, corrected, found_part, shifted
from kg.errors import GateError

COLUMNS = names(FAMILIES)


@pytest.fixture(scope="module")
def seen(archive):
    return snapshot(archive.on(archive.as_of), FAMILIES[:1])


def test_ages_and_sizes_fall_into_one_part_each(seen):
    parts = segments(seen.columns, seen.values)
    for kind in ("age", "size"):
        assert sum(rows.astype(int) for name, rows in parts.items() if name.startswith(kind)).max() == 1
    assert {name.split(":")[0] for name in parts} <= {"age", "size", "region", "industry"}


def test_a_segment_tells_its_own_ranking_and_rate_and_none_of_too_few():
    label = np.array([1, 0] * 50, np.int8)
    score = np.where(label == 1, 2.0, 1.0)
    score[50:] *= -1
    parts = {"right": np.arange(100) < 50, "wrong": np.arange(100) >= 50, "few": np.arange(100) < 6}
    found = by_segment(parts, label, score, np.full(100, 0.5))
    assert (found["right"]["auc"], found["wrong"]["auc"], found["few"]["auc"]) == (1.0, 0.0, None)
    assert found["right"]["observed"]["low"] < found["right"]["said"] < found["right"]["observed"]["high"]


def test_the_capture_curve_rises_from_the_first_to_all():
    label = np.zeros(1000, np.int8)
    label[[0, 3, 15, 900]] = 1
    found = [each["found"] for each in captured(label, -np.arange(1000.0))]
    assert found == [0.5, 0.5, 0.75, 0.75, 0.75, 0.75, 0.75]
    assert len(DEPTHS) == len(found)


def test_money_caught_is_what_the_guilty_among_the_first_owe():
    label, owed = np.array([1, 0, 1, 1], np.int8), np.array([100.0, 70.0, 0.0, 300.0])
    found = money(label, np.array([4.0, 3.0, 2.0, 1.0]), owed, [1, 3, 9])
    assert [(each["first"], each["owed_fen"], each["part"]) for each in found] == [(1, 100, 0.25), (3, 100, 0.25), (4, 400, 1.0)]


def test_what_a_company_owes_is_what_it_borrowed_less_what_it_repaid(archive, seen):
    graph = archive.on(archive.as_of)
    lent, back = (graph.engine.table(graph.edges(name)).to_pylist() for name in ("BORROWED", "REPAID"))
    repaid, owed = {}, {}
    for row in back:
        repaid[row["dst"]] = repaid.get(row["dst"], 0) + row["amount_fen"]
    for row in lent:
        owed[row["src"]] = owed.get(row["src"], 0) + max(0, row["amount_fen"] - repaid.get(row["dst"], 0))
    found = owing(graph, seen.ids)
    assert found.tolist() == [owed.get(company, 0) for company in seen.ids.to_pylist()]
    assert found.any()


def test_the_part_of_cases_that_is_found_is_estimated_where_the_guilty_are_told_apart():
    dice = np.random.default_rng(1)
    guilty = dice.random(20_000) < 0.3
    found = (guilty & (dice.random(20_000) < 0.4)).astype(np.int8)
    said = np.where(guilty, 0.4, 0.0)
    part = found_part(said, found)
    assert part == pytest.approx(0.4)
    assert corrected(said, part).mean() == pytest.approx(guilty.mean())
    with pytest.raises(GateError, match="no case is among these rows"):
        found_part(said, np.zeros_like(found))
    with pytest.raises(GateError, match="must lie above 0"):
        corrected(said, 0.0)


def test_a_base_rate_that_has_fallen_is_found_without_labels():
    dice = np.random.default_rng(2)
    guilty = dice.random(50_000) < 0.1
    figure = dice.normal(size=50_000) + 2 * guilty
    # of rows half of which were guilty
    said = 1 / (1 + np.exp(-(2 * figure - 2)))
    assert base_rate(said, 0.5) == pytest.approx(0.1, abs=0.01)
    assert shifted(said, 0.5, 0.1).mean() == pytest.approx(0.1, abs=0.01)


def test_companies_that_ties_lead_to_one_another_have_one_number(archive, seen):
    graph = archive.today()
    ties = nx.Graph()
    ties.add_nodes_from(seen.ids.to_pylist())
    for row in graph.engine.table(graph.edges("HOLDS_SHARES")).to_pylist():
        if (row["share_ppm"] or 0) >= 500_000:
            ties.add_edge(row["src"], row["dst"])
    ties.add_edges_from((row["src"], row["dst"]) for row in graph.engine.table(graph.edges("REPRESENTS")).to_pylist())
    ours = set(seen.ids.to_pylist())
    expected = {frozenset(part & ours) for part in nx.connected_components(ties)} - {frozenset()}
    group = together(graph, seen.ids)
    found = {frozenset(np.array(seen.ids.to_pylist())[group == each].tolist()) for each in np.unique(group)}
    assert found == expected
    assert any(len(part) > 1 for part in found)


def test_where_no_tie_is_known_each_company_stands_alone(archive):
    lake = archive.lake.without(["graph/HOLDS_SHARES", "graph/REPRESENTS"])
    graph = type(archive)(lake, archive.as_of, archive.zone).today()
    assert together(graph, pa.array(["company:a", "company:b"])).tolist() == [0, 1]
