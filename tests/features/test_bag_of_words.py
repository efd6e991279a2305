"""Codebooks and histograms of words, against plain distances and scikit-learn."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from fgbench.errors import ConfigError, DatasetError
from fgbench.features.bag_of_words import Codebook, CodebookConfig, assign_words, bag_of_words, fit_codebook

SMALL = CodebookConfig(words=20, samples=600, runs=4, iterations=10)


def blobs(n=1000, width=12, centres=20, seed=0):
    generator = np.random.default_rng(seed)
    middles = generator.random((centres, width)) * 4
    return (middles[generator.integers(centres, size=n)] + generator.normal(0, 0.1, (n, width))).astype(
        np.float32
    )


def distortion(descriptors, words):
    return (cdist(descriptors, words).min(axis=1) ** 2).mean()


@pytest.mark.parametrize("offset", [0.0, 50.0])
@pytest.mark.parametrize("n", [1, 255, 256, 1000])
def test_the_nearest_word_is_found(n, offset):
    descriptors, words = blobs(n) + np.float32(offset), blobs(300, seed=1) + np.float32(offset)
    actual = assign_words(descriptors, words)
    distances = cdist(descriptors.astype(np.float64), words.astype(np.float64))
    assert actual.dtype == np.int32
    np.testing.assert_allclose(distances[np.arange(n), actual], distances.min(axis=1), rtol=1e-4)
    assert (actual == distances.argmin(axis=1)).mean() > 0.99


def test_words_are_their_own_nearest_and_the_first_of_equals_wins():
    words = blobs(50)
    np.testing.assert_array_equal(assign_words(words, words), np.arange(50))
    np.testing.assert_array_equal(assign_words(words[:3], np.concatenate([words, words])), np.arange(3))


def test_half_precision_descriptors_are_read():
    descriptors, words = blobs(100).astype(np.float16), blobs(30, seed=1)
    np.testing.assert_array_equal(
        assign_words(descriptors, words), assign_words(descriptors.astype(np.float32), words)
    )


@pytest.mark.slow
def test_the_codebook_is_the_best_run_of_k_means():
    descriptors = blobs(600)
    codebook = fit_codebook(descriptors, SMALL, seed=3)
    assert codebook.words.shape == (20, 12)
    assert codebook.words.dtype == np.float32
    assert codebook.distortion == pytest.approx(distortion(descriptors, codebook.words), rel=1e-4)
    generator = np.random.default_rng(3)
    runs = [
        KMeans(20, init="random", n_init=1, max_iter=10, random_state=int(seed)).fit(descriptors).inertia_
        / 600
        for seed in generator.integers(0, 2**31, 4)
    ]
    assert codebook.distortion == pytest.approx(min(runs), rel=1e-4)
    assert max(runs) > 1.05 * min(runs), "runs that are all alike show nothing"


def test_the_same_seed_gives_the_same_codebook_with_any_number_of_jobs():
    descriptors = blobs()
    first = fit_codebook(descriptors, SMALL, seed=1, jobs=1)
    again = fit_codebook(descriptors, SMALL, seed=1, jobs=3)
    np.testing.assert_array_equal(first.words, again.words)
    assert not np.array_equal(first.words, fit_codebook(descriptors, SMALL, seed=2).words)


def test_equal_descriptors_are_no_problem():
    codebook = fit_codebook(np.ones((30, 4)), CodebookConfig(words=3, samples=30, runs=1), seed=0)
    assert codebook.distortion == 0.0


def test_a_histogram_counts_words_and_adds_up_to_one():
    words = np.eye(4, dtype=np.float32)
    descriptors = words[[0, 0, 2, 3]] + 0.1
    histogram = bag_of_words(descriptors, Codebook(words, 0.0))
    assert histogram.dtype == np.float32
    assert histogram.tolist() == [0.5, 0.0, 0.25, 0.25]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_descriptors_are_refused(bad):
    descriptors = blobs(700)
    descriptors[680, 3] = bad
    with pytest.raises(DatasetError, match=r"1 of .* descriptors have non-finite values"):
        assign_words(descriptors, blobs(10))
    with pytest.raises(DatasetError, match="non-finite"):
        fit_codebook(descriptors, CodebookConfig(words=5, samples=700, runs=1), seed=0)


def test_no_descriptors_are_refused():
    with pytest.raises(DatasetError, match="no descriptors"):
        bag_of_words(np.empty((0, 12)), Codebook(blobs(10), 0.0))
    with pytest.raises(DatasetError, match="no descriptors"):
        fit_codebook(np.empty((0, 12)), SMALL, seed=0)


def test_too_few_descriptors_are_refused():
    with pytest.raises(DatasetError, match="19 descriptors for a codebook of 20 words"):
        fit_codebook(blobs(19), SMALL, seed=0)


def test_wrong_shapes_and_settings_are_refused():
    with pytest.raises(ValueError, match="expected equal widths"):
        assign_words(blobs(5, width=3), blobs(5, width=4))
    with pytest.raises(ValueError, match="expected \\(descriptors, width\\)"):
        assign_words(np.zeros(3), blobs(5))
    with pytest.raises(ValueError, match="0 jobs"):
        fit_codebook(blobs(), SMALL, seed=0, jobs=0)
    with pytest.raises(ConfigError, match="0 runs"):
        CodebookConfig(runs=0)
    with pytest.raises(ConfigError, match="raise samples or lower words"):
        CodebookConfig(words=10, samples=9)
