"""Features of companies as of a day: what happens afterwards changes nothing, nor do ids and the order of rows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ibis.config import Config

from gnn.around import NEAR
from gnn.company import DERIVED, FAMILIES
from gnn.company.schemes import family
from gnn.past import Past
from gnn.snapshot import schema_digest, snapshot
from kg import history, schema
from kg.derivations import DERIVATIONS
from kg.graph import Graph, columns
from kg.lake import Lake
from kg.rules import RULES
from loaders.sources import kind

from .lakes import changed, put

ALL = (*FAMILIES, *DERIVED, family(RULES))
DATES = ("valid_from", "filed_on", "founded_on", "opened_on", "issued_on", "known_on", "signed_on")


@pytest.fixture(scope="module")
def archive(archive):
    """The city's lake, with all that follows from it derived anew of any day."""
    return replace(archive, derivations=DERIVATIONS)


def early(archive):
    return archive.as_of - timedelta(days=110)


def later(archive, day, *, cut=False):
    """Return an ``alter`` that moves all that happened after a day still further, makes it larger and doubles it, or takes it away."""
    end = datetime.combine(day, time(16))  # midnight in Shanghai, in UTC

    def alter(name, rows):
        future = np.zeros(rows.num_rows, bool)
        for column in rows.column_names:
            if column == "at" or column in DATES:
                bound = pa.scalar(end, pa.timestamp("us")) if column == "at" else pa.scalar(day + timedelta(days=1), pa.date32())
                late = pc.fill_null(pc.greater_equal(rows[column], bound.cast(rows[column].type)), False)
                future |= late.to_numpy(zero_copy_only=False)
        past, more = rows.filter(pa.array(~future)), rows.filter(pa.array(future))
        if cut:
            return past
        for column in more.column_names:
            if column in ("amount_fen", "net_fen"):
                more = more.set_column(more.column_names.index(column), column, pc.multiply(more[column], 7))
            if column == "at":
                moved = pc.add(more[column], pa.scalar(timedelta(days=3), pa.duration("us"))).cast(rows[column].type)
                more = more.set_column(more.column_names.index(column), column, moved)
        return pa.concat_tables([past, more, more] if name not in {"graph/Company"} else [past, more])

    return alter


@pytest.fixture(scope="module")
def seen(archive):
    return snapshot(archive.on(early(archive)), ALL)


@pytest.mark.parametrize("cut", [False, True], ids=["moved and doubled", "taken away"])
@pytest.mark.untraced
def test_what_happens_afterwards_changes_no_feature(archive, seen, tmp_path, cut):
    day = early(archive)
    twin = changed(archive.lake, tmp_path, later(archive, day, cut=cut))
    again = snapshot(replace(archive, lake=twin).on(day), ALL)
    assert again.ids.equals(seen.ids)
    differing = [c.name for c, one, other in zip(seen.columns, seen.values.T, again.values.T, strict=True) if not same(one, other)]
    assert not differing
    # and of the last day they do tell it
    assert not np.array_equal(snapshot(archive.on(archive.as_of), FAMILIES).values[:20], seen.values[:20, : len(FAMILIES)])


def same(one, other):
    return np.array_equal(one, other, equal_nan=True)


@pytest.mark.untraced
def test_todays_state_is_no_part_of_an_earlier_day(archive, seen, tmp_path):
    def alter(name, rows):
        for column, value in (("blocked", True), ("status", "bad"), ("balance_fen", 1), ("result", "lost")):
            if column in rows.column_names and name.startswith("graph/"):
                rows = rows.set_column(
                    rows.column_names.index(column), column, pa.repeat(pa.scalar(value, rows[column].type), rows.num_rows)
                )
        return rows

    again = snapshot(Past(changed(archive.lake, tmp_path, alter), early(archive), archive.zone), FAMILIES)
    assert same(again.values, snapshot(archive.on(early(archive)), FAMILIES).values)
    assert seen.n_own > again.n_own


