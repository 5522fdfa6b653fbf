"""The generated city: companies, people and money of which the truth is known.

``build`` makes it of ``Params``, ``write`` puts its files into a landing folder. Each part is a file here, each scheme a
file in ``schemes``, each honest look-alike a file in ``lookalikes``.
"""

from __future__ import annotations

from loaders.city.build import City, build
from loaders.city.params import CITY_VERSION, FORMATS, Params
from loaders.city.truth import beyond_defaults
from loaders.city.write import sources, write

__all__ = ["CITY_VERSION", "FORMATS", "City", "Params", "beyond_defaults", "build", "sources", "write"]
