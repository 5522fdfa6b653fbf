"""What counts as a valid identifier, and how it is spelled.

Knows the Chinese numbers (unified social credit code, resident identity number, phones) and the shape of the others;
hides their check digits. Codes of companies are checked by an expression over whole columns; personal identifiers
one by one, as only a batch's distinct values are looked at. No error here repeats the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date

import ibis
import ibis.expr.types as ir
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from kg.errors import UsageError, did_you_mean

#: GB 32100: digits and letters without I, O, S, V, Z; the place of a character is its value.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# The first place names the authority, which is never 0 (eighteen zeros stand where there is no code, and pass both checks); a later
# amendment added A, N and Y to the digits of the first issue.
_USCC_FORM = f"^[1-9ANY][0-9]{{7}}[{USCC_ALPHABET}]{{10}}$"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
#: GB 11714: the organisation code stands in places 9 to 17 of the code; letters count from A = 10.
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS = "0X987654321"


class IdentifierError(ValueError):
    """A value that is no identifier of its kind; ``rule`` names what it breaks, and the value is not repeated."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"the value breaks the rule '{rule}'")
        self.rule = rule


def uscc_spelled(text: ir.StringValue) -> ir.StringValue:
    """Return a code in capitals, without the spaces and dashes that people put in it."""
    return text.upper().replace(" ", "").replace("-", "")


def uscc_fault(code: ir.StringValue) -> ir.StringValue:
    """Return the rule that a unified social credit code breaks, null where it is valid.

    Parameters
    ----------
    code
        Codes as ``uscc_spelled`` gives them.

    Returns
    -------
    string
        ``uscc`` (length and alphabet), ``uscc_check`` (check digit of GB 32100, mod 31), ``uscc_organisation``
        (check digit of the organisation code within, GB 11714: an identity number can pass the other two), or null.

    Examples
    --------
    >>> ibis.duckdb.connect().to_pyarrow(uscc_fault(ibis.literal("362322198709086409"))).as_py()
    'uscc_organisation'
    """
    total = _weighted(code, 0, USCC_ALPHABET, _USCC_WEIGHTS)
    organisation = _weighted(code, 8, _ORGANISATION_ALPHABET, _ORGANISATION_WEIGHTS) % 11
    return ibis.cases(
        (code.isnull(), ibis.null("string")),
        (~code.re_search(_USCC_FORM), ibis.literal("uscc")),
        ((total + _value(code, 17, USCC_ALPHABET)) % 31 != 0, ibis.literal("uscc_check")),
        (ibis.literal(_ORGANISATION_CHECKS).find(code.substr(16, 1)) != organisation, ibis.literal("uscc_organisation")),
    )


def canonical(kind: str, text: str) -> str:
    """Return the one spelling of an identifier, which for a personal one is what its token is made of.

    Parameters
    ----------
    kind
        ``uscc`` (18 characters), ``cnid`` (18 characters; an old one of 15 digits is made one of 18), ``phone`` (national digits in China,
        ``+`` and digits elsewhere), ``email`` (lower case), ``account`` (capitals, no spaces or dashes) or
        ``device`` (capitals).
    text
        The value as a person or a file gives it.

    Raises
    ------
    IdentifierError
        If the value is none of that kind; its ``rule`` is the kind, or ``cnid_check``, ``cnid_birth``, or one of
        those of ``uscc_fault``.
    UsageError
        If there is no such kind.

    Examples
    --------
    >>> canonical("phone", "+86 139-1234-5678")
    '13912345678'
    >>> canonical("cnid", "360426910101007")
    '360426199101010071'
    """
    if kind not in _CANONICAL:
        raise unknown(kind, "identifier", _CANONICAL)
    return _CANONICAL[kind](unicodedata.normalize("NFKC", text).strip())


def county_is_known(cnid: str) -> bool:
    """Say whether an identity number's county was one when its bearer was born; if not, that is worth a warning.

    >>> county_is_known("360426199101010071"), county_is_known("999999199101010076")
    (True, False)
    """
    try:
        ric.get_birth_place(cnid)
    except (InvalidComponent, KeyError):  # KeyError: the province is one, the county none
        return False
    return True


def canonical_or_none(kind: str, text: str) -> str | None:
    """Return the canonical spelling of an identifier, or None if it is none of its kind."""
    try:
        return canonical(kind, text)
    except IdentifierError:
        return None


