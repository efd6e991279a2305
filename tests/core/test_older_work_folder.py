"""A work folder and its runs that an earlier version made open with this one.

``earlier_work.tar.xz`` holds a data set of twelve small pictures of three classes, drawn with NumPy's
``default_rng(0)``, and what the version of commit 148c144 made of it: ``fgbench prepare old.yaml``, ``fgbench
baseline lbp-svm`` and ``fgbench train msau`` with a tiny network named ``tiny``.
"""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fgbench
from fgbench import config
from fgbench.cli.app import app
from fgbench.config.older_recipes import in_current_form
from fgbench.errors import ManifestError
from fgbench.preparation import prepare
from fgbench.runs.predictions import read_predictions

ARCHIVE = Path(__file__).with_name("earlier_work.tar.xz")


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    path = folder / "work" / "prepare.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**report, "root": str(folder / "data")}), encoding="utf-8")
    return folder


@pytest.fixture
def folder(older, tmp_path, monkeypatch):
    shutil.copytree(older, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def output_of(*arguments):
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_its_recipe_means_what_it_meant(older):
    recipe, root = prepare.saved(older / "work")
    assert root == older / "data"
    assert recipe.faces.align == "never"
    assert (recipe.faces.geometry, recipe.faces.smooth) == ("dlib", False)
    assert recipe.lbp.radius * recipe.faces.chip_size == pytest.approx(2.0)  # it was told in px
    assert recipe.lbp.margin is None


def test_recipes_of_this_version_stay_what_they_are():
    today = config.parse_prepare("name: x\nlbp: {radius: 0.03}", "x.yaml").model_dump(mode="json")
    assert in_current_form(today) == today


def test_what_is_no_recipe_is_left_to_the_check():
    for broken in ({}, {"lbp": 3, "faces": None}, {"lbp": {"radius_px": "two"}}):
        assert set(in_current_form(broken)) == set(broken)


def test_it_is_told_and_its_runs_are_ranked(folder):
    assert "12 clips" in output_of("status", "work")
    board = output_of("leaderboard", "--workdir", "work")
    assert "lbp-svm" in board
    assert "tiny" in board
    assert "differences" in output_of("compare", "lbp-svm", "tiny", "--workdir", "work").lower()


def test_it_has_no_votes_and_says_why(folder):
    work = fgbench.open("work")
    assert len(work.clips) == 12
    with pytest.raises(ManifestError, match="or an earlier version of fgbench prepared it"):
        _ = work.votes


def test_its_network_predicts_as_it_did(folder):
    messages = output_of("evaluate", "tiny", "--workdir", "work", "--device", "cpu")
    assert "the predictions of 3 images are equal to those of the run" in messages
    assert read_predictions(folder / "work" / "runs" / "tiny" / "0" / "0")


@pytest.mark.slow
def test_its_network_is_used_on_files_and_exported(folder):
    picture = next(iter(sorted((folder / "data" / "test" / "anger").iterdir())))
    messages = output_of("predict", "tiny", str(picture), "--workdir", "work", "--device", "cpu")
    assert f"{picture}: ok" in messages
    assert "onnx: out.onnx" in output_of("export", "tiny", "--workdir", "work", "--onnx", "out.onnx")


@pytest.mark.slow
def test_prepare_makes_it_anew_and_its_runs_stay(folder):
    before = json.loads((folder / "work" / "runs" / "tiny" / "0" / "0" / "result.json").read_text())
    assert "7 buckets computed" in output_of(
        "prepare", "old.yaml", "--data-root", "data", "--workdir", "work"
    )
    assert json.loads((folder / "work" / "runs" / "tiny" / "0" / "0" / "result.json").read_text()) == before
    assert "tiny" in output_of("leaderboard", "--workdir", "work")
