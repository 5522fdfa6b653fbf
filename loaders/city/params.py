"""What a city is built from: how many of what, and how much of it is guilty.

Knows which values make sense and says so in a sentence; everything else is handed these values and asks no further.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from kg.errors import UsageError

#: Raised with every change of parameters or behaviour: the same seed and version give the same bytes.
CITY_VERSION = 13
FORMATS = ("csv", "parquet")
#: Smallest and largest value of each number that a person can choose.
_RANGES = {
    "companies": (100, 10_000_000),
    "days": (30, 3_660),
    "seed": (0, 2**63 - 1),
    "prevalence_ppm": (0, 200_000),
    "camouflage": (0, 100),
}
_SHARES = ("found_ppm", "wrong_ppm")
#: Beyond this nothing could be made of a delivery.
_MOST_DIRT = 500_000


@dataclass(frozen=True)
class Params:
    """The choices behind a city.

    Parameters
    ----------
    companies, days, seed
        How many companies live in it, over how many days, and which of all such cities it is.
    first_day
        The first day of the period; companies are older than it, or come in it.
    prevalence_ppm
        Companies with a part in a scheme; each scheme stands at least ``least`` times, so a small city has more.
    found_ppm, wrong_ppm
        Parties of schemes that the bank finds out about, and cases among all of its cases that are none.
    found_after
        Median number of days after the deed on which a found one is known.
    dirt_ppm
        Rows spoilt, of each kind that has faults.
    camouflage
        How hard guilty companies try to look honest: by invoices for what they pay, by purposes of all sorts, by heeding holidays; from 0,
        not at all, to 100.

    Raises
    ------
    UsageError
        If a value makes no sense.

    Examples
    --------
    >>> Params(companies=5)
    Traceback (most recent call last):
        ...
    kg.errors.UsageError: companies must be between 100 and 10000000, not 5
    """

    companies: int = 2_000
    days: int = 180
    seed: int = 1
    first_day: date = date(2024, 1, 1)
    prevalence_ppm: int = 15_000
    least: int = 2
    found_ppm: int = 400_000
    wrong_ppm: int = 10_000
    found_after: int = 120
    dirt_ppm: int = 0
    camouflage: int = 50

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} must be between {low} and {high}, not {getattr(self, name)}")
        if not 0 <= self.dirt_ppm <= _MOST_DIRT:
            raise UsageError(f"the dirt rate must be between 0 and {_MOST_DIRT / 1e6}, not {self.dirt_ppm / 1e6}")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1_000_000:
                raise UsageError(f"{name} is a fraction in parts per million, so between 0 and 1000000, not {getattr(self, name)}")

    @property
    def end(self) -> date:
        """The first day after the period."""
        return self.first_day + timedelta(days=self.days)

    def day(self, number: int) -> date:
        """Return the day of that number, counted from 0."""
        return self.first_day + timedelta(days=number)

    def digest(self) -> str:
        """Return the SHA-256 of the version and all choices: two cities of the same digest are the same bytes.

        >>> Params().digest() == Params(seed=1).digest() != Params(seed=2).digest()
        True
        """
        text = json.dumps({"version": CITY_VERSION, **asdict(self)}, default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
