"""By which ids rings are known from night to night, and what became of the earlier ones."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array

from kg.algorithms.kernel import Ints
from kg.ownership.holdings import numbered_alike
from kg.tables import refuse_nulls

#: A ring is an earlier one where they share so much of all that are in either; and has to do with it where they share so many.
_ALIKE, _SHARED = 0.3, 2


def same_rings(table: pa.Table, previous: pa.Table | None) -> tuple[pa.Array, pa.Table]:
    """Return the id of each row's ring, and what became of which ring.

    Parameters
    ----------
    table
        ``ring_id`` (a number), ``member``.
    previous
        ``ring_id, member`` of earlier rings.

    Returns
    -------
    ids
        The earlier ring's with the greatest part in common, or one that follows from the members.
    events
        ``event, ring_id, earlier_id``: see `kg.derivations.rings.Rings`.

    Examples
    --------
    >>> now, before = pa.table({"ring_id": [0, 0], "member": ["a", "b"]}), pa.table({"ring_id": ["r", "r"], "member": ["b", "a"]})
    >>> ids, events = same_rings(now, before)
    >>> ids.to_pylist(), events.to_pylist()
    (['r', 'r'], [{'event': 'kept', 'ring_id': 'r', 'earlier_id': 'r'}])
    """
    if previous is None:
        previous = pa.table({"ring_id": pa.array([], pa.string()), "member": pa.array([], table["member"].type)})
    refuse_nulls("previous", previous, ("ring_id", "member"))
    parties, (member, former) = numbered_alike("cycles and previous", table["member"], previous["member"])
    ring = _by_members(table["ring_id"].to_numpy(), member)
    count = int(ring.max(initial=-1)) + 1
    known, (earlier,) = numbered_alike("previous", previous["ring_id"].cast(pa.string()))
    now = coo_array((np.ones(ring.size, np.int64), (ring, member)), (count, len(parties))).tocsr()
    then = coo_array((np.ones(former.size, np.int64), (earlier, former)), (len(known), len(parties))).tocsr()
    common = (now @ then.T).tocoo()
    size, size_then = np.asarray(now.sum(axis=1)).ravel(), np.asarray(then.sum(axis=1)).ravel()
    alike = common.data / (size[common.row] + size_then[common.col] - common.data)
    kept = _matched(common.row.astype(np.int64), common.col.astype(np.int64), alike, count)
    names = known.to_pylist()
    ids = _ids([parties.take(pa.array(np.sort(now.indices[now.indptr[r] : now.indptr[r + 1]]))) for r in range(count)], kept, names)
    shared = common.data >= _SHARED
    return pa.array(ids, pa.string()).take(pa.array(ring)), _events(ids, names, kept, common.row[shared], common.col[shared])


def _by_members(ring: Ints, member: Ints) -> Ints:
    """Number the rings anew, in the order of their members: what is chosen of two as good ones does not hang on the order of rows."""
    order = np.lexsort((member, ring))
    begin = np.flatnonzero(np.diff(ring[order], prepend=-1))
    members = [tuple(each.tolist()) for each in np.split(member[order], begin[1:])]
    rank = np.empty(begin.size, np.int64)
    rank[sorted(range(begin.size), key=members.__getitem__)] = np.arange(begin.size)
    found = np.empty(ring.size, np.int64)
    found[order] = np.repeat(rank, np.diff(np.append(begin, ring.size)))
    return found


def _matched(ring: Ints, earlier: Ints, alike: np.ndarray[tuple[int], np.dtype[np.float64]], count: int) -> Ints:
    """Give each earlier ring to at most one ring, those most alike first; -1 where a ring gets none."""
    kept, taken = np.full(count, -1), set()
    for place in np.lexsort((earlier, ring, -alike)).tolist():
        if alike[place] < _ALIKE:
            break
        if kept[ring[place]] < 0 and earlier[place] not in taken:
            kept[ring[place]] = earlier[place]
            taken.add(earlier[place])
    return kept


def _ids(members: list[pa.Array], kept: Ints, names: list[str]) -> list[str]:
    """Return the ids: the kept ones, and digests of the members that no earlier ring bears."""
    ids, known = [], set(names)
    for each, place in zip(members, kept.tolist(), strict=True):
        text = "\n".join(str(member) for member in each.to_pylist())
        fresh = ""
        while place < 0 and (not fresh or fresh in known):
            text += "\n" if fresh else ""
            fresh = f"ring:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
        ids.append(names[place] if place >= 0 else fresh)
        known.add(ids[-1])
    return ids


def _events(ids: list[str], names: list[str], kept: Ints, ring: Ints, earlier: Ints) -> pa.Table:
    """Tell what became of which ring, in the order of event and ids."""
    now, then = np.bincount(ring, minlength=len(ids)), np.bincount(earlier, minlength=len(names))
    told: list[tuple[str, str | None, str | None]] = [("kept", ids[r], names[place]) for r, place in enumerate(kept.tolist()) if place >= 0]
    parted = (then[earlier] > 1) | (now[ring] > 1)
    went, came = set(earlier[parted].tolist()), set(ring[parted].tolist())
    told += [("new", ids[r], None) for r in range(len(ids)) if kept[r] < 0 and r not in came]
    told += [("ended", None, names[e]) for e in range(len(names)) if e not in kept and e not in went]
    for r, e in zip(ring.tolist(), earlier.tolist(), strict=True):
        told += [(event, ids[r], names[e]) for event, others in (("split", then[e]), ("merged", now[r])) if others > 1]
    told.sort(key=lambda row: (row[0], row[1] or "", row[2] or ""))
    return pa.table({name: pa.array([row[i] for row in told], pa.string()) for i, name in enumerate(("event", "ring_id", "earlier_id"))})
