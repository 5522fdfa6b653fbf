"""A company whose representative or holder of the majority changed shortly before it borrowed (贷前突击变更): it was bought to borrow.

Look-alikes that are no hit: a company that was founded then and has its first owner; a son who follows his father; an owner who puts a
holding company of his own between; a holder who had the majority before and bought more.

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): 尽职调查包括借款人的组织架构、公司治理和实际控制人.
.. [2] FATF, Egmont Group, Concealment of beneficial ownership, 2018, annex of indicators: changes of control before a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.sharing import joined
from kg.graph import Graph
from kg.reason import CONTROL_CHANGED_BEFORE_LOAN
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside


def _of_borrowers(rows: ir.Table, graph: Graph, parameters: Any) -> ir.Table:  # noqa: ARG001 - all parameters leave the same rows out
    """Leave out who stands in the register of companies that never borrowed."""
    who = graph.edges("BORROWED").select(_who="src").distinct()
    return rows.semi_join(who, rows.dst == who["_who"])


_VERSION = ("valid_from", "valid_to", "first_run", "last_run")
_HELD, _LED = ("id", "src", "dst", "source", "share_ppm", *_VERSION), ("id", "src", "dst", "source", *_VERSION)
REQUIRES = (
    Need("BORROWED", ("id", "src", "dst", "amount_fen", "at")),
    Need("HOLDS_SHARES", _HELD, narrow=_of_borrowers),
    Need.ended("HOLDS_SHARES", _HELD, narrow=_of_borrowers),
    Need("REPRESENTS", _LED, narrow=_of_borrowers),
    Need.ended("REPRESENTS", _LED, narrow=_of_borrowers),
    Need("Company", ("id", "founded_on")),
    Need("KIN_OF", ("id", "src", "dst")),
    Need("CONTROLS", ("id", "src", "dst")),
)
_HALF, _WHOLE, _ALWAYS, _NEVER = 500_000, 1_000_000, -(2**31), 2**31


@dataclass(frozen=True)
class ControlChangedBeforeLoanParameters:
    """How long before."""

    within_days: int = parameter(90, "days before the loan, inclusive", "who buys a company to borrow does not wait for a season")
    min_age_days: int = parameter(180, "days", "younger companies are still given their first owners, and borrow to begin")

    def __post_init__(self) -> None:
        refuse_outside("within_days", self.within_days, 0, 3_660)
        refuse_outside("min_age_days", self.min_age_days, 0, 36_600)


def find_changed_control(tables: Tables, parameters: ControlChangedBeforeLoanParameters) -> pa.Table:
    """Find borrowers whose legal representative, or holder of more than half, became another one shortly before a loan.

    A version of a row begins on its ``valid_from``; one that states none begins, where the run that wrote it ended another version
    of the company's, on the day on which that one ended, and else held always. A party is *new* in a company on a day where it holds
    the majority from then on (rows of one source added up, the source that says most counts) and did not the day before; or where
    it represents it and did not. It is told where the company borrowed on that day or up to ``within_days`` after it, and had been
    founded ``min_age_days`` before it, or, where that day is not known, somebody held or represented it before. A party is not new
    that is a relative of, controls or is controlled by who was there the day before, or had the majority then and takes the office.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`: rows that hold today, and those that ended. Days of loans are those of UTC.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each company and new party.
        ``root``: the new party; ``amount_fen``: what the company borrowed in time; ``at``: when it did so last; ``evidence``: the rows by
        which the party is new, those that ended by then, the borrowings.
    """
    given = conform(REQUIRES, tables)
    loans = given["BORROWED"].filter(pc.and_(given["BORROWED"]["at"].is_valid(), pc.starts_with(given["BORROWED"]["src"], "company:")))
    versions = pa.concat_tables([_versions(given, "HOLDS_SHARES"), _versions(given, "REPRESENTS")])
    events = _events(versions, loans, parameters)
    if not events.num_rows:
        return FOUND.empty_table()
    seen = _seen(events, versions)
    changes = _old_enough(_changes(seen), seen, given["Company"], parameters)
    return _told(_strangers(changes, seen, given), seen, events, loans)


def _versions(given: dict[str, pa.Table], type_: str) -> pa.Table:
    """Return the versions of one type: ``id, party, company, source, share, office, begin, end`` (days)."""
    rows = pa.concat_tables([given[type_], given[f"ended/{type_}"]])
    closed = rows.filter(rows["last_run"].is_valid()).group_by(["dst", "last_run"]).aggregate([("valid_to", "max")])
    closed = closed.rename_columns(["dst", "first_run", "followed"])
    rows = rows.join(closed, ["dst", "first_run"])
    office = type_ == "REPRESENTS"
    share = pa.repeat(pa.scalar(_WHOLE), rows.num_rows) if office else pc.fill_null(rows["share_ppm"], 0)
    begin = _day(pc.coalesce(rows["valid_from"], rows["followed"]), _ALWAYS)
    names = {"id": rows["id"], "party": rows["src"], "company": rows["dst"], "source": pc.fill_null(rows["source"], "")}
    ends = {"begin": begin, "end": _day(rows["valid_to"], _NEVER)}
    found = pa.table({**names, "share": share, "office": pa.repeat(pa.scalar(office), rows.num_rows), **ends})
    return found.filter(pc.less(found["begin"], found["end"]))


def _day(column: pa.ChunkedArray, otherwise: int) -> pa.ChunkedArray:
    return pc.fill_null(column.cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64()), otherwise)


def _events(versions: pa.Table, loans: pa.Table, parameters: ControlChangedBeforeLoanParameters) -> pa.Table:
    """Return the days on which anything began in a company that borrowed soon after: ``company, day, loan`` (row), a row for each loan."""
    begun = versions.filter(pc.greater(versions["begin"], _ALWAYS)).group_by(["company", "begin"]).aggregate([])
    _, codes = Interner.encode(begun["company"], loans["src"])
    one, other = joined(*codes)
    after = _day(loans["at"], 0).to_numpy()[other] - begun["begin"].to_numpy()[one]
    soon = (after >= 0) & (after <= parameters.within_days)
    found = begun.take(pa.array(one[soon])).rename_columns({"begin": "day"})
    return found.select(["company", "day"]).append_column("loan", pa.array(other[soon]))


def _seen(events: pa.Table, versions: pa.Table) -> pa.Table:
    """Return the versions in force around each company's day: ``company, day, before, after`` and the version's columns."""
    days = events.group_by(["company", "day"]).aggregate([])
    rows = versions.join(days, "company", join_type="inner")
    before = pc.and_(pc.less(rows["begin"], rows["day"]), pc.greater_equal(rows["end"], rows["day"]))
    after = pc.and_(pc.less_equal(rows["begin"], rows["day"]), pc.greater(rows["end"], rows["day"]))
    rows = rows.append_column("before", before).append_column("after", after)
    return rows.filter(pc.or_(before, after))


def _masters(seen: pa.Table, when: str) -> pa.Table:
    """Return who held the majority, or represented, before or after each day: ``company, day, office, party``."""
    key = ["company", "day", "office", "party"]
    sums = seen.filter(seen[when]).group_by([*key, "source"]).aggregate([("share", "sum")])
    most = sums.group_by(key).aggregate([("share_sum", "max")])
    return most.filter(pc.greater(most["share_sum_max"], _HALF)).select(key)


def _changes(seen: pa.Table) -> pa.Table:
    """Return who is new: ``company, day, office, party``; the holder of the majority who takes the office is not."""
    before = _masters(seen, "before")
    new = _masters(seen, "after").join(before, ["company", "day", "office", "party"], join_type="left anti")
    held = before.filter(pc.invert(before["office"])).select(["company", "day", "party"])
    office = new.filter(new["office"]).join(held, ["company", "day", "party"], join_type="left anti")
    return pa.concat_tables([new.filter(pc.invert(new["office"])), office])


def _old_enough(changes: pa.Table, seen: pa.Table, companies: pa.Table, parameters: ControlChangedBeforeLoanParameters) -> pa.Table:
    """Return the changes in companies that were old enough, or, where that is not known, in which somebody was there before."""
    founded = pa.table({"company": companies["id"], "founded": _day(companies["founded_on"], _NEVER)})
    there = _masters(seen, "before").group_by(["company", "day", "office"]).aggregate([("party", "count")])
    rows = changes.join(founded, "company").join(there, ["company", "day", "office"])
    known = pc.fill_null(pc.not_equal(rows["founded"], _NEVER), False)
    old = pc.fill_null(pc.greater_equal(pc.subtract(rows["day"], rows["founded"]), parameters.min_age_days), False)
    return rows.filter(pc.if_else(known, old, rows["party_count"].is_valid())).select(changes.column_names)


def _strangers(changes: pa.Table, seen: pa.Table, given: dict[str, pa.Table]) -> pa.Table:
    """Return the changes in which the new party is nobody's relative, owner or company who was there before."""
    former = _masters(seen, "before").select(["company", "day", "party"]).rename_columns({"party": "former"})
    pairs = changes.join(former, ["company", "day"], join_type="inner")
    ties = pa.concat_tables([given[name].select(["src", "dst"]) for name in ("KIN_OF", "CONTROLS")])
    ways = [ties.rename_columns(names) for names in (["party", "former"], ["former", "party"])]
    tied = pa.concat_tables([pairs.join(way.select(["party", "former"]), ["party", "former"], join_type="inner") for way in ways])
    return changes.join(tied.select(["company", "day", "party"]), ["company", "day", "party"], join_type="left anti")


def _told(changes: pa.Table, seen: pa.Table, events: pa.Table, loans: pa.Table) -> pa.Table:
    """Give each company and new party one finding."""
    found = changes.group_by(["company", "party"]).aggregate([]).sort_by([("company", "ascending"), ("party", "ascending")])
    found = found.append_column("finding", pa.array(np.arange(found.num_rows)))
    mine = changes.join(found, ["company", "party"], join_type="inner")
    lent = mine.join(events, ["company", "day"], join_type="inner").group_by(["finding", "loan"]).aggregate([])
    lent = pa.table({"finding": lent["finding"], **{name: loans[name].take(lent["loan"]) for name in ("id", "amount_fen", "at")}})
    sums = lent.group_by("finding").aggregate([("amount_fen", "sum"), ("at", "max")])
    new = mine.join(seen, ["company", "day", "office", "party"], join_type="inner")
    new = new.filter(pc.and_(new["after"], pc.equal(new["begin"], new["day"])))
    gone = seen.filter(pc.and_(seen["before"], pc.invert(seen["after"])))
    gone = mine.select(["finding", "company", "day", "office"]).join(gone, ["company", "day", "office"], join_type="inner")
    parts = [
        part.select(["finding", "id"]).append_column("position", pa.array(np.full(part.num_rows, place)))
        for place, part in enumerate((new, gone, lent))
    ]
    found = found.join(sums, "finding").rename_columns(
        {"company": "entity_id", "party": "root", "amount_fen_sum": "amount_fen", "at_max": "at"}
    )
    return listed(found, pa.concat_tables(parts))


RULE = Rule(
    name="control_changed_before_loan",
    version="1",
    about="The representative or the holder of the majority changed shortly before a loan.",
    reason=CONTROL_CHANGED_BEFORE_LOAN,
    severity="medium",
    action="refer",
    parameters=ControlChangedBeforeLoanParameters(),
    requires=REQUIRES,
    find=find_changed_control,
)
