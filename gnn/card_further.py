"""The further measures of a model in words, for its card."""

from __future__ import annotations

from typing import Any

from gnn.card_figures import told


def further_said(of: dict[str, Any]) -> list[str]:
    """Return the lines of a card that tell of segments, capture and money, unseen groups, cases never found, base rates and strangers."""
    return [
        "## What is caught",
        "",
        *(f"- {line}" for line in caught_said(of)),
        "",
        *_segments(of["segments"]),
        "",
        "## Beyond the held-out ranking",
        "",
        *_beyond(of),
    ]


def walked_said(of: dict[str, Any]) -> str:
    """Say what AP comes to over several days a horizon apart, each judged by trees that saw only what was known before."""
    if not of["days"]:
        return "No two days a horizon apart have cases enough to be judged by trees grown before them."
    ap = ", ".join(f"{name} {told(each)}" for name, each in of["ap"].items())
    days = ", ".join(f"{day} ({cases} cases)" for day, cases in of["days"].items())
    return f"Mean AP over {days}, each judged by trees that saw only what was known before: {ap}; gain {told(of['gain'], '+.4f')}."


def caught_said(of: dict[str, Any]) -> list[str]:
    """Say which part of those who became a case, and of what these owe, lies among the highest scores."""
    capture = ", ".join(f"{each['found']:.0%} in the first {each['part']:.1%}" for each in of["capture"])
    money = ", ".join(f"{each['part']:.0%} in the first {each['first']}" for each in of["money"])
    return [f"of those who became a case: {capture}", f"of what these owe: {money}"]


def _segments(of: dict[str, dict[str, Any]]) -> list[str]:
    rows = ["## By segment", "", "| segment | rows | cases | AUC | AP | said | observed |", "|---|---|---|---|---|---|---|"]
    for name, each in of.items():
        ranked = " | ".join("-" if each[key] is None else f"{each[key]:.3f}" for key in ("auc", "ap"))
        rows.append(f"| {name} | {each['rows']} | {each['guilty']} | {ranked} | {each['said']:.2%} | {told(each['observed'], '.2%')} |")
    return rows


def _unseen(of: dict[str, Any]) -> str:
    return f"AUC {told(of['auc'])}, AP {told(of['ap'])}" if "ap" in of else "too few groups have a case to tell"


def _beyond(of: dict[str, Any]) -> list[str]:
    never, base, strange, unseen = of["unlabelled"], of["prior"], of["outside"], of["unseen_groups"]
    lines = [
        f"- models that saw no company of the same group: {_unseen(unseen)} ({unseen['groups']} groups)",
        f"- part of the guilty that is found: {never['part']:.2f} ({'given' if never['given'] else 'estimated'}); by it "
        f"{never['guilty']:.0f} of all and {never['guilty_of_100']:.0f} of the 100 highest are guilty",
        f"- base rate: {base['valid']:.3%} in validation, {base['observed']:.3%} held out, {base['said']:.3%} said",
        f"- unlike all that was learnt from: {strange['part']:.2%} of the companies, {strange['guilty']} of those who became a case; they "
        "get no probability",
    ]
    if suits := of["lawsuits"]:
        alone, gain = told(suits["alone_auc"]), told(suits["ap_gain"], "+.4f")
        lines.append(f"- lawsuits and the days of their filing alone: AUC {alone}; gain in AP by them {gain}")
    return lines
