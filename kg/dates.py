"""How text becomes days and instants, and instants become days of a time zone.

Text is read in two steps, so that a table step can compute the first once and use it twice: ``wall`` finds what a
clock on the wall showed and, where the text says so, how far that clock was from UTC; ``utc`` and ``day`` place it
in time. Every expression yields null for text that it does not accept (``2020-02-30``), raises on no input and
compiles for DuckDB and for PySpark; both must run in a session whose own zone is UTC, as ``kg.engine`` sets it.

Zones are applied as the list of their changes between 1970 and 2040 (before and after, the nearest offset holds).
A time that a zone shows twice is its first; one that it skips is read with the offset before the change: what
``datetime`` does with ``fold=0``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import ibis
import ibis.expr.types as ir

from kg.errors import UsageError, did_you_mean

ZONE = "Asia/Shanghai"
NAIVE, INSTANT = "timestamp(6)", "timestamp('UTC', 6)"

_DAY_ISO = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK_ISO = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?"
#: The common form, which the engine's own cast reads as it stands.
_ISO = f"^{_DAY_ISO}(?:[ T]{_CLOCK_ISO})?$"
_HOUR = "(?:[01]?[0-9]|2[0-3])"
_SLASHED = f"^[0-9]{{4}}/[0-9]{{1,2}}/[0-9]{{1,2}}(?: {_HOUR}:[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,9}})?)?)?$"
_COMPACT = "^[0-9]{8} ?(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]$"
#: The other forms that need no format, tried last.
_DAY = "|".join(
    (
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
        "[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}",
        "[0-9]{4}[.][0-9]{1,2}[.][0-9]{1,2}",
        "[0-9]{4} *年 *[0-9]{1,2} *月 *[0-9]{1,2} *日",
        "[0-9]{8}",
    )
)
_CLOCK = f"{_HOUR}:[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,9}})?)?|{_HOUR}时[0-5]?[0-9]分(?:[0-5]?[0-9]秒)?"
#: 1 day, 2 clock, 3 offset.
_LOOSE = f"^({_DAY})(?:[ T]*({_CLOCK}) *(Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)?$"

_BOUNDS = ("0001-01-02 00:00:00", "9999-12-30 23:59:59.999999")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
#: Ticks in a second, and digits, which reach to the year 5138.
_EPOCHS = {"epoch_s": (1, 11), "epoch_ms": (1000, 14)}

#: What each directive of a format matches, and what stands for it where the format lacks it.
_DIRECTIVES = {
    "Y": ("[0-9]{4}", ""),
    "y": ("[0-9]{2}", ""),
    "m": ("[0-9]{1,2}", "01"),
    "d": ("[0-9]{1,2}", "01"),
    "H": ("(?:[01]?[0-9]|2[0-3])", "00"),
    "M": ("[0-5]?[0-9]", "00"),
    "S": ("[0-5]?[0-9]", "00"),
    "f": ("[0-9]{1,9}", "0"),
}
_SHORTHANDS = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M"}
_AS_CAST = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S(?:\.%f)?)?)?")
_PIVOT = 69  # as strptime has it: 69 is 1969, 68 is 2068


@dataclass(frozen=True)
class Wall:
    """What a clock showed (``moment``, without a zone) and its minutes ahead of UTC (``shift``, null = not said)."""

    moment: ir.TimestampValue
    shift: ir.IntegerValue


def wall(text: ir.StringValue, format: str | None = None) -> Wall:
    """Read a text as a point on a clock.

    Parameters
    ----------
    text
        A cell, in normal form NFKC, trimmed.
    format
        ``epoch_s`` or ``epoch_ms``; or a format of ``%Y %y %m %d %H %M %S %f %F %T`` and other characters, in which
        a missing day or time is the first one; or None for what needs no format: ``2020-02-09``, ``2020/2/9``,
        ``2020.2.9``, ``20200209``, ``2020年2月9日``, with a time ``18:08[:45[.162]]`` (or ``T18:08…``, or 18时8分),
        ``20200209180845``, and after the time an offset ``Z`` or ``+08:00``.

    Raises
    ------
    UsageError
        If the format holds a directive that is not known, or no year.
    """
    if format is None:
        return _without_format(text)
    if format in _EPOCHS:
        return _epoch(text, *_EPOCHS[format])
    return Wall(_with_format(text, format), ibis.null("int32"))


def utc(seen: Wall, zone: str = ZONE) -> ir.TimestampValue:
    """Return the instant at which a clock in a zone showed this.

    Raises
    ------
    UsageError
        If there is no such zone.
    """
    moment = seen.moment

    def shifted(seconds: int) -> ir.TimestampValue:
        return moment - ibis.interval(seconds=seconds)

    changes = [(_naive(at + max(before, after)), after) for at, before, after in changes_of(zone)]
    local = _piecewise(moment, changes, first_offset(zone), shifted)
    stated = moment - seen.shift.as_interval("m")
    return _bounded(moment, ibis.ifelse(seen.shift.isnull(), local, stated)).cast(INSTANT)


def day(seen: Wall, zone: str = ZONE) -> ir.DateValue:
    """Return the day that a clock in a zone shows; a clock time without an offset is of that zone already."""
    stated = _bounded(seen.moment, seen.moment - seen.shift.as_interval("m")).cast(INSTANT)
    return ibis.ifelse(seen.shift.isnull(), seen.moment.date(), local_date(stated, zone))


def timestamp_utc(text: ir.StringValue, format: str | None = None, zone: str = ZONE) -> ir.TimestampValue:
    """Return the instant that a text says, in UTC; null where it says none. See ``wall`` for the texts read.

    >>> ibis.duckdb.connect().to_pyarrow(timestamp_utc(ibis.literal("2020-02-09 18:08:45.162"))).as_py().isoformat()
    '2020-02-09T10:08:45.162000+00:00'
    """
    return utc(wall(text, format), zone)


def date(text: ir.StringValue, format: str | None = None, zone: str = ZONE) -> ir.DateValue:
    """Return the day that a text says; null where it says none. See ``wall`` for the texts read.

    >>> ibis.duckdb.connect().to_pyarrow(date(ibis.literal("2020年2月29日"))).as_py().isoformat()
    '2020-02-29'
    """
    return day(wall(text, format), zone)


def local_date(at: ir.TimestampValue, zone: str = ZONE) -> ir.DateValue:
    """Return the day on which an instant falls in a zone."""
    moment = at.cast(NAIVE)

    def shifted(seconds: int) -> ir.DateValue:
        return (moment + ibis.interval(seconds=seconds)).date()

    changes = [(_naive(instant), after) for instant, _, after in changes_of(zone)]
    return _piecewise(moment, changes, first_offset(zone), shifted)


def year_before(of: dt.date) -> dt.date:
    """Return the first day of the same month a year before, from which on a night looks back: what it sees changes with the month alone.

    >>> year_before(dt.date(2024, 2, 29))
    datetime.date(2023, 2, 1)
    """
    return dt.date(of.year - 1, of.month, 1)


def month_start(of: ir.DateValue) -> ir.DateValue:
    """Return the first day of a day's month."""
    # not of.truncate("M"), which DuckDB answers with a time
    return ibis.date(of.year(), of.month(), 1)


