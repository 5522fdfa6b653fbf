"""A small picture of a scheme: its members on a circle, others outside, and who paid whom.

Knows where a party stands; hides the markup. Filled circles are members, empty ones others who took part; the wider an
arrow, the more money; a broken line is a guarantee.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from loaders.city.describe.planted import Scheme, Tie
from loaders.city.describe.svg import short

_SIZE, _INNER, _OUTER, _DOT = 220, 68.0, 98.0, 6.0
#: More others than these are not drawn.
_OTHERS = 14
#: The head of all arrows, once on a page.
ARROW = (
    '<svg width="0" height="0" class="defs"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" class="head"/></marker></defs></svg>'
)


def drawn(scheme: Scheme) -> str:
    """Return the picture of a scheme, with a line about it."""
    names = {firm: f"{name}, {role}" for firm, name, role in scheme.members}
    others = _others(scheme, names)
    at = {**_circle(_in_turn(scheme, list(names)), _INNER if others else _OUTER - 12, 0.0), **_circle(others, _OUTER, 0.3)}
    most = max((tie.fen for tie in scheme.ties), default=1)
    lines = "".join(_line(tie, at, most) for tie in scheme.ties if tie.payer in at and tie.payee in at)
    dots = "".join(_dot(at[party], names.get(party, "a person" if party < 0 else "another company"), party in names) for party in at)
    fen, count = sum(tie.fen for tie in scheme.ties), sum(tie.payments for tie in scheme.ties)
    said = f"{scheme.kind} {scheme.number}: {len(names)} companies, {count} payments, {short(fen / 100)} yuan from {scheme.start}"
    return (
        f'<figure class="map" title="{escape(scheme.parameters)}"><svg viewBox="0 0 {_SIZE} {_SIZE}" role="img" '
        f'aria-label="{escape(said)}">{lines}{dots}</svg><figcaption>{escape(said)}</figcaption></figure>'
    )


def _others(scheme: Scheme, members: Mapping[int, str]) -> list[int]:
    """Return those who take part and are no members, those with the most money first."""
    money: dict[int, int] = {}
    for tie in scheme.ties:
        for party in {tie.payer, tie.payee} - members.keys():
            money[party] = money.get(party, 0) + tie.fen
    return sorted(money, key=lambda party: (-money[party], party))[:_OTHERS]


def _in_turn(scheme: Scheme, members: list[int]) -> list[int]:
    """Return members so that, where it can be, each stands beside the one that it paid most."""
    paid: dict[int, list[Tie]] = {}
    for tie in sorted(scheme.ties, key=lambda tie: -tie.fen):
        paid.setdefault(tie.payer, []).append(tie)
    left, order = dict.fromkeys(members), []
    while left:
        here: int | None = next((member for member in left if member in paid), next(iter(left)))
        while here is not None:
            del left[here]
            order.append(here)
            here = next((tie.payee for tie in paid.get(here, ()) if tie.payee in left), None)
    return order


def _circle(of: list[int], radius: float, turn: float) -> dict[int, tuple[float, float]]:
    """Return places on a circle, the first at the top."""
    angle = np.arange(len(of)) / max(len(of), 1) * 2 * np.pi - np.pi / 2 + turn
    x, y = _SIZE / 2 + radius * np.cos(angle), _SIZE / 2 + radius * np.sin(angle)
    return dict(zip(of, zip(x.tolist(), y.tolist(), strict=True), strict=True))


def _line(tie: Tie, at: Mapping[int, tuple[float, float]], most: int) -> str:
    """Return an arrow, bent so that the one back is seen beside it."""
    (x, y), (to_x, to_y) = at[tie.payer], at[tie.payee]
    long = float(np.hypot(to_x - x, to_y - y))
    if long == 0:
        return ""
    along, aside = ((to_x - x) / long, (to_y - y) / long), min(long * 0.14, 14)
    x, y, to_x, to_y = x + along[0] * _DOT, y + along[1] * _DOT, to_x - along[0] * (_DOT + 2), to_y - along[1] * (_DOT + 2)
    bend = (x + to_x) / 2 - along[1] * aside, (y + to_y) / 2 + along[0] * aside
    path = f"M{x:.1f} {y:.1f}Q{bend[0]:.1f} {bend[1]:.1f} {to_x:.1f} {to_y:.1f}"
    if tie.payments == 0:
        return f'<path class="promise" d="{path}"><title>a guarantee</title></path>'
    width = 0.6 + 2.4 * (tie.fen / max(most, 1)) ** 0.5
    title = f"{tie.payments} payments, {tie.fen / 100:,.2f} yuan"
    return f'<path class="tie" stroke-width="{width:.1f}" d="{path}"><title>{title}</title></path>'


def _dot(at: tuple[float, float], name: str, member: bool) -> str:
    kind = "member" if member else "other"
    return f'<circle class="{kind}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{_DOT:.0f}"><title>{escape(name)}</title></circle>'