def test_a_replaced_version_still_holds_on_the_days_on_which_it_did(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    of = columns(schema.edge("HOLDS_SHARES"))
    rows = pa.Table.from_pylist(
        [
            {"id": "h", "src": "person:x:1", "dst": "company:x:1", "share_ppm": 1_000_000, "valid_to": date(2024, 3, 1), "last_run": "r2"},
            {"id": "h", "src": "person:x:1", "dst": "company:x:1", "share_ppm": 600_000, "valid_from": date(2024, 3, 1)},
        ],
        schema=of.to_pyarrow(),
    )
    lake.ensure("graph/HOLDS_SHARES", of)
    lake.append("graph/HOLDS_SHARES", engine.arrow(rows), "r1")

    def share(day):
        return engine.table(Past(lake, day).edges("HOLDS_SHARES"))["share_ppm"].to_pylist()

    assert (share(date(2024, 2, 29)), share(date(2024, 3, 1))) == ([1_000_000], [600_000])


def test_an_invoice_is_void_only_from_the_day_on_which_it_was_made_void(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    bill = {"record_id": "1", "seller": "company:x:1", "buyer": "company:x:2", "issued_on": date(2024, 1, 5), "status": "void"}
    rows = pa.Table.from_pylist([{**bill, "void_on": date(2024, 2, 1), "net_fen": 5}])
    put(lake, "records/invoices", engine.arrow(rows))

    def status(day):
        return engine.table(Past(lake, day).records("invoices"))["status"].to_pylist()

    assert [status(day) for day in (date(2024, 1, 4), date(2024, 1, 31), date(2024, 2, 1))] == [[], ["valid"], ["void"]]


@pytest.mark.untraced
def test_ids_and_the_order_of_rows_change_no_feature(archive, seen, tmp_path):
    dice = np.random.default_rng(1)

    def alter(_, rows):
        for column in rows.column_names:
            if pa.types.is_string(rows[column].type):
                # the last digit goes to the front, so that the order of ids is another one
                swapped = pc.replace_substring_regex(rows[column], r"^(company|person):([CP])(\d+)(\d)$", r"\1:\2\4\3")
                rows = rows.set_column(rows.column_names.index(column), column, swapped)
        return rows.take(dice.permutation(rows.num_rows))

    again = snapshot(replace(archive, lake=changed(archive.lake, tmp_path, alter)).on(early(archive)), ALL)
    renamed = pc.replace_substring_regex(seen.ids, r"^(company):([CP])(\d+)(\d)$", r"\1:\2\4\3").to_pylist()
    assert renamed != sorted(renamed)
    place = [again.ids.to_pylist().index(name) for name in renamed]
    assert np.allclose(again.values[place], seen.values, rtol=1e-6, equal_nan=True)


def test_neighbours_tell_the_mean_of_their_own_features(archive, seen):
    graph = archive.on(early(archive))
    pairs = graph.engine.table(graph.edges("HOLDS_SHARES").select("src", "dst")).to_pylist()
    ids = seen.ids.to_pylist()
    near = {name: set() for name in ids}
    for pair in pairs:
        for one, other in ((pair["src"], pair["dst"]), (pair["dst"], pair["src"])):
            if one in near and other != one:
                near[one].add(other)
    name = {c.name: n for n, c in enumerate(seen.columns)}
    told = seen.values[:, name["near.shares.payments.payers"]]
    for place, company in enumerate(ids):
        known = [seen.values[ids.index(other), name["payments.payers"]] for other in near[company] if other in ids]
        assert seen.values[place, name["near.shares"]] == len(near[company])
        assert np.isnan(told[place]) if not known else told[place] == pytest.approx(np.mean(known), rel=1e-6)


def test_payments_of_a_company_are_those_that_counting_finds(archive, seen):
    day = early(archive)
    graph = archive.on(day)
    table = graph.engine.table
    owners = {}
    for row in table(archive.today().edges("OWNS_ACCOUNT").select("src", "dst")).to_pylist():
        owners.setdefault(row["dst"], set()).add(row["src"])
    party = {account: next(iter(of)) if len(of) == 1 else account for account, of in owners.items()}
    got, payers = {}, {}
    for row in table(graph.edges("TRANSFERRED_TO").select("src", "dst", "amount_fen")).to_pylist():
        payer, payee = party.get(row["src"], row["src"]), party.get(row["dst"], row["dst"])
        if payer != payee:
            got[payee] = got.get(payee, 0) + row["amount_fen"]
            payers.setdefault(payee, set()).add(payer)
    name = {c.name: n for n, c in enumerate(seen.columns)}
    ids = seen.ids.to_pylist()
    assert seen.values[:, name["payments.in_fen"]].tolist() == [got.get(company, 0) for company in ids]
    assert seen.values[:, name["payments.payers"]].tolist() == [len(payers.get(company, ())) for company in ids]


def test_trade_with_sued_companies_is_what_counting_finds(archive):
    graph, table = archive.on(archive.as_of), archive.lake.engine.table
    filed = {row["id"]: row["filed_on"] for row in table(graph.nodes("CourtCase").select("id", "filed_on")).to_pylist()}
    parties = table(graph.edges("PARTY_TO").select("src", "dst", "role")).to_pylist()
    year = archive.as_of - timedelta(days=365)
    sued = {row["src"] for row in parties if row["role"] in ("被告", "defendant") and filed[row["dst"]] > year}
    assert len(sued) > 1
    bills = table(graph.records("invoices", "seller", "buyer").select("seller", "buyer", "net_fen", "issued_on", "status")).to_pylist()
    sold, theirs = {}, {}
    for bill in bills:
        if bill["status"] != "void" and bill["seller"] != bill["buyer"] and bill["issued_on"] > year:
            sold[bill["seller"]] = sold.get(bill["seller"], 0) + bill["net_fen"]
            theirs[bill["seller"]] = theirs.get(bill["seller"], 0) + bill["net_fen"] * (bill["buyer"] in sued)
    now = snapshot(graph, FAMILIES)
    column = now.values[:, [c.name for c in now.columns].index("chain.sold_to_sued")]
    expected = [theirs[company] / sold[company] if sold.get(company) else np.nan for company in now.ids.to_pylist()]
    assert np.allclose(column, expected, equal_nan=True)
    assert 0 < np.nanmax(column) <= 1


def test_every_feature_says_what_it_is_in_both_languages(seen):
    assert len({c.name for c in seen.columns}) == len(seen.columns) == seen.values.shape[1]
    assert all(c.about and c.zh and c.unit and c.family_zh for c in seen.columns)
    assert schema_digest(seen.columns) != schema_digest(seen.columns[1:])


class _Steps:
    """An engine that runs nothing: what it keeps is the step itself."""

    _names = itertools.count()

    def keep(self, step):
        return step.view()

    def arrow(self, rows):
        return ibis.table(ibis.Schema.from_pyarrow(rows.schema), name=f"rows_{next(self._names)}")


class _Unbound(Graph):
    def __init__(self):
        super().__init__(None, date(2024, 6, 30))

    engine = property(lambda self: _Steps())

    def nodes(self, label):
        return ibis.table(columns(schema.node(label)), name=label)

    def edges(self, type_):
        return ibis.table(columns(schema.edge(type_)), name=type_)

    def records(self, name, *references):
        stored = {c.name: c.stored for c in kind(name).columns}
        return ibis.table({**stored, "source": "string", "record_id": "string", **history.VERSION_SCHEMA}, name=f"records_{name}")


class _PySpark(Config):
    treat_nan_as_null: bool = False


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
@pytest.mark.parametrize(
    "step", [*((f.name, f.make) for f in (*FAMILIES, *DERIVED)), *((n.name, n.pairs) for n in NEAR)], ids=lambda step: step[0]
)
def test_every_step_compiles_for_both_engines(step, dialect, monkeypatch):
    # an option that Ibis has only where PySpark is installed
    monkeypatch.setattr(ibis.options, "pyspark", _PySpark())
    assert "SELECT" in ibis.to_sql(step[1](_Unbound()), dialect=dialect)


@pytest.mark.untraced
def test_a_lake_without_invoices_and_loans_gives_features_all_the_same(archive, engine):
    bare = archive.lake.without([name for name in archive.lake.versions if name not in ("graph/Company",)])
    seen = snapshot(replace(archive, lake=bare).on(archive.as_of), ALL)
    assert len(seen.ids)
    assert not np.isinf(seen.values).any()
