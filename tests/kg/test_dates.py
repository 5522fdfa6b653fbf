from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import dates
from kg.engine import Engine
from kg.errors import UsageError

SHANGHAI = "Asia/Shanghai"
ZONES = [SHANGHAI, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
FIRST, LAST = datetime(1970, 1, 2), datetime(2039, 12, 30)

moments = st.lists(st.datetimes(FIRST, LAST), min_size=1, max_size=40)
in_both_engines = pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill")) as opened:
        yield opened


def read(engine, texts, format=None, zone=SHANGHAI):
    """Return the instants and days that texts say; the clock is read in a step of its own, as in a table step."""
    table = engine.arrow(pa.table({"text": pa.array(texts, pa.string())}))
    seen = dates.wall(table.text, format)
    clocks = table.select(moment=seen.moment, shift=seen.shift)
    kept = dates.Wall(clocks.moment, clocks.shift)
    found = engine.table(clocks.select(at=dates.utc(kept, zone), day=dates.day(kept, zone)))
    return found["at"].to_pylist(), found["day"].to_pylist()


def instant(moment, zone=SHANGHAI):
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@settings(deadline=None, max_examples=6)
@given(moments, st.sampled_from(ZONES))
def test_clock_times_of_any_zone_are_placed_as_the_standard_library_does(engine, times, zone):
    at, day = read(engine, [str(time) for time in times], zone=zone)
    assert at == [instant(time, zone) for time in times]
    assert day == [time.date() for time in times]


@pytest.mark.parametrize("zone", ZONES)
def test_times_around_every_change_of_a_zone_are_placed_as_the_standard_library_does(engine, zone):
    changes = dates.changes_of(zone)
    around = [
        datetime.fromtimestamp(at + offset + step, UTC).replace(tzinfo=None)
        for at, before, after in changes
        for offset in (before, after)
        for step in (-3601, -1, 0, 1, 3599, 3600)
    ] or [FIRST]
    at, _ = read(engine, [str(time) for time in around], zone=zone)
    assert at == [instant(time, zone) for time in around]


@settings(deadline=None, max_examples=6)
@given(moments, st.sampled_from(ZONES))
def test_the_day_of_an_instant_is_that_of_the_zone(engine, times, zone):
    instants = [time.replace(tzinfo=UTC) for time in times]
    table = engine.arrow(pa.table({"at": pa.array(instants, pa.timestamp("us", "UTC"))}))
    found = engine.table(table.select(day=dates.local_date(table.at, zone)))["day"].to_pylist()
    assert found == [time.astimezone(ZoneInfo(zone)).date() for time in instants]


FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f")


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.datetimes(datetime(1000, 1, 1), datetime(2200, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(FORMS),
    st.sampled_from(CLOCKS),
)
def test_the_usual_forms_need_no_format(engine, times, form, clock):
    _, day = read(engine, [time.strftime(form + clock) for time in times])
    assert day == [time.date() for time in times]


@settings(deadline=None, max_examples=12)
@given(
    moments,
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y (%S:%M:%H)", "%Y%m%d%H%M%S", "%m+%d+%Y [%H|%M|%S]", "%T %F"]),
)
def test_a_given_format_reads_what_it_writes(engine, times, format):
    whole = [time.replace(microsecond=0) for time in times]
    at, _ = read(engine, [time.strftime(format) for time in whole], format)
    assert at == [instant(time) for time in whole]


@settings(deadline=None, max_examples=8)
@given(moments, st.integers(-14 * 60, 14 * 60))
def test_an_offset_in_the_text_goes_before_the_zone(engine, times, minutes):
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    at, day = read(engine, [f"{time.isoformat()}{sign}{hours:02d}:{rest:02d}" for time in times])
    expected = [(time - timedelta(minutes=minutes)).replace(tzinfo=UTC) for time in times]
    assert at == expected
    assert day == [time.astimezone(ZoneInfo(SHANGHAI)).date() for time in expected]


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(-(10**13), 10**14 - 1), min_size=1, max_size=40))
def test_milliseconds_since_1970_are_read_when_the_format_says_so(engine, values):
    at, _ = read(engine, [str(value) for value in values], "epoch_ms")
    assert at == [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value) for value in values]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.one_of(st.text(max_size=12), st.text("0123456789-/:.TZ+年月日 ", max_size=24)), max_size=200))
