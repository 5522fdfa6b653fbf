import hashlib
from datetime import date, datetime

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.config import SourceSettings
from kg.engine import Engine
from kg.errors import UsageError
from loaders.rows import MARKS, RULES, redacted, typed
from loaders.sources import KINDS, kind

MARK_TYPES = {"_file": "int32", "_line": "int64", "_row": "int64", "_part": "int32", "_fault": "string", "_key": "string"}
TOKEN = "a" * 24
GOOD = {
    "payer": f"account:crm:{TOKEN}",
    "payee": f"account:crm:{TOKEN[:-1]}b",
    "amount_fen": "1,234.50",
    "at": "2020-02-09 18:08:45.162",
}


OWED = {"party": "company:crm:1", "kind": "loan", "amount_fen": "100"}
CAPITAL = {"reported_on": "2024-01-31", "net_capital_fen": "200", "tier_1_fen": "100"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill")) as opened:
        yield opened


def settings_of(of, **more):
    return SourceSettings(name="crm.file", kind=of.name, path="file.csv", **more)


def rows_of(engine, name, rows, absent=None, **more):
    """Type rows as a mapping would hand them over; what no row names is null, and known to be, unless it is said what is known to be so."""
    of = kind(name)
    absent = [column.name for column in of.columns if not any(column.name in row for row in rows)] if absent is None else absent
    columns = {column.name: pa.array([row.get(column.name) for row in rows], pa.string()) for column in of.columns}
    count = len(rows)
    marks = {
        "_file": pa.array([0] * count, pa.int32()),
        "_line": pa.array(range(2, count + 2), pa.int64()),
        "_row": pa.array(range(count), pa.int64()),
        "_part": pa.array([0] * count, pa.int32()),
        "_fault": pa.array([row.get("_fault") for row in rows], pa.string()),
        "_key": pa.array([row.get("_key") for row in rows], pa.string()),
    }
    found = typed(engine.arrow(pa.table(columns | marks)), of, settings_of(of, **more), absent=absent)
    return engine.table(found).sort_by("_row").to_pylist()


def faults_of(engine, name, row, **more):
    (found,) = rows_of(engine, name, [row], **more)
    return [(fault["column"], fault["rule"], fault["value"]) for fault in found["faults"]]


@pytest.mark.parametrize("of", KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_every_kind_compiles_for_both_engines(of, dialect):
    raw = ibis.table({**{column.name: "string" for column in of.columns}, **MARK_TYPES}, name="raw")
    assert ibis.to_sql(typed(raw, of, settings_of(of)), dialect=dialect)


@pytest.mark.parametrize("of", KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_every_kind_compiles_without_its_columns_too(of, dialect):
    raw = ibis.table({**{column.name: "string" for column in of.columns}, **MARK_TYPES}, name="raw")
    assert ibis.to_sql(typed(raw, of, settings_of(of), absent=[column.name for column in of.columns]), dialect=dialect)


@pytest.mark.parametrize("name", ["companies", "transfers", "loans", "shareholders"])
def test_rows_are_the_same_whether_or_not_it_is_known_that_a_column_is_empty(engine, name):
    rows = [
        {},
        {"_fault": "name|ragged|x", "_key": "k"},
        GOOD,
        GOOD | {"valid_from": "sometime", "amount_fen": "x", "company": "company:uscc:1"},
    ]
    assert rows_of(engine, name, rows) == rows_of(engine, name, rows, absent=())


def test_what_the_settings_say_of_a_column_is_refused_though_the_column_is_empty():
    of = kind("transfers")
    raw = ibis.table({**{column.name: "string" for column in of.columns}, **MARK_TYPES}, name="raw")
    with pytest.raises(UsageError):
        typed(raw, of, settings_of(of, columns={"amount_fen": {"column": "x", "unit": "美元"}}), absent=["amount_fen"])


@pytest.mark.parametrize("of", KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize("empty", [False, True], ids=["", "without its columns"])
def test_every_kind_gives_the_types_that_the_lake_holds(of, empty):
    raw = ibis.table({**{column.name: "string" for column in of.columns}, **MARK_TYPES}, name="raw")
    schema = typed(raw, of, settings_of(of), absent=[column.name for column in of.columns] if empty else ()).schema()
    assert tuple(schema.names) == (*MARKS, *(column.name for column in of.columns), "record_id", "digest", "faults")
    for column in of.columns:
        assert schema[column.name] == ibis.dtype(column.stored)


def test_a_good_row_becomes_values(engine):
    (row,) = rows_of(engine, "transfers", [GOOD | {"purpose": "货款", "valid_from": "2020/2/9"}])
    assert row["amount_fen"] == 123450
    assert row["at"] == datetime(2020, 2, 9, 10, 8, 45, 162000)
    assert row["valid_from"] == date(2020, 2, 9)
    assert (row["payer"], row["purpose"], row["currency"]) == (GOOD["payer"], "货款", None)
    assert row["faults"] == []
    assert row["record_id"] == row["digest"]


def test_the_mapping_says_unit_format_and_zone(engine):
    columns = {
        "amount_fen": {"column": "金额", "unit": "万元"},
        "at": {"column": "时间", "format": "%d/%m/%Y %H:%M", "zone": "America/New_York"},
    }
    (row,) = rows_of(engine, "transfers", [GOOD | {"amount_fen": "1.5", "at": "9/2/2020 18:08"}], columns=columns)
    assert row["amount_fen"] == 1500000
    assert row["at"] == datetime(2020, 2, 9, 23, 8)
    assert row["faults"] == []


def test_a_unit_format_or_zone_that_is_not_known_is_refused():
    of = kind("transfers")
    raw = ibis.table({**{column.name: "string" for column in of.columns}, **MARK_TYPES}, name="raw")
    for column in ({"column": "x", "unit": "美元"}, {"column": "x", "format": "%Q"}, {"column": "x", "zone": "Mars/Olympus"}):
        name = "amount_fen" if "unit" in column else "at"
        with pytest.raises(UsageError):
            typed(raw, of, settings_of(of, columns={name: column}))


@pytest.mark.parametrize(
    ("name", "row", "fault"),
    [
        ("transfers", GOOD | {"amount_fen": "-12,5O"}, ("amount_fen", "money", "-12,5O")),
        ("transfers", GOOD | {"at": "2020-02-30 10:00:00"}, ("at", "timestamp", "2020-02-30 10:00:00")),
        ("transfers", GOOD | {"payee": None}, ("payee", "required", None)),
        ("transfers", GOOD | {"amount_fen": None}, ("amount_fen", "required", None)),
        ("transfers", GOOD | {"valid_to": "2020-02-30"}, ("valid_to", "date", "2020-02-30")),
        ("companies", {"name": "某公司"}, ("company, uscc", "one_of", None)),
        ("companies", {"uscc": "91110000600037341M"}, ("uscc", "uscc_check", "#M")),
        ("companies", {"uscc": "362322198709086409"}, ("uscc", "uscc_organisation", "#")),
        ("companies", {"uscc": "营业执照"}, ("uscc", "uscc", "某某某某")),
        ("companies", {"company": "company:crm:1", "blocked": "maybe"}, ("blocked", "flag", "maybe")),
        ("shareholders", {"holder": "person:crm:1", "company": "company:uscc:123"}, ("company", "uscc", "***")),
        ("shareholders", {"holder": "company:uscc:91110000600037341M", "company": "company:crm:1"}, ("holder", "uscc_check", "***")),
        ("shareholders", {"holder": "person:crm:1", "company": "company:crm:1", "share_ppm": "-0.1"}, ("share_ppm", "share", "-0.1")),
        ("tax_filings", {"company": "company:crm:1", "period": "2020-01-01", "tax_fen": "1", "months": "x"}, ("months", "integer", "x")),
        (
            "tax_filings",
            {"company": "company:crm:1", "period": "2020-01-01", "tax_fen": "1", "months": "110105194912310021"},
            ("months", "integer", "#"),
        ),
        ("loans", {"loan": "loan:crm:1", "borrower_kind": "trust"}, ("borrower_kind", "values", "trust")),
        ("guarantees", {"guarantor": "person:crm:1"}, ("beneficiary, loan", "one_of", None)),
        ("exposures", OWED | {"amount_fen": "-0.01"}, ("amount_fen", "least", "-0.01")),
        ("exposures", OWED | {"mitigated_fen": "-1", "provider": "person:crm:2"}, ("mitigated_fen", "least", "-1")),
        ("exposures", OWED | {"mitigated_fen": "100.01", "provider": "person:crm:2"}, ("mitigated_fen, amount_fen", "at_most", "100.01")),
        ("exposures", OWED | {"mitigated_fen": "5"}, ("mitigated_fen, provider", "needs", "5")),
        ("exposures", OWED | {"mitigated_fen": "5", "_fault": "provider|label|***"}, ("provider", "label", "***")),
        ("concert", {"a": "company:crm:1", "b": "company:crm:1"}, ("a, b", "differ", "***")),
        ("kinship", {"a": "person:crm:1", "b": "person:crm:1", "kinship": "配偶"}, ("a, b", "differ", "***")),
        (
            "nominations",
            {"nominator": "person:crm:1", "nominee": "person:crm:1", "company": "company:crm:1"},
            ("nominator, nominee", "differ", "***"),
        ),
        ("bank_capital", CAPITAL | {"tier_1_fen": "200.01"}, ("tier_1_fen, net_capital_fen", "at_most", "200.01")),
    ],
)
def test_a_row_that_breaks_a_rule_says_which(engine, name, row, fault):
    assert faults_of(engine, name, row) == [fault]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("exposures", OWED | {"amount_fen": "0"}),
        ("exposures", OWED | {"mitigated_fen": "0"}),
        ("exposures", OWED | {"mitigated_fen": "100", "provider": "person:crm:2"}),
        ("exposures", OWED | {"provider": "person:crm:2"}),
        ("bank_capital", CAPITAL | {"tier_1_fen": "200"}),
        ("bank_capital", CAPITAL | {"net_capital_fen": "-1", "tier_1_fen": "-2"}),
        ("concert", {"a": "company:crm:1", "b": "company:crm:2"}),
        ("nominations", {"nominator": "person:crm:1", "nominee": "person:crm:2", "company": "company:crm:1"}),
    ],
)
def test_a_row_on_the_edge_of_a_rule_is_good(engine, name, row):
    assert faults_of(engine, name, row) == []


def test_a_row_says_everything_that_is_wrong_with_it(engine):
    bad = {"payer": GOOD["payer"], "amount_fen": "x", "at": "13912345678 王五"}
    assert faults_of(engine, "transfers", bad) == [
        ("payee", "required", None),
        ("amount_fen", "money", "x"),
        ("at", "timestamp", "# 某某"),
    ]


def test_what_the_reader_found_is_kept_and_not_called_missing_as_well(engine):
    bad = GOOD | {"payee": None, "_fault": "payee|account|***"}
    assert faults_of(engine, "transfers", bad) == [("payee", "account", "***")]
    assert faults_of(engine, "transfers", {"_fault": "|ragged|7 cells|5 heads"}) == [(None, "ragged", "7 cells|5 heads")]
    assert faults_of(engine, "persons", {"_fault": "cnid|cnid_check|***"}) == [("cnid", "cnid_check", "***")]


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("FALSE", False), ("1", True), ("0", False), ("是", True), ("否", False), ("y", True), ("N", False), ("no", False)],
)
def test_flags_are_read_in_the_usual_words(engine, word, value):
    (row,) = rows_of(engine, "companies", [{"company": "company:crm:1", "blocked": word}])
    assert row["blocked"] is value


