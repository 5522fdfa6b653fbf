"""What parties share: devices, contacts, addresses, persons in the register, and marks of having been registered together.

Knows which tables say who has what; hides how an attribute is numbered. Each is told as one `Sharing`, with its cap still to be applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import joined
from kg.derivations.linked.evidence import Names, World

#: Forms of companies at the end of a name, brackets and marks of number: what is left tells who it is.
_FORM = "(有限责任公司|股份有限公司|集团有限公司|有限公司|集团|公司|商行|经营部|合伙企业)$"
_MARKS = r"[（(].*?[)）]|[0-9一二三四五六七八九十壹贰叁号第\s]"
#: Registration numbers so near to one another count as following one another; days likewise.
_NEAR_NUMBERS, _NEAR_DAYS = 4, 1


class Sharing(NamedTuple):
    """Who has which attribute.

    Attributes
    ----------
    type
        As in the caps.
    attribute, party : int64, shape (n,)
    ids
        By which an officer finds an attribute, by its number, as text; None where it is no node.
    table, row
        The relationships that say so, and the row of each.
    """

    type: str
    attribute: Ints
    party: Ints
    ids: pa.Array | None
    table: pa.Table
    row: Ints


def sharings(world: World) -> Iterator[Sharing]:
    """Yield what the parties share, type by type."""
    yield from _devices(world)
    yield from _places(world, "contact", "reached_at")
    yield from _places(world, "address", "located_at")
    yield from _posts(world, "representative", "represents")
    yield from _posts(world, "officer", "officers")
    yield from _officer_names(world)
    yield from _registered_together(world)
    yield from _names(world)


def without_hubs(world: World, sharing: Sharing) -> Sharing:
    """Return what is shared without the attributes and parties that are known to be hubs."""
    kept = ~world.hub[sharing.party]
    if world.graph.hubs is not None and sharing.ids is not None:
        hub = pc.is_in(sharing.ids, value_set=world.graph.hubs["id"].cast(pa.string()).combine_chunks()).to_numpy(zero_copy_only=False)
        kept &= ~hub[sharing.attribute]
    return sharing._replace(attribute=sharing.attribute[kept], party=sharing.party[kept], row=sharing.row[kept])


def _devices(world: World) -> Iterator[Sharing]:
    signed, owned = world.graph.signed_in, world.graph.owns_account
    if signed is None or owned is None:
        return
    device, (number,) = Names.of([signed["src"]])
    _, (at, of) = Names.of([signed["dst"], owned["dst"]])
    row, owner = joined(at, of)
    (party,) = world.ends("owns_account", "src")
    yield Sharing("device", number[row], party[owner], device.ids.cast(pa.string()), signed, row)


def _places(world: World, type_: str, name: str) -> Iterator[Sharing]:
    table = getattr(world.graph, name)
    if table is not None:
        names, (number,) = Names.of([table["dst"]])
        (party,) = world.ends(name, "src")
        yield Sharing(type_, number, party, names.ids.cast(pa.string()), table, np.arange(table.num_rows))


def _posts(world: World, type_: str, name: str) -> Iterator[Sharing]:
    table = getattr(world.graph, name)
    if table is not None:
        person, company = world.ends(name)
        yield Sharing(type_, person, company, world.names.ids.cast(pa.string()), table, np.arange(table.num_rows))


def _officer_names(world: World) -> Iterator[Sharing]:
    """Yield companies by the names of those in their offices, where several persons bear the name."""
    persons, table = world.graph.persons, world.graph.officers
    if persons is None or table is None or "name" not in persons.column_names:
        return
    _, (name,) = Interner.encode(persons["name"])
    of = np.full(world.n, -1)
    of[world.ends("persons", "id")[0]] = name
    bearers = np.bincount(name[name >= 0], minlength=1)
    person, company = world.ends("officers")
    row = np.flatnonzero(of[person] >= 0)
    row = row[bearers[of[person[row]]] > 1]
    yield Sharing("officer_name", of[person[row]], company[row], None, table, row)


def _registered_together(world: World) -> Iterator[Sharing]:
    """Yield companies by the run of numbers, and of days, in which they were registered at one place."""
    table = world.graph.companies
    if table is None or not {"uscc", "region"} & set(table.column_names):
        return
    (party,) = world.ends("companies", "id")
    code = table["uscc"].cast(pa.string()) if "uscc" in table.column_names else _none(table)
    region = table["region"] if "region" in table.column_names else pc.utf8_slice_codeunits(code, 2, 8)
    _, (place,) = Interner.encode(region)
    parts, count = [], 0
    for value, near in ((_serial(code), _NEAR_NUMBERS), (_days(table), _NEAR_DAYS)):
        rows = np.flatnonzero((place >= 0) & (value >= 0))
        run = _runs(place[rows], value[rows], near)
        parts.append((run + count, rows))
        count += int(run.max(initial=-1)) + 1
    run, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    yield Sharing("registration", run, party[rows], None, table, rows)


def _none(table: pa.Table) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])


def _serial(code: pa.ChunkedArray) -> Ints:
    """Return the organisation code in positions 9 to 16 of a unified code as a number, -1 where there is none."""
    fits = pc.fill_null(pc.match_substring_regex(code, "^[0-9A-Z]{18}$"), False)
    body = pc.utf8_slice_codeunits(pc.if_else(fits, code, "0" * 18), 8, 16)
    signs = _bytes(body)
    digit = np.where(signs >= ord("A"), signs - ord("A") + 10, signs - ord("0")).astype(np.int64)
    number = digit @ (36 ** np.arange(7, -1, -1))
    return np.where(fits.to_numpy(zero_copy_only=False), number, -1)


def _bytes(body: pa.ChunkedArray) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return texts of 8 ASCII signs as rows of bytes."""
    text = body.combine_chunks().cast(pa.binary()).cast(pa.binary(8))
    size = len(text)
    return np.frombuffer(text.buffers()[1], np.uint8, size * 8, text.offset * 8).reshape(size, 8).astype(np.int64)


def _days(table: pa.Table) -> Ints:
    if "founded_on" not in table.column_names:
        return np.full(table.num_rows, -1)
    days = table["founded_on"].cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    return np.asarray(pc.fill_null(days, -1).to_numpy(), np.int64)


def _runs(place: Ints, value: Ints, near: int) -> Ints:
    """Number the runs of values of one place in which each is near to the one before."""
    order = np.lexsort((value, place))
    far = np.ones(order.size, np.int64)
    far[1:] = (place[order][1:] != place[order][:-1]) | (value[order][1:] - value[order][:-1] > near)
    found = np.empty(order.size, np.int64)
    found[order] = np.cumsum(far) - 1
    return found


def _names(world: World) -> Iterator[Sharing]:
    """Yield companies by their names without place, form and marks of number."""
    table = world.graph.companies
    if table is None or "name" not in table.column_names:
        return
    bare = pc.replace_substring_regex(pc.fill_null(table["name"].cast(pa.string()), ""), pattern=_MARKS, replacement="")
    core = pc.utf8_slice_codeunits(pc.replace_substring_regex(bare, pattern=_FORM, replacement=""), 2)
    core = pc.if_else(pc.greater_equal(pc.utf8_length(core), 3), core, pa.scalar(None, pa.string()))
    _, (number,) = Interner.encode(core)
    rows = np.flatnonzero(number >= 0)
    (party,) = world.ends("companies", "id")
    yield Sharing("name", number[rows], party[rows], None, table, rows)
