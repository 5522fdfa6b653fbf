"""Links between parties, by control and by dependence, as tables state them: read, checked, and without those that do not count.

Knows the columns, coalitions, the exemption of the State and rebuttals; hides the numbering. Groups are made of these links.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import group_rows, items_of
from kg.algorithms.groups import Bools, without
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among
from kg.derivations.control import JOINT
from kg.errors import UsageError, did_you_mean_one_of
from kg.ownership.holdings import COMPANY, STATE, Parties, held_on, numbered_alike, told
from kg.ruleset import WHOLE, RuleSet
from kg.tables import first_row, refuse_flags, refuse_ids, refuse_nulls, refuse_shares, refuse_words

#: Tests of dependence; the first two are measured in ppm, the others are stated judgements.
TESTS = ("receipts", "spending", "guarantee", "output", "repayment_source", "contagion", "funder")
_MEASURED = pa.array(TESTS[:2])
_PPM = "it is whole ppm, in integers (50 % is 500000)"
#: What a link is: a coalition and its member, control, or from here on the test of dependence.
JOINED, CONTROLS, DEPENDS = range(3)


@dataclass(frozen=True)
class Nodes:
    """Parties and after them coalitions, by number; ``of`` and ``member`` pair each coalition's number with its members'."""

    parties: Parties
    joint: pa.Array
    of: Ints
    member: Ints

    def __len__(self) -> int:
        return len(self.parties) + len(self.joint)

    def numbers(self, column: pa.ChunkedArray) -> Ints:
        """Return the number of each id or name of a coalition, -1 where it is neither."""
        if not pa.types.is_integer(self.parties.ids.type):
            number = self.parties.numbers(column)
        elif pa.types.is_integer(column.type):
            return self.parties.numbers(column)
        else:
            number = Parties(self.parties.ids.cast(pa.string()), self.parties.kind, self.parties.listed).numbers(column)
        place = pc.fill_null(pc.index_in(column.cast(pa.string()), value_set=self.joint), -1).to_numpy()
        return np.where(place >= 0, place + len(self.parties), number)

    def names(self) -> pa.Array:
        """Return the names of all, as strings."""
        return pa.concat_arrays([self.parties.ids.cast(pa.string()), self.joint])


@dataclass(frozen=True)
class Links:
    """Links by number, from who holds a group together to who belongs; ``ppm`` is -1 where nothing is measured."""

    source: Ints
    target: Ints
    ppm: Ints
    sort: Ints

    def where(self, kept: Bools) -> Links:
        """Return some of them."""
        return Links(self.source[kept], self.target[kept], self.ppm[kept], self.sort[kept])

    def __add__(self, other: Links) -> Links:
        names = ("source", "target", "ppm", "sort")
        return Links(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


@dataclass(frozen=True)
class Stated:
    """What is stated of links: tables of control, dependence and rebuttals, and of what kind the parties are."""

    control: pa.Table
    dependence: pa.Table | None
    rebuttals: pa.Table | None
    parties: pa.Table | None


def read_links(stated: Stated, rules: RuleSet, as_of: date | None) -> tuple[Links, Links, Nodes]:
    """Return the links by control (those of coalitions with their members among them) and by dependence that count under the rules.

    Raises
    ------
    UsageError
        If a row is wrong.
    """
    _refuse(stated.control, stated.dependence)
    counted = _passing(stated.dependence, rules, as_of)
    certain = stated.control.filter(stated.control["certain"])
    nodes = _nodes(certain, counted, stated.parties)
    controls, depends = _control_links(certain, nodes), _dependence_links(counted, nodes)
    if rules.state_exempt:
        controls, depends = _without_state(controls, nodes), depends.where(nodes.parties.kind[depends.source] != STATE)
    if stated.rebuttals is not None:
        refuse_nulls("rebuttals", stated.rebuttals, ("a", "b"))
        # beside numbers a coalition is rebutted by its name
        known = stated.control["controlled"].type
        for column in ("a", "b"):
            refuse_ids("rebuttals", stated.rebuttals, (column,), None if pa.types.is_integer(known) or not len(stated.control) else known)
        controls, depends = _without_rebutted(controls, depends, nodes, stated.rebuttals)
    controls = controls.where(~_needless(controls, nodes))
    controls = controls.where(~_led(controls, nodes)[controls.source])
    return controls + _joined(controls, nodes), depends, nodes


def _refuse(control: pa.Table, dependence: pa.Table | None) -> None:
    refuse_nulls("control", control, ("controller", "controlled", "votes_ppm", "certain"))
    for column in ("controller", "controlled"):
        refuse_ids("control", control, (column,))
    refuse_shares("control", control, ("votes_ppm",), _PPM)
    refuse_flags("control", control, ("certain",))
    if dependence is not None:
        refuse_nulls("dependence", dependence, ("dependent", "on", "test"))
        refuse_ids("dependence", dependence, ("dependent", "on"), control["controlled"].type if len(control) else None)
        refuse_words("dependence", dependence, ("test",))
        refuse_shares("dependence", dependence, ("ppm",), _PPM)
        known = pc.is_in(dependence["test"].cast(pa.string()), value_set=pa.array(TESTS))
        if (row := first_row(pc.invert(known))) is not None:
            said = dependence["test"][row].as_py()
            raise UsageError(f"dependence row {row}: there is no test '{said}'{did_you_mean_one_of(said, TESTS)}")
        _refuse_ppm(dependence)


def _refuse_ppm(dependence: pa.Table) -> None:
    """Refuse receipts and spending that are not told in ppm."""
    measured = pc.is_in(dependence["test"].cast(pa.string()), value_set=_MEASURED)
    ppm = dependence["ppm"].cast(pa.int64()) if "ppm" in dependence.column_names else pa.nulls(len(dependence), pa.int64())
    if (row := first_row(pc.and_(measured, pc.is_null(ppm)))) is not None:
        test = dependence["test"][row]
        raise UsageError(f"dependence row {row}: ppm is null; {test} are measured, in ppm of all {test} of the dependent")
    if (row := first_row(pc.or_(pc.less(ppm, 0), pc.greater(ppm, WHOLE)))) is not None:
        raise UsageError(f"dependence row {row}: ppm is {ppm[row]}; a part lies between 0 and 1000000 ppm")


def _passing(dependence: pa.Table | None, rules: RuleSet, as_of: date | None) -> pa.Table:
    """Return ``dependent, on, sort, ppm`` of the rows that count under the rules on the day."""
    if dependence is None or rules.dependence is None:
        none = pa.array([], pa.string())
        return pa.table({"dependent": none, "on": none, "sort": pa.array([], pa.int64()), "ppm": pa.array([], pa.int64())})
    rows = held_on(dependence, as_of)
    sort = pc.index_in(rows["test"].cast(pa.string()), value_set=pa.array(TESTS)).to_numpy().astype(np.int64) + DEPENDS
    stated = rows["ppm"] if "ppm" in rows.column_names else pa.nulls(len(rows), pa.int64())
    ppm = pc.fill_null(stated.cast(pa.int64()), -1).to_numpy()
    bar = rules.dependence.ppm + (1 if rules.dependence.strict else 0)
    counts = (sort >= DEPENDS + len(_MEASURED)) | (ppm >= bar)
    return rows.select(["dependent", "on"]).append_column("sort", pa.array(sort)).append_column("ppm", pa.array(ppm)).filter(counts)


def _nodes(control: pa.Table, dependence: pa.Table, parties: pa.Table | None) -> Nodes:
    controller, controlled = control["controller"], control["controlled"]
    joint = pa.array([], pa.string())
    if not pa.types.is_integer(controller.type):
        joint, controller = _coalitions(controller, controlled, parties)
    apart = pc.split_pattern(joint, JOINT)
    members = _alike(pc.list_flatten(apart), controlled)
    columns = (controlled, _alike(controller, controlled), dependence["dependent"], dependence["on"], members)
    ids, numbers = numbered_alike("control and dependence", *columns)
    known = Parties(ids, np.full(len(ids), COMPANY), np.zeros(len(ids), np.bool_))
    place = pc.list_parent_indices(apart).to_numpy().astype(np.int64)
    return Nodes(known if parties is None else told(known, parties), joint, place + len(ids), numbers[4])


def _alike(ids: pa.ChunkedArray | pa.Array, like: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return ids as numbers where others are numbers: beside the names of coalitions they stand as strings."""
    if not pa.types.is_integer(like.type) or pa.types.is_integer(ids.type):
        return ids
    wrong = pc.invert(pc.match_substring_regex(ids, "^[0-9]{1,18}$"))
    if (row := first_row(wrong)) is not None:
        raise UsageError(f"control: the controller '{ids[row]}' is no number, where who is controlled is named by numbers; make them alike")
    return ids.cast(pa.int64())


