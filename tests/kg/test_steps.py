"""Every table step after the reading of a file compiles for DuckDB and for PySpark."""

from __future__ import annotations

from datetime import date

import ibis
import pytest

from kg import alias, history, schema
from kg.check import over_held
from kg.derivations.dependence import guarantee_dependence, likely, sold, trade_dependence, traded, turnover
from kg.derivations.fraud_spread import TIES, ties_of
from kg.derivations.invoices import invoiced
from kg.derivations.payments import paid
from kg.derivations.supplies import supplies
from kg.graph import columns, holding
from kg.history import Moment, compare
from kg.resolve import VIEWS, Mention, NodeView
from kg.resolve.build import merged, with_stubs
from loaders.load import _repeated, _unknown, numbered
from loaders.sources import KINDS, kind

BOTH = pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])


def records(name):
    stored = {c.name: c.stored for c in kind(name).columns}
    return ibis.table({**stored, "source": "string", "record_id": "string", **history.VERSION_SCHEMA}, name=f"records_{name}")


def delivered(name):
    stored = {c.name: c.stored for c in kind(name).columns}
    return ibis.table({**stored, "record_id": "string", "digest": "string", "_row": "int64", "_part": "int32"}, name=f"rows_{name}")


@BOTH
@pytest.mark.parametrize(
    "view", [v for v in VIEWS if not isinstance(v, Mention)], ids=lambda v: f"{v.kind}-{v.label if isinstance(v, NodeView) else v.type}"
)
def test_every_view_of_records_compiles_and_has_the_columns_of_the_vocabulary(view, dialect):
    rows = view.rows(records(view.kind))
    type_ = schema.node(view.label) if isinstance(view, NodeView) else schema.edge(view.type)
    assert set(rows.columns) - {"_content"} == set(columns(type_).names) - {"digest"}
    for name in columns(type_).names:
        if name != "digest":
            assert rows.schema()[name] == columns(type_)[name] or rows.schema()[name].is_null(), name
    assert ibis.to_sql(rows, dialect=dialect)


@BOTH
@pytest.mark.parametrize("label", [n.label for n in schema.NODES])
def test_nodes_of_several_sources_are_merged_and_stubs_added(label, dialect):
    rows = merged(label, ibis.table(columns(schema.node(label)), name="said"), ["a", "b"])
    ends = ibis.table({"id": "string"}, name="ends")
    assert ibis.to_sql(with_stubs(label, rows, ends), dialect=dialect)
    assert ibis.to_sql(with_stubs(label, None, ends), dialect=dialect)


@BOTH
@pytest.mark.parametrize("label", list(alias.OWN))
def test_aliases(label, dialect):
    calls = alias.calls(label, records(alias.OWN[label][0]))
    assert ibis.to_sql(alias.unique(calls), dialect=dialect)
    names = alias.renames([calls])
    assert ibis.to_sql(alias.swap(records("shareholders"), ("holder", "company"), names), dialect=dialect)


@BOTH
@pytest.mark.parametrize("of", KINDS, ids=lambda k: k.name)
def test_the_checks_of_a_whole_delivery(of, dialect):
    rows = delivered(of.name)
    names = ibis.table({"called": "string", "ambiguous": "boolean"}, name="names")
    steps = [numbered(rows), _repeated(rows), *(_unknown(rows, column, names) for column in of.references)]
    for step in steps:
        assert ibis.to_sql(step, dialect=dialect)


@BOTH
def test_derivations_and_warnings(dialect):
    transfers = ibis.table(columns(schema.edge("TRANSFERRED_TO")), name="transfers").mutate(month=ibis.date(2024, 1, 1))
    owners = ibis.table(columns(schema.edge("OWNS_ACCOUNT")), name="owners")
    firms, day = ibis.table(columns(schema.node("Company")), name="firms"), date(2024, 1, 1)
    sales = sold(ibis.table(columns(schema.edge("INVOICED")), name="invoiced"), day)
    pairs = traded(sales, ibis.table(columns(schema.edge("PAID")), name="paid"), day)
    turned = turnover(pairs, firms, day)
    debts = ibis.table({"party": "string", "owed_fen": "int64"}, name="debts")
    calls = guarantee_dependence(ibis.table(columns(schema.edge("GUARANTEES")), name="given"), debts, firms, turned)
    told = (ibis.table(columns(schema.edge(name)), name=name) for name in ("INVOICED", "PAID"))
    supplied = supplies(*told, records("contracts"), day)
    assert set(supplied.columns) <= set(columns(schema.edge("SUPPLIES")).names)
    ties = ties_of({tie.type: ibis.table(columns(schema.edge(tie.type)), name=tie.type) for tie in TIES})
    steps = [supplied, ties, paid(transfers, owners), invoiced(records("invoices")), over_held(records("shareholders")), likely(sales)]
    for step in (*steps, trade_dependence(pairs, turned), calls):
        assert ibis.to_sql(step, dialect=dialect)


@BOTH
@pytest.mark.parametrize("type_", [*schema.ALL_NODES, *schema.ALL_EDGES], ids=lambda t: getattr(t, "label", None) or t.type)
def test_what_holds_and_what_changes_of_every_table(type_, dialect):
    stored = ibis.table(columns(type_), name="stored")
    incoming = ibis.table(columns(type_), name="incoming").drop("first_run", "last_run")
    changes = compare(stored, incoming, ["id"], Moment(date(2024, 1, 1), "run"), complete=True, keep=incoming.select("id"))
    for step in (holding(stored, type_, date(2024, 1, 1), "Asia/Shanghai"), changes.inserts, changes.closes):
        assert ibis.to_sql(step, dialect=dialect)
