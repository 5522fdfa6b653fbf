"""What a risk rule is, what a hit is, and how rules are run over the graph.

A rule is a value: a name and version, the reason it gives, its parameters with why they are what
they are, the tables it reads, and a pure function from Arrow tables to hits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg import schema
from kg.errors import KgfraudError, UsageError, did_you_mean_one_of
from kg.graph import Graph
from kg.reason import Reason

Severity: TypeAlias = Literal["low", "medium", "high"]
Action: TypeAlias = Literal["watch", "refer"]
#: Tables by the name of their label or relationship type.
Tables: TypeAlias = Mapping[str, pa.Table]
#: Gives the named columns of the current rows of a label or relationship type.
Read: TypeAlias = Callable[[str, Sequence[str]], pa.Table]
P = TypeVar("P")

_ARROW = {"string": pa.string(), "int64": pa.int64(), "bool": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC")}

#: What a rule's function returns: who is hit, by what, and the root by which the finding is known from night to night.
FOUND = pa.schema(
    [
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("root", pa.string(), nullable=False),
        pa.field("amount_fen", pa.int64()),
        pa.field("evidence", pa.list_(pa.string()), nullable=False),
        pa.field("at", pa.timestamp("us", "UTC")),
    ]
)
_STATED = ("rule", "rule_version", "reason", "severity", "action")
#: What ``evaluate`` returns: the rule's own words before what it found.
HITS = pa.schema([*(pa.field(name, pa.string(), nullable=False) for name in _STATED), *FOUND])


@dataclass(frozen=True)
class Need:
    """Columns of a label or relationship type that a rule reads, ``id`` among them."""

    name: str
    columns: tuple[str, ...]

    def conform(self, table: pa.Table) -> pa.Table:
        """Return these columns of a table in the types that the vocabulary gives them.

        Raises
        ------
        UsageError
            If the table lacks one of them.
        """
        lacking = sorted(set(self.columns) - set(table.column_names))
        if lacking:
            raise UsageError(f"the table {self.name} lacks {', '.join(lacking)}; a rule reads {', '.join(self.columns)}")
        return pa.table({name: table.column(name).cast(self._type(name)) for name in self.columns})

    def empty(self) -> pa.Table:
        """Return the columns without rows."""
        return pa.table({name: pa.array([], self._type(name)) for name in self.columns})

    def _type(self, column: str) -> pa.DataType:
        type_ = schema.edge(self.name) if self.name.isupper() else schema.node(self.name)
        properties = {p.name: p.type for p in (*type_.properties, *schema.COMMON)}
        return _ARROW[properties.get(column, "string")]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a rule: its value, its unit and why it has that value."""

    name: str
    value: Any
    unit: str
    why: str


def parameter(default: Any, unit: str, why: str) -> Any:
    """Declare a field of a rule's parameters, with its unit and the reason for its default."""
    return dataclasses.field(default=default, metadata={"unit": unit, "why": why})


@dataclass(frozen=True)
class Rule(Generic[P]):
    """A named, versioned risk rule.

    Parameters
    ----------
    parameters
        A frozen dataclass whose fields are made by `parameter`.
    requires
        The tables that ``find`` is given, and no other.
    find
        Tables and parameters in, a table of the columns `FOUND` out; the order of rows changes nothing.
    """

    name: str
    version: str
    about: str
    reason: Reason
    severity: Severity
    action: Action
    parameters: P
    requires: tuple[Need, ...]
    find: Callable[[Tables, P], pa.Table]

    def describe(self) -> tuple[Parameter, ...]:
        """Return the parameters with their units and reasons."""
        fields: Any = dataclasses.fields(self.parameters)  # type: ignore[arg-type]
        return tuple(Parameter(f.name, getattr(self.parameters, f.name), f.metadata["unit"], f.metadata["why"]) for f in fields)


def conform(needs: Sequence[Need], tables: Tables) -> dict[str, pa.Table]:
    """Return the tables that a rule needs, each with the needed columns alone; one that is absent is empty."""
    return {need.name: need.conform(tables[need.name]) if need.name in tables else need.empty() for need in needs}


