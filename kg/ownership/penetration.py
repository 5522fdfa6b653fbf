"""The penetration tree (股权穿透) of a company: who holds it, through whom, and what it holds itself.

Knows how a net of holdings becomes a tree in which a loop is shown once; hides that the lake is asked level by level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from kg.graph import Graph
from kg.ownership.register import Register, register, stated_holdings

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Branch:
    """A party in the tree and the holding that leads to it.

    Parameters
    ----------
    share_ppm
        Its share of the party below it (above it, on the way down), or None where it is not known.
    seen
        Whether the party stands elsewhere in the tree with all behind it, so that it is not followed again.
    more
        Whether the tree was cut here though there are further holdings.
    """

    party: str
    share_ppm: int | None
    evidence: tuple[str, ...] = ()
    seen: bool = False
    more: bool = False
    branches: tuple[Branch, ...] = field(default=())

    def walk(self) -> Iterator[Branch]:
        """Yield this branch and all behind it."""
        yield self
        for branch in self.branches:
            yield from branch.walk()


def net(graph: Graph, company: str, direction: Direction, levels: int | None = None) -> pa.Table:
    """Return the holdings behind a company (``up``) or those that start from it (``down``): ``id, holder, held, share_ppm``.

    Parameters
    ----------
    levels
        How many levels are followed; by default all.
    """
    near, far = ("held", "holder") if direction == "up" else ("holder", "held")
    rows, engine = graph.edges("HOLDS_SHARES"), graph.engine
    front = known = pa.array([company])
    found: list[pa.Table] = []
    while len(front) and (levels is None or len(found) < levels):
        asked = engine.arrow(pa.table({"party": front}))
        companies = asked.select(dst="party") if direction == "up" else rows.semi_join(asked, rows.src == asked.party).select("dst")
        # what money is worth as a share only the whole register of a company says
        told = stated_holdings(engine, rows.semi_join(engine.keep(companies.distinct()), "dst"))
        level = told.filter(pc.is_in(told[near], value_set=front)).select(["id", "holder", "held", "share_ppm"])
        found.append(level)
        reached = pc.unique(level[far].combine_chunks())
        front = reached.filter(pc.invert(pc.is_in(reached, value_set=known)))
        known = pa.concat_arrays([known, front])
    return pa.concat_tables(found)


def behind(graph: Graph, company: str) -> Register:
    """Return the register of a company and of all that stand behind it: who holds it, those for whom nominees hold, who holds these."""
    nominations = register(graph, pa.array([company])).nominations
    rows = graph.edges("HOLDS_SHARES").select(holder="src", held="dst")
    front = known = pa.array([company])
    while len(front):
        holders = graph.engine.table(rows.semi_join(graph.engine.arrow(pa.table({"held": front})), "held"))["holder"]
        nominators = nominations.filter(pc.is_in(nominations["held"], value_set=front))["nominator"]
        reached = pc.unique(pa.chunked_array([*holders.chunks, *nominators.chunks], pa.string()))
        front = reached.filter(pc.invert(pc.is_in(reached, value_set=known)))
        known = pa.concat_arrays([known, front])
    return register(graph, known)


def grow(holdings: pa.Table, company: str, direction: Direction, depth: int) -> Branch:
    """Return the tree of a net of holdings; parallel holdings are added up, greater ones come first, unknown ones last.

    Parameters
    ----------
    holdings
        As `net` gives them.
    depth
        Levels that are shown.

    Examples
    --------
    >>> rows = {"id": ["x/1", "x/2"], "holder": ["p", "b"], "held": ["b", "b"], "share_ppm": [700_000, 300_000]}
    >>> [(branch.party, branch.share_ppm, branch.seen) for branch in grow(pa.table(rows), "b", "up", 5).walk()]
    [('b', None, False), ('p', 700000, False), ('b', 300000, True)]
    """
    near, far = ("held", "holder") if direction == "up" else ("holder", "held")
    sides: dict[str, dict[str, list[tuple[str, int | None]]]] = {}
    for row in holdings.to_pylist():
        sides.setdefault(row[near], {}).setdefault(row[far], []).append((row["id"], row["share_ppm"]))
    return _grown(sides, Branch(company, None), depth, {company})


def _grown(sides: dict[str, dict[str, list[tuple[str, int | None]]]], root: Branch, depth: int, shown: set[str]) -> Branch:
    """Follow a branch level by level, so that a party is followed where it stands nearest to the company."""
    children: dict[int, list[Branch]] = {}
    order: list[tuple[int, Branch, int]] = [(-1, root, depth)]
    place = 0
    while place < len(order):
        _, branch, left = order[place]
        beyond = sides.get(branch.party, {})
        if beyond and not branch.seen and left == 0:
            order[place] = (order[place][0], Branch(branch.party, branch.share_ppm, branch.evidence, more=True), 0)
        elif not branch.seen:
            for next_ in sorted((_branch(party, rows, shown) for party, rows in beyond.items()), key=_greatest_first):
                order.append((place, next_, left - 1))
                shown.add(next_.party)
        place += 1
    for place in range(len(order) - 1, -1, -1):
        parent, branch, _ = order[place]
        whole = Branch(branch.party, branch.share_ppm, branch.evidence, branch.seen, branch.more, tuple(reversed(children.get(place, []))))
        children.setdefault(parent, []).append(whole)
    return children[-1][0]


def _branch(party: str, rows: list[tuple[str, int | None]], shown: set[str]) -> Branch:
    shares = [share for _, share in rows]
    known = None if any(share is None for share in shares) else sum(share for share in shares if share is not None)
    return Branch(party, known, tuple(sorted(id_ for id_, _ in rows)), seen=party in shown)


def _greatest_first(branch: Branch) -> tuple[bool, int, str]:
    return branch.share_ppm is None, -(branch.share_ppm or 0), branch.party


def as_lines(tree: Branch, label: Callable[[Branch], str]) -> Iterator[str]:
    """Yield the lines of a tree as people read it, its root left out.

    >>> tree = Branch("c", None, branches=(Branch("p", 1, branches=(Branch("q", 2),)), Branch("r", None)))
    >>> print("\\n".join(as_lines(tree, lambda branch: branch.party)))
    ├─ p
    │  └─ q
    └─ r
    """
    for number, branch in enumerate(tree.branches, 1):
        last = number == len(tree.branches)
        yield f"{'└─' if last else '├─'} {label(branch)}"
        for line in as_lines(branch, label):
            yield f"{'   ' if last else '│  '}{line}"
