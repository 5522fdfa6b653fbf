import unicodedata
from decimal import ROUND_HALF_UP, Decimal, localcontext

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.money import MONEY_UNITS, SHARE_UNITS, fen, format_fen, money_places, ppm, share_places


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Run an expression over texts, normalised as the reader does it."""
    with Engine(tmp_path_factory.mktemp("spill")) as engine:

        def run(read, texts):
            nfkc = [None if text is None else unicodedata.normalize("NFKC", text) for text in texts]
            table = engine.arrow(pa.table({"text": pa.array(nfkc, pa.string())}))
            return engine.table(table.select(value=read(table.text)))["value"].to_pylist()

        yield run


def exact(number: str, places: int) -> int:
    """Shift and round a number by the rules of the decimal module."""
    with localcontext() as context:
        context.prec = 200
        return int(Decimal(number).scaleb(places).quantize(Decimal(1), ROUND_HALF_UP))


numbers = st.from_regex(r"[+-]?([0-9]{1,15}(\.[0-9]{1,25})?|\.[0-9]{1,25})", fullmatch=True).filter(str.isascii)


@settings(deadline=None, max_examples=20)
@given(st.lists(numbers, min_size=1, max_size=150), st.sampled_from(sorted(MONEY_UNITS)))
def test_money_in_any_unit_is_what_exact_decimals_say(ask, texts, unit):
    places = money_places(unit)
    expected = [exact(text, places) for text in texts]
    found = ask(lambda text: fen(text, unit), texts)
    assert found == [value if abs(value) < 10**17 else None for value in expected]


@settings(deadline=None, max_examples=20)
@given(st.lists(numbers, min_size=1, max_size=150), st.sampled_from(("", "分", "角", "元", "万元", "万", "百万", "千万元", "亿", "亿元")))
def test_a_cell_says_its_own_unit(ask, texts, unit):
    places = MONEY_UNITS[unit] if unit else 6
    expected = [exact(text, places) for text in texts]
    found = ask(lambda text: fen(text, "万元"), [text + unit for text in texts])
    assert found == [value if abs(value) < 10**17 else None for value in expected]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=150))
def test_an_amount_that_is_printed_reads_as_itself(ask, amounts):
    assert ask(fen, [format_fen(amount) for amount in amounts]) == amounts


@settings(deadline=None, max_examples=20)
@given(st.lists(st.one_of(st.text(max_size=12), st.text("0123456789.,+-eE元万¥ ", max_size=10)), max_size=150))
def test_no_text_makes_it_fail(ask, texts):
    for value in ask(fen, texts) + ask(lambda text: fen(text, "亿元"), texts):
        assert value is None or abs(value) < 10**17
    for value in ask(ppm, texts) + ask(lambda text: ppm(text, "%"), texts):
        assert value is None or 0 <= value <= 1_000_000


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,234.50", 123450),
        ("１，２３４．５０", 123450),
        ("￥1,234.505", 123451),
        ("-1234.505", -123451),
        ("−5", -500),
        ("12.5万元", 12500000),
        ("１２．５万元", 12500000),
        ("人民币 3亿元整", 30000000000),
        ("RMB 100", 10000),
        ("100 cny", 10000),
        ("¥-1.5", -150),
        ("0.005", 1),
        ("0.00499999999999999999999999999999", 0),
        ("544595.7886430753", 54459579),
        ("999999999999.999", 100000000000000),
        ("999999999999999.99", 99999999999999999),
    ],
)
def test_amounts_as_people_write_them_are_understood(ask, text, amount):
    assert ask(fen, [text]) == [amount]


@pytest.mark.parametrize(
    "text",
    [
        "-12,5O",
        "1,23",
        "1,2345",
        ",123",
        "1.2.3",
        "1e5",
        "1.5E+3",
        "--1",
        "1-",
        "",
        " ",
        "元",
        "¥",
        ".",
        "5.",
        "1 234",
        "nan",
        "inf",
        "$5",
        "5 USD",
    ],
)
def test_nonsense_is_no_money(ask, text):
    assert ask(fen, [text, None]) == [None, None]


def test_amounts_beyond_belief_are_refused(ask):
    assert ask(fen, ["1000000000000000", "-1000000000000000", "9" * 40, "100000000亿"]) == [None] * 4


@settings(deadline=None, max_examples=20)
@given(st.lists(st.from_regex(r"(0|1)?\.[0-9]{1,20}|[0-9]{1,3}", fullmatch=True).filter(str.isascii), min_size=1, max_size=150))
def test_shares_are_what_exact_decimals_say(ask, texts):
    for unit in ("fraction", "%", "‰", "ppm"):
        expected = [exact(text, SHARE_UNITS[unit]) for text in texts]
        expected = [value if value <= 1_000_000 else None for value in expected]
        assert ask(lambda text, unit=unit: ppm(text, unit), texts) == expected
        if unit != "fraction":
            assert ask(ppm, [f"{text}{unit}" for text in texts]) == expected


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0, 1, exclude_min=True), min_size=1, max_size=150))
def test_fractions_as_programs_write_them_are_read_exactly(ask, values):
    texts = [repr(value) for value in values if value >= 1e-99]
    assert ask(ppm, texts) == [exact(text, 6) for text in texts]


def test_shares_outside_the_whole_are_refused(ask):
    assert ask(ppm, ["-0.1", "1.1", "100.1%", "25", "1e1", "half", "", "%", None]) == [None] * 9
    assert ask(ppm, ["0", "1", "1.0000000000000002", "100%", "0.14770874120277874"]) == [0, 1_000_000, 1_000_000, 1_000_000, 147709]


def test_an_unknown_unit_is_refused_with_what_is_known():
    with pytest.raises(UsageError, match="'万圆' is no unit of money"):
        money_places("万圆")
    with pytest.raises(UsageError, match="'percnt' is no unit of a share; did you mean 'percent'"):
        share_places("percnt")


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_the_expressions_compile_for_both_engines(dialect):
    table = ibis.table({"text": "string"}, name="t")
    sql = ibis.to_sql(table.select(a=fen(table.text, "万元"), b=ppm(table.text, "%")), dialect=dialect)
    assert "TRY_CAST" in sql
