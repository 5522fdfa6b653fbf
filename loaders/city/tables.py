"""The rows of every source kind, as a bank's systems would deliver them.

Knows the columns of the kinds and how each thing is numbered; hides that rows which come day by day are made when they
are asked for, a slice at a time, so that a large city's text is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city import books, codes, industries, names, papers, regions
from loaders.city.build import City
from loaders.city.contacts import addresses, device_texts, emails, phone_texts
from loaders.city.credit import standing
from loaders.city.draw import Ints, Whole, chance, stream
from loaders.city.firms import ORDINARY, STATE, TAX
from loaders.city.holdings import UNKNOWN
from loaders.city.money import CHANNELS, DAY, PURPOSES
from loaders.city.people import KINSHIPS
from loaders.city.schemes import SCHEMES
from loaders.city.text import dates, digits, joined, numbers, times, words

_CAUSES = ("金融借款合同纠纷", "买卖合同纠纷")


@dataclass(frozen=True)
class Daily:
    """Rows that come day by day: the day of each, in order, and what makes rows ``begin`` to ``end`` of them."""

    day: Whole
    rows: Callable[[int, int], pa.Table]


class Tables:
    """The rows of a city.

    Attributes
    ----------
    party, account
        The numbers by which the files name each party and each account.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self._companies = digits(np.arange(len(city.firms)), 8, "C")
        self.party = pa.concat_arrays([self._companies, city.people.number])
        self.account = _account_numbers(city)

    def full(self) -> dict[str, Callable[[], pa.Table]]:
        """Return what makes each table that is delivered whole."""
        return {
            "companies": self._registry,
            "persons": self._persons,
            "devices": self._devices,
            "goods": _goods,
            "accounts": self._accounts,
            "loans": self._loans,
            "shareholders": self._shareholders,
            "officers": self._officers,
            "kinship": self._kinship,
            "contacts": self._contacts,
            "guarantees": self._guarantees,
            "concert": partial(books.concert, self.city, self.named),
            "nominations": partial(books.nominations, self.city, self.named),
            "hubs": partial(books.hubs, self.city, self.named),
            "exposures": partial(books.exposures, self.city, self.named, loan_numbers),
            "bank_capital": partial(books.capital, self.city),
        }

    def daily(self) -> dict[str, Daily]:
        """Return the kinds whose rows come day by day."""
        city = self.city
        filings, financed = papers.filings(city, self.party), papers.financings(city, self.named)
        rebutted = books.rebuttals(city, self.named)
        return {
            "court_cases": Daily(np.repeat(city.court.day, 2), self._court),
            "transfers": Daily(city.ledger.flows.second // DAY, self._transfers),
            "loan_flows": Daily(city.loan_flows.second // DAY, self._loan_flows),
            "contracts": Daily(np.maximum(city.papers.contracts.day, 0), self._contracts),
            "invoices": Daily(city.invoices.day, self._invoices),
            "financings": Daily(financed[0], partial(_sliced, financed[1])),
            "tax_filings": Daily(filings[0], partial(_sliced, filings[1])),
            "sign_ins": Daily(city.sign_ins.second // DAY, self._sign_ins),
            "rebuttals": Daily(rebutted[0], partial(_sliced, rebutted[1])),
            "cases": Daily(city.known.known, self._cases),
        }

    # -- delivered whole ---------------------------------------------------------------------------------------

    def _registry(self) -> pa.Table:
        city, firms = self.city, self.city.firms
        ordinary, listed = firms.role == ORDINARY, pa.array(books.listed(city))
        named = names.companies(stream(city.params.seed, "company names"), firms)
        kinds = [{STATE: "state", TAX: "other"}.get(role) for role in range(int(firms.role.max()) + 1)]
        return pa.table(
            {
                "company": self._companies,
                "uscc": codes.uscc(np.arange(len(firms)), regions.CODE[firms.region]),
                "name": pc.if_else(listed, names.stock(named), named),
                "status": words(("存续", "注销", "吊销"), firms.standing(city.params.days - 1)),
                "region": digits(regions.CODE[firms.region], 6),
                "industry": words([industry.code for industry in industries.INDUSTRIES], firms.industry),
                "founded_on": dates(city.params.first_day, firms.founded),
                "capital_fen": numbers(firms.capital),
                "kind": words(kinds, firms.role),
                "listed": listed,
                "customer_ref": pc.if_else(pa.array(ordinary), digits(np.arange(len(firms)), 8, "K"), None),
            }
        )

    def _persons(self) -> pa.Table:
        people = self.city.people
        return pa.table({"person": people.number, "cnid": people.cnid, "name": people.name})

    def _devices(self) -> pa.Table:
        found = np.unique(self.city.contacts.device)
        return pa.table({"device": device_texts(found), "type": words(("手机", "电脑", "平板"), found % 7 // 3)}).sort_by("device")

    def _accounts(self) -> pa.Table:
        held = self.city.accounts
        main = np.arange(len(held)) < len(self.party)
        kind = np.where(held.personal == 1, 2, np.where(main, 0, 1))
        return pa.table(
            {
                "account": self.account,
                **self.named("owner", held.owner),
                "type": words(("基本户", "一般户", "个人户"), kind),
                "opened_on": dates(self.city.params.first_day, held.opened),
            }
        )

    def _loans(self) -> pa.Table:
        city, loans = self.city, self.city.loans
        owed, failed, done = standing(loans, city.params.days)
        return pa.table(
            {
                "loan": loan_numbers(np.arange(len(loans))),
                **self.named("borrower", loans.borrower),
                "amount_fen": numbers(loans.fen),
                "balance_fen": numbers(owed),
                "at": times(city.params.first_day, loans.second),
                "due_on": dates(city.params.first_day, loans.second // DAY + loans.term),
                "status": words(("正常", "逾期", "结清"), np.where(failed, 1, np.where(done, 2, 0))),
                "purpose": words(("流动资金", "采购原材料", "设备更新"), loans.fen // 10_000_000 % 3),
            }
        )

    def _shareholders(self) -> pa.Table:
        held = self.city.ownership.holdings
        return pa.table(
            {
                **self.named("holder", held.holder),
                "company": self.party.take(pa.array(held.company)),
                "share_ppm": numbers(held.ppm, held.ppm != UNKNOWN),
                "subscribed_fen": numbers(held.subscribed, held.ppm != UNKNOWN),
                "paid_in_fen": numbers(held.paid_in, held.ppm != UNKNOWN),
            }
        )

    def _officers(self) -> pa.Table:
        """Return a legal representative for each company, and a supervisor, another person, for most."""
        city = self.city
        rng, count = stream(city.params.seed, "officers"), len(city.firms)
        head, company = city.ownership.representative, np.arange(count)
        other = city.people.offset + (head - city.people.offset + 1 + rng.integers(0, 5_000, count)) % len(city.people)
        some = chance(rng, count, 700_000) & (other != head)
        person, of = np.concatenate([head, other[some]]), np.concatenate([company, company[some]])
        place = np.where(np.arange(of.size) < count, 0, 1)
        columns = {"person": self.party.take(pa.array(person)), "company": self.party.take(pa.array(of))}
        return pa.table({**columns, "position": words(("执行董事", "监事"), place), "legal_representative": pa.array(place == 0)})

    def _kinship(self) -> pa.Table:
        kin, number = self.city.people.kin, self.city.people.number
        a, b = (number.take(pa.array(kin[:, place])) for place in (0, 1))
        return pa.table({"a": a, "b": b, "kinship": words(KINSHIPS, kin[:, 2])}).sort_by([("a", "ascending"), ("b", "ascending")])

    def _contacts(self) -> pa.Table:
        """Return address, phone and e-mail of each company, and the phone of each person."""
        city, at = self.city, self.city.contacts
        count, offset = len(city.people), len(city.firms)
        address = pa.concat_arrays([addresses(city.params, city.firms, at), pa.nulls(count, pa.string())])
        email = pa.concat_arrays([emails(city.params, at.phone), pa.nulls(count, pa.string())])
        phone = phone_texts(np.concatenate([at.phone, np.arange(count)]))
        use = words(("registered", "home"), np.repeat([0, 1], [offset, count]))
        return pa.table({**self.named("party", np.arange(offset + count)), "address": address, "phone": phone, "email": email, "use": use})

    def _guarantees(self) -> pa.Table:
        given = self.city.guarantees
        ends = {**self.named("guarantor", given.guarantor), **self.named("beneficiary", given.beneficiary)}
        return pa.table({**ends, "amount_fen": numbers(given.fen), "valid_from": dates(self.city.params.first_day, given.day)})

    # -- day by day --------------------------------------------------------------------------------------------

    def _transfers(self, begin: int, end: int) -> pa.Table:
        flows = self.city.ledger.flows.take(np.arange(begin, end))
        return pa.table(
            {
                "transfer": transfer_numbers(np.arange(begin, end)),
                "payer": self.account.take(pa.array(flows.payer)),
                "payee": self.account.take(pa.array(flows.payee)),
                "amount_fen": numbers(flows.fen),
                "at": times(self.city.params.first_day, flows.second),
                "purpose": words(PURPOSES, flows.purpose),
                "channel": words(CHANNELS, flows.channel()),
            }
        )

    def _loan_flows(self, begin: int, end: int) -> pa.Table:
        moved = self.city.loan_flows.take(np.arange(begin, end))
        return pa.table(
            {
                "flow": digits(np.arange(begin, end), 10, "F"),
                "loan": loan_numbers(moved.loan),
                "account": self.account.take(pa.array(moved.account)),
                "direction": words(("repaid", "paid_out"), moved.out),
                "amount_fen": numbers(moved.fen),
                "at": times(self.city.params.first_day, moved.second),
            }
        )

    def _contracts(self, begin: int, end: int) -> pa.Table:
        rows, first = self.city.papers.contracts.take(np.arange(begin, end)), self.city.params.first_day
        return pa.table(
            {
                "number": papers.contract_numbers(np.arange(begin, end)),
                "seller": self.party.take(pa.array(rows.seller)),
                "buyer": self.party.take(pa.array(rows.buyer)),
                "goods": _goods_codes(rows.goods),
                "amount_fen": numbers(rows.fen),
                "signed_on": dates(first, rows.day),
                "due_on": dates(first, rows.due),
            }
        )

    def _invoices(self, begin: int, end: int) -> pa.Table:
        rows, first = self.city.invoices.take(np.arange(begin, end)), self.city.params.first_day
        return pa.table(
            {
                "number": papers.invoice_numbers(np.arange(begin, end)),
                "seller": self.party.take(pa.array(rows.seller)),
                "buyer": self.party.take(pa.array(rows.buyer)),
                "goods": _goods_codes(rows.goods),
                "issued_on": dates(first, rows.day),
                "net_fen": numbers(rows.net),
                "tax_fen": numbers(rows.tax),
                "gross_fen": numbers(rows.net + rows.tax),
                "status": words(("valid", "void"), rows.void),
                "void_on": dates(first, rows.void_day, rows.void == 1),
            }
        )

    def _court(self, begin: int, end: int) -> pa.Table:
        """Return the plaintiff and the defendant of each case, one row after the other."""
        rows = np.arange(begin, end)
        case, side = rows // 2, rows % 2
        court = self.city.court.take(case)
        region = self.city.firms.region[court.plaintiff]
        year = np.datetime64(self.city.params.first_day, "Y").astype(np.int64) + 1970
        number = joined(f"({year})", digits(regions.CODE[region], 6), "民初", digits(case, 7), "号")
        return pa.table(
            {
                "court_case": number,
                **self.named("party", np.where(side == 0, court.plaintiff, court.defendant)),
                "role": words(("plaintiff", "defendant"), side),
                "court": joined(words(regions.PLACES, region), "人民法院"),
                "cause": words(_CAUSES, court.cause),
                "filed_on": dates(self.city.params.first_day, court.day),
                "amount_fen": numbers(court.fen),
            }
        )

    def _sign_ins(self, begin: int, end: int) -> pa.Table:
        rows = self.city.sign_ins.take(np.arange(begin, end))
        ends = {"device": device_texts(rows.device), "account": self.account.take(pa.array(rows.account))}
        return pa.table({**ends, "at": times(self.city.params.first_day, rows.second)})

    def _cases(self, begin: int, end: int) -> pa.Table:
        rows, first = self.city.known.take(np.arange(begin, end)), self.city.params.first_day
        reason = words([scheme.name for scheme in SCHEMES], rows.reason)
        days = {"known_on": dates(first, rows.known), "happened_on": dates(first, rows.happened)}
        return pa.table({**self.named("entity", rows.firm), "reason": reason, **days, "amount_fen": numbers(rows.lost)})

    def named(self, name: str, party: Ints) -> dict[str, pa.Array]:
        """Return the two columns that name a party."""
        kind = words(("company", "person"), (party >= len(self.city.firms)).astype(np.int64))
        return {name: self.party.take(pa.array(party)), f"{name}_kind": kind}


def _sliced(table: pa.Table, begin: int, end: int) -> pa.Table:
    return table.slice(begin, end - begin)


def _account_numbers(city: City) -> pa.Array:
    """Return the number of each account: of companies a bank's own, of persons that of a card."""
    number = np.arange(len(city.accounts))
    own = digits(number * 7_919 % 10**10, 10, "330100")
    return pc.if_else(pa.array(city.accounts.personal == 1), codes.card(number, 622202), own)


def transfer_numbers(place: Ints) -> pa.Array:
    """Return the numbers of transfers by their place in the ledger."""
    return digits(place, 11, "T")


def loan_numbers(place: Ints) -> pa.Array:
    """Return the numbers of loans by their place among all."""
    return digits(place, 9, "L")


def _goods_codes(industry: Ints) -> pa.Array:
    return words([each.goods[0] for each in industries.INDUSTRIES], industry)


def _goods() -> pa.Table:
    """Return each goods code with one thing that it is made from in a row."""
    made = [(each, industries.INDUSTRIES[industries.PLACE[code]]) for each in industries.INDUSTRIES for code in each.buys]
    columns = {"goods": [a.goods[0] for a, _ in made], "name": [a.goods[1] for a, _ in made]}
    return pa.table({**columns, "made_from": [b.goods[0] for _, b in made], "industry": [a.code for a, _ in made]})
