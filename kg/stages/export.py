"""The flags handed to the loan system, as signed files."""

from __future__ import annotations

import filecmp
from pathlib import Path

from kg.export import SigningKey, export, write_data
from kg.exporters import EXPORTERS
from kg.stage import Night, Result, Stage
from kg.stages.flag import told


def _export(night: Night) -> Result:
    flags = told(night.lake, night)
    key = SigningKey.open(night.workspace.keys)
    folder = export(flags, night.workspace.export, EXPORTERS, key, run_id=night.run_id, as_of=night.moment.as_of)
    return {"flags": flags.num_rows, "folder": str(folder.relative_to(night.workspace.root))}


def differing(night: Night, folder: Path) -> list[str]:
    """Write the night's data files into a folder and name those that are not the bytes that were exported."""
    folder.mkdir(parents=True)
    made = write_data(told(night.lake, night), folder, EXPORTERS)
    exported = night.workspace.export / night.run_id
    if not exported.is_dir():
        return []
    return [
        f"export/{night.run_id}/{file.name}: other bytes"
        for file in made
        if not (exported / file.name).is_file() or not filecmp.cmp(folder / file.name, exported / file.name, shallow=False)
    ]


STAGE = Stage("export", _export, after=True)
