"""What stands before anybody trades: companies, people, accounts and the days of the period.

Knows nothing but these; it is what every later part is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loaders.city.draw import Ints
from loaders.city.firms import Firms
from loaders.city.money import Accounts
from loaders.city.params import Params
from loaders.city.people import People
from loaders.city.rhythm import Calendar


@dataclass(frozen=True)
class Town:
    """A town.

    Attributes
    ----------
    second
        Each party's second account, or its main one where it has no other.
    revenue
        Net fen that each company honestly invoices in the period; empty before anybody trades.
    """

    params: Params
    calendar: Calendar
    firms: Firms
    people: People
    accounts: Accounts
    second: Ints
    revenue: Ints = field(default_factory=lambda: np.empty(0, np.int64))
