"""How text becomes money and shares: integer fen and integer parts per million, exactly.

Knows the units and the ways in which Chinese and English files write amounts; hides that each text is cast once
to a decimal whose last digit is one fen (or one ppm), so that it is rounded once, half away from zero, and never
passes through binary floating point. Every expression yields null for text that it does not accept and raises
on no input; it compiles for DuckDB and for PySpark. Text is expected in Unicode normal form NFKC.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from kg.errors import UsageError, did_you_mean_one_of

#: Decimal places between a unit of money and the fen.
MONEY_UNITS: dict[str, int] = {
    **dict.fromkeys(("fen", "分"), 0),
    **dict.fromkeys(("jiao", "角"), 1),
    **dict.fromkeys(("yuan", "元", "圆", "CNY", "RMB", "人民币"), 2),
    **dict.fromkeys(("千元", "千"), 5),
    **dict.fromkeys(("万元", "万"), 6),
    **dict.fromkeys(("十万元", "十万"), 7),
    **dict.fromkeys(("百万元", "百万"), 8),
    **dict.fromkeys(("千万元", "千万"), 9),
    **dict.fromkeys(("亿元", "亿"), 10),
}

#: Decimal places between a unit of a share and the ppm.
SHARE_UNITS: dict[str, int] = {
    "fraction": 6,
    **dict.fromkeys(("%", "percent", "百分比"), 4),
    **dict.fromkeys(("‰", "permille"), 3),
    "ppm": 0,
}

WHOLE_PPM = 1_000_000

_AFTER_POINT = "(?:[.][0-9]+)?"
_NUMBER = f"(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+{_AFTER_POINT}|[0-9]+{_AFTER_POINT}|[.][0-9]+)"
_CURRENCY = "(?:CNY|RMB|人民币|¥)?"
# What a cell may say of its own unit, the longer words first. A currency alone names no unit.
_MONEY_SIGNS = ("千万", "百万", "十万", "亿", "万", "千", "元", "圆", "角", "分")
_SHARE_SIGNS = ("%", "‰", "ppm")
_MONEY = f"^{_CURRENCY} *[+-]? *{_CURRENCY} *{_NUMBER} *(?:(?:{'|'.join(_MONEY_SIGNS[:6])})?元?|圆|角|分)整? *{_CURRENCY}$"
# Programs write small fractions so, with all their digits; of an amount a spreadsheet that does it has dropped some.
_SMALL = f"[0-9]{_AFTER_POINT}[eE]-[0-9]{{1,2}}"
_SHARE = f"^[+]?(?:{_NUMBER}|{_SMALL}) *(?:{'|'.join(_SHARE_SIGNS)})?$"
# Every character that may stand in such a cell beside those of the number.
_WORDS = ", ¥CNYRMB人民币十百千万亿元圆角分整%‰ppm"

# Seventeen digits of fen: amounts below 10^15 yuan, more than the world produces in a year.
_PRECISION = 17
# Up to here the product of the fast way stays within 64 bits.
_SHORT, _SHORT_PLACES = 15, 2


def fen(text: ir.StringValue, unit: str = "元") -> ir.IntegerValue:
    """Return the fen that a text says; null where it is not money.

    Parameters
    ----------
    text
        A cell, in normal form NFKC, trimmed. A sign, well-grouped thousands (``1,234.50``), a currency
        (``¥``, ``CNY``, ``RMB``, ``人民币``) and a unit of its own (``12.5万元``) are understood; the cell's unit
        goes before ``unit``. Scientific notation is refused: a spreadsheet that wrote it dropped digits.
    unit
        The unit of a bare number, one of ``MONEY_UNITS``.

    Returns
    -------
    int64
        Fen, rounded half away from zero; null from 10^15 yuan on.

    Raises
    ------
    UsageError
        If the unit is unknown.

    Examples
    --------
    >>> ibis.duckdb.connect().to_pyarrow(fen(ibis.literal("¥1,234.505"))).as_py()
    123451
    """
    places = money_places(unit)
    cell = text.upper().replace("−", "-")
    units = [(cell.contains(sign), MONEY_UNITS[sign]) for sign in _MONEY_SIGNS]
    return _parsed(text, cell, "[+-]?", _MONEY, units=units, places=places)


def ppm(text: ir.StringValue, unit: str = "fraction") -> ir.IntegerValue:
    """Return the parts per million that a text says; null where it is no share between nothing and the whole.

    Parameters
    ----------
    text
        A cell, in normal form NFKC, trimmed; ``12.5%``, ``125‰`` and ``125000ppm`` carry their unit;
        ``1.25e-05`` is understood too.
    unit
        The unit of a bare number, one of ``SHARE_UNITS``.

    Raises
    ------
    UsageError
        If the unit is unknown.

    Examples
    --------
    >>> ibis.duckdb.connect().to_pyarrow(ppm(ibis.literal("0.14770874120277874"))).as_py()
    147709
    """
    places = share_places(unit)
    units = [(text.endswith(sign), SHARE_UNITS[sign]) for sign in _SHARE_SIGNS]
    value = _parsed(text, text, "[+]?", _SHARE, units=units, places=places)
    return ibis.ifelse(value <= WHOLE_PPM, value, ibis.null("int64"))


def money_places(unit: str) -> int:
    """Return the decimal places between a unit of money and the fen.

    >>> money_places("万元")
    6
    """
    return _places(unit, MONEY_UNITS, "money")


def share_places(unit: str) -> int:
    """Return the decimal places between a unit of a share and the ppm.

    >>> share_places("%")
    4
    """
    return _places(unit, SHARE_UNITS, "a share")


def format_fen(amount: int) -> str:
    """Return an amount as people read it, in yuan.

    >>> format_fen(-123450)
    '-1,234.50'
    """
    yuan, rest = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{yuan:,}.{rest:02d}"


def _places(unit: str, units: dict[str, int], of: str) -> int:
    if unit not in units:
        raise UsageError(f"'{unit}' is no unit of {of}{did_you_mean_one_of(unit, units)}")
    return units[unit]


def _parsed(
    text: ir.StringValue, cell: ir.StringValue, sign: str, form: str, *, units: list[tuple[ir.BooleanValue, int]], places: int
) -> ir.IntegerValue:
    """Return the number in a cell in its smallest unit; null where the cell is not of the form.

    Parameters
    ----------
    text, cell
        The cell as it stands, and spelled as ``form`` spells it.
    units
        The signs of units in a cell, the first that holds counts, and their places.
    places
        The places of a number without a sign.
    """
    number = cell.translate(_WORDS, "")
    fast = [(text.re_search(f"^{sign}[0-9]{{1,{_SHORT - places - 1}}}{_AFTER_POINT}$"), _scaled(text, places, _SHORT))]
    return ibis.cases(
        *(fast if places <= _SHORT_PLACES else []),
        (~cell.re_search(form), ibis.null("int64")),
        *((holds, _scaled(number, own)) for holds, own in units),
        else_=_scaled(number, places),
    )


def _scaled(number: ir.StringValue, places: int, precision: int = _PRECISION) -> ir.IntegerValue:
    """Return a plain number, shifted by some places and rounded; null where it does not fit."""
    # That the text is a number was seen before: try_cast is for numbers that do not fit.
    exact = number.try_cast(f"decimal({precision}, {places})")
    wide = exact if precision == _SHORT else exact.cast(f"decimal({2 * precision}, {places})")
    return (wide * 10**places).cast("int64")
