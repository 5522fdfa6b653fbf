"""What the bank stands to lose by each party as of the last day, and its own capital at the ends of quarters.

All loans of the file are in the books of one bank: it is the one whose system this is, wherever a loan was arranged. Knows which
guarantees take over a loan and which only may cost their giver, and what large companies have beside loans; hides that the capital is
such that all clients and the groups that the bank can know are within its limits, and that lines bring a few of the largest near them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.city.connected import Groups
from loaders.city.credit import Guarantees, Loans, standing
from loaders.city.draw import Ints, around, chance, counted, stream, weighted
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame, column
from loaders.city.money import DAY
from loaders.city.params import Params

#: Kinds of exposure.
KINDS = ("loan", "specific", "trading", "counterparty", "potential", "other")
_LOAN, _POTENTIAL = KINDS.index("loan"), KINDS.index("potential")
#: Guarantees by companies of open loans that take them over, and other ones that stand as what their giver may have to pay; by persons.
_TAKEN_PPM, _STANDS_PPM, _BY_PERSON_PPM = 400_000, 350_000, 80_000
#: Of companies this large (a quantile of sales) some have more than loans, and of which kind; a median part of the sales, its spread.
_LARGE, _MORE_PPM, _MORE_WEIGHTS, _PART, _SIGMA = 0.93, 350_000, (0, 3, 1, 3, 4, 2), 0.02, 0.7
#: Limits that the capital is made for, in ppm: loans of one client of net capital, a client and a group of tier 1; tier 1 of net capital.
_CLIENT_LOANS, _CLIENT, _GROUP, _TIER_1 = 100_000, 150_000, 200_000, 800_000
#: The most that is used of a limit but for lines, in ppm; clients with lines that bring them near it, one more for so many companies; how
#: near, in percent; the part of a year's sales that a line comes to at most.
_USED, _NEAR, _COMPANIES_EACH, _FROM, _TO, _SALES_FOR_LINE = 800_000, 3, 5_000, 70, 97, 2
_STEP, _LEAST_CAPITAL = 1_000_000, 10**9
#: Growth of the capital in a quarter, in ppm.
_GROWTH = (5_000, 20_000)


@dataclass(frozen=True)
class Exposures(Frame):
    """Exposures: party, kind (its place), loan (its place, -1: none), fen, fen that a provider stands for, provider (-1: none)."""

    party: Ints
    kind: Ints
    loan: Ints
    fen: Ints
    mitigated: Ints
    provider: Ints

    def borne(self, parties: int) -> Ints:
        """Return the fen that each of so many parties bears after mitigation."""
        found = column(0, parties)
        np.add.at(found, self.party, self.fen - self.mitigated)
        moved = self.provider >= 0
        np.add.at(found, self.provider[moved], self.mitigated[moved])
        return found

    def lent(self, parties: int) -> Ints:
        """Return the fen lent to each of so many parties."""
        found, loans = column(0, parties), self.kind == _LOAN
        np.add.at(found, self.party[loans], self.fen[loans])
        return found


@dataclass(frozen=True)
class Capital(Frame):
    """The bank's capital: day for which it is reported, counted from the first one, fen of net capital and of tier 1."""

    day: Ints
    net: Ints
    tier_1: Ints


@dataclass(frozen=True)
class Books:
    """The bank's books."""

    exposures: Exposures
    capital: Capital


def drawn(params: Params, firms: Firms, lent: tuple[Loans, Guarantees], parties: int, connected: Groups) -> Books:
    """Return the bank's books on the last day.

    Parameters
    ----------
    parties, connected
        How many there are, and who belongs together in the eyes of the bank.
    """
    rng = stream(params.seed, "exposures")
    loans, taken, stands = _loans(rng, params, firms, *lent)
    rows = Exposures.stacked([_covered(loans, taken), stands, _more(rng, params, firms)])
    tier_1 = _tier_1(rows, parties, connected)
    rows = Exposures.stacked([rows, _lines(params, firms, rows, (parties, connected), tier_1)])
    return Books(rows, _capital(params, tier_1))