def test_a_company_code_is_stored_in_one_spelling(engine):
    rows = rows_of(engine, "companies", [{"uscc": "91110000600037341l"}, {"uscc": "9111 0000 6000 3734 1L"}])
    assert {row["uscc"] for row in rows} == {"91110000600037341L"}
    assert len({row["digest"] for row in rows}) == 1


def test_a_named_record_keeps_its_name_and_changes_its_digest(engine):
    first, second = rows_of(engine, "transfers", [GOOD | {"_key": "17"}, GOOD | {"_key": "17", "amount_fen": "1234.51"}])
    assert first["record_id"] == second["record_id"] == "17"
    assert first["digest"] != second["digest"]


def test_the_digest_is_the_sha_256_of_the_canonical_row(engine):
    (row,) = rows_of(engine, "kinship", [{"a": "person:crm:1", "b": "person:crm:22", "kinship": "配偶", "valid_from": "2020-02-09"}])
    assert row["digest"] == hashlib.sha256("12:person:crm:113:person:crm:222:配偶2020-02-09;~".encode()).hexdigest()


def test_two_ways_to_write_a_value_have_one_digest(engine):
    rows = rows_of(engine, "transfers", [GOOD, GOOD | {"amount_fen": "¥1234.5", "at": "2020/2/9 18:08:45.162"}])
    assert rows[0]["digest"] == rows[1]["digest"]


