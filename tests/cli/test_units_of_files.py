"""``fgbench predict`` and ``export`` of a detector of action units: rows per file and frame, ONNX."""

from __future__ import annotations

import csv
import io
import json

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import FacesConfig, TrainAuConfig
from fgbench.faces.status import USABLE
from fgbench.faces.still_picture import ImageFrame
from fgbench.inputs.crops import enlarge
from fgbench.media.images import read_image
from fgbench.media.video import open_video
from fgbench.methods.action_units.run import build
from fgbench.models.weights import save_weights
from fgbench.preparation.stages.faces import observed
from tests.support.clip_folders import write_plain_clip

UNITS = ("au04", "au12", "au25")
RECIPE = TrainAuConfig.model_validate(
    {
        "name": "au-tiny",
        "action_units": UNITS,
        "trunk": {"input_px": 112, "stem": 4, "widths": [4, 4, 4, 8], "norm": "none"},
        "fc_hidden": None,
        "embedding": 8,
    }
)
MEAN, STD = [120.0, 110.0, 100.0], [60.0, 55.0, 50.0]
RESIZE_PX = 240


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def cli(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of a detector with drawn values."""
    path = tmp_path_factory.mktemp("units") / "au.safetensors"
    metadata = {
        "kind": "au",
        "experiment": "au-tiny",
        "seed": 0,
        "dataset": "made up",
        "synthetic": True,
        "action_units": list(UNITS),
        "trunk": RECIPE.trunk.model_dump(mode="json"),
        "fc_hidden": None,
        "embedding": 8,
        "resize_px": RESIZE_PX,
        "mean": MEAN,
        "std": STD,
    }
    model = build(RECIPE, seed=0)
    with torch.no_grad():
        model.head.weight.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(0))
    save_weights(path, model.state_dict(), metadata)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory, face_clips):
    """A face in a picture, a clip of a real face, and a clip without any."""
    folder = tmp_path_factory.mktemp("files")
    cv2.imwrite(str(folder / "=astronaut.png"), skimage.data.astronaut()[:300, 50:400, ::-1])
    write_plain_clip(folder / "noise.mp4", 3, seed=1)
    return [folder / "=astronaut.png", face_clips / "face_noface.mov", folder / "noise.mp4"]


def expected(chips):
    """Probabilities of faces, put together by the test."""
    state = build(RECIPE, seed=0)
    faces = torch.from_numpy(np.stack(chips).transpose(0, 3, 1, 2).copy())
    margin = (RESIZE_PX - 224) // 2
    crops = enlarge(faces, RESIZE_PX)[:, :, margin : margin + 224, margin : margin + 224]
    mean, std = (torch.tensor(part)[:, None, None] for part in (MEAN, STD))
    with torch.no_grad():
        state.head.weight.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(0))
        return state.eval()((crops - mean) / std).sigmoid().numpy()


def test_a_row_per_file_and_frame(weights, files, tmp_path):
    out = tmp_path / "out"
    done = cli("predict", weights, *files, "--out", out, "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "action units: " in done.output
    assert "class" not in done.output
    assert "SYNTHETIC" in done.output
    rows = list(csv.DictReader(io.StringIO((out / "action_units.csv").read_text())))
    assert list(rows[0]) == ["file", "frame", "time_s", "status", "track", *UNITS]
    picture, clip, noise = files
    by_file = {str(path): [row for row in rows if row["file"] == str(path)] for path in files}
    assert sum(map(len, by_file.values())) == len(rows)

    (row,) = by_file[str(picture)]
    assert (row["frame"], row["time_s"], row["status"]) == ("0", "", "ok")
    ((_, seen),) = observed(
        [ImageFrame(pixels=read_image(picture))], FacesConfig(chip_size=224, geometry="dlib")
    )
    np.testing.assert_allclose([float(row[unit]) for unit in UNITS], expected([seen.chip])[0], atol=1e-4)

    with open_video(clip) as reader:
        watched = [one for _, one in observed(reader.frames(), FacesConfig(chip_size=224, geometry="dlib"))]
    reported = by_file[str(clip)]
    assert [int(row["frame"]) for row in reported] == list(range(len(watched)))
    assert [row["status"] for row in reported] == [one.status for one in watched]
    usable = [number for number, one in enumerate(watched) if one.status in USABLE]
    assert usable
    values = np.array([[float(reported[number][unit]) for unit in UNITS] for number in usable])
    np.testing.assert_allclose(values, expected([watched[number].chip for number in usable]), atol=1e-4)
    assert values.std(0).max() > 1e-4

    assert [row["status"] for row in by_file[str(noise)]] == ["no_face"] * 3
    assert {row[unit] for row in by_file[str(noise)] for unit in UNITS} == {""}


def test_the_same_as_json(weights, files, tmp_path):
    done = cli("predict", weights, files[0], files[2], "--out", tmp_path, "--device", "cpu", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["units"] == list(UNITS)
    assert [row["frame"] for row in report["rows"]] == [0, 0, 1, 2]
    assert [one["label"] for one in report["files"]] == [None, None]
    first, *rest = report["rows"]
    assert [first[unit] for unit in UNITS] == pytest.approx(report["files"][0]["probabilities"])
    assert all(row[unit] is None for row in rest for unit in UNITS)


def test_names_that_a_spreadsheet_would_run_are_text(weights, files, tmp_path, monkeypatch):
    monkeypatch.chdir(files[0].parent)
    done = cli("predict", weights, "=astronaut.png", "--out", tmp_path, "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "\n'=astronaut.png,0," in (tmp_path / "action_units.csv").read_text()


def test_onnx_names_the_units_and_gives_the_same(weights, tmp_path):
    import onnxruntime

    path = tmp_path / "au.onnx"
    done = cli("export", weights, "--onnx", path)
    assert done.exit_code == 0, done.output
    assert "largest difference on " in done.output
    assert "regions" not in done.output, "a detector of action units has none to tell"
    session = onnxruntime.InferenceSession(path)
    reported = session.get_modelmeta().custom_metadata_map
    assert json.loads(reported["action_units"]) == list(UNITS)
    assert reported["run"] == "au.safetensors"
    chips = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)
    (output,) = session.run(["probabilities"], {"faces": chips.transpose(0, 3, 1, 2)})
    np.testing.assert_allclose(output, expected(list(chips)), atol=1e-4)
