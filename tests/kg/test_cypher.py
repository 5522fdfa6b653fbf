"""Cypher generated from the schema is the Cypher that was read and approved; the golden files hold it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.schema import ALL_EDGES, ALL_NODES, edge, node
from kg.stores import cypher

GOLDEN = Path(__file__).parents[1] / "golden"
STATEMENTS = {
    "constraints": lambda: ";\n".join(statement for _, statement in cypher.constraints()),
    "upsert_company": lambda: cypher.upsert_nodes(node("Company")),
    "upsert_account": lambda: cypher.upsert_nodes(node("Account")),
    "upsert_transferred_to": lambda: cypher.upsert_edges(edge("TRANSFERRED_TO"), "Account", "Account"),
    "create_transferred_to": lambda: cypher.create_edges(edge("TRANSFERRED_TO"), "Account", "Account", ["currency", "last_run"]),
    "update_transferred_to": lambda: cypher.update_edges(edge("TRANSFERRED_TO")),
    "upsert_guarantees": lambda: cypher.upsert_edges(edge("GUARANTEES"), "Party", "Loan"),
    "delete_person": lambda: ";\n".join(cypher.delete_nodes(node("Person"))),
    "delete_repaid": lambda: cypher.delete_edges(edge("REPAID")),
    "delete_moved_repaid": lambda: cypher.delete_moved(edge("REPAID")),
    "revive_loan": lambda: cypher.revive_nodes(node("Loan")),
    "read_company": lambda: cypher.read(node("Company")),
    "read_transferred_to": lambda: cypher.read(edge("TRANSFERRED_TO")),
    "unknown_ends": lambda: cypher.unknown_ends("Party", "Loan"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_the_one_in_its_golden_file(name):
    assert STATEMENTS[name]() + ";\n" == (GOLDEN / f"{name}.cypher").read_text("utf-8")


def test_every_golden_file_is_held_against_something():
    assert {file.stem for file in GOLDEN.glob("*.cypher")} == set(STATEMENTS)


def test_every_label_and_type_has_a_constraint_of_its_own_name():
    statements = dict(cypher.constraints())
    for type_ in ALL_NODES:
        assert f"(n:{type_.label})" in statements[f"kgfraud_{type_.label.lower()}_id"]
    for type_ in ALL_EDGES:
        assert f"[r:{type_.type}]" in statements[f"kgfraud_{type_.type.lower()}_id"]
    assert "(n:Party)" in statements["kgfraud_party_id"]


def test_every_end_is_covered_by_exactly_one_label_with_a_constraint():
    constrained = {type_.label for type_ in ALL_NODES} | {"Party"}
    for type_ in ALL_EDGES:
        for labels in (type_.source, type_.target):
            prefixes = [prefix for label, covered in cypher.ends(labels) for prefix in covered if label in constrained]
            assert sorted(prefixes) == sorted(f"{node(label).prefix}:" for label in labels)


def test_a_property_of_the_analysts_is_in_no_statement_that_writes():
    written = cypher.upsert_nodes(node("Loan"))
    assert "n += {" in written
    assert "n = " not in written