cells = st.one_of(st.none(), st.text("ab:;~|0123456789-. 年王", min_size=1, max_size=6))
rows = st.fixed_dictionaries({"a": cells, "b": cells, "kinship": cells})


@settings(deadline=None, max_examples=20)
@given(st.lists(rows, min_size=2, max_size=60))
def test_rows_have_equal_digests_exactly_when_they_are_equal(engine, given_rows):
    digests = [row["digest"] for row in rows_of(engine, "kinship", given_rows)]
    first: dict[str, dict] = {}
    for row, digest in zip(given_rows, digests, strict=True):
        assert first.setdefault(digest, row) == row
    assert len(first) == len({tuple(sorted(row.items(), key=str)) for row in given_rows})


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(KINDS), st.data())
def test_no_cell_makes_it_fail_and_each_is_a_value_or_a_fault(engine, of, data):
    names = [column.name for column in of.columns]
    texts = st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=12)), min_size=len(names), max_size=len(names))
    made = [dict(zip(names, row, strict=True)) for row in data.draw(st.lists(texts, min_size=1, max_size=20))]
    for given_row, row in zip(made, rows_of(engine, of.name, made), strict=True):
        blamed = {fault["column"] for fault in row["faults"]}
        assert {fault["rule"] for fault in row["faults"]} <= {rule.name for rule in RULES}
        for name, text in given_row.items():
            assert (text is None) == (row[name] is None) or name in blamed


