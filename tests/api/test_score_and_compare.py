"""``fgbench.score`` and ``fgbench.compare`` against scikit-learn, plain counting and the stored runs."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score

import fgbench
from tests.support.report_folders import write_fake_run

CLASSES = ["anger", "joy", "fear"]
PEOPLE = 12


@pytest.fixture
def samples():
    """120 samples of 12 people: labels, two methods' predictions, people."""
    generator = np.random.default_rng(3)
    labels = generator.choice(CLASSES, 120)
    people = [f"s{number % PEOPLE}" for number in range(120)]
    good = [label if generator.random() < 0.8 else generator.choice(CLASSES) for label in labels]
    poor = [label if generator.random() < 0.3 else generator.choice(CLASSES) for label in labels]
    return [str(one) for one in labels], [str(one) for one in good], [str(one) for one in poor], people


def test_scores_are_scikit_learns(samples):
    labels, predicted, _, people = samples
    scores = fgbench.score(predicted, labels, clusters=people, classes=CLASSES)
    assert scores.scores.loc["uar", "score"] == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert scores.scores.loc["macro_f1", "score"] == pytest.approx(
        f1_score(labels, predicted, average="macro")
    )
    assert scores.scores.loc["war", "score"] == pytest.approx(
        np.mean([a == b for a, b in zip(labels, predicted, strict=True)])
    )
    np.testing.assert_array_equal(
        scores.confusion[CLASSES], confusion_matrix(labels, predicted, labels=CLASSES)
    )
    assert (scores.scores["low"] < scores.scores["score"]).all()
    assert (scores.scores["score"] < scores.scores["high"]).all()
    assert scores.n_clusters == PEOPLE
    assert "120 samples, 3 classes" in repr(scores)


def test_what_is_not_predicted_is_wrong(samples):
    labels, predicted, _, people = samples
    lost = [None if number < 6 else one for number, one in enumerate(predicted)]
    scores = fgbench.score(lost, labels, clusters=people, classes=CLASSES)
    assert scores.confusion["no prediction"].sum() == 6
    right = sum(a == b for a, b in zip(labels, lost, strict=True))
    assert scores.scores.loc["war", "score"] == pytest.approx(right / 120)


def test_probabilities_give_the_likeliest_class(samples):
    labels, predicted, _, people = samples
    shares = np.full((120, 3), 0.1)
    for row, one in enumerate(predicted):
        shares[row, CLASSES.index(one)] = 0.8
    shares[5] = np.nan
    named = [None if row == 5 else one for row, one in enumerate(predicted)]
    one, other = (fgbench.score(which, labels, clusters=people, classes=CLASSES) for which in (shares, named))
    assert one.scores.equals(other.scores)
    assert one.confusion.equals(other.confusion)


def test_a_table_of_probabilities_names_its_classes_itself(samples):
    labels, predicted, _, _ = samples
    shares = pd.DataFrame({name: [float(one == name) for one in predicted] for name in reversed(CLASSES)})
    named = fgbench.score(predicted, labels, classes=CLASSES)
    assert fgbench.score(shares, labels, classes=CLASSES).confusion.equals(named.confusion)
    assert fgbench.score(shares, labels).classes == tuple(reversed(CLASSES))
    pd.testing.assert_frame_equal(fgbench.score(shares, labels).scores, named.scores)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, np.nan])
def test_whatever_stands_for_no_prediction_is_wrong(missing):
    scores = fgbench.score(pd.Series(["a", missing, "b"], dtype=object), ["a", "a", "b"])
    assert scores.confusion["no prediction"].tolist() == [1, 0]
    assert scores.classes == ("a", "b")


def test_numbers_are_the_same_classes_in_a_column_with_missing_values():
    scores = fgbench.score(pd.Series([1, 2, None]), pd.Series([1, 2, 2]), classes=[1, 2])
    assert scores.classes == ("1", "2")
    assert scores.scores.loc["war", "score"] == pytest.approx(2 / 3)


def test_few_clusters_have_no_interval():
    scores = fgbench.score(["a", "b"], ["a", "a"], clusters=["x", "y"])
    assert scores.scores["low"].isna().all()
    assert scores.scores.loc["war", "score"] == 0.5


def test_the_better_of_two_methods_is_told(samples):
    labels, good, poor, people = samples
    first = fgbench.score(poor, labels, clusters=people, classes=CLASSES)
    second = fgbench.score(good, labels, clusters=people, classes=CLASSES)
    comparison = fgbench.compare(first, second)
    gap = second.scores.loc["uar", "score"] - first.scores.loc["uar", "score"]
    assert comparison.difference == pytest.approx(gap)
    assert 0 < comparison.low < gap < comparison.high
    assert comparison.p < 0.05
    assert fgbench.compare(second, first).difference == pytest.approx(-gap)
    assert fgbench.compare(first, first).p == 1


