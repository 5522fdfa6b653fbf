"""The rule guarantee_circle."""

from datetime import UTC, date, datetime

import networkx as nx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import UsageError
from kg.rules.guarantee_circle import RULE, GuaranteeCircleParameters, find_guarantee_circles

A, B, C, D = (f"company:x:{c}" for c in "abcd")


def guarantees(*rows):
    """Make the table of (src, dst[, fen[, day]]); the ids are g0, g1, …"""
    full = [(*row, None, None)[:4] for row in rows]
    return pa.table(
        {
            "id": pa.array([f"g{i}" for i in range(len(full))], pa.string()),
            "src": pa.array([r[0] for r in full], pa.string()),
            "dst": pa.array([r[1] for r in full], pa.string()),
            "amount_fen": pa.array([r[2] for r in full], pa.int64()),
            "valid_from": pa.array([r[3] for r in full], pa.date32()),
        }
    )


def found(table, borrowed=None, **parameters):
    tables = {"GUARANTEES": table} | ({"BORROWED": borrowed} if borrowed is not None else {})
    return find_guarantee_circles(tables, GuaranteeCircleParameters(**parameters)).to_pylist()


def by_root(rows):
    roots = {}
    for row in rows:
        roots.setdefault(row["root"], {})[row["entity_id"]] = tuple(row["evidence"])
    return roots


def test_two_that_guarantee_one_another_are_both_hit():
    hits = found(guarantees((A, B, 500, date(2024, 1, 2)), (B, A, 300, date(2024, 3, 4)), (A, C, 9)))
    assert by_root(hits) == {f"{A}>{B}": {A: ("g0", "g1"), B: ("g0", "g1")}}
    assert {h["amount_fen"] for h in hits} == {800}
    assert {h["at"] for h in hits} == {datetime(2024, 3, 4, tzinfo=UTC)}


def test_the_direction_of_a_circle_is_part_of_its_root():
    roots = by_root(found(guarantees((A, B), (B, C), (C, A), (A, C), (C, B), (B, A))))
    assert set(roots) == {f"{A}>{B}", f"{A}>{C}", f"{B}>{C}", f"{A}>{B}>{C}", f"{A}>{C}>{B}"}
    assert roots[f"{A}>{B}>{C}"][A] == ("g0", "g1", "g2")


def test_chains_stars_and_guarantees_for_oneself_are_no_circles():
    assert found(guarantees((A, B), (B, C), (A, C), (A, D), (D, C), (A, A))) == []


def test_parallel_guarantees_are_one_circle_with_all_of_them_as_evidence():
    hits = found(guarantees((A, B, 1), (A, B, 2), (B, A, None)))
    assert by_root(hits) == {f"{A}>{B}": {A: ("g0", "g1", "g2"), B: ("g0", "g1", "g2")}}
    assert hits[0]["amount_fen"] == 3
    assert hits[0]["at"] is None


def test_an_amount_that_nobody_states_is_null():
    assert {h["amount_fen"] for h in found(guarantees((A, B), (B, A)))} == {None}


def test_a_guarantee_of_a_loan_counts_for_its_borrowers():
    borrowed = pa.table({"id": ["b1", "b2"], "src": [B, C], "dst": ["loan:x:1", "loan:x:1"]})
    hits = found(guarantees((A, "loan:x:1", 70), (B, A, 30), (C, D)), borrowed)
    assert by_root(hits) == {f"{A}>{B}": {A: ("b1", "g0", "g1"), B: ("b1", "g0", "g1")}}
    assert hits[0]["amount_fen"] == 100


def test_a_loan_with_two_borrowers_in_the_circle_counts_once():
    borrowed = pa.table({"id": ["b1", "b2"], "src": [B, C], "dst": ["loan:x:1", "loan:x:1"]})
    hits = found(guarantees((A, "loan:x:1", 70), (B, A, 30), (C, A, 5)), borrowed, max_circles=1)
    assert [(h["root"], h["entity_id"], h["amount_fen"]) for h in hits if h["entity_id"] == A] == [(f"component:{A}", A, 105)]


def ring(n):
    names = [f"company:x:{i:02}" for i in range(n)]
    return names, guarantees(*((names[i], names[(i + 1) % n], 10) for i in range(n)))


def test_six_parties_are_told_as_a_circle_and_seven_as_a_component():
    names, six = ring(6)
    assert set(by_root(found(six))) == {">".join(names)}
    names, seven = ring(7)
    hits = by_root(found(seven))
    assert set(hits) == {f"component:{names[0]}"}
    assert set(hits[f"component:{names[0]}"]) == set(names)
    assert hits[f"component:{names[0]}"][names[1]] == ("g0", "g1")


def test_a_component_with_too_many_circles_is_told_once_with_what_each_member_gave_and_received():
    table = guarantees((A, B, 1), (B, A, 2), (B, C, 4), (C, B, 8), (C, D, 99))
    assert set(by_root(found(table, max_circles=2))) == {f"{A}>{B}", f"{B}>{C}"}
    hits = found(table, max_circles=1)
    assert by_root(hits) == {f"component:{A}": {A: ("g0", "g1"), B: ("g0", "g1", "g2", "g3"), C: ("g2", "g3")}}
    assert {h["entity_id"]: h["amount_fen"] for h in hits} == {A: 3, B: 15, C: 12}


EDGES = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=15)


@settings(deadline=None, max_examples=60)
@given(EDGES, st.randoms())
def test_every_member_of_a_circle_is_hit_and_nobody_else_in_any_order_of_rows(edges, random):
    table = guarantees(*edges)
    hits = found(table)
    graph = nx.DiGraph(e for e in edges if e[0] != e[1])
    expected = {(*sorted(c), len(c)) for c in nx.simple_cycles(graph)}
    roots = by_root(hits)
    assert {(*sorted(root.split(">")), len(root.split(">"))) for root in roots} == expected
    for root, members in roots.items():
        steps = root.split(">")
        pairs = set(zip(steps, steps[1:] + steps[:1], strict=True))
        assert set(members) == set(steps)
        assert all(members[m] == tuple(sorted(f"g{i}" for i, e in enumerate(edges) if e in pairs)) for m in steps)
    order = list(range(len(edges)))
    random.shuffle(order)
    shuffled = find_guarantee_circles({"GUARANTEES": table.take(pa.array(order, pa.int64()))}, RULE.parameters)
    key = lambda h: (h["root"], h["entity_id"])  # noqa: E731
    assert sorted(shuffled.to_pylist(), key=key) == sorted(hits, key=key)


@pytest.mark.parametrize(("name", "value"), [("max_parties", 1), ("max_parties", 21), ("max_circles", 0)])
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(UsageError, match=f"{name} is {value}; it must lie between"):
        GuaranteeCircleParameters(**{name: value})