def test_a_shown_value_holds_nothing_personal(engine):
    table = engine.arrow(pa.table({"text": ["13912345678", "王小二 li@a.cn", "x" * 99, "-12,5O", "36042619910101007X"]}))
    shown = engine.table(table.select(shown=redacted(table.text)))["shown"].to_pylist()
    assert shown == ["#", "某某某 …@…", "x" * 40, "-12,5O", "#X"]


@pytest.mark.parametrize(
    "text",
    [
        "138.0013.8000",
        "13800 138000",
        "138 0013  8000",
        "138\u30000013\u00a08000",
        "138–0013—8000",
        "138\t0013_8000",
        "１３８００１３８０００",
        "6222/0200/1234/5678",
        "110105-1949-12-31-0021",
        "110105 491231 002",
        "138,0013,8000",
        "١٣٨٠٠١٣٨٠٠٠",
    ],
)
def test_no_digit_is_shown_of_a_number_whatever_stands_between_its_digits(engine, text):
    table = engine.arrow(pa.table({"text": [text, f"金额 {text} 元", f"li @ example.cn, {text}"]}))
    shown = engine.table(table.select(shown=redacted(table.text)))["shown"].to_pylist()
    assert shown == ["#", "某某 # 某", "…@… #"]


@pytest.mark.parametrize("text", ["1,234,567.50", "2026-02-30", "2026-02-30 12:30:45", "12.5O", "-1,000.00"])
def test_what_is_no_amount_and_no_day_is_shown_as_it_stands(engine, text):
    table = engine.arrow(pa.table({"text": [text]}))
    assert engine.table(table.select(shown=redacted(table.text)))["shown"].to_pylist() == [text]


def test_every_rule_is_named_once_and_says_what_it_asks_for():
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    assert all(rule.about for rule in RULES)
