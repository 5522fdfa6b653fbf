"""A reader's query: refused unless the server's own plan says that it only reads, then answered as plain JSON values.

Knows what a query may not do and how Neo4j's values look in JSON; parses no Cypher. Two walls
stand one behind the other: the plan (``EXPLAIN`` executes nothing), and the transaction's READ
access, in which the server itself refuses to write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from neo4j import Session
from neo4j.exceptions import Neo4jError
from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point

from kg.errors import KgfraudError, UsageError
from kg.store import Result

T = TypeVar("T")

#: Procedures that only tell what is in the graph.
ALLOWED_PROCEDURES = (
    "db.info",
    "db.labels",
    "db.propertyKeys",
    "db.relationshipTypes",
    "db.schema.nodeTypeProperties",
    "db.schema.relTypeProperties",
    "db.schema.visualization",
    "db.index.fulltext.queryNodes",
    "db.index.fulltext.queryRelationships",
)
_EXPLAIN = "EXPLAIN "
#: How the server names a place in a query, and how much of its words is shown.
_PLACE = re.compile(r" \(line (\d+), column (\d+) \(offset: (\d+)\)\)$")
_LONGEST = 300
#: The server's warnings of a label, a relationship type and a property that nothing has.
_UNKNOWN = ("01N50", "01N51", "01N52")
_WRITES = "a query may only read the graph; this one writes (kgfraud neo4j shell takes writing statements)"
_ADMINISTRATION = "a query may only read the graph; this one gives the server a command of administration (kgfraud neo4j shell takes those)"


def ask(session: Session, text: str, params: Mapping[str, Any], timeout: float, max_rows: int) -> Result:
    """Answer a reading query in one read transaction.

    Parameters
    ----------
    session
        A session with READ access that tells of warnings.
    timeout
        Seconds after which the server gives up.
    max_rows
        Rows after which the answer is cut; ``Result.truncated`` says so.

    Raises
    ------
    UsageError
        If the text is not Cypher, lacks a parameter, does more than read, or cannot be computed (``1 / 0``).
    KgfraudError
        If it runs out of time or of the server's memory.
    """
    prefix = _EXPLAIN
    try:
        with session.begin_transaction(timeout=timeout) as transaction:
            summary = transaction.run(prefix + text, dict(params)).consume()
        _refuse_more_than_reading(summary)
        prefix = ""
        with session.begin_transaction(timeout=timeout) as transaction:
            result = transaction.run(text, dict(params))
            columns = tuple(result.keys())
            rows = tuple(tuple(plain(value) for value in record) for record in result.fetch(max_rows))
            truncated = result.peek() is not None
            if not truncated and result.consume().plan is not None:
                raise UsageError("EXPLAIN shows a plan and not an answer; leave the word out")
            return Result(columns, rows, truncated, _unknown(summary))
    except Neo4jError as error:
        found = _explain(error, timeout, prefix)
        if found is None:
            raise
        raise found from error


def within(seconds: float, answer: Callable[[], T]) -> T:
    """Return an answer that comes in time; whoever is still working on it afterwards dies with the program.

    Raises
    ------
    KgfraudError
        If it does not.
    """
    coming: Future[T] = Future()

    def work() -> None:
        try:
            coming.set_result(answer())
        except BaseException as error:
            coming.set_exception(error)

    Thread(target=work, daemon=True).start()
    try:
        return coming.result(seconds)
    except TimeoutError:
        raise KgfraudError(
            f"no answer came within {seconds:g} s, and the server does not stop within one expression, so it may go on; make it smaller"
        ) from None


def _unknown(summary: Any) -> tuple[str, ...]:
    """Return the words of a query that nothing in the graph has, as the server warns of them: ``… The label `X` does not exist …``."""
    told = [status.status_description for status in summary.gql_status_objects if status.gql_status in _UNKNOWN]
    return tuple(dict.fromkeys(text.split("`")[1] for text in told if text.count("`") == 2))


def _refuse_more_than_reading(summary: Any) -> None:
    operators = list(_operators(summary.plan))
    names = {name for name, _ in operators}
    if "LoadCSV" in names:
        raise UsageError(
            "a query may only read the graph; LOAD CSV reads files and addresses beside it (sources are loaded by kgfraud run)"
        )
    if any(name.startswith("Transaction") for name in names):
        raise UsageError("a query is one transaction; CALL { … } IN TRANSACTIONS is for writing and is refused")
    _refuse_procedures(operators)
    if any(name.startswith(("Show", "Terminate", "Administration")) for name in names) or summary.query_type == "s":
        raise UsageError(_ADMINISTRATION)
    if summary.query_type != "r":
        raise UsageError(_WRITES)


def _refuse_procedures(operators: list[tuple[str, str]]) -> None:
    called = sorted({details.partition("(")[0].strip() for name, details in operators if name == "ProcedureCall"} - set(ALLOWED_PROCEDURES))
    if called:
        raise UsageError(f"the procedure {called[0]} is not one that a query may call; these are: {', '.join(ALLOWED_PROCEDURES)}")


def _operators(plan: Any) -> Iterator[tuple[str, str]]:
    """Yield every operator of a plan with its details."""
    if plan:
        yield plan["operatorType"].partition("@")[0], str(plan["args"].get("Details", ""))
        for child in plan.get("children", ()):
            yield from _operators(child)


#: What an error of a query means, by a part of its code or message.
_MEANINGS: tuple[tuple[str, type[KgfraudError], str], ...] = (
    (
        "TransactionTimedOut",
        KgfraudError,
        "the query was stopped after {timeout:g} s; bind more of it, add a LIMIT, or raise query.timeout_seconds",
    ),
    (
        "Transaction.Terminated",
        KgfraudError,
        "the query was stopped after {timeout:g} s; bind more of it, add a LIMIT, or raise query.timeout_seconds",
    ),
    (
        "OutOfMemory",
        KgfraudError,
        "the query needs more memory than the server gives one; bind more of it, add a LIMIT, or raise neo4j.heap",
    ),
    ("AccessMode", UsageError, _WRITES),
    ("UnsupportedAdministrationCommand", UsageError, _ADMINISTRATION),
    ("conflicting values for execution mode", UsageError, "a query is answered, not profiled; leave the word PROFILE out"),
    ("exactly one statement", UsageError, "one statement at a time: the text holds more than one, parted by ';'"),
    ("ParameterMissing", UsageError, "{text}; give it as -p name=value"),
    ("Neo.ClientError.Statement", UsageError, "{failed}: {text}"),
    ("Neo.ClientError.Procedure", UsageError, "{failed}: {text}"),
)


def _explain(error: Neo4jError, timeout: float, prefix: str) -> KgfraudError | None:
    """Return what an error means that belongs to the query; None for one that belongs to the server.

    Parameters
    ----------
    prefix
        What stood before the query when it was sent: the server counts it in the places that it names. Without it
        the query was running: its plan was understood before.
    """
    told = f"{error.code} {error.message}"
    text = _placed(next(iter((error.message or "").splitlines()), ""), len(prefix))
    failed = "Neo4j does not understand the query" if prefix else "the query cannot be computed"
    return next(
        (kind(sentence.format(timeout=timeout, text=text, failed=failed)) for part, kind, sentence in _MEANINGS if part in told), None
    )


def _placed(text: str, before: int) -> str:
    """Return a message of the server with the place counted in the query alone, and long lists of what was expected cut.

    >>> _placed("Variable `x` not defined (line 1, column 16 (offset: 15))", 8)
    'Variable `x` not defined (line 1, column 8 (offset: 7))'
    >>> _placed("Variable `x` not defined (line 2, column 8 (offset: 24))", 8)
    'Variable `x` not defined (line 2, column 8 (offset: 16))'
    """
    found = _PLACE.search(text)
    if found is None:
        return text[:_LONGEST]
    line, column, offset = (int(number) for number in found.groups())
    column = max(column - before, 1) if line == 1 else column
    return f"{text[: found.start()][:_LONGEST]} (line {line}, column {column} (offset: {max(offset - before, 0)}))"


def plain(value: Any) -> Any:
    """Return a Neo4j value as what JSON can say.

    A node is ``{"labels", "properties"}``, a relationship ``{"type", "start", "end", "properties"}`` (its ends by
    their ``id``, or by Neo4j's own element id where the answer does not hold the node), a path ``{"nodes",
    "relationships"}``; dates, times and durations are ISO 8601 texts, a point is ``{"srid", "coordinates"}``, bytes
    are hexadecimal; numbers that JSON lacks are texts.

    >>> plain({"a": [1, float("nan"), b"\\x00\\xff", None]})
    {'a': [1, 'NaN', '00ff', None]}
    """
    if isinstance(value, Node | Relationship | Path):
        return _plain_graph(value)
    if isinstance(value, Point):
        return {"srid": value.srid, "coordinates": list(value)}
    if isinstance(value, Mapping):
        return _plain_map(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.iso_format() if hasattr(value, "iso_format") else value


def _plain_graph(value: Node | Relationship | Path) -> dict[str, Any]:
    if isinstance(value, Node):
        return {"labels": sorted(value.labels), "properties": _plain_map(value)}
    if isinstance(value, Path):
        return {"nodes": [plain(node) for node in value.nodes], "relationships": [plain(edge) for edge in value.relationships]}
    return {"type": value.type, "start": _end(value.start_node), "end": _end(value.end_node), "properties": _plain_map(value)}


def _plain_map(value: Any) -> dict[str, Any]:
    return {key: plain(item) for key, item in sorted(value.items())}


def _end(node: Node | None) -> str | None:
    return None if node is None else str(node.get("id", node.element_id))
