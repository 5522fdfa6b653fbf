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
MONEY_GOES_ROUND = Reason(
    "MONEY_GOES_ROUND",
    "资金环流：资金在少数几个主体之间反复循环，或经多个主体流转后回到起点，疑似虚构贸易或掩盖资金去向",
    "Money goes round the same few parties, again and again or over many hands, as for trade that is made up or to hide where it went",
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
BORROWED_FOR_ONE = Reason(
    "BORROWED_FOR_ONE",
    "借名贷款：多个借款人短期内取得的贷款大部分集中流向同一主体，且双方无货物往来",
    "Several parties borrowed within weeks, and most of each loan went to one who sold them nothing",
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
RELATED_TRADE_MINOR = Reason(
    "RELATED_TRADE_MINOR",
    "疑似隐性关联交易：营业收入的十分之一以上来自与其实际受同一方控制或存在未披露关联的企业",
    "A lesser part of the revenue, a tenth or more, comes from companies to which hidden ownership or undisclosed evidence ties the seller",
)

REASONS = (
    GUARANTEE_CIRCLE,
    LOAN_MONEY_RETURNED,
    LOAN_MONEY_RETURNED_FAR,
    SCATTERED_AND_GATHERED,
    GATHERED_AND_SCATTERED,
    MONEY_GOES_ROUND,
    MANY_LENDERS,
    LOANS_PASSED_ON,
    BORROWED_FOR_ONE,
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
    CLIENT_LIMIT_PASSED,
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
    RELATED_TRADE_MINOR,
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
