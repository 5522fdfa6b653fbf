"""How the graph's ids are made of numbers, and which numbers are hidden on the way.

Knows the form of an id (label, system, value) and that a number may be a personal identifier, or hold one; the same function makes
the id of a clear value and of a cell that a file delivers, so that both meet.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Protocol

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import UsageError
from kg.identifiers import IdentifierError, canonical, canonical_or_none, unknown
from kg.personal import IDENTITY, WHOLE, WHOLE_IDENTITY, WITHIN, identities, likeness, pieces

_PLACES = {"cnid": "person:cnid", "account": "account:{}", "device": "device:{}", "phone": "contact:phone", "email": "contact:email"}
_OWN_NUMBERS = ("company", "person", "loan", "court_case")


class Tokens(Protocol):
    """What makes keyed tokens: ``kg.privacy.Keyring``."""

    def token(self, kind: str, value: str) -> str:
        """Return the token of a canonical value."""

    def tokens(self, kind: str, values: pa.Array) -> pa.Array:
        """Return the tokens of canonical values."""


class Disguise(NamedTuple):
    """A personal identifier that stands in the place of another number."""

    kind: str
    value: str


class GraphId(NamedTuple):
    """An id of the graph in its parts."""

    prefix: str
    namespace: str
    value: str


def disguised(values: pa.Array) -> dict[str, Disguise]:
    """Return those of these values that are personal identifiers, by what the token of each is made of.

    Parameters
    ----------
    values
        Distinct values in normal form NFKC, each meant for a number of another kind: of a loan, of a company, of a record.

    Returns
    -------
    dict
        By value: ``cnid``, ``phone``, ``email`` or ``account`` with the canonical spelling. An identity card with a mistake is
        a ``record``: it is hidden but names nobody. A valid unified social credit code is none of them.

    Examples
    --------
    >>> disguised(pa.array(["L-17", "139-1234-5678", "110105194912310021"]))["139-1234-5678"]
    Disguise(kind='phone', value='13912345678')
    """
    kinds, bare = likeness(values)
    like = kinds.is_valid()
    found = {}
    for value, kind, spelled in zip(*(column.filter(like).to_pylist() for column in (values, kinds, bare)), strict=True):
        number = canonical_or_none(kind, spelled)
        if (kind == "cnid" and number) or canonical_or_none("uscc", spelled) is None:
            found[value] = Disguise(kind, number) if number else Disguise("record", spelled)
    return found


def shielded(texts: pa.Array, keyring: Tokens, before: str = "", before_card: str = "", *, only_cards: bool = False) -> pa.Array:
    """Return texts with a prefix; personal identifiers among them and within them, which have no business there, as tokens.

    A number of the source's own stays as it stands, for people must find it in the source. It is hidden where the whole of it
    is a personal identifier (`disguised`), by the token that it has in a column of its own: references still meet. Of a longer
    one that holds a personal identifier, that part alone is hidden.

    Parameters
    ----------
    texts
        In normal form NFKC, without blanks around them.
    before, before_card
        Prefix of texts, and that of valid identity cards.
    only_cards
        Hide valid identity cards of 18 characters alone, as wholes and as parts: the bank's own customer numbers may look like
        anything else.
    """
    plain = joined(before, texts) if before else texts
    whole = _found(texts, WHOLE_IDENTITY if only_cards else WHOLE)
    if only_cards:
        whole = {text: of for text, of in whole.items() if of.kind == "cnid"}
    tokens = _tokens(set(whole.values()), keyring)
    shown = {text: (before_card if of.kind == "cnid" else before) + tokens[of] for text, of in whole.items()}
    parts = _within(texts, keyring, only_cards=only_cards)
    shown |= {text: before + changed for text, changed in parts.items() if text not in shown}
    if not shown:
        return plain
    place = pc.index_in(texts, value_set=pa.array(list(shown), pa.string()))
    return pc.if_else(pc.is_valid(place), pa.array(list(shown.values()), pa.string()).take(place), plain)


def joined(*parts: str | pa.Array) -> pa.Array:
    """Join texts end to end; null where any of them is null.

    >>> joined("loan:", pa.array(["1", None])).to_pylist()
    ['loan:1', None]
    """
    return pc.binary_join_element_wise(*parts, "")


def without_identifiers(text: str) -> str:
    """Return a text for people, such as the name of a file, with ``[cnid]`` or the like for each personal identifier in it.

    >>> without_identifiers("transfers_20210131.csv"), without_identifiers("刘_13912345678.csv")
    ('transfers_20210131.csv', '刘_[phone].csv')
    """
    found = disguised(pa.array(pieces(text), pa.string()))
    return _replaced(text, {part: f"[{of.kind}]" for part, of in found.items() if _stands(text, part, of)})


def graph_id(kind: str, clear: str, tokens: Tokens, namespace: str = "bank") -> str:
    """Return the graph's id of a clear value.

    Parameters
    ----------
    kind
        ``uscc``, ``cnid``, ``account``, ``device``, ``phone``, ``email``; or ``company``, ``person``, ``loan``,
        ``court_case`` for a source's own number, which is hidden where it is a personal identifier, as it is when a file is read.
    namespace
        The system (or, for an account, the bank) that the number belongs to; not used for ``uscc``, ``cnid``,
        ``phone`` and ``email``, which are the same everywhere.

    Raises
    ------
    IdentifierError
        If the value is not valid; for a ``person`` also if it is an identity card with a mistake in it.
    UsageError
        If there is no such kind.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from kg.privacy import Keyring
    >>> keyring = Keyring.create(Path(tempfile.mkdtemp()) / "keys")
    >>> graph_id("loan", "L-1", keyring, "crm")
    'loan:crm:L-1'
    >>> len(graph_id("account", "6222 0000 0000 0000", keyring, "ICBC"))
    37
    """
    if kind == "uscc":
        return f"company:uscc:{canonical('uscc', clear)}"
    if kind in _OWN_NUMBERS:
        return _own_id(kind, unicodedata.normalize("NFKC", clear).strip(), tokens, namespace)
    refuse_unknown(kind)
    return f"{_PLACES[kind].format(namespace)}:{tokens.token(kind, canonical(kind, clear))}"


def refuse_unknown(kind: str) -> None:
    """Refuse a kind of id that there is none of.

    Raises
    ------
    UsageError
        With the nearest name, or all of them.
    """
    known = ("uscc", *_PLACES, *_OWN_NUMBERS)
    if kind not in known:
        raise unknown(kind, "id", known)


def split_id(id_: str) -> GraphId:
    """Return an id in its parts; the value may hold colons itself.

    >>> split_id("loan:crm:2020:17")
    GraphId(prefix='loan', namespace='crm', value='2020:17')
    """
    prefix, first, rest = id_.partition(":")
    namespace, second, value = rest.partition(":")
    if not (prefix and first and namespace and second and value):
        raise UsageError("an id of the graph has three parts with colons between, such as company:uscc:91110000600037341L")
    return GraphId(prefix, namespace, value)


def label_of(id_: str) -> str:
    """Return the label of the node that an id names.

    >>> label_of("court_case:court:17")
    'CourtCase'
    """
    return "".join(word.capitalize() for word in split_id(id_).prefix.split("_"))


def prefix_of(id_: ir.StringValue) -> ir.StringValue:
    """Return the first part of ids, which names the label."""
    return id_.re_extract("^([a-z_]+):", 1)


def _own_id(kind: str, value: str, tokens: Tokens, namespace: str) -> str:
    """Return the id that is made of a source's own number."""
    if not value:
        raise IdentifierError(kind)
    one = pa.array([value])
    found = disguised(one).get(value)
    if kind == "person" and found is not None and found.kind == "record":
        canonical("cnid", found.value)
    home = f"{kind}:{namespace}:"
    return str(shielded(one, tokens, home, "person:cnid:" if kind == "person" else home)[0].as_py())