def _loans(
    rng: np.random.Generator, params: Params, firms: Firms, loans: Loans, given: Guarantees
) -> tuple[Exposures, Exposures, Exposures]:
    """Return the open loans, those of them that a guarantor takes over, and what guarantors may have to pay for others."""
    owed, _, _ = standing(loans, params.days)
    place = np.flatnonzero(owed > 0)
    size = place.size
    opened = Exposures(loans.borrower[place], column(_LOAN, size), place, owed[place], column(0, size), column(-1, size))
    order = np.argsort(_key(loans.borrower[place], loans.second[place] // DAY), kind="stable")
    known = _key(loans.borrower[place], loans.second[place] // DAY)[order]
    wanted = _key(given.beneficiary, given.day)
    at = np.minimum(np.searchsorted(known, wanted), max(size - 1, 0))
    of = order[at] if size else column(0, 0)
    # a guarantee is for the loan that the beneficiary got on its day
    fits = (known[at] == wanted) & (loans.fen[place[of]] == given.fen) if size else np.zeros(len(given), np.bool_)
    there = firms.last_day(given.guarantor) >= params.days
    by_firm, toss = given.guarantor < len(firms), rng.integers(0, 1_000_000, len(given))
    part = given.fen * rng.integers(50, 101, len(given)) // 100
    takes = np.flatnonzero(fits & there & by_firm & (toss < _TAKEN_PPM))
    takes = takes[np.unique(of[takes], return_index=True)[1]]
    taken = replace(opened.take(of[takes]), mitigated=np.minimum(part[takes], owed[place[of[takes]]]), provider=given.guarantor[takes])
    may = toss >= np.where(by_firm, 1_000_000 - _STANDS_PPM, 1_000_000 - _BY_PERSON_PPM)
    may_pay = np.flatnonzero(fits & there & may)
    fen = np.minimum(part[may_pay], owed[place[of[may_pay]]])
    stands = _rows(given.guarantor[may_pay], column(_POTENTIAL, may_pay.size), fen)
    return opened, taken, stands


def _key(party: Ints, day: Ints) -> Ints:
    return party * 8_192 + day + 2_048


def _rows(party: Ints, kind: Ints, fen: Ints) -> Exposures:
    """Return exposures that are no loans and that nobody mitigates."""
    none = column(-1, party.size)
    return Exposures(party, kind, none, fen, column(0, party.size), none)


def _covered(loans: Exposures, taken: Exposures) -> Exposures:
    """Return loans, those taken over as they are then."""
    rest = loans.take(~np.isin(loans.loan, taken.loan))
    every = Exposures.stacked([rest, taken])
    return every.take(np.argsort(every.loan, kind="stable"))


def _more(rng: np.random.Generator, params: Params, firms: Firms) -> Exposures:
    """Draw what some large companies have beside loans: paper, derivatives, undrawn lines."""
    ordinary = (firms.role == ORDINARY) & (firms.standing(params.days - 1) == 0) & (firms.founded < 0)
    bar = np.quantile(firms.sales[: params.companies], _LARGE)
    party = np.flatnonzero(ordinary & (firms.sales > bar) & chance(rng, len(firms), _MORE_PPM))
    of, _ = counted(1 + rng.binomial(2, 0.3, party.size))
    party = party[of]
    kind = weighted(rng, _MORE_WEIGHTS, party.size)
    fen = around(rng, firms.sales[party] * _PART, _SIGMA, party.size).astype(np.int64)
    return _rows(party, kind, (fen // _STEP + 1) * _STEP)


def _tier_1(rows: Exposures, parties: int, connected: Groups) -> int:
    """Return the tier 1 under which every client, and every group that the bank knows, is well within its limits."""
    borne = rows.borne(parties)
    net = int(rows.lent(parties).max()) * 1_000_000 // _CLIENT_LOANS
    group = int(connected.sums(borne).max()) * 1_000_000 // _GROUP
    most = max(net * _TIER_1 // 1_000_000, int(borne.max()) * 1_000_000 // _CLIENT, group)
    return max(most * 1_000_000 // _USED, _LEAST_CAPITAL) // _STEP * _STEP


def _lines(params: Params, firms: Firms, rows: Exposures, known: tuple[int, Groups], tier_1: int) -> Exposures:
    """Return undrawn lines that bring the largest clients, or the groups that they are in, near their limits, as far as sales bear them."""
    (parties, connected), count = known, len(firms)
    borne, rng = rows.borne(parties), stream(params.seed, "lines")
    reach = borne[:count] + firms.sales // _SALES_FOR_LINE
    able = np.flatnonzero((borne[:count] > 0) & (firms.role == ORDINARY))
    able = able[np.argsort(-reach[able], kind="stable")][: _NEAR + params.companies // _COMPANIES_EACH]
    percent, most, alone = rng.integers(_FROM, _TO + 1, able.size), tier_1 * _GROUP // 1_000_000, tier_1 * _CLIENT // 1_000_000
    inside = connected.take(np.isin(connected.member, able))
    sums, fen = connected.sums(borne), column(0, able.size)
    for place, party in enumerate(able.tolist()):
        heads = inside.head[inside.member == party]
        group = int(sums[heads].max(initial=0))
        room = min(int(most * percent[place] // 100) - group, int(alone * percent[place] // 100 - borne[party]))
        fen[place] = max(min(room, int(reach[party] - borne[party])), 0) // _STEP * _STEP
        sums[heads] += fen[place]
    return _rows(able[fen > 0], column(_POTENTIAL, int((fen > 0).sum())), fen[fen > 0])


def _capital(params: Params, tier_1: int) -> Capital:
    """Return the capital at the end of each quarter within the period and of the one before it; the last one is as given."""
    rng, first = stream(params.seed, "capital"), np.datetime64(params.first_day, "D")
    months = first.astype("datetime64[M]").astype(np.int64), np.datetime64(params.end, "M").astype(np.int64)
    begins = np.arange(months[0] // 3 * 3, months[1] + 1, 3)
    day = (begins.astype("datetime64[M]").astype("datetime64[D]") - first).astype(np.int64) - 1
    day = day[day < params.days]
    grown = rng.integers(*_GROWTH, day.size)
    tiers = [tier_1]
    for ppm in grown[1:].tolist():
        tiers.append(tiers[-1] * 1_000_000 // (1_000_000 + ppm) // _STEP * _STEP)
    tier = np.array(tiers[::-1], np.int64)
    return Capital(day, (tier.astype(object) * 1_000_000 // _TIER_1).astype(np.int64), tier)
