"""Mapping packs: the ``[[sources]]`` of a known data set, kept as plain TOML and used by naming the pack.

A pack's own paths are patterns of file names; its sources are called ``<pack>.<file>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kg.config.sources import PackUse, matching
from kg.config.toml import TomlFile
from kg.errors import UsageError, did_you_mean


def expand(use: PackUse, pack: TomlFile, root: Path, place: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the pack's sources that ``use`` takes, each with its number in the pack.

    Parameters
    ----------
    use
        What the workspace says: which pack, where its files lie, what differs.
    root
        The folder that relative paths are relative to.
    place
        Where the path is written, for messages.

    Raises
    ------
    UsageError
        If ``only`` names a source that the pack lacks, the path is not there, or nothing there is the pack's.
    """
    entries = list(_chosen(use, pack, place))
    at = root / use.path
    if at.is_dir():
        found = [(number, {**entry, "path": str(at / entry["path"])}) for number, entry in entries]
        found = [(number, entry) for number, entry in found if matching(entry["path"], root)]
    elif at.is_file():
        found = [(number, {**entry, "path": str(at)}) for number, entry in entries if _names(entry["path"], at)]
    else:
        raise UsageError(f"{place}: there is no file or folder '{use.path}'; relative paths are relative to the workspace")
    if not found:
        patterns = ", ".join(entry["path"] for _, entry in entries)
        raise UsageError(f"{place}: nothing in '{use.path}' belongs to the mapping pack '{use.mapping}', which looks for {patterns}")
    changes = use.model_dump(include={"mode", "unknown_end", "gate"}, exclude_none=True)
    return [(number, {**entry, **changes}) for number, entry in found]


def _names(pattern: str, path: Path) -> bool:
    """Say whether a pattern of the pack, or its last part, stands for a file."""
    return fnmatchcase(path.name, pattern.rpartition("/")[2])


def _chosen(use: PackUse, pack: TomlFile, place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the pack's sources under their full names, those of ``only`` if there are such."""
    prefix = f"{use.mapping}."
    entries = [{**entry, "name": prefix + entry["name"].removeprefix(prefix)} for entry in pack.values["sources"]]
    known = [entry["name"] for entry in entries]
    wanted = [prefix + name.removeprefix(prefix) for name in use.only] or known
    for name in wanted:
        if name not in known:
            near = did_you_mean(name.removeprefix(prefix), [k.removeprefix(prefix) for k in known])
            raise UsageError(f"{place}: the mapping pack '{use.mapping}' has no source '{name.removeprefix(prefix)}'{near}")
    yield from ((number, entry) for number, entry in enumerate(entries) if entry["name"] in wanted)
