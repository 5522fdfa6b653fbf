"""Loans as rules follow their money: pay-outs that can be followed, and the circle of those to whom money may return.

Knows which ties put a party into the circle of a loan, and which pay-outs can be followed; hides the tables' order.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from kg.ownership.registers import majorities


def circle(loans: pa.Array, borrowed: pa.Table, leads: pa.Table, holdings: pa.Table, *, owners: bool = False) -> pa.Table:
    """Return the parties of loans' circles: borrowers, the companies that they represent, and those that they hold above 50 %.

    Parameters
    ----------
    loans
        Ids of the loans.
    borrowed, leads, holdings
        ``BORROWED`` (``id, src, dst``), ``REPRESENTS`` (``id, src, dst``), ``HOLDS_SHARES`` (``id, src, dst, share_ppm, source``). Rows of
        one source are added up, the source that says most counts.
    owners
        Whether those who represent a borrower or hold it above 50 % are in the circle too.

    Returns
    -------
    Table
        ``loan, party, borrower, borrowed, link``: the ids of the relationships that put a party into it, ``link`` null for the borrower.
    """
    wanted = pa.table({"loan": pc.unique(loans)})
    borrowed = borrowed.rename_columns(["borrowed", "borrower", "loan"]).join(wanted, "loan", join_type="inner")
    borrowers = pc.unique(borrowed.column("borrower"))
    own = borrowed.append_column("party", borrowed.column("borrower")).append_column("link", pa.nulls(borrowed.num_rows, pa.string()))
    names, parts = ["loan", "party", "borrower", "borrowed", "link"], [own]
    for end, other in (("src", "dst"), ("dst", "src"))[: 1 + owners]:
        led, held = (rows.filter(pc.is_in(rows.column(end), value_set=borrowers)) for rows in (leads, holdings))
        ties = pa.concat_tables([led.select(["id", end, other]), majorities(held).select(["id", end, other])])
        parts.append(borrowed.join(ties.rename_columns(["link", "borrower", "party"]), "borrower", join_type="inner"))
    return pa.concat_tables([part.select(names) for part in parts])


def payouts(rows: pa.Table, loans: pa.Array) -> pa.Table:
    """Return the pay-outs of some loans that can be followed, sorted by id: those with an account, a time and an amount above 0.

    Parameters
    ----------
    rows
        ``PAID_OUT_TO``: ``id, src, dst, amount_fen, at``.
    """
    good = pc.and_(pc.greater(rows.column("amount_fen"), 0), pc.is_in(rows.column("src"), value_set=pc.unique(loans)))
    return rows.filter(pc.and_(good, pc.and_(rows.column("at").is_valid(), rows.column("dst").is_valid()))).sort_by("id")


def guaranteed(given: pa.Table, borrowed: pa.Table) -> pa.Table:
    """Return who guarantees whom: a guarantee of a loan is one of each of its borrowers; guarantees for oneself are left out.

    Parameters
    ----------
    given, borrowed
        ``GUARANTEES`` (``id, src, dst`` and any others) and ``BORROWED`` (``id, src, dst``).

    Returns
    -------
    Table
        The columns of ``given``, ``dst`` a party, and ``loan_link``: the borrowing through which it counts, null where there is none.

    Examples
    --------
    >>> given = pa.table({"id": ["g"], "src": ["person:x:p"], "dst": ["loan:x:1"]})
    >>> guaranteed(given, pa.table({"id": ["b"], "src": ["company:x:c"], "dst": ["loan:x:1"]})).to_pylist()
    [{'id': 'g', 'src': 'person:x:p', 'dst': 'company:x:c', 'loan_link': 'b'}]
    """
    borrowed = borrowed.select(["id", "src", "dst"]).rename_columns(["loan_link", "borrower", "dst"])
    to_loan = pc.starts_with(given.column("dst"), "loan:")
    for_loan = given.filter(to_loan).join(borrowed, "dst", join_type="inner").drop_columns(["dst"]).rename_columns({"borrower": "dst"})
    direct = given.filter(pc.invert(to_loan))
    direct = direct.append_column("loan_link", pa.nulls(direct.num_rows, pa.string()))
    both = pa.concat_tables([direct, for_loan.select(direct.column_names)])
    return both.filter(pc.not_equal(both.column("src"), both.column("dst")))
