"""``fgbench train au`` on two work folders, and ``fgbench evaluate`` of its run: there, moved, elsewhere."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.runs.unit_results import read_au_predictions, read_au_result
from tests.support.clip_folders import write_plain_clip
from tests.support.plain_ledger import rows

pytestmark = pytest.mark.slow

RECIPE = {
    "name": "au-tiny",
    "action_units": ["au04", "au12", "au25"],
    "trunk": {"input_px": 112, "stem": 4, "widths": [4, 4, 4, 8], "norm": "none"},
    "fc_hidden": None,
    "embedding": 8,
    "frame_step": 2,
    "optimiser": {"epochs": 1, "batch": 8},
    "data": {"resize_px": 232},
}
UNITS = {"one": ("au04", "au12"), "two": ("au12", "au25"), "three": ("au12",), "bare": ()}
"""Units that each data set annotates; ``bare`` has no labels."""

PARTS = ("train", "val", "test", "test")
N_FRAMES = 6


def cli(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def work(name):
    return f"fgbench-data/{name}/work"


def write_data(root, name):
    """A clip per part, and labels of the units of a data set in every frame, by turns."""
    lines, rows = ["clip,label,key_frame,subject,split"], []
    for number, part in enumerate(PARTS):
        seed = 10 * list(UNITS).index(name) + number
        write_plain_clip(root / "videos" / f"c{number}.mp4", N_FRAMES, seed=seed)
        lines.append(f"c{number}.mp4,anger,3,s{number},{part}")
        rows += [{"clip_id": f"c{number}", "frame_index": frame} for frame in range(N_FRAMES)]
    (root / "annotations.csv").write_text("\n".join(lines) + "\n")
    if UNITS[name]:
        shown = {
            unit: [float((row["frame_index"] // (index + 1)) % 2) for row in rows]
            for index, unit in enumerate(UNITS[name])
        }
        columns = {key: [row[key] for row in rows] for key in ("clip_id", "frame_index")}
        pq.write_table(pa.table(columns | shown), root / "truth.parquet")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Four prepared data sets, and a run on the first two of them together."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("several")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(RECIPE))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in UNITS:
            write_data(folder / name, name)
            recipe = {"name": "plain", "buckets": 2, "dataset": {"name": name}, "faces": {"align": "never"}}
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
            done = cli("prepare", f"{name}.yaml", "--data-root", name, "--jobs", 1)
            assert done.exit_code == 0, done.output
        done = train(work("one"), work("two"))
        assert done.exit_code == 0, done.output
        assert "recipe au-tiny on one in" in done.stderr
    return folder


def train(*workdirs):
    named = [word for workdir in workdirs for word in ("--workdir", workdir)]
    return cli("train", "au", "--recipe", "tiny.yaml", "--jobs", 1, "--device", "cpu", *named)


def evaluate(run, *arguments):
    return cli("evaluate", run, "--jobs", 1, "--device", "cpu", *arguments)


def text_of(done):
    """All that was said, without the line breaks and frames of a narrow console."""
    return " ".join((done.stdout + done.stderr).replace("│", " ").split())


@pytest.fixture
def here(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


@pytest.fixture
def apart(trained, tmp_path, monkeypatch):
    """A copy of all work folders, to be moved and changed."""
    shutil.copytree(trained / "fgbench-data", tmp_path / "fgbench-data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN = "runs/au-tiny-one-two/0/0"
ALL = "the predictions of 12 frames are equal to those of the run"


def test_one_network_is_trained_on_both_and_lies_in_the_first(here):
    result = read_au_result(here / work("one") / RUN)
    assert result["details"]["workdirs"] == {"one": ".", "two": "../../two/work"}
    assert result["n"] == 12, "every second frame of two test clips of each"
    positive = {score["name"]: score["n_positive"] for score in result["units"]}
    assert set(positive) == set(RECIPE["action_units"])
    assert not (here / work("two") / "runs").exists()
    runs = {name: [row["run"] for row in rows(here / work(name))] for name in ("one", "two")}
    assert runs["one"][0] == "au-tiny-one-two/0/0"
    assert runs["two"][0] == f"../../one/work/{RUN}", "its test frames were read too"
    done = train(work("one"), work("two"))
    assert done.exit_code == 0, done.output
    assert "action units, test" in done.stdout
    assert "one and two" in done.stdout
    assert "12 frames of 4 subjects" in done.stdout, "s2 of one's own data is not s2 of another's"
    assert f"run: {work('one')}/{RUN}" in done.stdout


@pytest.mark.parametrize(
    "named",
    [
        [],
        ["--workdir", work("one")],
        ["--workdir", work("two")],
        ["--workdir", work("two"), "--workdir", work("one")],
    ],
)
def test_evaluation_predicts_the_test_frames_of_all_its_data_sets_again(here, named):
    before = (here / work("one") / RUN / "au_result.json").read_bytes()
    done = evaluate(f"{work('one')}/{RUN}", *named)
    assert done.exit_code == 0, done.output
    assert ALL in done.stdout
    assert (here / work("one") / RUN / "au_result.json").read_bytes() == before
    assert not (here / work("two") / "runs").exists()


def test_evaluation_tells_how_far_other_predictions_are(apart):
    run = apart / work("one") / RUN
    table = pq.read_table(run / "au_predictions.parquet")
    rows = table.to_pylist()
    (last,) = [row for row in rows if row["sample_id"] == "two/c3-f00004"]
    last["probabilities"][2] = 2.0
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), run / "au_predictions.parquet")
    done = evaluate(run, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert 1.0 < report["largest_difference"] < 2.0
    assert report["n"] == 12


def test_folders_that_moved_together_are_found_and_others_are_asked_for(apart):
    (apart / "fgbench-data").rename(apart / "elsewhere")
    run = f"elsewhere/one/work/{RUN}"
    assert ALL in evaluate(run).stdout
    (apart / "elsewhere/two").rename(apart / "two")
    lost = evaluate(run)
    assert lost.exit_code == 7
    assert "au-tiny-one-two/0/0 was scored on two too, whose work folder was" in text_of(lost)
    assert "name the work folders of all its data sets, each with --workdir" in text_of(lost)
    evaluated = evaluate(run, "--workdir", "elsewhere/one/work", "--workdir", "two/work")
    assert ALL in evaluated.stdout, evaluated.output
    assert ALL in evaluate(run, "--workdir", "two/work").stdout


@pytest.mark.parametrize("name", ["one", "two"])
def test_changed_manifests_are_told(apart, trained, name):
    """The data set is prepared again with another recipe into the same work folder."""
    shutil.copytree(trained / name, apart / name)
    recipe = yaml.safe_load((trained / f"{name}.yaml").read_text()) | {"augment": {"copies": 2}}
    (apart / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    shutil.rmtree(apart / work(name) / "manifests")
    (apart / work(name) / "prepare.json").unlink()
    done = cli("prepare", f"{name}.yaml", "--data-root", name, "--jobs", 1)
    assert done.exit_code == 0, done.output
    evaluated = evaluate(f"{work('one')}/{RUN}")
    assert evaluated.exit_code == 3
    assert f"was scored on other manifests of {name} than" in text_of(evaluated)
    again = evaluate(f"{work('one')}/{RUN}", "--workdir", work(name))
    assert again.exit_code == 3
    assert f"was scored on other manifests of {name} than {work(name)} has now" in text_of(again)


def test_on_other_data_it_is_a_run_there_and_units_that_these_lack_are_masked(apart):
    run = f"{work('one')}/{RUN}"
    done = evaluate(run, "--workdir", work("three"))
    assert done.exit_code == 0, done.output
    folder = apart / work("three") / "runs/au-tiny-one-two-on-three/0/0"
    au_predictions, result = read_au_predictions(folder), read_au_result(folder)
    assert au_predictions.units == ("au04", "au12", "au25")
    assert au_predictions.sample_ids == [f"c{clip}-f{frame:05d}" for clip in (2, 3) for frame in (0, 2, 4)]
    assert (au_predictions.labels[:, [0, 2]] == 0).all()
    assert au_predictions.labels[:, 1].tolist() == [-1, -1, -1] * 2
    assert {score["name"]: score["n_negative"] for score in result["units"]} == {
        "au04": 0,
        "au12": 6,
        "au25": 0,
    }
    details = result["details"]
    assert (details["dataset"], details["weights"]["dataset"]) == ("three", "one and two")
    assert details["clips_trained_on"] == 0
    assert "not annotated here, so not scored: au04, au25" in done.stdout
    assert "weights: au-tiny-one-two/0/0, trained on one and two" in done.stdout
    assert "in no clip trained on" in done.stdout

    copied = apart / "w.safetensors"
    shutil.copy(apart / run / "weights.safetensors", copied)
    done = evaluate(copied, "--workdir", work("three"), "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["details"]["clips_trained_on"] is None
    assert report["n"] == 2 * N_FRAMES, "weights alone do not tell of steps"
    later = read_au_predictions(folder)
    same = [later.sample_ids.index(name) for name in au_predictions.sample_ids]
    np.testing.assert_allclose(later.probabilities[same], au_predictions.probabilities, atol=1e-6)


def test_a_run_of_one_data_set_is_evaluated_on_others_too(apart, trained):
    shutil.copy(trained / "tiny.yaml", apart)
    done = train(work("one"))
    assert done.exit_code == 0, done.output
    again = evaluate("au-tiny", "--workdir", work("one"))
    assert "the predictions of 6 frames are equal to those of the run" in again.stdout, again.output
    done = evaluate(f"{work('one')}/runs/au-tiny", "--workdir", work("two"))
    assert done.exit_code == 0, done.output
    details = read_au_result(apart / work("two") / "runs/au-tiny-on-two/0/0")["details"]
    own = read_au_result(apart / work("one") / "runs/au-tiny/0/0")
    assert details["weights"] | {"sha256": ""} == {
        "sha256": "",
        "run": "au-tiny/0/0",
        "dataset": "one",
        "synthetic": False,
        "manifest_digest": own["details"]["manifest_digest"],
        "config_digest": own["config_digest"],
        "initial_weights": None,
    }
    assert "not annotated here, so not scored: au04" in done.stdout


@pytest.mark.parametrize(
    ("workdirs", "code", "message"),
    [
        (("one", "one"), 3, "several work folders of one data set (one, one), expected different ones"),
        (("one", "bare"), 4, "has no labels of action units"),
        (("bare", "one"), 4, "has no labels of action units"),
        (("one", "absent"), 7, "fgbench-data/absent/work is not a work folder (no prepare.json)"),
    ],
)
def test_folders_that_cannot_be_trained_on_together(here, workdirs, code, message):
    done = train(*map(work, workdirs))
    assert done.exit_code == code, done.output
    assert message in text_of(done)
    assert "Traceback" not in done.output
    assert not (here / work("absent")).exists()


@pytest.mark.parametrize(
    ("workdirs", "code", "message"),
    [
        (("one", "one"), 3, "expected a work folder of each, got one, one"),
        (("one", "three"), 3, "was scored on one and two, expected no other data beside them, got"),
        (("three", "bare"), 3, "2 work folders of data that au-tiny-one-two/0/0 was not scored on"),
        (("bare",), 4, "has no labels of action units"),
    ],
)
def test_folders_that_it_cannot_be_evaluated_on(here, workdirs, code, message):
    named = [word for name in workdirs for word in ("--workdir", work(name))]
    done = evaluate(f"{work('one')}/{RUN}", *named)
    assert done.exit_code == code, done.output
    assert message in text_of(done)
    assert not (here / work("bare") / "runs").exists()
