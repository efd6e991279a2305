"""Confusions of a run of nine samples, counted by hand; the text as it is printed."""

import csv

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from fgbench.evaluation.hierarchy import upper_counts
from fgbench.reports.rendering.render import markdown
from fgbench.reports.run.confusion import (
    confusion_json,
    confusion_tables,
    largest_confusions,
    write_confusion,
)
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import write_run
from fgbench.taxonomy import leaf, leaves

LABELS = tuple(item.name for item in leaves())
# True class, predicted class. No sample of fear, love and surprise.
PAIRS = [
    ("anger", "anger"),
    ("anger", "wrath"),
    ("anger", "wrath"),
    ("anger", None),
    ("wrath", "gloom"),
    ("wrath", "gloom"),
    ("pride", "pride"),
    ("pride", "lust"),
    ("gloom", "gloom"),
]


def run(root, pairs=PAIRS, classes=LABELS):
    n = len(pairs)
    probabilities = np.zeros((n, len(classes)), np.float32)
    for row, (_, one) in enumerate(pairs):
        probabilities[row, classes.index(one) if one else 0] = 1
    predictions = Predictions(
        classes=classes,
        sample_ids=[f"i{index}" for index in range(n)],
        clip_ids=[f"c{index}" for index in range(n)],
        subject_ids=[None] * n,
        labels=[true for true, _ in pairs],
        predicted=[one for _, one in pairs],
        probabilities=probabilities,
    )
    return write_run(
        root,
        predictions,
        experiment="some-svm",
        fold="0",
        seed=0,
        config={},
        manifest_digest="d",
        device="cpu",
        details={"dataset": "made up", "synthetic": True},
    )


PRINTED = """\
**some-svm, confusion of upper classes: made up (SYNTHETIC data)**

| True class | Samples | anger | fear | happiness | love | sadness | surprise | no prediction |
| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| anger | 6 | 0.500 | 0.000 | 0.000 | 0.000 | 0.333 | 0.000 | 0.167 |
| fear | 0 |  |  |  |  |  |  |  |
| happiness | 2 | 0.000 | 0.000 | 0.500 | 0.500 | 0.000 | 0.000 | 0.000 |
| love | 0 |  |  |  |  |  |  |  |
| sadness | 1 | 0.000 | 0.000 | 0.000 | 0.000 | 1.000 | 0.000 | 0.000 |
| surprise | 0 |  |  |  |  |  |  |  |

- Rows are true classes, columns predicted ones; each row adds up to 1.

**some-svm, largest confusions: made up (SYNTHETIC data)**

| True class | Predicted | Samples | Share of the class |
| :--- | :--- | ---: | ---: |
| wrath | gloom | 2 | 1.000 |
| anger | wrath | 2 | 0.500 |
| pride | lust | 1 | 0.500 |

- All 33 classes: confusion.csv in the folder of the run.
"""


def test_what_is_printed(tmp_path):
    assert "\n".join(markdown(table) for table in confusion_tables(run(tmp_path))) == PRINTED


def test_the_whole_matrix_as_csv(tmp_path):
    folder = run(tmp_path)
    path = write_confusion(folder)
    assert path == folder / "confusion.csv"
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["true", *LABELS, "no prediction"]
    assert [row[0] for row in rows] == list(LABELS)
    names = [*LABELS, "no prediction"]
    truth, actual = [true for true, _ in PAIRS], [label or "no prediction" for _, label in PAIRS]
    expected = confusion_matrix(truth, actual, labels=names)[:33]
    np.testing.assert_array_equal([[int(cell) for cell in row[1:]] for row in rows], expected)


def test_json_has_the_same_numbers(tmp_path):
    folder = run(tmp_path)
    actual = confusion_json(folder)
    assert actual["file"] == str(folder / "confusion.csv")
    assert actual["upper"]["classes"] == [
        "anger", "fear", "happiness", "love", "sadness", "surprise", "no prediction",
    ]  # fmt: skip
    assert actual["upper"]["shares"][0] == pytest.approx([1 / 2, 0, 0, 0, 1 / 3, 0, 1 / 6])
    assert actual["upper"]["shares"][1] == [None] * 7
    assert actual["largest"][0] == {"true": "wrath", "predicted": "gloom", "samples": 2, "share": 1.0}


def test_upper_classes_add_up_those_of_any_matrix():
    confusion = np.random.default_rng(0).integers(0, 9, (33, 34))
    actual = upper_counts(confusion, LABELS)
    names = ["anger", "fear", "happiness", "love", "sadness", "surprise"]
    for row, true in enumerate(names):
        for column, predicted in enumerate(names):
            expected = sum(
                confusion[i, j]
                for i, a in enumerate(LABELS)
                for j, b in enumerate(LABELS)
                if (leaf(a).basic, leaf(b).basic) == (true, predicted)
            )
            assert actual[row, column] == expected
    assert actual.sum() == confusion.sum()


def test_only_ten_confusions_are_listed_and_equal_ones_in_order():
    confusion = np.ones((33, 34), int)
    confusion[20, 3] = 5
    pairs = largest_confusions(confusion, LABELS)
    assert len(pairs) == 10
    assert (pairs[0].true, pairs[0].predicted, pairs[0].samples) == (LABELS[20], LABELS[3], 5)
    # Share of the first row's pairs: 1 / 34; of row 20's: 1 / 38.
    assert [(pair.true, pair.predicted) for pair in pairs[1:]] == [(LABELS[0], name) for name in LABELS[1:10]]


def test_classes_that_are_no_leaves_have_no_upper_classes(tmp_path):
    folder = run(tmp_path, pairs=[("happy", "happy"), ("sad", "happy")], classes=("happy", "sad"))
    (table,) = confusion_tables(folder)
    assert table.rows == [["sad", "happy", 1, 1.0]]
    assert confusion_json(folder)["upper"] is None
