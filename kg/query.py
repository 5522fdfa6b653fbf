"""The analysts' library of queries, and how the parameters of a query are given; it knows no Neo4j.

A query is a file ``kg/queries/<name>.cypher`` whose head, in comment lines, says what it answers (the
first paragraph), its parameters (``$name  what it is; default 20``) and an example::

    // The shares that a party holds, the biggest first.
    //
    // $party  id of the company or person
    //
    // Example: kgfraud query --name holdings -p party=company:crm:1001
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from kg.errors import UsageError, did_you_mean

_PARAMETER = re.compile(r"\$(?P<name>\w+)\s+(?P<about>.*?)(; default (?P<default>.+))?$")
_CLEAR = re.compile(r"@(?P<kind>\w+)(:(?P<namespace>[^:]+))?:-$")
#: What ``@kind:-`` may say → the kind of identifier that it is.
CLEAR_KINDS = {
    "account": "account",
    "cnid": "cnid",
    "person": "cnid",
    "uscc": "uscc",
    "company": "uscc",
    "phone": "phone",
    "email": "email",
    "device": "device",
}
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a named query; ``default`` is None where it must be given."""

    name: str
    about: str
    default: Any = None


@dataclass(frozen=True)
class NamedQuery:
    """A query of the library."""

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    example: str
    text: str

    def filled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that it runs with.

        Raises
        ------
        UsageError
            If one is missing or unknown.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                raise UsageError(f"the query {self.name} has no parameter '{name}'{did_you_mean(name, known)}; it takes {', '.join(known)}")
        for p in self.parameters:
            if p.name not in given and p.default is None:
                raise UsageError(f"the query {self.name} lacks -p {p.name}=… ({p.about}); for example: {self.example}")
        return {p.name: given.get(p.name, p.default) for p in self.parameters}

    @property
    def example_parameters(self) -> dict[str, Any]:
        """The parameters of the example."""
        words = shlex.split(self.example)
        pairs = [words[place + 1] for place, word in enumerate(words) if word == "-p"]
        return read_parameters(pairs, _no_clear_value)


def names() -> tuple[str, ...]:
    """Return the names of the library.

    >>> "holdings" in names()
    True
    """
    return tuple(sorted(file.name.removesuffix(".cypher") for file in _folder().iterdir() if file.name.endswith(".cypher")))


def named(name: str) -> NamedQuery:
    """Return a query of the library.

    >>> named("holdings").parameters[0].name
    'party'
    >>> named("holding")
    Traceback (most recent call last):
    kg.errors.UsageError: no query named 'holding'; did you mean 'holdings'? (kgfraud query --list shows them)
    """
    if name not in names():
        raise UsageError(f"no query named '{name}'{did_you_mean(name, names())} (kgfraud query --list shows them)")
    return parse(name, _folder().joinpath(f"{name}.cypher").read_text("utf-8"))


def parse(name: str, text: str) -> NamedQuery:
    """Read a query file.

    Raises
    ------
    UsageError
        If its head does not say what it answers or gives no example.
    """
    lines = text.splitlines()
    size = next((place for place, line in enumerate(lines) if not line.startswith("//")), len(lines))
    head = [line[2:].strip() for line in lines[:size]]
    found = [match for line in head if (match := _PARAMETER.match(line))]
    parameters = tuple(Parameter(m["name"], m["about"].rstrip(), None if m["default"] is None else scalar(m["default"])) for m in found)
    example = next((line.removeprefix("Example:").strip() for line in head if line.startswith("Example:")), "")
    about = " ".join(head[: head.index("")] if "" in head else head)
    if not about or not example:
        raise UsageError(f"the query {name} must begin with comment lines that say what it answers, its parameters and an example")
    return NamedQuery(name, about, parameters, example, "\n".join(lines[size:]).strip())


def read_parameters(pairs: Iterable[str], clear: Callable[[str, str | None], str]) -> dict[str, Any]:
    """Return parameters given as ``name=value``.

    Parameters
    ----------
    clear
        Gives the graph's id for ``@kind:-`` or ``@kind:bank:-``: called with the kind of identifier and the bank or None, it
        reads the clear value itself, so that no such value stands in the shell's history.

    Examples
    --------
    >>> read_parameters(["n=3", "name=甲", "acc=@account:ICBC:-"], lambda kind, bank: f"{kind} of {bank}")
    {'n': 3, 'name': '甲', 'acc': 'account of ICBC'}
    """
    given: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.isidentifier() and equals):
            raise UsageError("a parameter is given as -p name=value, the name without '$'")
        if name in given:
            raise UsageError(f"the parameter '{name}' is given twice")
        given[name] = _clear(name, value, clear) if value.startswith("@") else scalar(value)
    return given


def _clear(name: str, value: str, clear: Callable[[str, str | None], str]) -> str:
    match = _CLEAR.match(value)
    if match is None:
        raise UsageError(f"-p {name}=@… reads a clear value from standard input; write @account:- or @account:BANK:-")
    kind = match["kind"]
    if kind not in CLEAR_KINDS:
        raise UsageError(
            f"-p {name}: there is no kind of clear value '{kind}'{did_you_mean(kind, CLEAR_KINDS)}; these are: {', '.join(CLEAR_KINDS)}"
        )
    return clear(CLEAR_KINDS[kind], match["namespace"])


def scalar(text: str) -> Any:
    """Return a value as JSON reads it (number, true, false, null, a text in quotes, a list), else the text itself.

    >>> [scalar(text) for text in ("3", "0.8", "true", "null", '"3"', "2022-01", "007", "NaN")]
    [3, 0.8, True, None, '3', '2022-01', '007', 'NaN']
    """
    try:
        text.encode()
        value = json.loads(text, parse_constant=_no_constant, parse_int=_int64)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UsageError("a parameter holds characters that are no text (half of a surrogate pair, or bytes that are not UTF-8)") from None
    except RecursionError:
        raise UsageError("a parameter is nested too deeply") from None
    except ValueError:
        return text
    return value


def _int64(text: str) -> int:
    value = int(text)
    if value not in _INT64:
        raise UsageError(f"{text} is too large a number for the graph, which holds 64 bits; put it in quotes if it is a text")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _no_clear_value(_kind: str, _bank: str | None) -> str:
    raise UsageError("an example gives no clear value")


def _folder() -> Traversable:
    return files("kg").joinpath("queries")
