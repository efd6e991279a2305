"""Work folders and runs as values: tables, pictures, scores, what cannot be run."""

import logging
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import recall_score

import fgbench
from fgbench.api.runs import SYNTHETIC
from fgbench.media.images import decode
from fgbench.runs.unit_results import AuPredictions, write_au_run
from tests.support.page_folders import write_data

CLASSES = ("anger", "panic", "relief")


@pytest.mark.slow
def test_a_work_folder_shows_its_tables(work):
    manifests = work.path / "manifests"
    clips = pq.read_table(manifests / "clips.parquet")
    assert work.classes == CLASSES
    assert len(work.clips) == clips.num_rows == 24
    assert work.clips["label"].tolist() == clips.column("label").to_pylist()
    rows = [pq.read_table(path) for path in sorted((manifests / "faces").glob("*.parquet"))]
    test_clips = set(work.clips.loc[work.clips["split"] == "test", "clip_id"])
    expected = [one for table in rows for one in table.column("clip_id").to_pylist() if one in test_clips]
    faces = work.faces("test")
    assert faces["clip_id"].tolist() == expected
    assert "image" not in faces
    assert set(faces["label"]) <= set(CLASSES)
    only = work.faces(columns=["status"])
    assert list(only) == ["status", "label", "split"]
    assert len(only) == sum(table.num_rows for table in rows)
    assert repr(work).startswith("<Work ")
    assert "24 clips" in repr(work)
    assert "<table" in work._repr_html_()


