"""``fgbench evaluate``, ``predict`` and ``export`` on a run of a tiny network."""

import json
import shutil

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import skimage.data
import torch
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.inference.drawn_files import output_names
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import write_sealed
from tests.support.clip_folders import write_folder
from tests.support.plain_ledger import rows
from tests.support.tiny_runs import NETWORK, RECIPE, write_tiny_weights

WORK = "fgbench-data/clips/work"
OTHER = "fgbench-data/others/work"


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def cli(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Two prepared data sets that share clips, and a run of a tiny network on the first.

    The first has 33 training clips more, one of each class.
    """
    folder = tmp_path_factory.mktemp("übung")
    shared = {"clips": ["test", "val", "train", "train"], "others": ["train", "test"]}
    for name, parts in shared.items():
        n_clips = 12 if name == "others" else 12 + 33
        write_folder(folder / name, n_clips)
        parts = parts * (12 // len(parts)) + ["train"] * (n_clips - 12)
        annotations = folder / name / "annotations.csv"
        head, *lines = annotations.read_text().split()
        lines = [f"{line},{part}" for line, part in zip(lines, parts, strict=True)]
        annotations.write_text("\n".join([f"{head},split", *lines]) + "\n")
        recipe = {"name": "plain", "buckets": 4, "dataset": {"name": name}, "faces": {"align": "never"}}
        recipe["sample"] = {"before": 0, "after": 0}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "tiny.yaml").write_text(yaml.safe_dump(RECIPE))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for root in ("clips", "others"):
            done = cli("prepare", f"{root}.yaml", "--data-root", root, "--jobs", 1)
            assert done.exit_code == 0, done.output
        done = cli(
            "train", "msau", "--recipe", "tiny.yaml", "--workdir", WORK, "--jobs", 1, "--device", "cpu"
        )
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(autouse=True)
def inside(here, monkeypatch):
    monkeypatch.chdir(here)


def evaluated(*arguments):
    done = cli("evaluate", *arguments, "--device", "cpu", "--jobs", 1, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_seeds_are_run_and_printed_together(here):
    plain = {"name": "twice", "network": NETWORK | {"zooms": 0}, "losses": {"rank": 0}}
    (here / "twice.yaml").write_text(yaml.safe_dump(RECIPE | plain))
    words = ["train", "msau", "--recipe", "twice.yaml", "--workdir", WORK, "--jobs", 1, "--device", "cpu"]
    done = cli(*words, "--seed", 3, "--seeds", 2, "--json")
    assert done.exit_code == 0, done.output
    report, folder = json.loads(done.stdout), here / WORK / "runs" / "twice" / "0"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["3", "4"]
    values = [read_result(folder / seed)["metrics"]["uar"] for seed in ("3", "4")]
    assert [report["seeds"][seed]["uar"] for seed in ("3", "4")] == pytest.approx(values)
    assert report["mean"]["uar"] == pytest.approx(np.mean(values))
    assert report["sd"]["uar"] == pytest.approx(np.std(values, ddof=1))
    assert report["varied"] == "over 2 seeds vary the network itself."
    ours = [row for row in rows(here / WORK) if row["run"].startswith("twice/")]
    assert [row["run"] for row in ours] == ["twice/0/3", "twice/0/4"]
    assert len({row["configuration"] for row in ours}) == 1
    again = cli(*words, "--seed", 3, "--seeds", 2)
    assert len([row for row in rows(here / WORK) if row["run"].startswith("twice/")]) == 2, "nothing is read"
    assert "mean ± sd" in again.stdout
    assert (folder / "4" / "confusion.csv").is_file()
    shutil.rmtree(folder.parent)


def test_evaluation_gives_the_predictions_of_the_run_again(here):
    before = (here / WORK / "runs/tiny/0/0/result.json").read_bytes()
    actual = evaluated("tiny", "--workdir", WORK)
    assert actual["compared"]["is_equal"]
    assert actual["compared"]["n"] == len(read_predictions(here / WORK / "runs/tiny/0/0").sample_ids)
    assert actual["metrics"] == json.loads(before)["metrics"]
    assert (here / WORK / "runs/tiny/0/0/result.json").read_bytes() == before
    ours = [row for row in rows(here / WORK) if row["run"] == "tiny/0/0"]
    trained, again = ours[0], ours[-1]
    assert len(ours) > 1, "a network that is tested anew reads the test part again"
    assert (again["configuration"], again["samples"]) == (trained["configuration"], trained["samples"])
    assert (again["predictions"], again["command"].split()[:3]) == (None, ["fgbench", "evaluate", "tiny"])
    assert trained["command"].startswith("fgbench train msau --recipe tiny.yaml")
    reported = cli("evaluate", f"{WORK}/runs/tiny/0/0", "--device", "cpu", "--jobs", 1)
    assert "are equal to those of the run" in reported.stdout
    assert "\nUAR 0." in reported.stdout


def test_evaluation_tells_how_far_other_predictions_are(here, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(here / WORK, work)
    run = work / "runs/tiny/0/0"
    write_tiny_weights(run / "weights.safetensors", seed=5)
    refused = cli("evaluate", run, "--device", "cpu", "--jobs", 1)
    assert refused.exit_code == 7
    assert "weights.safetensors is damaged, or of another run" in refused.stderr
    result = json.loads((run / "result.json").read_text())
    del result["files"], result["digest"]  # as where an older fgbench wrote it
    (run / "result.json").write_text(json.dumps(result))
    compared = evaluated(work / "runs/tiny/0/0")["compared"]
    assert not compared["is_equal"]
    assert 0 < compared["largest_difference"] <= 1


def test_a_run_is_found_in_another_work_folder(here):
    """docs/public-data.md: a network of one data set is tested on another by its name and --workdir."""
    actual = evaluated("tiny", "--workdir", OTHER)
    assert actual["run"].endswith("others/work/runs/tiny-on-others/0/0")
    assert read_result(here / OTHER / "runs/tiny-on-others/0/0")["details"]["weights"]["run"] == "tiny/0/0"
    reported = cli("evaluate", "tiny", "--workdir", OTHER, "--device", "cpu", "--jobs", 1)
    assert f"tiny/0/0 is taken from {WORK}" in reported.stderr
    named = cli("export", "tiny/0/0", "--workdir", OTHER, "--weights", here / "copied.safetensors")
    assert named.exit_code == 0, named.output


def test_a_run_of_several_other_work_folders_is_asked_for(here):
    third = here / "fgbench-data/third/work"
    shutil.copytree(here / WORK / "runs/tiny", third / "runs/tiny")
    done = cli("evaluate", "tiny", "--workdir", OTHER, "--device", "cpu", "--jobs", 1)
    shutil.rmtree(third.parent)
    assert done.exit_code == 3
    words = " ".join(done.stderr.split())
    assert f"tiny is not in {OTHER}, and in 2 other work folders" in words
    assert f"{WORK}/runs/tiny/0/0" in words
    assert "fgbench-data/third/work/runs/tiny/0/0" in words
    nowhere = cli("evaluate", "tyni", "--workdir", OTHER, "--device", "cpu", "--jobs", 1)
    assert nowhere.exit_code == 7
    assert f"in {WORK}: tiny" in " ".join(nowhere.stderr.split())


def test_evaluation_on_other_data_is_a_run_of_its_own(here):
    actual = evaluated("tiny", "--workdir", WORK) | evaluated(f"{WORK}/runs/tiny/0/0", "--workdir", OTHER)
    folder = here / OTHER / "runs/tiny-on-others/0/0"
    assert actual["run"].endswith("runs/tiny-on-others/0/0")
    assert actual["compared"] is None
    result = read_result(folder)
    details = result["details"]
    assert result["manifest_digest"] != details["weights"]["manifest_digest"]
    assert details["weights"]["run"] == "tiny/0/0"
    assert details["method"] == "MSAU-Net (Ours), trained on clips"
    assert (folder / "regions.parquet").is_file()
    # Every second clip is tested there; they train or choose the epoch here.
    assert details["clips_trained_on"] == 6
    reported = cli("evaluate", f"{WORK}/runs/tiny/0/0", "--workdir", OTHER, "--device", "cpu", "--jobs", 1)
    assert "warning: 6 of the test clips were trained or selected on" in reported.stdout


def test_predictions_of_pictures(here, tmp_path):
    weights = write_tiny_weights(tmp_path / "w.safetensors")
    folder = tmp_path / "表情"
    folder.mkdir()
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    (folder / "astronaut.png").write_bytes(cv2.imencode(".png", astronaut)[1].tobytes())
    (folder / "empty.png").write_bytes(cv2.imencode(".png", np.zeros((99, 99, 3), np.uint8))[1].tobytes())
    (folder / "notes.txt").write_text("nothing\n")
    names = ("astronaut.png", "empty.png", "notes.txt")
    out = tmp_path / "out"
    done = cli("predict", weights, *(folder / name for name in names), "--out", out, "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert f"{folder / 'astronaut.png'}: ok\n  class: " in done.stdout
    assert "upper class, the network's own outputs: " in done.stdout
    assert "upper class, sums over their classes: " in done.stdout
    assert f"{folder / 'empty.png'}: no_face, no face was found" in done.stdout
    assert f"{folder / 'notes.txt'}: unreadable: " in done.stdout
    drawn = cv2.imread(str(out / "astronaut.prediction.png"))
    assert drawn.shape[1] > 1000
    assert not (out / "empty.prediction.png").exists()
    rows = pq.read_table(out / "predictions.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["ok", "no_face", "unreadable"]
    assert [row["label"] is None for row in rows] == [False, True, True]
    assert abs(sum(rows[0]["probabilities"]) - 1) < 1e-5

    reported = cli("predict", weights, folder / "astronaut.png", "--out", out, "--device", "cpu", "--json")
    (item,) = json.loads(reported.stdout)["files"]
    assert item["label"] == rows[0]["label"]
    assert item["picture"] == str(out / "astronaut.prediction.png")


def test_nothing_but_files_without_face_exits_with_5(tmp_path):
    weights = write_tiny_weights(tmp_path / "w.safetensors")
    done = cli("predict", weights, tmp_path / "absent.png", "--out", tmp_path / "out", "--device", "cpu")
    assert done.exit_code == 5
    assert "missing_file: file" in done.stdout
    assert "no usable face" in done.stderr
    assert len(pq.read_table(tmp_path / "out" / "predictions.parquet")) == 1


def test_faces_are_found_as_the_recipe_of_the_run_says(here, tmp_path):
    """The recipe takes whole frames: there is a face wherever there is a frame."""
    clip = next((here / "clips/videos").glob("*.mp4"))
    done = cli("predict", "tiny", clip, "--workdir", WORK, "--out", tmp_path, "--device", "cpu", "--json")
    assert done.exit_code == 0, done.output
    (item,) = json.loads(done.stdout)["files"]
    assert (item["kind"], item["n_frames"], item["n_faces"], item["box"]) == ("video", 8, 8, None)
    assert len(pq.read_table(item["frames"])) == 8


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["predict", "tyni", "x.png"], 7, "neither a file of weights nor a run"),
        (["evaluate", "tyni", "--workdir", WORK], 7, "runs with weights in fgbench-data/clips/work: tiny"),
        (["predict", "tiny.yaml", "x.png"], 7, "is no file of weights"),
        (["export", "tiny", "--workdir", WORK], 2, "name a file to write"),
        (["export", "tiny", "--workdir", WORK, "--onnx", "clips"], 2, "is a folder"),
        (["export", "tiny", "--workdir", WORK, "--weights", "w.pt"], 2, ".safetensors"),
        (["predict", "tiny", "x.png", "--workdir", WORK, "--device", "tpu"], 3, "unknown device"),
    ],
)
def test_wrong_use_is_explained(arguments, code, message):
    done = cli(*arguments)
    assert done.exit_code == code, done.output
    assert message in " ".join((done.stdout + done.stderr).replace("│", " ").split())


def test_names_of_outputs_are_different():
    from pathlib import Path

    paths = [Path(name) for name in ("a/x.png", "b/x.jpg", "x-2.mp4", "y.png")]
    assert output_names(paths) == ["x", "x-2", "x-2-2", "y"]


def test_weights_are_exported_with_their_card(here, tmp_path):
    target = tmp_path / "deep" / "tiny.safetensors"
    done = cli("export", "tiny", "--workdir", WORK, "--weights", target)
    assert done.exit_code == 0, done.output
    source = here / WORK / "runs/tiny/0/0"
    assert target.read_bytes() == (source / "weights.safetensors").read_bytes()
    assert target.with_suffix(".md").read_bytes() == (source / "README.md").read_bytes()


def test_onnx_gives_the_same(here, tmp_path):
    import onnxruntime

    from fgbench.methods.msau.opened import open_network
    from fgbench.runs.weights import read_trained

    target = tmp_path / "tiny.onnx"
    done = cli("export", "tiny", "--workdir", WORK, "--onnx", target)
    assert done.exit_code == 0, done.output
    assert "random and test faces" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.onnx"]
    session = onnxruntime.InferenceSession(target)
    known = session.get_modelmeta().custom_metadata_map
    network = open_network(
        read_trained(here / WORK / "runs/tiny/0/0/weights.safetensors"), torch.device("cpu")
    )
    assert json.loads(known["classes"]) == list(network.classes)
    assert known["run"] == "tiny/0/0"
    for n in (1, 5):
        faces = np.random.default_rng(n).integers(0, 256, (n, 224, 224, 3), np.uint8)
        fine, basic, regions = session.run(None, {"faces": faces.transpose(0, 3, 1, 2)})
        answer = network.predict_faces(faces)
        np.testing.assert_allclose(fine, answer.fine, atol=1e-5)
        np.testing.assert_allclose(basic, answer.basic_head, atol=1e-5)
        np.testing.assert_allclose(regions, answer.boxes[:, :1], atol=1e-3)


def test_onnx_without_upper_outputs_and_without_zoom(tmp_path):
    import onnxruntime

    weights = write_tiny_weights(tmp_path / "w.safetensors", has_basic=False, network={"zooms": 0})
    done = cli("export", weights, "--onnx", tmp_path / "w.onnx")
    assert done.exit_code == 0, done.output
    session = onnxruntime.InferenceSession(tmp_path / "w.onnx")
    faces = np.random.default_rng(0).integers(0, 256, (3, 3, 224, 224), np.uint8)
    fine, basic, regions = session.run(None, {"faces": faces})
    np.testing.assert_allclose(basic.sum(1), 1, atol=1e-5)
    assert fine.shape == (3, 33)
    assert regions.shape == (3, 0, 4)
    assert session.get_modelmeta().custom_metadata_map["basic_source"] == "sums over classes"


def test_onnx_of_a_network_of_grey_pictures_sees_grey(tmp_path):
    """Coloured faces are compared too, or the export would be refused."""
    import onnxruntime

    faces = {"align": "always", "geometry": "dlib", "padding": 0.25, "grey": True}
    weights = write_tiny_weights(tmp_path / "w.safetensors", faces=faces)
    done = cli("export", weights, "--onnx", tmp_path / "w.onnx")
    assert done.exit_code == 0, done.output
    session = onnxruntime.InferenceSession(tmp_path / "w.onnx")
    assert json.loads(session.get_modelmeta().custom_metadata_map["faces"]) == faces
    coloured = np.zeros((1, 3, 224, 224), np.uint8)
    coloured[:, 0, :112] = 200
    luma = np.zeros((1, 3, 224, 224), np.uint8)
    luma[:, :, :112] = round(0.299 * 200)
    one, other = (session.run(None, {"faces": picture})[0] for picture in (coloured, luma))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_network_is_not_tested_on_faces_of_another_geometry(here, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(here / OTHER, work)
    index = read_index(work)
    index["origin"]["recipe"]["faces"] = {"align": "always", "geometry": "face", "padding": None}
    write_sealed(work / "manifests/index.json", index)
    faces = {"align": "always", "geometry": "dlib", "padding": 0.25, "grey": False}
    weights = write_tiny_weights(tmp_path / "w.safetensors", faces=faces)
    refused = cli("evaluate", weights, "--workdir", work, "--device", "cpu", "--jobs", 1)
    assert refused.exit_code == 3
    assert "trained on faces of geometry dlib (padding 0.25)" in refused.stderr
    assert "prepare it with faces: {geometry: dlib, padding: 0.25} in the recipe" in refused.stderr


def test_weights_and_results_tell_how_faces_lie(here):
    from fgbench.models.weights import load_weights

    run = here / WORK / "runs/tiny/0/0"
    expected = {"align": "never", "geometry": "face", "padding": None, "grey": True}  # its clips are grey
    assert load_weights(run / "weights.safetensors")[1]["faces"] == expected
    assert read_result(run)["details"]["faces"] == expected
    assert "- Faces: pictures taken as they are, grey" in (run / "README.md").read_text()


def test_a_missing_package_of_the_export_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnxscript", None)
    weights = write_tiny_weights(tmp_path / "w.safetensors")
    done = cli("export", weights, "--onnx", tmp_path / "w.onnx")
    assert done.exit_code == 9
    assert "pip install 'fgbench[export]'" in done.stderr


def test_a_text_of_the_users_is_not_replaced_by_a_card(here, tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    done = cli("export", "tiny", "--workdir", WORK, "--weights", tmp_path / "notes.safetensors")
    assert done.exit_code == 3
    assert "no model card" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]
    assert (tmp_path / "notes.md").read_text() == "mine"
    (tmp_path / "notes.md").unlink()
    for _ in range(2):
        done = cli("export", "tiny", "--workdir", WORK, "--weights", tmp_path / "notes.safetensors")
        assert done.exit_code == 0, done.output
