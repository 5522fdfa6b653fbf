"""Loan money for what it was not lent for: property, securities, another company's capital.

Look-alikes that are no hit: rent or a fee to a firm of those industries, where it is a small part of the loan; a company that was bought
into long before; a broker's or developer's own loan.

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): not for dividends, financial or fixed assets, equity.
.. [2] 《关于防止经营用途贷款违规流入房地产领域的通知》 (银保监办发〔2021〕39 号).
.. [3] GB/T 4754-2017: K70 real estate, J67 capital markets, J69 other finance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import UsageError
from kg.payments.spending import COLUMNS, after_pay_outs, spent
from kg.payments.transfers import least_share
from kg.reason import FORBIDDEN_USE
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

_DAY = 86_400_000_000
_INDUSTRIES = ("K70", "J67", "J69")
_WORDS = ("购房", "房款", "首付", "买房", "购买商品房", "股票", "证券", "炒股", "期货", "基金申购", "理财", "出资", "增资", "入股", "股权")
REQUIRES = (
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("TRANSFERRED_TO", (*COLUMNS, "purpose"), narrow=after_pay_outs),
    Need("Company", ("id", "industry")),
    Need("HOLDS_SHARES", ("id", "src", "dst", "valid_from")),
)


@dataclass(frozen=True)
class ForbiddenUseParameters:
    """How soon, how much, and what counts."""

    within_days: int = parameter(30, "days of 24 hours after a pay-out, inclusive", "later nobody can tell the loan from other money")
    least_percent: int = parameter(
        30, "% of the pay-out, in sum", "rent and fees are smaller; the rules allow no part, but proof is needed"
    )
    industries: tuple[str, ...] = parameter(_INDUSTRIES, "beginnings of codes of GB/T 4754", "real estate, capital markets, other finance")
    words: tuple[str, ...] = parameter(_WORDS, "words of a purpose", "what is written for property, securities and capital paid in")

    def __post_init__(self) -> None:
        refuse_outside("within_days", self.within_days, 0, 366)
        refuse_outside("least_percent", self.least_percent, 1, 100)
        _refuse_no_words("industries", self.industries, "K70")
        _refuse_no_words("words", self.words, "股票")


def _refuse_no_words(name: str, value: object, such_as: str) -> None:
    """Refuse what is no tuple of words, none of them blank: a blank one stands in every purpose."""
    if not isinstance(value, tuple):
        raise UsageError(f"{name} is {value!r}; give a tuple of words, such as ('{such_as}',)")
    for word in value:
        if not isinstance(word, str) or not word.strip():
            raise UsageError(f"{name} has {word!r} in it; give words of one character at least, such as '{such_as}'")


def find_forbidden_uses(tables: Tables, parameters: ForbiddenUseParameters) -> pa.Table:
    """Find pay-outs of which a large part went to what they must not be used for.

    A payment of a borrower in the ``within_days`` after a pay-out counts where it goes to a company of one of the ``industries``, or has
    one of the ``words``, letter by letter, in its purpose, or goes to a company in which the borrower holds shares since that time.
    Borrowers of those industries are left out.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, a row for each borrower and pay-out of which such payments sum up to ``least_percent``.
        ``root``: the loan; ``amount_fen``: their sum, at most the pay-out; ``at``: the last of them; ``evidence``: the borrowing, the
        pay-out, the payments, the holdings.
    """
    given = conform(REQUIRES, tables)
    trade = _of_industries(given["Company"], parameters)
    paid = spent(given, parameters.within_days)
    paid = paid.filter(pc.and_(pc.not_equal(paid["dst"], paid["borrower"]), pc.invert(pc.is_in(paid["borrower"], value_set=trade))))
    paid = paid.join(_new_holdings(given["HOLDS_SHARES"]), ["borrower", "dst"], join_type="left outer")
    since = pc.subtract(paid["since"].cast(pa.int64()), paid["out_at"].cast(pa.int64()))
    bought = pc.fill_null(pc.and_(pc.greater_equal(since, -_DAY), pc.less_equal(since, parameters.within_days * _DAY)), False)
    paid = paid.set_column(paid.column_names.index("holding"), "holding", pc.if_else(bought, paid["holding"], None))
    paid = paid.filter(pc.or_(pc.or_(bought, _says(paid["purpose"], parameters.words)), pc.is_in(paid["dst"], value_set=trade)))
    return _told(paid, parameters) if paid.num_rows else FOUND.empty_table()


def _says(purpose: pa.ChunkedArray, words: tuple[str, ...]) -> pa.ChunkedArray:
    """Tell which purposes have one of the words in them, letter by letter."""
    none = pc.not_equal(purpose, purpose)
    return pc.fill_null(reduce(pc.or_, (pc.match_substring(purpose, word) for word in words), none), False)


def _of_industries(companies: pa.Table, parameters: ForbiddenUseParameters) -> pa.Array:
    known = [pc.starts_with(companies["industry"], code) for code in parameters.industries]
    kept = companies["id"].slice(0, 0)
    for of in known:
        kept = pa.chunked_array([*kept.chunks, *companies["id"].filter(pc.fill_null(of, False)).chunks], pa.string())
    return pc.unique(kept)


def _new_holdings(holdings: pa.Table) -> pa.Table:
    """Return ``borrower, dst, holding, since`` of the last holding of each pair whose beginning is stated."""
    stated = holdings.filter(holdings["valid_from"].is_valid()).sort_by([("valid_from", "ascending"), ("id", "ascending")])
    last = stated.group_by(["src", "dst"], use_threads=False).aggregate([("id", "last"), ("valid_from", "last")])
    since = last["valid_from_last"].cast(pa.timestamp("us", "UTC"))
    return pa.table({"borrower": last["src"], "dst": last["dst"], "holding": last["id_last"], "since": since})


def _told(paid: pa.Table, parameters: ForbiddenUseParameters) -> pa.Table:
    keys = ["payout", "loan", "out_fen", "borrower"]
    sums = paid.group_by(keys).aggregate([("amount_fen", "sum"), ("at", "max")])
    least = least_share(sums["out_fen"].to_numpy(), parameters.least_percent)
    sums = sums.filter(pc.greater_equal(sums["amount_fen_sum"], pa.array(least))).sort_by(
        [("payout", "ascending"), ("borrower", "ascending")]
    )
    finding = pa.array(np.arange(sums.num_rows))
    columns = {"finding": finding, "payout": sums["payout"], "entity_id": sums["borrower"], "root": sums["loan"], "at": sums["at_max"]}
    found = pa.table({**columns, "amount_fen": pc.min_element_wise(sums["amount_fen_sum"], sums["out_fen"])})
    rows = found.select(["finding", "payout", "entity_id"]).join(paid, ["payout", "entity_id"], ["payout", "borrower"], join_type="inner")
    parts = [(place, rows.filter(rows[name].is_valid()), name) for place, name in enumerate(("borrowed", "payout", "id", "holding"))]
    evidence = [pa.table({"finding": of["finding"], "position": np.full(of.num_rows, place), "id": of[name]}) for place, of, name in parts]
    return listed(found, pa.concat_tables(evidence))


RULE = Rule(
    name="forbidden_use",
    version="1",
    about="Loan money goes to property, securities or another company's capital.",
    reason=FORBIDDEN_USE,
    severity="high",
    action="refer",
    parameters=ForbiddenUseParameters(),
    requires=REQUIRES,
    find=find_forbidden_uses,
)
