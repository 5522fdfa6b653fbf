"""Valid numbers: credit codes, identity cards, phones, cards.

Knows the check digits of GB 32100, GB 11714, GB 11643 and ISO/IEC 7812 over whole columns. The identity cards bear
region codes that were never assigned, so none is a living person's.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from loaders.city.draw import Ints, shuffled
from loaders.city.text import Bytes, fixed, places

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC_WEIGHTS = np.array([3**place % 31 for place in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_CARD_WEIGHTS = np.array([2 ** (17 - place) % 11 for place in range(17)])
#: Within a province no prefecture was ever numbered from 95 to 98.
_NEVER = (95, 96, 97, 98)
_PROVINCES = np.array([11, 12, 13, 14, 21, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 50, 51, 52, 53, 61, 62])
_MOBILE = np.array([134, 135, 136, 137, 138, 139, 150, 151, 152, 158, 159, 180, 181, 182, 186, 187, 188, 189, 199])


def _signs(alphabet: str) -> Bytes:
    return np.frombuffer(alphabet.encode(), np.uint8)


def _values(alphabet: str) -> Ints:
    table = np.zeros(128, np.int64)
    table[_signs(alphabet)] = np.arange(len(alphabet))
    return table


def uscc(number: Ints, region: Ints) -> pa.Array:
    """Return the unified social credit code of companies by their number and the region (six digits) that registered them.

    >>> uscc(np.array([0]), np.array([330106])).to_pylist()
    ['91330106MAR03FYBX1']
    """
    body = np.empty((number.size, 18), np.uint8)
    body[:, :2] = _signs("91")
    body[:, 2:8] = places(region, 6) + np.uint8(ord("0"))
    body[:, 8:10] = _signs("MA")
    rest = shuffled(number + 31**5, 31**6)
    for place in range(15, 9, -1):
        rest, digit = np.divmod(rest, 31)
        body[:, place] = _signs(_USCC)[digit]
    check = -(_values(_ORGANISATION)[body[:, 8:16]] @ _ORGANISATION_WEIGHTS) % 11
    body[:, 16] = _signs("0123456789X")[check]
    body[:, 17] = _signs(_USCC)[-(_values(_USCC)[body[:, :17]] @ _USCC_WEIGHTS) % 31]
    return fixed(body)


def unassigned_region(number: Ints) -> Ints:
    """Return a region code that no county ever had, for numbers spread over them at will."""
    province, rest = _PROVINCES[number % _PROVINCES.size], number // _PROVINCES.size
    code: Ints = province * 10_000 + np.array(_NEVER)[rest % len(_NEVER)] * 100 + 1 + rest // len(_NEVER) % 20
    return code


def cnid(region: Ints, born: Ints, serial: Ints) -> pa.Array:
    """Return resident identity numbers.

    Parameters
    ----------
    region
        Six digits.
    born
        Days since 1970-01-01.
    serial
        The three digits that tell those of one region and day apart.
    """
    day = born.astype("datetime64[D]")
    year, month = day.astype("datetime64[Y]").astype(np.int64) + 1970, day.astype("datetime64[M]").astype(np.int64) % 12 + 1
    in_month = (day - day.astype("datetime64[M]")).astype(np.int64) + 1
    numbers = np.hstack([places(region, 6), places(year * 10_000 + month * 100 + in_month, 8), places(serial, 3)])
    check = (12 - numbers.astype(np.int64) @ _CARD_WEIGHTS) % 11
    return fixed(np.hstack([numbers + np.uint8(ord("0")), _signs("0123456789X")[check][:, None]]))


def phone(number: Ints) -> pa.Array:
    """Return mobile numbers, another one for each number below 10 ** 8 and many beyond.

    >>> phone(np.array([0, 1])).to_pylist()
    ['13400104729', '13507473516']
    """
    head, rest = _MOBILE[(number + number // 10**8) % _MOBILE.size], shuffled(number, 10**8)
    return fixed(places(head * 10**8 + rest, 11) + np.uint8(ord("0")))


def card(number: Ints, prefix: int) -> pa.Array:
    """Return numbers of bank cards: six digits of the issuer, twelve of the card, the check digit of Luhn.

    >>> from stdnum import luhn
    >>> all(luhn.is_valid(text) for text in card(np.arange(500), 622202).to_pylist())
    True
    """
    body = np.hstack([places(np.full(number.size, prefix), 6), places(shuffled(number, 10**12), 12)])
    doubled = body[:, ::-1][:, ::2].astype(np.int64) * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + body[:, ::-1][:, 1::2].sum(axis=1)
    return fixed(np.hstack([body, (-total % 10).astype(np.uint8)[:, None]]) + np.uint8(ord("0")))
