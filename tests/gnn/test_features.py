"""Features of tables: lawsuits counted, gaps found again, and columns that tell nothing left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnn.feature import prepare
from gnn.features import FEATURES
from gnn.features.imputed import gaps
from gnn.features.lawsuits import lawsuits

from .world import small_graph


def test_lawsuits_are_counted_by_kind_and_by_span():
    kinds = {"cause": np.array([0, 1, 1]), "court": np.array([0, 0, 2]), "result": np.array([3, 0, 3])}
    block = lawsuits(np.array([2, 2, 0]), kinds, np.array([5, 30, 80]), 3)
    column = dict(zip(block.names, block.values.T.tolist(), strict=True))
    assert column["lawsuits"] == [1, 0, 2]
    assert column["cause.1"] == [1, 0, 1]
    assert column["court.2"] == [1, 0, 0]
    assert column["months.0"] == [0, 0, 1]
    assert column["months.72.lost"] == [1, 0, 0]
    assert column["lost"] == pytest.approx([1, np.nan, 0.5], nan_ok=True)
    assert column["months.last"] == pytest.approx([80, np.nan, 5], nan_ok=True)
    assert column["months.first"] == pytest.approx([80, np.nan, 30], nan_ok=True)


def test_a_number_that_stands_for_missing_ones_is_taken_out_and_counted():
    dice = np.random.default_rng(1)
    filled, real, few = dice.random(100), dice.random(100), dice.integers(0, 2, 100).astype(float)
    filled[:20] = 0.5
    found = gaps(np.column_stack([filled, real, few]))
    assert np.isnan(found[:20, 0]).all()
    assert not np.isnan(found[20:]).any()
    assert found[:, 3].tolist() == [1] * 20 + [0] * 80


def test_no_feature_reads_a_label_or_an_id():
    graph = small_graph()
    other = replace(graph, label=(1 - graph.label).astype(np.int8), ids=graph.ids[::-1], segments={})
    assert np.array_equal(prepare(graph, FEATURES).around, prepare(other, FEATURES).around, equal_nan=True)


def test_a_relation_left_out_leaves_no_column():
    graph = small_graph()
    names = prepare(graph.only("sells"), FEATURES).columns
    assert any(name.startswith("sells.") for name in names)
    assert not any(name.startswith("holds.") for name in names)
    assert prepare(graph.only(), FEATURES).columns == graph.columns


def test_columns_that_say_the_same_of_every_row_are_left_out():
    inputs = prepare(small_graph(), FEATURES)
    # persons hold nothing's figures, so one step by holds leads to no value
    assert not any(name.startswith("holds.1.mean") for name in inputs.columns)
    assert any(name.startswith("holds.2.mean") for name in inputs.columns)
    assert inputs.around.shape == (240, len(inputs.columns))
