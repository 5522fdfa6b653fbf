"""What a risk rule is, what a hit is, and how rules are run over the graph.

A rule is a value: a name and version, the reason it gives, its parameters with why they are what
they are, the tables it reads, and a pure function from Arrow tables to hits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg import schema
from kg.errors import KgfraudError, UsageError, did_you_mean_one_of
from kg.graph import Graph
from kg.reason import Reason

Severity: TypeAlias = Literal["low", "medium", "high"]
Action: TypeAlias = Literal["watch", "refer"]
#: Tables by the name of their label, relationship type, ``records/<kind>`` or ``ended/<type>``.
Tables: TypeAlias = Mapping[str, pa.Table]
#: Leaves out rows of a table that cannot matter under some parameters: an Ibis step over the table, the graph and the parameters.
Narrow: TypeAlias = Callable[[ir.Table, Graph, Any], ir.Table]
P = TypeVar("P")

#: Tables of up to so many bytes are kept for the rules to come.
_SMALL = 16 << 20
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
    """Columns of a label or relationship type that a rule reads, ``id`` among them.

    Parameters
    ----------
    narrow
        Leaves out, before anything is read into memory, rows that cannot change what the rule finds; None where all are read. A rule
        finds the same with and without it.
    scope
        Leaves out what the bank has no part in, before ``narrow``; a rule may find less by it.
    judged
        Of a need with a scope: takes a table of parties (``entity_id``) and a graph and leaves out those of whom the scope leaves out
        rows, as nobody is judged by a part of what he did. None where a part says as much as the whole.
    types, parties
        Of records: the type of each column, and the columns that refer to parties; see `records`.
    """

    name: str
    columns: tuple[str, ...]
    narrow: Narrow | None = None
    scope: Narrow | None = None
    types: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    judged: Callable[[ir.Table, Graph], ir.Table] | None = None

    @classmethod
    def records(cls, kind: str, *, parties: Sequence[str] = (), narrow: Narrow | None = None, **types: str) -> Need:
        """Return the need of a kind's records: ``id`` (source and record id, as relationships have it), ``parties`` and typed columns.

        Parameters
        ----------
        parties
            Columns that refer to companies or persons; they are given by the ids by which those are known.

        Examples
        --------
        >>> need = Need.records("invoices", parties=("seller", "buyer"), net_fen="int64", issued_on="date")
        >>> need.name, need.columns
        ('records/invoices', ('id', 'seller', 'buyer', 'net_fen', 'issued_on'))
        """
        columns = ("id", *parties, *types)
        typed = ("string",) * (1 + len(parties)) + tuple(types.values())
        return cls(f"records/{kind}", columns, narrow, types=typed, parties=tuple(parties))

    @classmethod
    def ended(cls, type_: str, columns: Sequence[str], *, narrow: Narrow | None = None) -> Need:
        """Return the need of the versions of a type's relationships that hold no more, see `kg.graph.Graph.ended`.

        Examples
        --------
        >>> Need.ended("REPRESENTS", ("id", "src", "dst", "valid_to")).name
        'ended/REPRESENTS'
        """
        known = {p.name: p.type for p in (*schema.edge(type_).properties, *schema.COMMON)}
        return cls(f"ended/{type_}", tuple(columns), narrow, types=tuple(known.get(column, "string") for column in columns))

    def read(self, graph: Graph, parameters: Any) -> pa.Table:
        """Return the columns of the rows that hold in a graph and may matter under a rule's parameters."""
        rows = self._rows(graph) if self.name == DAY.name or graph.knows(self.name.removeprefix("ended/")) else None
        if rows is None:
            return self.empty()
        if self.scope is not None:
            rows = self._scoped(self.scope(rows, graph, parameters), graph)
        rows = self.narrow(rows, graph, parameters) if self.narrow else rows
        return graph.engine.table(rows.select(*self.columns))

    def _scoped(self, rows: ir.Table, graph: Graph) -> ir.Table:
        """Return the rows that the bank has a part in, found once for all rules that want the same columns of them."""
        return graph.once(f"{self.name} {self.columns} {self.scope}", lambda: graph.engine.keep(rows.select(*self.columns)))

    def _rows(self, graph: Graph) -> ir.Table | None:
        if self.name == DAY.name:
            return graph.engine.arrow(pa.table({"day": pa.array([graph.as_of], pa.date32())}))
        if self.name.startswith("ended/"):
            return graph.ended(self.name.removeprefix("ended/"))
        if not self.name.startswith("records/"):
            return graph.edges(self.name) if self.name.isupper() else graph.nodes(self.name)
        rows = graph.records(self.name.removeprefix("records/"), *self.parties)
        return None if rows is None else rows.mutate(id=rows.source + "/" + rows.record_id)

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
        if self.types:
            return _ARROW[self.types[self.columns.index(column)]]
        type_ = schema.edge(self.name) if self.name.isupper() else schema.node(self.name)
        properties = {p.name: p.type for p in (*type_.properties, *schema.COMMON)}
        return _ARROW[properties.get(column, "string")]