def _found(texts: pa.Array, pattern: str) -> dict[str, Disguise]:
    """Return the texts of a pattern that are personal identifiers; only distinct ones of the pattern are looked at."""
    like = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return disguised(texts.filter(like).unique()) if pc.any(like).as_py() else {}


def _within(texts: pa.Array, keyring: Tokens, *, only_cards: bool) -> dict[str, str]:
    """Return the texts that hold a personal identifier, with a token in the place of each; or those that hold a valid identity card."""
    like = pc.fill_null(pc.match_substring_regex(texts, IDENTITY if only_cards else WITHIN), False)
    if not pc.any(like).as_py():
        return {}
    parts = {text: (identities if only_cards else pieces)(text) for text in texts.filter(like).unique().to_pylist()}
    found = disguised(pa.array({part for own in parts.values() for part in own}, pa.string()))
    if only_cards:
        found = {part: of for part, of in found.items() if of.kind == "cnid"}
    tokens = _tokens(set(found.values()), keyring)
    shown = {part: tokens[of] for part, of in found.items()}
    hidden = {text: [part for part in own if part in found and _stands(text, part, found[part])] for text, own in parts.items()}
    return {text: _replaced(text, {part: shown[part] for part in own}) for text, own in hidden.items() if own}


def _stands(text: str, part: str, of: Disguise) -> bool:
    """Say whether a part of a text is to be hidden: in a longer run of digits only what is valid, for anything may stand there."""
    return of.kind != "record" or re.search(f"(?<![0-9]){re.escape(part)}(?![0-9])", text) is not None


def _tokens(found: set[Disguise], keyring: Tokens) -> dict[Disguise, str]:
    tokens: dict[Disguise, str] = {}
    for kind in sorted({of.kind for of in found}):
        own = [of for of in found if of.kind == kind]
        tokens |= zip(own, keyring.tokens(kind, pa.array([of.value for of in own])).to_pylist(), strict=True)
    return tokens


def _replaced(text: str, parts: dict[str, str]) -> str:
    """Replace parts of a text, the longest first, in one go: nothing is looked for in what was put in."""
    if not parts:
        return text
    pattern = "|".join(re.escape(part) for part in sorted(parts, key=len, reverse=True))
    return re.sub(pattern, lambda found: parts[found[0]], text)
