"""Rules run over tables, and hits made into flags."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.config import Config

from kg import alias, history, reason, schema
from kg.engine import Engine
from kg.errors import KgfraudError, UsageError
from kg.flags import CONTENT, FLAGS, customers, flag_edges, flag_nodes, flags_of, in_order, stamped
from kg.graph import Graph, columns, table_name
from kg.lake import Lake
from kg.rule import DAY, FOUND, HITS, Need, Reading, choose, evaluate
from kg.rules import RULES

A, B = "company:x:a", "company:x:b"


def hit(entity=A, root="r", fen=5, evidence=("g1",), at=None, rule="loan_return", code="LOAN_MONEY_RETURNED"):
    return {
        "rule": rule,
        "rule_version": "1",
        "reason": code,
        "severity": "high",
        "action": "refer",
        "entity_id": entity,
        "root": root,
        "amount_fen": fen,
        "evidence": list(evidence),
        "at": at,
    }


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def flags(engine, hits, parties=((A, "C-1"), (B, None))):
    table = pa.Table.from_pylist(list(hits), schema=HITS)
    known = pa.table({"id": [p[0] for p in parties], "customer_ref": pa.array([p[1] for p in parties], pa.string())})
    return stamped(flags_of(engine.arrow(table), engine.arrow(known)), date(2024, 5, 6), "run-1")


def rows(engine, *args):
    return in_order(engine.table(flags(engine, *args))).to_pylist()


def test_a_hit_becomes_a_flag_with_the_customers_number(engine):
    text = f"{len(A)}:{A};19:LOAN_MONEY_RETURNED;1:r;"
    assert rows(engine, [hit()]) == [
        {
            "flag_id": hashlib.sha256(text.encode()).hexdigest()[:32],
            "entity_id": A,
            "customer_ref": "C-1",
            "reason": "LOAN_MONEY_RETURNED",
            "severity": "high",
            "probability": None,
            "amount_fen": 5,
            "evidence": ["g1"],
            "as_of": date(2024, 5, 6),
            "run_id": "run-1",
            "rule": "loan_return",
            "rule_version": "1",
            "action": "refer",
            "schema_version": 1,
        }
    ]


def test_a_party_without_a_customer_number_or_unknown_is_flagged_all_the_same(engine):
    told = rows(engine, [hit(B), hit("person:x:nobody")])
    assert {(f["entity_id"], f["customer_ref"]) for f in told} == {(B, None), ("person:x:nobody", None)}


def test_hits_of_one_root_become_one_flag_with_the_largest_amount(engine):
    early, late = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
    hits = [hit(fen=None, evidence=["n"]), hit(fen=7, at=late, evidence=["l"]), hit(fen=7, at=early, evidence=["e"]), hit(fen=6, at=early)]
    assert [(f["amount_fen"], f["evidence"]) for f in rows(engine, hits)] == [(7, ["e"])]


def test_parts_that_read_alike_when_joined_are_different_flags(engine):
    hits = [hit("company:x:a", "b;c"), hit("company:x:a;b", "c"), hit("company:x:ab", ";c")]
    assert len(rows(engine, hits)) == 3


def test_a_flag_bears_the_probability_of_its_party_where_it_was_scored(engine):
    scores = engine.arrow(pa.table({"company": [A, "company:x:other"], "probability": [0.25, 0.5]}))
    hits = engine.arrow(pa.Table.from_pylist([hit(A, "r"), hit(A, "s"), hit(B)], schema=HITS))
    parties = engine.arrow(pa.table({"id": [A, B], "customer_ref": ["C-1", None]}))
    told = engine.table(flags_of(hits, parties, scores)).to_pylist()
    assert sorted((f["entity_id"], f["probability"] or 0) for f in told) == [(A, 0.25), (A, 0.25), (B, 0)]


def test_no_hits_give_no_flags(engine):
    told = in_order(engine.table(flags(engine, [])))
    assert told.num_rows == 0
    assert told.schema.equals(FLAGS)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.builds(hit, st.sampled_from((A, B)), st.sampled_from("rs"), st.sampled_from((None, 1, 2)), st.sampled_from(("e", "f"))),
        max_size=8,
    ),
    st.randoms(),
)
def test_the_order_of_hits_changes_nothing(engine, hits, random):
    assert rows(engine, hits) == rows(engine, random.sample(hits, len(hits)))


def test_nodes_and_relationships_of_flags_lead_from_the_party_to_what_was_said(engine):
    awkward = ['company:x:name="A\\B"', "g2"]
    told = flags(engine, [hit(evidence=awkward)])
    (node,), (edge,) = (engine.table(make(told)).to_pylist() for make in (flag_nodes, flag_edges))
    flag_id = engine.table(told).column("flag_id")[0].as_py()
    assert json.loads(node["evidence"]) == awkward
    assert (node["id"], node["reason"], node["action"], node["amount_fen"]) == (f"flag:{flag_id}", "LOAN_MONEY_RETURNED", "refer", 5)
    assert edge == {"id": f"flagged:{flag_id}", "src": A, "dst": f"flag:{flag_id}"}


class _PySpark(Config):
    treat_nan_as_null: bool = False


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_every_step_compiles_for_both_engines(dialect, monkeypatch):
    # Of a number with a point in a nested select Ibis asks an option that it has only where PySpark is installed.
    monkeypatch.setattr(ibis.options, "pyspark", _PySpark())
    hits = ibis.table(ibis.schema(HITS), name="hits")
    told = flags_of(hits, ibis.table({"id": "string", "customer_ref": "string"}, name="parties"))
    assert told.columns == CONTENT
    scores = ibis.table({"company": "string", "probability": "float64"}, name="scores")
    scored = flags_of(hits, ibis.table({"id": "string", "customer_ref": "string"}, name="parties"), scores)
    for expr in (stamped(told, date(2024, 1, 1), "run"), flag_nodes(told), flag_edges(told), scored):
        assert "SELECT" in ibis.to_sql(expr, dialect=dialect)


# Rules


TABLES = {
    "GUARANTEES": {"id": ["g0", "g1"], "src": [A, B], "dst": [B, A], "amount_fen": [1, 2], "valid_from": [None, None]},
    "PAID_OUT_TO": {"id": ["p"], "src": ["loan:x:1"], "dst": ["a"], "amount_fen": [10], "at": [datetime(2024, 1, 1, tzinfo=UTC)]},
    "BORROWED": {"id": ["b"], "src": [A], "dst": ["loan:x:1"]},
    "OWNS_ACCOUNT": {"id": ["o"], "src": [A], "dst": ["a"]},
    "TRANSFERRED_TO": {
        "id": ["t0", "t1"],
        "src": ["a", "b"],
        "dst": ["b", "a"],
        "amount_fen": [10, 9],
        "currency": [None, None],
        "at": [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)],
    },
}


def read(need, parameters):
    known = TABLES.get(need.name, {"id": []})
    return pa.table({column: known.get(column, [None] * len(known["id"])) for column in need.columns})


def test_all_rules_run_and_their_hits_say_which_rule_they_are_of():
    hits = evaluate(RULES, read)
    assert hits.schema.equals(HITS)
    assert [(h["rule"], h["reason"], h["entity_id"], h["root"], h["amount_fen"], h["action"]) for h in hits.to_pylist()] == [
        ("guarantee_circle", "GUARANTEE_CIRCLE", A, f"{A}>{B}", 3, "watch"),
        ("guarantee_circle", "GUARANTEE_CIRCLE", B, f"{A}>{B}", 3, "watch"),
        ("loan_return", "LOAN_MONEY_RETURNED", A, "loan:x:1", 9, "refer"),
        ("loan_return_split", "LOAN_MONEY_RETURNED", A, "loan:x:1", 9, "refer"),
    ]


def test_a_rule_is_asked_for_the_tables_it_names_and_no_others():
    asked = []
    evaluate(RULES[:1], lambda need, parameters: asked.append((need.name, *need.columns)) or read(need, parameters))
    assert asked == [("GUARANTEES", "id", "src", "dst", "amount_fen", "valid_from"), ("BORROWED", "id", "src", "dst")]


def put(lake, type_, *rows):
    """Write rows to the table of a type, null where a row says nothing."""
    lake.ensure(table_name(type_), columns(type_))
    full = pa.Table.from_pylist([{"digest": "d", "first_run": "run-0", **row} for row in rows], schema=columns(type_).to_pyarrow())
    lake.append(table_name(type_), lake.engine.arrow(full), "run-0")


def test_rules_read_what_the_graph_holds_on_the_day(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    ended = {"id": "g2", "src": B, "dst": A, "valid_to": date(2024, 1, 1)}
    put(lake, schema.edge("GUARANTEES"), {"id": "g0", "src": A, "dst": B}, {"id": "g1", "src": B, "dst": A}, ended)
    put(lake, schema.node("Company"), {"id": A, "customer_ref": "C-1"})
    graph = Graph(lake, date(2024, 5, 6))
    hits = evaluate(RULES, Reading(graph))
    assert [(h["entity_id"], h["evidence"]) for h in hits.to_pylist()] == [(A, ["g0", "g1"]), (B, ["g0", "g1"])]
    assert Reading(graph)(Need("Company", ("id", "customer_ref")), None).to_pylist() == [{"id": A, "customer_ref": "C-1"}]
    told = in_order(engine.table(stamped(flags_of(engine.arrow(hits), customers(graph)), graph.as_of, "run-1")))
    assert {(f["entity_id"], f["customer_ref"]) for f in told.to_pylist()} == {(A, "C-1"), (B, None)}


def test_rules_read_records_by_the_ids_of_the_graph_and_only_what_may_matter(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    rows = {"source": "erp.bills", "seller": "company:x:old", "buyer": B, "digest": "d", "first_run": "run-0"}
    stored = {
        "source": "string",
        "record_id": "string",
        "seller": "string",
        "buyer": "string",
        "net_fen": "int64",
        **history.VERSION_SCHEMA,
    }
    lake.ensure("records/invoices", ibis.schema(stored))
    bills = [{**rows, "record_id": "1", "net_fen": 5}, {**rows, "record_id": "2", "net_fen": 9}]
    lake.append("records/invoices", engine.arrow(pa.Table.from_pylist(bills, schema=ibis.schema(stored).to_pyarrow())), "run-0")
    names = {"called": "string", "id": "string", **history.VERSION_SCHEMA}
    lake.ensure(alias.TABLE, ibis.schema(names))
    known = [{"called": "company:x:old", "id": A, "digest": "d", "first_run": "run-0"}]
    lake.append(alias.TABLE, engine.arrow(pa.Table.from_pylist(known, schema=ibis.schema(names).to_pyarrow())), "run-0")
    large = Need.records(
        "invoices", parties=("seller", "buyer"), net_fen="int64", narrow=lambda bills, graph, least: bills.filter(bills.net_fen > least)
    )
    graph = Graph(lake, date(2024, 5, 6))
    assert large.read(graph, 5).to_pylist() == [{"id": "erp.bills/2", "seller": A, "buyer": B, "net_fen": 9}]
    assert DAY.read(graph, None).to_pylist() == [{"day": date(2024, 5, 6)}]


def test_records_that_nobody_states_are_an_empty_table(engine, tmp_path):
    nothing = Need.records("contracts", parties=("seller",), signed_on="date").read(Graph(Lake(tmp_path, engine), date(2024, 5, 6)), None)
    assert nothing.schema == pa.schema({"id": pa.string(), "seller": pa.string(), "signed_on": pa.date32()})
    assert nothing.num_rows == 0


def test_no_rules_give_no_hits():
    assert evaluate((), read).schema.equals(HITS)


def test_a_rule_that_returns_other_columns_is_refused():
    wrong = replace(RULES[0], find=lambda tables, parameters: FOUND.empty_table().drop_columns(["root"]))
    with pytest.raises(KgfraudError, match="the rule guarantee_circle returned the columns entity_id, amount_fen, evidence, at where"):
        evaluate([wrong], read)


def test_rules_have_distinct_names_reasons_and_words_for_people():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.reason for rule in RULES} <= set(reason.REASONS)
    assert all(p.why and p.unit for rule in RULES for p in rule.describe())
    assert choose(RULES, "loan_return").reason is reason.reason("LOAN_MONEY_RETURNED")


def test_an_unknown_rule_or_reason_is_refused():
    with pytest.raises(UsageError, match="no rule named 'loan_retrun'; did you mean 'loan_return'"):
        choose(RULES, "loan_retrun")
    with pytest.raises(UsageError, match="no reason has the code 'X'; known are GUARANTEE_CIRCLE, LOAN_MONEY_RETURNED"):
        reason.reason("X")
