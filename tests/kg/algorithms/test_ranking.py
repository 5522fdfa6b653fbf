"""The places of strings in byte order, against Python's own sorting."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms import interning
from kg.algorithms.interning import Interner
from kg.algorithms.ranking import ranked

PREFIXES = ["", "company:crm:", "person:crm:", "person:"]
IDS = st.tuples(st.sampled_from(PREFIXES), st.text(st.sampled_from("\x00ab7中"), max_size=9)).map("".join)


def by_python(texts):
    distinct = sorted(set(texts), key=str.encode)
    return [distinct.index(text) for text in texts], distinct


@settings(deadline=None)
@given(st.lists(IDS, max_size=30), st.integers(0, 3))
def test_places_are_those_of_sorted_bytes(texts, skipped):
    array = pa.array(texts, pa.string()).slice(skipped)
    places, rows = ranked(array)
    assert (places.tolist(), array.take(pa.array(rows)).to_pylist()) == by_python(texts[skipped:])


def test_ids_of_few_kinds_are_ranked_whatever_their_order():
    texts = [f"{kind}:crm:{number * 7919 % 1000:012d}X" for number in range(300) for kind in ("person", "company")]
    assert ranked(pa.array(texts))[0].tolist() == by_python(texts)[0]


def test_strings_that_differ_late_are_told_apart_by_bytes_that_follow():
    texts = [f"company:{'a' * length}{end}" for length in (1, 6, 7, 8, 20, 40) for end in ("", "b", "a\x00", "\x00", "中")]
    dozens = [*texts, *reversed(texts)]
    assert ranked(pa.array(dozens))[0].tolist() == by_python(dozens)[0]


@pytest.mark.parametrize("length", [1, 18, 24, 64])
def test_many_strings_are_in_the_order_that_arrow_gives_them(length):
    texts = pa.array([f"{number % 3}:{hashlib.sha256(str(number % 7_000).encode()).hexdigest()[:length]}" for number in range(20_000)])
    places, rows = ranked(texts)
    distinct = texts.unique().sort()
    assert texts.take(pa.array(rows)).equals(distinct)
    assert distinct.take(pa.array(places)).equals(texts)


@pytest.mark.parametrize("texts", [["b", None, "a", "b"], [None, None], ["company:" + "x" * 40, None, "company:" + "y" * 40], []], ids=str)
def test_interning_many_gives_what_interning_few_does(texts, monkeypatch):
    few, codes = Interner.encode(pa.array(texts, pa.string()), pa.array(["c"]))
    monkeypatch.setattr(interning, "_MANY", 0)
    many, same = Interner.encode(pa.chunked_array([texts], pa.string()), pa.array(["c"]))
    assert many.values.equals(few.values)
    assert [code.tolist() for code in same] == [code.tolist() for code in codes]