@lru_cache(maxsize=16)
def changes_of(zone: str) -> tuple[tuple[int, int, int], ...]:
    """Return a zone's changes between 1970 and 2040: epoch second, offset before and offset after, in seconds.

    >>> changes_of("Asia/Shanghai")[-1]
    (684867600, 32400, 28800)
    """
    region = _zone(zone)
    found = []
    low = _FIRST
    while low < _LAST:
        high = low + timedelta(days=1)
        before, after = _offset(region, low), _offset(region, high)
        if before != after:
            found.append((_change(region, low, high), before, after))
        low = high
    return tuple(found)


def first_offset(zone: str) -> int:
    """Return a zone's offset at the beginning of 1970, in seconds.

    >>> first_offset("Asia/Shanghai")
    28800
    """
    return _offset(_zone(zone), _FIRST)


def _zone(zone: str) -> ZoneInfo:
    if zone not in available_timezones():
        raise UsageError(f"no time zone named '{zone}'{did_you_mean(zone, sorted(available_timezones()))}")
    return ZoneInfo(zone)


def _offset(region: ZoneInfo, at: datetime) -> int:
    return round((at.astimezone(region).utcoffset() or timedelta()).total_seconds())


def _change(region: ZoneInfo, low: datetime, high: datetime) -> int:
    """Return the epoch second between two instants at which the offset changes."""
    before = _offset(region, low)
    start, end = int(low.timestamp()), int(high.timestamp())
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if _offset(region, datetime.fromtimestamp(middle, UTC)) == before else (start, middle)
    return end


def _bounded(moment: ir.TimestampValue, value: ir.TimestampValue) -> ir.TimestampValue:
    """Refuse moments that a shift could push out of the years 1 to 9999, beyond which other programs fail."""
    return ibis.ifelse(moment.between(*_BOUNDS), value, ibis.null(NAIVE))


def _naive(epoch_second: int) -> ir.TimestampScalar:
    return ibis.timestamp(datetime.fromtimestamp(epoch_second, UTC).replace(tzinfo=None))


def _piecewise(
    moment: ir.TimestampValue, changes: list[tuple[ir.TimestampScalar, int]], first: int, shifted: Callable[[int], ir.Value]
) -> ir.Value:
    """Shift by the offset of the last change that is past; the newest change comes first, as most rows are new."""
    if not changes:
        return shifted(first)
    return ibis.cases(*((moment >= at, shifted(after)) for at, after in reversed(changes)), else_=shifted(first))


