"""GLAD and MACE written out in NumPy from their papers, as what crowd-kit computes is compared with.

Votes are three columns: clip, annotator and label of each vote, numbered from 0.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, expit, log_expit

_GLAD_MEAN = 1.0
"""Mean of the normal priors of skill and of the logarithm of 1/difficulty; their variance is 1."""
_KNOWS = 0.5
"""Both counts of the Beta prior of knowing the label (Hovy et al., section 2.3)."""
_GUESS = 10.0
"""Counts of the Dirichlet prior of the labels that are guessed (likewise)."""


def glad(clip, annotator, label, n_rounds=30):
    """Probability of each label for each clip, (N, C), by GLAD with normal priors and even labels.

    An annotator of skill a is right on a clip of difficulty 1/exp(b) with probability sigmoid(a exp(b)), else
    gives any other label (Whitehill et al. 2009, equations 1 to 4). Each M-step ends at the
    maximum, found by L-BFGS.

    Args:
        clip: (V,) clip of each vote.
        annotator: (V,) annotator.
        label: (V,) label.
        n_rounds: Rounds of EM.
    """
    n_clips, n_annotators, n_labels = _sizes(clip, annotator, label)
    skill, ease = np.full(n_annotators, _GLAD_MEAN), np.full(n_clips, _GLAD_MEAN)
    estimate = np.zeros((n_clips, n_labels))
    for _ in range(n_rounds):
        logit = skill[annotator] * np.exp(ease[clip])
        log = np.zeros((n_clips, n_labels))
        np.add.at(log, clip, (log_expit(-logit) - np.log(n_labels - 1))[:, None])
        np.add.at(log, (clip, label), log_expit(logit) - log_expit(-logit) + np.log(n_labels - 1))
        estimate = _normalized(log)
        right = estimate[clip, label]

        def loss(both, right=right):
            a, b = both[:n_annotators], both[n_annotators:]
            logit = a[annotator] * np.exp(b[clip])
            value = (right * log_expit(logit) + (1 - right) * log_expit(-logit)).sum()
            value -= 0.5 * ((both - _GLAD_MEAN) ** 2).sum()
            slope = right - expit(logit)
            to_a = np.bincount(annotator, slope * np.exp(b[clip]), n_annotators)
            to_b = np.bincount(clip, slope * logit, n_clips)
            return -value, -(np.concatenate([to_a, to_b]) - (both - _GLAD_MEAN))

        both = minimize(loss, np.concatenate([skill, ease]), jac=True, method="L-BFGS-B").x
        skill, ease = both[:n_annotators], both[n_annotators:]
    return estimate


def mace(clip, annotator, label, n_rounds=200, n_starts=10):
    """Probability of each label for each clip, (N, C), by MACE with variational Bayes.

    An annotator knows the label, or guesses by shares of their own (Hovy et al. 2013, section 2). Of several
    random starts the one with the largest likelihood counts.

    Args:
        clip: (V,) clip of each vote.
        annotator: (V,) annotator.
        label: (V,) label.
        n_rounds: Rounds of EM.
        n_starts: Starts.
    """
    n_clips, n_annotators, n_labels = _sizes(clip, annotator, label)
    random = np.random.default_rng(20)
    best, estimate = -np.inf, np.zeros((n_clips, n_labels))
    for _ in range(n_starts):
        knows = random.uniform(0.3, 0.9, n_annotators)
        guesses = random.uniform(0, 1, n_annotators)
        shares = random.dirichlet(np.ones(n_labels), n_annotators)
        for _ in range(n_rounds):
            guessed = guesses[annotator] * shares[annotator, label]
            log = np.zeros((n_clips, n_labels))
            np.add.at(log, clip, np.log(guessed)[:, None])
            np.add.at(log, (clip, label), np.log(guessed + knows[annotator]) - np.log(guessed))
            likelihood = np.logaddexp.reduce(log, axis=1).sum()
            now = _normalized(log)
            known = now[clip, label] * knows[annotator] / (guessed + knows[annotator])
            n_known = np.bincount(annotator, known, n_annotators) + _KNOWS
            n_guessed = np.bincount(annotator, 1 - known, n_annotators) + _KNOWS
            total = digamma(n_known + n_guessed)
            knows, guesses = np.exp(digamma(n_known) - total), np.exp(digamma(n_guessed) - total)
            counts = np.full((n_annotators, n_labels), _GUESS)
            np.add.at(counts, (annotator, label), 1 - known)
            shares = np.exp(digamma(counts) - digamma(counts.sum(axis=1))[:, None])
        if likelihood > best:
            best, estimate = likelihood, now
    return estimate


def _sizes(*columns):
    return tuple(int(max(column)) + 1 for column in columns)


def _normalized(log):
    odds = np.exp(log - log.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
