"""The files of a city, as tables to ask.

Knows where each kind of row lies, in which format, and of which type a column is; hides the engine, which is bounded in
memory and reads the files in batches, so that a city of a million companies can be looked at.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from pyarrow import csv, dataset, parquet

from kg.engine import Engine
from kg.errors import UsageError
from loaders.sources import KINDS

_MEMORY = "1GB"


class Landing:
    """The folder of a city.

    Raises
    ------
    UsageError
        If the folder holds no city.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self._kept: dict[tuple[str, tuple[str, ...]], ir.Table] = {}
        if not (folder / "landing").is_dir() or not (folder / "truth" / "schemes.parquet").exists():
            raise UsageError(f"{folder} holds no generated city: there is no landing/ with a truth/ beside it; kgfraud city DIR makes one")

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, memory: str = _MEMORY) -> Iterator[Landing]:
        """Open a city; what is spilt while it is read lies in the system's temporary folder."""
        with tempfile.TemporaryDirectory(prefix="kgfraud-city-") as spill, Engine(Path(spill), memory) as engine:
            yield cls(folder, engine)

    def rows(self) -> dict[str, int]:
        """Return the number of rows of each kind, as they lie in the files."""
        return {kind.name: self._counted(kind.name) for kind in KINDS if self._files(kind.name)}

    def table(self, kind: str, *columns: str) -> ir.Table:
        """Return some columns of a kind's rows."""
        if (kind, columns) not in self._kept:
            self._kept[kind, columns] = self._read(kind, columns)
        return self._kept[kind, columns]

    def truth(self, name: str) -> pa.Table:
        """Return a table of the truth."""
        return parquet.read_table(self.folder / "truth" / f"{name}.parquet")

    def noted(self, name: str) -> dict[str, Any] | None:
        """Return what a JSON file of the truth holds, None where there is none."""
        path = self.folder / "truth" / f"{name}.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def _files(self, kind: str) -> list[str]:
        landing = self.folder / "landing"
        return sorted(
            str(path) for form in ("csv", "parquet") for path in (*landing.glob(f"{kind}.{form}"), *landing.glob(f"{kind}/*.{form}"))
        )

    def _counted(self, kind: str) -> int:
        files = self._files(kind)
        if files[0].endswith(".parquet"):
            return sum(parquet.read_metadata(path).num_rows for path in files)
        first = csv.open_csv(files[0]).schema.names[0]
        return int(_csv(files, (first,)).count_rows())

    def _read(self, kind: str, columns: Sequence[str]) -> ir.Table:
        files = self._files(kind)
        if not files:
            return self.engine.arrow(pa.schema([(name, typed(name)) for name in columns]).empty_table())
        if files[0].endswith(".parquet"):
            return self.engine.parquet(files)[list(columns)]
        reader = _csv(files, columns).scanner(columns=list(columns), batch_readahead=2, fragment_readahead=1).to_reader()
        return self.engine.keep(self.engine.arrow(reader))


def typed(column: str) -> pa.DataType:
    """Return the type of a column by its name.

    >>> typed("amount_fen"), typed("issued_on"), typed("company")
    (DataType(int64), DataType(date32[day]), DataType(string))
    """
    if column.endswith(("_fen", "_ppm")):
        return pa.int64()
    return pa.date32() if column.endswith("_on") else pa.timestamp("s") if column == "at" else pa.string()


def _csv(files: Sequence[str], columns: Sequence[str]) -> dataset.Dataset:
    options = csv.ConvertOptions(column_types={name: typed(name) for name in columns}, strings_can_be_null=True)
    return dataset.dataset(list(files), format=dataset.CsvFileFormat(convert_options=options))


def number_of(party: ir.StringValue) -> ir.IntegerValue:
    """Return the number in the name of a company or person."""
    number: ir.IntegerValue = party.substr(1).try_cast("int64")
    return number


def ordinary(landing: Landing) -> ir.Table:
    """Return the companies that are the bank's own customers, which institutions are not, by number (``company``)."""
    found = landing.table("companies", "company", "customer_ref", "capital_fen")
    return found.filter(ibis._.customer_ref.notnull()).select(company=number_of(found.company), capital_fen=found.capital_fen)
