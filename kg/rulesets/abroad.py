"""Abroad: close links and beneficial owners of the European Union, persons with significant control, the US lending limit."""

from __future__ import annotations

from kg.ruleset import RuleSet, Threshold

CLOSE_LINKS = RuleSet(
    "EU-CLOSELINK",
    "2013",
    "Close links",
    "Regulation (EU) No 575/2013, art. 4(1)(38)",
    "certain",
    holding=Threshold(200_000, strict=False),
)
AMLR = RuleSet(
    "EU-AMLR",
    "2024",
    "Beneficial owners",
    "Regulation (EU) 2024/1624, art. 52 and 54: shares are multiplied along chains and added over them; control and ownership mix",
    "certain",
    beneficial=Threshold(250_000, strict=False),
    tests=("capital", "income_or_votes", "control", "manager"),
)
UK_PSC = RuleSet(
    "UK-PSC",
    "2016",
    "Persons with significant control",
    "Companies Act 2006, schedule 1A",
    "certain",
    holding=Threshold(250_000),
    beneficial=Threshold(250_000),
    tests=("capital", "income_or_votes", "control"),
)
US_LENDING_LIMIT = RuleSet(
    "US-32.5",
    "2013",
    "Combination rules of the lending limit",
    "12 CFR 32.5: the same source of repayment; or common control together with half of receipts or spending",
    "certain",
    dependence=Threshold(500_000, strict=False),
    needs_control=True,
)

RULESETS = (CLOSE_LINKS, AMLR, UK_PSC, US_LENDING_LIMIT)
