"""Accounts and the ledger: who pays whom, and what lies on each account.

Knows that money is whole fen, that it only moves, and that no account goes below its overdraft; hides how: the opening
balances are what the payments of the period need, so every plan of payments can be kept. The first accounts are the
main ones, one for each party and of the party's number; second accounts follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Bools, Ints, Whole, around, chance, stream, weighted
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame, column
from loaders.city.params import Params
from loaders.city.people import People

DAY = 86_400
_WIDTHS = {"payer": np.int32, "payee": np.int32, "fen": np.int64, "second": np.int32, "purpose": np.int8, "scheme": np.int32}
(GOODS, PREPAID, SALARY, TAXES, RENT, POWER, SETTLED, DRAWN, SERVICE, POOLED, BETWEEN, BORROWED, FEE) = range(13)
PURPOSES = (
    *("货款", "预付货款", "代发工资", "税款", "房租", "水电费", "平台结算", "备用金"),
    *("服务费", "资金归集", "往来款", "借款", "咨询费"),
)
#: Channel of each purpose, by its place in ``CHANNELS``.
CHANNELS = ("网银", "手机银行", "批量代发", "代扣", "第三方支付", "柜面")
ONLINE, MOBILE, PAYROLL, DEBIT, PLATFORM_PAY, COUNTER = range(6)
_CHANNEL_OF = np.array([0, 0, 2, 3, 0, 3, 4, 0, 0, 0, 0, 0, 0])
_SECOND_PPM, _OVERDRAFT_PPM = 300_000, 60_000
#: Accounts are looked at in so many parts.
_SPANS = 8


@dataclass(frozen=True)
class Accounts(Frame):
    """Accounts: owner (companies first, then persons), day of opening, whether it is a person's, overdraft in fen, day of closing."""

    owner: Ints
    opened: Ints
    personal: Ints
    overdraft: Ints
    closed: Ints


@dataclass(frozen=True)
class Flows(Frame):
    """Payments: accounts, fen, second since the first midnight, purpose, and the scheme that they belong to (0: none).

    Each column is as narrow as it can be: there are many millions of them.
    """

    payer: Whole
    payee: Whole
    fen: Whole
    second: Whole
    purpose: Whole
    scheme: Whole

    def __post_init__(self) -> None:
        for name, width in _WIDTHS.items():
            object.__setattr__(self, name, getattr(self, name).astype(width, copy=False))

    @classmethod
    def honest(cls, payer: Whole, payee: Whole, fen: Whole, second: Whole, purpose: int) -> Flows:
        """Return payments of one purpose that belong to no scheme."""
        return cls(payer, payee, fen, second, column(purpose, fen.size), column(0, fen.size))

    def channel(self) -> Ints:
        """Return the channel of each: the usual one of its purpose, for a quarter of what a bank's clients order another one."""
        usual, mixed = _CHANNEL_OF[self.purpose], (self.second % 97 * 31 + self.fen) % 97
        return np.where((usual == 0) & (mixed < 24), np.where(mixed < 4, COUNTER, MOBILE), usual)


@dataclass(frozen=True)
class Ledger:
    """What moved, in the order of time, and what lay on each account before the first and after the last payment, in fen."""

    flows: Flows
    opening: Ints
    closing: Ints


def accounts(params: Params, firms: Firms, people: People) -> tuple[Accounts, Ints]:
    """Return the accounts, and for each party its second account (its main one, where it has no other)."""
    rng, parties = stream(params.seed, "accounts"), len(firms) + len(people)
    opened = -rng.integers(30, 4_000, parties)
    opened[: len(firms)] = firms.founded + rng.integers(2, 25, len(firms))
    more = np.flatnonzero((firms.role == ORDINARY) & chance(rng, len(firms), _SECOND_PPM))
    owner = np.concatenate([np.arange(parties), more])
    later = firms.founded[more] + rng.integers(30, 800, more.size)
    opened = np.concatenate([opened, np.where(later < params.days, later, opened[more] + 1)])
    overdraft = np.where(chance(rng, owner.size, _OVERDRAFT_PPM) & (owner < len(firms)), _limit(firms, owner), 0)
    second = np.arange(parties)
    second[more] = np.arange(parties, owner.size)
    closed = firms.last_day(owner)
    opened = np.where(opened < closed, opened, opened[np.minimum(owner, parties - 1)])
    return Accounts(owner, opened, (owner >= len(firms)).astype(np.int64), overdraft, closed), second


