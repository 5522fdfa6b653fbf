"""The penetration tree as a picture: the company in the middle, its holders above it, what it holds below.

Knows where a box stands and how a picture is written as SVG; hides both from the commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from kg.ownership.penetration import Branch

_WIDTH, _HEIGHT, _ACROSS, _DOWN = 220, 54, 16, 64
_SIGNS = 30


@dataclass(frozen=True)
class _Box:
    """A party with its place: columns from the left, levels from the company (up is negative)."""

    branch: Branch
    column: float
    level: int
    parent: _Box | None


def draw(up: Branch, down: Branch, label: Callable[[Branch], str]) -> str:
    """Return both trees of a company as one SVG.

    Parameters
    ----------
    label
        Gives the words of a box, two spaces between its lines.

    Examples
    --------
    >>> picture = draw(Branch("c", None, branches=(Branch("<p>", 510_000),)), Branch("c", None), lambda branch: branch.party)
    >>> picture.count("<rect"), "&lt;p&gt;" in picture
    (2, True)
    """
    above, below = _placed(up, -1), _placed(down, 1)
    # both trees have the company: it stands once, over the middle of the wider one
    shift = above[0].column - below[0].column
    moved = _moved(below, shift)
    boxes = above + moved[1:]
    left, top = min(box.column for box in boxes), min(box.level for box in boxes)
    wide = (max(box.column for box in boxes) - left + 1) * (_WIDTH + _ACROSS) + _ACROSS
    high = (max(box.level for box in boxes) - top + 1) * (_HEIGHT + _DOWN) + _ACROSS
    body = "\n".join(line for box in boxes for line in _drawn(box, left, top, label))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" height="{high:.0f}"'
        f' font-family="sans-serif" font-size="12">\n{body}\n</svg>'
    )


def _placed(root: Branch, step: int) -> list[_Box]:
    """Return the boxes of a tree, the root first: leaves side by side, a parent over the middle of its children."""
    columns: dict[int, float] = {}
    leaves = 0
    stack: list[tuple[Branch, bool]] = [(root, False)]
    while stack:
        branch, done = stack.pop()
        if not branch.branches:
            columns[id(branch)] = leaves
            leaves += 1
        elif done:
            columns[id(branch)] = (columns[id(branch.branches[0])] + columns[id(branch.branches[-1])]) / 2
        else:
            stack += [(branch, True), *((each, False) for each in reversed(branch.branches))]
    boxes = [_Box(root, columns[id(root)], 0, None)]
    for box in boxes:
        boxes += [_Box(each, columns[id(each)], box.level + step, box) for each in box.branch.branches]
    return boxes


def _moved(boxes: list[_Box], shift: float) -> list[_Box]:
    moved: dict[int, _Box] = {}
    for box in boxes:
        moved[id(box)] = _Box(box.branch, box.column + shift, box.level, moved[id(box.parent)] if box.parent else None)
    return list(moved.values())


def _drawn(box: _Box, left: float, top: int, label: Callable[[Branch], str]) -> Iterator[str]:
    x, y = _corner(box, left, top)
    if box.parent is not None:
        above, below = sorted((box, box.parent), key=lambda each: each.level)
        (x1, y1), (x2, y2) = _corner(above, left, top), _corner(below, left, top)
        ends = f"M {x1 + _WIDTH / 2:.0f} {y1 + _HEIGHT:.0f} V {y2 - _DOWN / 2:.0f} H {x2 + _WIDTH / 2:.0f} V {y2:.0f}"
        dashed = ' stroke-dasharray="4"' if box.branch.share_ppm is None else ""
        yield f'<path d="{ends}" fill="none" stroke="#888"{dashed}/>'
    fill = "#fff3d6" if box.parent is None else "#eee" if box.branch.seen else "#eef5ff"
    yield f'<rect x="{x:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="4" fill="{fill}" stroke="#555"/>'
    words = [word for word in label(box.branch).split("  ") if word and not (box.parent is None and word == "share unknown")]
    for line, word in enumerate(words[:3]):
        cut = word if len(word) <= _SIGNS else f"{word[: _SIGNS - 1]}…"
        said = f"<title>{escape(word)}</title>{escape(cut)}"
        yield f'<text x="{x + _WIDTH / 2:.0f}" y="{y + 16 + 15 * line:.0f}" text-anchor="middle">{said}</text>'


def _corner(box: _Box, left: float, top: int) -> tuple[float, float]:
    return (box.column - left) * (_WIDTH + _ACROSS) + _ACROSS, (box.level - top) * (_HEIGHT + _DOWN) + _ACROSS
