"""Networks that pass messages between companies: days stand beside one another, and chance comes from the seed alone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from gnn.company import FAMILIES
from gnn.messages import MODELS, beside, scores
from gnn.snapshot import snapshot

from .world import small_graph


def edges(graph):
    return {each.name: set(zip(each.source.tolist(), each.target.tolist(), strict=True)) for each in graph.relations}


def test_days_stand_beside_one_another_and_no_edge_leads_from_one_to_the_other():
    days = [small_graph(1, n=30, persons=5), small_graph(2, n=40, persons=7)]
    both = beside(days)
    assert both.n_nodes == 30 + 40 + 5 + 7
    assert np.array_equal(both.values, np.concatenate([day.values for day in days]), equal_nan=True)
    place = [[*range(30), *range(70, 75)], [*range(30, 70), *range(75, 82)]]
    expected = {name: set() for name in edges(days[0])}
    for day, of in zip(days, place, strict=True):
        for name, pairs in edges(day).items():
            expected[name] |= {(of[one], of[other]) for one, other in pairs}
    assert edges(both) == expected


@pytest.mark.parametrize("seed", [0, 1])
def test_each_network_scores_the_companies_of_a_later_day_and_the_seed_alone_decides(archive, seed):
    day = archive.as_of - timedelta(days=60)
    early, later = (snapshot(archive.on(each), FAMILIES[:4]) for each in (day, archive.as_of))
    dice = np.random.default_rng(3)
    label = dice.integers(-1, 2, len(early.ids)).astype(np.int8)
    found, again = (scores(archive, [(early, label)], later, seed) for _ in range(2))
    assert list(found) == [model.name for model in MODELS]
    for name, score in found.items():
        assert score.shape == (len(later.ids),)
        assert np.isfinite(score).all()
        assert np.array_equal(score, again[name])
        assert len(np.unique(score)) > len(score) / 2
