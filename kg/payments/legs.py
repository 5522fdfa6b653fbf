"""Findings that consist of transfers, as rules tell them: parties that stand on the legs of a case, each with all its legs as evidence."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.temporal_paths import Flow
from kg.rule import listed


def legs(money: Flow, names: tuple[Interner, pa.ChunkedArray], case: Ints, transfer: Ints, *, side: int) -> pa.Table:
    """Return transfers as legs of cases: ``case, side, id, fen, at, payer, payee``.

    Parameters
    ----------
    names
        The accounts or parties behind the numbers of ``money``, and the ids of the rows that its transfers stand in.
    case, transfer : int64, shape (n,)
        The number of the case and the transfer's.
    side
        Where the legs stand in the evidence; what stands further back is listed later.
    """
    accounts, ids = names
    return pa.table(
        {
            "case": case,
            "side": np.full(len(case), side),
            "id": ids.take(pa.array(money.row[transfer])),
            "fen": money.amount[transfer],
            "at": money.at[transfer],
            "payer": accounts.names(money.payer[transfer]),
            "payee": accounts.names(money.payee[transfer]),
        }
    )


def told(rows: pa.Table, roots: pa.Table, owners: pa.Table, *, counted: int, members: pa.Table | None = None) -> pa.Table:
    """Give each party of a case a finding with all its legs.

    Parameters
    ----------
    rows
        As `legs` gives them, those of several sides one after the other; the same leg twice counts once.
    roots
        ``case, root``: by what each case is known from night to night.
    owners
        ``OWNS_ACCOUNT``: who of those on the legs is a party, and no account.
    counted
        The side whose amounts are summed up.
    members
        ``case, entity_id``; by default all who stand on its legs.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`; ``at`` is the time of the last leg.
    """
    rows = rows.group_by(rows.column_names).aggregate([])
    at = rows.group_by("case").aggregate([("at", "max")])
    sums = rows.filter(pc.equal(rows["side"], counted)).group_by("case").aggregate([("fen", "sum")])
    cases = pa.table({"case": at["case"], "at": at["at_max"].cast(pa.timestamp("us", "UTC"))})
    cases = cases.join(sums.rename_columns({"fen_sum": "amount_fen"}), "case").join(roots, "case", join_type="inner")
    if members is None:
        members = pa.concat_tables([rows.select(["case", end]).rename_columns(["case", "entity_id"]) for end in ("payer", "payee")])
    known = pc.is_in(members["entity_id"], value_set=pc.unique(owners["src"]))
    members = members.filter(known).group_by(["case", "entity_id"]).aggregate([])
    members = members.append_column("finding", pa.array(np.arange(members.num_rows)))
    evidence = members.select(["case", "finding"]).join(rows.select(["case", "side", "id"]), "case", join_type="inner")
    evidence = evidence.rename_columns({"side": "position"})
    return listed(members.join(cases, "case", join_type="inner"), evidence.select(["finding", "position", "id"]))
