"""A company that somebody controls whom its register does not name: its loans, or sums sent to it, end with that person.

Money alone says little: owners of companies help one another out, and one loan in thirty goes whole to a friend. Nor does access alone, a
device that two firms share. Told is who has money *and* a sign of control: a device or contact that no register explains, control over
holding companies, or a loan that went up the holdings and on to a stranger.

Look-alikes that are no hit: relatives of the owners, who lend each other money; a supplier that is paid out of a loan; a parent that pools
the cash of its subsidiaries; friends who help out, even with several loans; an accountant's device that many share.

What cannot be had: who leaves no device, no contact and no chain of holdings does nothing that honest friends do not do, and money is not
found that goes up the holdings within a trade that is there. Of 42 planted in generated cities of half a year 24 are hit, at one honest
company of 5,000, and of 40 in large cities of three years 18; a second loan to the same stranger would hit a few more, at one honest
company of 1,000 more. The score of candidates in `LINKED_TO`, which was told before, hit half, at 13 of 1,000, though three in ten of these
truly had a nominee. It stays in the graph as a hint to an officer and makes no flag.

References
----------
.. [1] 最高人民法院关于适用公司法若干问题的规定（三）, art. 24 to 26, on nominee holdings (代持).
.. [2] FATF, Egmont Group, Concealment of beneficial ownership, 2018: nominees, layers of holdings, money that returns to the true owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.kernel import Ints
from kg.algorithms.proceeds import Bounds
from kg.algorithms.sharing import among, distinct, joined
from kg.graph import Graph
from kg.ownership.heads import Heads
from kg.payments import loan_money
from kg.payments.following import Came, Moved, came_by, moved
from kg.payments.transfers import around_clients, least_share, seen_whole, to_owners, usable
from kg.reason import HIDDEN_CONTROL
from kg.rule import DAY, FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

_DAY = 86_400_000_000
_ACCESS = ("shared_device", "same_contact")
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class HiddenControlParameters:
    """How much of the money, how soon, and which signs."""

    loan_percent: int = parameter(25, "% of a loan, beside a sign", "a quarter is more than a firm pays to one whom it does not trade with")
    own_percent: int = parameter(60, "% of a payment, beside a sign", "who sends his own money round gets most of it back")
    up_percent: int = parameter(40, "% of a loan, up the holdings", "a parent keeps what it needs; much that goes on to a stranger is his")
    part_percent: int = parameter(10, "% of the sum", "smaller payments are everybody's daily trade")
    min_fen: int = parameter(500_000, "fen", "below 5,000 yuan nobody rents a company")
    hand_days: int = parameter(8, "days of 24 hours", "a hand passes on what is not its own within a week and a holiday")
    max_hops: int = parameter(6, "payments on the way", "further on nobody can tell whose money it is")
    min_strength_ppm: int = parameter(250_000, "ppm", "a device or contact that many houses share is an agent's")

    def __post_init__(self) -> None:
        for name, low, high in _BOUNDS:
            refuse_outside(name, getattr(self, name), low, high)


_BOUNDS = (
    ("loan_percent", 1, 100),
    ("own_percent", 1, 100),
    ("up_percent", 1, 100),
    ("part_percent", 1, 100),
    ("min_fen", 1, 2**40),
    ("hand_days", 0, 366),
    ("max_hops", 1, 12),
    ("min_strength_ppm", 1, 1_000_000),
)


def _large(transfers: ir.Table, graph: Graph, parameters: HiddenControlParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    return transfers.filter(transfers.amount_fen >= _least(parameters))


def _least(parameters: HiddenControlParameters) -> int:
    return max(parameters.min_fen * parameters.part_percent // 100, 1)


REQUIRES = (
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_large, scope=around_clients, judged=seen_whole),
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("INVOICED", ("src", "dst")),
    Need("CONTROLS", ("id", "src", "dst", "jointly")),
    Need("REPRESENTS", ("src", "dst")),
    Need("HOLDS_SHARES", ("src", "dst")),
    Need("OFFICER_OF", ("src", "dst")),
    Need("KIN_OF", ("src", "dst")),
    Need("LINKED_TO", ("id", "src", "dst", "kind", "strength", "disclosed")),
    Need.records("hubs", parties=("party",)),
    Need.records("rebuttals", parties=("a", "b"), action="string", decided_at="timestamp", until_on="date"),
    DAY,
)


def find_hidden_control(tables: Tables, parameters: HiddenControlParameters) -> pa.Table:
    """Find companies whose money ends with a person whom their register does not name, and whom a sign ties to them.

    A sum is *followed* from payment to payment: what a party got of it goes on with its next payments within ``hand_days``, the earliest
    first, until it is used up; over at most ``max_hops`` of them, each of ``part_percent`` of the sum or more. Accounts with one owner are
    folded to it. Payments to and from known hubs, and below ``part_percent`` of ``min_fen``, are left out.

    A person *heads* the companies that it alone controls, and those that it represents. Money of a company ends with a person whom its
    register does not name (as holder, representative or officer), nor any relative of these, also over a third one, where

    - of a loan of the company a part came to the person, or to a company that it heads and that no register ties to this one; or
    - of a payment of ``min_fen`` or more to the company, by another that the person heads and no register ties to it, a part came to the
      person.

    Told is such a pair where the part is ``loan_percent`` or ``own_percent`` and a sign ties the two:

    - the person controls the company over others; or
    - a link ``shared_device`` or ``same_contact`` of ``min_strength_ppm``, that the register does not tell, joins the company to the person
      or to a company that it heads;

    and where of a loan ``up_percent`` came from a company that holds the borrower, directly or over others, went on beyond the holdings,
    and none of it was paid to who ever invoiced the payer.

    Pairs whose link a person has rebutted are left out.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each company and person.
        ``root``: the person; ``evidence``: the pay-outs and first payments, by id, the last payments, then the links and ``CONTROLS``;
        ``amount_fen``: what came to the person, in all; ``at``: when the last sum started.
    """
    given = conform(REQUIRES, tables)
    moves = to_owners(given["TRANSFERRED_TO"], given["OWNS_ACCOUNT"])
    row = usable(moves, least=_least(parameters))
    if not row.size:
        return FOUND.empty_table()
    world = Heads.of(given, moves["src"], moves["dst"])
    hub, sold = np.zeros(world.n, np.bool_), _trade(world, given["INVOICED"])
    known = world.names.codes(given["records/hubs"]["party"])
    hub[known[known >= 0]] = True
    lent, bounds = _lent(world, given), Bounds(parameters.hand_days * _DAY, parameters.max_hops, parameters.part_percent * 10_000)
    way = _Way(world, moved(moves, row, world.names, sold[:0], hub), moves)
    least = parameters.own_percent, parameters.min_fen
    sums = pa.concat_tables([_of_loans(way, lent, bounds, parameters.loan_percent), _of_own(way, bounds, least)])
    signs = _signs(sums, world, given["LINKED_TO"], parameters)
    signed = sums.filter(pa.array(among(sums["pair"].to_numpy(), distinct(signs["pair"].to_numpy()))))
    strict = _of_loans(way._replace(money=moved(moves, row, world.names, sold, hub)), lent, bounds, parameters.up_percent)
    above = world.above(strict["company"].to_numpy(), strict["sender"].to_numpy())
    sums = pa.concat_tables([signed, strict.filter(pa.array(above))])
    refuted = _rebutted(given["records/rebuttals"], given[DAY.name], world)
    return _told(sums.filter(pa.array(~among(sums["pair"].to_numpy(), refuted))), signs, world)


def _trade(world: Heads, invoiced: pa.Table) -> Ints:
    """Return the keys of sellers and buyers, in order."""
    seller, buyer = world.names.codes(invoiced["src"]), world.names.codes(invoiced["dst"])
    known = (seller >= 0) & (buyer >= 0)
    return distinct(seller[known] * world.n + buyer[known])


def _rebutted(rows: pa.Table, today: pa.Table, world: Heads) -> Ints:
    """Return the keys of pairs, either way round, of whom it was said last that nothing ties them, and for longer than today."""
    one, other = pc.min_element_wise(rows["a"], rows["b"]), pc.max_element_wise(rows["a"], rows["b"])
    said = pa.table({"one": one, "other": other, **{name: rows[name] for name in ("action", "until_on", "decided_at")}})
    last = said.group_by(["one", "other"]).aggregate([("decided_at", "max")])
    said = said.join(last, ["one", "other"]).filter(pc.field("decided_at") == pc.field("decided_at_max"))
    valid = pc.fill_null(pc.greater(said["until_on"], pc.max(today["day"])), True)
    said = said.filter(pc.and_(pc.equal(said["action"], "rebut"), valid))
    a, b = world.names.codes(said["one"]), world.names.codes(said["other"])
    known = (a >= 0) & (b >= 0)
    a, b = a[known], b[known]
    return distinct(np.concatenate([a * world.n + b, b * world.n + a]))


class _Way(NamedTuple):
    """Money as it is followed: the parties, the payments that may carry it, the table of all."""

    world: Heads
    money: Moved
    moves: pa.Table

    def ids(self, row: Ints) -> pa.ChunkedArray:
        """Return the ids of payments."""
        return self.moves["id"].take(pa.array(self.money.row[row]))


def _lent(world: Heads, given: dict[str, pa.Table]) -> pa.Table:
    """Return the pay-outs to companies: ``id, begin`` (whose account got it), ``borrower, fen, since``."""
    out = loan_money.payouts(given["PAID_OUT_TO"], given["BORROWED"]["dst"])
    taken = given["BORROWED"].select(["src", "dst"]).rename_columns(["borrower", "src"])
    out = to_owners(out, given["OWNS_ACCOUNT"]).join(taken, "src", join_type="inner")
    begin, borrower = (world.names.codes(out[name]) for name in ("dst", "borrower"))
    named = {"id": out["id"], "begin": begin, "borrower": borrower}
    lent = pa.table({**named, "fen": out["amount_fen"], "since": out["at"].cast(pa.int64())})
    lent = lent.filter(pa.array((begin >= 0) & (borrower >= 0) & ~world.person[borrower]))
    return lent.sort_by([("id", "ascending"), ("borrower", "ascending")])


def _of_loans(way: _Way, lent: pa.Table, bounds: Bounds, percent: int) -> pa.Table:
    """Return the loans of which enough came to persons, or to companies of theirs that no register ties to the borrower."""
    world, (begin, borrower, fen, since) = way.world, (lent[name].to_numpy() for name in lent.column_names[1:])
    came = came_by(way.money, (begin, since, fen), bounds)
    company = borrower[came.start]
    kept = (came.fen >= least_share(fen, percent)[came.start]) & (came.party != company)
    kept[kept] = world.person[came.party[kept]] | ~world.tied(company[kept], came.party[kept])
    came, company = Came(*(column[kept] for column in came)), company[kept]
    own, (row, head) = np.flatnonzero(world.person[came.party]), world.headed(came.party)
    row, person = np.concatenate([own, row]), np.concatenate([came.party[own], head])
    start, ids = came.start[row], (lent["id"].take(pa.array(came.start[row])), way.ids(came.last[row]))
    return _rows(world, (company[row], person, came.fen[row], since[start], came.sender[row]), ids)


def _of_own(way: _Way, bounds: Bounds, least: tuple[int, int]) -> pa.Table:
    """Return the payments between companies, tied by no register, of which enough came to a person who heads the payer."""
    (world, money), n, (percent, min_fen) = way[:2], way.world.n, least
    fits = (money.fen >= min_fen) & ~world.person[money.payer] & ~world.person[money.payee]
    begin = np.flatnonzero(fits & among(money.payer, distinct(world.heads // n)))
    came = came_by(money, (money.payee[begin], money.at[begin], money.fen[begin]), bounds)
    payment = begin[came.start]
    kept = (came.fen >= least_share(money.fen, percent)[payment]) & among(money.payer[payment] * n + came.party, world.heads)
    kept[kept] = ~world.tied(money.payer[payment[kept]], money.payee[payment[kept]])
    payment, came = payment[kept], Came(*(column[kept] for column in came))
    at, ids = money.at[payment], (way.ids(payment), way.ids(came.last))
    return _rows(world, (money.payee[payment], came.party, came.fen, at, came.sender), ids)


def _rows(world: Heads, columns: tuple[Ints, ...], ids: tuple[pa.ChunkedArray, pa.ChunkedArray]) -> pa.Table:
    """Return sums that ended with persons outside the registers: ``company, person, fen, at, sender, pair, first, last``."""
    names = ("company", "person", "fen", "at", "sender")
    pair = columns[0] * world.n + columns[1]
    table = pa.table({**dict(zip(names, columns, strict=True)), "pair": pair, "first": ids[0], "last": ids[1]})
    return table.filter(pa.array(world.outside(*columns[:2])))


def _signs(sums: pa.Table, world: Heads, links: pa.Table, parameters: HiddenControlParameters) -> pa.Table:
    """Return ``pair, id`` of the relationships by which persons are tied to companies: control over others, access that is not told."""
    n, pair = world.n, distinct(sums["pair"].to_numpy())
    company, person = pair // n, pair % n
    key, control = world.controls
    row, place = joined(pair, key)
    over = pa.table({"pair": pair[row], "id": control.take(pa.array(place))})
    told = pc.and_(pc.is_in(links["kind"], value_set=pa.array(_ACCESS)), pc.invert(pc.fill_null(links["disclosed"], False)))
    links = links.filter(pc.and_(told, pc.greater_equal(links["strength"], parameters.min_strength_ppm)))
    a, b = world.names.codes(links["src"]), world.names.codes(links["dst"])
    row, place = joined(person, world.heads % n)
    of, other = np.concatenate([np.arange(pair.size), row]), np.concatenate([person, world.heads[place] // n])
    row, link = joined(company[of] * n + other, np.concatenate([a * n + b, b * n + a]))
    access = pa.table({"pair": pair[of[row]], "id": links["id"].take(pa.array(link % max(links.num_rows, 1)))})
    return pa.concat_tables([over, access])


def _told(sums: pa.Table, signs: pa.Table, world: Heads) -> pa.Table:
    """Give each pair a finding with its sums and signs."""
    once = sums.group_by(["pair", "first", "at"]).aggregate([("fen", "max")])
    found = once.group_by("pair").aggregate([("fen_max", "sum"), ("at", "max")])
    pair = found["pair"].to_numpy()
    named = {"entity_id": world.names.names(pair // world.n), "root": world.names.names(pair % world.n)}
    at = found["at_max"].cast(pa.timestamp("us", "UTC"))
    findings = pa.table({"finding": pair, **named, "amount_fen": found["fen_max_sum"], "at": at})
    signs = signs.filter(pa.array(among(signs["pair"].to_numpy(), np.sort(pair))))
    parts = ((0, sums, "first"), (1, sums, "last"), (2, signs, "id"))
    evidence = [pa.table({"finding": rows["pair"], "position": np.full(rows.num_rows, place), "id": rows[of]}) for place, rows, of in parts]
    return listed(findings, pa.concat_tables(evidence))


RULE = Rule(
    name="hidden_control",
    version="2",
    about="Money of a company ends with a person whom its register does not name, and whom a sign of control ties to it.",
    reason=HIDDEN_CONTROL,
    severity="medium",
    action="refer",
    parameters=HiddenControlParameters(),
    requires=REQUIRES,
    find=find_hidden_control,
)
