"""The errors a user can meet, each with the exit code of the command that ends with it.

::

    KgfraudError                    1  the run failed
    ├── UsageError                  2  a wrong option, name or setting
    ├── GateError                   3  data refused at a gate; nothing was changed
    ├── DependencyError             4  Neo4j, Java, disk or memory is missing
    └── VerificationError           5  a signature, digest or comparison does not hold

A message says what, where, which value and the next step, and carries no personal data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches


class KgfraudError(Exception):
    """Base of all errors that are meant for the user; the message is the whole text shown."""

    exit_code = 1


class UsageError(KgfraudError):
    """A wrong option, argument, name or setting."""

    exit_code = 2


class GateError(KgfraudError):
    """A delivery was refused at a gate, before anything was changed."""

    exit_code = 3


class DependencyError(KgfraudError):
    """Something outside the program is missing: Neo4j, Java, disk space."""

    exit_code = 4


class VerificationError(KgfraudError):
    """A signature, a digest or a comparison does not hold."""

    exit_code = 5


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known spelling in any case, or an empty string.

    >>> did_you_mean("sharholders", ["companies", "Shareholders"])
    "; did you mean 'Shareholders'?"
    >>> did_you_mean("zzz", ["companies", "shareholders"])
    ''
    """
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


def did_you_mean_one_of(word: str, known: Collection[str]) -> str:
    """Return what `did_you_mean` does, or the whole of a short list where nothing in it is near.

    >>> did_you_mean_one_of("zzz", ["companies", "shareholders"])
    '; known are companies, shareholders'
    """
    return did_you_mean(word, known) or f"; known are {', '.join(known)}"
