"""What differs between two data sets, and which runs fall with it."""

import csv
import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.errors import ManifestError
from fgbench.publication.difference import difference
from fgbench.publication.difference_tables import difference_lines
from fgbench.runs.predictions import Predictions
from fgbench.runs.read_digest import read_digest
from fgbench.runs.results import write_run
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from tests.support.plain_data import prepared, published, write_plain_video

pytestmark = pytest.mark.slow


@pytest.fixture
def other(plain, tmp_path):
    """A copy of the data set, to be changed before ``prepared``."""
    shutil.copytree(plain / "clips", tmp_path / "clips")
    return tmp_path / "clips"


def change(actual, what):
    return {one.where: (one.before, one.after) for one in actual.of(what)}


def run_of(work, name):
    """Store a run of a work folder's test clips."""
    index = read_index(work)
    clips = [row for row in read_rows(work / "manifests" / "clips.parquet") if row["split"] == "test"]
    classes = tuple(index["classes"])
    labels = [row["label"] for row in clips]
    write_run(
        work,
        Predictions(
            classes=classes,
            sample_ids=[row["clip_id"] for row in clips],
            clip_ids=[row["clip_id"] for row in clips],
            subject_ids=[row["subject_id"] for row in clips],
            labels=labels,
            predicted=labels,
            probabilities=np.full((len(clips), len(classes)), 1 / len(classes), np.float32),
        ),
        experiment=name,
        fold="0",
        seed=0,
        config={"name": name},
        device="cpu",
        manifest_digest=read_digest(work, index),
        details={"method": "lbp-svm", "dataset": index["dataset"], "synthetic": False},
    )


def test_a_data_set_and_its_publication_do_not_differ(plain):
    for pair in (("work", "work"), ("work", "out"), ("out", "work"), ("out", "out")):
        actual = difference(*(plain / name for name in pair))
        assert actual.is_same, pair
        assert (actual.clips, list(actual.changes), list(actual.runs)) == ((9, 9), [], [])
        assert difference_lines(actual, full=False)[-1] == "no difference"


def test_clips_labels_parts_and_bytes(plain, other, tmp_path):
    lines = (other / "annotations.csv").read_text().splitlines()
    changed = [line.replace("c1.mp4,thrill,1", "c1.mp4,wrath,3") for line in lines if "c8.mp4" not in line]
    (other / "annotations.csv").write_text("\n".join([*changed, "film0/new.mp4,gloom,2,p9"]) + "\n")
    units = (other / "action_units.csv").read_text().splitlines()
    (other / "action_units.csv").write_text("\n".join(line for line in units if "c8" not in line) + "\n")
    write_plain_video(other / "videos" / "film0" / "new.mp4", 50)
    write_plain_video(other / "videos" / "film0" / "c2.mp4", 51)
    (other / "videos" / "film0" / "c4.mp4").write_bytes(b"no video")
    work = prepared(other, tmp_path / "work")
    for first in (plain / "work", plain / "out"):
        actual = difference(first, work)
        assert change(actual, "clip gone") == {
            "film0/c4": ("videos/film0/c4.mp4", "ingest: unreadable"),
            "film0/c8": ("videos/film0/c8.mp4", "not listed"),
        }
        assert change(actual, "clip added") == {"film0/new": ("not listed", "videos/film0/new.mp4")}
        assert list(change(actual, "bytes")) == ["film0/c2"]
        assert change(actual, "label") == {"film1/c1": ("thrill", "wrath")}
        assert change(actual, "key frame") == {"film1/c1": ("1", "3")}
        assert actual.of("face status") == actual.of("landmarks") == actual.of("geometry") == []
        parts = [
            {row["clip_id"]: row["split"] for row in read_rows(folder / "manifests" / "clips.parquet")}
            for folder in (plain / "work", work)
        ]
        assert change(actual, "part") == {
            clip_id: (part, parts[1][clip_id])
            for clip_id, part in parts[0].items()
            if parts[1].get(clip_id, part) != part
        }
        assert not actual.is_same


