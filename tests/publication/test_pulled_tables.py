"""Manifests as ``fgbench pull`` writes them: what works on tables alone, and what needs the clips."""

import csv
import json
import shutil

import pytest

import fgbench
from fgbench.errors import DatasetError, ManifestError
from tests.support.outside_work import cli, contents, unit_frames, videos

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return videos(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def tables(truth, tmp_path):
    """A folder with the manifests alone."""
    shutil.copytree(truth.work / "manifests", tmp_path / "pulled" / "manifests")
    return tmp_path / "pulled"


def write(path, head, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def test_status_and_check_work_on_tables_alone(truth, tables):
    status = fgbench.open(tables).status()
    assert status.root is None
    assert status.is_complete
    assert status.counts == fgbench.open(truth.work).status().counts
    done = cli("status", tables)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "recipe videos, tables alone, without the clips, 40 clips"
    assert json.loads(cli("status", tables, "--json").stdout)["counts"]["test"]["clips"] == 14
    done = cli("check", tables)
    assert done.exit_code == 0, done.output
    assert "all as their index says" in done.stdout
    assert {path.name for path in tables.iterdir()} == {"manifests"}


def test_damage_is_found_and_to_be_pulled_again(tables):
    path = tables / "manifests" / "clips.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    before = contents(tables)
    done = cli("check", tables)
    assert done.exit_code == 7
    assert "manifests/clips.parquet: " in done.stdout
    assert "fgbench pull, into a new folder" in done.stderr
    assert "--repair" not in done.stderr
    done = cli("check", "--repair", tables)
    assert done.exit_code == 7
    assert "without the clips nothing is computed anew" in " ".join(done.stderr.split())
    assert "fgbench pull" in done.stderr
    assert contents(tables) == before


def test_predictions_are_scored_as_in_the_work_folder(truth, tables, tmp_path):
    rows = [
        (clip, label if number % 2 else "anger") for number, (clip, label) in enumerate(truth.labels.items())
    ]
    file = write(tmp_path / "mine.csv", ["clip", "label"], rows)
    work = tmp_path / "work"
    shutil.copytree(truth.work, work)
    scores = [fgbench.open(folder).score(file).scores for folder in (tables, work)]
    assert scores[0].equals(scores[1])
    done = cli("check", "--deep", tables)
    assert done.exit_code == 0, done.output
    assert cli("leaderboard", tables).exit_code == 0


def test_labels_of_action_units_are_beside_the_clips(truth, tables, tmp_path):
    rows = [(f"c{number:03d}", frame, 1) for number, frame in unit_frames() if number % 3 == 0]
    file = write(tmp_path / "units.csv", ["clip", "frame", "AU12"], rows)
    with pytest.raises(DatasetError, match="lie beside the clips"):
        fgbench.open(tables).score(file)
    assert fgbench.open(tables).runs == []


@pytest.mark.parametrize("words", [("publish", "OUT", "--without-pixels"), ("train", "au")])
def test_what_needs_the_clips_says_so(tables, tmp_path, words):
    typed = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    at = 1 if words[0] == "publish" else len(typed)
    done = cli(*typed[:at], tables, *typed[at:])
    assert done.exit_code in (4, 7), done.output
    assert "beside the clips" in done.stderr or "this needs the clips" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_features_that_the_tables_lack_need_the_clips(tables):
    with pytest.raises(ManifestError, match="lack what is needed: dense_trajectories"):
        fgbench.open(tables).train("dense-traj-svm")
