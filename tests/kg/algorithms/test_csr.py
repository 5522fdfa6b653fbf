"""Grouping rows by key."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.csr import group_rows
from kg.errors import KgfraudError


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30))
def test_each_key_has_its_rows_in_ascending_order(keys):
    csr = group_rows(np.array(keys, dtype=np.int64), 6)
    for key in range(6):
        assert csr.items[csr.start[key] : csr.start[key + 1]].tolist() == [i for i, k in enumerate(keys) if k == key]


@pytest.mark.parametrize("key", [-1, 3])
def test_a_key_outside_the_range_is_refused(key):
    with pytest.raises(KgfraudError, match=r"must lie in \[0, 3\).*intern the ids first"):
        group_rows(np.array([0, key]), 3)
