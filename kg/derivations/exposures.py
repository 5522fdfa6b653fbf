"""A bank's exposures and capital as tables state them: checked, added up by party, as they are on a day.

Knows the columns, where mitigation moves exposure, and what is no sound capital; hides the numbering. Limits are held against this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.groups import Bools
from kg.algorithms.kernel import Ints
from kg.errors import UsageError, did_you_mean_one_of
from kg.ownership.holdings import Parties, held_on, numbered_alike
from kg.ruleset import Limit
from kg.tables import first_row, refuse_flags, refuse_ids, refuse_missing, refuse_nulls, refuse_shares, refuse_words

#: Kinds of exposure; a loan is general, a credit.
KINDS = ("loan", "specific", "trading", "counterparty", "potential", "other")
#: More fen than this cannot be added up.
MOST = 2**62


@dataclass(frozen=True)
class Amounts:
    """Fen by party: all exposure after mitigation, and loans as they were lent; ``there`` tells who is a client."""

    exposure: Ints
    loans: Ints
    there: Bools

    def of(self, limit: Limit) -> Ints:
        """Return what counts under a limit."""
        return self.loans if limit.covers == "loans" else self.exposure


@dataclass(frozen=True)
class Book:
    """What limits are held against: parties and groups by number, and who belongs where.

    Attributes
    ----------
    ids, group_ids
        Behind the numbers, in their order.
    group, member, because
        A row for each member of each group.
    bank, insider
        By party; ``insider`` is None where nothing is said of insiders.
    """

    ids: pa.Array
    group_ids: pa.Array
    group: Ints
    member: Ints
    because: pa.Array
    amounts: Amounts
    bank: Bools
    insider: Bools | None


@dataclass(frozen=True)
class Told:
    """Tables that tell of the bank's own limits, and which parties are banks and which insiders."""

    internal: pa.Table | None
    parties: pa.Table | None
    insiders: pa.Table | None


def _refuse(groups: pa.Table, exposures: pa.Table) -> None:
    refuse_nulls("groups", groups, ("group_id", "party", "because"))
    refuse_nulls("exposures", exposures, ("party", "kind", "amount_fen"))
    refuse_ids("groups", groups, ("party",))
    refuse_ids("exposures", exposures, [name for name in ("party", "provider") if name in exposures.column_names])
    refuse_words("exposures", exposures, ("kind",))
    known = pc.is_in(exposures["kind"].cast(pa.string()), value_set=pa.array(KINDS))
    if (row := first_row(pc.invert(known))) is not None:
        said = exposures["kind"][row].as_py()
        raise UsageError(f"exposures row {row}: there is no kind '{said}'{did_you_mean_one_of(said, KINDS)}")
    refuse_amounts("exposures", exposures, "amount_fen")
    if "mitigated_fen" not in exposures.column_names:
        return
    refuse_missing("exposures with mitigated_fen", exposures, ("provider",))
    refuse_amounts("exposures", exposures, "mitigated_fen")
    mitigated = exposures["mitigated_fen"]
    if (row := first_row(pc.greater(mitigated, exposures["amount_fen"]))) is not None:
        raise UsageError(f"exposures row {row}: mitigated_fen is {mitigated[row]}, more than amount_fen, {exposures['amount_fen'][row]}")
    if (row := first_row(pc.and_(pc.greater(mitigated, 0), pc.is_null(exposures["provider"])))) is not None:
        raise UsageError(f"exposures row {row}: provider is null; name who bears the {mitigated[row]} fen that are mitigated")


def refuse_amounts(name: str, table: pa.Table, column: str) -> None:
    """Refuse amounts that are not whole fen from 0 up, or more together than can be added up.

    Raises
    ------
    UsageError
        With the first such row.
    """
    amounts = table[column]
    refuse_shares(name, table, (column,), "amounts are whole fen, in integers")
    if (row := first_row(pc.less(amounts, 0))) is not None:
        raise UsageError(f"{name} row {row}: {column} is {amounts[row]}; an amount is 0 or more")
    if (pc.sum(amounts.cast(pa.float64(), safe=False)).as_py() or 0) > MOST:
        raise UsageError(f"{name}: {column} come to more than {MOST} together; are they in fen?")


