"""Naming the differences between the lake and a store, which needs no store."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.schema import edge, node
from kg.store import STRANGE, conform, differences, schema_of

LOAN = node("Loan")
IDS = st.text("ab𠮷～:", min_size=1, max_size=3)
ROWS = st.dictionaries(
    IDS, st.fixed_dictionaries({"amount_fen": st.none() | st.integers(0, 2), "status": st.none() | st.sampled_from("xy")})
)


def batches(rows, size=2, **more):
    """Rows as a sorted stream of small batches."""
    ordered = [{"id": id_, **rows[id_]} for id_ in sorted(rows)]
    schema = pa.schema([("id", pa.string()), ("amount_fen", pa.int64()), ("status", pa.string())])
    return [pa.RecordBatch.from_pylist(ordered[start : start + size], schema=schema) for start in range(0, len(ordered), size)]


def named(lake, store):
    return sorted((r["id"], r["what"], r["property"] or "") for table in differences(LOAN, lake, store) for r in table.to_pylist())


@given(ROWS, ROWS, st.integers(1, 5), st.integers(1, 5))
def test_the_differences_are_those_that_comparing_row_by_row_finds(lake, store, one, other):
    expected = [(id_, "missing", "") for id_ in lake.keys() - store.keys()]
    expected += [(id_, "surplus", "") for id_ in store.keys() - lake.keys()]
    expected += [
        (id_, "different", name) for id_ in lake.keys() & store.keys() for name in lake[id_] if lake[id_][name] != store[id_][name]
    ]
    assert named(batches(lake, one), batches(store, other)) == sorted(expected)


@given(ROWS)
def test_equal_contents_have_no_difference(rows):
    assert named(batches(rows, 3), batches(rows, 1)) == []


def test_a_moved_end_is_a_difference():
    row = {"id": ["r:1"], "src": ["account:b:1"], "dst": ["loan:b:1"]}
    lake, store = pa.RecordBatch.from_pydict(row), pa.RecordBatch.from_pydict({**row, "dst": ["loan:b:2"]})
    found = [r for table in differences(edge("REPAID"), [lake], [store]) for r in table.to_pylist()]
    assert found == [{"id": "r:1", "what": "different", "property": "dst"}]


def test_a_value_of_a_strange_type_is_a_difference_even_where_the_lake_has_none():
    lake = pa.RecordBatch.from_pydict({"id": ["loan:b:1"]})
    store = pa.RecordBatch.from_pydict({"id": ["loan:b:1"], STRANGE: ["status"]})
    assert named([lake], [store]) == [("loan:b:1", "different", "status")]


def test_a_column_of_the_wrong_type_is_refused():
    with pytest.raises(pa.ArrowInvalid):
        conform(pa.RecordBatch.from_pydict({"id": ["loan:b:1"], "amount_fen": ["a lot"]}), LOAN)


def test_rows_travel_in_the_order_of_the_schema():
    batch = conform(pa.RecordBatch.from_pydict({"status": ["x"], "id": ["loan:b:1"]}), LOAN)
    assert batch.schema == schema_of(LOAN)
