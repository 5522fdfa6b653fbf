"""Batches of a group within days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.algorithms.batches import batched
from kg.errors import UsageError


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-40, 40)), max_size=12),
    st.integers(0, 20),
    st.tuples(*[st.integers(1, 4)] * 3),
)
def test_a_row_is_in_a_batch_exactly_where_some_window_around_it_holds_enough(rows, within, least):
    group, day = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    expected = [
        any(sum(g == other and begin <= d <= begin + within for g, d in rows) >= least[other] for begin in range(at - within, at + 1))
        for other, at in rows
    ]
    assert batched(group, day, within=within, least=np.array(least)[group]).tolist() == expected


def test_no_rows_make_no_batch():
    nothing = np.empty(0, np.int64)
    assert batched(nothing, nothing, within=30, least=nothing).size == 0


def test_a_window_of_less_than_a_day_is_refused():
    with pytest.raises(UsageError, match="within is -1"):
        batched(np.zeros(1, np.int64), np.zeros(1, np.int64), within=-1, least=np.ones(1, np.int64))
