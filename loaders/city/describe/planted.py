"""What was planted in a city: schemes and look-alikes by kind, and of each scheme who paid whom.

Knows the tables of the truth; hides how they are joined with the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city.describe.landing import Landing, number_of
from loaders.city.describe.measures import parties


@dataclass(frozen=True)
class Tie:
    """What one party of a scheme paid another: the numbers of the two, payments, fen; ``fen`` is 0 for a guarantee."""

    payer: int
    payee: int
    payments: int
    fen: int


@dataclass(frozen=True)
class Scheme:
    """A scheme as it stands in the truth: its members with names and roles, and what was paid."""

    number: int
    kind: str
    start: str
    parameters: str
    beyond: int
    members: Sequence[tuple[int, str, str]]
    ties: Sequence[Tie]


@dataclass(frozen=True)
class Kind:
    """The plots of one kind: how many, companies in them, transfers, fen and loans that belong to them, how many reach beyond a default."""

    name: str
    plots: int
    companies: int
    transfers: int
    fen: int
    loans: int
    beyond: int


def guilty_transfers(landing: Landing) -> pa.Table:
    """Return the transfers of schemes: number of the scheme, payer, payee (null where the account is unknown), fen."""
    engine = landing.engine
    marked = engine.arrow(landing.truth("transfers"))
    moved = landing.table("transfers", "transfer", "payer", "payee", "amount_fen").distinct(on="transfer", keep="first")
    found = marked.join(moved, marked.transfer == moved.transfer).select("number", "payer", "payee", "amount_fen")
    held = engine.keep(parties(landing))
    first, second = held.view(), held.view()
    found = found.left_join(first, found.payer == first.account).select("number", "payee", "amount_fen", payer=first.party)
    found = found.left_join(second, found.payee == second.account)
    return engine.table(found.select("number", "payer", fen=ibis._.amount_fen, payee=second.party))


def kinds(landing: Landing, moved: pa.Table) -> list[Kind]:
    """Return the schemes by kind, in the order in which they first stand."""
    plots, loans = landing.truth("schemes"), landing.truth("loans")
    found = []
    for name in pc.unique(plots["kind"]).to_pylist():
        of = plots.filter(pc.equal(plots["kind"], name))
        paid = moved.filter(pc.is_in(moved["number"], of["number"].combine_chunks()))
        lent = pc.sum(pc.is_in(loans["number"], of["number"].combine_chunks()).cast(pa.int64())).as_py() or 0
        beyond = pc.sum(pc.greater(of["beyond_defaults"], 0).cast(pa.int64())).as_py()
        companies, fen = pc.sum(of["members"]).as_py(), pc.sum(paid["fen"]).as_py() or 0
        found.append(Kind(name, of.num_rows, companies, paid.num_rows, fen, lent, beyond))
    return found


def lookalikes(landing: Landing) -> list[tuple[str, int, int]]:
    """Return kind, number of plots and companies of the look-alikes."""
    plots = landing.truth("lookalikes")
    found = plots.group_by("kind", use_threads=False).aggregate([("kind", "count"), ("members", "sum")])
    return list(zip(*(found[name].to_pylist() for name in ("kind", "kind_count", "members_sum")), strict=True))


def schemes(landing: Landing, moved: pa.Table, most: int) -> list[Scheme]:
    """Return the schemes with what was paid in them, of each kind no more than ``most``."""
    plots = landing.truth("schemes").to_pylist()
    seen: dict[str, int] = {}
    kept = [plot for plot in plots if seen.setdefault(plot["kind"], 0) < most and not seen.update({plot["kind"]: seen[plot["kind"]] + 1})]
    numbers = pa.array([plot["number"] for plot in kept], pa.int64())
    who, ties = _members(landing, numbers), _ties(landing, moved, numbers)
    return [
        Scheme(
            plot["number"],
            plot["kind"],
            str(plot["start"]),
            plot["parameters"],
            plot["beyond_defaults"],
            who.get(plot["number"], []),
            ties.get(plot["number"], []),
        )
        for plot in kept
    ]


def _members(landing: Landing, numbers: pa.Array) -> dict[int, list[tuple[int, str, str]]]:
    """Return company, name and role of the members of these schemes."""
    rows = landing.truth("members")
    rows = landing.engine.arrow(rows.filter(pc.is_in(rows["number"], numbers)))
    known = landing.table("companies", "company", "name")
    found = rows.join(known, rows.company == known.company).select("number", "role", "name", firm=number_of(rows.company))
    who: dict[int, list[tuple[int, str, str]]] = {}
    for row in landing.engine.table(found.distinct(on=["number", "firm"], keep="first").order_by("number", "firm")).to_pylist():
        who.setdefault(row["number"], []).append((row["firm"], row["name"] or "", row["role"]))
    return who


def _ties(landing: Landing, moved: pa.Table, numbers: pa.Array) -> dict[int, list[Tie]]:
    """Return what was paid in these schemes, by pairs, and the guarantees among members."""
    ours = moved.filter(pc.is_in(moved["number"], numbers)).drop_null()
    paid = ours.group_by(["number", "payer", "payee"], use_threads=False).aggregate([("fen", "count"), ("fen", "sum")])
    ties: dict[int, list[Tie]] = {}
    for row in paid.to_pylist():
        ties.setdefault(row["number"], []).append(Tie(row["payer"], row["payee"], row["fen_count"], row["fen_sum"]))
    for row in landing.engine.table(_guarantees(landing, numbers)).to_pylist():
        ties.setdefault(row["number"], []).append(Tie(row["guarantor"], row["beneficiary"], 0, 0))
    return ties


def _guarantees(landing: Landing, numbers: pa.Array) -> ir.Table:
    rows = landing.truth("members")
    rows = landing.engine.arrow(rows.filter(pc.is_in(rows["number"], numbers)).select(["number", "company"]))
    one, other = rows.view(), rows.view()
    given = landing.table("guarantees", "guarantor", "beneficiary")
    found = given.join(one, given.guarantor == one.company).select("guarantor", "beneficiary", "number")
    found = found.join(other, [found.beneficiary == other.company, found.number == other.number])
    pair = {name: number_of(found[name]) for name in ("guarantor", "beneficiary")}
    return found.select("number", **pair).distinct().order_by("number", "guarantor", "beneficiary")


def guilty_share(landing: Landing, moved: pa.Table, rows: dict[str, int]) -> tuple[float, float]:
    """Return the part of the companies, and of the transfers, that belong to schemes."""
    companies = landing.engine.count(landing.table("companies", "company", "customer_ref").filter(ibis._.customer_ref.notnull()))
    guilty = int(np.unique(landing.truth("members")["company"].to_numpy(zero_copy_only=False)).size)
    return guilty / max(companies, 1), moved.num_rows / max(rows.get("transfers", 0), 1)
