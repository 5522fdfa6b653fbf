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
CIRCULAR_HOLDING = Reason(
    "CIRCULAR_HOLDING",
    "循环持股：若干企业相互或循环持有股权，同一笔资本被重复计算，实际控制关系不清",
    "Companies hold one another in a circle, so that the same capital counts several times and control is unclear",
)
CLOSED_HOLDING_CIRCLE = Reason(
    "CLOSED_HOLDING_CIRCLE",
    "封闭持股：若干企业的股权完全由彼此持有，最终没有任何自然人或外部股东",
    "Companies own one another entirely, so that in the end no person and nobody else owns them",
)
SHARES_OVER_WHOLE = Reason(
    "SHARES_OVER_WHOLE",
    "股权比例之和超过百分之百：登记信息有误，或同一股权被重复转让",
    "The shares of the company sum up to more than the whole: the register is wrong, or a share was sold twice",
)
GROUP_LIMIT_PASSED = Reason(
    "GROUP_LIMIT_PASSED",
    "集团授信超限：该主体所属关联客户组的风险暴露合计超过监管或内部限额",
    "The exposures of the group of connected clients to which the party belongs pass a limit together",
)
GROUP_LIMIT_SPLIT = Reason(
    "GROUP_LIMIT_SPLIT",
    "拆分授信：关联客户组与登记中未反映的关联主体合计超过集团限额，而组内合计未超限",
    "The group of connected clients is within its limits, and passes one together with parties whose tie to it no register tells",
)
CLIENT_LIMIT_PASSED = Reason(
    "CLIENT_LIMIT_PASSED",
    "单一客户超限：该客户自身的贷款余额或风险暴露超过监管对单一客户的限额",
    "The loans or the exposure of the client alone pass a limit of single clients",
)
HIDDEN_CONTROL = Reason(
    "HIDDEN_CONTROL",
    "疑似隐名控制：资金、设备或担保等证据指向一名未在登记中出现的自然人",
    "Money, access or credit lead to a person behind the borrower whom no register names",
)
UNDISCLOSED_LINKS = Reason(
    "UNDISCLOSED_LINKS",
    "未披露关联：同一笔贷款的借款人与担保人之间存在登记信息未反映的关联证据",
    "Between borrower and guarantor of a loan there is evidence of a link that the register does not tell",
)

REASONS = (
    GUARANTEE_CIRCLE,
    LOAN_MONEY_RETURNED,
    CIRCULAR_HOLDING,
    CLOSED_HOLDING_CIRCLE,
    SHARES_OVER_WHOLE,
    GROUP_LIMIT_PASSED,
    GROUP_LIMIT_SPLIT,
    CLIENT_LIMIT_PASSED,
    HIDDEN_CONTROL,
    UNDISCLOSED_LINKS,
)


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
