"""The unified limit 统一额度: what a bank's exposures to clients and groups leave of the limits of a rule set.

An exposure counts where the risk lies: what a protection provider covers is the provider's. Everything is whole fen; what reaches a limit
is within it.

References
----------
.. [1] 商业银行大额风险暴露管理办法, 2018; 商业银行法 第三十九条 (loans to one borrower: the balance lent, whatever secures it).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.groups import Bools
from kg.algorithms.kernel import Ints
from kg.derivations.exposures import MOST, Book, Told, read_book, read_capital, refuse_amounts
from kg.errors import UsageError
from kg.ownership.holdings import Parties
from kg.ruleset import WHOLE, Limit, RuleSet
from kg.tables import refuse_nulls

INTERNAL = "internal limit"
INSIDERS = "insiders"


def aggregate_exposure(
    groups: pa.Table,
    exposures: pa.Table,
    capital: pa.Table,
    rules: RuleSet,
    *,
    internal: pa.Table | None = None,
    insiders: pa.Table | None = None,
    parties: pa.Table | None = None,
    as_of: date | None = None,
) -> pa.Table:
    """Hold exposures against the limits of a rule set, by client and by group.

    Parameters
    ----------
    groups
        ``group_id, party, because`` as `kg.derivations.groups.find_groups` returns them.
    exposures
        ``party, kind, amount_fen``, optional ``mitigated_fen, provider`` (of which so much counts as exposure to the provider),
        ``valid_from, valid_to``. ``kind`` is ``loan`` (general), ``specific``, ``trading``, ``counterparty``, ``potential`` or
        ``other``. A client without exposure has limits too where it has a row of 0.
    capital
        ``net_capital_fen, tier_1_fen``, optional ``valid_from, valid_to``: one row on the day.
    rules
        Its limits. Where they cover loans, these count with who borrowed them, whoever protects them.
    internal
        The bank's own limits: ``party`` or ``group_id`` (or both, one of them null), ``limit_fen``, for all exposure; the least, where
        there are several. One for a group that there is not is left out.
    insiders
        ``party``: of a rule set on insiders, clients and groups with an insider in them alone have limits; without this table all do.
    parties
        ``party, bank``: a client that is a bank has the limits of banks in the place of those of clients; notices are for all.
    as_of
        Rows that hold on that day; by default those whose ``valid_to`` is null.

    Returns
    -------
    Table
        ``group_id, limit, used_fen, headroom_fen, breach, members, edges``: limit by limit as the rule set has them, the internal ones
        last; each in the order of ``group_id``, which is the party's id as a string for a client and ``insiders`` for them. ``limit`` says
        it in words (``internal limit`` for the bank's own). ``headroom_fen`` is negative where the limit is passed, and ``breach`` true;
        of a notice that means a large exposure. ``members`` are the parties with exposure that counts, the largest first, ``edges``
        the reasons by which each belongs to the group (none for a client).

    Raises
    ------
    UsageError
        If a row is wrong, or there is not one row of capital on the day.

    Examples
    --------
    >>> from kg.rulesets import get
    >>> groups = pa.table({"group_id": ["g", "g"], "party": ["a", "b"], "because": ["controls", "controlled by a with 510000 ppm"]})
    >>> exposures = pa.table({"party": ["a", "b"], "kind": ["loan", "other"], "amount_fen": [500, 1_501]})
    >>> capital = pa.table({"net_capital_fen": [10_000], "tier_1_fen": [10_000]})
    >>> found = aggregate_exposure(groups, exposures, capital, get("CN-LE-2018"))
    >>> found.filter(pc.equal(found["group_id"], "g")).select(["used_fen", "headroom_fen", "breach", "members"]).to_pylist()
    [{'used_fen': 2001, 'headroom_fen': -1, 'breach': True, 'members': ['b', 'a']}]
    """
    base = read_capital(capital, as_of)
    book = read_book(groups, exposures, Told(internal, parties, insiders), as_of)
    found = [_by_limit(book, rules, limit, limit.ppm * base[limit.base] // WHOLE) for limit in rules.limits]
    if internal is not None:
        found += _by_internal(book, internal)
    return pa.concat_tables([_none(book), *found])


def headroom(found: pa.Table, groups: pa.Table, of: str | int, rules: RuleSet, *, insiders: pa.Table | None = None) -> pa.Table:
    """Return the limits that bind one party, alone and in its groups, or one group: the least headroom first, notices left out.

    Parameters
    ----------
    found
        From `aggregate_exposure`, under the same rules.
    groups
        ``group_id, party``.
    of
        A party, or the id of a group.
    insiders
        ``party``; where the party is one, what is left for all insiders binds it too.

    Returns
    -------
    Table
        Rows of ``found``; those of the first say how much may still be lent, and who and what caused it.

    Raises
    ------
    UsageError
        If clients have limits under the rules and ``found`` knows none of this one.

    Examples
    --------
    >>> from kg.rulesets import get
    >>> groups = pa.table({"group_id": ["g", "g"], "party": ["a", "b"], "because": ["controls", "controlled by a with 510000 ppm"]})
    >>> exposures = pa.table({"party": ["a", "b"], "kind": ["other", "other"], "amount_fen": [0, 1_500]})
    >>> capital = pa.table({"net_capital_fen": [10_000], "tier_1_fen": [10_000]})
    >>> found = aggregate_exposure(groups, exposures, capital, get("CN-LE-2018"))
    >>> headroom(found, groups, "a", get("CN-LE-2018")).select(["group_id", "headroom_fen", "members"]).to_pylist()[0]
    {'group_id': 'g', 'headroom_fen': 500, 'members': ['b']}
    """
    mine = pc.equal(groups["party"].cast(pa.string()), str(of))
    own = pc.equal(found["group_id"], str(of))
    of_all = any(limit.of == "client" for limit in rules.limits) and not any(limit.of == INSIDERS for limit in rules.limits)
    is_group = pc.any(pc.equal(groups["group_id"].cast(pa.string()), str(of))).as_py()
    if of_all and not is_group and not pc.any(own).as_py():
        raise UsageError(f"exposures name no {of}; give a client that owes nothing a row of 0")
    binding = [str(of), *groups["group_id"].filter(mine).to_pylist()]
    if insiders is not None and pc.any(pc.equal(insiders["party"].cast(pa.string()), str(of))).as_py():
        binding.append(INSIDERS)
    notices = pa.array([str(limit) for limit in rules.limits if limit.kind == "notice"], pa.string())
    rows = found.filter(
        pc.and_(pc.is_in(found["group_id"], value_set=pa.array(binding)), pc.invert(pc.is_in(found["limit"], value_set=notices)))
    )
    return rows.take(np.argsort(rows["headroom_fen"].to_numpy(), kind="stable"))


def _by_limit(book: Book, rules: RuleSet, limit: Limit, most: int) -> pa.Table:
    """Return the rows of one limit, of so many fen."""
    amount = book.amounts.of(limit)
    everybody = np.full(len(book.ids), True)
    of_insiders = any(each.of == INSIDERS for each in rules.limits)
    meant = everybody if book.insider is None or not of_insiders else book.insider
    if limit.of == "group":
        groups = np.unique(book.group[meant[book.member]])
        return _group_rows(book, groups, amount, str(limit), np.full(groups.size, most))
    if limit.of == INSIDERS:
        return _none(book) if book.insider is None else _all_insiders(book, book.insider, limit, most)
    ours = book.bank if limit.of == "bank" else everybody if limit.kind == "notice" else ~book.bank
    clients = np.flatnonzero(book.amounts.there & meant & ours)
    return _client_rows(book, clients, amount, str(limit), np.full(clients.size, most))


def _group_rows(book: Book, groups: Ints, amount: Ints, limit: str, most: Ints) -> pa.Table:
    """Return a row for each of some groups, with its members that owe anything."""
    place = np.full(len(book.group_ids), -1)
    place[groups] = np.arange(groups.size)
    row = np.flatnonzero((place[book.group] >= 0) & (amount[book.member] > 0)) if groups.size else np.empty(0, np.int64)
    row = row[np.lexsort((book.member[row], -amount[book.member[row]], place[book.group[row]]))]
    group, member = place[book.group[row]], book.member[row]
    used = np.zeros(groups.size, np.int64)
    np.add.at(used, group, amount[member])
    start = np.searchsorted(group, np.arange(groups.size + 1))
    members, edges = _lists(start, book.ids.take(pa.array(member))), _lists(start, book.because.take(pa.array(row)))
    return _rows(book.group_ids.take(pa.array(groups)), limit, (used, most), members, edges)


def _client_rows(book: Book, clients: Ints, amount: Ints, limit: str, most: Ints) -> pa.Table:
    """Return a row for each of some parties alone."""
    used = amount[clients]
    start = np.concatenate([[0], np.cumsum(used > 0)])
    members = _lists(start, book.ids.take(pa.array(clients[used > 0])))
    nothing = _lists(np.zeros(clients.size + 1, np.int64), pa.array([], pa.string()))
    return _rows(book.ids.take(pa.array(clients)).cast(pa.string()), limit, (used, most), members, nothing)


def _all_insiders(book: Book, insider: Bools, limit: Limit, most: int) -> pa.Table:
    """Return the one row of all insiders together."""
    amount = book.amounts.of(limit)
    who = np.flatnonzero(insider & (amount > 0))
    who = who[np.argsort(-amount[who], kind="stable")]
    members = _lists(np.array([0, who.size]), book.ids.take(pa.array(who)))
    edges = _lists(np.array([0, 0]), pa.array([], pa.string()))
    return _rows(pa.array([INSIDERS]), str(limit), (amount[who].sum(keepdims=True), np.array([most])), members, edges)


def _by_internal(book: Book, internal: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows of the bank's own limits: of clients, then of groups."""
    refuse_nulls("internal limits", internal, ("limit_fen",))
    refuse_amounts("internal limits", internal, "limit_fen")
    given = [name for name in ("party", "group_id") if name in internal.column_names]
    one = sum((pc.is_valid(internal[name]).cast(pa.int8()).to_numpy() for name in given), np.zeros(len(internal), np.int8))
    if (one != 1).any():
        raise UsageError(f"internal limits row {int(np.argmax(one != 1))}: give it either a party or a group_id")
    known = Parties(book.ids, np.empty(0, np.int64), np.empty(0, np.bool_))
    for name in given:
        rows = internal.filter(pc.is_valid(internal[name]))
        number = known.numbers(rows[name]) if name == "party" else _places(book.group_ids, rows[name])
        limits = rows["limit_fen"].cast(pa.int64()).to_numpy()[number >= 0]
        who, place = np.unique(number[number >= 0], return_inverse=True)
        most = np.full(who.size, MOST)
        np.minimum.at(most, place, limits)
        yield (_client_rows if name == "party" else _group_rows)(book, who, book.amounts.exposure, INTERNAL, most)


def _places(ids: pa.Array, column: pa.ChunkedArray) -> Ints:
    found: Ints = pc.fill_null(pc.index_in(column.cast(pa.string()), value_set=ids), -1).to_numpy().astype(np.int64)
    return found


def _lists(start: Ints, values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return lists of values, each from one place to the next."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pa.ListArray.from_arrays(pa.array(start, pa.int32()), whole)


def _rows(names: pa.Array, limit: str, fen: tuple[Ints, Ints], members: pa.Array, edges: pa.Array) -> pa.Table:
    used, most = fen
    return pa.table(
        {
            "group_id": names,
            "limit": pa.repeat(limit, len(names)),
            "used_fen": used,
            "headroom_fen": most - used,
            "breach": used > most,
            "members": members,
            "edges": edges,
        }
    )


def _none(book: Book) -> pa.Table:
    """Return no rows."""
    return _client_rows(book, np.empty(0, np.int64), book.amounts.exposure, INTERNAL, np.empty(0, np.int64))
