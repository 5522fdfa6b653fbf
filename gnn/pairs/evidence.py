"""The evidence between the two parties: what they share and what passes between them, each kind with its strength.

Since when and for how long there is evidence is not told: a model learns from owners in the register, who were there all the time, and
whoever hides behind another is new there as often as not.
"""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.family import Column, Family
from gnn.pairs.candidates import Find, evidence, pairs
from gnn.pairs.lumps import KIND
from kg.graph import Graph

#: The kinds of evidence of which the register says nothing, and who may be behind a company.
KINDS = (
    ("shared_device", "a device in common, the rarer the stronger", "共用登录设备"),
    ("same_contact", "a phone or e-mail in common", "联系方式相同"),
    ("same_agent", "a phone or e-mail of an agent in common", "代办机构相同"),
    ("same_address", "an address in common", "地址相同"),
    ("loan_proceeds", "loan money of one that ends with the other", "贷款资金归集"),
    ("drawings", "money drawn from a company by who is not in its register", "登记外提款"),
    ("round_trip", "sums to and fro", "资金往返"),
    ("guarantee_circle", "both in a circle of guarantees", "担保圈"),
    ("guarantor", "one stands for the other's debt", "提供担保"),
    ("trade_dependence", "half of the trade of one with the other", "交易依赖"),
    ("common_partners", "main supplier and customer in common", "主要交易对手相同"),
    ("sequential_registration", "registered one after the other", "连号登记"),
    ("similar_names", "similar names", "名称相似"),
    (KIND, "few and large payments from one to the other, of all that it pays", "少笔大额付款"),
    ("hidden_control", "who may be behind the company, over others of that person", "疑似幕后控制"),
)
_PPM = 1_000_000


def _make(find: Find, graph: Graph) -> ir.Table:
    rows = evidence(graph, find)
    kinds = {name: (ibis.ifelse(rows.kind == name, rows.strength, 0).max() / _PPM) for name, _, _ in KINDS}
    behind = rows.kind == "hidden_control"
    found = graph.engine.keep(
        rows.group_by("id").aggregate(
            score=rows.score.max(where=~behind).fill_null(0) / _PPM,
            kinds=rows.kind.nunique(where=~behind),
            **kinds,
        )
    )
    every = pairs(graph, find).select("id", person=ibis._.b.startswith("person:").cast("int64"))
    return every.left_join(found, "id", rname="{name}_r").select("id", *(column.name for column in COLUMNS))


COLUMNS = (
    Column("score", "all evidence between the two together, of the year in which it was strongest", "综合关联强度", "1"),
    Column("kinds", "kinds of evidence between the two", "证据种类数", "kinds"),
    Column("person", "1 where one of the two is a person", "一方为自然人", "1"),
    *(Column(name, about, zh, "1") for name, about, zh in KINDS),
)


def family(find: Find) -> Family:
    """Return the family over who finds the evidence; it names the pairs that there are."""
    return Family("evidence", "关联证据", "evidence of a link between two parties", COLUMNS, partial(_make, find))
