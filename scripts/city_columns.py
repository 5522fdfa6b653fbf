"""Columns of one company each, as a bank could make them from what it is delivered; and who is guilty, from the truth.

Knows the files' columns; hides whether the rows come from files or from a city in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array

from loaders.city import Params, build
from loaders.city.describe.landing import Landing
from loaders.city.money import PURPOSES
from loaders.city.tables import Tables
from loaders.city.truth import truth
from loaders.city.write import sizes

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
OUTSIDE = -(2**40)


class Rows(Protocol):
    """Where rows come from."""

    def rows(self, kind: str, *columns: str) -> pa.Table:
        """Return columns of a source kind."""
        ...

    def truth(self, name: str) -> pa.Table:
        """Return a table of the truth."""
        ...


class InMemory:
    """The rows of a city that was just built.

    Attributes
    ----------
    city, party
        The city itself, and the number by which its files name each party.
    """

    def __init__(self, params: Params) -> None:
        tables = Tables(build(params))
        self.city, self.party = tables.city, tables.party
        self._full, self._daily = tables.full(), tables.daily()
        self._truth = {**truth(tables), "sizes": sizes(tables)}

    def rows(self, kind: str, *columns: str) -> pa.Table:
        """Return columns of a source kind."""
        found = self.whole(kind)
        assert found is not None, kind
        return found.select(list(columns))

    def whole(self, kind: str) -> pa.Table | None:
        """Return all that the city states of a source kind, None where it states nothing of it."""
        if kind in self._daily and kind not in self._full:
            daily = self._daily[kind]
            made = daily.rows(0, int(daily.day.size))
            self._full[kind] = lambda: made
        return self._full[kind]() if kind in self._full else None

    def truth(self, name: str) -> pa.Table:
        """Return a table of the truth."""
        return self._truth[name]


class InFiles:
    """The rows of a city that was written to disk."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing

    @classmethod
    @contextmanager
    def of(cls, folder: Path) -> Iterator[InFiles]:
        """Open the files of a city."""
        with Landing.opened(folder, "3GB") as landing:
            yield cls(landing)

    def rows(self, kind: str, *columns: str) -> pa.Table:
        """Return columns of a source kind."""
        return self._landing.engine.table(self._landing.table(kind, *columns).select(*columns))

    def truth(self, name: str) -> pa.Table:
        """Return a table of the truth."""
        return self._landing.truth(name)


