"""What an engine computes lies on the disk in the types in which it was asked for."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

from kg.engine import Engine
from kg.errors import KgfraudError

LARGE = 2**53 + 1


@pytest.fixture
def engine(tmp_path):
    with Engine(tmp_path / "spill", memory="500MB", threads=1) as engine:
        yield engine


@pytest.fixture
def payments(engine):
    return engine.arrow(pa.table({"payer": ["a", "a", "b"], "fen": pa.array([LARGE, 1, 2], pa.int64())}))


def written(engine, expr, tmp_path):
    engine.write(expr, tmp_path / "rows.parquet")
    return parquet.read_table(tmp_path / "rows.parquet")


def test_a_sum_of_money_is_written_as_a_whole_number_to_the_last_fen(engine, payments, tmp_path):
    rows = written(engine, payments.group_by("payer").aggregate(fen=payments.fen.sum(), large=(payments.fen > 1).sum()), tmp_path)
    assert (rows.schema.field("fen").type, rows.schema.field("large").type) == (pa.int64(), pa.int64())
    assert {row["payer"]: row["fen"] for row in rows.to_pylist()} == {"a": LARGE + 1, "b": 2}


def test_a_running_sum_of_money_is_written_as_a_whole_number_too(engine, payments, tmp_path):
    rows = written(engine, payments.mutate(whole=payments.fen.sum().over(group_by="payer")), tmp_path)
    assert rows.schema.field("whole").type == pa.int64()
    assert {(row["payer"], row["whole"]) for row in rows.to_pylist()} == {("a", LARGE + 1), ("b", 2)}


@pytest.mark.parametrize("computed", ["table", "keep", "reader", "count"])
def test_a_sum_beyond_64_bits_is_refused_in_a_sentence(engine, payments, computed):
    most = payments.mutate(fen=payments.fen * 1000)
    large = most.union(most)
    sums = large.group_by("payer").aggregate(fen=large.fen.sum())
    with pytest.raises(KgfraudError, match="look for amounts that cannot be"):
        getattr(engine, computed)(sums.filter(sums.fen > 0))


SHAPES = {
    "itself": lambda one, _: one,
    "chosen columns": lambda one, _: one.select("payer", more=one.fen + 1),
    "some rows": lambda one, _: one.filter(one.fen > 0).distinct().order_by("payer").limit(3),
    "groups": lambda one, _: one.group_by("payer").aggregate(fen=one.fen.sum()),
    "one sum": lambda one, _: one.aggregate(fen=one.fen.sum()),
    "both": lambda one, other: one.union(other),
    "once more": lambda one, _: one.view().select("fen"),
    **{how: lambda one, other, how=how: one.join(other, "payer", how=how) for how in ("inner", "left", "right", "outer", "semi", "anti")},
    "two joins": lambda one, other: one.join(other, "payer").join(other.select("payer", third="fen"), "payer", how="left"),
}


@pytest.mark.parametrize("one", [True, False], ids=["rows", "no rows"])
@pytest.mark.parametrize("other", [True, False], ids=["and rows", "and no rows"])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_told_to_have_no_rows_before_it_is_run_has_none(engine, payments, tmp_path, one, other, shape):
    empty = engine.keep(payments.filter(payments.fen < 0))
    expr = SHAPES[shape](payments if one else empty, (payments if other else empty).view())
    rows = engine.table(expr).num_rows
    assert rows == 0 or not engine.none(expr)
    assert engine.count(expr) == rows
    # it is not said of everything: of what has rows only in part it may go unsaid
    assert engine.none(expr) or rows or one or shape in ("right", "outer", "both")


def test_a_mean_is_no_sum(engine, payments):
    assert engine.value(payments.filter(payments.payer == "b").fen.mean()) == 2.0
