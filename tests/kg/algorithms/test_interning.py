"""Interning: the code of an id is its place in byte order."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.interning import Interner

WORDS = st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=20)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_codes_lead_back_to_the_ids_and_keep_their_byte_order(left, right):
    columns = [pa.chunked_array([pa.array(words, pa.string())]) for words in (left, right)]
    ids = Interner.of(*columns)
    distinct = sorted({w for w in left + right if w is not None}, key=str.encode)
    assert ids.values.to_pylist() == distinct
    assert len(ids) == len(distinct)
    for words, column, encoded in zip((left, right), columns, Interner.encode(*columns)[1], strict=True):
        codes = ids.codes(column)
        assert encoded.tolist() == codes.tolist()
        assert codes.dtype == np.int64
        assert [None if c < 0 else distinct[c] for c in codes] == words


def test_large_and_dictionary_strings_are_the_same_ids():
    ids = Interner.of(pa.array(["b", "a"], pa.large_string()), pa.array(["c", "b"]).dictionary_encode())
    assert ids.values.to_pylist() == ["a", "b", "c"]
    assert ids.codes(pa.array(["c"]).dictionary_encode()).tolist() == [2]


def test_an_id_that_nobody_has_is_minus_one():
    assert Interner.of(pa.array(["a"])).codes(pa.array(["b", None], pa.string())).tolist() == [-1, -1]
