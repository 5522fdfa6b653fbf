"""The formats that delivered files may have: one file each."""

from __future__ import annotations

from kg.config import SourceSettings
from kg.errors import UsageError
from loaders.delivery import DeliveredFile
from loaders.formats.csv import Csv
from loaders.formats.jsonl import JsonLines
from loaders.formats.parquet import Parquet
from loaders.formats.part import Format

FORMATS: tuple[Format, ...] = (Csv(), Parquet(), JsonLines())


def format_of(source: SourceSettings, file: DeliveredFile) -> Format:
    """Return the format of a file: the one that the source names, else the one that its ending means.

    Raises
    ------
    UsageError
        If the source names none and the ending means none.
    """
    name = file.path.name.lower()
    for form in FORMATS:
        if form.name == source.format or (source.format is None and name.endswith(form.endings)):
            return form
    known = ", ".join(form.name for form in FORMATS)
    raise UsageError(
        f"{source.name}: the ending of {file.name} does not say its format; set format to one of {known} ({source.at('format')})"
    )
