"""When a derivation is run: where nothing that it reads ever had a row it makes nothing, and its table is there all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from kg import history, schema
from kg.derivation import derive
from kg.derivations import DERIVATIONS, payments, ring_members
from kg.engine import Engine
from kg.graph import Graph, columns, table_name
from kg.history import Moment, Since, Written
from kg.lake import Lake

DAY = date(2024, 5, 31)
#: What is read beside what is required, and makes no row by itself: no person is a party to what companies supply to one another;
#: a ring is there where the same search found it members.
BESIDE = {"supplies": {"Person"}, "rings": {*ring_members.REQUIRES}}


@pytest.fixture
def lake(tmp_path):
    with Engine(tmp_path / "spill") as engine:
        yield Lake(tmp_path / "lake", engine)


class Heard(Graph):
    """A graph that remembers which tables it was asked for."""

    def __init__(self, *of):
        super().__init__(*of)
        self.asked = set()

    def _rows(self, type_):
        self.asked.add(table_name(type_).removeprefix("graph/"))
        return super()._rows(type_)

    def records(self, kind, *references):
        self.asked.add(f"records/{kind}")
        return super().records(kind, *references)


def read_by(derivation):
    """Return what a derivation may read: what it requires, what it made before, and what follows from these alone."""
    known = {*derivation.requires, derivation.produces, *BESIDE.get(derivation.name, ())}
    for other in DERIVATIONS:
        if known.issuperset(other.requires):
            known.add(other.produces)
    return known


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda each: each.name)
def test_of_no_rows_no_derivation_makes_any_and_it_asks_for_no_table_that_it_does_not_require(lake, derivation):
    graph = Heard(lake, DAY)
    assert lake.engine.table(derivation.run(graph)).num_rows == 0
    assert graph.asked
    assert graph.asked <= read_by(derivation)


def state(lake, name, rows, run_id):
    """Write relationships as a run first saw them."""
    of = columns(schema.edge(name))
    table = pa.Table.from_pylist([{"first_run": run_id, **row} for row in rows], schema=of.to_pyarrow())
    lake.ensure(f"graph/{name}", of)
    lake.append(f"graph/{name}", lake.engine.arrow(table), run_id)


def night(lake, number, last=None):
    """Derive what was paid, knowing what a night before did; return what was written and the night."""
    moment = Moment(DAY + timedelta(days=number), f"run{number}")
    written = derive(lake, [payments.DERIVATION], Graph(lake, moment.as_of), moment, last)
    return written["graph/PAID"], Since(moment.run_id, moment.as_of, lake.versions)


def sums(lake):
    return sorted(lake.engine.table(history.current(lake.view("graph/PAID")).select("amount_fen"))["amount_fen"].to_pylist())


@pytest.mark.parametrize("known", [True, False], ids=["as the last night said", "all anew"])
def test_what_had_no_rows_and_gets_some_is_derived_and_what_loses_its_last_row_ends(lake, known):
    written, last = night(lake, 1)
    assert written == Written()
    assert lake.has("graph/PAID")
    state(lake, "OWNS_ACCOUNT", [{"id": f"o{n}", "src": f"company:b:{n}", "dst": f"account:b:{n}"} for n in (1, 2)], "run2")
    written, last = night(lake, 2, last if known else None)
    assert written == Written()
    paid = {"id": "t", "src": "account:b:1", "dst": "account:b:2", "amount_fen": 500, "currency": "CNY"}
    state(lake, "TRANSFERRED_TO", [{**paid, "at": datetime(2024, 5, 3, tzinfo=UTC).replace(tzinfo=None)}], "run3")
    written, last = night(lake, 3, last if known else None)
    assert (written, sums(lake)) == (Written(1, 0), [500])
    closes = lake.engine.arrow(pa.table({"id": ["t"], "valid_to": pa.array([DAY], pa.date32())}))
    lake.close("graph/TRANSFERRED_TO", closes, ["id"], "run4")
    written, last = night(lake, 4, last if known else None)
    assert (written, sums(lake)) == (Written(0, 1), [])
    assert night(lake, 5, last if known else None)[0] == Written()
