"""Boosted trees of which the first ask some columns alone: what is known to tell of cases goes before hundreds of columns that may."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.metrics import average_precision, tied
from gnn.splits import alike
from gnn.trees import Trees

#: Columns that stand for the hits of rules.
FIRST = np.arange(4)


def rows(seed, cases=30, count=8_000, columns=250):
    """Return values and labels: noise, but for sparse hits, of which most cases have one or other and two in a hundred others have one."""
    dice = np.random.default_rng(seed)
    label = (np.arange(count) < cases).astype(np.int8)
    values = dice.normal(size=(count, columns))
    hit = dice.random(count) < np.where(label == 1, 0.7, 0.02)
    which = dice.integers(0, len(FIRST), count)
    values[:, FIRST] = np.where(hit[:, None] & (which[:, None] == FIRST), 1.0, 0.0)
    return values, label


@pytest.fixture(scope="module")
def staged():
    return Trees.staged(*rows(1), 0, FIRST)


def test_few_cases_among_many_columns_are_ranked_better_when_what_tells_of_them_goes_first(staged):
    values, label = rows(2)
    found = average_precision(label, staged.score(values))
    assert found > 3 * average_precision(label, Trees.fit(*rows(1), 0).score(values))
    whole = Trees.staged(*rows(1), 0, np.arange(values.shape[1]))
    assert found > 3 * average_precision(label, whole.score(values))


def test_the_first_trees_ask_the_first_columns_alone_and_the_others_any(staged):
    asked = staged.booster.trees_to_dataframe().dropna(subset="split_feature")
    first = asked["tree_index"] < 100
    assert set(asked["split_feature"][first]) <= {f"Column_{n}" for n in FIRST}
    assert asked["split_feature"][~first].nunique() > 50
    assert set(staged.used()) == {int(name.removeprefix("Column_")) for name in asked["split_feature"]}


def test_both_stages_are_kept_as_one_text_and_told_by_one_table_of_contributions(staged):
    values, _ = rows(3)
    assert (Trees.read(staged.kept()).score(values) == staged.score(values)).all()
    assert staged.contributions(values).sum(axis=1) == pytest.approx(staged.score(values), abs=1e-6)
    # a score that is not even by the first stage alone: rows that none of the first columns tells apart are not tied
    silent = (values[:, FIRST] == 0).all(axis=1)
    assert len(np.unique(staged.score(values)[silent])) > 0.99 * silent.sum()


def test_the_same_rows_and_seed_give_the_same_trees_and_without_first_columns_they_are_plain_ones(staged):
    values, label = rows(1)
    assert Trees.staged(values, label, 0, FIRST).kept() == staged.kept()
    assert Trees.staged(values, label, 0, FIRST[:0]).kept() == Trees.fit(values, label, 0).kept()


def quiet(seed):
    """Return rows of which most columns are empty, as of companies that do next to nothing; three say something of all."""
    values, label = rows(seed)
    empty = np.random.default_rng(seed).random(values.shape) > 0.02
    empty[:, : len(FIRST) + 3] = False
    return np.where(empty, 0.0, values), label


def test_fine_trees_leave_hardly_a_tie_and_neither_move_the_ranking_nor_speak_in_its_reasons():
    lesson, (values, label) = quiet(4), quiet(5)
    coarse = Trees.staged(*lesson, 0, FIRST)
    fine = coarse.untied(*lesson, 0)
    apart = alike(values).astype(np.uint64)
    assert tied(coarse.score(values), apart) > 0.05
    assert tied(fine.score(values), apart) < 0.001
    assert fine.score(values) == pytest.approx(coarse.score(values), abs=0.05)
    assert average_precision(label, fine.score(values)) == pytest.approx(average_precision(label, coarse.score(values)), rel=0.05)
    again = Trees.read(fine.kept())
    for each in (fine, again):
        assert (each.score(values) == fine.score(values)).all()
        assert (each.contributions(values) == coarse.contributions(values)).all()
        assert (each.used() == coarse.used()).all()
