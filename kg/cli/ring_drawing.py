"""A ring of money as a picture: its members on a circle, the leader at the top, and an arrow from payer to payee for what was paid.

Knows where a member stands and how a picture is written as SVG; hides both from the command.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from kg.cli.limit import yuan

_SIZE, _RADIUS, _DOT, _SIGNS = 640, 210, 26, 14


def draw_ring(members: Sequence[dict[str, Any]], transfers: Sequence[dict[str, Any]]) -> str:
    """Return a ring as one SVG; the wider an arrow the more was paid.

    Parameters
    ----------
    members
        ``party, name, role``, the leader first; others on the transfers stand after them.
    transfers
        ``payer, payee, amount_fen``.

    Examples
    --------
    >>> two = [{"party": party, "name": f"<{party}>", "role": "member"} for party in "ab"]
    >>> picture = draw_ring(two, [{"payer": "a", "payee": "b", "amount_fen": 5}, {"payer": "b", "payee": "c", "amount_fen": 4}])
    >>> picture.count("<circle"), picture.count("<path"), "&lt;a&gt;" in picture
    (3, 3, True)
    """
    named = {row["party"]: row["name"] or row["party"] for row in members}
    for move in transfers:
        for end in ("payer", "payee"):
            named.setdefault(move[end], move[end])
    leaders = {row["party"] for row in members if row["role"] == "leader"}
    place = {party: _place(number, len(named)) for number, party in enumerate(named)}
    paid: Counter[tuple[str, str]] = Counter()
    for move in transfers:
        paid[move["payer"], move["payee"]] += move["amount_fen"]
    most = max(paid.values(), default=1)
    arrows = [_arrow(place[payer], place[payee], fen, most) for (payer, payee), fen in sorted(paid.items())]
    dots = [_dot(place[party], name, leads=party in leaders) for party, name in named.items()]
    head = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse"'
        ' orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" fill="#a33"/></marker></defs>'
    )
    body = "\n".join([head, *arrows, *dots])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" width="{_SIZE}" height="{_SIZE}"'
        f' font-family="sans-serif" font-size="12">\n{body}\n</svg>'
    )


def _place(number: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * number / max(count, 1) - math.pi / 2
    return _SIZE / 2 + _RADIUS * math.cos(angle), _SIZE / 2 + _RADIUS * math.sin(angle)


def _arrow(start: tuple[float, float], end: tuple[float, float], fen: int, most: int) -> str:
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    # bent to one side, so that what is paid back stands beside it
    bend_x, bend_y = (x1 + x2) / 2 - dy * length / 8, (y1 + y2) / 2 + dx * length / 8
    x1, y1, x2, y2 = x1 + dx * _DOT, y1 + dy * _DOT, x2 - dx * _DOT, y2 - dy * _DOT
    return (
        f'<path d="M {x1:.0f} {y1:.0f} Q {bend_x:.0f} {bend_y:.0f} {x2:.0f} {y2:.0f}" fill="none" stroke="#a33"'
        f' stroke-width="{1 + 5 * fen / most:.1f}" marker-end="url(#head)"><title>{yuan(fen)} yuan</title></path>'
    )


def _dot(at: tuple[float, float], name: str, *, leads: bool) -> str:
    x, y = at
    cut = name if len(name) <= _SIGNS else f"{name[: _SIGNS - 1]}…"
    fill = "#fff3d6" if leads else "#eef5ff"
    below = _DOT + 16 if y > _SIZE / 2 else -_DOT - 8
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{_DOT}" fill="{fill}" stroke="#555"/>'
        f'<text x="{x:.0f}" y="{y + below:.0f}" text-anchor="middle"><title>{escape(name)}</title>{escape(cut)}</text>'
    )
