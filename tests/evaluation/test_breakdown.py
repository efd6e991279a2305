"""Accuracy by annotators' judgement, and coverage: counted by hand."""

import numpy as np
import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.runs import breakdown, coverage
from fgbench.runs.predictions import Predictions

ROWS = [  # sample, clip, true, predicted
    ("a-f00001", "a", "anger", "anger"),
    ("a-f00002", "a", "anger", "pride"),
    ("b-f00001", "b", "pride", "pride"),
    ("b-f00002", "b", "pride", None),
    ("c-f00001", "c", "anger", "anger"),
    ("d-f00001", "d", "pride", "anger"),
]


def predictions(rows=ROWS):
    ids, clips, labels, predicted = zip(*rows, strict=True)
    return Predictions(
        classes=("anger", "pride"),
        sample_ids=ids,
        clip_ids=clips,
        subject_ids=["s"] * len(ids),
        labels=labels,
        predicted=predicted,
        probabilities=np.full((len(ids), 2), 0.5, np.float32),
    )


def rows_of(groups):
    return [(group.name, group.n, group.n_clips, group.uar, group.war) for group in groups]


def test_accuracy_by_agreement():
    # As stored: float32.
    shares = {"a": float(np.float32(0.6)), "b": 1.0, "c": 0.6, "d": None}
    assert rows_of(breakdown.by_agreement(predictions(), shares)) == [
        ("60%", 3, 2, pytest.approx(2 / 3), pytest.approx(2 / 3)),
        ("100%", 2, 1, 0.5, 0.5),
        ("no votes", 1, 1, 0.0, 0.0),
    ]


def test_accuracy_by_confidence():
    values = {"a": float(np.float32(0.6)), "b": 1.0, "c": 0.59, "d": 0.8}
    assert [(group.name, group.n) for group in breakdown.by_confidence(predictions(), values)] == [
        ("0.4 to 0.6", 1),
        ("0.6 to 0.8", 2),
        ("0.8 to 1.0", 3),
    ]
    (only,) = breakdown.by_confidence(predictions(), {})
    assert (only.name, only.n) == ("not given", 6)


def test_coverage_and_accuracy_on_the_detected_subset():
    actual = coverage.coverage(predictions())
    assert (actual.n, actual.n_predicted, actual.share) == (6, 5, pytest.approx(5 / 6))
    assert actual.uar_detected == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert actual.war_detected == pytest.approx(3 / 5)


def test_nothing_detected_is_blank():
    actual = coverage.coverage(predictions([ROWS[3]]))
    assert (actual.share, actual.uar_detected, actual.war_detected) == (0.0, None, None)


def write_table(path, kind, rows):
    schema = records.schema(kind)
    full = [{column: row.get(column) for column in schema.names} for row in rows]
    storage.write_table(path, pa.Table.from_pylist(full, schema=schema))


def test_manifests_are_read(tmp_path):
    write_table(
        tmp_path / "clips.parquet",
        "clips",
        [{"clip_id": "a", "agreement": 0.6, "confidence": 0.75}, {"clip_id": "b"}],
    )
    assert breakdown.read_judgements(tmp_path, "agreement") == {"a": pytest.approx(0.6), "b": None}
    assert breakdown.read_judgements(tmp_path, "confidence") == {"a": 0.75, "b": None}
    frames = [("b", 2, "no_face"), ("a", 1, "ok"), ("d", 9, "ambiguous")]
    write_table(
        tmp_path / "faces" / "00000.parquet",
        "faces",
        [{"clip_id": clip, "frame_index": frame, "status": status} for clip, frame, status in frames],
    )
    lost = [*ROWS, ("e-f00001", "e", "pride", None)]
    assert coverage.missing_reasons(predictions(lost), tmp_path) == {"no_face": 1, "not told": 1}
    assert coverage.missing_reasons(predictions(ROWS[:2]), tmp_path) == {}
