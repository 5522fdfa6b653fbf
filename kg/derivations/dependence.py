"""DEPENDS_ON: who lives by another's orders, supplies or credit (经济依存).

A party depends on another from whom at least half of its yearly receipts come, or to whom at least half of its spending goes, by the
invoices of a year; and on the one for whom it guarantees more than its whole capital, as a call would ruin it. What only a person can
judge (that nobody else would buy the goods) is for a source to state.

References
----------
.. [1] 商业银行大额风险暴露管理办法, 2018, on economic dependence; EBA/GL/2017/15, paragraph 25.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from kg.derivation import Derivation, id_of, ppm_of
from kg.engine import union
from kg.graph import Graph
from kg.ruleset import WHOLE, Threshold

#: Part of receipts or spending from which on there is dependence, where the rule set names none.
HALF = Threshold(WHOLE // 2, strict=False)
#: Months in which two must have traded: a single large order makes nobody dependent.
MONTHS = 3


def trade_dependence(invoiced: ir.Table, as_of: date, threshold: Threshold = HALF, months: int = MONTHS) -> ir.Table:
    """Find who gets so large a part of its receipts from one buyer, or spends it at one seller.

    Parameters
    ----------
    invoiced
        ``src`` (seller), ``dst`` (buyer), ``month`` (its first day), ``net_fen``; those of the twelve months up to ``as_of`` count.
    threshold
        The part of the whole that makes dependence.
    months
        Fewest months in which the two traded.

    Returns
    -------
    ir.Table
        ``dependent, on, test, ppm, months``: ``test`` is ``receipts`` or ``spending``, ``ppm`` the part of the
        whole, rounded down, no more than all of it.
    """
    before = date(as_of.year - 1, as_of.month, 1)
    rows = invoiced.filter((invoiced.month > ibis.literal(before)) & (invoiced.month <= ibis.literal(as_of)))
    return union([_depending(rows, ends, threshold, months) for ends in (("src", "dst", "receipts"), ("dst", "src", "spending"))])


def _depending(rows: ir.Table, ends: tuple[str, str, str], threshold: Threshold, months: int) -> ir.Table:
    of, on, test = ends
    pairs = rows.group_by(dependent=rows[of], on=rows[on]).aggregate(part=rows.net_fen.sum().cast("int64"), months=rows.month.nunique())
    sums = rows.group_by(dependent=rows[of]).aggregate(whole=rows.net_fen.sum().cast("int64"))
    joined = pairs.inner_join(sums, "dependent")
    joined = joined.filter((joined.whole > 0) & (joined.part > 0) & (joined.months >= months) & (joined.dependent != joined.on))
    ppm = ibis.least(ppm_of(joined.part, joined.whole), WHOLE)
    counted = joined.select("dependent", "on", test=ibis.literal(test), ppm=ppm, months=joined.months.cast("int64"))
    return counted.filter(counted.ppm >= threshold.ppm + int(threshold.strict))


def guarantee_dependence(guaranteed: ir.Table, companies: ir.Table) -> ir.Table:
    """Find companies that guarantee more for one party than their whole registered capital.

    Parameters
    ----------
    guaranteed
        ``src`` (guarantor), ``dst`` (for whom), ``amount_fen``.
    companies
        ``id, capital_fen``.

    Returns
    -------
    ir.Table
        ``dependent, on, test, ppm, months``: ``test`` is ``guarantee``; ``ppm`` and ``months`` are null.
    """
    sums = guaranteed.group_by(["src", "dst"]).aggregate(amount=guaranteed.amount_fen.sum().cast("int64"))
    joined = sums.inner_join(companies.select(src="id", capital="capital_fen"), "src")
    kept = joined.filter((joined.capital > 0) & (joined.amount > joined.capital) & (joined.src != joined.dst))
    return kept.select(dependent="src", on="dst", test=ibis.literal("guarantee"), ppm=ibis.null("int64"), months=ibis.null("int64"))


def _run(graph: Graph) -> ir.Table:
    invoiced = graph.edges("INVOICED").select("src", "dst", "month", "net_fen")
    found = union(
        [
            trade_dependence(invoiced, graph.as_of, graph.chosen.groups.dependence or HALF),
            guarantee_dependence(_guaranteed(graph), graph.nodes("Company")),
        ]
    )
    key = id_of(found.dependent, found.on, found.test)
    return found.select(id=key, src="dependent", dst="on", test="test", ppm="ppm", months="months")


def _guaranteed(graph: Graph) -> ir.Table:
    """Return who guarantees for whom, a guarantee of a loan for its borrowers."""
    given = graph.edges("GUARANTEES").select("src", "dst", "amount_fen")
    direct = given.filter(~given.dst.startswith("loan:"))
    borrowed = graph.edges("BORROWED").select(borrower="src", loan="dst")
    of_loan = given.inner_join(borrowed, given.dst == borrowed.loan)
    return union([direct, of_loan.select(src=of_loan.src, dst=of_loan.borrower, amount_fen=of_loan.amount_fen)])


DERIVATION = Derivation("dependence", ("INVOICED", "GUARANTEES", "BORROWED", "Company"), "DEPENDS_ON", _run, by_month=True)