def read_capital(capital: pa.Table, as_of: date | None) -> dict[str, int]:
    """Return the bank's capital on the day in fen, by the name that limits use.

    Raises
    ------
    UsageError
        If there is not one row on the day, or it is wrong.
    """
    columns = ("net_capital_fen", "tier_1_fen")
    refuse_nulls("capital", capital, columns)
    for column in columns:
        refuse_amounts("capital", capital, column)
    rows = held_on(capital.append_column("_row", pa.array(np.arange(len(capital)))), as_of)
    day = f"on {as_of}" if as_of else "without an end"
    if not rows.num_rows:
        raise UsageError(f"capital: no row holds {day}; give one with net_capital_fen and tier_1_fen")
    if rows.num_rows > 1:
        one, other, *_ = rows["_row"].to_pylist()
        raise UsageError(f"capital rows {one} and {other} both hold {day}; a bank has one capital on a day: end the older one by valid_to")
    return {column.removesuffix("_fen"): rows[column][0].as_py() for column in columns}


def read_book(groups: pa.Table, exposures: pa.Table, told: Told, as_of: date | None) -> Book:
    """Read groups and the exposures of the day, see `kg.derivations.limits.aggregate_exposure`.

    Raises
    ------
    UsageError
        If a row is wrong.
    """
    _refuse(groups, exposures)
    exposures, internal = held_on(exposures, as_of), told.internal
    moved = exposures.filter(pc.greater(exposures["mitigated_fen"], 0)) if "mitigated_fen" in exposures.column_names else exposures[:0]
    provider = moved["provider"] if "mitigated_fen" in exposures.column_names else moved["party"]
    owned = pa.array([], pa.string()) if internal is None or "party" not in internal.column_names else internal["party"].drop_null()
    columns = (exposures["party"], groups["party"], provider, owned)
    ids, (party, member, bearer, _) = numbered_alike("exposures, groups and internal", *columns)
    group_ids, (group,) = numbered_alike("groups", groups["group_id"].cast(pa.string()))
    _refuse_twice(group, member, len(ids))
    amounts = _amounts(exposures, party, (moved, bearer), len(ids))
    known = Parties(ids, np.empty(0, np.int64), np.empty(0, np.bool_))
    if told.parties is not None:
        refuse_flags("parties", told.parties, ("bank",))
    banks = None if told.parties is None or "bank" not in told.parties.column_names else told.parties.filter(told.parties["bank"])
    bank, insider = (_named(known, table) for table in (banks, told.insiders))
    because = groups["because"].cast(pa.string())
    return Book(ids, group_ids, group, member, because, amounts, bank, None if told.insiders is None else insider)


def _refuse_twice(group: Ints, member: Ints, count: int) -> None:
    """Refuse a party that is twice in a group: it would count twice."""
    _, first = np.unique(group * max(count, 1) + member, return_index=True)
    if first.size < group.size:
        row = int(np.setdiff1d(np.arange(group.size), first)[0])
        raise UsageError(f"groups row {row}: the party is in this group already; give each member once")


def _named(known: Parties, table: pa.Table | None) -> Bools:
    """Tell which parties a table names."""
    found = np.zeros(len(known), np.bool_)
    if table is not None:
        refuse_nulls("insiders and parties", table, ("party",))
        refuse_ids("insiders and parties", table, ("party",), known.ids.type if len(known) else None)
        number = known.numbers(table["party"])
        found[number[number >= 0]] = True
    return found


def _amounts(exposures: pa.Table, party: Ints, moved: tuple[pa.Table, Ints], count: int) -> Amounts:
    """Add up what counts with each party."""
    rows, bearer = moved
    amount = exposures["amount_fen"].cast(pa.int64()).to_numpy()
    is_loan = pc.equal(exposures["kind"].cast(pa.string()), "loan").to_numpy()
    exposure, loans, there = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.bool_)
    np.add.at(exposure, party, amount)
    np.add.at(loans, party[is_loan], amount[is_loan])
    there[party] = True
    if rows.num_rows:
        borne = rows["mitigated_fen"].cast(pa.int64()).to_numpy()
        mitigated = pc.fill_null(exposures["mitigated_fen"].cast(pa.int64()), 0).to_numpy()
        np.subtract.at(exposure, party, mitigated)
        np.add.at(exposure, bearer, borne)
        there[bearer] = True
    return Amounts(exposure, loans, there)
