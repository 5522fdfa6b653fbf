"""How losses spread, held against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from kg.algorithms.cascade import LANES, Shocks, cascades, downstream, links, single_shocks, upstream
from kg.algorithms.origins import chain_to, origins


def world(seed, count=12):
    dice = np.random.default_rng(seed)
    rows = int(dice.integers(1, 4 * count))
    of = links(dice.integers(0, count, rows), dice.integers(0, count, rows), dice.lognormal(0, 1, rows), count)
    kind, essential = dice.integers(-1, 3, of.weight.size), dice.random(of.weight.size) < 0.5
    # an input is essential or not whoever delivers it
    return of, kind, essential & (kind > 0)


def dense(of, kind, essential, left, tolerance):
    count = of.sales.size
    down, up = 1 - left, 1 - left
    while True:
        new_down, new_up = 1 - left, 1 - left
        for buyer in range(count):
            mine = of.buyer == buyer
            for each in range(kind.max(initial=0) + 1):
                rows = mine & essential & (kind == each)
                if rows.any():
                    lost = (of.weight[rows] * down[of.supplier[rows]]).sum() / of.weight[rows].sum()
                    new_down[buyer] = max(new_down[buyer], lost)
            rows = mine & ~essential & (kind >= 0)
            if rows.any():
                new_down[buyer] = max(new_down[buyer], (of.weight[rows] * down[of.supplier[rows]]).sum() / of.purchases[buyer])
            rows = of.supplier == buyer
            if rows.any():
                new_up[buyer] = max(new_up[buyer], (of.weight[rows] * up[of.buyer[rows]]).sum() / of.weight[rows].sum())
        fall = max((new_down - down).max(), (new_up - up).max())
        down, up = new_down, new_up
        if fall <= tolerance:
            return down, up


@pytest.mark.parametrize("seed", range(20))
def test_each_shock_is_what_dense_matrices_give(seed):
    of, kind, essential = world(seed)
    count = of.sales.size
    sides = downstream(of, kind, essential), upstream(of)
    size = np.random.default_rng(seed).random(count)
    scores, lost = cascades(sides, single_shocks(count), size, 1e-2)
    for company in range(count):
        left = np.ones(count)
        left[company] = 0
        down, up = dense(of, kind, essential, left, 1e-2)
        expected = [(size * each).sum() / size.sum() for each in (np.maximum(down, up), down, up)]
        assert scores[company] == pytest.approx(expected, abs=1e-12)
    assert lost == pytest.approx(np.stack([down, up]), abs=1e-12)


def test_a_lane_that_is_used_again_begins_anew():
    of, kind, essential = world(5)
    sides, size = (downstream(of, kind, essential), upstream(of)), np.ones(of.sales.size)
    again = Shocks(np.arange(3 * LANES + 1), np.full(3 * LANES, 4), np.zeros(3 * LANES))
    scores, _ = cascades(sides, again, size, 1e-2)
    assert (scores == scores[0]).all()


def test_a_shock_that_hits_nobody_costs_nothing_and_no_shock_is_none():
    of, kind, essential = world(6)
    sides, size = (downstream(of, kind, essential), upstream(of)), np.ones(of.sales.size)
    scores, lost = cascades(sides, Shocks(np.array([0, 0, 1]), np.array([2]), np.array([1.0])), size, 0.0)
    assert not scores.any()
    assert not lost.any()
    assert cascades(sides, Shocks(np.array([0]), np.array([], np.int64), np.array([])), size, 0.0)[0].shape == (0, 3)


def test_the_strongest_chain_is_told_and_the_shorter_of_two_as_strong():
    of = links(np.array([0, 0, 1, 2, 0]), np.array([1, 2, 3, 3, 4]), np.array([1.0, 1.0, 1.0, 3.0, 1.0]), 5)
    side = downstream(of, np.zeros(5, np.int64), np.zeros(5, np.bool_))
    lost = np.array([1.0, 1.0, 1.0, 1.0, 1.0])
    before = origins(side, np.array([0]), np.array([1.0]), lost)
    assert chain_to(before, 3) == [0, 2, 3]
    assert chain_to(before, 4) == [0, 4]
    assert chain_to(before, 0) == [0]
