"""Leaves as six classes (paper section V-D): a hand-worked example for every rule."""

import numpy as np
import pytest

from fgbench.errors import ConfigError, DatasetError
from fgbench.evaluation.metrics import scores
from fgbench.runs.labels import LabelSet, fg33
from fgbench.runs.predictions import Predictions
from fgbench.runs.zero_shot import basic_of, can_map, six, zero_shot
from fgbench.taxonomy import leaves

LEAVES = tuple(item.name for item in leaves())


def predictions(pairs, classes=LEAVES):
    """Samples of ``(true class, {leaf: probability})``; ``None`` in place of the second has no face."""
    probabilities = np.full((len(pairs), len(classes)), np.nan, np.float32)
    predicted = []
    for row, (_, shares) in enumerate(pairs):
        predicted.append(None if shares is None else max(shares, key=shares.get))
        if shares is not None:
            rest = (1 - sum(shares.values())) / (len(classes) - len(shares))
            probabilities[row] = [shares.get(name, rest) for name in classes]
    ids = [f"i{row}" for row in range(len(pairs))]
    return Predictions(
        classes=classes,
        sample_ids=ids,
        clip_ids=ids,
        subject_ids=[None] * len(pairs),
        labels=[label for label, _ in pairs],
        predicted=predicted,
        probabilities=probabilities,
    )


@pytest.mark.parametrize(
    ("leaf", "counts_as"),
    [
        ("wrath", "anger"),
        ("contempt", "anger"),
        ("loathing", "anger"),
        ("disgust", "disgust"),
        ("panic", "fear"),
        ("thrill", "happiness"),
        ("gloom", "sadness"),
        ("amazement", "surprise"),
        ("affection", "love"),
        ("lust", "love"),
    ],
)
def test_what_a_leaf_counts_as(leaf, counts_as):
    assert basic_of(leaf) == counts_as


@pytest.mark.parametrize(
    ("true", "leaf", "is_right"),
    [
        ("anger", "wrath", True),  # the upper class, regardless of the fine-grained class
        ("anger", "torment", True),
        ("fear", "wrath", False),
        ("disgust", "disgust", True),  # the leaf is a class of the six
        ("anger", "disgust", False),
        ("disgust", "loathing", False),  # other leaves under anger are anger
        ("happiness", "affection", False),  # love is wrong for every class
        ("sadness", "lust", False),
    ],
)
def test_one_prediction_by_the_papers_rules(true, leaf, is_right):
    actual = zero_shot(predictions([(true, {leaf: 0.9})])).predictions
    assert (actual.predicted[0] == actual.labels[0]) == is_right


def test_a_worked_example():
    """Anger 1 of 2, disgust 1 of 2, happiness 0 of 1 (love), fear 1 of 1, surprise 0 of 1 (no face)."""
    actual = zero_shot(
        predictions(
            [
                ("anger", {"wrath": 0.6}),
                ("anger", {"disgust": 0.6}),
                ("disgust", {"disgust": 0.6}),
                ("disgust", {"hate": 0.6}),
                ("happiness", {"lust": 0.6}),
                ("fear", {"panic": 0.6}),
                ("surprise", None),
                ("neutral", {"relief": 0.6}),
                ("neutral", None),
                ("contempt", {"contempt": 0.6}),
            ]
        )
    )
    assert actual.dropped == {"contempt": 1, "neutral": 2}
    measured = scores(actual.predictions.confusion(), actual.predictions.classes)
    assert (measured.n, measured.n_missing, measured.n_classes) == (7, 1, 5)
    assert measured.uar == pytest.approx((0.5 + 0.5 + 0 + 1 + 0) / 5)
    assert measured.war == pytest.approx(3 / 7)
    assert actual.predictions.classes == (*six(), "love")
    assert {entry.label: entry.recall for entry in measured.classes}["love"] is None
    assert actual.predictions.predicted[4] == "love"


def test_the_class_of_the_largest_sum_is_the_other_reading():
    """Likeliest leaf gloom (0.30), but leaves of anger add up to 0.62: the paper's reading is sadness."""
    shares = {"gloom": 0.30, "anger": 0.21, "hate": 0.21, "wrath": 0.20}
    actual = zero_shot(predictions([("anger", shares), ("sadness", shares)]))
    assert actual.predictions.predicted == ["sadness", "sadness"]
    column = actual.predictions.classes.index("anger")
    rest = 0.08 / 29
    assert actual.predictions.probabilities[0, column] == pytest.approx(0.62 + 5 * rest)
    np.testing.assert_allclose(actual.predictions.probabilities.sum(1), 1, atol=1e-6)
    assert [entry.recall for entry in actual.summed.classes if entry.label in ("anger", "sadness")] == [1, 0]


def test_disgust_and_love_are_sums_of_their_own_leaves():
    shares = {"disgust": 0.2, "affection": 0.3, "lust": 0.1}
    row = zero_shot(predictions([("disgust", shares)])).predictions.probabilities[0]
    sums = dict(zip((*six(), "love"), row.tolist(), strict=True))
    assert sums["disgust"] == pytest.approx(0.2)
    assert sums["love"] == pytest.approx(0.4)
    assert sums["anger"] == pytest.approx(8 * 0.4 / 30)


def test_the_order_of_the_leaves_does_not_matter():
    pairs = [("anger", {"wrath": 0.4, "lust": 0.3}), ("fear", {"lust": 0.4, "panic": 0.3})]
    one, other = zero_shot(predictions(pairs)), zero_shot(predictions(pairs, LEAVES[::-1]))
    assert one.predictions.predicted == other.predictions.predicted == ["anger", "love"]
    np.testing.assert_allclose(one.predictions.probabilities, other.predictions.probabilities, atol=1e-6)


def test_capitals_of_the_true_classes_do_not_matter():
    actual = zero_shot(predictions([("Anger", {"wrath": 0.9}), ("Neutral", {"wrath": 0.9})]))
    assert (actual.predictions.labels[0], actual.predictions.predicted[0]) == ("anger", "anger")
    assert actual.dropped == {"neutral": 1}


def test_what_can_be_mapped():
    assert can_map(LabelSet(name="ekman8", labels=("anger", "contempt", "neutral")))
    assert not can_map(LabelSet(name="compound", labels=("sadly_angry", "happily_surprised")))
    assert not can_map(fg33())
    assert can_map(LabelSet(name="free", labels=("Anger", "Neutral")))
    with pytest.raises(ConfigError, match="class 'sadly_angry' has no counterpart"):
        zero_shot(predictions([("sadly_angry", {"anger": 0.5})]))
    with pytest.raises(ConfigError, match="predictions of 2 classes, expected the 33 leaves"):
        zero_shot(predictions([("anger", {"anger": 0.5})], ("anger", "fear")))
    with pytest.raises(DatasetError, match="all 1 samples are of classes without a leaf"):
        zero_shot(predictions([("neutral", {"anger": 0.5})]))
