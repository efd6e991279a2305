"""Every kind of network is evaluated, used and exported through one protocol."""

import json
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from fgbench.config import FacesConfig, OpticalFlowConfig
from fgbench.inference.clip_test import evaluate_clips
from fgbench.inference.clips import InputSettings, predict_clip_file
from fgbench.inference.onnx_export import export_onnx
from fgbench.methods.protocol.kinds import open_trained
from fgbench.methods.tmsau import run as video_run
from fgbench.models.weights import load_weights, save_weights
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.chains import with_chains
from tests.support.clip_networks import short_googlenet
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import context_in, with_three_leaves
from tests.support.video_files import write_clip

CPU = torch.device("cpu")
KINDS = {
    "tmsau": {},
    "nan": {"temporal": None, "name": "tiny-nan", "method": "NAN"},
    "plain-tsnet": {"image_recipe": None, "spatial": "rgb", "name": "tiny-tsnet", "method": "Plain TSNet"},
    "vgg-lstm": {"temporal": "vgg-lstm", "name": "tiny-vgg"},
    "c3d-lstm": {"temporal": "c3d-lstm", "name": "tiny-c3d"},
    "flow": {"image_recipe": None, "spatial": None, "name": "tiny-flow"},
}
INPUTS = {
    "tmsau": {"faces", "temporal_flow"},
    "nan": {"faces"},
    "plain-tsnet": {"spatial_frames", "temporal_flow"},
    "vgg-lstm": {"faces", "temporal_frames"},
    "c3d-lstm": {"faces", "temporal_windows"},
    "flow": {"temporal_flow"},
}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", params=with_chains(sorted(KINDS), "plain-tsnet", "vgg-lstm"))
def made(request, tmp_path_factory):
    """The name of a kind of clip network, and a run of it; GoogLeNet is whole where it is alone."""
    folder = tmp_path_factory.mktemp(request.param)
    image = read_trained(write_tiny_weights(folder / "image" / "weights.safetensors"))
    clips = with_three_leaves(small_clips(folder / "clips", rest=False))
    context = context_in(folder / "work", clips)
    config = clip_recipe(**KINDS[request.param] | {"optimiser": {"epochs": 1, "learning_rate": 0.01}})
    with nullcontext() if request.param == "flow" else short_googlenet():
        run = video_run.run(config, context, image if config.image_recipe else None)
        yield request.param, run, context


def sure(run, path):
    """The weights of a run with classifiers that are far from saying all classes alike."""
    state, metadata = load_weights(run / "weights.safetensors")
    random = torch.Generator().manual_seed(0)
    for name in [name for name in state if ".heads." in name and name.endswith("weight")]:
        state[name] = torch.randn(state[name].shape, generator=random)
    save_weights(path, state, metadata)
    return open_trained(read_trained(path), CPU)


@pytest.mark.slow
def test_evaluation_equals_the_run(made):
    _, run, context = made
    network = open_trained(read_trained(run / "weights.safetensors"), CPU)
    assert network.task == "clips"
    folder, compared = evaluate_clips(network, context)
    assert folder == run
    assert compared.largest_difference <= 1e-5
    assert compared.n == 6


@pytest.mark.slow
def test_videos_and_pictures_are_told(made, tmp_path):
    """By the streams, and by what there is for single faces; a network of flow alone says why not."""
    kind, run, _ = made
    network = open_trained(read_trained(run / "weights.safetensors"), CPU)
    actual = InputSettings(faces=FacesConfig(), flow=OpticalFlowConfig())
    astronaut = skimage.data.astronaut()
    clip, picture = tmp_path / "clip.mp4", tmp_path / "picture.png"
    write_clip(clip, 4, size=(512, 512), pictures=[np.roll(astronaut, 2 * n, axis=1) for n in range(4)])
    picture.write_bytes(cv2.imencode(".png", np.ascontiguousarray(astronaut[..., ::-1]))[1].tobytes())
    video = predict_clip_file(clip, network, actual, frames_to=tmp_path / "frames.parquet")
    assert (video.kind, video.status, video.streams) == ("video", "ok", network.streams)
    assert video.probabilities.fine.sum() == pytest.approx(1, abs=1e-5)
    still = predict_clip_file(picture, network, actual)
    if kind == "flow":
        assert (still.status, still.probabilities) == ("no_prediction", None)
        assert "a picture has none; give it a video" in still.message
        assert video.portrait is None
    else:
        assert still.status == "ok"
        assert still.probabilities.fine.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("made", ["plain-tsnet"], indirect=True)
def test_a_picture_is_a_clip_of_one_frame_without_movement(made):
    """Of a network without image model: its spatial stream on the stored face."""
    _, run, _ = made
    network = open_trained(read_trained(run / "weights.safetensors"), CPU)
    face = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    small = (
        torch.from_numpy(cv2.resize(face, (64, 64), interpolation=cv2.INTER_AREA)).permute(2, 0, 1).float()
    )
    scale = network.scales["spatial"]
    mean, std = (torch.tensor(part)[:, None, None] for part in (scale.mean, scale.std))
    with torch.no_grad():
        reported = network.model({"spatial": (((small - mean) / std)[None, None], torch.ones(1, 1).bool())})
    wanted = reported["spatial"].fine.softmax(1).numpy()
    np.testing.assert_allclose(network.faces.predict_faces(face[None]).fine, wanted, atol=1e-5)


@pytest.mark.slow
def test_onnx_equals_torch_for_any_number_of_frames(made, tmp_path):
    """The exported program of one clip against the network's own forward pass, of 1, 4 and 7 rows."""
    import onnxruntime

    kind, run, _ = made
    network = sure(run, tmp_path / "sure.safetensors")
    path = tmp_path / "clip.onnx"
    deviation = export_onnx(network, path)
    assert deviation.probabilities <= 1e-4
    session = onnxruntime.InferenceSession(path)
    names = [put.name for put in session.get_inputs()]
    assert set(names) == INPUTS[kind]
    known = session.get_modelmeta().custom_metadata_map
    report = json.loads(known["inputs"])
    assert json.loads(known["classes"]) == list(network.classes)
    graph = network.graph()
    random = np.random.default_rng(1)
    spread = []
    for n in (1, 4, 7):
        rows = {
            name: random.integers(0, 256, (n + more, *report[name]["shape"]), np.uint8)
            for more, name in enumerate(names)
        }
        outputs = dict(zip(graph.outputs, session.run(list(graph.outputs), rows), strict=True))
        for name, wanted in zip(graph.outputs, graph.predict(rows), strict=True):
            np.testing.assert_allclose(outputs[name], wanted, atol=1e-4, err_msg=name)
        each = [outputs[f"{stream}_probabilities"] for stream in network.streams]
        np.testing.assert_allclose(outputs["probabilities"], np.mean(each, axis=0), atol=1e-6)
        spread.append(outputs["probabilities"].max())
        if "faces" in names:
            assert outputs["attention"].shape == (1, 2, n)
            np.testing.assert_allclose(outputs["attention"].sum(2), 1, atol=1e-5)
    assert max(spread) > 0.4, "a network that says nothing compares nothing"


@pytest.mark.slow
def test_the_result_tells_the_streams(made):
    _, run, _ = made
    network = open_trained(read_trained(run / "weights.safetensors"), CPU)
    details = read_result(run)["details"]
    assert {key: details[key] for key in network.details} == network.details