def _without_format(text: ir.StringValue) -> Wall:
    plain = [
        (text.re_search(_ISO), text),
        (text.re_search(_SLASHED), text.replace("/", "-")),
        (text.re_search("^[0-9]{8}$"), _dashed(text)),
        (text.re_search(_COMPACT), _spread(text.replace(" ", ""))),
    ]
    offset = text.re_extract(_LOOSE, 3)
    minutes = offset.substr(1, 2).try_cast("int32") * 60 + offset.right(2).try_cast("int32")
    shift = ibis.cases(
        *((fits, ibis.null("int32")) for fits, _ in plain),
        (offset == "Z", ibis.literal(0, "int32")),
        (offset.startswith("-"), (-minutes).cast("int32")),
        (offset.startswith("+"), minutes.cast("int32")),
    )
    return Wall(ibis.cases(*plain, (text.re_search(_LOOSE), _spelled(text))).try_cast(NAIVE), shift)


def _spelled(text: ir.StringValue) -> ir.StringValue:
    """Spell a day and time of the loose form as ISO does."""
    stated, clock = text.re_extract(_LOOSE, 1), text.re_extract(_LOOSE, 2)
    dashed = stated.translate("/.年月日 ", "----")
    iso_day = ibis.ifelse(stated.re_search("^[0-9]{8}$"), _dashed(stated), dashed)
    colons = clock.translate("时分秒", "::")
    iso_clock = ibis.cases(
        (clock == "", ibis.literal("00:00:00")),
        (colons.endswith(":"), colons + "00"),
        (colons.re_search("^[0-9]+:[0-9]+$"), colons + ":00"),
        else_=colons,
    )
    return iso_day + " " + iso_clock


def _dashed(digits: ir.StringValue) -> ir.StringValue:
    return digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2)


def _spread(digits: ir.StringValue) -> ir.StringValue:
    return _dashed(digits) + " " + digits.substr(8, 2) + ":" + digits.substr(10, 2) + ":" + digits.substr(12, 2)


def _epoch(text: ir.StringValue, per_second: int, digits: int) -> Wall:
    number = ibis.ifelse(text.re_search(f"^-?[0-9]{{1,{digits}}}$"), text, ibis.null("string")).try_cast("int64")
    # Whole seconds and the rest apart: DuckDB counts intervals in floating point, which is exact for neither together.
    rest = number % per_second
    seconds = ((number - rest) // per_second).cast("int64").as_interval("s")
    moment = ibis.timestamp("1970-01-01T00:00:00") + seconds + (rest * (1000 // per_second)).as_interval("ms")
    return Wall(moment.cast(NAIVE), ibis.ifelse(number.isnull(), ibis.null("int32"), ibis.literal(0, "int32")))


def _with_format(text: ir.StringValue, format: str) -> ir.TimestampValue:
    """Read a text of a given format as a point on a clock."""
    pattern, order = _pattern(format)
    fits = text.re_search(pattern)
    if _AS_CAST.fullmatch(_expanded(format)):
        return ibis.ifelse(fits, text, ibis.null("string")).try_cast(NAIVE)

    def part(name: str) -> ir.StringValue:
        return text.re_extract(pattern, order.index(name) + 1) if name in order else ibis.literal(_DIRECTIVES[name][1])

    year = part("Y") if "Y" in order else _century(part("y")) + part("y")
    spelled = year + "-" + part("m") + "-" + part("d") + " " + part("H") + ":" + part("M") + ":" + part("S") + "." + part("f")
    return ibis.ifelse(fits, spelled, ibis.null("string")).try_cast(NAIVE)


def _century(two_digits: ir.StringValue) -> ir.StringValue:
    return ibis.ifelse(two_digits >= str(_PIVOT), ibis.literal("19"), ibis.literal("20"))


def _expanded(format: str) -> str:
    for short, long in _SHORTHANDS.items():
        format = format.replace(short, long)
    return format


@lru_cache(maxsize=64)
def _pattern(format: str) -> tuple[str, tuple[str, ...]]:
    """Return the regular expression of a format and its directives in the order of its groups."""
    pieces = re.findall(r"%.|[^%]+|%", _expanded(format))
    order: list[str] = []
    pattern = ""
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        if not piece.startswith("%") or piece == "%%":
            pattern += _literally(piece.replace("%%", "%"))
            continue
        name = piece[1:]
        if name not in _DIRECTIVES or name in order:
            why = "twice" if name in order else f"which is not known; known are {', '.join('%' + d for d in _DIRECTIVES)}, %F and %T"
            raise UsageError(f"the date format '{format}' holds '{piece}' {why}")
        # Where digits follow digits, only a fixed width says where one ends.
        fixed = name not in ("Y", "f") and following[:1] == "%" and following != "%%"
        pattern += f"({'[0-9]{2}' if fixed else _DIRECTIVES[name][0]})"
        order.append(name)
    if not {"Y", "y"} & set(order):
        raise UsageError(f"the date format '{format}' holds no year (%Y)")
    return f"^{pattern}$", tuple(order)


def _literally(text: str) -> str:
    """Escape characters for a regular expression in brackets, which both engines read alike."""
    return "".join(f"[{c}]" if c in ".*+?()[{|$" else {"\\": "[\\\\]", "^": "\\^"}.get(c, c) for c in text)
