"""Boosted trees of which the first ask some columns alone: what is known to tell of cases goes before hundreds of columns that may."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.metrics import average_precision
from gnn.trees import Trees

#: Columns that stand for the hits of rules.
FIRST = np.arange(4)


def rows(seed, cases=60, count=8_000, columns=250):
    """Return values and labels: noise, but for sparse hits, of which most cases have one or other and one in a hundred others has one."""
    dice = np.random.default_rng(seed)
    label = (np.arange(count) < cases).astype(np.int8)
    values = dice.normal(size=(count, columns))
    hit = dice.random(count) < np.where(label == 1, 0.7, 0.01)
    which = dice.integers(0, len(FIRST), count)
    values[:, FIRST] = np.where(hit[:, None] & (which[:, None] == FIRST), 1.0, 0.0)
    return values, label


@pytest.fixture(scope="module")
def staged():
    return Trees.staged(*rows(1), 0, FIRST)


def test_few_cases_among_many_columns_are_ranked_better_when_what_tells_of_them_goes_first(staged):
    values, label = rows(2)
    found = average_precision(label, staged.score(values))
    assert found > 1.1 * average_precision(label, Trees.fit(*rows(1), 0).score(values))


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
