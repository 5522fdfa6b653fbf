"""Tables of a published data set, read and checked before anything is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from gnn.encode import Floats
from kg.algorithms.kernel import Ints
from kg.errors import GateError, UsageError


def read(folder: Path, name: str, *columns: str) -> pa.Table:
    """Read a Parquet file of a data set.

    Raises
    ------
    UsageError
        If the file is not there or is no Parquet file.
    GateError
        If a column is missing.
    """
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise UsageError(f"{path} is not there; --data names the folder that holds it")
    try:
        table = parquet.read_table(path)
    except pa.ArrowException as error:
        raise UsageError(f"{path} is no Parquet file that can be read; fetch it again") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise GateError(f"{path} has no column '{missing[0]}'; it has {', '.join(table.column_names)}")
    return table


def integers(table: pa.Table, column: str, where: str) -> Ints:
    """Return a column of whole numbers.

    Raises
    ------
    GateError
        If a value is missing or none.
    """
    values = table[column]
    if values.null_count:
        raise GateError(f"{where}: {values.null_count} rows have no {column}; every row needs one")
    try:
        numbers: Ints = values.cast(pa.int64()).to_numpy()
    except pa.ArrowException as error:
        raise GateError(f"{where}: column {column} is of type {values.type}, not of whole numbers") from error
    return numbers


def numbers(table: pa.Table, column: str, where: str) -> Floats:
    """Return a column of numbers; a missing one is nan.

    Raises
    ------
    GateError
        If a value is no number, or infinite.
    """
    try:
        values = np.asarray(table[column].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowException as error:
        raise GateError(f"{where}: column {column} is of type {table[column].type}, not of numbers") from error
    if np.isinf(values).any():
        raise GateError(f"{where}: column {column} holds an infinite number in row {int(np.isinf(values).argmax())}; mend the file")
    return values


def labels(table: pa.Table, column: str, needed: NDArray[np.bool_], where: str) -> NDArray[np.int8]:
    """Return labels, -1 where there is none.

    Parameters
    ----------
    needed : bool, shape (n,)
        The rows that must have one.

    Raises
    ------
    GateError
        If a row that must have a label has none, or a label is neither 0 nor 1.
    """
    values = np.nan_to_num(numbers(table, column, where), nan=-1.0)
    lacking = needed & (values < 0)
    if lacking.any():
        raise GateError(f"{where}: {int(lacking.sum())} training or validation rows have no {column}; each needs 0 or 1")
    strange = ~np.isin(values, (-1.0, 0.0, 1.0))
    if strange.any():
        raise GateError(f"{where}: {column} must be 0 or 1, row {int(strange.argmax())} has {values[strange][0]:g}")
    return values.astype(np.int8)


def places(ids: Ints, wanted: Ints, where: str) -> Ints:
    """Return the places of ids among others.

    Raises
    ------
    GateError
        If an id is not there.

    Examples
    --------
    >>> places(np.array([7, 3]), np.array([3, 3, 7]), "edges").tolist()
    [1, 1, 0]
    """
    order = np.argsort(ids, kind="stable")
    found = np.minimum(np.searchsorted(ids, wanted, sorter=order), max(0, len(ids) - 1))
    place: Ints = order[found] if len(ids) else np.zeros(0, np.int64)
    unknown = ids[place] != wanted if len(ids) else np.ones(len(wanted), bool)
    if unknown.any():
        raise GateError(f"{where}: row {int(unknown.argmax())} names {wanted[unknown][0]}, which the table of companies lacks")
    return place
