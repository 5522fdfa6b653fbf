"""What is done to the cells of a column: normal form, tokens. Columns in, columns out.

Python loops here run over the distinct values of a batch, never over its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.identifiers import IdentifierError, canonical
from kg.ids import disguised
from kg.personal import WHOLE_IDENTITY
from kg.privacy import Keyring, base32
from loaders.plan import normal

#: Texts that are canonical as they stand, so that a whole column of them needs no look at each.
AS_IT_STANDS = {"account": r"^[0-9A-Z]{4,40}$", "phone": r"^1[3-9][0-9]{9}$"}
_NULL = pa.scalar(None, pa.string())
#: Characters of which NFKC makes digits though they are no digit of a number: raised, lowered and circled ones, fractions, days, areas.
_NO_DIGITS = (
    "[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u2079\u2080-\u2089\u2150-\u215f\u2189\u2460-\u249b\u24ea\u3251-\u325f\u32b1-\u32cb\u3358-\u3370"
    "\u3378\u3379\u339f-\u33a6\u33a8\u33af\u33e0-\u33fe\U0001f100-\U0001f10a]"
)
#: What a cell with such a character is read as: no number, and nothing of it is shown.
NO_NUMBER = pa.scalar("?", pa.string())


def normalised(texts: pa.Array) -> pa.Array:
    """Return texts in NFKC without blanks around them; blank ones become null.

    >>> normalised(pa.array([" １２ ", "　", None])).to_pylist()
    ['12', None, None]
    """
    if pc.all(pc.string_is_ascii(texts)).as_py() is False:
        # NFKC first: it makes plain blanks of the wide and the unbreakable ones, which are then trimmed.
        texts = pc.utf8_trim_whitespace(pc.utf8_normalize(texts, "NFKC"))
    else:
        texts = pc.ascii_trim_whitespace(texts)
    empty = pc.equal(pc.binary_length(texts), 0)
    return pc.if_else(empty, _NULL, texts) if pc.any(empty).as_py() else texts


def no_numbers(texts: pa.Array) -> pa.Array | None:
    """Say which texts, before they are in normal form, hold digits that are none of a number; None where no text does.

    >>> no_numbers(pa.array(["12²", "１２", None])).to_pylist()
    [True, False, False]
    """
    if pc.all(pc.string_is_ascii(texts)).as_py() is not False:
        return None
    found = pc.fill_null(pc.match_substring_regex(texts, _NO_DIGITS), False)
    return found if pc.any(found).as_py() else None


def translated(texts: pa.Array, values: Mapping[str, str] | None) -> pa.Array:
    """Replace the values that are named; the others stay.

    >>> translated(pa.array(["是", "?"]), {"是": "true"}).to_pylist()
    ['true', '?']
    """
    if not values:
        return texts
    words = pa.array([normal(word) for word in values], pa.string())
    meanings = pa.array([normal(meaning) or None for meaning in values.values()], pa.string())
    place = pc.index_in(texts, value_set=words, skip_nulls=True)
    return pc.if_else(pc.is_valid(place), meanings.take(place), texts)


def tokenised(kind: str, texts: pa.Array, keyring: Keyring) -> tuple[pa.Array, pa.Array | None]:
    """Return the tokens of personal identifiers, and the rule that each wrong one breaks (None if none is wrong).

    A wrong one has no token: its cell is null.
    """
    encoded = texts.dictionary_encode()
    values: list[str] = encoded.dictionary.to_pylist()
    rules: dict[int, str] = {}
    for place in _to_look_at(kind, encoded.dictionary):
        try:
            values[place] = canonical(kind, values[place])
        except IdentifierError as error:
            rules[place] = error.rule
    tokens = base32(keyring.digests(kind, values)).take(encoded.indices)
    if not rules:
        return tokens, None
    faults = pa.array([rules.get(place) for place in range(len(values))], pa.string()).take(encoded.indices)
    return pc.if_else(pc.is_valid(faults), _NULL, tokens), faults


def _to_look_at(kind: str, distinct: pa.Array) -> list[int]:
    """Return the places of the values that may not be canonical."""
    if kind not in AS_IT_STANDS:
        return list(range(len(distinct)))
    places: list[int] = np.flatnonzero(~pc.match_substring_regex(distinct, AS_IT_STANDS[kind]).to_numpy(zero_copy_only=False)).tolist()
    return places


def cards(texts: pa.Array) -> pa.Array | None:
    """Tell which texts are valid identity card numbers of 18 characters; None if none is."""
    like = texts.filter(pc.fill_null(pc.match_substring_regex(texts, WHOLE_IDENTITY), False)).unique()
    found = [text for text, of in disguised(like).items() if of.kind == "cnid"] if len(like) else []
    return pc.is_in(texts, value_set=pa.array(found, pa.string())) if found else None


def valid(kind: str, texts: pa.Array, asked: pa.Array) -> pa.Array | None:
    """Tell which texts, of those asked about, are valid identifiers of a kind; None if none is."""
    found = []
    for text in texts.filter(asked).unique().to_pylist():
        with suppress(IdentifierError):
            canonical(kind, text)
            found.append(text)
    return pc.is_in(texts, value_set=pa.array(found, pa.string())) if found else None
