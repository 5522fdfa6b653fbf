"""The files of a city: a landing folder, day by day where rows are appended, the settings that load it, and the truth beside it.

Knows file names, formats and the ``[[sources]]`` tables; hides the slicing by day. The bytes depend on the choices alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from kg.progress import Progress, Silent
from loaders.city.build import City
from loaders.city.dirt import Dirt
from loaders.city.params import CITY_VERSION, Params
from loaders.city.tables import Daily, Tables
from loaders.city.text import numbers
from loaders.city.truth import truth
from loaders.source import Kind
from loaders.sources import KINDS

#: What identifies a row; kinds that are not named here are identified by their content.
_RECORD_IDS = {
    "companies": ("company",),
    "persons": ("person",),
    "devices": ("device",),
    "accounts": ("account", "owner"),
    "loans": ("loan",),
    "transfers": ("transfer",),
    "loan_flows": ("flow",),
    "contracts": ("number",),
    "invoices": ("number",),
    "tax_filings": ("company", "period"),
}
_UNITS = {"money": "分", "share": "ppm"}
#: Votes follow the shares in this city.
_NOT_DELIVERED = ("votes_ppm",)
_HEAD = """
# A generated city. Its truth lies in truth/, which no run reads.
"""


def write(city: City, folder: Path, form: str = "csv", progress: Progress | None = None) -> dict[str, int]:
    """Write the files of a city into ``folder/landing`` and ``folder/truth``; return the number of rows by kind.

    Parameters
    ----------
    form
        ``csv`` or ``parquet``; the truth is Parquet either way.
    """
    tables = Tables(city)
    full, daily = tables.full(), tables.daily()
    dirt = Dirt(city.params)
    rows: dict[str, int] = {}
    with (progress or Silent()).task("writing the city", total=len(full) + len(daily) * city.params.days) as task:
        for name, make in full.items():
            rows[name] = _put(dirt.spoilt(name, make(), 0), folder / "landing" / f"{name}.{form}")
            task.advance()
        for name, kind in daily.items():
            rows[name] = int(kind.day.size)
            # asked for all days at once: each question would turn the whole column into wider numbers
            ends = np.searchsorted(kind.day, np.arange(city.params.days + 1)).tolist()
            for number in range(city.params.days):
                path = folder / "landing" / name / f"{name}-{city.params.day(number):%Y%m%d}.{form}"
                _put_day(kind, number, (ends[number], ends[number + 1]), path, dirt)
                task.advance()
    for name, table in {**truth(tables), "sizes": sizes(tables), "dirt": dirt.marks()}.items():
        _put(table, folder / "truth" / f"{name}.parquet")
    (folder / "truth" / "city.json").write_text(_choices(city.params), encoding="utf-8")
    return {kind.name: rows[kind.name] for kind in KINDS}


def sizes(tables: Tables) -> pa.Table:
    """Return how large each ordinary company is: people at work and fen sold a year, of which its files tell only a part."""
    firms, count = tables.city.firms, tables.city.params.companies
    columns = {"employees": numbers(firms.employees[:count]), "sales_fen": numbers(firms.sales[:count])}
    return pa.table({"company": tables.party.slice(0, count), **columns})


def _choices(params: Params) -> str:
    """Return from what the city was built, as JSON."""
    noted = {"version": CITY_VERSION, "digest": params.digest(), "params": asdict(params)}
    return json.dumps(noted, default=str, indent=1) + "\n"


def sources(city: City, form: str = "csv") -> str:
    """Return the ``[[sources]]`` tables of ``kgfraud.toml`` under which the files are read."""
    daily = Tables(city).daily()
    return _HEAD + "".join(_source(kind, form, kind.name in daily) for kind in KINDS)


def _source(kind: Kind, form: str, appended: bool) -> str:
    name = kind.name
    path = f"landing/{name}/{name}-*.{form}" if appended else f"landing/{name}.{form}"
    mode = "append" if appended else "full"
    lines = ["", "[[sources]]", f'name = "city.{name}"', f'kind = "{name}"', f'path = "{path}"', f'mode = "{mode}"']
    if name in _RECORD_IDS:
        lines.append(f"record_id = [{', '.join(f'{chr(34)}{column}{chr(34)}' for column in _RECORD_IDS[name])}]")
    measured = [column for column in kind.own if column.type in _UNITS and column.name not in _NOT_DELIVERED]
    if measured:
        lines += ["[sources.columns]", *(f'{c.name} = {{ column = "{c.name}", unit = "{_UNITS[c.type]}" }}' for c in measured)]
    return "\n".join(lines) + "\n"


def _put_day(kind: Daily, number: int, rows: tuple[int, int], path: Path, dirt: Dirt) -> None:
    """Write the rows of a day; a day without any has no file, but for the first, so that there always is one."""
    begin, end = rows
    name = path.parent.name
    if end > begin or number == 0 or dirt.waits(name, number):
        _put(dirt.spoilt(name, kind.rows(begin, end), begin, number), path)


def _put(table: pa.Table, path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    else:
        csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed"))
    return int(table.num_rows)
