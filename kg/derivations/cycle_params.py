"""What is sought as a cycle: hops, window, what may be kept on the way, and where the search stops; three tiers and one of split hops."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

from kg.algorithms.temporal_moves import EVER
from kg.errors import UsageError

_MOST_HOPS, _MOST_DAYS = 32, 36_525


@dataclass(frozen=True)
class CycleParams:
    """Which cycles are sought.

    Parameters
    ----------
    max_hops
        Most transfers in a cycle, 2 to 32.
    window_days
        Most days of 24 hours from the first transfer to the last, 1 to 36,525; just so much is within.
    min_amount_ratio
        Least part that the smallest amount of a cycle is of the largest. Ratios lie between 0 and 1 and are rounded to a millionth;
        None asks for nothing.
    min_hop_retention
        Least part of an amount that the next must be; it may be more. The step from the last transfer to the first is no hop.
    min_total_retention
        Least part of the first amount that the last must be.
    max_hop_gain
        Most part of an amount that the next may be, from 1 to 10.
    max_parts, part_days
        Up to so many transfers between two accounts, within so many days and without another between them, also count as one of their
        sum, made from the first of them to the last: the next hop begins with the last or later. 1 to 10; 1 is none.
    max_wait_days
        Most days from a hop to the next.
    max_fan
        Accounts that make more transfers than this within some span of ``window_days``, and get more than this within another or the
        same, are left out, and named in ``truncated``. None leaves nobody out. With ``new_from`` only the transfers that may lie in a cycle
        with a new one are counted, those from ``window_days`` before it on.
    hubs
        Ids of accounts that are left out: payment platforms, tax offices.
    name
        What the result calls these parameters.
    max_steps, max_all_steps
        Most steps in the search from one transfer, and from all together. Where that is not enough ``truncated`` says so.
    max_told
        About how many transfers of cycles are told at most: of payments back and forth in a few days there may be more cycles than any
        machine can hold. Here too ``truncated`` says where the search stopped.

    Raises
    ------
    UsageError
        If one is out of range.

    Examples
    --------
    >>> CycleParams(max_hops=1)
    Traceback (most recent call last):
    ...
    kg.errors.UsageError: max_hops is 1; a cycle has 2 to 32 hops
    """

    max_hops: int = 6
    window_days: int = 30
    min_amount_ratio: float | None = None
    min_hop_retention: float | None = None
    min_total_retention: float | None = None
    max_hop_gain: float | None = None
    max_parts: int = 1
    part_days: int = 7
    max_wait_days: int | None = None
    max_fan: int | None = None
    hubs: tuple[str, ...] | tuple[int, ...] = ()
    name: str = "own"
    max_steps: int = 20_000_000
    max_all_steps: int = 20_000_000_000
    max_told: int = 20_000_000

    def __post_init__(self) -> None:
        _refuse_types(self)
        if not 2 <= self.max_hops <= _MOST_HOPS:
            raise UsageError(f"max_hops is {self.max_hops}; a cycle has 2 to {_MOST_HOPS} hops")
        if not 1 <= self.window_days <= _MOST_DAYS:
            raise UsageError(f"window_days is {self.window_days}; a window has 1 to {_MOST_DAYS} days")
        for name in ("min_amount_ratio", "min_hop_retention", "min_total_retention"):
            ratio = getattr(self, name)
            if ratio is not None and not 0 <= ratio <= 1:
                raise UsageError(f"{name} is {ratio}; a ratio lies between 0 and 1")
        if self.max_hop_gain is not None and not 1 <= self.max_hop_gain <= 10:
            raise UsageError(f"max_hop_gain is {self.max_hop_gain}; it lies between 1 and 10")
        if not 1 <= self.max_parts <= 10:
            raise UsageError(f"max_parts is {self.max_parts}; a hop has 1 to 10 parts")
        for name in ("part_days", "max_wait_days", "max_fan", "max_steps", "max_all_steps", "max_told"):
            most, limit = getattr(self, name), _MOST_DAYS if name.endswith("days") else int(EVER)
            if most is not None and not 1 <= most <= limit:
                raise UsageError(f"{name} is {most}; give a number from 1 to {limit}")


def _refuse_types(params: CycleParams) -> None:
    for name in ("max_hops", "window_days", "max_parts", "part_days", "max_wait_days", "max_fan", "max_steps", "max_all_steps", "max_told"):
        value = getattr(params, name)
        if not _is(value, Integral) and not (value is None and name in ("max_wait_days", "max_fan")):
            raise UsageError(f"{name} is {value!r}; give an integer")
    for name in ("min_amount_ratio", "min_hop_retention", "min_total_retention", "max_hop_gain"):
        value = getattr(params, name)
        if value is not None and not _is(value, Real):
            raise UsageError(f"{name} is {value!r}; give a number, or none")
    hubs = params.hubs
    alike = isinstance(hubs, tuple | list) and (
        all(_is(hub, str) for hub in hubs) or all(_is(hub, Integral) and -(2**63) <= int(hub) < 2**63 for hub in hubs)
    )
    if not alike:
        raise UsageError(f"hubs is {hubs!r}; give a tuple of ids, all strings or all numbers")


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


#: A: hardly anything is kept on the way. B: each may keep a fifth, and money may join. C: the order of time alone, for investigations.
TIERS = {
    "A": CycleParams(max_hops=6, window_days=30, min_amount_ratio=0.8, name="A"),
    "B": CycleParams(max_hops=10, window_days=30, min_hop_retention=0.8, min_total_retention=0.5, name="B"),
    "C": CycleParams(max_hops=16, window_days=100, name="C"),
}


#: Split and bundled hops: a sum goes on in up to four payments within nine days, and comes on as one or several; each holder keeps at most
#: 7 % and adds nothing. Money that circulates rests for days, over holidays for nine; what lies longer is lost in other money.
SPLIT = CycleParams(
    max_hops=12,
    window_days=100,
    min_hop_retention=0.93,
    min_total_retention=0.5,
    max_hop_gain=1.0,
    max_parts=4,
    part_days=9,
    max_wait_days=9,
    name="split",
)