def evaluate(rules: Sequence[Rule[Any]], read: Read) -> pa.Table:
    """Run rules and return all their hits, sorted.

    Only one rule's tables are in memory at a time.

    Parameters
    ----------
    read
        Gives a rule its tables; `reading` makes one of a graph.

    Returns
    -------
    Table of the columns `HITS`.

    Raises
    ------
    KgfraudError
        If a rule returns other columns than `FOUND`.
    """
    hits = pa.concat_tables([HITS.empty_table(), *(_hits(rule, read) for rule in rules)]).combine_chunks()
    keys = [(name, "ascending") for name in ("rule", "entity_id", "root", "at", "amount_fen")]
    # lists cannot be sorted by: their text decides between hits that are otherwise equal
    text = pc.binary_join(hits.column("evidence"), "\n")
    order = pc.sort_indices(hits.drop_columns(["evidence"]).append_column("text", text), sort_keys=[*keys, ("text", "ascending")])
    return hits.take(order)


def _hits(rule: Rule[Any], read: Read) -> pa.Table:
    # a rule starts from its first table: where that is empty there is nothing to follow through the large ones
    first, *others = rule.requires
    tables = {first.name: read(first.name, first.columns)}
    if tables[first.name].num_rows:
        tables |= {need.name: read(need.name, need.columns) for need in others}
    found = rule.find(tables, rule.parameters)
    if not found.schema.equals(FOUND):
        raise KgfraudError(
            f"the rule {rule.name} returned the columns {', '.join(found.column_names)} where {', '.join(FOUND.names)} belong"
        )
    said = (rule.name, rule.version, rule.reason.code, rule.severity, rule.action)
    stated = [pa.repeat(pa.scalar(word, pa.string()), found.num_rows) for word in said]
    return pa.Table.from_arrays([*stated, *found.columns], schema=HITS)


def reading(graph: Graph) -> Read:
    """Return a function that gives rules the current rows of a graph."""

    def read(name: str, columns: Sequence[str]) -> pa.Table:
        rows = graph.edges(name) if name.isupper() else graph.nodes(name)
        return graph.engine.table(rows.select(*columns))

    return read


def listed(findings: pa.Table, evidence: pa.Table) -> pa.Table:
    """Return findings in the columns `FOUND`, each with the list of its evidence.

    Parameters
    ----------
    findings
        ``finding`` (int64, distinct), ``entity_id, root, amount_fen, at``.
    evidence
        ``finding, position, id``: listed by position, then id; the same id twice at a position counts once.

    Examples
    --------
    >>> one = pa.table({"finding": [7], "entity_id": ["company:x:1"], "root": ["r"], "amount_fen": [5], "at": pa.nulls(1)})
    >>> two = pa.table({"finding": [7, 7, 7], "position": [1, 0, 1], "id": ["b", "c", "b"]})
    >>> listed(one, two).column("evidence").to_pylist()
    [['c', 'b']]
    """
    keys = ["finding", "position", "id"]
    rows = evidence.group_by(keys).aggregate([]).sort_by([(key, "ascending") for key in keys])
    findings = findings.sort_by("finding")
    ends = np.searchsorted(rows.column("finding").to_numpy(), findings.column("finding").to_numpy(), side="right")
    lists = pa.ListArray.from_arrays(pa.array(np.append(0, ends), pa.int32()), rows.column("id").combine_chunks().cast(pa.string()))
    return findings.append_column("evidence", lists).select(FOUND.names).cast(FOUND)


def choose(rules: Sequence[Rule[Any]], name: str) -> Rule[Any]:
    """Return the rule of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    found = {rule.name: rule for rule in rules}.get(name)
    if found is None:
        raise UsageError(f"no rule named '{name}'{did_you_mean_one_of(name, [rule.name for rule in rules])}")
    return found


def refuse_outside(name: str, value: int, low: int, high: int) -> None:
    """Refuse a parameter outside its bounds.

    Raises
    ------
    UsageError
        If ``value`` is not in ``[low, high]``.

    Examples
    --------
    >>> refuse_outside("max_hops", 4, 1, 8)
    """
    if not low <= value <= high:
        raise UsageError(f"{name} is {value}; it must lie between {low} and {high}")
