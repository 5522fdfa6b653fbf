"""The graph of the last committed run, opened for a question by day, and the party that somebody means.

Knows by which names a party may be asked for; hides lake, versions and rule sets.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from kg.config import Workspace
from kg.errors import KgfraudError, UsageError
from kg.graph import Graph
from kg.pipeline import opened
from kg.progress import Silent
from kg.rulesets import choose
from kg.run import Runs

#: So many parties are named where a name means several.
_NAMED = 10


@contextmanager
def last_graph(workspace: Workspace, *, as_of: date | None = None, rules: str | None = None, owners: str | None = None) -> Iterator[Graph]:
    """Open the graph of the last committed run.

    Parameters
    ----------
    as_of
        The day on which it is seen; by default the run's business date.
    rules, owners
        Ids of rule sets in the place of those of the settings.

    Raises
    ------
    KgfraudError
        If no run was committed yet.
    UsageError
        If there is no such rule set.
    """
    settings = workspace.settings.ownership
    chosen = choose(rules or settings.groups, owners or settings.owners)
    runs = Runs(workspace.runs)
    last = runs.last()
    if last is None:
        raise KgfraudError("no run was committed yet; run kgfraud run first")
    with opened(workspace, runs, Silent()) as night:
        yield Graph(night.lake, as_of or last.as_of, workspace.settings.workspace.timezone, chosen)


def find_party(graph: Graph, text: str, labels: tuple[str, ...] = ("Company", "Person")) -> str:
    """Return the id of the one party that is called so: by its id in graph or source, its social credit code, customer number or name.

    Raises
    ------
    UsageError
        If there is none, or there are several; then they are named.
    """
    found: list[str] = []
    ids = [text, *graph.called(text)]
    for label in labels:
        nodes = graph.nodes(label)
        called = [nodes.id.isin(ids), nodes.customer_ref == text, nodes.name == text]
        called += [nodes.uscc == text.upper()] if label == "Company" else []
        found += graph.engine.table(nodes.filter(ibis.or_(*called)).select("id").order_by("id").limit(_NAMED + 1))["id"].to_pylist()
    if text in found:
        return text
    if not found:
        what = " or ".join(label.lower() for label in labels)
        raise UsageError(f"no {what} has the id, social credit code, customer number or name '{text}' (kgfraud id gives a person's id)")
    if len(found) > 1:
        more = " and more" if len(found) > _NAMED else ""
        raise UsageError(f"'{text}' means several: {', '.join(found[:_NAMED])}{more}; ask for one of these ids")
    return found[0]


def names_of(graph: Graph, ids: pa.Array) -> dict[str, str]:
    """Return the names of parties by their ids, those that have one."""
    wanted = pc.unique(ids)
    asked = graph.engine.arrow(pa.table({"id": wanted}))
    rows = [graph.engine.table(graph.nodes(label).semi_join(asked, "id").select("id", "name")) for label in ("Company", "Person")]
    found = ((row["id"], row["name"]) for table in rows for row in table.to_pylist() if row["name"])
    # a name of the data must neither steer a terminal nor turn the words of a picture round
    return {id_: "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in name) for id_, name in found}
