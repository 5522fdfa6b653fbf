"""The closed list of reasons for a score: one for each family of features, in the words that people read.

A code is part of what is kept of scores: it is never changed or used again for something else.
"""

from __future__ import annotations

from kg.errors import KgfraudError
from kg.reason import Reason

#: The reason that a family of features gives.
BY_FAMILY: dict[str, Reason] = {
    "registration": Reason(
        "SCORE_REGISTRATION",
        "工商登记：成立时间、注册资本、地区或行业与已确认的欺诈企业相近",
        "Age, capital, region or industry in the register are like those of confirmed cases",
    ),
    "ownership": Reason(
        "SCORE_OWNERSHIP",
        "股权结构：股东或对外投资情况与已确认的欺诈企业相近",
        "Who holds the company, or what it holds, is like that of confirmed cases",
    ),
    "officers": Reason(
        "SCORE_OFFICERS",
        "高管任职：法定代表人或高管的任职情况与已确认的欺诈企业相近",
        "Its officers, and what else they manage, are like those of confirmed cases",
    ),
    "payments": Reason(
        "SCORE_PAYMENTS",
        "资金往来：近一年收付款的金额、节奏或对手与已确认的欺诈企业相近",
        "Sums, rhythm or partners of a year's payments are like those of confirmed cases",
    ),
    "loans": Reason(
        "SCORE_LOANS",
        "贷款与担保：借款、放款后资金去向或担保情况与已确认的欺诈企业相近",
        "Its loans, what became of their money, or its guarantees are like those of confirmed cases",
    ),
    "invoices": Reason(
        "SCORE_INVOICES",
        "发票：近一年开票、受票情况与已确认的欺诈企业相近",
        "What it invoiced and was invoiced within a year is like that of confirmed cases",
    ),
    "papers": Reason(
        "SCORE_PAPERS",
        "票据融资：近一年以单据取得的融资与已确认的欺诈企业相近",
        "What was lent against its papers within a year is like that of confirmed cases",
    ),
    "contacts": Reason(
        "SCORE_CONTACTS",
        "联系方式与设备：地址、电话或登录设备的共用情况与已确认的欺诈企业相近",
        "Addresses, phones or devices, and who shares them, are like those of confirmed cases",
    ),
    "court": Reason(
        "SCORE_COURT",
        "涉诉：诉讼情况与已确认的欺诈企业相近",
        "Its court cases are like those of confirmed cases",
    ),
    "chain": Reason(
        "SCORE_SUPPLY_CHAIN",
        "供应链：与被诉企业的购销或资金往来与已确认的欺诈企业相近",
        "How much of its trade is with companies that are sued is like that of confirmed cases",
    ),
    "schemes": Reason(
        "SCORE_RULES",
        "规则命中：命中的风险规则与已确认的欺诈企业相近",
        "The rules that hit it are those that hit confirmed cases",
    ),
    "rings": Reason(
        "SCORE_RINGS",
        "资金环：所在资金环的规模、时间或成员与已确认的欺诈企业相近",
        "The rings of money that it is in, and who else is in them, are like those of confirmed cases",
    ),
    "links": Reason(
        "SCORE_LINKS",
        "关联证据：未披露的关联方或隐名控制的证据与已确认的欺诈企业相近",
        "The evidence that ties it to others beside equity is like that of confirmed cases",
    ),
    "control": Reason(
        "SCORE_CONTROL",
        "控制关系：控制方及同一控制下的主体与已确认的欺诈企业相近",
        "Who commands it, and who is commanded with it, are like those of confirmed cases",
    ),
    "near.paid": Reason(
        "SCORE_PARTNERS_IN_PAYMENTS",
        "资金往来对手：与其有资金往来的企业与已确认欺诈企业的对手相近",
        "The companies with which it exchanges money are like the partners of confirmed cases",
    ),
    "near.invoiced": Reason(
        "SCORE_PARTNERS_IN_TRADE",
        "发票往来对手：与其有发票往来的企业与已确认欺诈企业的对手相近",
        "The companies with which it exchanges invoices are like the partners of confirmed cases",
    ),
    "near.guarantees": Reason(
        "SCORE_GUARANTORS",
        "担保关联方：与其有担保关系的企业与已确认欺诈企业的担保关联方相近",
        "The companies tied to it by guarantees are like those around confirmed cases",
    ),
    "near.shares": Reason(
        "SCORE_HOLDERS",
        "直接持股关联方：其股东或所投企业与已确认欺诈企业的关联方相近",
        "The companies that hold it or that it holds are like those around confirmed cases",
    ),
    "near.people": Reason(
        "SCORE_SAME_PEOPLE",
        "同一股东或高管的企业：与其有共同股东或高管的企业与已确认欺诈企业的关联方相近",
        "The companies with which it has a holder or an officer in common are like those around confirmed cases",
    ),
}
SCORE_REASONS: tuple[Reason, ...] = tuple(BY_FAMILY.values())


def reason_of(family: str) -> Reason:
    """Return the reason that a family of features gives.

    Raises
    ------
    KgfraudError
        If the family has none yet.

    Examples
    --------
    >>> reason_of("near.paid").code
    'SCORE_PARTNERS_IN_PAYMENTS'
    """
    if family not in BY_FAMILY:
        raise KgfraudError(f"the family of features '{family}' has no reason code; add one to gnn/reasons.py")
    return BY_FAMILY[family]
