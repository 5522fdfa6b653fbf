"""What the limits leave of each group, and groups that are within them only because a tie is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import pyarrow as pa
import pytest

from kg import schema
from kg.derivations.group_limits import DERIVATION
from kg.engine import Engine
from kg.graph import Graph, columns, table_name
from kg.history import VERSION_SCHEMA
from kg.lake import Lake

DAY = date(2026, 3, 1)


@pytest.fixture
def lake(tmp_path) -> Iterator[Lake]:
    with Engine(tmp_path / "spill") as engine:
        yield Lake(tmp_path / "lake", engine, {})


def write(lake, name, wanted, rows):
    full = [{column: row.get(column) for column in wanted.names} | {"first_run": "1"} for row in rows]
    lake.ensure(name, ibis.Schema.from_pyarrow(wanted))
    lake.append(name, lake.engine.arrow(pa.Table.from_pylist(full, wanted)), "1")


def groups(lake, members, owed, links=(), capital=((DAY, 1000, 100),)):
    """Return what is told of groups: members written as (party, group), debts as (party, fen), links as (a, b, level, disclosed)."""
    edges = {
        "MEMBER_OF": [{"id": f"m{n}", "src": a, "dst": g, "role": "head", "because": "controls"} for n, (a, g) in enumerate(members)],
        "LINKED_TO": [
            {"id": f"l{n}", "src": a, "dst": b, "kind": "shared_device", "score": 1, "level": level, "disclosed": known}
            for n, (a, b, level, known) in enumerate(links)
        ],
    }
    for name, rows in edges.items():
        write(lake, table_name(schema.edge(name)), columns(schema.edge(name)).to_pyarrow(), rows)
    versions = list(ibis.schema(VERSION_SCHEMA).to_pyarrow())
    text = [pa.field(name, pa.string()) for name in ("party", "provider", "kind")]
    numbers = [pa.field(name, pa.int64()) for name in ("amount_fen", "mitigated_fen")]
    debts = [{"party": party, "kind": "loan", "amount_fen": fen} for party, fen in owed]
    write(lake, "records/exposures", pa.schema([*text, *numbers, *versions]), debts)
    own = [pa.field("reported_on", pa.date32()), *(pa.field(name, pa.int64()) for name in ("net_capital_fen", "tier_1_fen"))]
    reported = [{"reported_on": day, "net_capital_fen": net, "tier_1_fen": tier} for day, net, tier in capital]
    write(lake, "records/bank_capital", pa.schema([*own, *versions]), reported)
    graph = Graph(lake, DAY)
    return {row["id"]: row for row in graph.engine.table(DERIVATION.run(graph)).to_pylist()}


PAIR = (("company:x:a", "group:g"), ("company:x:b", "group:g"))
OTHER = ("company:x:c", "group:h")


def test_a_group_says_what_it_has_used_and_what_its_limit_leaves(lake):
    (group,) = groups(lake, PAIR, [("company:x:a", 12), ("company:x:b", 7)]).values()
    assert (group["used_fen"], group["headroom_fen"], group["breach"], group["split"]) == (19, 1, False, False)
    assert (group["members"], group["head"]) == (2, "company:x:a＋company:x:b")
    assert "20 % of tier 1" in group["limit"]


def test_who_is_tied_in_secret_splits_a_group_that_would_pass_its_limit_with_him(lake):
    owed = [("company:x:a", 12), ("company:x:b", 7), ("company:x:c", 2)]
    found = groups(lake, [*PAIR, OTHER], owed, [("company:x:b", "company:x:c", "strong", False)])
    assert {id_: (row["breach"], row["split"]) for id_, row in found.items()} == {"group:g": (False, True), "group:h": (False, False)}


@pytest.mark.parametrize(("level", "disclosed"), [("medium", False), ("strong", True)])
def test_weaker_evidence_and_what_the_register_tells_split_nothing(lake, level, disclosed):
    owed = [("company:x:a", 12), ("company:x:b", 7), ("company:x:c", 2)]
    found = groups(lake, [*PAIR, OTHER], owed, [("company:x:b", "company:x:c", level, disclosed)])
    assert not any(row["split"] for row in found.values())


def test_a_group_beyond_its_limit_is_no_split_one(lake):
    owed = [("company:x:a", 20), ("company:x:b", 1), ("company:x:c", 2)]
    found = groups(lake, [*PAIR, OTHER], owed, [("company:x:b", "company:x:c", "strong", False)])
    assert (found["group:g"]["breach"], found["group:g"]["split"], found["group:g"]["headroom_fen"]) == (True, False, -1)


def test_the_last_capital_reported_up_to_the_day_counts(lake):
    capital = ((date(2025, 12, 31), 1000, 50), (date(2026, 2, 28), 1000, 100), (date(2026, 3, 31), 1000, 10))
    (group,) = groups(lake, PAIR, [("company:x:a", 19)], capital=capital).values()
    assert group["headroom_fen"] == 1


def test_without_a_capital_of_the_day_nothing_is_said_of_limits(lake):
    (group,) = groups(lake, PAIR, [("company:x:a", 19)], capital=((date(2026, 3, 31), 1000, 100),)).values()
    assert (group["members"], group["limit"], group["headroom_fen"], group["breach"]) == (2, None, None, None)
