"""The closed list of reasons for which a party may be flagged, in the words that people read.

A code is part of what the loan system stores: it is never changed or used again for something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from kg.errors import UsageError


@dataclass(frozen=True)
class Reason:
    """Why a party is flagged: a code for programs and one sentence in each language for people."""

    code: str
    zh: str
    en: str


GUARANTEE_CIRCLE = Reason(
    "GUARANTEE_CIRCLE",
    "担保圈：若干主体相互或循环提供担保，一方违约会沿担保链传导",
    "Parties guarantee one another in a circle, so that one default is passed on to all of them",
)
LOAN_MONEY_RETURNED = Reason(
    "LOAN_MONEY_RETURNED",
    "贷款资金回流：放款后短期内贷款资金经转账回到借款人或其代表、控股的企业",
    "Loan money came back to the borrower, or to a company that the borrower represents or holds, soon after the pay-out",
)

REASONS = (GUARANTEE_CIRCLE, LOAN_MONEY_RETURNED)


def reason(code: str) -> Reason:
    """Return the reason of a code.

    Raises
    ------
    UsageError
        If no reason has that code.

    Examples
    --------
    >>> reason("GUARANTEE_CIRCLE").zh[:3]
    '担保圈'
    """
    found = {r.code: r for r in REASONS}.get(code)
    if found is None:
        raise UsageError(f"no reason has the code '{code}'; known are {', '.join(r.code for r in REASONS)}")
    return found
