"""Beneficial owners: the natural persons behind a company, by the tests of a rule set in their order.

A test is asked of a person only where none before it named him for certain: a share of the capital through all chains; votes or income;
control, alone or jointly. Only where nobody is named for certain are those who manage the company day by day. Shares are held against the
threshold exactly, and told in whole ppm.

References
----------
.. [1] 受益所有人信息管理办法, 2024, art. 6; Regulation (EU) 2024/1624, art. 52 to 54.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from kg.algorithms.chains import count_chains
from kg.algorithms.csr import Csr, group_rows, items_of, values_at
from kg.algorithms.exact import Shares
from kg.algorithms.kernel import Ints
from kg.algorithms.ownership import Bools, Floats
from kg.algorithms.sharing import among
from kg.derivation import Derivation, id_of
from kg.derivations.control import commanded, seeds_of
from kg.errors import UsageError
from kg.graph import Graph
from kg.ownership.coalitions import Ties, coalitions
from kg.ownership.holdings import PERSON, Holdings, held_on, read_holdings, refuse_wrong
from kg.ownership.nominees import nominated
from kg.ownership.register import REQUIRES, Register, register
from kg.ruleset import WHOLE, RuleSet, Threshold
from kg.tables import plain_ids, refuse_ids, refuse_missing, refuse_nulls, refuse_words

#: Positions of those who manage a company day by day, as sources write them.
MANAGERS = ("manager", "general_manager", "legal_representative", "经理", "总经理", "负责人", "执行董事", "法定代表人")
#: Shares are carried on down to this part of a company.
_CUT = 1e-6


@dataclass(frozen=True)
class Owners:
    """Persons behind companies, by number: what is the least and the most of the quantity that the test speaks of, in ppm; who is sure."""

    company: Ints
    person: Ints
    low: Ints
    high: Ints
    sure: Bools

    def where(self, kept: Bools) -> Owners:
        """Return some of them."""
        return Owners(self.company[kept], self.person[kept], self.low[kept], self.high[kept], self.sure[kept])


@dataclass
class _Case:
    """What the tests work with; capital and votes are read from the same rows."""

    capital: Holdings
    votes: Holdings
    rules: RuleSet
    ties: Ties
    managers: Owners
    _control: tuple[Owners, Owners] | None = field(default=None, init=False)

    def control(self) -> tuple[Owners, Owners]:
        """Return the persons who control companies, alone or jointly, and those who command votes in them."""
        if self._control is None:
            self._control = _commanding(self)
        return self._control


def find_beneficial_owners(
    holdings: pa.Table,
    officers: pa.Table,
    rules: RuleSet,
    *,
    kin: pa.Table | None = None,
    concert: pa.Table | None = None,
    nominations: pa.Table | None = None,
    parties: pa.Table | None = None,
    as_of: date | None = None,
) -> pa.Table:
    """Find the beneficial owners of all companies.

    Parameters
    ----------
    holdings, parties, as_of
        See `kg.ownership.holdings.read_holdings`.
    officers
        ``person, company, position``, optional ``valid_from, valid_to``.
    rules
        A rule set that names beneficial owners.
    kin, concert, nominations
        See `kg.derivations.control.find_control`; a nominee's capital is the nominator's too.

    Returns
    -------
    Table
        ``company, person, test, low_ppm, high_ppm, path_count, certain``, in the order of company and person. ``test`` is ``capital``,
        ``income_or_votes``, ``control`` or ``manager``: the first that names a person for certain, and the first before it that possibly
        does; a manager is named where no other person is for certain. ``low_ppm`` and ``high_ppm`` bound the share, or the votes, that the
        test speaks of, rounded to whole ppm; for a manager both are null. ``path_count``: chains of holdings from the person to
        the company in which no company stands twice, 1,000 at most and where there are too many to be counted. ``certain`` is false for
        who is only possibly an owner: its least share, without what is stated of a company beyond the whole, does not pass the
        threshold; or who is the manager where another possibly is. Round a circle of more than 60 companies a share within 10⁻¹² of the
        threshold counts as on it.

    Raises
    ------
    UsageError
        If a row is wrong, or the rule set names no beneficial owners.

    Examples
    --------
    >>> from kg.rulesets import get
    >>> rows = {"holder": ["person:a:p", "person:a:q"], "held": ["company:a:c"] * 2, "share_ppm": [250_000, 749_999]}
    >>> nobody = pa.table({name: pa.array([], pa.string()) for name in ("person", "company", "position")})
    >>> find_beneficial_owners(pa.table(rows), nobody, get("UK-PSC"))["person"].to_pylist()
    ['person:a:q']
    """
    if rules.beneficial is None:
        raise UsageError(f"the rule set {rules.id} names no beneficial owners; CN-UBO-2024 does")
    refuse_missing("officers", officers, ("person", "company", "position"))
    refuse_wrong(holdings)
    refuse_nulls("officers", officers, ("company",))
    refuse_ids("officers", officers, ("person", "company"), holdings["holder"].type)
    refuse_words("officers", officers, ("position",))
    officers = held_on(officers, as_of)
    rows = _with_companies(nominated(holdings, nominations, as_of), officers)
    capital = read_holdings(rows, parties=parties, as_of=as_of)
    apart = "votes_ppm" in rows.column_names and rows["votes_ppm"].null_count < rows.num_rows
    votes = read_holdings(rows, parties=parties, as_of=as_of, quantity="votes") if apart else capital
    case = _Case(capital, votes, rules, Ties.on(as_of, kin, concert, capital.parties.ids.type), _managers(capital, officers))
    return _told(capital, _by_test(case))


def _by_test(case: _Case) -> list[tuple[str, Owners]]:
    """Ask the tests in their order, each of a company only for persons whom none before named for certain; the manager where nobody is."""
    found: list[tuple[str, Owners]] = []
    named, told = np.empty(0, np.int64), np.empty(0, np.int64)
    answered, doubted = (np.zeros(len(case.capital.parties), np.bool_) for _ in range(2))
    for test in case.rules.tests:
        owners = _TESTS[test](case)
        pair = owners.company * len(case.capital.parties) + owners.person
        if test == "manager":
            owners = owners.where(~answered[owners.company])
            # where somebody may be an owner, the manager is not for certain
            owners = replace(owners, sure=owners.sure & ~doubted[owners.company])
        else:
            # of whom a test before said that he may be one, only what is certain is news
            fresh = ~among(pair, named) & (owners.sure | ~among(pair, told))
            owners, pair = owners.where(fresh), pair[fresh]
            named, told = np.sort(np.append(named, pair[owners.sure])), np.sort(np.append(told, pair))
            answered[owners.company[owners.sure]] = True
            doubted[owners.company[~owners.sure]] = True
        found.append((test, owners))
    return found


def _limit(threshold: Threshold | None) -> tuple[int, bool]:
    """Return a threshold in ppm, and whether it must be passed."""
    return (WHOLE, True) if threshold is None else (threshold.ppm, threshold.strict)


def _by_capital(case: _Case) -> Owners:
    """Return persons by their integrated share; where shares are unknown on the way, by what may come on top."""
    held, bar = case.capital, _limit(case.rules.beneficial)
    known, surplus = _shares(held, held.low), held.surplus()
    sure = _shares(held, np.maximum(held.low - surplus[held.held], 0)) if surplus.any() else known
    settled = np.bincount(held.held, held.high, len(held.parties)) == 0
    high, touched = known.owned, _touched(held, known)
    if touched.nnz:
        left = np.maximum(1.0 - known.sums(settled), 0.0)
        entries = touched.tocoo()
        high = csr_array(high + csr_array((left[entries.row], (entries.row, entries.col)), shape=high.shape))
    entries = high.tocoo()
    near = (entries.data + known.missing[entries.row] >= bar[0] / WHOLE - _CUT) & (held.parties.kind[entries.col] == PERSON)
    company, person, most = entries.row[near].astype(np.int64), entries.col[near].astype(np.int64), entries.data[near]
    passed = known.reach((company, person), known.at(company, person), bar)
    certain = passed.copy() if sure is known else sure.reach((company, person), sure.at(company, person), bar)
    open_ = np.flatnonzero(~passed & (values_at(touched, company, person) > 0))
    passed[open_] = known.reach((company[open_], person[open_]), most[open_], bar, settled)
    least = _ppm(sure.at(company, person))
    return Owners(company, person, least, np.minimum(_ppm(most), WHOLE), certain).where(passed)


def _shares(held: Holdings, ppm: Ints) -> Shares:
    return Shares.of((held.holder, held.held, ppm), len(held.parties), _CUT)


def _touched(held: Holdings, known: Shares) -> csr_array:
    """Tell which shares an unknown holding may add to: what the known ones leave, handed out evenly, shows it."""
    unknown = np.flatnonzero(held.high > held.low)
    if not unknown.size:
        return csr_array(known.owned.shape)
    total = np.bincount(held.held, held.low, len(held.parties))
    many = np.bincount(held.held[unknown], minlength=len(held.parties))
    some, company = held.low.copy(), held.held[unknown]
    some[unknown] += np.maximum((WHOLE - total[company]) / many[company], 1).astype(np.int64)
    return csr_array(_shares(held, some).owned - known.owned > _CUT)


def _ppm(share: Floats) -> Ints:
    """Return shares in ppm, rounded: they are told, and nothing is decided by them."""
    found: Ints = np.floor(share * WHOLE + 0.5).astype(np.int64)
    return found


def _by_votes(case: _Case) -> Owners:
    """Return persons who command votes enough, directly and through whom they control."""
    ppm, strict = _limit(case.rules.beneficial)
    _, votes = case.control()
    votes = votes.where(votes.high >= ppm + int(strict))
    return replace(votes, sure=votes.low >= ppm + int(strict))


def _by_control(case: _Case) -> Owners:
    return case.control()[0]


def _commanding(case: _Case) -> tuple[Owners, Owners]:
    """Return who controls, each member of a coalition for itself, and who commands how many votes where."""
    held = case.votes
    several = coalitions(held, case.rules, case.ties)
    alone = np.flatnonzero(np.bincount(held.holder, minlength=len(held.parties)))
    control, votes = commanded(held, case.rules, alone, several)
    members = seeds_of(alone, several)
    return _persons(held, control, members), _persons(held, votes, members)


def _persons(held: Holdings, found: tuple[Ints, Ints, Ints, Ints], members: Csr) -> Owners:
    """Return the persons of the coalitions found, each once for a company, with the most that it has there for certain and at all."""
    coalition, company, low, high = found
    row, person = items_of(members, coalition)
    kept = held.parties.kind[person] == PERSON
    row, person = row[kept], person[kept]
    order = np.lexsort((person, company[row]))
    row, person = row[order], person[order]
    first = np.ones(row.size, np.bool_)
    first[1:] = (person[1:] != person[:-1]) | (company[row][1:] != company[row][:-1])
    begin = np.flatnonzero(first)
    least, most = (np.maximum.reduceat(each[row], begin) if begin.size else each[row] for each in (low, high))
    return Owners(company[row[begin]], person[begin], least, most, np.ones(begin.size, np.bool_))


def _managed(case: _Case) -> Owners:
    return case.managers


_TESTS: dict[str, Callable[[_Case], Owners]] = {
    "capital": _by_capital,
    "income_or_votes": _by_votes,
    "control": _by_control,
    "manager": _managed,
}


def _with_companies(holdings: pa.Table, officers: pa.Table) -> pa.Table:
    """Return the holdings with a row of nothing for each officer, so that companies without a known holder are asked about too."""
    ends = ["holder", "held"]
    extra = officers.select(["person", "company"]).rename_columns(ends).filter(pc.is_valid(officers["person"]))
    extra = plain_ids(extra, ends).append_column("share_ppm", pa.array(np.zeros(extra.num_rows, np.int64)))
    return pa.concat_tables([plain_ids(holdings, ends), extra], promote_options="permissive")


def _managers(held: Holdings, officers: pa.Table) -> Owners:
    rows = officers.filter(pc.is_in(officers["position"], value_set=pa.array(MANAGERS)))
    company, person = held.parties.numbers(rows["company"]), held.parties.numbers(rows["person"])
    pairs = np.unique(np.column_stack([company, person])[(company >= 0) & (person >= 0)], axis=0)
    nothing = np.zeros(len(pairs), np.int64)
    return Owners(pairs[:, 0], pairs[:, 1], nothing, nothing, np.ones(len(pairs), np.bool_))


def _told(held: Holdings, found: list[tuple[str, Owners]]) -> pa.Table:
    """Return the table of what each test found."""
    names = ("company", "person", "low", "high", "sure")
    columns = [np.concatenate([getattr(of, name) for _, of in found]) for name in names]
    test = np.repeat(np.arange(len(found)), [of.company.size for _, of in found])
    order = np.lexsort((test, columns[1], columns[0]))
    company, person, low, high, sure, test = (column[order] for column in (*columns, test))
    holding = held.high > 0
    above = group_rows(held.held[holding], len(held.parties))
    above = above._replace(items=held.holder[holding][above.items])
    managed = np.array([name == "manager" for name, _ in found] or [False])[test]
    tests = pa.array([name for name, _ in found], pa.string())
    return pa.table(
        {
            "company": held.parties.names(company),
            "person": held.parties.names(person),
            "test": tests.take(pa.array(test)),
            "low_ppm": pa.array(low, mask=managed),
            "high_ppm": pa.array(high, mask=managed),
            "path_count": count_chains(above, person, company),
            "certain": pa.array(sure),
        }
    )


# -- in the night -------------------------------------------------------------------------------------------------


def register_owners(register: Register, rules: RuleSet) -> pa.Table:
    """Return the beneficial owners of the companies in a register, as `find_beneficial_owners` tells them."""
    ties = {"kin": register.kin, "concert": register.concert, "nominations": register.nominations}
    return find_beneficial_owners(register.holdings, register.officers, rules, parties=register.parties, **ties)


def _run(graph: Graph) -> ir.Table:
    """Return ``BENEFICIALLY_OWNS``: those who certainly are, and those who may be where shares are not known."""
    rules = graph.chosen.owners
    found = graph.engine.arrow(register_owners(register(graph), rules))
    return found.select(
        id=id_of(found.person, found.company, found.test, ibis.literal(rules.id)),
        src="person",
        dst="company",
        test="test",
        low_ppm="low_ppm",
        high_ppm="high_ppm",
        path_count="path_count",
        certain="certain",
        rules=ibis.literal(rules.id),
        rules_version=ibis.literal(rules.version),
    )


DERIVATION = Derivation("beneficial_owners", REQUIRES, "BENEFICIALLY_OWNS", _run)
