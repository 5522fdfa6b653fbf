"""Houses: all that the register gives to one person, or to one company on top; who is tied to one of it is tied to all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from kg.engine import union
from kg.graph import Graph

#: Who controls more companies than this is a body or a mistake.
MOST = 60


def control(graph: Graph) -> ir.Table:
    """Return who certainly controls a company alone: ``src, dst``, without those who control very many."""

    def made() -> ir.Table:
        rows = graph.edges("CONTROLS")
        rows = graph.engine.keep(rows.filter(rows.certain.fill_null(True), rows.jointly.isnull()).select("src", "dst"))
        few = rows.group_by("src").aggregate(count=rows.count())
        return graph.engine.keep(rows.semi_join(few.filter(few["count"] <= MOST), "src"))

    return graph.once("gnn.pairs.control", made)


def houses(graph: Graph) -> ir.Table:
    """Return ``party, house``: the person, else the company, who controls each company; where nobody certainly does, who represents it.

    Persons who have no company are left out; each is a house of its own.
    """

    def made() -> ir.Table:
        rows = control(graph)
        by_person = rows.src.startswith("person:")
        head = rows.group_by(party="dst").aggregate(person=rows.src.min(where=by_person), company=rows.src.min(where=~by_person))
        ruled = graph.engine.keep(head.select("party", house=head.person.fill_null(head.company)))
        others = graph.nodes("Company").select(party="id").anti_join(ruled, "party")
        stands = graph.edges("REPRESENTS").group_by(party="dst").aggregate(stands=ibis._.src.min())
        others = others.left_join(graph.engine.keep(stands), "party", rname="{name}_r")
        # who rules others is on top of them, whoever represents it
        on_top = ruled.select(party="house", on_top=True).distinct()
        others = graph.engine.keep(others).left_join(on_top, "party", rname="{name}_t")
        others = others.select(
            "party", house=ibis.ifelse(others.on_top.fill_null(False), others.party, others.stands.fill_null(others.party))
        )
        known = graph.engine.keep(union([ruled, others]))
        heads = known.select(party="house", house="house").distinct()
        return graph.engine.keep(union([known, heads.anti_join(known, "party")]).distinct())

    return graph.once("gnn.pairs.houses", made)


@dataclass(frozen=True)
class Ties:
    """How likely pairs of parties are under one control, told between houses.

    Attributes
    ----------
    house
        Whose each party is; one without is its own.
    best
        By house, then by another: the likelihood of the likeliest pair between the two.
    """

    house: Mapping[str, str]
    best: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], likely: Iterable[float], house: Mapping[str, str]) -> Ties:
        """Put likelihoods of pairs, between 0 and 1, together by houses."""
        found: dict[str, dict[str, float]] = {}
        for (a, b), each in zip(pairs, likely, strict=True):
            one, other = house.get(a, a), house.get(b, b)
            for here, there in ((one, other), (other, one)):
                mine = found.setdefault(here, {})
                mine[there] = max(each, mine.get(there, each))
        return cls(house, found)

    def between(self, a: str, b: str) -> float | None:
        """Return how likely two parties are under one control; None where nothing ties their houses.

        Control is one person's, so two who are tied to one third are tied to one another: as likely as both ties hold.

        >>> ties = Ties.of([("c", "p"), ("d", "q"), ("e", "q")], [0.9, 0.4, 0.7], {"q": "p"})
        >>> ties.between("q", "c"), round(ties.between("c", "e"), 2), ties.between("c", "z")
        (0.9, 0.63, None)
        """
        one, other = (self.best.get(self.house.get(end, end), {}) for end in (a, b))
        direct = one.get(self.house.get(b, b))
        over = [likely * other[third] for third, likely in one.items() if third in other]
        return max(([] if direct is None else [direct]) + over, default=None)
