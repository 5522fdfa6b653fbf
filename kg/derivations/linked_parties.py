"""Who belongs together besides by equity: the evidence of links between parties, kind by kind, with the ids behind it.

x
"""

from __future__ import annotations

import pyarrow as pa

from kg.derivations.linked.attributes import by_attributes, hub_table
from kg.derivations.linked.evidence import Evidence, World
from kg.derivations.linked.found import table_of
from kg.derivations.linked.kinds import KINDS, LinkParams
from kg.derivations.linked.money import by_money
from kg.derivations.linked.trade import by_trade


def find_links(graph: Evidence, params: LinkParams = LinkParams()) -> pa.Table:
    world = World.of(graph)
    return table_of([*by_attributes(world, params), *by_money(world, params), *by_trade(world, params)], world.names)


from kg.derivations.linked.candidates import candidates  # noqa


def find_hidden_controllers(graph, links, params=LinkParams()):
    return candidates(World.of(graph), links, params)