@pytest.mark.slow
def test_pictures_are_those_of_the_manifests(work):
    stored = [
        row
        for part in ("train", "val", "test")
        for path in sorted((work.path / "manifests/images").glob(f"{part}-*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    originals = [row for row in stored if row["parent_id"] is None]
    images = work.images()
    assert len(images) == len(originals)
    assert len(work.images(copies=True)) == len(stored)
    assert images.table["image_id"].tolist() == [row["image_id"] for row in originals]
    assert images.labels == [row["label"] for row in originals]
    for number in (0, len(images) - 1, len(images) // 2, -1):
        np.testing.assert_array_equal(images[number], decode(originals[number]["image"]["bytes"]))
    assert [one.shape for one in images[:2]] == [(224, 224, 3)] * 2
    assert sum(1 for _ in work.images("test")) == len(work.images("test")) > 0
    with pytest.raises(IndexError):
        images[len(images)]
    for part_of in (work.images, work.faces):
        with pytest.raises(fgbench.FgbenchError, match="part 'dev', expected one of train, val, test"):
            part_of("dev")
    assert work.faces("test", columns="status").columns.tolist() == ["status", "label", "split"]
    with pytest.raises(fgbench.FgbenchError, match="no column 'statue'"):
        work.faces("test", columns=["statue"])


@pytest.mark.slow
def test_a_method_is_run_and_its_scores_are_those_of_its_predictions(work, caplog):
    with caplog.at_level(logging.INFO, logger="fgbench"):
        run = work.train("lbp-svm", progress=False)
    assert any("lbp-svm on " in line for line in caplog.messages)
    table = run.predictions
    right = recall_score(
        table["label"], table["predicted"].fillna("none"), labels=CLASSES, average=None, zero_division=0
    )
    there = [label in set(table["label"]) for label in CLASSES]
    assert run.scores.loc["uar", "mean"] == pytest.approx(right[there].mean())
    assert run.scores.loc["war", "mean"] == pytest.approx((table["label"] == table["predicted"]).mean())
    assert run.per_class.loc[list(np.array(CLASSES)[there]), "recall"].tolist() == pytest.approx(
        right[there].tolist()
    )
    assert run.confusion.to_numpy().sum() == len(table) == len(work.images("test"))
    assert np.diagonal(run.confusion[list(CLASSES)]).sum() == (table["label"] == table["predicted"]).sum()
    shares = table[[f"p({name})" for name in CLASSES]]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert run.settings["name"] == "lbp-svm"
    assert not run.is_synthetic
    assert "SYNTHETIC" not in repr(run)
    assert work.run("lbp-svm").name == "lbp-svm"
    assert [one.name for one in work.runs if isinstance(one, fgbench.Run)][:1] == ["lbp-svm"]
    again = work.train("lbp-svm", progress=False)
    assert again.folders == run.folders


def test_a_picture_is_the_right_one_while_another_thread_reads_others(tmp_path):
    write_data(tmp_path, clips={"train": 1, "test": 1}, images_per_clip=1, copies={})

    class Shared(fgbench.Images):
        """Pictures of which another thread reads those of the other part after every look at what is held."""

        held: tuple[int, list[bytes]] = (-1, [])

        @property
        def _read(self):
            now = self.held
            self.held = 1 - now[0], self._encoded(1 - now[0]) if now[1] else []
            return now

        @_read.setter
        def _read(self, value):
            self.held = value

    expected = list(fgbench.open(tmp_path).images())
    assert not np.array_equal(*expected)
    images = Shared(tmp_path / "manifests")
    for index in (0, 0, 1, 1, 0):
        np.testing.assert_array_equal(images[index], expected[index])


def test_runs_of_action_units(tmp_path, caplog):
    """Of two seeds: in the list, by name, and what their names have to tell."""
    write_data(tmp_path, clips={"train": 2, "test": 2}, images_per_clip=1, copies={})
    actual = AuPredictions(
        units=("au01", "au12"),
        sample_ids=["a", "b"],
        clip_ids=["a", "b"],
        subject_ids=["p", "q"],
        labels=np.array([[1, 1], [-1, -1]], np.int8),
        probabilities=np.array([[0.9, 0.6], [0.2, 0.7]], np.float32),
    )
    details = {"dataset": "faces", "synthetic": True, "recipe": "au", "manifest_digest": "ab" * 32}
    for seed in (0, 1):
        folder = tmp_path / f"runs/au/0/{seed}"
        write_au_run(folder, actual, config={"name": "au"}, device="cpu", details=details)
    work = fgbench.open(tmp_path)
    assert [run.name for run in work.runs] == ["au/0/0", "au/0/1"]
    run = work.run("au/0/1")
    assert run.scores.index.tolist() == ["au01", "au12"]
    assert run.scores.loc["au01", "f1"] == 1.0
    assert run.mean_f1 == pytest.approx(5 / 6)
    assert repr(run) == f"<UnitRun au/0/1: mean F1 0.833 over 2 action units; {SYNTHETIC}>"
    with pytest.raises(fgbench.FgbenchError, match="au is 2 runs of action units, expected one"):
        work.run("au")
    (tmp_path / "runs/au/0/1/au_result.json").write_text("{")
    assert [run.name for run in work.runs] == ["au/0/0"]
    assert "runs/au/0/1 is left out: " in caplog.text
    shutil.rmtree(tmp_path / "runs/au/0/1")
    assert work.run("au").name == "au/0/0"


@pytest.mark.slow
def test_a_method_that_there_is_not(work):
    with pytest.raises(fgbench.FgbenchError, match="no method 'lbp-smv', did you mean 'lbp-svm'"):
        work.train("lbp-smv")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"method": None}, "no method None"),
        ({"seed": -1}, "seed -1, expected a whole number from 0 on"),
        ({"seed": "1"}, "seed '1', expected"),
        ({"seeds": 0}, "seeds 0, expected a whole number from 1 on"),
        ({"jobs": 0}, "jobs 0, expected"),
    ],
)
def test_a_run_that_cannot_be(tmp_path, more, message):
    write_data(tmp_path, clips={"train": 1}, images_per_clip=1, copies={})
    with pytest.raises(fgbench.FgbenchError, match=message):
        fgbench.open(tmp_path).train(**{"method": "lbp-svm", **more})


def test_a_package_that_a_method_needs_is_named(tmp_path):
    write_data(tmp_path, clips={"train": 1}, images_per_clip=1, copies={})
    script = (
        "import sys, fgbench\n"
        "sys.modules['torch'] = None\n"
        "for method in ('msau', 'au', 'tmsau'):\n"
        "    try:\n"
        f"        fgbench.open({str(tmp_path)!r}).train(method, method, progress=False)\n"
        "    except fgbench.FgbenchError as error:\n"
        "        print(error.message, '|', error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        f"{method} needs a package that is not installed (torch) | pip install 'fgbench[train]'"
        for method in ("msau", "au", "tmsau")
    ], done.stderr


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(fgbench.FgbenchError, match="fgbench prepare"):
        fgbench.open(tmp_path)
