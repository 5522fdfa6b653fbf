"""The card of a model, for who answers for it."""

from __future__ import annotations

from typing import Any

from gnn.card_figures import told
from gnn.card_further import further_said, walked_said

__all__ = ["card", "chosen_said", "graph_said", "told"]


def card(about: dict[str, Any], metrics: dict[str, Any], weights: str) -> str:
    """Return a card in Markdown; ``{version}`` stands where the version belongs.

    Parameters
    ----------
    weights
        What the weights are, see `gnn.weights.Weights`.
    """
    rows, days, curve = metrics["rows"], about["periods"], about["curve"]["name"]
    within = f" within {about['horizon']} days" if about["ahead"] else ""
    lines = [
        f"# {about['task']} {{version}}",
        "",
        f"What it foresees: {about['about']}{within}.",
        "A score refers a case to a person; nobody is declined by a score.",
        "",
        f"- model: {metrics['chosen']}, {about['n_columns']} columns, schema {about['schema']}, probabilities by {curve}",
        f"- weights: {weights}",
        f"- training run {about['run_id']}, business date {about['as_of']}, code {about['code']}",
        f"- train {', '.join(days['train'])}; validation {', '.join(days['valid'])}; held out {days['test']}",
        *(f"- {name}: {of['rows']} {metrics['units']} on days, {of['guilty']} {metrics['outcome']}" for name, of in rows.items()),
        "",
        "## Held-out period (95 % intervals, true prevalence)",
        "",
        "| model | AUC | AP | precision at capacity | Brier skill | ECE | calibration slope, intercept, the latter at a slope of 1 |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, of) for name, of in metrics["models"].items()),
        "",
        chosen_said(metrics),
        graph_said(metrics),
        "",
        *([walked_said(metrics["walk"]), ""] if "walk" in metrics else []),
        *([*further_said(metrics["further"]), ""] if "further" in metrics else []),
        "## Checks",
        "",
        *(f"- leak: {leak['column']} {leak['said']}" for leak in metrics["leaks"]),
        *([] if metrics["leaks"] else ["- no column copies the label, names the company or knows the future"]),
        f"- models that learnt permuted labels rank with an AUC of {metrics['permuted_labels_auc']:.3f}",
        f"- against {metrics['gate']['champion'] or 'a ranking by chance'}: gain in AP {told(metrics['gate']['ap_gain'], '+.4f')}",
        "",
        "## Limits",
        "",
        "- Cases are those that the bank knows: who was never found counts as innocent, but where the part that is found is told.",
        "- Companies, not periods, are the same in training and held out; whoever was known already on a day is left out of it.",
    ]
    return "\n".join(lines) + "\n"


def chosen_said(metrics: dict[str, Any]) -> str:
    """Say which model was chosen, and of a network whether it was shown to be better than the trees."""
    if "network_against_trees" not in metrics:
        return f"Chosen on validation: {metrics['chosen']}."
    gain = metrics["network_against_trees"]
    worse = max(gain[period]["high"] for period in ("valid", "test")) < 0
    verdict = "shown to be better" if gain["helps"] else "shown to be worse" if worse else "not shown to be better"
    return f"Asked for: {metrics['chosen']}. The network against {gain['trees']}: {verdict} ({_both(gain)})."


def graph_said(metrics: dict[str, Any]) -> str:
    """Say whether the neighbours' features were shown to help: in both periods that no tree was grown on."""
    gain = metrics["graph_against_own"]
    verdict = "shown to help" if gain["helps"] else "not shown to help"
    return f"Neighbours' features against own features alone, by boosted trees: {verdict} ({_both(gain)})."


def _both(gain: dict[str, Any]) -> str:
    return f"gain in AP {told(gain['valid'], '+.4f')} in validation, {told(gain['test'], '+.4f')} held out"


def _row(name: str, of: dict[str, Any]) -> str:
    cells = (told(of[key]) for key in ("auc", "ap", "precision_at_capacity", "brier_skill", "ece"))
    return f"| {name} | {' | '.join(cells)} | {of['slope']:.2f}, {of['intercept']:+.2f}, {of['large']:+.2f} |"
