"""Cypher generated from the schema: constraints, upserts, deletes, reads.

Knows how a row travels (a list, in the order of ``kg.store.schema_of``) and which statement does
what; runs nothing. Three decisions lie in it:

* Days and times travel as integers and are added to ``$day_0`` and ``$time_0`` on the server: the driver turns a date
  or time object into bytes in Python, which took four times as long as all the rest together.
* A relationship is created, and where one of a batch is there already it is merged by ``(a)-[r:T {id}]->(b)``: the
  uniqueness constraint refuses to double it, so that creating is as safe and saves the server a search. With that
  constraint the planner also seeks what it merges by its id, and a hub's thousands of relationships cost nothing.
* Only what the schema owns is written (each property by name, absent ones set to null) and read;
  labels, properties and relationships of the analysts' own are left as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import Any

from kg.schema import ALL_EDGES, ALL_NODES, EdgeType, NodeType, Property, node
from kg.store import Type, columns_of

#: Label of the one node that says which run the graph holds.
MARKER = "KgfraudMarker"
#: Label of what is left of a node that is gone from the lake but bears labels, properties or relationships of the
#: analysts' own. It keeps its ``id``, so that it is taken up again when the entity comes back.
FORMER = "KgfraudFormer"
#: Labels that no table stands behind, and what each means.
LABELS = {
    MARKER: "the one node that says which run the graph holds",
    FORMER: "what is left of a node that is gone but bears labels, properties or relationships of the analysts' own",
}
#: Parameters of every statement that writes or reads days and times.
ORIGINS: dict[str, Any] = {"day_0": date(1970, 1, 1), "time_0": datetime(1970, 1, 1, tzinfo=UTC)}

_CYPHER_TYPE = {"string": "STRING", "int64": "INTEGER", "bool": "BOOLEAN", "date": "DATE", "timestamp": "ZONED DATETIME"}


def constraints() -> Iterator[tuple[str, str]]:
    """Yield the name and the statement of every uniqueness constraint."""
    shared = {label for type_ in ALL_NODES for label in type_.also}
    for label in (*(type_.label for type_ in ALL_NODES), *sorted(shared), MARKER, FORMER):
        name = f"kgfraud_{label.lower()}_id"
        yield name, f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
    for edge in ALL_EDGES:
        name = f"kgfraud_{edge.type.lower()}_id"
        yield name, f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR ()-[r:{edge.type}]-() REQUIRE r.id IS UNIQUE"


def upsert_nodes(type_: NodeType) -> str:
    """Return the statement that writes nodes; ``$rows`` are lists in the order of ``schema_of``.

    >>> print(upsert_nodes(node("Contact")).splitlines()[1])
    MERGE (n:Contact {id: row[0]})
    """
    labels = "".join(f"n:{label}, " for label in type_.also)
    return f"UNWIND $rows AS row\nMERGE (n:{type_.label} {{id: row[0]}})\nSET {labels}n += {_values(type_, 1)}\nRETURN count(*) AS written"


def revive_nodes(type_: NodeType) -> str:
    """Return the statement that gives former nodes their label back, before the rows are written."""
    return f"UNWIND $rows AS row\nMATCH (n:{FORMER} {{id: row[0]}})\nSET n:{type_.label}\nREMOVE n:{FORMER}"


def upsert_edges(type_: EdgeType, source: str, target: str) -> str:
    """Return the statement that writes relationships between nodes of two labels.

    It returns how many rows it wrote: fewer than there are means that an end is not in the graph.
    """
    return (
        f"UNWIND $rows AS row\nMATCH (a:{source} {{id: row[1]}})\nMATCH (b:{target} {{id: row[2]}})\n"
        f"MERGE (a)-[r:{type_.type} {{id: row[0]}}]->(b)\nSET r += {_values(type_, 3)}\nRETURN count(*) AS written"
    )


def update_edges(type_: EdgeType) -> str:
    """Return the statement that writes the properties of relationships that are there; it returns how many it found."""
    values = _values(type_, 3)
    return f"UNWIND $rows AS row\nMATCH ()-[r:{type_.type} {{id: row[0]}}]->()\nSET r += {values}\nRETURN count(*) AS written"


def create_edges(type_: EdgeType, source: str, target: str, empty: Collection[str] = ()) -> str:
    """Return the statement that writes relationships of which none is in the graph yet; it returns what that of ``upsert_edges`` does.

    Properties that are ``empty`` in all rows are left out: the server would look at each of them in every row.
    """
    return (
        f"UNWIND $rows AS row\nMATCH (a:{source} {{id: row[1]}})\nMATCH (b:{target} {{id: row[2]}})\n"
        f"CREATE (a)-[:{type_.type} {_values(type_, 3, 'id: row[0]', empty=empty)}]->(b)\nRETURN count(*) AS written"
    )


def unknown_ends(source: str, target: str) -> str:
    """Return the statement that names the first row whose end is not in the graph."""
    return (
        "UNWIND $rows AS row\n"
        f"WITH row WHERE NOT EXISTS {{ MATCH (:{source} {{id: row[1]}}) }} OR NOT EXISTS {{ MATCH (:{target} {{id: row[2]}}) }}\n"
        "RETURN row[0] AS id LIMIT 1"
    )


def delete_moved(type_: EdgeType) -> str:
    """Return the statement that removes relationships whose ends are others now, so that they can be written anew."""
    return f"UNWIND $rows AS row\nMATCH (a)-[r:{type_.type} {{id: row[0]}}]->(b)\nWHERE a.id <> row[1] OR b.id <> row[2]\nDELETE r"


def delete_edges(type_: EdgeType) -> str:
    """Return the statement that removes the relationships whose ids are ``$ids``."""
    return f"UNWIND $ids AS id\nMATCH ()-[r:{type_.type} {{id: id}}]->()\nDELETE r"


def delete_nodes(type_: NodeType) -> tuple[str, str, str, str]:
    """Return the statements that remove the nodes whose ids are ``$ids``, to be run in this order.

    A node of another type, to which somebody gave the label, loses the label alone. Of the others
    first the schema's own relationships go. Then a node on which something foreign is left (a label, a
    property, a relationship) loses the schema's labels and properties and becomes ``KgfraudFormer``.
    The others are deleted.
    """
    labels = (type_.label, *type_.also)
    ours = ", ".join(f"'{label}'" for label in labels)
    keys = ", ".join(f"'{key}'" for key in ("id", *(p.name for p in columns_of(type_))))
    empty = ", ".join(f"{p.name}: null" for p in columns_of(type_))
    found = f"UNWIND $ids AS id\nMATCH (n:{type_.label} {{id: id}})"
    types = "|".join(edge.type for edge in ALL_EDGES)
    others = ", ".join(f"'{other.label}'" for other in ALL_NODES if other is not type_)
    return (
        f"{found}\nWHERE any(label IN labels(n) WHERE label IN [{others}])\nREMOVE n:{type_.label}",
        f"{found}-[r:{types}]-()\nWHERE r.id IS NOT NULL\nDELETE r",
        f"{found}\nWHERE any(label IN labels(n) WHERE NOT label IN [{ours}])\n"
        f"OR any(key IN keys(n) WHERE NOT key IN [{keys}]) OR EXISTS {{ (n)--() }}\n"
        f"SET n:{FORMER}, n += {{{empty}}}\nREMOVE n{''.join(f':{label}' for label in labels)}",
        f"{found}\nDELETE n",
    )


def read(type_: Type) -> str:
    """Return the statement that reads all rows of a type, sorted by id: the columns of ``schema_of`` and ``_strange``.

    A value of a type that the schema does not allow reads as null, and its name stands in ``_strange``; so does a label that is missing.
    """
    entity = "n" if isinstance(type_, NodeType) else "r"
    match = f"(n:{type_.label})" if isinstance(type_, NodeType) else f"(a)-[r:{type_.type}]->(b)"
    keys = ["n.id AS id"] if isinstance(type_, NodeType) else ["r.id AS id", "a.id AS src", "b.id AS dst"]
    values = [f"{_read_value(f'{entity}.{p.name}', p)} AS {p.name}" for p in columns_of(type_)]
    odd = [f"CASE WHEN {entity}.{p.name} IS :: {_CYPHER_TYPE[p.type]} THEN null ELSE '{p.name}' END" for p in columns_of(type_)]
    odd += [f"CASE WHEN n:{label} THEN null ELSE '{label}' END" for label in (type_.also if isinstance(type_, NodeType) else ())]
    strange = "[x IN [\n    " + ",\n    ".join(odd) + "\n  ] WHERE x IS NOT NULL] AS _strange"
    columns = ",\n  ".join([*keys, *values, strange])
    return f"MATCH {match}\nWHERE {entity}.id IS NOT NULL\nRETURN\n  {columns}\nORDER BY id"


def counts() -> str:
    """Return the statement that counts the nodes of every label and the relationships of every type; Neo4j answers it from its counters."""
    nodes = [f"MATCH (n:{type_.label}) WITH count(n) AS rows RETURN '{type_.label}' AS name, rows" for type_ in ALL_NODES]
    edges = [f"MATCH ()-[r:{type_.type}]->() WITH count(r) AS rows RETURN '{type_.type}' AS name, rows" for type_ in ALL_EDGES]
    return "\nUNION ALL\n".join(nodes + edges)


READ_MARKER = f"MATCH (m:{MARKER} {{id: 'marker'}}) RETURN m.holds AS holds, m.filling AS filling"
WRITE_MARKER = f"MERGE (m:{MARKER} {{id: 'marker'}}) SET m.holds = $holds, m.filling = $filling"
COUNT_FORMER = f"MATCH (n:{FORMER}) RETURN count(n) AS rows"
COUNT_ALL = "MATCH (n) RETURN count(n) AS rows"


def ends(labels: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return by which labels an end is looked up, each with the prefixes of the ids that it covers.

    >>> ends(("Company", "Person", "Loan"))
    (('Party', ('company:', 'person:')), ('Loan', ('loan:',)))
    >>> ends(("Company",))
    (('Company', ('company:',)),)
    """
    covered: dict[str, list[str]] = {}
    for label in labels:
        also = node(label).also
        shared = next((s for s in also if sum(s in node(other).also for other in labels) > 1), label)
        covered.setdefault(shared, []).append(f"{node(label).prefix}:")
    return tuple((label, tuple(prefixes)) for label, prefixes in covered.items())


def _values(type_: Type, first: int, *before: str, empty: Collection[str] = ()) -> str:
    """Return the map of a row's properties; the first stands at place ``first`` of the row."""
    named = [(p, f"row[{place}]") for place, p in enumerate(columns_of(type_), first) if p.name not in empty]
    values = [*before, *(f"{p.name}: {_write_value(value, p)}" for p, value in named)]
    return "{\n  " + ",\n  ".join(values) + "\n}"


def _write_value(value: str, property_: Property) -> str:
    if property_.type == "date":
        return f"CASE WHEN {value} IS NULL THEN null ELSE $day_0 + duration({{days: {value}}}) END"
    if property_.type == "timestamp":
        return f"CASE WHEN {value} IS NULL THEN null ELSE $time_0 + duration({{microseconds: {value}}}) END"
    return value


def _read_value(value: str, property_: Property) -> str:
    read_as = {
        "date": f"duration.inDays($day_0, {value}).days",
        "timestamp": f"duration.inSeconds($time_0, {value}).microseconds",
    }.get(property_.type, value)
    return f"CASE WHEN {value} IS :: {_CYPHER_TYPE[property_.type]} THEN {read_as} END"
