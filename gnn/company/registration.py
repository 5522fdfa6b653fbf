"""What the register says of a company itself."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.reading import days_since
from gnn.family import NOTHING, Column, Family
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return age, capital, region and industry."""
    rows = graph.nodes("Company")
    industry = rows.industry.upper().re_extract("([A-T])?([0-9]{0,2})", 0)
    letter, digits = industry.re_extract("([A-T])", 1), industry.re_extract("([0-9]{2})", 1)
    return rows.select(
        "id",
        age_days=days_since(graph, rows.founded_on),
        capital_fen=rows.capital_fen,
        region=rows.region.substr(0, 2).try_cast("int64"),
        section=ibis.ifelse(letter == "", ibis.null("int64"), letter.ascii_str()),
        division=ibis.ifelse(digits == "", ibis.null("string"), digits).try_cast("int64"),
        listed=rows.listed.fill_null(False).cast("int64"),
    )


FAMILY = Family(
    "registration",
    "工商登记",
    "what the register says of the company itself",
    (
        Column("age_days", "time since it was founded", "成立时间", "days", NOTHING, told=True),
        Column("capital_fen", "registered capital", "注册资本", "fen", NOTHING, told=True),
        Column("region", "province (GB/T 2260)", "所在省份", "code", NOTHING),
        Column("section", "section of its industry (GB/T 4754)", "行业门类", "code", NOTHING),
        Column("division", "division of its industry (GB/T 4754)", "行业大类", "code", NOTHING),
        Column("listed", "listed on an exchange", "是否上市", "0 or 1"),
    ),
    make,
)