def _limit(firms: Firms, owner: Ints) -> Ints:
    """Return an overdraft of about three weeks' sales in whole ten thousands of yuan."""
    found: Ints = firms.sales[np.minimum(owner, len(firms) - 1)] // 17 // 1_000_000 * 1_000_000
    return found


def possible(flows: Flows, held: Accounts, days: int) -> Bools:
    """Tell which payments can be: within the period, between two accounts that are open, of some money."""
    ready = np.maximum(held.opened[flows.payer], held.opened[flows.payee]) * DAY + DAY
    inside = (flows.second >= np.maximum(ready, 0)) & (flows.second < days * DAY)
    inside &= flows.second < np.minimum(held.closed[flows.payer], held.closed[flows.payee]) * DAY
    found: Bools = inside & (flows.fen > 0) & (flows.payer != flows.payee)
    return found


def settled(params: Params, held: Accounts, planned: Flows, in_and_out: Flows) -> Ledger:
    """Return the ledger of the payments planned.

    Parameters
    ----------
    in_and_out
        Loan money: the payer is -1 where it comes to the account ``payee``, the payee is -1 where ``payer`` repays it.
    """
    kept = planned.take(possible(planned, held, params.days))
    kept = kept.take(np.argsort(kept.second, kind="stable"))
    change, least = _swing(Flows.stacked([kept, in_and_out]), len(held), params.days)
    rng = stream(params.seed, "balances")
    cushion = around(rng, np.where(held.personal == 1, 800_000, 3_000_000), 1.2, len(held)).astype(np.int64)
    used = np.where(chance(rng, len(held), 600_000), held.overdraft, 0)
    opening = np.maximum(-least - used, 0) + np.where(used > 0, 0, cushion)
    return Ledger(kept, opening, opening + change)


def _swing(flows: Flows, count: int, days: int) -> tuple[Ints, Ints]:
    """Return for each account by how much it changes, and the lowest that it would fall to if it began with nothing."""
    change, least = column(0, count), column(0, count)
    span = max(-(-count // _SPANS), 1)
    for begin in range(0, count, span):  # a part of the accounts at a time, for the memory's sake
        gone, came = (np.flatnonzero((side >= begin) & (side < begin + span)) for side in (flows.payer, flows.payee))
        account = np.concatenate([flows.payer[gone], flows.payee[came]])
        amount = np.concatenate([-flows.fen[gone], flows.fen[came]])
        # what goes out in a second goes first
        second = np.concatenate([flows.second[gone] * np.int64(2), flows.second[came] * np.int64(2) + 1])
        order = np.argsort((account - begin) * np.int64(days * DAY * 2 + 2) + second)
        _follow(account[order], amount[order], change, least)
    return change, least


def _follow(account: Whole, amount: Whole, change: Ints, least: Ints) -> None:
    """Note for each account what its amounts, in their order, sum up to, and the lowest sum on the way."""
    if account.size:
        running = np.cumsum(amount)
        begin = np.flatnonzero(np.concatenate([[True], account[1:] != account[:-1]]))
        before = np.where(begin > 0, running[begin - 1], 0)
        last = np.append(begin[1:], account.size) - 1
        change[account[begin]] = running[last] - before
        least[account[begin]] = np.minimum(np.minimum.reduceat(running, begin) - before, 0)


def from_any(rng: np.random.Generator, party: Ints, second: Ints) -> Ints:
    """Return an account of each party: mostly its main one."""
    return np.where(weighted(rng, (75, 25), party.size) == 1, second[party], party)
