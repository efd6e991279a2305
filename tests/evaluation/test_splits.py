"""Folds by person: no person in two, balanced, the same whatever the order of the samples."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.errors import ConfigError, DatasetError
from fgbench.runs.subject_folds import subject_folds

PEOPLE = st.lists(st.sampled_from([f"s{number:02d}" for number in range(12)]), min_size=1, max_size=80)


@pytest.mark.slow
@given(subjects=PEOPLE, n_folds=st.integers(2, 5), seed=st.integers(0, 3), order=st.randoms())
def test_no_person_is_in_two_folds_and_folds_are_balanced(subjects, n_folds, seed, order):
    counts = Counter(subjects)
    if len(counts) < n_folds:
        with pytest.raises(DatasetError, match=f"{len(counts)} subjects, expected at least {n_folds}"):
            subject_folds(subjects, n_folds, seed)
        return
    folds = subject_folds(subjects, n_folds, seed)
    assert len(folds) == len(subjects)
    assert len(set(zip(subjects, folds.tolist(), strict=True))) == len(counts)
    sizes = np.bincount(folds, minlength=n_folds)
    assert len(sizes) == n_folds
    assert sizes.min() > 0
    assert sizes.max() - sizes.min() <= max(counts.values())
    shuffled = list(range(len(subjects)))
    order.shuffle(shuffled)
    again = subject_folds([subjects[index] for index in shuffled], n_folds, seed)
    np.testing.assert_array_equal(again, folds[shuffled])


def test_folds_are_the_same_on_every_machine():
    subjects = [f"s{number % 9:02d}" for number in range(30)]
    folds = dict(zip(subjects, subject_folds(subjects, 3).tolist(), strict=True))
    assert folds == {"s00": 2, "s01": 1, "s02": 0, "s03": 0, "s04": 2, "s05": 1, "s06": 0, "s07": 1, "s08": 2}
    others = {tuple(subject_folds(subjects, 3, seed).tolist()) for seed in range(6)}
    assert len(others) == 6


@pytest.mark.parametrize("subjects", [["a", None, "b"], [None]])
def test_unknown_persons_are_refused(subjects):
    with pytest.raises(DatasetError, match=f"subject of 1 of {len(subjects)} samples is not known"):
        subject_folds(subjects, 2)


def test_a_single_fold_is_refused():
    with pytest.raises(ConfigError, match="at least 2"):
        subject_folds(["a", "b"], 1)
