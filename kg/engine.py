"""The Ibis connection: where tabular work runs.

Knows how DuckDB is set up (memory, threads, spill folder, UTC) and how files and Arrow data enter
and leave it; hides the connection, so that another engine can take its place.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler
from ibis.expr.operations.relations import Reference, Simple
from pyarrow import parquet

from kg.errors import KgfraudError

BATCH_ROWS = 120_000
#: Joins that have no more rows than their first table has partners.
_JOINS = ("inner", "left", "semi", "anti")
# Selects within selects cost DuckDB nothing; putting them together costs Ibis a sixth of all the time of a small night.
ibis.options.sql.fuse_selects = False


class _Compiler(DuckDBCompiler):  # type: ignore[misc]  # Ibis ships no types
    """Writes sums of whole numbers as the whole numbers of 64 bits that Ibis takes them for; one that does not fit is an error.

    DuckDB sums into 128 bits, which its Parquet files hold as doubles, and Ibis leaves a cast to 64 bits out. A part of a text from a known
    place on is written without asking how long the text is, which Ibis does by writing all that made the text down once more.
    """

    __slots__ = ()

    def visit_Sum(self, op: ops.Sum, *, arg: Any, where: Any) -> Any:  # noqa: N802 - named by Ibis
        summed = super().visit_Sum(op, arg=arg, where=where)
        return self.cast(summed, dt.int64) if op.dtype.is_integer() else summed

    def visit_WindowFunction(self, op: ops.WindowFunction, *, func: Any, **window: Any) -> Any:  # noqa: N802 - named by Ibis
        if isinstance(op.func, ops.Sum) and isinstance(func, sge.Cast):
            return self.cast(super().visit_WindowFunction(op, func=func.this, **window), dt.int64)
        return super().visit_WindowFunction(op, func=func, **window)

    def visit_Substring(self, op: ops.Substring, *, arg: Any, start: Any, length: Any) -> Any:  # noqa: N802 - named by Ibis
        if not isinstance(op.start, ops.Literal) or op.start.value < 0:
            return super().visit_Substring(op, arg=arg, start=start, length=length)
        return self.f.substring(arg, op.start.value + 1, *([] if length is None else [length]))


class Engine:
    """A DuckDB database in memory, bounded, that spills into ``spill``.

    Parameters
    ----------
    spill
        Folder for what does not fit into memory; made when it is needed.
    memory
        Bound on memory, as DuckDB writes it (``"3GB"``).
    threads
        Number of threads.
    """

    def __init__(self, spill: Path, memory: str = "3GB", threads: int = 2) -> None:
        self._backend: Any = ibis.duckdb.connect(
            memory_limit=memory,
            threads=threads,
            temp_directory=str(spill),
            preserve_insertion_order=False,
        )
        self._backend.compiler = _Compiler()
        # on a terminal DuckDB would draw a bar of its own across ours
        self._backend.con.execute("SET enable_progress_bar = false")
        self._names = itertools.count()
        self._kept = spill / "kept"
        #: The numbers of rows of tables that were given in or written here.
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; what was kept is gone with it."""
        self._backend.disconnect()
        shutil.rmtree(self._kept, ignore_errors=True)

    def parquet(self, files: Sequence[str | Path], schema: ibis.Schema | None = None) -> ir.Table:
        """Return the rows of some Parquet files; without a file, no rows of ``schema``."""
        if not files:
            return self.arrow(pa.table(ibis.schema(schema).to_pyarrow().empty_table()))
        return self._backend.read_parquet([str(f) for f in files], table_name=self._name())

    def arrow(self, data: pa.Table | pa.RecordBatchReader) -> ir.Table:
        """Return Arrow data as a table; a reader can be run through once only."""
        name = self._name()
        self._backend.con.register(name, data)
        if isinstance(data, pa.Table):
            self._sizes[name] = data.num_rows
        return self._backend.table(name)

    def keep(self, expr: ir.Table) -> ir.Table:
        """Compute an expression once and keep its rows, on the disk, for as long as the engine lives."""
        return self.write(expr, self._kept / f"{next(self._names)}.parquet")

    def reader(self, expr: ir.Table, rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Run an expression and return its rows batch by batch; the engine must rest until all are read."""
        with _large_sums_told():
            return self._run(expr).to_arrow_reader(rows)

    def table(self, expr: ir.Table) -> pa.Table:
        """Run an expression and return all its rows, for results that are small."""
        with _large_sums_told():
            return self._run(expr).to_arrow_table()

    def value(self, expr: ir.Scalar) -> Any:
        """Run an expression for one value and return it as a Python value."""
        return self.table(expr.as_table())[0][0].as_py()

    def count(self, expr: ir.Table) -> int:
        """Return the number of rows of an expression."""
        known = self._sizes.get(expr.get_name()) if isinstance(expr.op(), ops.DatabaseTable) else None
        if known is None:
            return 0 if self.none(expr) else int(self.value(expr.count()))
        return known

    def none(self, expr: ir.Table) -> bool:
        """Tell without running it that an expression has no rows, since tables that it begins with are known to have none.

        False where that is not known.
        """
        return _none(expr.op(), self._sizes)

    def write(self, expr: ir.Table, path: Path) -> ir.Table:
        """Run an expression into one Parquet file and return that file's rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _large_sums_told():
            self._backend.to_parquet(expr, path, compression="zstd", compression_level=1)
        rows = self.parquet([path])
        self._sizes[rows.get_name()] = parquet.read_metadata(path).num_rows
        return rows

    def forget_arrow(self, table: ir.Table) -> None:
        """Let go of Arrow data that was given in."""
        self._backend.con.unregister(table.op().name)

    def _run(self, expr: ir.Table) -> Any:
        # Ibis fetches results by calls that DuckDB 2 has renamed, so its compiler is used and DuckDB is called here
        return self._backend.con.sql(self._backend.compile(expr))

    def _name(self) -> str:
        return f"kg_{next(self._names)}"


def _none(op: ops.Relation, sizes: Mapping[str, int]) -> bool:
    """Tell that a relation has no rows, see `Engine.none`."""
    if isinstance(op, ops.DatabaseTable):
        return sizes.get(op.name) == 0
    if isinstance(op, ops.Project | Simple | Reference):
        return _none(op.parent, sizes)
    if isinstance(op, ops.Aggregate):
        return bool(op.groups) and _none(op.parent, sizes)
    if isinstance(op, ops.Union):
        return _none(op.left, sizes) and _none(op.right, sizes)
    if not isinstance(op, ops.JoinChain) or any(link.how not in _JOINS for link in op.rest):
        return False
    both = (link.table for link in op.rest if link.how in ("inner", "semi"))
    return any(_none(table, sizes) for table in (op.first, *both))


@contextmanager
def _large_sums_told() -> Iterator[None]:
    try:
        yield
    except duckdb.ConversionException as error:
        if "for the destination type INT64" not in str(error):
            raise
        raise KgfraudError(
            "a sum of amounts does not fit 64 bits, so it is more than 92 000 000 000 000 000 yuan; "
            "look for amounts that cannot be in what was delivered last, take them out and run again"
        ) from error


def union(tables: Sequence[ir.Table]) -> ir.Table:
    """Return the rows of one or more tables with the same columns, repeated ones included."""
    return tables[0] if len(tables) == 1 else ibis.union(*tables, distinct=False)
