"""Chains of goods: what is made from what, step by step, and which companies stand on such a chain."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import group_rows, items_of
from kg.derivations.exposures import refuse_amounts
from kg.errors import UsageError
from kg.graph import Graph
from kg.ownership.holdings import Parties, numbered_alike
from kg.rule import refuse_outside
from kg.tables import refuse_missing, refuse_nulls

#: Steps that are followed; a chain of goods is seldom longer.
MOST_STEPS = 20
Direction = Literal["into", "from"]


def follow_goods(made_from: pa.Table, goods: str, *, direction: Direction = "into", most: int = MOST_STEPS) -> pa.Table:
    """Follow which goods are made from which.

    Parameters
    ----------
    made_from
        ``goods, made_from``: codes; a row without ``made_from`` only registers its goods.
    goods
        The code from which the chain starts.
    direction
        ``into``: what is made from the goods; ``from``: what the goods are made from.
    most
        Steps that are followed.

    Returns
    -------
    Table
        ``goods, step, via``: every code on the chain with the fewest steps to it (0: where it starts) and the code before it (null
        there; of several the first), in the order of step and code.

    Raises
    ------
    UsageError
        If no row names the goods, or a row is wrong.

    Examples
    --------
    >>> rows = pa.table({"goods": ["tyre", "rubber", "car"], "made_from": ["rubber", None, "tyre"]})
    >>> follow_goods(rows, "rubber").to_pylist()[1:]
    [{'goods': 'tyre', 'step': 1, 'via': 'rubber'}, {'goods': 'car', 'step': 2, 'via': 'tyre'}]
    """
    refuse_nulls("goods", made_from, ("goods",))
    refuse_missing("goods", made_from, ("goods", "made_from"))
    refuse_outside("most", most, 1, 1_000)
    if direction not in ("into", "from"):
        raise UsageError(f"direction is into (what is made from the goods) or from (what they are made from), not {direction}")
    used = made_from.filter(pc.is_valid(made_from["made_from"]))
    codes, (product, source, _) = numbered_alike("goods", used["goods"], used["made_from"], made_from["goods"])
    start = Parties(codes, np.empty(0, np.int64), np.empty(0, np.bool_)).number(goods)
    if start < 0:
        raise UsageError(f"no row of goods names {goods}")
    here, there = (source, product) if direction == "into" else (product, source)
    by_code = group_rows(here, len(codes))
    step, via = np.full(len(codes), -1), np.full(len(codes), -1)
    step[start], front = 0, np.array([start])
    for number in range(1, most + 1):
        place, row = items_of(by_code, front)
        reached, first = np.unique(there[row], return_index=True)
        new = step[reached] < 0
        step[reached[new]], via[reached[new]] = number, front[place[first[new]]]
        front = reached[new]
    found = np.flatnonzero(step >= 0)
    found = found[np.lexsort((found, step[found]))]
    before = codes.take(pa.array(via[found], mask=via[found] < 0))
    return pa.table({"goods": codes.take(pa.array(found)), "step": step[found], "via": before})


def firms_on(chain: pa.Table, sellers: pa.Table) -> pa.Table:
    """Return the companies that stand on a chain of goods.

    Parameters
    ----------
    chain
        ``goods, step`` as `follow_goods` returns them.
    sellers
        ``company, goods``, optional ``amount_fen``: who makes or sells what.

    Returns
    -------
    Table
        ``step, goods, company``, with ``amount_fen`` where it is given (parallel rows added up), in the order of step, goods, company.

    Raises
    ------
    UsageError
        If a row is wrong.

    Examples
    --------
    >>> chain = pa.table({"goods": ["rubber", "tyre"], "step": [0, 1]})
    >>> firms_on(chain, pa.table({"company": ["c2", "c1"], "goods": ["tyre", "paper"]})).to_pylist()
    [{'step': 1, 'goods': 'tyre', 'company': 'c2'}]
    """
    refuse_nulls("sellers", sellers, ("company", "goods"))
    refuse_nulls("chain", chain, ("goods", "step"))
    columns = ["step", "goods", "company"]
    if "amount_fen" in sellers.column_names:
        refuse_amounts("sellers", sellers, "amount_fen")
        each = sellers.group_by(["company", "goods"]).aggregate([("amount_fen", "sum")])
        sellers = pa.table({"company": each["company"], "goods": each["goods"], "amount_fen": each["amount_fen_sum"]})
        columns.append("amount_fen")
    else:
        sellers = sellers.group_by(["company", "goods"]).aggregate([])
    rows = sellers.join(chain.select(["goods", "step"]), "goods", join_type="inner").select(columns)
    return rows.sort_by([(name, "ascending") for name in ("step", "goods", "company")])


def chain_now(graph: Graph, goods: str, *, direction: Direction = "into", most: int = MOST_STEPS) -> pa.Table:
    """Return the companies that sell what stands on a chain of goods, by the goods of a source and the invoices of a graph.

    Returns
    -------
    Table
        As `firms_on` does, with the net amount that each has invoiced of the goods.

    Raises
    ------
    UsageError
        If no source states goods, or none of these.
    """
    known = graph.records("goods")
    if known is None:
        raise UsageError("no source states goods; a source of kind goods says what is made from what")
    chain = follow_goods(graph.engine.table(known.select("goods", "made_from").distinct()), goods, direction=direction, most=most)
    invoiced = graph.edges("INVOICED")
    sold = invoiced.filter(invoiced.goods.notnull()).group_by(company="src", goods="goods").aggregate(fen=invoiced.net_fen.sum())
    sellers = graph.engine.table(sold.filter(sold.fen > 0).select("company", "goods", amount_fen="fen"))
    return firms_on(chain, sellers)
