"""What a run found of what was planted in a city: flags held against the truth, after the run.

Knows how the truth's numbers of companies lead to the graph's ids; hides nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet


@dataclass(frozen=True)
class Found:
    """Of a kind of scheme: how many stand in the city, how many of them lie beyond what rules catch by default, and how many were flagged.

    A scheme is flagged where a member of it bears a flag.
    """

    kind: str
    planted: int
    beyond: int
    flagged: int


def found(folder: Path, flagged: Collection[str]) -> tuple[list[Found], int]:
    """Return what was found of each kind of scheme, and how many of the flagged companies have a part in none.

    Parameters
    ----------
    folder
        Where the city was written: ``landing`` and ``truth`` lie in it.
    flagged
        Ids of companies in the graph.
    """
    companies = _companies(folder).select(["company", "uscc"])
    ids = pc.binary_join_element_wise("company:uscc:", companies["uscc"], "")
    numbers = companies["company"].filter(pc.is_in(ids, value_set=pa.array(sorted(flagged), pa.string())))
    members = parquet.read_table(folder / "truth" / "members.parquet", columns=["number", "company"])
    hit = members.filter(pc.is_in(members["company"], value_set=numbers.combine_chunks()))["number"].unique()
    schemes = parquet.read_table(folder / "truth" / "schemes.parquet", columns=["number", "kind", "beyond_defaults"])
    schemes = schemes.append_column("beyond", pc.cast(pc.greater(schemes["beyond_defaults"], 0), pa.int64()))
    schemes = schemes.append_column("hit", pc.cast(pc.is_in(schemes["number"], value_set=hit), pa.int64()))
    counted = (
        schemes.group_by("kind", use_threads=False).aggregate([("number", "count"), ("beyond", "sum"), ("hit", "sum")]).sort_by("kind")
    )
    innocent = pc.invert(pc.is_in(numbers, value_set=members["company"].combine_chunks()))
    lines = [Found(row["kind"], row["number_count"], row["beyond_sum"], row["hit_sum"]) for row in counted.to_pylist()]
    return lines, pc.sum(innocent).as_py() or 0


def _companies(folder: Path) -> pa.Table:
    (path,) = (folder / "landing").glob("companies.*")
    if path.suffix == ".parquet":
        return parquet.read_table(path)
    return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types={"company": pa.string(), "uscc": pa.string()}))
