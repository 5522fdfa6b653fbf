"""Sources, reach, and the same group on two nights, beside networkx and plain sets."""

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.csr import Csr
from kg.algorithms.groups import Earlier, overlaps, reached, same_as_before, sources, without

N = 7
NODES = st.integers(0, N - 1)
LINKS = st.lists(st.tuples(NODES, NODES), max_size=14)


def ends(links):
    source, target = (np.array([link[side] for link in links], np.int64) for side in (0, 1))
    return source, target


def graph(links):
    made = nx.DiGraph(links)
    made.add_nodes_from(range(N))
    return made


def groups_of(links):
    source, target = ends(links)
    order = np.argsort(source, kind="stable")
    start = np.searchsorted(source[order], np.arange(N + 1))
    return reached(Csr(start, target[order]), np.arange(len(links)), sources(source, target, N)), [links[row] for row in order]


@settings(deadline=None)
@given(LINKS)
def test_groups_begin_from_components_that_nothing_leads_into_and_reach_their_descendants(links):
    (group, node, _), _ = groups_of(links)
    got = {frozenset(node[group == each].tolist()) for each in range(int(group.max(initial=-1)) + 1)}
    whole = graph(links)
    condensed = nx.condensation(whole)
    expected = set()
    for each in condensed:
        members = condensed.nodes[each]["members"]
        below = frozenset(members).union(*(nx.descendants(whole, node) for node in members))
        if condensed.in_degree(each) == 0 and any(whole.out_degree(node) - whole.has_edge(node, node) for node in members):
            expected.add(below)
    assert got == expected


@settings(deadline=None)
@given(LINKS)
def test_the_foremost_link_is_the_first_that_leads_there_from_within(links):
    (group, node, foremost), ordered = groups_of(links)
    for each, member, rank in zip(group.tolist(), node.tolist(), foremost.tolist(), strict=True):
        within = set(node[group == each].tolist())
        assert rank == min((row for row, (a, b) in enumerate(ordered) if b == member and a in within), default=-1)


@settings(deadline=None)
@given(LINKS, st.sets(st.integers(0, 13)))
def test_a_cut_pair_of_a_hierarchy_is_not_gone_round(links, chosen):
    links = {(min(link), max(link)) for link in links if link[0] != link[1]}
    every = sorted(nx.transitive_closure_dag(graph(links)).edges)
    direct = nx.transitive_reduction(graph(links))
    cut = np.array([row in chosen for row in range(len(every))], np.bool_)
    left = without(*ends(every), cut, N)
    direct.remove_edges_from([pair for pair, gone in zip(every, cut, strict=True) if gone and pair in direct.edges])
    got = graph([pair for pair, kept in zip(every, left, strict=True) if kept])
    begun = {a for (a, _), gone in zip(every, cut, strict=True) if gone}
    for node in range(N):
        if node in begun or nx.descendants(graph(links), node) & begun:
            assert nx.descendants(got, node) == nx.descendants(direct, node)
        else:
            assert nx.descendants(got, node) == nx.descendants(graph(links), node)


MEMBERS = st.lists(st.sets(NODES, min_size=1), max_size=5)


def rows(groups):
    pairs = [(number, node) for number, members in enumerate(groups) for node in sorted(members)]
    return ends(pairs)


@settings(deadline=None)
@given(MEMBERS, MEMBERS)
def test_overlaps_are_the_sizes_of_intersections(one, other):
    got = zip(*(column.tolist() for column in overlaps(rows(one), rows(other), N)), strict=True)
    assert list(got) == [(i, j, len(a & b)) for i, a in enumerate(one) for j, b in enumerate(other) if a & b]


@settings(deadline=None)
@given(MEMBERS, MEMBERS)
def test_a_group_continues_the_earlier_one_with_which_it_shares_most(now, before):
    group, node = rows(before)
    size = np.array([len(members) for members in before], np.int64)
    got = same_as_before(rows(now), Earlier(group, node, size), np.full(len(now), -1), N).tolist()
    taken = [each for each in got if each >= 0]
    assert len(taken) == len(set(taken))

    def alike(i, j):
        return len(now[i] & before[j]) / len(now[i] | before[j])

    for i, j in enumerate(got):
        assert j < 0 or alike(i, j) >= 0.5
        for other in range(len(before)):
            free = other not in taken
            if alike(i, other) >= 0.5 and (j < 0 or alike(i, other) > alike(i, j)):
                assert not free
                assert alike(got.index(other), other) >= alike(i, other)
