"""The words in which the graph's vocabulary is declared: properties, node types, edge types.

Everything else (lake tables, Cypher, constraints, reference pages) is made from these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kg.errors import UsageError

DataType = Literal["string", "int64", "bool", "date", "timestamp"]


@dataclass(frozen=True)
class Property:
    """One property of a node or relationship; ``personal`` is ``"name"`` where it is kept as a person's name."""

    name: str
    type: DataType
    about: str
    unit: str | None = None
    personal: Literal["name"] | None = None


#: What every declared row carries beside its own properties.
COMMON = (
    Property("source", "string", "the source that stated the row"),
    Property("record_id", "string", "the source's record"),
    Property("valid_from", "date", "first day on which the row holds; null = not stated"),
    Property("valid_to", "date", "first day on which it no longer holds; null = open"),
    Property("first_run", "string", "the run that wrote this version"),
    Property("last_run", "string", "the run that replaced or closed it; null while current"),
)


@dataclass(frozen=True)
class NodeType:
    """A label, its further labels and its properties; every node has the key ``id``."""

    label: str
    about: str
    properties: tuple[Property, ...]
    also: tuple[str, ...] = ()
    derived: bool = False

    def __post_init__(self) -> None:
        _refuse_repeated(self.label, self.properties)

    @property
    def prefix(self) -> str:
        """The first part of the ids of these nodes, up to the colon.

        >>> NodeType("CourtCase", "a case", ()).prefix
        'court_case'
        """
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in self.label).lstrip("_")


@dataclass(frozen=True)
class EdgeType:
    """A relationship type, the labels at its ends and its properties; every relationship has the key ``id``."""

    type: str
    about: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    properties: tuple[Property, ...] = ()
    derived: bool = False

    def __post_init__(self) -> None:
        _refuse_repeated(self.type, self.properties)


def _refuse_repeated(owner: str, properties: tuple[Property, ...]) -> None:
    names = [p.name for p in (*properties, *COMMON)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{owner} declares {', '.join(twice)} twice")
