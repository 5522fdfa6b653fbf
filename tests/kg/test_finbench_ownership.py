"""FinBench's shareholdings: control and integrated ownership against a computation of their own, with networkx and numpy."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.control import find_control
from kg.derivations.ownership import integrate_ownership
from kg.rulesets import get

SAMPLES = Path(__file__).parents[2] / "loaders" / "samples" / "finbench"


@pytest.fixture(scope="module")
def rows():
    """Return (holder, held, ppm) of all 5,034 holdings."""
    found = []
    for kind in ("Company", "Person"):
        with gzip.open(SAMPLES / f"{kind}InvestCompany.csv.gz", "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="|"):
                ppm = int((Decimal(row["ratio"]) * 1_000_000).to_integral_value())
                found.append((f"{kind.lower()}:fb:{row['investorId']}", f"company:fb:{row['companyId']}", ppm))
    assert len(found) == 5_034
    return found


@pytest.fixture(scope="module")
def graph(rows):
    graph = nx.DiGraph()
    for holder, held, ppm in rows:
        before = graph.get_edge_data(holder, held, {"ppm": 0})["ppm"]
        graph.add_edge(holder, held, ppm=before + ppm)
    return graph


@pytest.fixture(scope="module")
def holdings(rows):
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(("holder", "held", "share_ppm"))})


def test_control_is_that_of_a_plain_fixpoint(graph, holdings):
    expected = {}
    for seed in graph:
        commanded, votes, grew = {seed}, {}, True
        while grew:
            votes = defaultdict(int)
            for member in commanded:
                for held in graph.successors(member):
                    votes[held] += graph[member][held]["ppm"] if held != member else 0
            new = {held for held, ppm in votes.items() if ppm > 500_000} - commanded
            commanded, grew = commanded | new, bool(new)
        expected |= {(seed, held): votes[held] for held in commanded - {seed}}
    found = find_control(holdings, get("CN-COLAW-2023"))
    got = dict(
        zip(zip(found["controller"].to_pylist(), found["controlled"].to_pylist(), strict=True), found["votes_ppm"].to_pylist(), strict=True)
    )
    assert got == expected
    assert len(got) == found.num_rows > 50


def test_integrated_ownership_is_that_of_the_inverted_matrix(graph, holdings):
    assert max(map(len, nx.strongly_connected_components(graph))) == 457
    names = sorted(graph)
    matrix = nx.to_numpy_array(graph, names, weight="ppm") / 1e6
    whole = np.linalg.solve((np.eye(len(names)) - matrix).T, matrix.T).T
    place = {name: number for number, name in enumerate(names)}
    owners = [name for name in names if graph.in_degree(name) == 0]
    found = integrate_ownership(holdings, prune=0)
    got = np.zeros_like(whole)
    ends = ([place[name] for name in found.shares[column].to_pylist()] for column in ("owner", "company"))
    got[tuple(ends)] = found.shares["share"].to_numpy()
    held_by_anybody = [place[owner] for owner in owners]
    np.testing.assert_allclose(got[held_by_anybody], whole[held_by_anybody], atol=1e-9)
    assert set(found.shares["owner"].to_pylist()) <= set(owners)
    assert found.closed_groups.num_rows == 0
