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
LOAN_MONEY_RETURNED_FAR = Reason(
    "LOAN_MONEY_RETURNED_FAR",
    "疑似贷款资金绕道回流：大部分贷款资金经多手、分笔或较长时间回到借款人或其关联方",
    "Most of the loan money seems to have come back to the borrower or its owner by a long way, in parts and over many hands",
)
SCATTERED_AND_GATHERED = Reason(
    "SCATTERED_AND_GATHERED",
    "分散转出、集中转入：一笔资金短期内经多个账户分散转出后又汇集到同一账户",
    "A sum was scattered over several accounts and soon gathered again on one",
)
GATHERED_AND_SCATTERED = Reason(
    "GATHERED_AND_SCATTERED",
    "集中转入、分散转出：多个账户以相近金额转入同一账户后短期内又分散转出",
    "Parts of one size came to an account from several others and soon went out to several again",
)
MANY_LENDERS = Reason(
    "MANY_LENDERS",
    "多头借贷：该主体在短期内向多家机构或以多笔贷款集中借款",
    "The party borrowed from several lenders within weeks, before any of them could hear of the others",
)
LOANS_PASSED_ON = Reason(
    "LOANS_PASSED_ON",
    "贷款资金整笔转出：短期内取得的多笔贷款到账后几乎整笔转给他人",
    "Of several loans within weeks nearly all was passed on to somebody else at once",
)
GUARANTEES_SERVE_ONE = Reason(
    "GUARANTEES_SERVE_ONE",
    "担保圈资金归集：互保企业的贷款资金在放款后短期内集中转给圈内同一主体",
    "Members of a guarantee circle passed what they borrowed to one of them soon after the pay-out",
)
FORBIDDEN_USE = Reason(
    "FORBIDDEN_USE",
    "贷款资金流入禁止领域：放款后短期内大额资金流向房地产、证券期货或用于股权出资",
    "Loan money went to property, securities or another company's capital soon after the pay-out",
)
OVER_GUARANTEED = Reason(
    "OVER_GUARANTEED",
    "过度担保：对外担保总额远超企业注册资本，担保能力不足",
    "The company guarantees many times what it has, so that its guarantees are worth little",
)
ONE_PAID_BY_MANY = Reason(
    "ONE_PAID_BY_MANY",
    "集中转入：短期内众多无往来账户向同一账户转账，前后均无类似交易",
    "Many strangers paid the party within days, and hardly any before or after",
)
MANY_PAID_BY_ONE = Reason(
    "MANY_PAID_BY_ONE",
    "分散转出：短期内同一账户向众多无往来账户转账，前后均无类似交易",
    "The party paid many strangers within days, and hardly any before or after",
)
MONEY_PASSES_THROUGH = Reason(
    "MONEY_PASSES_THROUGH",
    "过渡账户：资金快进快出，账户几乎不留余额且交易对手多为无往来账户",
    "What strangers pay into an account of the party is gone within two days, and nothing else happens there",
)
BELOW_THRESHOLD = Reason(
    "BELOW_THRESHOLD",
    "拆分交易：短期内多笔金额略低于大额交易报告标准",
    "Several payments within days lie just below the amount from which payments are reported",
)
ROUND_AMOUNTS = Reason(
    "ROUND_AMOUNTS",
    "整数交易：短期内多笔大额整数金额转账，与正常经营往来不符",
    "Most payments of the party within weeks are large round amounts, as trade seldom has them",
)
DORMANT_THEN_ACTIVE = Reason(
    "DORMANT_THEN_ACTIVE",
    "休眠账户突然启用：长期无交易的账户短期内发生大额资金收付",
    "An account of the party that lay still for months moved large sums within days",
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
    LOAN_MONEY_RETURNED_FAR,
    SCATTERED_AND_GATHERED,
    GATHERED_AND_SCATTERED,
    MANY_LENDERS,
    LOANS_PASSED_ON,
    GUARANTEES_SERVE_ONE,
    FORBIDDEN_USE,
    OVER_GUARANTEED,
    ONE_PAID_BY_MANY,
    MANY_PAID_BY_ONE,
    MONEY_PASSES_THROUGH,
    BELOW_THRESHOLD,
    ROUND_AMOUNTS,
    DORMANT_THEN_ACTIVE,
    CIRCULAR_HOLDING,
    CLOSED_HOLDING_CIRCLE,
    SHARES_OVER_WHOLE,
    GROUP_LIMIT_PASSED,
    GROUP_LIMIT_SPLIT,
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