def test_settings_and_layouts_of_faces(plain, other, tmp_path):
    work = prepared(
        other, tmp_path / "work", faces={"align": "never", "chip_size": 64}, sample={"before": 1}, buckets=7
    )
    actual = difference(plain / "work", work)
    assert change(actual, "setting") == {
        "buckets": ("4", "7"),
        "faces.chip_size": ("224", "64"),
        "sample.before": ("3", "1"),
    }
    assert len(actual.of("geometry")) == 9
    assert actual.of("geometry")[0].after == "6 of 6 frames"
    lines = difference_lines(actual, full=False)
    assert "geometry: 9" in lines
    assert "  and 4 more (--full)" in lines
    assert len(difference_lines(actual, full=True)) == len(lines) + 3


def test_runs_that_fall_are_told(plain, other, tmp_path):
    first = tmp_path / "first"
    shutil.copytree(plain / "work", first)
    run_of(first, "kept")

    assert [list(difference(first, folder).runs) for folder in (plain / "work", plain / "out")] == [[], []]
    tested = [
        row["clip_id"] for row in read_rows(first / "manifests" / "clips.parquet") if row["split"] == "test"
    ]
    text = (other / "annotations.csv").read_text()
    named = f"{tested[0]}.mp4,"
    assert named in text
    lines = [
        line
        if not line.startswith(named)
        else ",".join([named[:-1], "gloom" if "wrath" in line else "wrath", "0", "p0"])
        for line in text.splitlines()
    ]
    (other / "annotations.csv").write_text("\n".join(lines) + "\n")
    work = prepared(other, tmp_path / "work", split={"group_by": "clip_id", "use_official": True})
    run_of(work, "newer")
    published(work, tmp_path / "out")
    for second in (work, tmp_path / "out"):
        runs = {(run.of, run.name): (run.own, run.other) for run in difference(first, second).runs}
        assert runs.pop(("first", "kept")) == ("now", "old labels: 1 changed, 1 gone")
        assert list(runs) == ([("second", "newer")] if second == work else [])
    reported = difference_lines(difference(first, work), full=False)
    assert "runs that do not hold for the other data: 2" in reported
    assert "  A runs/kept: old labels: 1 changed, 1 gone" in reported


def test_folders_that_are_no_data_set_are_refused(plain, tmp_path):
    with pytest.raises(ManifestError, match="neither a work folder with manifests nor a publication"):
        difference(plain / "clips", plain / "work")
    damaged = tmp_path / "work"
    shutil.copytree(plain / "work", damaged)
    table = damaged / "manifests" / "clips.parquet"
    data = bytearray(table.read_bytes())
    data[50] ^= 1
    table.unlink()
    table.write_bytes(data)
    with pytest.raises(ManifestError, match="is not what its index says"):
        difference(plain / "out", damaged)


def typed(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_exits_as_asked_and_writes_csv(plain, other, tmp_path):
    work = prepared(other, tmp_path / "work", sample={"after": 2})
    assert typed("diff", plain / "work", work).exit_code == 0
    assert typed("diff", plain / "work", plain / "out", "--exit-code").exit_code == 0
    table = tmp_path / "found.csv"
    done = typed("diff", plain / "work", work, "--exit-code", "--out", table, "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["counts"]["setting"] == 1
    assert report["same"] is False
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"what": "setting", "where": "sample.after", "before": "3", "after": "2"} in rows
    assert typed("diff", plain / "work", work, "--out", table).exit_code == 0, "a table of ours is replaced"
    table.write_text("mine\n")
    refused = typed("diff", plain / "work", work, "--out", table)
    assert refused.exit_code == 3
    assert table.read_text() == "mine\n"
    assert typed("diff", plain / "work", work, "--out", tmp_path / "found.txt").exit_code == 3
    assert typed("diff", plain / "work", tmp_path / "nothing").exit_code == 7
