"""By which other ids an entity is called.

Knows which columns of a registration name its entity; hides which of them became the id. An *alias*
is a well-formed id of its own (the source's own number, or the name, of a company that is known by
its code); records keep the alias that they were given.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

#: The column by which each kind that registers nodes names them.
OWN = {
    "Company": ("companies", "company"),
    "Person": ("persons", "person"),
    "Device": ("devices", "device"),
    "Account": ("accounts", "account"),
    "Loan": ("loans", "loan"),
    "CourtCase": ("court_cases", "court_case"),
}
#: The labels that a reference column of each type can point to.
LABELS = {
    "company": ("Company",),
    "person": ("Person",),
    "party": ("Company", "Person"),
    "device": ("Device",),
    "account": ("Account",),
    "loan": ("Loan",),
    "court_case": ("CourtCase",),
}
#: The table of the lake in which `renames` of a run lie.
TABLE = "derived/aliases"
#: Labels that may be called by more than one id.
MANY = ("Company", "Person")


def entity_id(label: str, records: ir.Table) -> ir.StringValue:
    """Return the id by which the node of a registration is known: its code before the source's own number."""
    own = records[OWN[label][1]]
    if label == "Company":
        return ibis.coalesce(ibis.literal("company:uscc:") + records.uscc, own)
    if label == "Person":
        return ibis.coalesce(ibis.literal("person:cnid:") + records.cnid, own)
    return own


def namespace(source: ir.StringValue) -> ir.StringValue:
    """Return the part of a source's name before the first dot; ``bank`` where it has none."""
    return ibis.ifelse(source.contains("."), source.split(".")[0], ibis.literal("bank"))


def calls(label: str, records: ir.Table) -> ir.Table:
    """Return every id by which (``called``) the nodes of some registrations are called, with the node's ``id``."""
    named = records.mutate(_id=entity_id(label, records))
    selves = named.select(called="_id", id="_id")
    if label not in MANY:
        return selves.distinct()
    own = named.select(called=OWN[label][1], id="_id")
    by_name = named.select(called=ibis.literal(f"{label.lower()}:") + namespace(named.source) + ":name=" + named.name, id="_id")
    return ibis.union(selves, own, by_name).filter(ibis._.called.notnull()).distinct()


def unique(calls: ir.Table) -> ir.Table:
    """Return each alias once, with its ``id`` and whether it is ``ambiguous`` (called so: more than one node)."""
    return calls.group_by("called").aggregate(id=calls.id.min(), ambiguous=calls.id.min() != calls.id.max())


def renames(tables: Sequence[ir.Table]) -> ir.Table:
    """Return the aliases of several labels that differ from the id and name one node only: ``called``, ``id``."""
    every = tables[0] if len(tables) == 1 else ibis.union(*tables)
    each = unique(every)
    return each.filter(~each.ambiguous & (each.called != each.id)).select("called", "id")


def swap(rows: ir.Table, columns: Sequence[str], names: ir.Table) -> ir.Table:
    """Return rows with the aliases in some columns swapped for the ids by which the entities are known.

    Parameters
    ----------
    names
        ``called`` and ``id``, as `renames` gives them.
    """
    for column in columns:
        other = names.select(_called="called", _id="id")
        joined = rows.left_join(other, rows[column] == other._called)
        rows = joined.mutate(**{column: ibis.coalesce(joined._id, joined[column])}).drop("_called", "_id")
    return rows
