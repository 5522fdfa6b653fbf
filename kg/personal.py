"""What a personal identifier looks like: somewhere in a text, and as the whole of a value.

Knows how people write identity cards, bank cards, phones and e-mail addresses, with blanks, dots, dashes or slashes
between the digits. Whether a number is a valid one, ``kg.identifiers`` says. The patterns hold nothing that RE2 (Arrow,
DuckDB), Java (Spark) and Python read in different ways: no lookaround, no escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_letters, digits
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Blanks: plain, wide, unbreakable, and those of no width.
_BLANKS = " \t\n\r\f\v\u0085\u00a0\u00ad\u1680\u180e\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_DOTS = "._\u00b7\u2022\u2219\u22c5\u30fb\uff0e\uff3f\uff65"
_STROKES = "*()/\u2044\u2215\uff08\uff09\uff0f\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d-"
#: What may stand between the digits of a number. A comma or a colon may not, but where `_MARKED` says so: those are of amounts and times.
SEPARATORS = _BLANKS + _DOTS + _STROKES
_GAP, _CUT = f"[{SEPARATORS}]*", f"[{SEPARATORS}]+"
#: Arabic-Indic digits, and those of Persian, which the normal form NFKC leaves as they are.
_ARABIC = "".join(chr(zero + digit) for zero in (0x660, 0x6F0) for digit in range(10))
_SIGNS = digits + "@._%+-" + ascii_letters
#: Signs of full width of which numbers and addresses are made, and digits of other scripts; and the plain ones in their places.
NARROW = _SIGNS + 2 * digits
WIDE = "".join(chr(ord(sign) + 0xFEE0) for sign in _SIGNS) + _ARABIC


def _cuts(count: int, last: int = 3) -> Iterator[tuple[int, ...]]:
    """Yield the ways to cut so many digits into groups of three or more, those with the most groups first; the last may be shorter.

    >>> list(_cuts(7))
    [(3, 4), (4, 3), (7,)]
    >>> list(_cuts(7, last=2))
    [(3, 4), (4, 3), (5, 2), (7,)]
    """
    for first in range(3, count - last + 1):
        for rest in _cuts(count - first, last):
            yield first, *rest
    yield (count,)


def _grouped(begin: str, count: int, more: str = "", last: int = 3) -> str:
    """Return the ways to write a number of so many digits (or ``more``), in groups as `_cuts` has them; ``begin`` is its first two."""
    ways = [(f"{begin}[0-9]{{{first - 2}{more}}}", *(f"[0-9]{{{size}{more}}}" for size in rest)) for first, *rest in _cuts(count, last)]
    return "|".join(_CUT.join(way) for way in ways)


_AREA = ("[1-9]", *("[0-9]",) * 5)
_DAY = (f"(?:0{_GAP}[1-9]|1{_GAP}[0-2])", f"(?:0{_GAP}[1-9]|[12]{_GAP}[0-9]|3{_GAP}[01])")
#: An identity card by the day of birth in it, whatever its check digit: of 18 characters, and of 15 digits as before 2000.
IDENTITY = _GAP.join((*_AREA, f"(?:1{_GAP}[89]|2{_GAP}0)", "[0-9]", "[0-9]", *_DAY, "[0-9]", "[0-9]", "[0-9]", "[0-9Xx]"))
_OLD_IDENTITY = _GAP.join(("[1-9][0-9]{5}", "[0-9]{2}", "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])", "[0-9]{3}"))

# In groups, by pairs, or digit by digit. None begins as a year does: that is a day, or two.
_GROUPED_CARD = f"(?:{_grouped('(?:1[0-8]|2[1-9]|[03-9][0-9])', 15, ',')})(?:{_CUT}[0-9]{{1,4}})?"
_SPACED_CARD = f"[0-9]{{2}}(?:{_CUT}[0-9]{{2}}){{6,}}(?:{_CUT}[0-9])?|[0-9](?:{_CUT}[0-9]){{14,}}"
#: A bank card or another number of fifteen digits or more.
CARD = f"[0-9]{{15,}}[Xx]?|{_GROUPED_CARD}|{_SPACED_CARD}"
#: A card of nineteen digits, within which an identity card may seem to stand.
_LONG_CARD = _GAP.join((*("[0-9]{4}",) * 4, "[0-9]{3,}"))

#: A card as the issuer's six digits and the rest, which by itself may look like a phone.
_BY_ISSUER = f"(?:62|35|[45][0-9])[0-9]{{4}}{_CUT}[0-9]{{10,13}}"

_ABROAD = f"(?:(?:[+]|00)?86{_GAP})?"
_SPACED_MOBILE = f"1[3-9](?:{_CUT}[0-9]{{2}}){{4}}{_CUT}[0-9]|1{_CUT}[3-9](?:{_CUT}[0-9]){{9}}"
#: A mobile number of China.
MOBILE = f"{_ABROAD}(?:{_grouped('1[3-9]', 11, last=2)}|{_SPACED_MOBILE})"
# Areas of two digits have numbers of eight; from abroad the 0 in front is left out.
_AREAS = (("(?:10|2[0-9])", "[2-9][0-9]{3}"), ("[3-9][0-9]{2}", "[2-9][0-9]{2,3}"))
#: A landline of which the area stands apart, or in brackets: without that it is a number like any other.
_CUT_LANDLINE = "|".join(f"[(]?0{area}{_CUT}{local}{_GAP}[0-9]{{4}}" for area, local in _AREAS)
_LANDLINE = "|".join(f"(?:[(]?0{area}|(?:[+]|00)86{_GAP}(?:0{_GAP})?{area}){_GAP}{local}{_GAP}[0-9]{{4}}" for area, local in _AREAS)

_DOMAIN = "[0-9A-Za-z\u3400-\u9fff-]+"
_AT = f"[{_BLANKS}]*@[{_BLANKS}]*"
#: An address. One in Chinese, or with blanks around the @, must end as a domain does: "@" also stands before a price.
EMAIL = (
    f"[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:[.]{_DOMAIN})*"
    f"|(?:[0-9A-Za-z._%+-]+|[\u3400-\u9fff]{{1,8}}){_AT}(?:{_DOMAIN}[.])+[A-Za-z\u3400-\u9fff]{{2,}}"
)
#: Whatever stands around an @, for what is shown of a value that is known to be wrong.
AROUND_AT = f"[^@{_BLANKS}]+{_AT}[^@{_BLANKS}]+"
#: Eleven digits or more, as people write them; a day and its hour have ten.
LONG_NUMBER = f"[0-9](?:{_GAP}[0-9]){{10,}}"


_MARK = "[,:，：]"
_MARKED_IDENTITY = (
    f"[1-9][0-9]{{5}}{_MARK}(?:1[89]|20)[0-9]{{2}}{_MARK}?(?:0[1-9]|1[0-2]){_MARK}?(?:0[1-9]|[12][0-9]|3[01]){_MARK}?[0-9]{{3}}[0-9Xx]"
    f"|[1-9][0-9]{{5}}{_MARK}[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]){_MARK}[0-9]{{3}}"
)
_MARKED_CARD = f"(?:62[0-9]{{2}}|9558)(?:{_MARK}[0-9]{{4}}){{3}}(?:{_MARK}?[0-9]{{1,3}})?"
_MARKED_PHONE = "|".join(
    (
        f"(?:(?:[+]|00)?86{_MARK}?)?1[3-9][0-9]{_MARK}[0-9]{{4}}{_MARK}[0-9]{{4}}",
        *(f"0{area}{_MARK}{local}{_MARK}?[0-9]{{4}}" for area, local in _AREAS),
    )
)
#: Numbers with commas or colons in them, in the groups in which people write identifiers, which are never those of thousands.
MARKED = f"{_MARKED_IDENTITY}|{_MARKED_CARD}|{_MARKED_PHONE}"


class Form(NamedTuple):
    """What an identifier looks like within a text.

    An ``exact`` one is only that where no digit stands right before or after it; another may be the beginning of a longer number.
    """

    name: str
    pattern: str
    exact: bool = False


#: In the order in which they are looked for: a card number holds what looks like a phone.
FORMS = (
    Form("id", _MARKED_IDENTITY),
    Form("card", _MARKED_CARD),
    Form("phone", _MARKED_PHONE, exact=True),
    Form("card", _LONG_CARD),
    Form("id", IDENTITY),
    Form("card", _BY_ISSUER),
    Form("phone", f"{_ABROAD}0?1[3-9][0-9]{{9}}", exact=True),
    Form("card", f"{CARD}|{_OLD_IDENTITY}"),
    Form("phone", f"0?{MOBILE}|{_LANDLINE}", exact=True),
)
# Every form has eleven digits, or more than three behind a comma; one search is cheaper than all replacements.
_SUSPECT = f"[0-9][0-9{SEPARATORS}]{{10}}|[0-9][,:，：][0-9]{{4}}|[@＠０-９{_ARABIC}]"
_MOBILE_WITHIN = "[0-9]*1[3-9][0-9]{9,}"


def scrub(values: pa.Array) -> pa.Array:
    """Return free text with ``[email]``, ``[id]``, ``[card]`` and ``[phone]`` for what looks like a personal identifier.

    When in doubt something is taken out: a purpose can do without a number.

    Parameters
    ----------
    values
        Strings. In those with an identifier the rest is brought into normal form NFKC too, with plain digits.

    Examples
    --------
    >>> scrub(pa.array(["还款 6222021234567890123", "电话139.1234.5678 li @ a.cn", "货款 2026-01-31"])).to_pylist()
    ['还款 [card]', '电话[phone] [email]', '货款 2026-01-31']
    """
    suspect = pc.fill_null(pc.match_substring_regex(values, _SUSPECT), False)
    if not pc.any(suspect).as_py():
        return values
    clean = pc.replace_substring_regex(_in_plain_digits(pc.utf8_normalize(values.filter(suspect), "NFKC")), EMAIL, "[email]")
    for name, pattern, exact in FORMS:
        if not exact:
            clean = pc.replace_substring_regex(clean, f"(^|[^0-9])(?:{pattern})[0-9]*", rf"\1[{name}]")
            continue
        # Twice, as the sign between two numbers is taken along with the first.
        for _ in range(2):
            clean = pc.replace_substring_regex(clean, f"(^|[^0-9])(?:{pattern})($|[^0-9])", rf"\1[{name}]\2")
    clean = pc.replace_substring_regex(clean, _MOBILE_WITHIN, "[phone]")
    return pc.replace_with_mask(values, suspect, clean)


def _in_plain_digits(values: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(values, f"[{_ARABIC}]")).as_py():
        for digit, plain in zip(_ARABIC, 2 * digits, strict=True):
            values = pc.replace_substring(values, digit, plain)
    return values


def _whole(pattern: str) -> str:
    return f"^{_GAP}(?:{pattern}){_GAP}$"


#: The whole of a value that is an identity card of 18 characters.
WHOLE_IDENTITY = _whole(IDENTITY)
#: What the whole of a value may be that is a personal identifier, for a first look at a column.
WHOLE = "|".join(
    (
        "^(?:[+]|00)?(?:86)?1[3-9][0-9]{9}$",
        "^[0-9]{14,18}[0-9Xx]$",
        f"^[+0-9]*[{SEPARATORS}][+0-9{SEPARATORS}]*[Xx]?{_GAP}$",
        "@",
    )
)
_PLAIN_CARD = f"[0-9]{{16,19}}|[0-9]{{4}}(?:{_CUT}[0-9]{{4}}){{3}}(?:{_CUT}[0-9]{{3}})?"
#: Looked for also where digits stand before or after it, and where two overlap: a number may be made of somebody's card and a serial.
_RUN_OF_IDENTITY = re.compile(f"(?=({IDENTITY}))")
_PARTS = (_OLD_IDENTITY, f"{_PLAIN_CARD}|{_BY_ISSUER}", f"{MOBILE}|{_CUT_LANDLINE}")
_PIECES = tuple(re.compile(f"(?<![0-9])(?:{part})(?![0-9])") for part in _PARTS)
#: Mobile numbers one behind the other, with nothing between them.
_MOBILES = "(?:1[3-9][0-9]{9}){2,}"
_ROW_OF_MOBILES = re.compile(f"(?<![0-9]){_MOBILES}(?![0-9])")
#: What a value may hold within it that is a personal identifier, for a first look at a column.
WITHIN = f"{IDENTITY}|(?:^|[^0-9])(?:{_OLD_IDENTITY}|{_PLAIN_CARD}|{_BY_ISSUER}|{MOBILE}|{_MOBILES}|{_CUT_LANDLINE})(?:$|[^0-9])|@"


def identities(text: str) -> list[str]:
    """Return the parts of a text that look like an identity card of 18 characters; whether they are, ``likeness`` says.

    >>> identities("T8-13912345678, 110105194912310021")
    ['110105194912310021']
    """
    return list(dict.fromkeys(match[1] for match in _RUN_OF_IDENTITY.finditer(text)))


def pieces(text: str) -> list[str]:
    """Return the parts of a text that look like a personal identifier; whether they are, ``likeness`` says.

    >>> pieces("T8-13912345678, 110105194912310021"), pieces("T20210131-000017")
    (['110105194912310021', '13912345678'], [])
    """
    found = identities(text) + [match[0] for pattern in (*_PIECES, re.compile(EMAIL)) for match in pattern.finditer(text)]
    found += [row[0][place : place + 11] for row in _ROW_OF_MOBILES.finditer(text) for place in range(0, len(row[0]), 11)]
    return list(dict.fromkeys(found))


_ADDRESS = f"^[{_BLANKS}]*[^@,;<>{_BLANKS}]+{_AT}[^@,;<>.{_BLANKS}]+(?:[.][^@,;<>.{_BLANKS}]+)+[{_BLANKS}]*$"
#: Numbers that bank cards are issued under, each with its lengths: UnionPay, an older Chinese debit card, Visa, Mastercard, JCB. A serial
#: number of as many digits begins with any other.
_ISSUED = "^(?:62[0-9]{14,17}|9558[0-9]{15}|4[0-9]{15}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|35[0-9]{14})$"
#: Digits of the longest card. From the last place on every second digit counts twice, and less 9 where that has two digits.
_LONGEST = 19


def likeness(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return which identifiers whole values look like, and the values without what stands between their signs.

    Returns
    -------
    kinds : pa.Array of string
        ``cnid`` (18 characters or 15 digits with a day of birth among them), ``phone`` (a mobile number of China, or a landline cut
        after its area), ``email``,
        ``account`` (a number under which bank cards are issued, with its check digit); null for what looks like none of them.
    bare : pa.Array of string
        Letters in capitals; without the separators, or of an address without blanks.

    Examples
    --------
    >>> kinds, bare = likeness(pa.array(["138-0013 8000", "6222 0200 0000 0007", "6222 0200 0000 0008", "L-2020-17"]))
    >>> kinds.to_pylist(), bare[0].as_py()
    (['phone', 'account', None, None], '13800138000')
    """
    bare = pc.ascii_upper(pc.replace_substring_regex(values, f"[{SEPARATORS}]+", ""))
    number = pc.match_substring_regex(values, _whole(f"{CARD}|{_OLD_IDENTITY}"))
    old = pc.and_(number, pc.match_substring_regex(bare, _whole(_OLD_IDENTITY)))
    identity = pc.or_(old, pc.match_substring_regex(values, WHOLE_IDENTITY))
    phone = pc.match_substring_regex(values, _whole(f"{MOBILE}|{_CUT_LANDLINE}"))
    email = pc.match_substring_regex(values, _ADDRESS)
    card = pc.and_(number, pc.match_substring_regex(bare, _ISSUED))
    card = pc.and_(card, _with_check_digit(pc.if_else(pc.fill_null(card, False), bare, "")))
    kinds = pc.case_when(pc.make_struct(identity, phone, email, card), "cnid", "phone", "email", "account")
    return kinds, pc.if_else(email, pc.replace_substring_regex(values, f"[{_BLANKS}]+", ""), bare)


def _with_check_digit(numbers: pa.Array) -> pa.Array:
    """Tell which numbers of at most 19 digits have the check digit of ISO/IEC 7812 (Luhn)."""
    # Zeros in front change nothing; all values then lie in one block, a row each.
    padded = pc.utf8_lpad(numbers, _LONGEST, "0").buffers()[2] or b""
    places = np.frombuffer(padded, np.uint8, len(numbers) * _LONGEST).reshape(-1, _LONGEST).T - ord("0")
    doubled = places[1::2].astype(np.uint16)
    total = places[::2].sum(axis=0, dtype=np.uint16) + (2 * doubled - 9 * (doubled > 4)).sum(axis=0, dtype=np.uint16)
    return pa.array(total % 10 == 0)
