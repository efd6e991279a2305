"""``fgbench baseline lbp-svm`` over folds by person, on classes of the data set's own."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from fgbench import records, storage
from fgbench.cli.app import app
from fgbench.methods.lbp_svm import method as lbp_svm
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from tests.support.divided_work import EKMAN7, described, ekman_index, write_work

RECIPE = "name: quick\nc_values: [1.0, 10.0]\nkernels: [linear]\nnormalisations: [none]\ninner_folds: 3\n"
NO_FACE = ("s1-fear", "s7-neutral")


@pytest.fixture
def fgbench(tmp_path, monkeypatch):
    """Runs the baseline on a work folder, with the features that it has."""
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    (tmp_path / "quick.yaml").write_text(RECIPE)

    def run(work, *arguments, code=0):
        words = ["--workdir", str(work), "--recipe", str(tmp_path / "quick.yaml"), *arguments]
        done = CliRunner().invoke(app, ["baseline", "lbp-svm", *words])
        assert done.exit_code == code, done.output
        return done

    return run


@pytest.fixture
def work(tmp_path):
    return write_work(tmp_path / "work", described(), no_face=NO_FACE, **ekman_index())


def folders(work, experiment="quick"):
    return sorted((work / "runs" / experiment).glob("*/0"))


@pytest.mark.slow
def test_all_folds_are_run_and_shown_pooled_and_as_a_mean(work, fgbench):
    done = fgbench(work)
    assert [folder.parent.name for folder in folders(work)] == ["1", "2", "3", "4", "5"]
    actual = [read_predictions(folder) for folder in folders(work)]
    for number, predictions in enumerate(actual, start=1):
        assert predictions.classes == EKMAN7
        assert set(predictions.subject_ids) == {f"s{number}", f"s{number + 5}"}
    everyone = [name for predictions in actual for name in predictions.clip_ids]
    assert sorted(everyone) == sorted(clip for clip, *_ in described()), "each clip is tested once"
    details = read_result(folders(work)[0])["details"]
    assert details["scheme"] == "ekman7"
    assert details["protocol"]["label"] == "5-fold by subject"
    assert (details["n_train"], details["n_selection"]) == (6 * 7, 2 * 7 - 1)
    assert details["n_fitted"] == 8 * 7 - 1, "all persons but those of the tested fold"
    assert (details["selection"], details["inner_folds"]) == ("inner-cv", 3)
    assert details["protocol"]["select_on"] == "inner-cv"
    # Recounted from the predictions by other code than the product's.
    truth = [label for predictions in actual for label in predictions.labels]
    reported = [label for predictions in actual for label in predictions.predicted]
    right = {label: [a == b for a, b in zip(truth, reported, strict=True) if a == label] for label in EKMAN7}
    pooled = np.mean([np.mean(hits) for hits in right.values()])
    each = [
        np.mean(
            [
                np.mean([a == b for a, b in zip(one.labels, one.predicted, strict=True) if a == label])
                for label in EKMAN7
            ]
        )
        for one in actual
    ]
    assert reported.count(None) == 2
    assert pooled > 0.9, "the made-up features tell the classes apart"
    spread = f"{np.mean(each):.3f} ± {np.std(each, ddof=1):.3f}"
    assert f"UAR {pooled:.3f}, 95 % interval" in done.stdout
    assert f"mean of the folds: UAR {spread}, " in done.stdout
    assert "| all, pooled" not in done.stdout, "tables are printed in full alone"
    full = fgbench(work, "--full")
    assert f"| all, pooled | 70 | 2 | {pooled:.3f} |" in full.stdout
    assert re.search(rf"\| mean of the folds \|  \|  \| {spread} \|", full.stdout)
    for text in (done.stdout, full.stdout):
        assert "Protocol: 5-fold by subject." in text
        assert "(SYNTHETIC data)" in text
        assert text.count("run: ") == 5
    report = json.loads(fgbench(work, "--json").stdout)
    assert report["pooled"]["uar"] == pytest.approx(pooled)
    assert report["mean"]["uar"] == pytest.approx(np.mean(each))
    assert report["sd"]["uar"] == pytest.approx(np.std(each, ddof=1))
    assert len(report["runs"]) == 5


@pytest.mark.slow
def test_one_fold_can_be_run_and_a_killed_run_goes_on_with_the_next(work, fgbench, monkeypatch):
    computed = []
    run = lbp_svm.run

    def counted(config, context):
        if context.fold in stopping:
            raise KeyboardInterrupt
        computed.append(context.fold)
        return run(config, context)

    stopping: set[str] = set()
    monkeypatch.setattr(lbp_svm, "run", counted)
    done = fgbench(work, "--fold", "3")
    assert computed == ["3"]
    assert re.search(r"^UAR \d\.\d{3}", done.stdout, re.MULTILINE)
    assert "mean of the folds" not in done.stdout
    stopping.add("4")
    fgbench(work, code=130)
    assert computed == ["3", "1", "2"]
    stopping.clear()
    fgbench(work)
    assert computed == ["3", "1", "2", "4", "5"]
    fgbench(work, "--force", "--fold", "2")
    assert computed[5:] == ["2"]
    failed = fgbench(work, "--fold", "6", code=3)
    assert "no fold '6' in protocol 5-fold-by-subject" in failed.stderr


@pytest.mark.slow
def test_other_folds_are_other_runs(work, fgbench, tmp_path):
    fgbench(work, "--fold", "1")
    lines = [f"s{n},{1 + (n - 1) // 2}" for n in range(1, 11)]
    mine = tmp_path / "mine.csv"
    mine.write_text("\n".join(["subject_id,fold", *lines]))
    refused = fgbench(work, "--fold-file", str(mine), code=3)
    assert "divides otherwise than" in refused.stderr
    (work / "folds" / "5-fold-by-subject.csv").unlink()
    again = fgbench(work, "--fold", "1", "--fold-file", str(mine))
    assert "is there already" not in again.stderr
    predictions = read_predictions(folders(work)[0])
    assert set(predictions.subject_ids) == {"s1", "s2"}


@pytest.mark.slow
def test_the_order_of_classes_changes_no_label(tmp_path, fgbench):
    actual = []
    for name, classes in (("one", EKMAN7), ("other", EKMAN7[::-1])):
        work = write_work(tmp_path / name, described(), **ekman_index(classes=list(classes)))
        fgbench(work, "--fold", "1")
        predictions = read_predictions(folders(work)[0])
        assert predictions.classes == classes
        actual.append(dict(zip(predictions.sample_ids, predictions.predicted, strict=True)))
    assert actual[0] == actual[1]
    assert len(actual[0]) == 14


def test_the_official_validation_set_is_labelled_as_what_was_tested(tmp_path, fgbench):
    clips = [
        (f"f{film}-{label}", None, label, "train" if film < 6 else "val")
        for film in range(9)
        for label in EKMAN7
    ]
    protocol = {
        "kind": "parts",
        "train": ["train"],
        "selection": [],
        "test": ["val"],
        "group_by": "source_id",
    }
    films = {clip: clip.split("-")[0] for clip, *_ in clips}
    work = write_work(
        tmp_path / "sfew", clips, dataset="sfew", source=films, **ekman_index(protocol=protocol)
    )
    done = fgbench(work)
    assert "Protocol: tested on the official validation set" in done.stdout
    predictions = read_predictions(folders(work)[0])
    assert {clip.split("-")[0] for clip in predictions.clip_ids} == {"f6", "f7", "f8"}
    assert read_result(folders(work)[0])["details"]["n_selection"] == 7


def test_a_class_that_the_label_set_lacks_is_named(tmp_path, fgbench):
    index = ekman_index(scheme="mine", classes=[label for label in EKMAN7 if label != "fear"])
    work = write_work(tmp_path / "work", described(), **index)
    failed = fgbench(work, code=3)
    assert "unknown label 'fear', expected one of the 6 of mine" in failed.stderr


def test_a_fold_without_training_samples_of_a_class_is_named(tmp_path, fgbench):
    """Only s1 shows fear: there is none to train on where s1 chooses, or is tested."""
    clips = [row for row in described() if row[2] != "fear" or row[1] == "s1"]
    work = write_work(tmp_path / "work", clips, **ekman_index())
    failed = fgbench(work, code=4)
    message = r"1 of 7 classes have no training sample in fold (\d) of 5-fold-by-subject: fear"
    (fold,) = re.findall(message, failed.stderr)
    assert "--fold-file" in failed.stderr
    folds = (work / "folds" / "5-fold-by-subject.csv").read_text().splitlines()
    (own,) = [int(line.split(",")[1]) for line in folds if line.startswith("s1,")]
    assert int(fold) in (own, (own - 2) % 5 + 1)


@pytest.mark.slow
def test_a_clip_that_could_not_be_read_is_wrong_in_the_fold_of_its_person(work, fgbench):
    fgbench(work)
    before = [read_result(folder)["metrics"]["n"] for folder in folders(work)]
    lost = {"id": "s3-lost", "stage": "ingest", "reason": "truncated", "label": "fear", "subject_id": "s3"}
    table = pa.Table.from_pylist([lost], schema=records.schema("published_rejects"))
    storage.write_table(work / "manifests" / "rejects.parquet", table)
    done = fgbench(work)
    assert "is there already" not in done.stderr, "runs without it are made again"
    results = [read_result(folder) for folder in folders(work)]
    assert [result["metrics"]["n"] - n for result, n in zip(results, before, strict=True)] == [0, 0, 1, 0, 0]
    assert [result["rejected_test"] for result in results] == [{}, {}, {"ingest truncated": 1}, {}, {}]
    assert "3 of 71 samples have no prediction" in done.stdout
    assert "| all, pooled | 71 | 3 |" in fgbench(work, "--full").stdout
    message = "quick: 1 test samples are of clips that could not be read (ingest truncated 1)"
    assert done.stdout.count(message) == 1
