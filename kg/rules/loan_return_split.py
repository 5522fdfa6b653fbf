"""Loan money that returns in sum: split over payments or hands, bundled on the way, to the borrower or to whom the borrower belongs.

Beside ``loan_return``, of which every transfer carries most of the sum, this one adds up parts. Two tiers: within the bounds that the
field names, and a far one, over more hands, for longer and with less, that is told with less weight.

Look-alikes that are no hit: money moved between own accounts or within the circle of the borrower; a refund below ``min_percent``; trade
with a supplier who also buys, or a customer who pays as ever: two accounts between which there are other payments of such size.

What cannot be had: of 70 planted in generated cities 62 are hit, at one honest company of 1,000. The others return within a trade that
is there, over accounts through which more than the loan goes, or to an owner whom the register does not name.

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): loan money is used as agreed, and the lender follows it.
.. [2] 《关于防止经营用途贷款违规流入房地产领域的通知》 (银保监办发〔2021〕39 号): banks look for money that flows back to the borrower.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import Csr
from kg.algorithms.interning import Interner
from kg.algorithms.returned_sums import Limits, Sought, Sums, returned_sums
from kg.algorithms.temporal_paths import Flow
from kg.graph import Graph
from kg.payments import loan_money
from kg.payments.transfers import as_flow, least_share, usable
from kg.reason import LOAN_MONEY_RETURNED, LOAN_MONEY_RETURNED_FAR
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

_DAY = 86_400_000_000
_LAST = 2


@dataclass(frozen=True)
class SplitReturnParameters:
    """How far, how long, with how much of the money and in how small parts a return is sought."""

    max_hops: int = parameter(4, "transfers", "beyond four, chance ways through busy accounts outnumber planned ones")
    window_days: int = parameter(30, "days of 24 hours, inclusive", "money that is to come back is not left with others for longer")
    start_days: int = parameter(14, "days of 24 hours, inclusive", "what is to go round goes soon: it costs interest; later it is trade")
    min_percent: int = parameter(80, "% of the paid-out amount, in sum", "go-betweens keep a few percent; a true payment is spent")
    part_percent: int = parameter(
        5, "% of the paid-out amount", "smaller payments are everybody's daily trade; nobody splits finer for days"
    )
    hop_percent: int = parameter(30, "% of the paid-out amount, in sum", "the money goes over three hands at most; more is scatter-gather")
    most_percent: int = parameter(100, "% of the paid-out amount, in sum", "a hand gets no more than there is; more than that is trade")
    most_others: int = parameter(2, "payments between two accounts", "more of such size, outside the time of the loan, are trade")
    around_days: int = parameter(180, "days before and after", "who traded half a year ago still trades; older ties say little")

    def __post_init__(self) -> None:
        refuse_outside("max_hops", self.max_hops, 1, 8)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("start_days", self.start_days, 0, 366)
        refuse_outside("min_percent", self.min_percent, 1, 100)
        refuse_outside("part_percent", self.part_percent, 1, 100)
        refuse_outside("hop_percent", self.hop_percent, 1, 100)
        refuse_outside("most_percent", self.most_percent, 1, 10_000)
        refuse_outside("most_others", self.most_others, 0, 1_000_000)
        refuse_outside("around_days", self.around_days, 0, 3_660)


#: Five hands who keep four hundredths each of seventy of a hundred leave fifty-seven; parts may set out a week and a holiday later.
FAR_PARAMETERS = SplitReturnParameters(max_hops=6, window_days=60, start_days=20, min_percent=60, hop_percent=60)


def _large_enough(transfers: ir.Table, graph: Graph, parameters: SplitReturnParameters) -> ir.Table:
    """Leave out transfers that are smaller than a part of the smallest pay-out, and all where there is no pay-out."""
    out = graph.edges("PAID_OUT_TO")
    least = out.filter(out.amount_fen > 0).aggregate(least=out.amount_fen.min())
    kept = transfers.cross_join(least)
    return kept.filter(kept.amount_fen >= kept.least * parameters.part_percent // 100).select(*transfers.columns)


REQUIRES = (
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_large_enough),
    Need("REPRESENTS", ("id", "src", "dst")),
    Need("HOLDS_SHARES", ("id", "src", "dst", "share_ppm", "source")),
)


def find_split_returns(tables: Tables, parameters: SplitReturnParameters) -> pa.Table:
    """Find pay-outs of which most came back in sum.

    The *circle* of a loan is its borrowers, the companies that they represent or hold above 50 %, and those who represent or hold the
    borrowers so. Money goes *ways* of up to ``max_hops`` transfers from the pay-out's account to an account of the circle, over at least
    one account that belongs to nobody of the circle (the pay-out's own, where a supplier was paid directly). Each transfer starts where
    the one before went, at its time or later, the first at most ``start_days`` after the pay-out, the last at most ``window_days``, and is
    at least ``part_percent`` of it. All ways together carry no more than each transfer's amount and the pay-out;
    `kg.algorithms.returned_sums` says in which order they are taken. Between two accounts nothing is followed where payments of that size
    sum up to less than ``hop_percent`` or more than ``most_percent`` of the pay-out in the time, or where there are more than
    ``most_others`` of them in the ``around_days`` before and after. A return is told where the sum is at least ``min_percent`` of the
    pay-out, reckoned in fen. What cannot be followed is left out as in ``loan_return``.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`: for each pay-out a row for each party of the circle whose account was reached, and one for
        each borrower. ``root``: the loan. ``amount_fen``: the sum that came back. ``at``: when the last of it arrived. ``evidence``: the
        borrowing and the pay-out; the transfers; the relationships that tie the parties to the borrower.
    """
    given = conform(REQUIRES, tables)
    transfers, row = given["TRANSFERRED_TO"], np.empty(0, np.int64)
    circle = loan_money.circle(
        given["PAID_OUT_TO"].column("src"), given["BORROWED"], given["REPRESENTS"], given["HOLDS_SHARES"], owners=True
    )
    out = loan_money.payouts(given["PAID_OUT_TO"], circle.column("loan"))
    if out.num_rows:
        part = least_share(out.column("amount_fen").to_numpy(), parameters.part_percent)
        row = usable(transfers, least=int(part.min()))
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    out = out.filter(pc.is_in(out.column("dst"), value_set=accounts.values))
    home = _home(out, circle, given["OWNS_ACCOUNT"], accounts)
    limits = Limits(parameters.max_hops, parameters.most_others, parameters.around_days * _DAY)
    sums = returned_sums(money, _sought(out, home, accounts, parameters), limits)
    return _told(sums, (money, transfers, accounts), (out, home, circle), parameters)


def _home(out: pa.Table, circle: pa.Table, owners: pa.Table, accounts: Interner) -> pa.Table:
    """Return ``payout`` (row), ``party, account`` (code) of the circles' accounts that take part in transfers, sorted."""
    numbered = pa.table({"payout": np.arange(out.num_rows), "loan": out.column("src")})
    owned = pa.table({"party": owners.column("src"), "account": accounts.codes(owners.column("dst"))})
    owned = owned.filter(pc.greater_equal(owned.column("account"), 0))
    parties = circle.group_by(["loan", "party"]).aggregate([])
    joined = numbered.join(parties, "loan", join_type="inner").join(owned, "party", join_type="inner")
    keys = ["payout", "account", "party"]
    return joined.group_by(keys).aggregate([]).sort_by([(key, "ascending") for key in keys])


def _sought(out: pa.Table, home: pa.Table, accounts: Interner, parameters: SplitReturnParameters) -> Sought:
    first, amount = out.column("at").cast(pa.int64()).to_numpy(), out.column("amount_fen").to_numpy()
    start = np.searchsorted(home.column("payout").to_numpy(), np.arange(out.num_rows + 1))
    percent = (parameters.part_percent, parameters.hop_percent, parameters.most_percent)
    part, least, most = (least_share(amount, each) for each in percent)
    last, gone = (first + days * _DAY for days in (parameters.window_days, min(parameters.start_days, parameters.window_days)))
    home_of = Csr(start, home.column("account").to_numpy())
    return Sought(accounts.codes(out.column("dst")), first, gone, last, amount, part, least, most, home_of)


def _told(
    sums: Sums,
    moved: tuple[Flow, pa.Table, Interner],
    lent: tuple[pa.Table, pa.Table, pa.Table],
    parameters: SplitReturnParameters,
) -> pa.Table:
    """Give each party that was reached, and each borrower, a finding with the whole evidence."""
    (money, transfers, _), (out, home, circle) = moved, lent
    enough = sums.total >= least_share(out.column("amount_fen").to_numpy(), parameters.min_percent)
    kept = np.flatnonzero(enough[sums.start])
    way = pa.table({"payout": sums.start[kept], "account": money.payee[sums.transfer[kept]], "at": money.at[sums.transfer[kept]]})
    ids = transfers.column("id").take(pa.array(money.row[sums.transfer[kept]]))
    reached = home.join(way, ["payout", "account"], join_type="inner")
    arrived = reached.group_by("payout").aggregate([("at", "max")]).rename_columns({"at_max": "at"})
    told = pa.table({"payout": np.arange(out.num_rows), "root": out.column("src"), "paid": out.column("id"), "amount_fen": sums.total})
    told = told.join(arrived, "payout", join_type="inner")
    told = told.set_column(told.column_names.index("at"), "at", told.column("at").cast(pa.timestamp("us", "UTC")))
    ties = circle.join(told.select(["payout", "root"]), "loan", "root", join_type="inner")
    ties = ties.join(reached.group_by(["payout", "party"]).aggregate([]), ["payout", "party"], join_type="inner")
    named = [ties.select(["payout", name]).rename_columns(["payout", "entity_id"]) for name in ("party", "borrower")]
    found = pa.concat_tables(named).group_by(["payout", "entity_id"]).aggregate([])
    found = found.append_column("finding", pa.array(np.arange(found.num_rows)))
    parts = ((0, ties["payout"], ties["borrowed"]), (1, told["payout"], told["paid"]), (_LAST, way["payout"], ids))
    evidence = [pa.table({"payout": of, "position": np.full(len(of), place), "id": name}) for place, of, name in parts]
    links = ties.filter(ties["link"].is_valid())
    evidence.append(pa.table({"payout": links["payout"], "position": np.full(links.num_rows, _LAST + 1), "id": links["link"]}))
    listed_ids = found.select(["finding", "payout"]).join(pa.concat_tables(evidence), "payout", join_type="inner")
    return listed(found.join(told, "payout", join_type="inner"), listed_ids.select(["finding", "position", "id"]))


def find_far_returns(tables: Tables, parameters: SplitReturnParameters) -> pa.Table:
    """Find returns as `find_split_returns` does, but those that it finds of the same party and loan by its usual parameters."""
    far, near = (find_split_returns(tables, each) for each in (parameters, SplitReturnParameters()))
    named = [pc.binary_join_element_wise(rows["entity_id"], rows["root"], "|") for rows in (far, near)]
    return far.filter(pc.invert(pc.is_in(named[0], value_set=named[1].combine_chunks())))


SPLIT = Rule(
    name="loan_return_split",
    version="1",
    about="Loan money returns in parts that sum up to most of it, to the borrower or to whom the borrower belongs.",
    reason=LOAN_MONEY_RETURNED,
    severity="high",
    action="refer",
    parameters=SplitReturnParameters(),
    requires=REQUIRES,
    find=find_split_returns,
)
FAR = Rule(
    name="loan_return_far",
    version="2",
    about="Loan money returns in parts over many hands, or after long, or three fifths of it.",
    reason=LOAN_MONEY_RETURNED_FAR,
    severity="medium",
    action="watch",
    parameters=FAR_PARAMETERS,
    requires=REQUIRES,
    find=find_far_returns,
)
