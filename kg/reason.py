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
PAPER_FINANCED_TWICE = Reason(
    "PAPER_FINANCED_TWICE",
    "重复融资：同一发票或合同（含编号写法略有不同者）同时在多家机构融资，合计超过单据金额",
    "Several lenders lent against one invoice or contract at a time, more together than it is worth",
)
INVOICES_VOIDED_AFTER_FINANCING = Reason(
    "INVOICES_VOIDED_AFTER_FINANCING",
    "融资后作废发票：以发票取得融资后，卖方将其中相当部分发票作废",
    "The seller made a good part of its invoices void after money had been lent against them",
)
FILINGS_CONTRADICTED = Reason(
    "FILINGS_CONTRADICTED",
    "开票与纳税申报不符：同期开票金额与申报销售额相差悬殊",
    "What the company invoiced lies far from the sales that it declared for the same months",
)
CONTRACTS_PASSED = Reason(
    "CONTRACTS_PASSED",
    "开票远超合同：双方之间的开票金额数倍于所依据合同的金额",
    "What was invoiced between the two passes their contracts many times over",
)
CONTROL_CHANGED_BEFORE_LOAN = Reason(
    "CONTROL_CHANGED_BEFORE_LOAN",
    "贷前突击变更控制权：企业在贷款前不久变更法定代表人或控股股东",
    "The legal representative or the holder of the majority changed shortly before the loan",
)
HOLLOW_INVOICES = Reason(
    "HOLLOW_INVOICES",
    "疑似虚开发票：短期内集中开出与进项货物不符的发票，随后停止开票",
    "Within weeks the seller invoiced many times what is usual, of goods that nothing it bought accounts for, and then fell silent",
)
SHELL_CLUSTER = Reason(
    "SHELL_CLUSTER",
    "空壳企业群：短期内批量注册的若干企业共用地址、电话、设备或代表人，或资金经其分散后汇集",
    "Companies registered within weeks share address, phone, device, representative, or where their money comes from and goes to",
)
RELATED_TRADE = Reason(
    "RELATED_TRADE",
    "隐性关联交易：营业收入的相当部分来自与其实际受同一方控制或存在未披露关联的企业",
    "A good part of the revenue comes from companies to which hidden ownership or undisclosed evidence ties the seller",
)

REASONS = (
    GUARANTEE_CIRCLE,
    LOAN_MONEY_RETURNED,
    CIRCULAR_HOLDING,
    CLOSED_HOLDING_CIRCLE,
    SHARES_OVER_WHOLE,
    GROUP_LIMIT_PASSED,
    GROUP_LIMIT_SPLIT,
    HIDDEN_CONTROL,
    UNDISCLOSED_LINKS,
    PAPER_FINANCED_TWICE,
    INVOICES_VOIDED_AFTER_FINANCING,
    FILINGS_CONTRADICTED,
    CONTRACTS_PASSED,
    CONTROL_CHANGED_BEFORE_LOAN,
    HOLLOW_INVOICES,
    SHELL_CLUSTER,
    RELATED_TRADE,
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
