"""Files of runs by their digests: a damaged one is listed, told, and no run is there already with it."""

import hashlib
import json

import numpy as np
import pytest

from fgbench.errors import ManifestError
from fgbench.evaluation import results
from fgbench.evaluation.kept_digests import check_files, kept_files
from fgbench.evaluation.results import Predictions

KEY = {"experiment": "tiny", "fold": "0", "seed": 0}
SETTINGS = {"config": {"a": 1}, "manifest_digest": "m"}
DETAILS = {"dataset": "drawn", "synthetic": True}


def written(root):
    folder = results.run_folder(root, **KEY)
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(bytes(range(256)))
    (folder / "regions.parquet").write_bytes(b"regions")
    (folder / "notes.txt").write_text("mine")
    predictions = Predictions(
        classes=("anger", "joy"),
        sample_ids=("a", "b"),
        clip_ids=("a", "b"),
        subject_ids=(None, None),
        labels=("anger", "joy"),
        predicted=("anger", "anger"),
        probabilities=np.array([[0.75, 0.25], [0.5, 0.5]], np.float32),
    )
    assert results.write_run(root, predictions, **KEY, **SETTINGS, device="cpu", details=DETAILS) == folder
    return folder


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_files_of_runs_are_listed_with_their_digests(tmp_path):
    folder = written(tmp_path)
    found = dict(kept_files(tmp_path))
    assert {path.name for path in found} == {"predictions.parquet", "regions.parquet", "weights.safetensors"}
    for path, digest in found.items():
        assert path.parent == folder
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["weights.safetensors", "regions.parquet"])
def test_a_run_with_a_damaged_file_is_not_there_already_and_that_is_told(tmp_path, name):
    folder = written(tmp_path)
    told = []
    assert results.finished_run(tmp_path, **KEY, **SETTINGS, note=told.append) == folder
    flip(folder / name)
    assert results.finished_run(tmp_path, **KEY, **SETTINGS, note=told.append) is None
    assert told == [
        f"{folder / name} is not the file that the result of the run tells of: the run is made again"
    ]
    other = {**SETTINGS, "manifest_digest": "other"}
    assert results.finished_run(tmp_path, **KEY, **other, note=told.append) is None
    assert len(told) == 1, "a run of other data is made anew anyway"


def test_a_lost_file_is_told(tmp_path):
    folder = written(tmp_path)
    (folder / "weights.safetensors").unlink()
    result = results.read_result(folder)
    with pytest.raises(ManifestError, match=r"has lost its weights\.safetensors"):
        check_files(folder, result, again="again")
    assert any(not path.exists() for path, _ in kept_files(tmp_path))


@pytest.mark.parametrize(
    "text", ["[]", "1", "NaN", "{", '{"files": [1]}', '{"files": {"../x": "a", "weights.safetensors": 3}}']
)
def test_results_of_another_shape_list_nothing(tmp_path, text):
    folder = written(tmp_path)
    (folder / "result.json").write_text(text)
    assert list(kept_files(tmp_path)) == []


def test_runs_without_such_files_tell_of_none(tmp_path):
    folder = written(tmp_path)
    result = json.loads((folder / "result.json").read_text())
    del result["files"]
    check_files(folder, result, again="again")