#: The business date, as a table of one row: for rules in which what has *not* happened since counts.
DAY = Need("as_of", ("day",), types=("date",))


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


class Reading:
    """Gives rules what they need of a graph; small tables that several of them read whole are read once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[Need, pa.Table] = {}

    def __call__(self, need: Need, parameters: Any) -> pa.Table:
        """Return the table of a need under a rule's parameters."""
        if need.narrow is not None or need.scope is not None:
            return need.read(self._graph, parameters)
        if need in self._known:
            return self._known[need]
        table = need.read(self._graph, parameters)
        if table.nbytes <= _SMALL:
            self._known[need] = table
        return table

    def judged(self, needs: Sequence[Need], found: pa.Table) -> pa.Table:
        """Return what was found of parties of whom all was read that the needs ask for."""
        for judged in (need.judged for need in needs if need.judged is not None and found.num_rows):
            parties = self._graph.engine.arrow(found.select(["entity_id"]))
            kept = self._graph.engine.table(judged(parties, self._graph).select("entity_id").distinct())
            found = found.filter(pc.is_in(found["entity_id"], value_set=kept["entity_id"].combine_chunks()))
        return found


def evaluate(rules: Sequence[Rule[Any]], read: Callable[[Need, Any], pa.Table]) -> pa.Table:
    """Run rules and return all their hits, sorted.

    Only one rule's tables are in memory at a time.

    Parameters
    ----------
    read
        Gives the table of a need under a rule's parameters; `Reading` makes one of a graph, and says who may be judged.

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


def _hits(rule: Rule[Any], read: Callable[[Need, Any], pa.Table]) -> pa.Table:
    # a rule starts from its first table: where that is empty there is nothing to follow through the large ones
    first, *others = rule.requires
    tables = {first.name: read(first, rule.parameters)}
    if tables[first.name].num_rows:
        tables |= {need.name: read(need, rule.parameters) for need in others}
    found = rule.find(tables, rule.parameters)
    if not found.schema.equals(FOUND):
        raise KgfraudError(
            f"the rule {rule.name} returned the columns {', '.join(found.column_names)} where {', '.join(FOUND.names)} belong"
        )
    if isinstance(read, Reading):
        found = read.judged(rule.requires, found)
    said = (rule.name, rule.version, rule.reason.code, rule.severity, rule.action)
    stated = [pa.repeat(pa.scalar(word, pa.string()), found.num_rows) for word in said]
    return pa.Table.from_arrays([*stated, *found.combine_chunks().columns], schema=HITS)


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
        told = [rule.name for rule in rules if rule.reason.code == name]
        if told:
            raise UsageError(f"'{name}' is no rule but a reason, given by {' and '.join(told)}; name the rule")
        raise UsageError(f"no rule named '{name}'{did_you_mean_one_of(name, [rule.name for rule in rules])}")
    return found


def refuse_outside(name: str, value: int, low: int, high: int) -> None:
    """Refuse a parameter outside its bounds.

    Raises
    ------
    UsageError
        If ``value`` is no integer, or not in ``[low, high]``.

    Examples
    --------
    >>> refuse_outside("max_hops", 4, 1, 8)
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}; give an integer between {low} and {high}")
    if not low <= value <= high:
        raise UsageError(f"{name} is {value}; it must lie between {low} and {high}")
