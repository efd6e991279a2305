"""Files of runs by their digests: a damaged one is listed, told, and no run is there already with it."""

import hashlib
import json

import numpy as np
import pytest

from fgbench.errors import ManifestError
from fgbench.runs import results
from fgbench.runs.digests import (
    check_files,
    check_texts,
    kept_files,
    matches_digest,
    opened_result,
    write_result,
)
from fgbench.runs.predictions import Predictions
from fgbench.workfolders.sealed_json import write_sealed

KEY = {"experiment": "tiny", "fold": "0", "seed": 0}
SETTINGS = {"config": {"a": 1}, "manifest_digest": "m"}
DETAILS = {"dataset": "drawn", "synthetic": True}
EPOCH = {"epoch": 0, "losses": {"loss": 2.5}, "score": {}, "learning_rate": 0.1}
TEXTS = ("config.yaml", "confusion.csv", "history.json", "README.md")
KEPT = (*TEXTS, "codebook-hog.npz", "weights.safetensors", "regions.parquet")


def written(root, *, seconds=1.25):
    folder = results.run_folder(root, **KEY)
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(bytes(range(256)))
    (folder / "regions.parquet").write_bytes(b"regions")
    (folder / "codebook-hog.npz").write_bytes(b"words of a codebook")
    (folder / "notes.txt").write_text("mine")
    write_sealed(folder / "history.json", {"epochs": [{**EPOCH, "seconds": seconds}], "best_epoch": 0})
    predictions = Predictions(
        classes=("anger", "joy"),
        sample_ids=("a", "b"),
        clip_ids=("a", "b"),
        subject_ids=(None, None),
        labels=("anger", "joy"),
        predicted=("anger", "anger"),
        probabilities=np.array([[0.75, 0.25], [0.5, 0.5]], np.float32),
    )
    about = {"device": "cpu", "details": DETAILS, "card": lambda result: f"card of {result['experiment']}"}
    assert results.write_run(root, predictions, **KEY, **SETTINGS, **about) == folder
    return folder


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_files_of_runs_are_listed_with_their_digests(tmp_path):
    folder = written(tmp_path)
    mapping = dict(kept_files(tmp_path))
    assert {path.name for path in mapping} == {"predictions.parquet", *KEPT}
    for path, digest in mapping.items():
        assert path.parent == folder
        assert matches_digest(path, digest)
        if path.name != "history.json":
            assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", KEPT)
def test_a_run_with_a_damaged_file_is_not_there_already_and_that_is_told(tmp_path, name):
    folder = written(tmp_path)
    messages = []
    assert results.finished_run(tmp_path, **KEY, **SETTINGS, note=messages.append) == folder
    flip(folder / name)
    assert results.finished_run(tmp_path, **KEY, **SETTINGS, note=messages.append) is None
    assert messages == [
        f"{folder / name} is not the file that the result of the run tells of: the run is made again"
    ]
    other = {**SETTINGS, "manifest_digest": "other"}
    assert results.finished_run(tmp_path, **KEY, **other, note=messages.append) is None
    assert messages[1:] == [f"{folder} is of other manifests: the run is made again"], "whatever is damaged"


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


def test_runs_of_earlier_versions_tell_of_no_files_and_are_taken_as_they_are(tmp_path):
    folder = written(tmp_path)
    result = json.loads((folder / "result.json").read_text())
    del result["files"], result["digest"]
    (folder / "result.json").write_text(json.dumps(result))
    for name in TEXTS:
        (folder / name).write_text("{}")
    assert results.finished_run(tmp_path, **KEY, **SETTINGS) == folder
    assert [path.name for path, _ in kept_files(tmp_path)] == ["predictions.parquet"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_run_with_damaged_texts_is_no_whole_run(tmp_path, name):
    folder = written(tmp_path)
    results.verify(folder)
    flip(folder / name)
    with pytest.raises(ManifestError, match=f"{name} is not the file that the result of the run tells of"):
        results.verify(folder)
    with pytest.raises(ManifestError, match=name):
        check_texts(folder, results.read_result(folder), again="again")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"device": "cpu"', '"device": "gpu"'),
        ('"dataset": "drawn"', '"dataset": "drawm"'),
        ('"seed": 0', '"seed": 1'),
        ('"digest": ', '"dihest": '),
        ('"config.yaml": ', '"config.yaMl": '),
    ],
)
def test_a_changed_character_of_a_result_passes_for_no_value(tmp_path, old, new):
    folder = written(tmp_path)
    path = folder / "result.json"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ManifestError, match=r"result\.json is damaged"):
        results.read_result(folder)
    messages = []
    assert results.finished_run(tmp_path, **KEY, **SETTINGS, note=messages.append) is None
    assert len(messages) == 1
    assert messages[0].startswith(f"{path} is damaged")


@pytest.mark.parametrize("changed", ["1.25", "2.5", '"digest"'])
def test_every_value_of_the_curves_counts(tmp_path, changed):
    folder = written(tmp_path)
    path = folder / "history.json"
    text = path.read_text()
    path.write_text(text.replace(changed, changed.replace("5", "4").replace("g", "f")))
    assert path.read_text() != text
    assert results.finished_run(tmp_path, **KEY, **SETTINGS) is None


def test_times_of_the_training_do_not_change_the_result(tmp_path):
    one, other = written(tmp_path / "one"), written(tmp_path / "other", seconds=7.5)
    assert (one / "history.json").read_bytes() != (other / "history.json").read_bytes()
    assert (one / "result.json").read_bytes() == (other / "result.json").read_bytes()


def test_a_card_of_the_users_is_not_the_runs(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    write_result(folder / "result.json", {"a": 1})
    assert json.loads((folder / "result.json").read_text()).keys() == {"a", "digest"}


def test_keys_that_are_numbers_are_sealed_as_they_are_read(tmp_path):
    result = {"a": {number: number for number in (2, 1, 10)}}
    write_result(tmp_path / "result.json", result)
    report = json.loads((tmp_path / "result.json").read_text())
    assert opened_result(tmp_path / "result.json", report, again="")["a"] == {"1": 1, "2": 2, "10": 10}
