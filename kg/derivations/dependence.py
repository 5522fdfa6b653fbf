"""DEPENDS_ON: who lives by another's orders, supplies or credit (经济依存).

A party depends on another from whom at least half of a year's receipts come, or to whom at least half of its spending goes; and on the one
for whom it guarantees so much that a call would ruin it. What comes from one other is what invoices say; it is measured against all that
is known, invoices and payments, as rent, wages and sales over the counter are spending and receipts too. What only a person can judge
(that nobody else would buy the goods) is for a source to state.

References
----------
.. [1] 商业银行大额风险暴露管理办法, 2018, on economic dependence; EBA/GL/2017/15, paragraph 25.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from kg.dates import year_before
from kg.derivation import Derivation, id_of
from kg.engine import union
from kg.graph import Graph
from kg.ruleset import WHOLE, Threshold

#: Part of receipts or spending from which on there is dependence, where the rule set names none.
HALF = Threshold(WHOLE // 2, strict=False)
#: Months in which two must have traded: a single large order makes nobody dependent.
MONTHS = 3
_YEAR = 12
#: Who depends, on whom, by what.
_SIDES = (("seller", "buyer", "receipts"), ("buyer", "seller", "spending"))


def sold(invoiced: ir.Table, as_of: date) -> ir.Table:
    """Return what each seller invoiced to each buyer in the twelve months up to a day.

    Parameters
    ----------
    invoiced
        ``src`` (seller), ``dst`` (buyer), ``month`` (its first day), ``net_fen, tax_fen``.

    Returns
    -------
    ir.Table
        ``seller, buyer, part_fen`` (tax included), ``months`` (with any), ``first`` (month).
    """
    trade = _within(invoiced, as_of)
    trade = trade.select("month", seller="src", buyer="dst", fen=trade.net_fen + trade.tax_fen.fill_null(0))
    sums = trade.filter(trade.seller != trade.buyer).group_by("seller", "buyer", "month").aggregate(fen=trade.fen.sum())
    return sums.group_by("seller", "buyer").aggregate(
        part_fen=sums.fen.sum(), months=sums.fen.count(where=sums.fen != 0), first=sums.month.min()
    )


def _within(rows: ir.Table, as_of: date) -> ir.Table:
    before = year_before(as_of)
    return rows.filter((rows.month > ibis.literal(before)) & (rows.month <= ibis.literal(as_of)))


def traded(sales: ir.Table, paid: ir.Table, as_of: date) -> ir.Table:
    """Return what went from buyer to seller in a year, by invoices and by payments.

    Parameters
    ----------
    sales
        As `sold` returns them.
    paid
        ``src`` (payer), ``dst`` (payee), ``month, amount_fen, currency``; money in yuan counts. What two pay one another both ways is
        set off: a loan that was repaid, or a pool swept every night, is neither receipt nor spending.

    Returns
    -------
    ir.Table
        ``seller, buyer, part_fen, months, counts`` (fen), ``first``: the sales, and a row for each two of whom the one paid the other. The
        ``counts`` of both are together the greater of what was invoiced and what was paid.
    """
    moved = _moved(_within(paid, as_of))
    known = moved.select(payee="seller", payer="buyer", moved="counts")
    joined = sales.left_join(known, [sales.seller == known.payee, sales.buyer == known.payer])
    on_top = ibis.greatest(joined.part_fen - joined.moved.fill_null(0), 0)
    none = ibis.literal(0).cast("int64")
    paid_for = moved.select("seller", "buyer", part_fen=none, months=none, counts="counts", first="first")
    return union([joined.select("seller", "buyer", "part_fen", "months", counts=on_top, first="first"), paid_for])


def _moved(money: ir.Table) -> ir.Table:
    """Return what is left of what two paid one another, as paid to the one of them."""
    rows = money.filter((money.currency.fill_null("CNY") == "CNY") & (money.src != money.dst))
    pairs = rows.group_by(a=ibis.least(rows.src, rows.dst), b=ibis.greatest(rows.src, rows.dst))
    signed = ibis.ifelse(rows.src < rows.dst, rows.amount_fen, -rows.amount_fen)
    sums = pairs.aggregate(net=signed.sum(), first=rows.month.min())
    to_b = sums.net > 0
    seller, buyer = ibis.ifelse(to_b, sums.b, sums.a), ibis.ifelse(to_b, sums.a, sums.b)
    return sums.select(seller=seller, buyer=buyer, counts=sums.net.abs(), first="first").filter(lambda each: each.counts > 0)


def turnover(pairs: ir.Table, companies: ir.Table, as_of: date) -> ir.Table:
    """Return what is known of each party's receipts and spending in a year.

    Parameters
    ----------
    pairs
        As `traded` returns them.
    companies
        ``id, founded_on``.

    Returns
    -------
    ir.Table
        ``party, test`` (``receipts`` or ``spending``), ``whole_fen`` (from or to all others), ``known, due``: months from the first in
        which anything is known of that side, and how many there should be: twelve, or as many as the company is old.
    """
    age = companies.select(id="id", age=_months(companies.founded_on, as_of).fill_null(_YEAR))
    return union([_side(pairs, age, as_of, party, test) for party, _, test in _SIDES])


def _side(pairs: ir.Table, age: ir.Table, as_of: date, party: str, test: str) -> ir.Table:
    sums = pairs.group_by(party=party).aggregate(whole_fen=pairs.counts.sum(), first=pairs["first"].min())
    sums = sums.mutate(known=_months(sums["first"], as_of).cast("int64"))
    sums = sums.left_join(age, sums.party == age.id)
    # a company may have traded before it was registered
    due = ibis.greatest(ibis.least(sums.age.fill_null(_YEAR), _YEAR), sums.known).cast("int64")
    return sums.select("party", "whole_fen", "known", test=ibis.literal(test), due=due)


def _months(day: ir.DateValue, as_of: date) -> ir.IntegerValue:
    """Return how many months there are from that of one day to that of another, both among them."""
    return ibis.literal(as_of.year * 12 + as_of.month + 1) - (day.year() * 12 + day.month())


def trade_dependence(pairs: ir.Table, turned: ir.Table, threshold: Threshold = HALF, months: int = MONTHS) -> ir.Table:
    """Find who gets so large a part of a year's receipts from one other, or spends it there.

    Parameters
    ----------
    pairs, turned
        As `traded` and `turnover` return them.
    threshold
        The part of the whole that makes dependence.
    months
        Fewest months in which the two traded.

    Returns
    -------
    ir.Table
        ``dependent, on, test, ppm, months``: ``ppm`` is the part of the year's whole, rounded down. Where less than a year is known, the
        rest of it is taken to go on at the same pace without the other: so much it is, whatever is still to come.
    """
    rows = _sides(pairs.filter((pairs.part_fen > 0) & (pairs.months >= months)))
    rows = rows.inner_join(turned, [rows.dependent == turned.party, rows.test == turned.test])
    # in steps of a hundred, as the product with a million may not fit
    steps = rows.select("dependent", "on", "test", "months", rest=rows.part_fen * rows.known, year=rows.whole_fen * rows.due)
    steps = steps.mutate(ppm=steps.rest // steps.year, rest=steps.rest % steps.year)
    for _ in range(3):
        steps = steps.mutate(ppm=steps.ppm * 100 + steps.rest * 100 // steps.year, rest=steps.rest * 100 % steps.year)
    found = steps.select("dependent", "on", "test", ppm=steps.ppm.cast("int64"), months=steps.months)
    return found.filter(found.ppm >= threshold.ppm + int(threshold.strict))


def _sides(pairs: ir.Table) -> ir.Table:
    return union([pairs.select("part_fen", "months", dependent=of, on=on, test=ibis.literal(test)) for of, on, test in _SIDES])


def likely(sales: ir.Table, threshold: Threshold = HALF, months: int = MONTHS) -> ir.Table:
    """Return the parties (``party``) that may depend on another by trade: by invoices alone they do, and payments only add to the whole.

    Parameters are those of `trade_dependence`, `sold` in the place of its pairs.
    """
    rows = _sides(sales)
    rows = rows.mutate(part_fen=ibis.greatest(rows.part_fen, 0))
    sums = rows.group_by("dependent", "test").aggregate(whole=rows.part_fen.sum(), most=rows.part_fen.max(where=rows.months >= months))
    # rounded down twice: who is asked in vain costs a look
    return sums.filter(sums.most >= sums.whole // 1_000 * (threshold.ppm // 1_000)).select(party="dependent").distinct()


def guarantee_dependence(guaranteed: ir.Table, debts: ir.Table, companies: ir.Table, turned: ir.Table) -> ir.Table:
    """Find companies that guarantee so much for one party that a call would ruin them.

    It would where it is more than the whole registered capital, and at least half of a year's receipts where any are known.

    Parameters
    ----------
    guaranteed
        ``src`` (guarantor), ``dst`` (for whom), ``amount_fen`` (null: all that is owed).
    debts
        ``party, owed_fen``: what is still owed by those of whom it is known; no more can be called.
    companies
        ``id, capital_fen``.
    turned
        As `turnover` returns it.

    Returns
    -------
    ir.Table
        ``dependent, on, test, ppm, months``: ``test`` is ``guarantee``; ``ppm`` and ``months`` are null.
    """
    rows = guaranteed.left_join(debts, guaranteed.dst == debts.party)
    rows = rows.select("src", "dst", amount=ibis.coalesce(rows.amount_fen, rows.owed_fen), owed=rows.owed_fen)
    sums = rows.group_by(["src", "dst"]).aggregate(amount=rows.amount.sum(), owed=rows.owed.max())
    sums = sums.select("src", "dst", call=ibis.least(sums.amount, sums.owed.fill_null(sums.amount)))
    got = turned.filter(turned.test == "receipts").drop("test")
    joined = sums.inner_join(companies.select(src="id", capital="capital_fen"), "src")
    joined = joined.left_join(got, joined.src == got.party)
    # half of a year's receipts, the months of which nothing is known being as good as the others
    ruined = joined.whole_fen.isnull() | (2 * joined.call * joined.known >= joined.whole_fen * joined.due)
    kept = joined.filter((joined.capital > 0) & (joined.call > joined.capital) & (joined.src != joined.dst) & ruined)
    return kept.select(dependent="src", on="dst", test=ibis.literal("guarantee"), ppm=ibis.null("int64"), months=ibis.null("int64"))


def _run(graph: Graph) -> ir.Table:
    keep, firms, threshold = graph.engine.keep, graph.nodes("Company"), graph.chosen.groups.dependence or HALF
    sales, guaranteed = keep(sold(graph.edges("INVOICED"), graph.as_of)), keep(_guaranteed(graph))
    # most parties need no look at what they paid
    asked = keep(ibis.union(likely(sales, threshold), guaranteed.select(party="src"), distinct=True))
    paid = graph.edges("PAID").select("src", "dst", "month", "amount_fen", "currency")
    payer, payee = asked.select(src="party"), asked.select(dst="party")
    paid = union([paid.semi_join(payer, "src"), paid.anti_join(payer, "src").semi_join(payee, "dst")])
    pairs = keep(traded(sales, paid, graph.as_of))
    turned = turnover(pairs, firms, graph.as_of)
    found = union([trade_dependence(pairs, turned, threshold), guarantee_dependence(guaranteed, _debts(graph), firms, turned)])
    key = id_of(found.dependent, found.on, found.test)
    return found.select(id=key, src="dependent", dst="on", test="test", ppm="ppm", months="months")


def _owing(graph: Graph) -> ir.Table:
    """Return what is still owed of loans: ``party, loan, owed_fen``."""
    borrowed, loans = graph.edges("BORROWED").select(party="src", loan="dst"), graph.nodes("Loan").select(id="id", owed_fen="balance_fen")
    return borrowed.distinct().inner_join(loans, borrowed.loan == loans.id).select("party", "loan", "owed_fen")


def _debts(graph: Graph) -> ir.Table:
    """Return what each party still owes: ``party, owed_fen``, of those the balances of all of whose loans are known."""
    rows = _owing(graph)
    sums = rows.group_by("party").aggregate(owed_fen=rows.owed_fen.sum(), known=rows.owed_fen.count() == rows.count())
    return sums.filter(sums.known).select("party", "owed_fen")


def _guaranteed(graph: Graph) -> ir.Table:
    """Return who guarantees for whom, a guarantee of a loan for its borrowers and for no more than is owed of it."""
    given = graph.edges("GUARANTEES").select("src", "dst", "amount_fen")
    direct = given.filter(~given.dst.startswith("loan:"))
    owing = _owing(graph)
    of_loan = given.inner_join(owing, given.dst == owing.loan)
    most = ibis.least(ibis.coalesce(of_loan.amount_fen, of_loan.owed_fen), ibis.coalesce(of_loan.owed_fen, of_loan.amount_fen))
    return union([direct, of_loan.select(src="src", dst="party", amount_fen=most)])


DERIVATION = Derivation("dependence", ("INVOICED", "PAID", "GUARANTEES", "BORROWED", "Loan", "Company"), "DEPENDS_ON", _run, by_month=True)