def _coalitions(controller: pa.ChunkedArray, controlled: pa.ChunkedArray, parties: pa.Table | None) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return the names of coalitions, and the controllers that are none; an id with the sign in it that is known as a party is none."""
    names = controller.cast(pa.string())
    joint = names.filter(pc.match_substring(names, JOINT)).unique()
    for known in [controlled] if parties is None else [controlled, parties["party"]]:
        if len(joint):
            joint = joint.filter(pc.invert(pc.is_in(joint, value_set=known.cast(pa.string()))))
    joint = joint.take(pc.array_sort_indices(joint))
    return joint, names.filter(pc.invert(pc.is_in(names, value_set=joint))) if len(joint) else names


def _control_links(control: pa.Table, nodes: Nodes) -> Links:
    source, target = nodes.numbers(control["controller"]), nodes.numbers(control["controlled"])
    ppm = control["votes_ppm"].cast(pa.int64()).to_numpy()
    return Links(source, target, ppm, np.full(source.size, CONTROLS))


def _dependence_links(dependence: pa.Table, nodes: Nodes) -> Links:
    source, target = nodes.parties.numbers(dependence["on"]), nodes.parties.numbers(dependence["dependent"])
    links = Links(source, target, dependence["ppm"].to_numpy(), dependence["sort"].to_numpy())
    return links.where(source != target)


def _joined(controls: Links, nodes: Nodes) -> Links:
    """Return a link from each coalition that controls anybody to its members."""
    in_control = np.zeros(len(nodes), np.bool_)
    in_control[controls.source] = True
    kept = in_control[nodes.of]
    of, member = nodes.of[kept], nodes.member[kept]
    return Links(of, member, np.full(of.size, -1), np.full(of.size, JOINED))


def _led(controls: Links, nodes: Nodes) -> Bools:
    """Tell which nodes are coalitions one member of which controls all others: they are its group, not one of several heads."""
    found, width = np.zeros(len(nodes), np.bool_), len(nodes)
    count = np.bincount(nodes.of, minlength=width)
    one, at = items_of(group_rows(nodes.of, width), nodes.of)
    below = among(nodes.member[one] * width + nodes.member[at], np.sort(controls.source * width + controls.target))
    others = np.bincount(one, below, nodes.of.size)
    found[nodes.of[others == count[nodes.of] - 1]] = True
    return found


def _needless(controls: Links, nodes: Nodes) -> Bools:
    """Tell what coalitions control that one of their members controls alone: it ties the others to nobody.

    The law speaks of what relatives control together; that two are relatives, each with a firm of its own, makes no group.
    """
    found = np.zeros(controls.source.size, np.bool_)
    if len(nodes.joint):
        row, member, target = _by_member(controls, nodes)
        width = len(nodes)
        found[row[among(member * width + target, np.sort(controls.source * width + controls.target))]] = True
    return found


def _by_member(controls: Links, nodes: Nodes) -> tuple[Ints, Ints, Ints]:
    """Return row, member and target for each row of a coalition and each of its members."""
    count = len(nodes.parties)
    rows = np.flatnonzero(controls.source >= count)
    members = group_rows(nodes.of - count, len(nodes.joint))
    place, at = items_of(members, controls.source[rows] - count)
    return rows[place], nodes.member[at], controls.target[rows[place]]


def _without_state(controls: Links, nodes: Nodes) -> Links:
    """Leave out what state bodies control, and what a coalition controls only because a state body in it does, or all of it are such."""
    state = np.append(nodes.parties.kind == STATE, np.zeros(len(nodes.joint), np.bool_))
    if len(nodes.joint):
        private = np.bincount(nodes.of, ~state[nodes.member], len(nodes))[len(nodes.parties) :]
        state[len(nodes.parties) :] = private == 0
    dropped = state[controls.source]
    row, member, target = _by_member(controls, nodes)
    width = len(nodes)
    alone = state[member] & among(member * width + target, np.sort((controls.source * width + controls.target)[dropped]))
    dropped[row[alone]] = True
    return controls.where(~dropped)


def _without_rebutted(controls: Links, depends: Links, nodes: Nodes, rebuttals: pa.Table) -> tuple[Links, Links]:
    """Leave out what is rebutted, and what is controlled only over such a pair."""
    ends = np.array([nodes.numbers(rebuttals[name]) for name in ("a", "b")])
    a, b = ends[:, (ends >= 0).all(axis=0)]
    rebutted = np.sort(_pairs(a, b, nodes))
    cut = among(_pairs(controls.source, controls.target, nodes), rebutted)
    row, member, target = _by_member(controls, nodes)
    cut[row[among(_pairs(member, target, nodes), rebutted)]] = True
    cut |= _ended(nodes, rebutted)[controls.source]
    if cut.any():
        controls = controls.where(without(controls.source, controls.target, cut, len(nodes)))
    return controls, depends.where(~among(_pairs(depends.source, depends.target, nodes), rebutted))


def _pairs(a: Ints, b: Ints, nodes: Nodes) -> Ints:
    """Return a number for each pair, whichever of the two comes first."""
    found: Ints = np.minimum(a, b) * len(nodes) + np.maximum(a, b)
    return found


def _ended(nodes: Nodes, rebutted: Ints) -> Bools:
    """Tell which nodes are coalitions of two whose pair is rebutted."""
    ended = np.zeros(len(nodes), np.bool_)
    two = np.flatnonzero(np.bincount(nodes.of, minlength=len(nodes)) == 2)
    # members of a coalition stand side by side
    first = np.searchsorted(nodes.of, two)
    ended[two] = among(_pairs(nodes.member[first], nodes.member[first + 1], nodes), rebutted)
    return ended
