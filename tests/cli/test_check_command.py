"""``fgbench check``: what it finds, what it advises, and that the advice works."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_file
from fgbench.methods.steps.contexts import open_work
from fgbench.preparation import prepare
from fgbench.storage import write_json
from tests.support.clip_folders import contents, write_folder
from tests.support.damage import flip_bit, rot
from tests.support.report_folders import samples, write_fake_run

pytestmark = pytest.mark.slow


def fgbench(*arguments):
    """Exit code and output of a command; errors stand behind the output."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def work(tmp_path):
    root = write_folder(tmp_path / "in", 4, n_frames=4)
    recipe = {"name": "test", "buckets": 2, "faces": {"align": "never", "chip_size": 48}}
    prepare.run(PrepareConfig.model_validate(recipe), root, tmp_path / "work")
    return tmp_path / "work"


def test_damage_is_found_and_the_advice_mends_it(work):
    rng = np.random.default_rng(1)
    n_files = len(contents(work / "manifests")) - 1
    assert fgbench("check", work)[:2] == (0, f"{n_files} files, all as their index says\n")
    expected = contents(work / "manifests")
    images = sorted((work / "manifests" / "images").glob("train-*.parquet"))[0]
    rot(work, images, rng)
    code, reported, error = fgbench("check", work)
    assert code == 7
    assert f"manifests/images/{images.name}: content differs from the index\n" in reported
    assert f"{work} has 1 fault" in error
    assert f"fgbench check --repair {work}" in error
    code, reported, _ = fgbench("check", "--repair", work)
    assert code == 0
    assert "made anew: stages/augment/" in reported
    assert contents(work / "manifests") == expected
    assert fgbench("check", "--deep", work)[0] == 0


def test_as_json(work):
    clips = work / "manifests" / "clips.parquet"
    flip_bit(clips, np.random.default_rng(2))
    report = json.loads(fgbench("check", work, "--json")[1])
    assert report["faults"] == ["manifests/clips.parquet: content differs from the index"]
    report = json.loads(fgbench("check", work, "--repair", "--json")[1])
    assert report["faults"] == []
    assert report["mended"] == ["manifests/clips.parquet: missing, or its content is not that of the index"]


def test_unpublished_results_are_hashed_when_deep(work):
    rng = np.random.default_rng(3)
    rot(work, sorted((work / "stages" / "consensus").glob("*.rows.parquet"))[0], rng)
    assert fgbench("check", work)[0] == 0
    code, reported, _ = fgbench("check", work, "--deep")
    assert code == 7
    assert reported.count("\n") == 1
    assert reported.startswith("stages/consensus/")
    assert fgbench("check", work, "--deep", "--repair")[0] == 0
    assert fgbench("check", work, "--deep")[0] == 0


def test_what_no_repair_can_mend_stays_a_fault(work):
    (work / "manifests" / "thesis.txt").write_text("mine")
    run = work / "runs" / "lbp-svm" / "single" / "0"
    run.mkdir(parents=True)
    (run / "predictions.parquet").write_bytes(b"predictions")
    write_json(run / "result.json", {"predictions_sha256": digest_file(run / "predictions.parquet")})
    _, reported, _ = fgbench("check", work, "--deep")
    assert reported == "manifests/thesis.txt: not in the index\n"
    flip_bit(run / "predictions.parquet", np.random.default_rng(4))
    code, reported, error = fgbench("check", work, "--deep", "--repair")
    assert code == 7
    assert "runs/lbp-svm/single/0/predictions.parquet: content differs from what was written" in reported
    assert "has 2 faults" in error
    assert "--force" in error
    assert (work / "manifests" / "thesis.txt").read_text() == "mine"


def test_every_damaged_file_of_a_run_is_named_when_deep(work):
    run = write_fake_run(work, "lbp-svm", method="LBP+SVM", shown=samples(1))
    before = set(fgbench("check", work, "--deep")[1].splitlines())
    for name in ("config.yaml", "confusion.csv", "predictions.parquet"):
        flip_bit(run / name, np.random.default_rng(4))
    result = run / "result.json"
    result.write_text(result.read_text().replace('"cpu"', '"gpu"'))
    code, reported, _ = fgbench("check", work, "--deep")
    assert code == 7
    assert sorted(set(reported.splitlines()) - before) == [
        *(
            f"runs/lbp-svm/0/0/{name}: content differs from what was written"
            for name in ("config.yaml", "confusion.csv", "predictions.parquet")
        ),
        "runs/lbp-svm/0/0/result.json is damaged: its content is not that of its digest",
    ]


def test_the_advice_for_a_damaged_run_is_not_to_repair_what_no_repair_mends(work):
    run = write_fake_run(work, "lbp-svm", method="LBP+SVM", shown=samples(1))
    flip_bit(run / "predictions.parquet", np.random.default_rng(4))
    _, reported, error = fgbench("check", work, "--deep")
    assert {line.split("/")[0] for line in reported.splitlines()} == {"runs"}
    assert "--repair" not in error
    assert "made anew by the command that made them" in error
    flip_bit(work / "manifests" / "clips.parquet", np.random.default_rng(5))
    (work / "manifests" / "thesis.txt").write_text("mine")
    error = fgbench("check", work, "--deep")[2]
    for advice in (f"check --repair {work}", "by the command that made them", "no index lists"):
        assert advice in error


def test_predictions_without_a_result_are_told_when_deep(work):
    run = write_fake_run(work, "lbp-svm", method="LBP+SVM", shown=samples(1))
    (run / "result.json").unlink()
    code, reported, _ = fgbench("check", work, "--deep")
    assert code == 7
    assert "runs/lbp-svm/0/0: has predictions and no result.json" in reported


def test_runs_do_not_begin_on_damaged_manifests(work):
    assert open_work(work).workdir == work
    flip_bit(sorted((work / "manifests" / "faces").glob("*.parquet"))[0], np.random.default_rng(5))
    with pytest.raises(ManifestError, match="not what the index says") as caught:
        open_work(work)
    assert caught.value.hint == f"fgbench check --repair {work}"


def test_a_data_set_is_not_repaired(tmp_path):
    code, *_ = fgbench("check", "jaffe", "--root", tmp_path, "--repair")
    assert code == 2