class Companies:
    """The bank's customers of one city: what is known of each, who is guilty, which plot each belongs to."""

    def __init__(self, source: Rows) -> None:
        self.source = source
        registry = source.rows("companies", "company", "customer_ref", "founded_on", "capital_fen", "region", "industry")
        registry = registry.filter(pc.is_valid(registry["customer_ref"])).sort_by("company")
        self.number = numbers(registry["company"])
        self._registry, self._size = registry, int(self.number.max()) + 1
        held = source.rows("accounts", "account", "owner", "owner_kind")
        self._accounts, self._owner = held["account"].combine_chunks(), parties(held, "owner")
        self._moved()
        self.plot = self._plots()
        self.guilty: Mask = self.plot > 0

    def _moved(self) -> None:
        moved = self.source.rows("transfers", "transfer", "payer", "payee", "amount_fen", "at", "purpose")
        self.transfer = moved["transfer"].combine_chunks()
        self.payer, self.payee = self._party(moved["payer"]), self._party(moved["payee"])
        self.fen = moved["amount_fen"].to_numpy().astype(np.float64)
        self.at = moved["at"].to_numpy().astype("datetime64[s]").astype(np.int64)
        found = pc.fill_null(pc.index_in(moved["purpose"], pa.array(PURPOSES)), 0)
        self.purpose = found.to_numpy().astype(np.int64)

    def _party(self, account: pa.ChunkedArray) -> Ints:
        place = pc.fill_null(pc.index_in(account, self._accounts), -1).to_numpy().astype(np.int64)
        return np.where(place >= 0, self._owner[place], OUTSIDE)

    def _plots(self) -> Ints:
        """Return the number of each company's plot: above 0 of a scheme, below 0 of a look-alike, 0 where it is in none."""
        found = np.zeros(self._size, np.int64)
        for name, sign in (("lookalike_members", -1), ("members", 1)):
            rows = self.source.truth(name)
            found[numbers(rows["company"])] = sign * rows["number"].to_numpy()
        return found[self.number]

    def ours(self, party: Ints) -> Mask:
        """Tell which parties are among these companies."""
        known = np.zeros(self._size, np.bool_)
        known[self.number] = True
        inside = (party >= 0) & (party < self._size)
        found: Mask = inside & known[np.where(inside, party, 0)]
        return found

    def total(self, party: Ints, values: npt.ArrayLike | None = None) -> Values:
        """Return for each company the number of rows that name it, or the sum of their values."""
        rows = self.ours(party)
        given = None if values is None else np.asarray(values, np.float64)[rows]
        return np.bincount(party[rows], given, self._size)[self.number].astype(np.float64)

    def pairs(self, one: Ints, other: Ints) -> coo_array:
        """Return which companies have a row with which, as a matrix of ones."""
        rows = self.ours(one) & self.ours(other) & (one != other)
        keys = np.unique(one[rows] * self._size + other[rows])
        return coo_array((np.ones(keys.size), (keys // self._size, keys % self._size)), shape=(self._size, self._size))

    # -- columns -----------------------------------------------------------------------------------------------

    def columns(self) -> dict[str, Values]:
        """Return all columns and totals by name."""
        found = {**self._attributes(), **self._shared(), **self._papers(), **self._credit()}
        for name, own, other in (("out", self.payer, self.payee), ("in", self.payee, self.payer)):
            found |= self._payments(name, own, other)
        found["fen out for each in"] = found["fen out"] / np.maximum(found["fen in"], 1)
        both = (self.pairs(self.payer, self.payee).tocsr() * self.pairs(self.payee, self.payer).tocsr()).sum(axis=1)
        found["partners both ways"] = np.asarray(both, np.float64).ravel()[self.number]
        return found

    def _attributes(self) -> dict[str, Values]:
        registry, large = self._registry, self.source.truth("sizes").sort_by("company")
        found = {name: large[name].to_numpy().astype(np.float64) for name in ("employees", "sales_fen")}
        found["founded"] = registry["founded_on"].to_numpy().astype("datetime64[D]").astype(np.float64)
        found["capital"] = registry["capital_fen"].to_numpy().astype(np.float64)
        found["region"] = pc.cast(registry["region"], pa.float64()).to_numpy()
        found["industry"] = pc.cast(pc.utf8_slice_codeunits(registry["industry"], 1), pa.float64()).to_numpy()  # the letter follows from it
        held = self.source.rows("shareholders", "holder", "holder_kind", "company", "share_ppm", "paid_in_fen")
        company, holder = numbers(held["company"]), parties(held, "holder")
        share = pc.fill_null(held["share_ppm"], 0).to_numpy().astype(np.float64)
        found["holders"], found["companies held"] = self.total(company), self.total(holder)
        found["holding companies"] = self.total(company, holder >= 0)
        found["largest share"] = self._largest(company, share)
        found["paid in"] = self.total(company, pc.fill_null(held["paid_in_fen"], 0).to_numpy())
        officers = self.source.rows("officers", "person", "company")
        found["officers"] = self.total(numbers(officers["company"]))
        head = numbers(officers["person"])
        found["posts of its officers"] = self._largest(numbers(officers["company"]), np.bincount(head)[head].astype(np.float64))
        return found

    def _shared(self) -> dict[str, Values]:
        """Return how many companies share address, phone and device with each."""
        at = self.source.rows("contacts", "party", "party_kind", "address", "phone")
        party, found = parties(at, "party"), {}
        for name in ("address", "phone"):
            place = _places(at[name]).astype(np.int64)
            known = self.ours(party) & (place >= 0)
            found[f"shared {name}"] = self.total(party[known], np.bincount(place[known], minlength=1)[place[known]])
        signed = self.source.rows("sign_ins", "device", "account")
        who, device = self._party(signed["account"]), _places(signed["device"]).astype(np.int64)
        pair = np.unique(who[self.ours(who)] * 2**32 + device[self.ours(who)])
        users = np.bincount(pair % 2**32, minlength=1)[pair % 2**32]
        return {
            **found,
            "sign-ins": self.total(who),
            "devices": self.total(pair // 2**32),
            "shared device": self._largest(pair // 2**32, users),
        }

    def _papers(self) -> dict[str, Values]:
        """Return totals of invoices, contracts, filings and financings."""
        rows = self.source.rows("invoices", "seller", "buyer", "gross_fen", "status")
        fen, void = rows["gross_fen"].to_numpy().astype(np.float64), pc.equal(rows["status"], "void").to_numpy(zero_copy_only=False)
        found = {}
        for name, own, other in (("sold", "seller", "buyer"), ("bought", "buyer", "seller")):
            party = numbers(rows[own])
            found[f"invoices {name}"], found[f"fen {name}"] = self.total(party), self.total(party, np.where(void, 0, fen))
            found[f"void {name}"], found[f"red {name}"] = self.total(party, void), self.total(party, fen < 0)
            ties = np.asarray(self.pairs(party, numbers(rows[other])).tocsr().sum(axis=1), np.float64).ravel()
            found[f"partners {name}"] = ties[self.number]
        found["fen sold for each bought"] = found["fen sold"] / np.maximum(found["fen bought"], 1)
        signed = self.source.rows("contracts", "seller", "buyer")
        found |= {f"contracts {side}": self.total(numbers(signed[side])) for side in ("seller", "buyer")}
        filed = self.source.rows("tax_filings", "company", "sales_fen")
        found["sales filed"] = self.total(numbers(filed["company"]), filed["sales_fen"].to_numpy())
        lent = self.source.rows("financings", "borrower", "borrower_kind", "amount_fen")
        who = parties(lent, "borrower")
        return {**found, "financings": self.total(who), "fen financed": self.total(who, lent["amount_fen"].to_numpy())}

    def _credit(self) -> dict[str, Values]:
        """Return totals of loans, guarantees and court cases."""
        loans = self.source.rows("loans", "loan", "borrower", "borrower_kind", "amount_fen", "status")
        who, fen = parties(loans, "borrower"), loans["amount_fen"].to_numpy()
        late = pc.equal(loans["status"], "逾期").to_numpy(zero_copy_only=False)
        found = {"loans": self.total(who), "fen lent": self.total(who, fen), "loans overdue": self.total(who, late)}
        given = self.source.rows("guarantees", "guarantor", "guarantor_kind", "beneficiary", "beneficiary_kind", "amount_fen")
        for name, side in (("given", "guarantor"), ("got", "beneficiary")):
            party = parties(given, side)
            found[f"guarantees {name}"] = self.total(party)
            found[f"fen guaranteed {name}"] = self.total(party, given["amount_fen"].to_numpy())
        court = self.source.rows("court_cases", "party", "party_kind", "role")
        party, role = parties(court, "party"), court["role"]
        for name in ("plaintiff", "defendant"):
            found[name] = self.total(party, pc.equal(role, name).to_numpy(zero_copy_only=False))
        return {**found, **self._exposed()}

    def _exposed(self) -> dict[str, Values]:
        """Return totals of what the bank stands to lose by each company."""
        rows = self.source.rows("exposures", "party", "party_kind", "kind", "amount_fen", "mitigated_fen", "provider", "provider_kind")
        who, fen = parties(rows, "party"), rows["amount_fen"].to_numpy()
        borne = pc.fill_null(rows["mitigated_fen"], 0).to_numpy()
        found = {"exposures": self.total(who), "fen exposed": self.total(who, fen), "fen mitigated": self.total(who, borne)}
        found["fen provided"] = self.total(parties(rows, "provider"), borne)
        for name in ("potential", "loan"):
            of_kind = pc.equal(rows["kind"], name).to_numpy(zero_copy_only=False)
            found[f"fen exposed by {name}"] = self.total(who, np.where(of_kind, fen, 0))
        found["exposures but loans"] = found["exposures"] - self.total(who, of_kind)
        return found

    def _payments(self, name: str, own: Ints, other: Ints) -> dict[str, Values]:
        """Return totals of what went out of each company, or came in."""
        fen, hour = self.fen, self.at % 86_400 // 3_600
        found = {"payments": self.total(own), "fen": self.total(own, fen), "round amounts": self.total(own, fen % 10_000 == 0)}
        found["at night"] = self.total(own, (hour < 6) | (hour > 20))
        found["at weekends"] = self.total(own, (self.at // 86_400 + 3) % 7 >= 5)
        found["largest"] = self._largest(own, fen)
        found["partners"] = np.asarray(self.pairs(own, other).tocsr().sum(axis=1), np.float64).ravel()[self.number]
        found["with persons"] = self.total(own, (other < 0) & (other > OUTSIDE))
        found["largest for each fen"] = found["largest"] / np.maximum(found["fen"], 1)
        day, ours = self.at // 86_400, self.ours(own)
        days, often = np.unique(own[ours] * 2**20 + day[ours], return_counts=True)
        found["days"], found["most on a day"] = self.total(days // 2**20), self._largest(days // 2**20, often)
        for place, purpose in enumerate(PURPOSES):
            found[f"{purpose}"] = self.total(own, self.purpose == place)
            found[f"{purpose} fen"] = self.total(own, np.where(self.purpose == place, fen, 0))
        return {f"{what} {name}": values for what, values in found.items()}

    def _largest(self, party: Ints, values: npt.ArrayLike) -> Values:
        found, rows = np.zeros(self._size), self.ours(party)
        np.maximum.at(found, party[rows], np.asarray(values, np.float64)[rows])
        return found[self.number]

    def guilty_transfers(self) -> float:
        """Return the part of the transfers that belongs to schemes."""
        return self.source.truth("transfers").num_rows / max(len(self.transfer), 1)

    # -- the truth ---------------------------------------------------------------------------------------------

    def scheme_variables(self) -> dict[str, Values]:
        """Return what somebody who knew the schemes' deeds, but not their members, would know of each company."""
        guilty = pc.is_in(self.transfer, self.source.truth("transfers")["transfer"].combine_chunks()).to_numpy(zero_copy_only=False)
        found = {}
        for name, own in (("out", self.payer), ("in", self.payee)):
            found[f"payments {name}"] = self.total(own[guilty])
            found[f"fen {name}"] = self.total(own[guilty], self.fen[guilty])
        loans = self.source.rows("loans", "loan", "borrower", "borrower_kind")
        of_schemes = pc.is_in(loans["loan"], self.source.truth("loans")["loan"].combine_chunks()).to_numpy(zero_copy_only=False)
        found["loans"] = self.total(parties(loans, "borrower")[of_schemes])
        given = self.source.rows("guarantees", "guarantor", "guarantor_kind", "beneficiary", "beneficiary_kind")
        one, other = parties(given, "guarantor"), parties(given, "beneficiary")
        touched = np.zeros(self._size, np.bool_)
        touched[self.number] = sum(found.values()) > 0
        for name, own, far in (("given", one, other), ("got", other, one)):
            ends = self.ours(far) & touched[np.where(self.ours(far), far, 0)]
            found[f"guarantees {name} to them"] = self.total(own[ends])
        return {**found, **self._scheme_papers()}

    def _scheme_papers(self) -> dict[str, Values]:
        """Return the schemes' invoices, contracts and financings, and whose control a scheme hides."""
        found = {}
        for kind, name, ends in (("invoices", "invoice", ("seller", "buyer")), ("contracts", "contract", ("seller", "buyer"))):
            rows = self.source.rows(kind, "number", *ends)
            rows = rows.filter(pc.is_in(rows["number"], self.source.truth(kind)[name].combine_chunks()))
            found |= {f"{kind} {end}": self.total(numbers(rows[end])) for end in ends}
        found["financings"] = self.total(numbers(self.source.truth("financings")["borrower"]))
        found["in front"] = self.total(numbers(self.source.truth("fronts")["company"]))
        return found


def numbers(names: pa.ChunkedArray) -> Ints:
    """Return the numbers in names such as ``C00000012``; ``OUTSIDE`` where it is none."""
    text = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    right = pc.match_substring_regex(text, "^[CP][0-9]{8,9}$")
    found = pc.cast(pc.utf8_slice_codeunits(pc.if_else(right, text, None), 1), pa.int64())
    return pc.fill_null(found, OUTSIDE).to_numpy().astype(np.int64)


def parties(table: pa.Table, name: str) -> Ints:
    """Return parties by number: companies from 0 up, persons from -1 down."""
    number = numbers(table[name])
    company = pc.fill_null(pc.equal(table[f"{name}_kind"], "company"), False).to_numpy(zero_copy_only=False)
    return np.where((number == OUTSIDE) | company, number, -1 - number)


def _places(column: pa.ChunkedArray) -> Values:
    """Return the place of each text among the different ones, -1 where there is none."""
    found = column.combine_chunks().dictionary_encode()
    return pc.fill_null(found.indices, -1).to_numpy().astype(np.float64)
