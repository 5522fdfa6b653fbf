"""Records to entities: one view for each thing that a kind of record says about the graph."""

from kg.resolve import holdings, money, parties, places, trade
from kg.resolve.view import EdgeView, Mention, NodeView

VIEWS: tuple[NodeView | EdgeView | Mention, ...] = parties.VIEWS + holdings.VIEWS + money.VIEWS + places.VIEWS + trade.VIEWS

__all__ = ["VIEWS", "EdgeView", "Mention", "NodeView"]
