"""Single clients beyond their limits, or large enough to be reported: hand-worked at the edges of CN-LE-2018."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import pyarrow as pa
import pytest

from kg import schema
from kg.derivations.client_limits import DERIVATION
from kg.engine import Engine
from kg.errors import UsageError
from kg.graph import Graph, columns, table_name
from kg.history import VERSION_SCHEMA
from kg.lake import Lake
from kg.reason import CLIENT_LIMIT_PASSED
from kg.rules import RULES
from kg.rules.client_limit import RULE, ClientLimitParameters, find_passed_client_limits
from kg.rulesets import choose

DAY = date(2026, 3, 1)
#: Net capital 2,000, tier 1 1,000: loans up to 200, exposure up to 150, large from more than 25 on.
CAPITAL = ((DAY, 2_000, 1_000),)
LOANS, EXPOSURE = "loans to a client at most 10 % of net capital", "exposure to a client at most 15 % of tier 1"


@pytest.fixture
def lake(tmp_path) -> Iterator[Lake]:
    with Engine(tmp_path / "spill") as engine:
        yield Lake(tmp_path / "lake", engine, {})


def write(lake, name, wanted, rows):
    full = [{column: row.get(column) for column in wanted.names} | {"first_run": "1"} for row in rows]
    lake.ensure(name, ibis.Schema.from_pyarrow(wanted))
    lake.append(name, lake.engine.arrow(pa.Table.from_pylist(full, wanted)), "1")


def graph_of(lake, *owed, capital=CAPITAL, **more):
    """Return a graph of exposures written as (party, kind, fen) or with (mitigated fen, provider) behind."""
    versions = list(ibis.schema(VERSION_SCHEMA).to_pyarrow())
    text = [pa.field(name, pa.string()) for name in ("party", "provider", "kind")]
    numbers = [pa.field(name, pa.int64()) for name in ("amount_fen", "mitigated_fen")]
    names = ("party", "kind", "amount_fen", "mitigated_fen", "provider")
    write(lake, "records/exposures", pa.schema([*text, *numbers, *versions]), [dict(zip(names, row, strict=False)) for row in owed])
    own = [pa.field("reported_on", pa.date32()), *(pa.field(name, pa.int64()) for name in ("net_capital_fen", "tier_1_fen"))]
    reported = [{"reported_on": day, "net_capital_fen": net, "tier_1_fen": tier} for day, net, tier in capital]
    write(lake, "records/bank_capital", pa.schema([*own, *versions]), reported)
    return Graph(lake, DAY, **more)


def told(graph):
    return {row["party"]: row for row in graph.engine.table(DERIVATION.run(graph)).to_pylist()}


def test_a_client_is_told_where_its_exposure_is_large_or_beyond_a_limit(lake):
    found = told(graph_of(lake, ("a", "other", 151), ("b", "other", 150), ("c", "other", 26), ("d", "other", 25)))
    assert {party: (row["headroom_fen"], row["breach"], row["large"]) for party, row in found.items()} == {
        "a": (-1, True, True),
        "b": (0, False, True),
        "c": (124, False, True),
    }
    assert {row["limit"] for row in found.values()} == {EXPOSURE}
    assert {(row["rules"], row["rules_version"]) for row in found.values()} == {("CN-LE-2018", "2018")}
    assert len({row["id"] for row in found.values()}) == 3


def test_the_limit_that_leaves_least_is_told_and_loans_count_with_who_borrowed_them(lake):
    # 201 lent, of which p bears 180: 21 are left as exposure
    found = told(graph_of(lake, ("a", "loan", 201, 180, "p")))
    assert (found["a"]["limit"], found["a"]["used_fen"], found["a"]["breach"], found["a"]["large"]) == (LOANS, 201, True, False)
    assert (found["p"]["limit"], found["p"]["headroom_fen"], found["p"]["breach"]) == (EXPOSURE, -30, True)


def test_without_exposures_or_capital_nobody_is_told(lake):
    assert told(Graph(lake, DAY)) == {}
    assert told(graph_of(lake, ("a", "loan", 900), capital=())) == {}


def test_a_rule_set_without_limits_of_single_clients_tells_nobody(lake):
    assert told(graph_of(lake, ("a", "loan", 900), chosen=choose("CN-GROUP-2010", "CN-UBO-2024"))) == {}


# -- the rule -----------------------------------------------------------------------------------------------------


def exposures(*rows):
    names = ("id", "party", "headroom_fen", "breach")
    return {"LargeExposure": pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})}


def hits(*rows, **parameters):
    found = find_passed_client_limits(exposures(*rows), ClientLimitParameters(**parameters)).to_pylist()
    return [(row["entity_id"], row["root"], row["amount_fen"], row["evidence"]) for row in found]


def test_a_client_beyond_its_limit_is_hit_and_a_large_one_within_it_is_not():
    rows = [("x2", "b", -7, True), ("x1", "a", -1, True), ("x3", "c", 0, False), ("x4", "d", None, None)]
    assert hits(*rows) == [("a", "x1", 1, ["x1"]), ("b", "x2", 7, ["x2"])]
    assert hits(*reversed(rows)) == hits(*rows)
    assert hits(*rows, tolerance_fen=1) == [("b", "x2", 7, ["x2"])]


def test_a_bank_that_owes_nobody_has_no_hits():
    assert find_passed_client_limits({}, ClientLimitParameters()).num_rows == 0


def test_a_tolerance_below_0_is_refused():
    with pytest.raises(UsageError, match="tolerance_fen is -1"):
        ClientLimitParameters(tolerance_fen=-1)


def test_the_rule_is_in_the_catalogue_and_asks_for_what_there_is():
    assert RULE in RULES
    assert RULE.reason is CLIENT_LIMIT_PASSED
    known = columns(schema.node("LargeExposure")).names
    assert set(RULE.requires[0].columns) <= set(known)
    assert table_name(schema.node("LargeExposure")) == "graph/LargeExposure"