def _value(code: ir.StringValue, place: int, alphabet: str) -> ir.IntegerValue:
    return ibis.literal(alphabet).find(code.substr(place, 1))


def _weighted(code: ir.StringValue, start: int, alphabet: str, weights: tuple[int, ...]) -> ir.IntegerValue:
    """Return the sum of the characters' values, each times its weight."""
    terms = [_value(code, start + place, alphabet) * weight for place, weight in enumerate(weights)]
    return sum(terms[1:], terms[0])


def _cnid(text: str) -> str:
    number = re.sub("[ -]", "", text).upper()
    if re.fullmatch("[0-9]{15}", number):
        # Numbers 996 to 999 of a day were kept for people of a hundred years and more.
        body = number[:6] + ("18" if number[12:] >= "996" else "19") + number[6:]
        number = body + ric.calc_check_digit(body + "0")
    elif not re.fullmatch("[0-9]{17}[0-9X]", number):
        raise IdentifierError("cnid")
    elif number[-1] != ric.calc_check_digit(number):
        raise IdentifierError("cnid_check")
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise IdentifierError("cnid_birth") from None
    return number


_MOBILE = "1[3-9][0-9]{9}"
# Area codes have two digits for the largest cities (10, 2x) and three elsewhere; service numbers begin with 400 or 800.
_LANDLINE = "0(?:10|2[0-9])[2-9][0-9]{7}|0[3-9][0-9]{2}[2-9][0-9]{6,7}"
_SERVICE = "[48]00[0-9]{7}"
_NATIONAL = re.compile(f"{_MOBILE}|{_LANDLINE}|{_SERVICE}")
_EXTENSION = re.compile(r"(?:转|ext\.?|#|(?<=[0-9]{7})-) *[0-9]{1,6}$", re.IGNORECASE)


def _phone(text: str) -> str:
    # An extension leads to a desk, the number to the company: it is dropped where the whole is no number.
    for spelled in (text, _EXTENSION.sub("", text)):
        digits = re.sub(r"[ ().\-]", "", spelled)
        number = _national(digits) or _abroad(digits)
        if number:
            return number
    raise IdentifierError("phone")


def _national(digits: str) -> str | None:
    """Return the national number of a Chinese phone, or None if it is not one."""
    number = re.sub(r"^(?:\+86|0086|86(?=[0-9]{10}))", "", digits)
    # From abroad a landline is dialled without the 0 of its area code.
    spellings = (number,) if number == digits else (number, f"0{number}")
    return next((spelled for spelled in spellings if _NATIONAL.fullmatch(spelled)), None)


def _abroad(digits: str) -> str | None:
    """Return another country's number as E.164 has it, or None if it is not one."""
    found = re.fullmatch(r"(?:\+|00)([1-9][0-9]{6,14})", digits)
    return f"+{found[1]}" if found and not found[1].startswith("86") else None


def _email(text: str) -> str:
    address = text.lower()
    if len(address) > 254 or not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+", address):
        raise IdentifierError("email")
    return address


def _account(text: str) -> str:
    number = re.sub("[ -]", "", text).upper()
    if not re.fullmatch("[0-9A-Z]{4,40}", number):
        raise IdentifierError("account")
    return number


def _device(text: str) -> str:
    name = text.upper()
    if not 1 <= len(name) <= 200:
        raise IdentifierError("device")
    return name


def _uscc(text: str) -> str:
    code = re.sub("[ -]", "", text).upper()
    if not re.fullmatch(_USCC_FORM, code):
        raise IdentifierError("uscc")
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(code, (*_USCC_WEIGHTS, 1), strict=True))
    if total % 31:
        raise IdentifierError("uscc_check")
    organisation = sum(_ORGANISATION_ALPHABET.index(c) * w for c, w in zip(code[8:16], _ORGANISATION_WEIGHTS, strict=True))
    if code[16] != _ORGANISATION_CHECKS[organisation % 11]:
        raise IdentifierError("uscc_organisation")
    return code


def unknown(kind: str, what: str, known: Iterable[str]) -> UsageError:
    """Return the error that there is no kind of that name."""
    names = tuple(known)
    return UsageError(f"no kind of {what} named '{kind}'{did_you_mean(kind, names) or '; known are ' + ', '.join(names)}")


_CANONICAL: dict[str, Callable[[str], str]] = {
    "uscc": _uscc,
    "cnid": _cnid,
    "phone": _phone,
    "email": _email,
    "account": _account,
    "device": _device,
}
