"""Contagion: what falls when companies fall, by the supply links between them (Economic Systemic Risk Index).

A company that stands still delivers nothing, and buys nothing. Its buyers lose by what they lack: of an input that is essential to them
the part that is missing of all they buy of that industry, the worst industry counting; of all others together the part of all that they
buy. Its suppliers lose by the part of their sales that it took. Both sides go on by themselves, step by step, and nobody finds another
supplier or buyer. The index of a company is the part of all trade that is lost when it alone falls.

References
----------
.. [1] Diem, Borsos, Reisch, Kertész, Thurner, Quantifying firm-level economic systemic risk from nation-wide supply networks, Scientific
   Reports 12, 7719, 2022, https://doi.org/10.1038/s41598-022-11522-z (with σ = 1).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

from kg.algorithms.cascade import Floats, Shocks, cascades, single_shocks
from kg.algorithms.origins import chain_to, origins
from kg.derivations.supply_network import Network, read_network, read_shocks
from kg.errors import UsageError

#: A shock has come to rest when no company falls by more in a step.
TOLERANCE = 1e-2
#: What tells of a loss: the shock itself, inputs that a company lacks, customers that it lost.
_BY = ("shock", "inputs", "customers")


def esri(
    supplies: pa.Table,
    industries: pa.Table,
    essential: pa.Table,
    *,
    size: Literal["out", "max"] = "out",
    tolerance: float = TOLERANCE,
    shocks: pa.Table | None = None,
) -> pa.Table:
    """Compute the Economic Systemic Risk Index of companies, or of given shocks.

    All companies are updated together, from what remains of each after the shock, until none falls by more than ``tolerance`` in a step,
    downstream or upstream.

    Parameters
    ----------
    supplies
        ``supplier, buyer`` (strings or int64), ``weight`` (what is traded, 0 or more). Parallel rows are added up; what a company
        supplies to itself counts like any other trade.
    industries
        ``company, industry``: a row for each company that trades, and for others that are to be told of.
    essential
        ``supplier_industry, buyer_industry, kind``: 0 not needed, 1 non-essential, 2 essential. A pair that it does not list is not
        needed; an industry that trades and that it lists nowhere is refused.
    size
        By what a company counts: ``out``, its sales; ``max``, the greater of its sales and its purchases.
    tolerance
        From 0 to below 1. With 0 a loop of suppliers may take long to come to rest.
    shocks
        ``shock, company, remaining`` (a fraction): a company that a shock does not list keeps 1. By default each company alone falls to 0.

    Returns
    -------
    Table
        ``company, esri, downstream, upstream`` in the order of company, of every company in ``industries``; with ``shocks``,
        ``shock, esri, downstream, upstream`` in the order of shock. Fractions of all size, 0 where nothing is traded: ``esri`` takes the
        worse side of each company, ``downstream`` and ``upstream`` one side alone.

    Raises
    ------
    UsageError
        If a row is wrong, or ``size`` or ``tolerance`` makes no sense.

    Examples
    --------
    >>> supplies = pa.table({"supplier": ["mine", "mill"], "buyer": ["mill", "maker"], "weight": [10, 30]})
    >>> industries = pa.table({"company": ["mine", "mill", "maker"], "industry": ["ore", "steel", "cars"]})
    >>> needs = pa.table({"supplier_industry": ["ore", "steel"], "buyer_industry": ["steel", "cars"], "kind": [2, 2]})
    >>> esri(supplies, industries, needs).select(["company", "esri", "downstream", "upstream"]).to_pylist()[0]
    {'company': 'maker', 'esri': 1.0, 'downstream': 0.0, 'upstream': 1.0}
    """
    _refuse(size, tolerance)
    net = read_network(supplies, industries, essential)
    weight = net.sales if size == "out" else np.maximum(net.sales, net.purchases)
    if shocks is None:
        first, struck = {"company": net.companies}, single_shocks(len(net.companies))
    else:
        named = read_shocks(shocks, net)
        first, struck = {"shock": named.names}, named.shocks
    lost, _ = cascades((net.down, net.up), struck, weight, tolerance)
    return pa.table({**first, "esri": lost[:, 0], "downstream": lost[:, 1], "upstream": lost[:, 2]})


def _refuse(size: str, tolerance: float) -> None:
    if size not in ("out", "max"):
        raise UsageError(f"size is out (sales) or max (the greater of sales and purchases), not {size}")
    if not isinstance(tolerance, int | float | np.floating) or isinstance(tolerance, bool) or not 0 <= tolerance < 1:
        raise UsageError(f"tolerance is a fraction of a company, from 0 to below 1, not {tolerance!r}")


def hurt(supplies: pa.Table, industries: pa.Table, essential: pa.Table, shocks: pa.Table, *, tolerance: float = TOLERANCE) -> pa.Table:
    """Return who is hurt by one shock, by how much, and through whom.

    Parameters
    ----------
    supplies, industries, essential, tolerance
        See `esri`.
    shocks
        ``shock, company, remaining``: rows of one shock.

    Returns
    -------
    Table
        ``company, remaining, downstream, upstream, by, path``, the most hurt first: what remains of a company (the lesser of
        the sides), of each side alone, the side that tells (``shock``, ``inputs`` or ``customers``) and the companies over which the loss
        came, from one that was shocked to this one: the chain on which the parts that each hands on to the next are the greatest.

    Raises
    ------
    UsageError
        If a row is wrong, or there is not one shock.

    Examples
    --------
    >>> supplies = pa.table({"supplier": ["mine", "mill"], "buyer": ["mill", "maker"], "weight": [10, 30]})
    >>> industries = pa.table({"company": ["mine", "mill", "maker"], "industry": ["ore", "steel", "cars"]})
    >>> needs = pa.table({"supplier_industry": ["ore", "steel"], "buyer_industry": ["steel", "cars"], "kind": [2, 1]})
    >>> stop = pa.table({"shock": ["s"], "company": ["mine"], "remaining": [0.5]})
    >>> hurt(supplies, industries, needs, stop).select(["company", "remaining", "by", "path"]).to_pylist()[2]
    {'company': 'mine', 'remaining': 0.5, 'by': 'shock', 'path': ['mine']}
    """
    _refuse("out", tolerance)
    net = read_network(supplies, industries, essential)
    named = read_shocks(shocks, net)
    if len(named.names) != 1:
        raise UsageError(f"shocks hold {len(named.names)} shocks; who is hurt is told of one")
    _, lost = cascades((net.down, net.up), named.shocks, net.sales, tolerance)
    return _told(net, named.shocks, lost)


def _told(net: Network, struck: Shocks, lost: Floats) -> pa.Table:
    """Return the companies that lost anything, with the chain over which it came."""
    worse = lost.max(axis=0)
    who = np.flatnonzero(worse > 0)
    who = who[np.lexsort((who, -worse[who]))]
    side = lost[:, who].argmax(axis=0)
    before = [origins(of, struck.company, 1.0 - struck.remaining, lost[which]) for which, of in enumerate((net.down, net.up))]
    chains = [chain_to(before[which], company) for company, which in zip(who.tolist(), side.tolist(), strict=True)]
    size = np.array([len(chain) for chain in chains], np.int64)
    steps = np.array([company for chain in chains for company in chain], np.int64)
    remains = 1.0 - lost[:, who]
    by = pa.array(_BY).take(pa.array(np.where(size == 1, 0, side + 1)))
    path = pa.ListArray.from_arrays(pa.array(np.cumsum([0, *size]), pa.int32()), net.companies.take(pa.array(steps)))
    columns = {"remaining": remains.min(axis=0), "downstream": remains[0], "upstream": remains[1], "by": by, "path": path}
    return pa.table({"company": net.companies.take(pa.array(who)), **columns})
