"""Loans, guarantees, repayment, default and court.

Knows how honest companies borrow, spend the money in their trade, repay it, or fail to, and what follows in court; hides
how instalments are laid out. Loans of schemes are rows of the same kind and are repaid, or not, by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Bools, Ints, around, chance, counted, rounded_fen, spread, stream
from loaders.city.firms import LENDER, ORDINARY, Firms
from loaders.city.frame import Frame, column
from loaders.city.money import DAY, PREPAID, Flows
from loaders.city.params import Params
from loaders.city.people import People
from loaders.city.rhythm import Calendar, seconds
from loaders.city.supply import Links

#: A loan that does not fail.
NEVER = 10**6
#: Loans were paid out so many days before the period, and are still repaid in it.
_BEFORE = 150
_TERMS = np.array([90, 180, 270, 365, 730])
#: Loans that are not of whole hundreds of thousands of yuan, but of tens.
_ODD_PPM = 300_000
_BORROWS_PPM, _FAILS_PPM, _BY_OWNER_PPM, _BY_PEER_PPM, _COURT_PPM, _DISPUTE_PPM = 440_000, 60_000, 600_000, 280_000, 800_000, 6_000


@dataclass(frozen=True)
class Loans(Frame):
    """Loans: borrower (a party), lender (a company), account, fen, second of the pay-out, days to run, day of default, scheme."""

    borrower: Ints
    lender: Ints
    account: Ints
    fen: Ints
    second: Ints
    term: Ints
    fails: Ints
    scheme: Ints


@dataclass(frozen=True)
class Guarantees(Frame):
    """Guarantees: guarantor and beneficiary (parties), fen, first day, scheme."""

    guarantor: Ints
    beneficiary: Ints
    fen: Ints
    day: Ints
    scheme: Ints


@dataclass(frozen=True)
class LoanFlows(Frame):
    """Loan money: loan (by its place), account, fen, second, and whether it was paid out (1) or repaid (0)."""

    loan: Ints
    account: Ints
    fen: Ints
    second: Ints
    out: Ints

    def both_ways(self) -> Flows:
        """Return it as payments of which one end lies outside the accounts (-1)."""
        out = self.out == 1
        payer, payee = np.where(out, -1, self.account), np.where(out, self.account, -1)
        return Flows(payer, payee, self.fen, self.second, column(0, len(self)), column(0, len(self)))


@dataclass(frozen=True)
class Cases(Frame):
    """Court cases: plaintiff and defendant (companies or parties), fen in dispute, day of filing, cause (0 loan, 1 sale)."""

    plaintiff: Ints
    defendant: Ints
    fen: Ints
    day: Ints
    cause: Ints


def honest(params: Params, calendar: Calendar, firms: Firms) -> Loans:
    """Return the loans of honest business, those before the period among them."""
    rng, lenders = stream(params.seed, "loans"), firms.of(LENDER)
    who = np.flatnonzero((firms.role == ORDINARY) & (firms.founded < -180) & chance(rng, len(firms), _BORROWS_PPM))
    again = 0.4 * (params.days + _BEFORE) / _BEFORE
    group, _ = counted(1 + rng.poisson(again / 2, who.size))
    borrower = who[group]
    fen = around(rng, firms.sales[borrower] * 0.12, 0.6, borrower.size).astype(np.int64) + 10_000_000
    step = np.where(chance(stream(params.seed, "loan sums"), borrower.size, _ODD_PPM), 1_000_000, 10_000_000)
    low = np.maximum(-_BEFORE, firms.founded[borrower] + 30)
    day = calendar.office(calendar.drawn(rng, low, column(params.days, borrower.size)))
    day = np.minimum(day, params.days - 1)
    term = _TERMS[rng.integers(0, _TERMS.size, borrower.size)]
    fails = np.where(chance(rng, borrower.size, _FAILS_PPM), day + (term * rng.uniform(0.3, 1.0, borrower.size)).astype(np.int64), NEVER)
    lender = lenders[rng.integers(0, lenders.size, borrower.size)]
    second = day * DAY + seconds(rng, borrower.size)
    return Loans(borrower, lender, borrower, fen // step * step, second, term, fails, column(0, borrower.size))


def spent(params: Params, tied: Links, loans: Loans) -> Flows:
    """Return what honest borrowers pay their suppliers out of loans, within some weeks."""
    rng = stream(params.seed, "loan use")
    begin, end = (np.searchsorted(tied.buyer, loans.borrower, side=side) for side in ("left", "right"))
    able = np.flatnonzero((end > begin) & (loans.second >= 0))
    parts = rng.integers(1, 5, able.size)
    used = (loans.fen[able] * rng.uniform(0.55, 1.0, able.size)).astype(np.int64)
    fen = spread(used, parts, rng)
    group, _ = counted(parts)
    loan = able[group]
    link = begin[loan] + (rng.random(loan.size) * (end - begin)[loan]).astype(np.int64)
    day = (loans.second[loan] // DAY + 1 + rng.exponential(8.0, loan.size)).astype(np.int64)
    return Flows.honest(tied.buyer[link], tied.seller[link], fen, day * DAY + seconds(rng, loan.size), PREPAID)


def flows(params: Params, calendar: Calendar, loans: Loans) -> LoanFlows:
    """Return pay-outs, interest by the month, and what is repaid at the end; a failed loan pays nothing any more."""
    rng, count, days = stream(params.seed, "repayment"), len(loans), params.days
    place, day = np.arange(count), loans.second // DAY
    paid = LoanFlows(place, loans.account, loans.fen, loans.second, column(1, count))
    months = loans.term // 30
    loan, turn = counted(months)
    due = np.minimum(calendar.office(np.clip(day[loan] + (turn + 1) * 30, -days, days + 60)), days + 60)
    rate = rng.integers(3_500, 9_500, count)[loan]  # ppm a month
    interest = LoanFlows(loan, loans.account[loan], loans.fen[loan] * rate // 1_000_000 + 1, due * DAY + 32_400, column(0, loan.size))
    late = np.where(chance(rng, count, 80_000), rng.integers(3, 60, count), 0)
    end = day + loans.term + late
    back = LoanFlows(place, loans.account, loans.fen, end * DAY + seconds(rng, count), column(0, count))
    every = LoanFlows.stacked([paid, interest, back])
    kept = (every.second >= 0) & (every.second < days * DAY) & ((every.out == 1) | (every.second // DAY < loans.fails[every.loan]))
    kept = every.take(kept)
    return kept.take(np.argsort(kept.second, kind="stable"))


def guarantees(params: Params, firms: Firms, people: People, loans: Loans) -> Guarantees:
    """Return who stands for honest loans: mostly the owner, now and then a company of the neighbourhood."""
    rng = stream(params.seed, "guarantees")
    by_owner = loans.take(chance(rng, len(loans), _BY_OWNER_PPM))
    by_peer = loans.take(chance(rng, len(loans), _BY_PEER_PPM))
    owner = people.offset + people.owner[by_owner.borrower]
    near = np.argsort(firms.region[: params.companies], kind="stable")
    place = np.empty(near.size, np.int64)
    place[near] = np.arange(near.size)
    peer = near[(place[by_peer.borrower] + rng.integers(1, 12, len(by_peer))) % near.size]
    older = firms.founded[peer] < by_peer.second // DAY
    by_peer, peer = by_peer.take(older), peer[older]
    both = Loans.stacked([by_owner, by_peer])
    return Guarantees(np.concatenate([owner, peer]), both.borrower, both.fen, both.second // DAY, both.scheme)


def sued(params: Params, loans: Loans, tied: Links, more: Cases) -> Cases:
    """Return the court cases: most loans that failed, some months later, quarrels about sales, and ``more`` of these."""
    rng = stream(params.seed, "court")
    failed = loans.take((loans.fails < NEVER) & chance(rng, len(loans), _COURT_PPM))
    day = failed.fails + rng.integers(30, 200, len(failed))
    of_loans = Cases(failed.lender, failed.borrower, failed.fen, day, column(0, len(failed)))
    quarrel = tied.take(chance(rng, len(tied), _DISPUTE_PPM * params.days // 365 + 1))
    filed = np.maximum(quarrel.start, 0) + rng.integers(20, params.days, len(quarrel))
    fen = rounded_fen(quarrel.volume * rng.uniform(0.05, 0.6, len(quarrel)), rng)
    of_sales = Cases(quarrel.seller, quarrel.buyer, fen, filed, column(1, len(quarrel)))
    found = Cases.stacked([of_loans, of_sales, more])
    found = found.take((found.day >= 0) & (found.day < params.days))
    return found.take(np.argsort(found.day, kind="stable"))


def standing(loans: Loans, days: int) -> tuple[Ints, Bools, Bools]:
    """Return what is owed of each loan at the end of the period, which loans failed by then, and which are done with."""
    failed = loans.fails < days
    done = (loans.second // DAY + loans.term < days) & ~failed
    return np.where(done, 0, loans.fen), failed, done
