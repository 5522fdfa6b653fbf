"""A sum scattered over several hands and gathered again on one account, each part below what anybody would look at.

Look-alikes that are no hit: a cash pool, a platform or an agent that pays and is paid by the same parties over and over (more than
``most_payments`` between two accounts); a wholesaler whose customers pay others too, where what goes on is not what came; hubs.

What cannot be had: who sends a dozen waves over the same hands looks like a customer by then, and is found while they are few, in a night
of the first weeks. Who looks at large generated cities each half year finds all 9 that sent up to eight waves and none of 11 that sent
more; of these the 9 that were looked at a fortnight after their first wave were all found then. With twelve payments in the place of eight,
of 20,000 companies 24 honest ones are hit within three years in the place of 12.

References
----------
.. [1] FATF, Professional Money Laundering, 2018; Suzumura and Kanezashi, AMLSim, 2021 (typology ``scatter_gather``).
.. [2] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号): funds dispersed and concentrated without reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.relays import Passing, gathered, relays
from kg.algorithms.sharing import among
from kg.graph import Graph
from kg.ownership.registers import majorities
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, few, few_between, to_owners, usable
from kg.reason import SCATTERED_AND_GATHERED
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_DAY = 86_400_000_000


@dataclass(frozen=True)
class ScatterGatherParameters:
    """How many hands, how fast and how whole."""

    min_hands: int = parameter(3, "accounts in between", "two ways are chance or a couple; the field says three")
    window_days: int = parameter(30, "days of 24 hours, inclusive", "whoever hides where money goes does not leave it with others")
    home_days: int = parameter(5, "days of 24 hours, inclusive", "short loans among neighbours come home too, three of them in two weeks")
    least_percent: int = parameter(89, "% of what a hand got", "hands keep a few percent, a tenth in known collections, and cut the cents")
    most_percent: int = parameter(100, "% of what a hand got", "who adds own money trades")
    most_payments: int = parameter(8, "payments between two accounts", "waves are few; who pays the same party more often trades with it")
    max_fan: int = parameter(150, "payments of an end or a hand in the time", "beyond it an account is a hub, whose pairs match by chance")
    min_fen: int = parameter(100_000, "fen", "below 1,000 yuan it is daily life, and not worth a hand's trouble")

    def __post_init__(self) -> None:
        refuse_outside("min_hands", self.min_hands, 2, 1_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("home_days", self.home_days, 0, self.window_days)
        refuse_outside("least_percent", self.least_percent, 1, 100)
        refuse_outside("most_percent", self.most_percent, self.least_percent, 1_000)
        refuse_outside("most_payments", self.most_payments, 1, 1_000_000)
        refuse_outside("max_fan", self.max_fan, 1, 1_000_000)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)


def _untraded(transfers: ir.Table, graph: Graph, parameters: ScatterGatherParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    return few_between(transfers, parameters.most_payments, parameters.min_fen)


REQUIRES = (
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_untraded, scope=around_clients),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("REPRESENTS", ("id", "src", "dst")),
    Need("HOLDS_SHARES", ("id", "src", "dst", "share_ppm", "source")),
)


def find_scatter_gather(tables: Tables, parameters: ScatterGatherParameters) -> pa.Table:
    """Find payers whose money reaches one payee over several hands.

    Accounts with one owner are folded to it. A *relay* is a transfer to a hand and one from it, at its time or later by at most
    ``window_days``, of ``least_percent`` to ``most_percent`` of its amount. Told are payer and payee with relays over at least
    ``min_hands`` different hands that all lie within one ``window_days``; within ``home_days`` where the payee is the payer, or one of them
    represents the other or holds it above 50 %. Left out are transfers below
    ``min_fen``, those between two accounts with more than ``most_payments`` of them, ends and hands with more than ``max_fan`` payments
    within the time, and what `kg.payments.transfers.usable` leaves out.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`: a row for each party that owns one of the accounts.
        ``root``: payer and payee joined by ``>``; ``amount_fen``: what was gathered; ``at``: the last transfer; ``evidence``: the
        transfers to the hands, then those from them.
    """
    given = conform(REQUIRES, tables)
    transfers = to_owners(few(given["TRANSFERRED_TO"], parameters.most_payments, parameters.min_fen), given["OWNS_ACCOUNT"])
    row = usable(transfers, least=parameters.min_fen)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    passing = Passing(parameters.window_days * _DAY, parameters.least_percent, parameters.most_percent, parameters.max_fan)
    found = relays(money, passing)
    home = _at_home(accounts, money.payer[found.came], money.payee[found.went], given)
    window = np.where(home, parameters.home_days, parameters.window_days) * _DAY
    through, finding = gathered(money, found, window, parameters.min_hands)
    names = (accounts, transfers.column("id"))
    rows = [legs(money, names, finding, leg, side=side) for side, leg in enumerate((through.came, through.went))]
    ends = pa.table({"case": finding, "from": rows[0]["payer"], "to": rows[1]["payee"]}).group_by(["case", "from", "to"]).aggregate([])
    roots = pa.table({"case": ends["case"], "root": pc.binary_join_element_wise(ends["from"], ends["to"], ">")})
    return told(pa.concat_tables(rows), roots, given["OWNS_ACCOUNT"], counted=1)


def _at_home(accounts: Interner, payer: Ints, payee: Ints, given: dict[str, pa.Table]) -> NDArray[np.bool_]:
    """Tell where payer and payee are one, or one of them leads or holds the other."""
    ties = pa.concat_tables([given["REPRESENTS"].select(["src", "dst"]), majorities(given["HOLDS_SHARES"]).select(["src", "dst"])])
    one, other = (accounts.codes(ties[end]) for end in ("src", "dst"))
    known, count = (one >= 0) & (other >= 0), np.int64(len(accounts))
    keys = np.sort(np.concatenate([one[known] * count + other[known], other[known] * count + one[known]]))
    found: NDArray[np.bool_] = (payer == payee) | among(payer * count + payee, keys)
    return found


RULE = Rule(
    name="scatter_gather",
    version="2",
    about="A sum is scattered over several hands and gathered again on one account.",
    reason=SCATTERED_AND_GATHERED,
    severity="medium",
    action="refer",
    parameters=ScatterGatherParameters(),
    requires=REQUIRES,
    find=find_scatter_gather,
)
