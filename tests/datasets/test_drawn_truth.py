"""Labels of action units from the truth of a drawn data set."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.datasets import _drawn_truth, fg_emotions
from fgbench.errors import DatasetError
from fgbench.synthetic import dataset
from fgbench.synthetic.clip import truth_schema


def truth_row(clip, frame, **intensities):
    row = {field.name: 0.0 for field in truth_schema() if field.name.startswith("au")}
    return {**row, "clip_id": clip, "frame_index": frame, **intensities}


def test_intensities_become_labels(tmp_path):
    rows = [
        truth_row("a", 0),
        truth_row("a", 1, au12=0.39, au04=0.4),
        truth_row("b", 7, au12_l=1.0, au64=1.0),
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=truth_schema()), tmp_path / dataset.TRUTH)
    actual = list(fg_emotions.action_units(tmp_path))
    assert [(row.clip_id, row.frame_index) for row in actual] == [("a", 0), ("a", 1), ("b", 7)]
    present = [{unit for unit, label in row.labels.items() if label == 1} for row in actual]
    assert present == [set(), {"au04"}, {"au64"}]
    assert set(actual[0].labels.values()) == {-1}
    assert {"au01", "au12", "au64"} < set(actual[0].labels)
    assert all(len(unit) == 4 for unit in actual[0].labels)


def test_a_data_set_without_truth_says_which_has_it(tmp_path):
    with pytest.raises(DatasetError, match=r"no labels of action units(.|\n)*fgbench synth"):
        list(fg_emotions.action_units(tmp_path))


def test_damaged_truth_is_named(tmp_path):
    path = tmp_path / _drawn_truth.TRUTH
    path.write_bytes(b"PAR1 no table")
    with pytest.raises(DatasetError, match=r"truth\.parquet is damaged"):
        list(fg_emotions.action_units(tmp_path))
    pq.write_table(pa.table({"clip_id": ["a"], "frame_index": [0]}), path)
    with pytest.raises(DatasetError, match="has no action units"):
        list(fg_emotions.action_units(tmp_path))
    pq.write_table(pa.table({"clip_id": ["a"], "au12": [0.5]}), path)
    with pytest.raises(DatasetError, match="frame_index"):
        list(fg_emotions.action_units(tmp_path))
