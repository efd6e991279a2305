"""Results on disk."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from sklearn.metrics import balanced_accuracy_score

from fgbench import __version__, storage
from fgbench.errors import ConfigError, ManifestError
from fgbench.evaluation import metrics
from fgbench.runs import results
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.workfolders.sealed_json import write_sealed

CLASSES = ("anger", "joy", "love")
DETAILS = {"dataset": "made up", "synthetic": True}


def predictions(n=30, seed=0):
    generator = np.random.default_rng(seed)
    chances = generator.dirichlet(np.ones(3), n).astype(np.float32)
    predicted = [CLASSES[index] for index in chances.argmax(axis=1)]
    predicted[4] = None
    return Predictions(
        classes=CLASSES,
        sample_ids=[f"c{index // 2}/f{index}" for index in range(n)],
        clip_ids=[f"c{index // 2}" for index in range(n)],
        subject_ids=[None if index < 2 else f"s{index // 6}" for index in range(n)],
        labels=[CLASSES[index] for index in generator.integers(0, 3, n)],
        predicted=predicted,
        probabilities=chances,
    )


def write(root, actual=None, **change):
    options = {
        "experiment": "lbp-svm",
        "fold": "official",
        "seed": 0,
        "config": {"c": 10.0, "kernel": "rbf"},
        "manifest_digest": "ab" * 32,
        "device": "cpu",
        "details": DETAILS,
    }
    return results.write_run(root, actual or predictions(), **(options | change))


def test_a_run_has_its_place_and_files(tmp_path):
    folder = write(tmp_path)
    assert folder == tmp_path / "runs" / "lbp-svm" / "official" / "0"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.yaml",
        "confusion.csv",
        "predictions.parquet",
        "result.json",
    ]
    assert yaml.safe_load((folder / "config.yaml").read_text()) == {"c": 10.0, "kernel": "rbf"}
    result = results.read_result(folder)
    assert result["manifest_digest"] == "ab" * 32
    assert result["device"] == "cpu"
    assert result["details"] == DETAILS
    assert result["fgbench"] == __version__
    assert result["versions"]["numpy"] == np.__version__
    assert {"commit", "python", "config_digest", "classes", "experiment", "fold", "seed"} <= result.keys()


def test_scores_are_recomputed_from_the_predictions(tmp_path):
    given = predictions()
    folder = write(tmp_path, given)
    scored = read_predictions(folder)
    scores = metrics.scores(scored.confusion(), scored.classes)
    wrong = [label or "none" for label in given.predicted]
    with pytest.warns(UserWarning, match="classes not in y_true"):
        expected = balanced_accuracy_score(given.labels, wrong)
    assert scores.uar == pytest.approx(expected)
    assert scores.n_missing == 1
    assert scores.to_json() == results.read_result(folder)["metrics"]
    results.verify(folder)


def test_predictions_come_back_as_they_were(tmp_path):
    given = predictions()
    actual = read_predictions(write(tmp_path, given))
    for name in ("classes", "sample_ids", "clip_ids", "subject_ids", "labels", "predicted"):
        assert getattr(actual, name) == getattr(given, name)
    assert list(actual.source_ids) == list(given.source_ids)
    there = [label is not None for label in given.predicted]
    np.testing.assert_array_equal(actual.probabilities[there], given.probabilities[there])
    assert np.isnan(actual.probabilities[4]).all()


def test_columns_are_frozen(tmp_path):
    schema = pq.read_schema(write(tmp_path) / "predictions.parquet")
    assert [f"{field.name}: {field.type}" for field in schema] == [
        "sample_id: string",
        "clip_id: string",
        "subject_id: string",
        "source_id: string",
        "label: string",
        "predicted: string",
        "probabilities: fixed_size_list<element: float>[3]",
    ]


def test_sources_are_kept(tmp_path):
    given = predictions()
    films = [f"film {index}" for index in range(len(given.sample_ids))]
    actual = read_predictions(write(tmp_path, replace(given, source_ids=films)))
    assert actual.source_ids == films


def test_runs_before_sources_were_kept_are_read(tmp_path):
    folder = write(tmp_path)
    path = folder / "predictions.parquet"
    pq.write_table(pq.read_table(path).drop_columns("source_id"), path)
    assert set(read_predictions(folder).source_ids) == {None}


def test_the_same_run_gives_the_same_bytes(tmp_path):
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    for name in ("config.yaml", "predictions.parquet", "result.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_run_killed_before_its_end_is_not_finished(tmp_path, monkeypatch):
    folder = write(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, predictions(seed=1))
    with pytest.raises(ManifestError, match="the run is not finished"):
        results.read_result(folder)


def test_changed_predictions_are_noticed(tmp_path):
    folder = write(tmp_path)
    other = write(tmp_path / "other", predictions(seed=1))
    (folder / "predictions.parquet").write_bytes((other / "predictions.parquet").read_bytes())
    with pytest.raises(ManifestError, match="is not the file"):
        results.verify(folder)
    (folder / "predictions.parquet").unlink()
    with pytest.raises(ManifestError, match="has lost its"):
        results.verify(folder)
    with pytest.raises(ManifestError, match=r"predictions\.parquet is (missing|damaged)"):
        read_predictions(folder)


def test_changed_scores_are_noticed(tmp_path):
    folder = write(tmp_path)
    result = results.read_result(folder)
    result["metrics"]["uar"] = 0.99
    write_sealed(folder / "result.json", result)
    with pytest.raises(ManifestError, match="are not those of its predictions"):
        results.verify(folder)
    storage.write_json(folder / "result.json", {**result, "format": 99})
    with pytest.raises(ManifestError, match="has format 99, expected 1"):
        results.verify(folder)


def test_damaged_predictions_are_refused(tmp_path):
    folder = write(tmp_path)
    (folder / "predictions.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ManifestError, match=r"predictions\.parquet is (missing|damaged)"):
        read_predictions(folder)
    table = pq.read_table(write(tmp_path / "b") / "predictions.parquet").drop_columns(["clip_id"])
    pq.write_table(table, folder / "predictions.parquet")
    with pytest.raises(ManifestError, match="not those of predictions"):
        read_predictions(folder)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b"])
def test_names_that_are_no_folders_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="of an experiment or fold"):
        write(tmp_path, experiment=name)
    with pytest.raises(ConfigError, match="of an experiment or fold"):
        write(tmp_path, fold=name)


def test_predictions_that_do_not_agree_are_refused(tmp_path):
    given = predictions()
    with pytest.raises(ValueError, match="expected one length"):
        write(tmp_path, replace(given, clip_ids=given.clip_ids[1:]))
    with pytest.raises(ValueError, match="expected one length"):
        write(tmp_path, replace(given, probabilities=given.probabilities[:, :2]))
    with pytest.raises(ValueError, match="expected unique ones"):
        write(tmp_path, replace(given, sample_ids=["c"] * 30))
    with pytest.raises(ValueError, match=r"labels \['fear'\]"):
        write(tmp_path, replace(given, labels=["fear", *given.labels[1:]]))
    with pytest.raises(ValueError, match="expected 1 and none below 0"):
        write(tmp_path, replace(given, probabilities=given.probabilities * 2))
    assert not (tmp_path / "runs").exists()


def test_blank_scores_are_null_in_json(tmp_path):
    given = replace(predictions(), labels=["joy"] * 30)
    raw = json.loads((write(tmp_path, given) / "result.json").read_text())
    assert [entry["recall"] is None for entry in raw["metrics"]["classes"]] == [True, False, True]


KEY = {"experiment": "lbp-svm", "fold": "official", "seed": 0}
SETTINGS = {"config": {"c": 10.0, "kernel": "rbf"}, "manifest_digest": "ab" * 32}


def test_a_run_that_is_there_is_found_by_settings_and_manifests(tmp_path):
    assert results.finished_run(tmp_path, **KEY, **SETTINGS) is None
    folder = write(tmp_path)
    assert results.finished_run(tmp_path, **KEY, **SETTINGS) == folder
    in_order = {"config": {"kernel": "rbf", "c": 10.0}}
    assert results.finished_run(tmp_path, **KEY, **(SETTINGS | in_order)) == folder
    messages = []
    other = SETTINGS | {"manifest_digest": "cd" * 32}
    assert results.finished_run(tmp_path, **KEY, **other, note=messages.append) is None
    assert messages == [f"{folder} is of other manifests: the run is made again"]
    assert results.finished_run(tmp_path, **(KEY | {"seed": 1}), **SETTINGS) is None


def test_settings_with_tuples_are_found_again(tmp_path):
    config = {"c_values": (1.0, 10.0)}
    folder = write(tmp_path, config=config)
    assert results.finished_run(tmp_path, **KEY, **(SETTINGS | {"config": config})) == folder


@pytest.mark.parametrize("name", ["predictions.parquet", "result.json"])
def test_a_damaged_or_unfinished_run_is_not_there(tmp_path, name):
    folder = write(tmp_path)
    (folder / name).write_bytes(b"x")
    assert results.finished_run(tmp_path, **KEY, **SETTINGS) is None
    (folder / name).unlink()
    assert results.finished_run(tmp_path, **KEY, **SETTINGS) is None


def test_a_discarded_run_leaves_nothing_and_others_stay(tmp_path):
    folder, other = write(tmp_path), write(tmp_path, seed=1)
    for name in ("codebook-hog.npz", "confusion.csv"):
        (folder / name).write_bytes(b"x")
    results.discard_run(tmp_path, **KEY)
    assert not folder.exists()
    results.verify(other)
    results.discard_run(tmp_path, **KEY)


def test_what_else_lies_in_a_discarded_run_stays(tmp_path):
    folder = write(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "codebook-hof.npz").symlink_to(mine / "thesis.tex")
    (folder / "log").symlink_to(mine)
    results.discard_run(tmp_path, **KEY)
    assert sorted(path.name for path in folder.iterdir()) == ["log", "notes.txt"]
    assert (mine / "thesis.tex").read_text() == "mine"


def damages(result):
    """Texts that are no result, and what is said of them."""
    yield from (
        ("{}", "Field required"),
        ("[]", "holds a list"),
        ("1", "holds a int"),
        ('"x"', "holds a str"),
    )
    yield from (("NaN", "not valid JSON"), ("null", "holds a NoneType"), ("[" * 5000, "nested too deep"))
    yield from ((b"\xff\xfe", "not valid JSON"), ("", "not valid JSON"))
    for path, value in (
        ("seed", "0"),
        ("seed", -1),
        ("classes", []),
        ("classes", [1]),
        ("experiment", None),
        ("metrics", []),
        ("metrics.uar", "high"),
        ("metrics.uar", 17.0),
        ("metrics.classes", {}),
        ("details", []),
        ("details", {}),
        ("details.dataset", ["a"]),
        ("details.synthetic", "no"),
        ("details.protocol", []),
        ("details.protocol", {"folds": 3}),
        ("details.notes", [""]),
        ("details.transfer", {"kind": "zero-shot", "dataset": "x"}),
        ("details.weights", {"run": 1}),
        ("versions", None),
        ("predictions_sha256", 5),
    ):
        changed = json.loads(json.dumps(result))
        *above, last = path.split(".")
        inner = changed
        for key in above:
            inner = inner[key]
        inner[last] = value
        yield json.dumps(changed), path


def test_every_result_of_another_shape_is_one_clear_error(tmp_path):
    folder = write(tmp_path)
    path = folder / "result.json"
    whole = path.read_text()
    for text, reported in damages(json.loads(whole)):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ManifestError, match=reported) as caught:
            results.read_result(folder)
        assert len(str(caught.value)) < 1000
        assert results.finished_run(tmp_path, **KEY, **SETTINGS) is None
    path.write_text(whole)
    assert results.read_result(folder)["seed"] == 0


def test_a_folder_in_place_of_a_file_is_one_clear_error(tmp_path):
    folder = write(tmp_path)
    for name, read in (("predictions.parquet", results.verify), ("result.json", results.read_result)):
        (folder / name).unlink()
        (folder / name).mkdir()
        with pytest.raises(ManifestError, match=name):
            read(folder)


def test_details_that_nobody_could_read_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="dataset"):
        write(tmp_path, details={"synthetic": True})
    assert not (tmp_path / "runs/lbp-svm/official/0/result.json").exists()
