"""A blend weighs models by rows that none of them was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gnn.blend import normal_scores, weigh
from gnn.crossfit import Plan, Predicted, blended, untied
from gnn.metrics import auc


def members(n=600, seed=1):
    dice = np.random.default_rng(seed)
    label = (dice.random(n) < 0.3).astype(np.int8)
    good = [label + dice.normal(0, 1.2, n) for _ in range(2)]
    return label, np.stack([normal_scores(each) for each in [*good, dice.normal(size=n)]])


def test_normal_scores_are_quantiles_of_the_normal_distribution():
    assert normal_scores(np.array([3.0, 10, -4])) == pytest.approx(norm.ppf([0.5, 0.75, 0.25]))


def test_a_model_that_knows_nothing_gets_no_weight_and_two_that_differ_share_it():
    label, known = members()
    weights = weigh(known, label, np.array_split(np.arange(600), 5), np.ones(5))
    assert weights.sum() == pytest.approx(1)
    assert weights[2] == 0
    assert (weights[:2] > 0.3).all()
    assert auc(label, weights @ known) > max(auc(label, each) for each in known)


def plan_and_members():
    label, known = members()
    # the last one is worth something on validation rows alone
    known[2, 400:] = normal_scores(known[2, 400:] + 3 * label[400:])
    train, valid = np.arange(400), np.arange(400, 600)
    plan = Plan(train, label[:400], valid, label[400:], np.arange(400) % 5, 5, 1)
    return plan, [Predicted(f"m{place}", each[:400], each[None, 400:], each) for place, each in enumerate(known)]


def test_what_a_blend_is_worth_on_validation_rows_is_told_by_weights_found_without_their_labels():
    plan, known = plan_and_members()
    turned = Plan(plan.train, plan.train_label, plan.valid, 1 - plan.valid_label, plan.fold, plan.folds, plan.seeds)
    one, other = blended("blend", known, plan), blended("blend", known, turned)
    assert (one.valid == other.valid).all()
    assert (one.weights != other.weights).any()


def test_what_a_blend_is_worth_in_a_fold_is_told_by_weights_found_without_its_labels():
    plan, known = plan_and_members()
    label = plan.train_label.copy()
    inside = plan.fold == 3
    label[inside] = 1 - label[inside]
    turned = Plan(plan.train, label, plan.valid, plan.valid_label, plan.fold, plan.folds, plan.seeds)
    one, other = blended("blend", known, plan), blended("blend", known, turned)
    assert (one.inside[inside] == other.inside[inside]).all()
    assert (one.inside[~inside] != other.inside[~inside]).any()


def test_rows_that_one_model_ties_are_ordered_by_another_and_no_other_rows_change_places():
    nothing = np.empty(0)
    score, by = np.array([0.5, 0.5, 0.5001, -1.0]), np.array([-3.0, 3.0, -3.0, 3.0])
    found = untied(Predicted("one", nothing, nothing, score), Predicted("other", nothing, nothing, by)).every
    assert found.argsort().tolist() == [3, 0, 1, 2]
    assert len(np.unique(found)) == 4
