"""What borrowers pay in the days after a loan was paid out to them.

Knows which accounts are a borrower's and which payments follow a pay-out; hides the joins, in the engine and in Arrow.
"""

from __future__ import annotations

from typing import Protocol

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg.graph import Graph
from kg.payments import loan_money
from kg.payments.transfers import to_owners, usable

_DAY = 86_400_000_000
#: Columns of transfers that are asked for, beside which a rule may want others (``purpose``).
COLUMNS = ("id", "src", "dst", "amount_fen", "currency", "at")


class Within(Protocol):
    """Parameters that say for how many days payments after a pay-out are looked at."""

    @property
    def within_days(self) -> int:
        """Days of 24 hours, inclusive."""
        ...


def after_pay_outs(transfers: ir.Table, graph: Graph, parameters: Within) -> ir.Table:
    """Leave out transfers that no borrower made in the days after a pay-out: an Ibis step, for `kg.rule.Need.narrow`."""
    out, borrowed, owners = (graph.edges(name) for name in ("PAID_OUT_TO", "BORROWED", "OWNS_ACCOUNT"))
    lent = out.select(loan="src", _from="at").inner_join(borrowed.select(loan="dst", borrower="src"), "loan")
    own = lent.inner_join(owners.select(borrower="src", _account="dst"), "borrower")
    spans = own.select("_account", "_from", _until=own["_from"] + ibis.interval(days=parameters.within_days)).distinct()
    joined = transfers.semi_join(
        spans, [transfers.src == spans["_account"], transfers["at"] >= spans["_from"], transfers["at"] <= spans["_until"]]
    )
    return joined


def spent(given: dict[str, pa.Table], within_days: int) -> pa.Table:
    """Return the payments of borrowers in the days after each pay-out.

    Parameters
    ----------
    given
        ``PAID_OUT_TO``, ``BORROWED``, ``OWNS_ACCOUNT`` and ``TRANSFERRED_TO`` (`COLUMNS` and any others).

    Returns
    -------
    Table
        A row for each pay-out, borrower and usable transfer from an account of the borrower to another party, at the pay-out's time or up
        to ``within_days`` later: ``payout, loan, out_fen, out_at, borrowed, borrower`` and the transfer's columns; ``dst`` is a party where
        the account has one owner.
    """
    out = loan_money.payouts(given["PAID_OUT_TO"], given["BORROWED"]["dst"])
    lent = pa.table({"payout": out["id"], "loan": out["src"], "out_fen": out["amount_fen"], "out_at": out["at"]})
    lent = lent.join(
        given["BORROWED"].select(["id", "src", "dst"]).rename_columns(["borrowed", "borrower", "loan"]), "loan", join_type="inner"
    )
    moved = to_owners(given["TRANSFERRED_TO"], given["OWNS_ACCOUNT"])
    moved = moved.take(pa.array(usable(moved)))
    moved = moved.filter(pc.is_in(moved["src"], value_set=pc.unique(lent["borrower"])))
    both = lent.join(moved, "borrower", "src", join_type="inner")
    later = pc.subtract(both["at"].cast(pa.int64()), both["out_at"].cast(pa.int64()))
    return both.filter(pc.and_(pc.greater_equal(later, 0), pc.less_equal(later, within_days * _DAY)))