def test_no_text_makes_it_fail(engine, texts):
    for format in (None, "epoch_ms", "%Y-%m-%d", "%y%m%d"):
        assert len(read(engine, texts, format)[0]) == len(texts)


@settings(deadline=None, max_examples=6)
@given(st.lists(st.tuples(st.integers(2, 9999), st.integers(0, 14), st.integers(0, 33)), min_size=1, max_size=200))
def test_exactly_the_days_of_the_calendar_are_read(engine, triples):
    def real(year, month, day):
        try:
            return date(year, month, day)
        except ValueError:
            return None

    expected = [real(*triple) for triple in triples]
    for form in ("{:04d}-{:02d}-{:02d}", "{:04d}/{:02d}/{:02d}", "{:04d}{:02d}{:02d}", "{:04d}年{:02d}月{:02d}日"):
        assert read(engine, [form.format(*triple) for triple in triples])[1] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-02-09 18:08:45.162", "2020-02-09T10:08:45.162000+00:00"),
        ("2020-02-09T18:08:45Z", "2020-02-09T18:08:45+00:00"),
        ("2020-02-09 18:08:45 -0500", "2020-02-09T23:08:45+00:00"),
        ("2020/2/9 9:05", "2020-02-09T01:05:00+00:00"),
        ("2020年2月9日 18时8分", "2020-02-09T10:08:00+00:00"),
        ("2020年2月9日18时8分5秒", "2020-02-09T10:08:05+00:00"),
        ("20200209180845", "2020-02-09T10:08:45+00:00"),
        ("1988-07-01 00:30:00", "1988-06-30T15:30:00+00:00"),
    ],
)
def test_times_as_people_write_them_are_understood(engine, text, expected):
    assert read(engine, [text])[0] == [datetime.fromisoformat(expected)]


NO_TIMES = """
2020-02-30|2019-02-29|2020-13-01|2020-00-10|2020-2/9|2020-02-09 24:00:00|2020-02-09 18:60:00
2020-02-09 18:00:61|20|yesterday|2020-02-09Z|20200230|2020/2/30|2020年2月30日|2020-02-09 18:08+25:00
"""


@pytest.mark.parametrize("text", ["", *NO_TIMES.strip().replace("\n", "|").split("|")])
def test_days_and_times_that_do_not_exist_are_refused(engine, text):
    assert read(engine, [text, None]) == ([None, None], [None, None])


def test_times_at_the_ends_of_the_calendar_are_refused_and_days_are_not(engine):
    assert read(engine, ["0001-01-01", "9999-12-31"], zone="America/New_York") == ([None, None], [date(1, 1, 1), date(9999, 12, 31)])
    assert read(engine, ["0001-01-01 00:00:00+14:00", "9999-12-31 23:59:59-14:00"]) == ([None, None], [None, None])


def test_a_format_may_lack_day_and_time(engine):
    assert read(engine, ["202002"], "%Y%m")[1] == [date(2020, 2, 1)]
    assert read(engine, ["2020年2月"], "%Y年%m月")[1] == [date(2020, 2, 1)]
    assert read(engine, ["68-1-2", "69-1-2"], "%y-%m-%d")[1] == [date(2068, 1, 2), date(1969, 1, 2)]


def test_a_format_that_cannot_be_read_is_refused():
    text = ibis.literal("x")
    with pytest.raises(UsageError, match="'%Q'"):
        dates.wall(text, "%Y-%Q")
    with pytest.raises(UsageError, match="'%d' twice"):
        dates.wall(text, "%Y-%d-%d")
    with pytest.raises(UsageError, match="holds no year"):
        dates.wall(text, "%m-%d")


def test_an_unknown_zone_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="no time zone named 'Asia/Shangai'; did you mean 'Asia/Shanghai'"):
        dates.changes_of("Asia/Shangai")


def test_a_month_begins_on_its_first_day(engine):
    table = engine.arrow(pa.table({"day": pa.array([date(2020, 2, 29), date(2020, 3, 1), None])}))
    found = engine.table(table.select(month=dates.month_start(table.day)))["month"].to_pylist()
    assert found == [date(2020, 2, 1), date(2020, 3, 1), None]


@in_both_engines
def test_the_expressions_compile_for_both_engines(dialect):
    table = ibis.table({"text": "string"}, name="t")
    for format in (None, "epoch_ms", "%d/%m/%Y"):
        assert ibis.to_sql(table.select(at=dates.timestamp_utc(table.text, format), day=dates.date(table.text, format)), dialect=dialect)
