"""Loan money that soon returns to the borrower, or to a company that the borrower represents or holds (贷款资金回流).

Look-alike that is no hit: the borrower moves the money between its own accounts, or a supplier that
was paid sends a part back (a refund below ``min_percent``).

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): loan money is used as agreed, and the lender follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import Csr
from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.temporal_paths import Flow, Returns, Starts, find_returns
from kg.payments import loan_money
from kg.payments.transfers import as_flow, least_share, usable
from kg.reason import LOAN_MONEY_RETURNED
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at")),
    Need("REPRESENTS", ("id", "src", "dst")),
    Need("HOLDS_SHARES", ("id", "src", "dst", "share_ppm", "source")),
)
_DAY = 86_400_000_000
_LAST = 1_000  # after the transfers of any way


@dataclass(frozen=True)
class LoanReturnParameters:
    """How far, how long and with how much of the money a return is sought."""

    max_hops: int = parameter(4, "transfers", "beyond four, chance ways through busy accounts outnumber planned ones")
    window_days: int = parameter(30, "days of 24 hours, inclusive", "money that is to come back is not left with others for longer")
    min_percent: int = parameter(80, "% of the paid-out amount", "go-betweens keep a few percent; a true payment is split up and spent")

    def __post_init__(self) -> None:
        refuse_outside("max_hops", self.max_hops, 1, 8)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("min_percent", self.min_percent, 1, 100)


def find_loan_returns(tables: Tables, parameters: LoanReturnParameters) -> pa.Table:
    """Find pay-outs of which the money came back.

    The *circle* of a loan is its borrowers, the companies that they represent, and those of which
    they directly hold more than 50 % (rows of one source added up, the source that says most
    counts). A *return* is a way of 1 to ``max_hops`` transfers that begins at the pay-out's account
    and ends at an account of a party of the circle, in which

    - each transfer goes on from the account that the one before went to, at its time or later, the
      first at the pay-out's time or later, the last at most ``window_days`` after it;
    - each transfer carries at least ``min_percent`` of the paid-out amount (there is no upper limit:
      it may be bundled with other money), reckoned exactly in fen;
    - where the pay-out's account is the party's own, an account on the way belongs to nobody of the
      circle: moving money between own accounts is no return. Where it is not (the loan was paid to
      a supplier, or the borrower passes it to its own company), the first transfer may reach the party.

    Going round through an account that was passed before makes no difference, unless it is what took
    the money out of the circle. For each pay-out and party the way that arrives first is told; then
    the one with the fewest transfers; then, from the last transfer backward, the one with the earlier
    (time, id). Transfers to the own account, in a stated currency other than CNY, or without an
    amount or a time are left out, as are pay-outs without an account, a time or an amount above 0.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`: for each return a row for the party whose account was
        reached, and one for each borrower through whom that party belongs to the circle.
        ``root``: the loan. ``amount_fen``: the least of the pay-out and the transfers. ``at``: when
        the money arrived. ``evidence``: the borrowing, the pay-out, the transfers in order, and the
        relationships that tie the party to the borrower.
    """
    given = conform(REQUIRES, tables)
    transfers = given["TRANSFERRED_TO"]
    circle = loan_money.circle(given["PAID_OUT_TO"].column("src"), given["BORROWED"], given["REPRESENTS"], given["HOLDS_SHARES"])
    payouts = _payouts(given["PAID_OUT_TO"], circle, parameters)
    row = _rows_of_interest(transfers, payouts)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    payouts = payouts.filter(pc.is_in(payouts.column("dst"), value_set=accounts.values))
    pairs = _pairs(payouts, circle, given["OWNS_ACCOUNT"], accounts)
    returns = find_returns(money, _starts(payouts, pairs, accounts), max_hops=parameters.max_hops)
    hits = _hits(returns, pairs, payouts, money)
    return _told(hits, hits.join(circle, ["loan", "party"], join_type="inner"), _way(returns, money, transfers))


def _payouts(rows: pa.Table, circle: pa.Table, parameters: LoanReturnParameters) -> pa.Table:
    """Return the pay-outs that can be followed, sorted by id: ``id, src, dst, amount_fen, least, first, last``."""
    rows = loan_money.payouts(rows, circle.column("loan"))
    first = rows.column("at").cast(pa.int64()).to_numpy()
    rows = rows.append_column("least", pa.array(least_share(rows.column("amount_fen").to_numpy(), parameters.min_percent)))
    return rows.append_column("first", pa.array(first)).append_column("last", pa.array(first + parameters.window_days * _DAY))


def _rows_of_interest(transfers: pa.Table, payouts: pa.Table) -> Ints:
    """Return the rows of the transfers that can be followed and may matter to a pay-out."""
    if not payouts.num_rows:
        return np.empty(0, np.int64)
    bounds = (pc.min(payouts.column("least")), pc.min(payouts.column("first")), pc.max(payouts.column("last")))
    least, first, last = (bound.as_py() for bound in bounds)
    return usable(transfers, least=least, first=first, last=last)


def _pairs(payouts: pa.Table, circle: pa.Table, owners: pa.Table, accounts: Interner) -> pa.Table:
    """Return ``payout`` (row), ``party, account`` (code) of the circles' accounts that take part in transfers, sorted."""
    parties = circle.group_by(["loan", "party"]).aggregate([])
    numbered = pa.table({"payout": np.arange(payouts.num_rows), "loan": payouts.column("src")})
    owned = owners.append_column("account", pa.array(accounts.codes(owners.column("dst"))))
    owned = owned.filter(pc.greater_equal(owned.column("account"), 0)).rename_columns({"src": "party"}).select(["party", "account"])
    joined = numbered.join(parties, "loan", join_type="inner").join(owned, "party", join_type="inner")
    keys = ["payout", "party", "account"]
    return joined.group_by(keys).aggregate([]).sort_by([(key, "ascending") for key in keys])


def _starts(payouts: pa.Table, pairs: pa.Table, accounts: Interner) -> Starts:
    payout, party = pairs.column("payout").to_numpy(), Interner.of(pairs.column("party")).codes(pairs.column("party"))
    begins = np.flatnonzero(np.append(True, (payout[1:] != payout[:-1]) | (party[1:] != party[:-1]))[: len(payout)])
    first, last, least = (payouts.column(name).to_numpy() for name in ("first", "last", "least"))
    parties_of = Csr(np.searchsorted(payout[begins], np.arange(payouts.num_rows + 1)), np.arange(len(begins)))
    accounts_of = Csr(np.append(begins, len(payout)), pairs.column("account").to_numpy())
    return Starts(accounts.codes(payouts.column("dst")), first, last, least, parties_of, accounts_of)


def _hits(returns: Returns, pairs: pa.Table, payouts: pa.Table, money: Flow) -> pa.Table:
    """Return ``hit`` (row of the returns), ``party, loan, payout, amount_fen, at``."""
    keys = ["payout", "party"]
    pair = pairs.group_by(keys).aggregate([]).sort_by([(key, "ascending") for key in keys]).take(pa.array(returns.pair))
    payout = payouts.take(pair.column("payout"))
    carried = np.where(returns.path >= 0, money.amount[returns.path], np.iinfo(np.int64).max).min(axis=1)
    # the highest number on a way is at the latest time, whichever of equal times it is
    arrived = money.at[returns.path.max(axis=1)]
    return pa.table(
        {
            "hit": np.arange(len(returns.pair)),
            "party": pair.column("party"),
            "loan": payout.column("src"),
            "payout": payout.column("id"),
            "amount_fen": pc.min_element_wise(payout.column("amount_fen"), pa.array(carried)),
            "at": pa.array(arrived).cast(pa.timestamp("us", "UTC")),
        }
    )


def _way(returns: Returns, money: Flow, transfers: pa.Table) -> pa.Table:
    """Return the transfers of the ways as evidence, after the borrowing and the pay-out."""
    hit, step = np.nonzero(returns.path >= 0)
    ids = transfers.column("id").take(pa.array(money.row[returns.path[hit, step]]))
    return pa.table({"hit": hit, "position": step + 2, "id": ids})


def _told(hits: pa.Table, reasons: pa.Table, way: pa.Table) -> pa.Table:
    """Give each party and borrower of a hit a finding of its own, with the whole evidence."""
    named = [reasons.select(["hit", name]).rename_columns(["hit", "entity_id"]) for name in ("party", "borrower")]
    entities = pa.concat_tables(named).group_by(["hit", "entity_id"]).aggregate([])
    entities = entities.append_column("finding", pa.array(np.arange(entities.num_rows)))
    findings = entities.join(hits, "hit", join_type="inner").rename_columns({"loan": "root"})
    evidence = pa.concat_tables([way, _at(0, reasons, "borrowed"), _at(1, hits, "payout"), _at(_LAST, reasons, "link")])
    return listed(findings, entities.select(["hit", "finding"]).join(evidence, "hit", join_type="inner"))


def _at(position: int, rows: pa.Table, column: str) -> pa.Table:
    """Return the ids of a column as evidence at a position."""
    rows = rows.filter(rows.column(column).is_valid())
    return pa.table({"hit": rows.column("hit"), "position": np.full(rows.num_rows, position), "id": rows.column(column)})


RULE = Rule(
    name="loan_return",
    version="1",
    about="Loan money returns to the borrower, or to a company that the borrower represents or holds above 50 %.",
    reason=LOAN_MONEY_RETURNED,
    severity="high",
    action="refer",
    parameters=LoanReturnParameters(),
    requires=REQUIRES,
    find=find_loan_returns,
)