def test_few_clusters_have_no_interval_of_a_difference():
    labels, people = ["a", "b", "a", "b"], ["x", "x", "y", "y"]
    first = fgbench.score(["a", "a", "a", "a"], labels, clusters=people)
    second = fgbench.score(labels, labels, clusters=people)
    comparison = fgbench.compare(first, second)
    assert comparison.difference == pytest.approx(0.5)
    assert np.isnan([comparison.low, comparison.high]).all()
    assert repr(comparison) == "<Compared: UAR of second minus first +0.500, p 0.5, 4 samples>"


def test_runs_compare_as_the_command_does(tmp_path):
    from fgbench.reports.comparison.compared import compare
    from fgbench.reports.comparison.contenders import find_contender

    for name, share in (("poor", 0.3), ("good", 0.7)):
        write_fake_run(tmp_path, name, method=None, share=share)
    first, second = (fgbench.Run.of(tmp_path / "runs" / name) for name in ("poor", "good"))
    assert first.is_synthetic
    assert "SYNTHETIC data" in repr(first)
    comparison = fgbench.compare(first, second)
    (pair,) = compare([find_contender("poor", tmp_path), find_contender("good", tmp_path)]).pairs
    assert (comparison.difference, comparison.low, comparison.high) == (
        pair.differences["uar"].estimate,
        pair.differences["uar"].low,
        pair.differences["uar"].high,
    )
    assert comparison.p == pair.p
    assert (comparison.first, comparison.second, comparison.n) == ("poor", "good", 132)
    assert comparison.notes[0].startswith("SYNTHETIC data")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"predictions": ["a"], "labels": ["a", "b"]}, "1 predictions of 2 labels"),
        ({"predictions": ["a"], "labels": ["a"], "clusters": []}, "1 predictions and 0 clusters of 1 labels"),
        ({"predictions": [], "labels": []}, "no samples"),
        ({"predictions": ["c"], "labels": ["a"], "classes": ["a", "b"]}, "class 'c' is none of a, b"),
        ({"predictions": np.ones((1, 2)), "labels": ["a"]}, "probabilities of 2 classes, and none named"),
        ({"predictions": np.ones((1, 2)), "labels": ["a"], "classes": ["a"]}, "2 classes, and 1 named"),
        ({"predictions": ["a"], "labels": ["a"], "level": 1.0}, "level 1.0, expected more than 0"),
        (
            {"predictions": ["a", "b"], "labels": ["a", None]},
            "labels have no value at 1 place, the first is 1",
        ),
        ({"predictions": ["a"], "labels": ["a"], "clusters": [pd.NA]}, "clusters have no value at 1 place"),
        ({"predictions": "ab", "labels": ["a", "b"]}, "predictions 'ab', a single str, expected one per"),
        ({"predictions": 5, "labels": ["a"]}, "predictions 5, a single int"),
        ({"predictions": ["a"], "labels": ["a"], "classes": ["a", "b", "a"]}, "classes have 'a' twice"),
        (
            {"predictions": [[0.5, 0.5], [1.0]], "labels": ["a", "b"], "classes": ["a", "b"]},
            "no table of num",
        ),
        ({"predictions": np.ones((1, 1, 1)), "labels": ["a"], "classes": ["a"]}, r"shape \(1, 1, 1\)"),
        (
            {"predictions": pd.DataFrame({"a": [1.0], "x": [0.0]}), "labels": ["a"], "classes": ["a", "b"]},
            "the columns a, x, expected a, b",
        ),
    ],
)
def test_what_cannot_be_scored(arguments, message):
    with pytest.raises(fgbench.FgbenchError, match=message):
        fgbench.score(**arguments)


def test_what_cannot_be_compared(samples):
    labels, good, poor, people = samples
    one = fgbench.score(good, labels, clusters=people, classes=CLASSES)
    other = fgbench.score(poor[::-1], labels[::-1], clusters=people, classes=CLASSES)
    with pytest.raises(fgbench.FgbenchError, match="different samples, classes or clusters"):
        fgbench.compare(one, other)
    moved = fgbench.score(good, labels, clusters=[people[1], *people[1:]], classes=CLASSES)
    with pytest.raises(fgbench.FgbenchError, match="different samples, classes or clusters"):
        fgbench.compare(one, moved)
    with pytest.raises(fgbench.FgbenchError, match="Scored and str, expected two runs"):
        fgbench.compare(one, "lbp-svm")
