"""Evidence on its way into a table: pairs of parties by number, how strong, and the ids that an officer can look up.

Hides how rows behind a pair are found again by key, and how several rows of one kind become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import Floats, among, distinct
from kg.derivations.linked.evidence import Names
from kg.derivations.linked.kinds import kind as kind_of

#: Ids told for a row at most.
MOST_ITEMS = 8


class Found(NamedTuple):
    """Pairs of one kind of evidence.

    Attributes
    ----------
    kind
        Its name.
    a, b : int64, shape (n,)
    part : float64, shape (n,)
        Of the kind's base strength, between 0 and 1.
    items
        Columns of ids as text, each with a row for each pair; null where there is none.
    """

    kind: str
    a: Ints
    b: Ints
    part: Floats
    items: Sequence[pa.Array]


def leading(table: pa.Table, keys: Ints, wanted: Ints, amount: Ints | None = None, rows: Ints | None = None) -> pa.Array:
    """Return for each wanted key the id of the relationship behind it: of several that with the greatest amount, then the first by id.

    Parameters
    ----------
    table
        Relationships; without the column ``id`` all are null.
    keys
        The key of each row of the table, or of each of ``rows``.

    Examples
    --------
    >>> rows = pa.table({"id": ["r2", "r1", "r3"]})
    >>> leading(rows, np.array([5, 5, 6]), np.array([5, 7])).to_pylist()
    ['r1', None]
    """
    if "id" not in table.column_names:
        return pa.nulls(wanted.size, pa.string())
    of = np.flatnonzero(among(keys, distinct(wanted)))
    rows = np.arange(table.num_rows) if rows is None else rows
    ids = table["id"].take(pa.array(rows[of])).cast(pa.string())
    _, (rank,) = Interner.encode(ids)
    order = np.lexsort((rank, np.zeros(of.size) if amount is None else -amount[of], keys[of]))
    known, begin = np.unique(keys[of][order], return_index=True)
    place = np.minimum(np.searchsorted(known, wanted), max(known.size - 1, 0))
    there = known[place] == wanted if known.size else np.zeros(wanted.size, np.bool_)
    at = order[begin[place[there]]] if known.size else np.empty(0, np.int64)
    index = np.full(wanted.size, -1)
    index[there] = at
    return ids.combine_chunks().take(pa.array(index, mask=index < 0))


def table_of(found: Sequence[Found], names: Names) -> pa.Table:
    """Return the table of all evidence, a row for each pair and kind: the strongest of several, with the ids of all."""
    parts = [_rows(each, names) for each in found if each.a.size]
    schema = {"a": names.ids.type, "b": names.ids.type, "kind": pa.string(), "strength": pa.int64(), "evidence": pa.list_(pa.string())}
    if not parts:
        return pa.table({name: pa.array([], of) for name, of in schema.items()})
    return _once(pa.concat_tables(parts))


def _once(table: pa.Table) -> pa.Table:
    """Return one row for each pair and kind, sorted, where several looks at the same kind told several."""
    _, codes = Interner.encode(*(table[name].cast(pa.string()) for name in ("a", "b", "kind")))
    strength = table["strength"].to_numpy()
    # ids that are numbers keep the order of numbers
    keys = [("a", "ascending"), ("b", "ascending"), ("kind", "ascending"), ("strength", "descending")]
    order = pc.sort_indices(table.drop_columns(["evidence"]), sort_keys=keys).to_numpy().astype(np.int64)
    new = np.ones(order.size, np.bool_)
    new[1:] = np.any([code[order][1:] != code[order][:-1] for code in codes], axis=0)
    first = order[new]
    pair = np.cumsum(new) - 1
    evidence = gathered(table["evidence"], order, (pair, np.zeros(order.size, np.int64), strength[order]), first.size)
    return table.drop_columns(["evidence"]).take(pa.array(first)).append_column("evidence", evidence)


def _rows(found: Found, names: Names) -> pa.Table:
    low, high = np.minimum(found.a, found.b), np.maximum(found.a, found.b)
    strength = np.floor(found.part * kind_of(found.kind).base_ppm + 1e-6).astype(np.int64)
    item = _ranked(found.items[0]) if found.items else np.zeros(low.size, np.int64)
    order = np.lexsort((item, -strength, high, low))
    low, high, strength = low[order], high[order], strength[order]
    new = np.ones(low.size, np.bool_)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    first = np.flatnonzero(new)
    told = [each.take(pa.array(order)) for each in found.items]
    return pa.table(
        {
            "a": names.ids.take(pa.array(low[first])),
            "b": names.ids.take(pa.array(high[first])),
            "kind": pa.array([found.kind] * first.size, pa.string()),
            "strength": pa.array(strength[first]),
            "evidence": _lists(told, np.cumsum(new) - 1, first.size),
        }
    )


def _ranked(ids: pa.Array) -> Ints:
    _, (rank,) = Interner.encode(ids)
    return rank


def _lists(items: Sequence[pa.Array], pair: Ints, n: int) -> pa.ListArray:
    """Return the distinct ids of each pair as lists, in the order of its rows and of the columns."""
    size, width = pair.size, max(len(items), 1)
    values = pa.concat_arrays([each.cast(pa.string()) for each in items]) if items else pa.array([], pa.string())
    row = np.concatenate([np.arange(size)] * width) if items else np.empty(0, np.int64)
    column = np.repeat(np.arange(width), size) if items else np.empty(0, np.int64)
    code = _ranked(values)
    order = np.lexsort((column, row))
    order = order[code[order] >= 0]
    key = pair[row[order]] * (int(code.max(initial=0)) + 1) + code[order]
    _, once = np.unique(key, return_index=True)
    order = order[np.sort(once)]
    of = pair[row[order]]
    within = np.arange(of.size) - np.searchsorted(of, of)
    order, of = order[within < MOST_ITEMS], of[within < MOST_ITEMS]
    offsets = np.searchsorted(of, np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(order)))


def gathered(evidence: pa.ChunkedArray, row: Ints, by: tuple[Ints, Ints, Ints], n: int) -> pa.ListArray:
    """Return the ids behind each of ``n`` pairs, up to `MOST_ITEMS`: those of its rows, the strongest row first.

    Parameters
    ----------
    evidence
        Lists of ids.
    row
        Rows of it.
    by
        Pair, kind and strength of each of these.
    """
    pair, kind, strength = by
    order = np.lexsort((row, kind, -strength, pair))
    lists = evidence.take(pa.array(row[order])).combine_chunks()
    of = pair[order][pc.list_parent_indices(lists).to_numpy()]
    values = lists.flatten()
    # an id that stands in several rows is told once
    code = _ranked(values)
    _, once = np.unique(of * (int(code.max(initial=0)) + 1) + code, return_index=True)
    once = np.sort(once)
    of = of[once]
    kept = np.arange(of.size) - np.searchsorted(of, of) < MOST_ITEMS
    offsets = np.searchsorted(of[kept], np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(once[kept])))
