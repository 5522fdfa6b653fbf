"""Hidden control: somebody borrows, or moves money, through companies that in the register belong to others.

The company in front is held by a straw person, or by holding companies one above the other, of which the last one is the
true controller's or a straw person's. What it borrows ends with the company, or in the pocket, of who is behind it.
"""

from __future__ import annotations

import numpy as np

from loaders.city import control
from loaders.city.credit import NEVER, Loans
from loaders.city.draw import Ints
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, GOODS, SERVICE, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.routes import Manner, chain
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Borrow by the company in front, or send money to it, and bring it to who is behind."""
    firms, values = actors.firms, actors.values
    layers = firms[firms.size - min(values["layers"], firms.size - 2) :]
    fronts = firms[1 : firms.size - layers.size]
    loans = _loans(town, actors, rng, int(fronts[0]))
    ways = [_way(rng, fronts, layers, turn) for turn in range(len(loans) or values["waves"])]
    lent = zip(ways, loans.fen.tolist(), loans.second.tolist(), strict=False)
    through = [_away(town, actors, rng, way, (fen, at)) for way, fen, at in lent]
    through += [_own(town, actors, rng, way, wave) for wave, way in enumerate(ways) if not len(loans)]
    held = np.append(fronts[:1], layers)
    known = layers.size > 0 and rng.integers(0, 100) >= values["nominee_percent"]  # the last holding company is openly its own
    openly = np.append(firms[0], held[-1:] if known else held[:0])
    hidden = np.concatenate([fronts[1:], held[:0] if known else held[-1:]])
    return Deeds(
        ("principal", *("front",) * fronts.size, *("holding",) * layers.size),
        flows=Flows.stacked(through),
        loans=loans,
        shared=control.traces(actors, rng),
        parents=control.layered([held]),
        fronts=control.fronts(town, actors, rng, openly, hidden),
    )


def _loans(town: Town, actors: Actors, rng: np.random.Generator, borrower: int) -> Loans:
    """Return the loans of the company in front."""
    size, lenders = actors.values["loans"], town.firms.of(LENDER)
    fen = np.maximum((town.firms.sales[borrower] * rng.uniform(0.06, 0.25, size)).astype(np.int64) // 10_000_000, 1) * 10_000_000
    day = np.minimum(town.calendar.office(actors.start + np.arange(size) * rng.integers(8, 90, size)), town.params.days - 1)
    fails = np.where(rng.random(size) < 0.45, day + rng.integers(50, 300, size), NEVER)
    who, term = column(borrower, size), np.array([90, 180, 365])[rng.integers(0, 3, size)]
    second = day * DAY + seconds(rng, size)
    return Loans(who, lenders[rng.integers(0, lenders.size, size)], who, fen, second, term, fails, column(actors.scheme, size))


def _way(rng: np.random.Generator, fronts: Ints, layers: Ints, turn: int) -> Ints:
    """Return the companies over which money goes: the first time all of them, then the one in front and some others."""
    others, up = rng.permutation(fronts[1:]), layers
    if turn:
        others, up = others[: int(rng.integers(0, 3))], layers[: layers.size * (rng.random() < 0.3)]
    return np.concatenate([fronts[:1], others, up])


def _away(town: Town, actors: Actors, rng: np.random.Generator, way: Ints, lent: tuple[int, int]) -> Flows:
    """Bring most of a loan to who is behind."""
    fen, second = lent
    end = control.boss(town, actors) if rng.random() < 0.3 else int(actors.firms[0])
    path = np.append(way, end)
    return chain(rng, path, fen * actors.values["percent"] // 100, second + 1_800, _manner(town, actors, rng))


def _own(town: Town, actors: Actors, rng: np.random.Generator, way: Ints, wave: int) -> Flows:
    """Send money of one's own to the company in front and on, back to oneself."""
    principal = int(actors.firms[0])
    fen = int(town.firms.sales[principal] * rng.uniform(0.005, 0.03)) + 1_000_000
    path = np.concatenate([[principal], way, [control.boss(town, actors)]])
    second = (actors.start + wave * int(rng.integers(7, 40))) * DAY + int(rng.integers(9, 17)) * 3600
    return chain(rng, path, fen, second, _manner(town, actors, rng))


def _manner(town: Town, actors: Actors, rng: np.random.Generator) -> Manner:
    purpose = (GOODS, SERVICE, BETWEEN)[int(rng.integers(0, 3))]
    return Manner(actors.values["fee_ppm"], 3, actors.values["hours"], purpose, actors.scheme, town.calendar)


PLOT = Plot(
    "hidden_control",
    "somebody borrows or moves money through companies that stand in other names",
    Range(2, 7, "companies: the principal, those in front, holding companies"),
    {
        # a path from the controller has one holding more than there are companies between
        "layers": Range(0, 4, "holding companies above the one in front", usual=2),
        "nominee_percent": Range(20, 90, "% chance of a straw person above the holding companies"),
        "loans": Range(0, 3, "loans; without any it moves its own money"),
        "waves": Range(1, 4, "times that it moves its own money", grows=True),
        "percent": Range(50, 100, "% of a loan that goes to who is behind"),
        "fee_ppm": Range(0, 30_000, "largest ppm kept by each holder"),
        "hours": Range(3, 150, "longest wait of a sum, in hours"),
    },
    act,
    settles=True,
)
