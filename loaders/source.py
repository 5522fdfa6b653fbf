"""What a source kind is: a contract of columns that any bank's file can be mapped to.

Knows the types a column may have and what follows from each (personal or not, Arrow type);
hides nothing: the kinds themselves are one file each in ``loaders.sources``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal[
    # plain values
    "text",  # free text, scrubbed of personal identifiers when read
    "code",  # a code or word, kept as it is unless the whole of it is a personal identifier
    "name",  # a name: kept, classed as personal
    "integer",
    "money",  # any unit in, integer fen out
    "share",  # any unit in, integer ppm out
    "date",
    "timestamp",  # any zone in, UTC microseconds out
    "flag",  # true/false
    "uscc",  # unified social credit code, check digits verified
    # personal identifiers: a keyed token from the first write on
    "cnid",
    "phone",
    "email",
    # references: an id of the graph (account and device hold a token)
    "company",
    "person",
    "party",
    "account",
    "device",
    "loan",
    "court_case",
]

Personal = Literal["identifier", "name"]

_PERSONAL: dict[str, Personal] = {
    "cnid": "identifier",
    "phone": "identifier",
    "email": "identifier",
    "account": "identifier",
    "device": "identifier",
    "name": "name",
}
REFERENCES = ("company", "person", "party", "account", "device", "loan", "court_case")
STORED = {"integer": "int64", "money": "int64", "share": "int64", "date": "date", "timestamp": "timestamp(6)", "flag": "boolean"}


@dataclass(frozen=True)
class Column:
    """One column of a kind's contract.

    ``dated`` says that the column states a day on which something happened, so that it counts
    for the default as-of date; ``values`` is the closed list of words allowed, if there is one;
    ``least`` is the least number allowed, in the unit of the lake.
    """

    name: str
    type: ColumnType
    about: str
    required: bool = False
    dated: bool = False
    values: tuple[str, ...] = ()
    least: int | None = None

    @property
    def personal(self) -> Personal | None:
        """``"identifier"`` (tokenised), ``"name"`` (kept) or None."""
        return _PERSONAL.get(self.type)

    @property
    def unit(self) -> str | None:
        """The unit in which the lake holds it."""
        return {"money": "fen", "share": "ppm", "timestamp": "UTC, microseconds", "date": "day"}.get(self.type)

    @property
    def stored(self) -> str:
        """The Ibis type in which the lake holds it."""
        return STORED.get(self.type, "string")


#: Every kind has these two beside its own columns.
VALIDITY = (
    Column("valid_from", "date", "first day on which the row holds, where the source states it"),
    Column("valid_to", "date", "first day on which it no longer holds, where the source states it"),
)


@dataclass(frozen=True)
class Kind:
    """A kind of source: its columns, which node it registers and which of its columns may stand for one another.

    Parameters
    ----------
    defines
        The reference column that names the node which a row registers (``"company"`` in ``companies``),
        or None where rows only refer to nodes that other kinds register.
    one_of
        Groups of columns of which at least one must be filled.
    at_most
        Pairs of columns of which the first must not be more than the second.
    needs
        Pairs of columns of which the second must be filled where the first is; a number that is 0 needs nothing.
    differ
        Pairs of columns that must not name the same party.
    """

    name: str
    about: str
    own: tuple[Column, ...]
    defines: str | None = None
    one_of: tuple[tuple[str, ...], ...] = ()
    at_most: tuple[tuple[str, str], ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    differ: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its own columns and the two of validity."""
        return self.own + VALIDITY

    @property
    def references(self) -> tuple[Column, ...]:
        """The columns that name a node which must be known already."""
        return tuple(c for c in self.own if c.type in REFERENCES and c.name != self.defines)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return {c.name: c for c in self.columns}[name]
