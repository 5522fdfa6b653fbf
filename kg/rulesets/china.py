"""China: company law; the bank regulator on groups, large exposures and insiders; beneficial owners, listed companies, accounting."""

from __future__ import annotations

from kg.ruleset import Limit, RuleSet, Threshold

#: Close relatives: the direct line up to three generations, one's own being the first; the collateral one up to two, which are brothers and
#: sisters (an uncle has his grandparent in common with a nephew: three). Of those by marriage, the direct line's next.
CLOSE = ("spouse", "parent", "child", "grandparent", "grandchild", "sibling", "parent_in_law", "child_in_law")
NEAR = ("spouse", "parent", "child", "sibling")

COMPANY_LAW = RuleSet(
    "CN-COLAW-2023",
    "2023",
    "公司法 第二百六十五条 (controlling shareholder, actual controller)",
    "Company Law of the PRC, revised 2023-12-29, art. 265",
    "certain",
    state_exempt=True,
)
GROUP = RuleSet(
    "CN-GROUP-2010",
    "2010",
    "集团客户 (group clients)",
    "商业银行集团客户授信业务风险管理指引 (2010), art. 3",
    "certain",
    unverified=("deductions",),
    family=CLOSE,
    state_exempt=True,
    limits=(Limit("group", 150_000, "net_capital"),),
)
LARGE_EXPOSURES = RuleSet(
    "CN-LE-2018",
    "2018",
    "大额风险暴露 (large exposures)",
    "商业银行大额风险暴露管理办法 (2018)",
    "secondary",
    unverified=("dependence",),
    dependence=Threshold(500_000, strict=False),
    family=CLOSE,
    state_exempt=True,
    limits=(
        Limit("client", 25_000, "tier_1", kind="notice"),
        Limit("client", 100_000, "net_capital", "loans"),
        Limit("client", 150_000, "tier_1"),
        Limit("group", 200_000, "tier_1"),
        Limit("bank", 250_000, "tier_1"),
    ),
)
RELATED_PARTIES = RuleSet(
    "CN-RPT-2022",
    "2022",
    "关联交易 (the bank's own insiders)",
    "银行保险机构关联交易管理办法 (2022)",
    "secondary",
    holding=Threshold(50_000, strict=False),
    family=NEAR,
    limits=(
        Limit("client", 100_000, "net_capital"),
        Limit("group", 150_000, "net_capital"),
        Limit("insiders", 500_000, "net_capital"),
    ),
)
BENEFICIAL_OWNERS = RuleSet(
    "CN-UBO-2024",
    "2024",
    "受益所有人 (beneficial owners)",
    "受益所有人信息管理办法 (2024)",
    "secondary",
    beneficial=Threshold(250_000, strict=False),
    tests=("capital", "income_or_votes", "control", "manager"),
)
LISTED = RuleSet(
    "CN-CSRC-84",
    "2020",
    "上市公司收购管理办法 第八十四条 (control of listed companies)",
    "上市公司收购管理办法, art. 83 and 84",
    "secondary",
    listed_control=Threshold(300_000, strict=False),
    family=NEAR,
)
ACCOUNTING = RuleSet(
    "CN-CAS36",
    "2006",
    "企业会计准则第36号 关联方披露 (related parties)",
    "Accounting Standards for Business Enterprises No. 36; it leaves out parties that only depend on one another economically",
    "certain",
    holding=Threshold(200_000, strict=False),
    unverified=("holding",),
    family=NEAR,
    state_exempt=True,
)

RULESETS = (COMPANY_LAW, GROUP, LARGE_EXPOSURES, RELATED_PARTIES, BENEFICIAL_OWNERS, LISTED, ACCOUNTING)
