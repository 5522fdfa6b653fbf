"""Nominees (代持): holdings in the name of one who holds for another, told as the holdings of the one who is behind.

Knows that a nominee may hold through a nominee of its own; hides the search. What says nothing, since two claim the same holding or one
holds for another that holds for it, is refused.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.kernel import Ints
from kg.errors import UsageError
from kg.ownership.holdings import held_on, numbered_alike
from kg.tables import plain_ids, refuse_ids, refuse_missing, refuse_nulls

_COLUMNS, _ENDS = ["nominator", "nominee", "held"], ["holder", "held"]


def nominated(holdings: pa.Table, nominations: pa.Table | None, as_of: date | None = None) -> pa.Table:
    """Return holdings in which those of nominees, by the nominations that hold on a day, are those of who is behind in the end.

    Parameters
    ----------
    holdings
        ``holder, held`` and others, which stay as they are.
    nominations
        ``nominator, nominee, held``, optional ``valid_from, valid_to``.

    Raises
    ------
    UsageError
        If two nominators claim the same nominee's holding, or nominations lead round in a circle.

    Examples
    --------
    >>> held = pa.table({"holder": ["n"], "held": ["c"], "share_ppm": [600_000]})
    >>> chain = pa.table({"nominator": ["p", "m"], "nominee": ["m", "n"], "held": ["c", "c"]})
    >>> nominated(held, chain)["holder"].to_pylist()
    ['p']
    """
    if nominations is None or nominations.num_rows == 0:
        return holdings
    refuse_missing("holdings", holdings, _ENDS)
    refuse_ids("holdings", holdings, _ENDS)
    refuse_nulls("nominations", nominations, _COLUMNS)
    refuse_ids("nominations", nominations, _COLUMNS, holdings["holder"].type if holdings.num_rows else None)
    rows = plain_ids(held_on(nominations.append_column("_at", pa.array(np.arange(nominations.num_rows))), as_of), _COLUMNS)
    if rows.num_rows == 0:
        return holdings
    _refuse_second(rows)
    behind = _behind(rows).rename_columns(["_nominator", *_ENDS])
    places = pa.array(np.arange(holdings.num_rows))
    joined = plain_ids(holdings.select(_ENDS), _ENDS).append_column("_row", places).join(behind, _ENDS).sort_by("_row")
    holder = pc.coalesce(joined["_nominator"], joined["holder"])
    return holdings.set_column(holdings.column_names.index("holder"), "holder", holder)


def sound(nominations: pa.Table) -> pa.Table:
    """Return the nominations of which each tells who is behind: those left out of which two claim the same, or that lead round in a circle.

    >>> rows = {"nominator": ["a", "b", "p", "q"], "nominee": ["b", "a", "n", "n"], "held": ["c", "c", "d", "d"]}
    >>> sound(pa.table(rows)).num_rows
    0
    """
    claims = nominations.group_by(["nominee", "held"]).aggregate([("nominator", "count"), ("nominator", "min")])
    single = claims.filter(pc.equal(claims["nominator_count"], 1))
    rows = pa.table({"nominator": single["nominator_min"], "nominee": single["nominee"], "held": single["held"]})
    _, circular = _ends(rows)
    return rows.filter(pa.array(~circular))


def _behind(rows: pa.Table) -> pa.Table:
    """Return nominations with the last nominator of each chain."""
    last, circular = _ends(rows)
    if circular.any():
        row = int(np.argmax(circular))
        said = f"{rows['nominee'][row]} holds {rows['held'][row]} for {rows['nominator'][row]}, and so on in a circle"
        raise UsageError(f"nominations row {rows['_at'][row]}: {said}; say who is behind it in the end")
    return pa.table({"nominator": rows["nominator"].take(pa.array(last)), "nominee": rows["nominee"], "held": rows["held"]})


def _ends(rows: pa.Table) -> tuple[Ints, NDArray[np.bool_]]:
    """Return for each nomination the row with which its chain ends, and whether it leads into a circle instead.

    The rows that follow one another are leapt over two by two, then four by four, and so on.
    """
    _, (nominator, nominee, held) = numbered_alike("nominations", *(rows[name] for name in _COLUMNS))
    width = int(max(nominator.max(initial=0), nominee.max(initial=0), held.max(initial=0))) + 1
    mine, next_key = nominee * width + held, nominator * width + held
    order, every = np.argsort(mine), np.arange(mine.size)
    place = np.searchsorted(mine, next_key, sorter=order)
    follows = (place < mine.size) & (np.append(mine[order], -1)[place] == next_key)
    last = np.where(follows, np.append(order, -1)[place], every)
    for _ in range(mine.size.bit_length()):
        last = last[last]
    return last, follows[last]


def _refuse_second(rows: pa.Table) -> None:
    """Refuse a second nominator behind the same holding."""
    _, (nominee, held) = numbered_alike("nominations", rows["nominee"], rows["held"])
    key = nominee * (held.max() + 1) + held
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    if (again := np.flatnonzero(first[place] != np.arange(key.size))).size:
        row, other = int(again[0]), int(first[place[again[0]]])
        said = f"{rows['nominee'][row]}'s holding of {rows['held'][row]} has another nominator in row {rows['_at'][other]}"
        raise UsageError(f"nominations row {rows['_at'][row]}: {said}; say which of them it is")
