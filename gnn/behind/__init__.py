"""The rows behind features: the catalogue, one entry for each family of a company's own features.

Hits of rules rest on rows too; `ties.hit_rows` makes their entry of the rules that are handed in. Rows to neighbours: `neighbours`.
"""

from gnn.behind.behind import Behind
from gnn.behind.chain import CHAIN
from gnn.behind.credit import CREDIT, FINANCED
from gnn.behind.derived import CIRCLING, COMMANDED, LINKED
from gnn.behind.moves import MOVES
from gnn.behind.neighbours import NEIGHBOURS, neighbours
from gnn.behind.ties import ENTRY, HELD, MANAGED, REACHED, SUED, hit_rows
from gnn.behind.trade import TRADE

BEHIND: dict[str, Behind] = {
    of.family: of for of in (ENTRY, HELD, MANAGED, MOVES, CREDIT, TRADE, FINANCED, REACHED, SUED, CHAIN, CIRCLING, LINKED, COMMANDED)
}

__all__ = ["BEHIND", "NEIGHBOURS", "Behind", "hit_rows", "neighbours"]
