"""What a rule set says: who controls, who owns, who belongs together, and how much a bank may lend them, under one law.

Knows the parameters in which the laws differ; hides nothing. The laws themselves are data in ``kg.rulesets``. Rule sets are never
merged: a result names the one that it was made under.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: How well the text behind a rule set is known: it was read, it was read about, or it is remembered and must be checked before use.
Standing = Literal["certain", "secondary", "memory"]
#: The whole of a company, in parts per million.
WHOLE = 1_000_000


@dataclass(frozen=True)
class Threshold:
    """A part of the whole in ppm that must be passed (``strict``), or reached.

    >>> Threshold(500_000).passed(500_000), Threshold(250_000, strict=False).passed(250_000)
    (False, True)
    """

    ppm: int
    strict: bool = True

    def passed(self, ppm: int, whole: int = WHOLE) -> bool:
        """Say whether so many ppm, of a whole of so many, pass it; compared in whole numbers."""
        return ppm * WHOLE > self.ppm * whole if self.strict else ppm * WHOLE >= self.ppm * whole

    def __str__(self) -> str:
        """Return it as people write it.

        >>> str(Threshold(500_000)), str(Threshold(25_000, strict=False))
        ('> 50 %', '≥ 2.5 %')
        """
        return f"{'>' if self.strict else '≥'} {self.ppm / 10_000:g} %"


@dataclass(frozen=True)
class Limit:
    """The most that a bank may lend: to a ``client``, a ``group`` or all ``insiders``; ppm of its ``net_capital`` or ``tier_1``.

    ``covers`` says what counts: ``loans`` alone, or all ``exposure``. What reaches the limit is within it. A limit of ``kind``
    ``notice`` only makes an exposure a large one.
    """

    of: Literal["client", "group", "insiders", "bank"]
    ppm: int
    base: Literal["net_capital", "tier_1"]
    covers: Literal["loans", "exposure"] = "exposure"
    kind: Literal["limit", "notice"] = "limit"

    def __str__(self) -> str:
        """Return it as people write it.

        >>> str(Limit("group", 150_000, "net_capital"))
        'exposure to a group at most 15 % of net capital'
        """
        base = self.base.replace("_", " ")
        large = "is large above" if self.kind == "notice" else "at most"
        return f"{self.covers} to {'all insiders' if self.of == 'insiders' else f'a {self.of}'} {large} {self.ppm / 10_000:g} % of {base}"


@dataclass(frozen=True)
class RuleSet:
    """A named, versioned rule set.

    Parameters
    ----------
    id, version
        By which a result names it.
    title, source
        What it is called, and the text.
    standing
        How well the text is known; ``unverified`` names the parts that are less well known than that.
    control
        Votes that make control.
    listed_control
        Votes that make control of a listed company where nobody passes ``control``.
    holding
        A holding that counts by itself, below control; None where there is none.
    beneficial
        Share of capital, or of votes, of a beneficial owner; None where the rule set names none.
    tests
        In which order a beneficial owner is sought.
    dependence
        Part of a firm's receipts or spending that makes it depend on another; ``needs_control``: only together with common control.
    capital
        Votes follow the capital subscribed, or that paid in.
    family
        Ties of blood or marriage whose holders count as one: what the other is to a party.
    state_exempt
        Control by the State alone relates nobody.
    treasury
        What becomes of a company's own shares: they have no vote, and the others' votes are counted of the whole (``left_out``) or of
        what is left (``rescaled``).
    limits
        What a bank may lend.
    """

    id: str
    version: str
    title: str
    source: str
    standing: Standing
    unverified: tuple[str, ...] = ()
    control: Threshold = Threshold(WHOLE // 2)
    listed_control: Threshold | None = None
    holding: Threshold | None = None
    beneficial: Threshold | None = None
    tests: tuple[str, ...] = ()
    dependence: Threshold | None = None
    needs_control: bool = False
    capital: Literal["subscribed", "paid_in"] = "subscribed"
    family: tuple[str, ...] = ()
    state_exempt: bool = False
    treasury: Literal["left_out", "rescaled"] = "left_out"
    limits: tuple[Limit, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether all of it was read, in the text or about it; what was not is to be checked before it is used in earnest."""
        return self.standing != "memory" and not self.unverified


@dataclass(frozen=True)
class Chosen:
    """The rule sets under which a bank sees its graph: one of control, ``groups`` and limits, one of beneficial ``owners``."""

    groups: RuleSet
    owners: RuleSet
