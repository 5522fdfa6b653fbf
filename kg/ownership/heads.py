"""Who heads companies, and who stands outside a company's register: by number, for rules that ask whose money it is.

Knows that a relative of the owners is no stranger; hides the keys. A key is a company's number times ``n``, and a party's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct, joined

Bools = NDArray[np.bool_]
#: The tables that are read, each with ``src`` and ``dst``; the first three put a party into a company's register.
REGISTER = ("REPRESENTS", "HOLDS_SHARES", "OFFICER_OF")
#: Companies one above the other that are looked at.
_LEVELS = 5


@dataclass(frozen=True)
class Heads:
    """Parties by number, and what registers say of them.

    Attributes
    ----------
    names, person
        The parties, and which of them are persons.
    heads, registered, kin : int64, sorted
        Keys of company and the person that controls it alone or represents it; of company and who stands in its register; of relatives,
        both ways.
    controls : tuple
        Keys of company and who controls it alone, in any order, and the ids of these rows.
    """

    names: Interner
    person: Bools
    heads: Ints
    registered: Ints
    kin: Ints
    controls: tuple[Ints, pa.ChunkedArray]

    @property
    def n(self) -> int:
        """How many parties there are."""
        return len(self.names)

    @classmethod
    def of(cls, tables: dict[str, pa.Table], *others: pa.ChunkedArray) -> Heads:
        """Number the parties of ``CONTROLS`` (``id, src, dst, jointly``), ``KIN_OF``, the tables of `REGISTER` and other columns.

        Examples
        --------
        >>> led = pa.table({"src": ["person:p"], "dst": ["company:c"]})
        >>> none = pa.table({name: pa.array([], pa.string()) for name in ("id", "src", "dst", "jointly")})
        >>> known = Heads.of({"REPRESENTS": led, **dict.fromkeys(("CONTROLS", "KIN_OF", "HOLDS_SHARES", "OFFICER_OF"), none)})
        >>> [found.tolist() for found in known.headed(np.array([0, 1]))]
        [[0], [1]]
        """
        alone = tables["CONTROLS"].filter(tables["CONTROLS"]["jointly"].is_null())
        rows = (alone, tables["KIN_OF"], *(tables[name] for name in REGISTER))
        names, codes = Interner.encode(*(each[end] for each in rows for end in ("dst", "src")), *others)
        n = len(names)
        control, kin, leads, *more = (codes[2 * place] * n + codes[2 * place + 1] for place in range(len(rows)))
        person = pc.starts_with(names.values, "person:").to_numpy(zero_copy_only=False)
        heads = distinct(np.concatenate([control, leads]))
        registered = distinct(np.concatenate([leads, *more]))
        both = distinct(np.concatenate([kin, kin % max(n, 1) * n + kin // max(n, 1)]))
        return cls(names, person, heads[person[heads % max(n, 1)]], registered, both, (control, alone["id"]))

    def tied(self, a: Ints, b: Ints) -> Bools:
        """Tell of which companies one stands in the other's register, or somebody in both."""
        found: Bools = among(a * self.n + b, self.registered) | among(b * self.n + a, self.registered)
        row, place = joined(a, self.registered // self.n)
        found[row[among(b[row] * self.n + self.registered[place] % self.n, self.registered)]] = True
        return found

    def above(self, company: Ints, other: Ints) -> Bools:
        """Tell which companies hold others, or hold who does, and so on."""
        found: Bools = np.zeros(company.size, np.bool_)
        row, upper = np.arange(company.size), company
        for _ in range(_LEVELS):
            step, place = joined(upper, self.registered // self.n)
            row, upper = row[step], self.registered[place] % self.n
            firm = ~self.person[upper]
            row, upper = row[firm], upper[firm]
            found[row[upper == other[row]]] = True
        return found

    def outside(self, company: Ints, person: Ints) -> Bools:
        """Tell which persons neither stand in a company's register nor are relatives, also over a third one, of those who do."""
        found: Bools = np.ones(company.size, np.bool_)
        row, who = np.arange(company.size), person
        for _ in range(3):
            found[row[among(company[row] * self.n + who, self.registered)]] = False
            step, place = joined(who, self.kin // self.n)
            row, who = row[step], self.kin[place] % self.n
        return found

    def headed(self, company: Ints) -> tuple[Ints, Ints]:
        """Return the rows of companies that somebody heads, and who does, a row for each."""
        row, place = joined(company, self.heads // self.n)
        return row, self.heads[place] % self.n
