"""Which code a run was made by."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from kg import __version__

_PACKAGES = ("kg", "loaders", "gnn")
_KINDS = {".py", ".toml", ".cypher"}


@cache
def code_version() -> str:
    """Return the version of the program and a digest of its files, ``0.1.0+1a2b3c4d5e6f``."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(p for p in Path(folder).rglob("*") if p.suffix in _KINDS):
                digest.update(f"{package}/{path.relative_to(folder)}".encode())
                digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
