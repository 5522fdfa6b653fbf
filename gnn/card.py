"""The card of a model, for who answers for it."""

from __future__ import annotations

from typing import Any


def card(about: dict[str, Any], metrics: dict[str, Any]) -> str:
    """Return a card in Markdown; ``{version}`` stands where the version belongs."""
    rows, days, curve = metrics["rows"], about["periods"], about["curve"]["name"]
    within = f" within {about['horizon']} days" if about["ahead"] else ""
    lines = [
        f"# {about['task']} {{version}}",
        "",
        f"What it foresees: {about['about']}{within}.",
        "A score refers a case to a person; nobody is declined by a score.",
        "",
        f"- model: {metrics['chosen']}, {about['n_columns']} columns, schema {about['schema']}, probabilities by {curve}",
        f"- training run {about['run_id']}, business date {about['as_of']}, code {about['code']}",
        f"- train {', '.join(days['train'])}; validation {', '.join(days['valid'])}; held out {days['test']}",
        *(f"- {name}: {of['rows']} {metrics['units']} on days, {of['guilty']} {metrics['outcome']}" for name, of in rows.items()),
        "",
        "## Held-out period (95 % intervals, true prevalence)",
        "",
        "| model | AUC | AP | precision at capacity | Brier skill | ECE | calibration slope, intercept |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, of) for name, of in metrics["models"].items()),
        "",
        graph_said(metrics),
        "",
        "## Checks",
        "",
        *(f"- leak: {leak['column']} {leak['said']}" for leak in metrics["leaks"]),
        *([] if metrics["leaks"] else ["- no column copies the label, names the company or knows the future"]),
        f"- a model that learnt permuted labels ranks with an AUC of {metrics['permuted_labels_auc']:.3f}",
        f"- against {metrics['gate']['champion'] or 'a ranking by chance'}: gain in AP {told(metrics['gate']['ap_gain'], '+.4f')}",
        "",
        "## Limits",
        "",
        "- Cases are those that the bank knows: who was never found counts as innocent here.",
        "- Companies, not periods, are the same in training and held out; whoever was known already on a day is left out of it.",
    ]
    return "\n".join(lines) + "\n"


def graph_said(metrics: dict[str, Any]) -> str:
    """Say whether the neighbours' features were shown to help: in both periods that no tree was grown on."""
    gain = metrics["graph_against_own"]
    verdict = "shown to help" if gain["helps"] else "not shown to help"
    figures = f"{told(gain['valid'], '+.4f')} in validation, {told(gain['test'], '+.4f')} held out"
    return f"Neighbours' features against own features alone: {verdict} (gain in AP {figures})."


def told(of: dict[str, float], form: str = ".3f") -> str:
    """Write a figure with its interval.

    >>> told({"value": 0.5, "low": 0.25, "high": 0.75}, ".2f")
    '0.50 [0.25, 0.75]'
    """
    return f"{of['value']:{form}} [{of['low']:{form}}, {of['high']:{form}}]"


def _row(name: str, of: dict[str, Any]) -> str:
    cells = (told(of[key]) for key in ("auc", "ap", "precision_at_capacity", "brier_skill", "ece"))
    return f"| {name} | {' | '.join(cells)} | {of['slope']:.2f}, {of['intercept']:+.2f} |"
