"""Records to entities: one view for each thing that a kind of record says about the graph."""

from kg.resolve import holdings, money, parties, places
from kg.resolve.view import EdgeView, NodeView

VIEWS: tuple[NodeView | EdgeView, ...] = parties.VIEWS + holdings.VIEWS + money.VIEWS + places.VIEWS

__all__ = ["VIEWS", "EdgeView", "NodeView"]
