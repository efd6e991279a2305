"""``video-backbone``: frozen networks of pictures and of videos on clips, mean and attention."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import skimage.data
import torch

from fgbench.config import FacesConfig, OpticalFlowConfig, VideoBackboneConfig
from fgbench.config.video_backbones import PiecesConfig
from fgbench.errors import ConfigError, ManifestError
from fgbench.inference.clip_test import evaluate_clips
from fgbench.inference.clips import InputSettings, predict_clip_file
from fgbench.inference.onnx_export import export_onnx
from fgbench.media.images import encode
from fgbench.methods.backbone import method as of_pictures
from fgbench.methods.protocol.kinds import open_trained
from fgbench.methods.video_backbone import method
from fgbench.methods.video_backbone.pieces import WindowSource, piece_source, pieces_of_clips
from fgbench.models.weights import load_weights, save_weights
from fgbench.runs.attention import read_attention
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import normalised, recipe
from tests.support.tiny_backbones import (
    MEAN,
    STD,
    TinyCnn,
    stated,
    write_onnx,
    write_processor,
    write_text_onnx,
)
from tests.support.tiny_clips import small_clips
from tests.support.tiny_work import THREE, context_in, pictures_of_frames
from tests.support.video_files import write_clip

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow
QUICK = {"kind": "adamw", "learning_rate": 0.01, "batch": 4, "epochs": 6, "patience": 6}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("made"), rest=False)


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    model = TinyCnn()
    return write_onnx(tmp_path_factory.mktemp("networks") / "tiny.onnx", model, metadata=stated()), model


@pytest.fixture(scope="module")
def videomae(tmp_path_factory):
    """A folder with a tiny VideoMAE of random values, and the network."""
    from transformers import VideoMAEConfig, VideoMAEModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("networks") / "videomae"
    config = VideoMAEConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
        num_frames=4,
        tubelet_size=2,
    )
    model = VideoMAEModel(config).eval()
    model.save_pretrained(folder)
    write_processor(
        folder, size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, do_center_crop=True
    )
    return folder, model


def small_context(folder, made, **changes):
    notes = []
    return context_in(folder / "work", made, labels=THREE, note=notes.append, **changes), notes


def config(**changes):
    return VideoBackboneConfig.model_validate({"name": "video-backbone", "optimiser": QUICK, **changes})


def frames_of(manifests):
    """Clip to its frames with a face, by the test's own reading."""
    rows = pq.read_table(manifests / "faces").to_pylist()
    found = {}
    for row in rows:
        if row["status"] == "ok":
            found.setdefault(row["clip_id"], []).append(row["frame_index"])
    return {clip_id: sorted(numbers) for clip_id, numbers in found.items()}


def scored(folder):
    predictions = verify(folder)
    rows = [row for row, label in enumerate(predictions.predicted) if label]
    return [predictions.sample_ids[row] for row in rows], predictions.probabilities[rows]


def test_the_mean_of_frames_is_classified_as_by_hand(made, cnn, tmp_path):
    path, model = cnn
    context, notes = small_context(tmp_path, made)
    folder = method.run(config(), context, onnx=path, licence="MIT")
    assert folder.parts[-3] == "video-backbone-tiny-logistic"
    ids, probabilities = scored(folder)
    assert len(ids) == 6
    frames = frames_of(made)
    trained = read_trained(folder / "weights.safetensors")
    state = {name.removeprefix("head."): value.numpy() for name, value in trained.state.items()}
    for clip_id, found in zip(ids, probabilities, strict=True):
        faces = normalised(pictures_of_frames(made, [(clip_id, number) for number in frames[clip_id]]))
        with torch.no_grad():
            mean = model.embed(torch.from_numpy(faces)).mean(0).numpy()
        scores = (mean - state["mean"]) * state["scale"] @ state["weights"] + state["offsets"]
        expected = np.exp(scores - scores.max())
        np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-3)
    details = read_result(folder)["details"]
    assert (details["kind"], details["method"], details["n_train"]) == ("video", "tiny, mean, logistic", 12)
    assert any("80 features" in note for note in notes)
    card = (folder / "README.md").read_text()
    assert "Pieces of a clip: at most 32 frames" in card
    assert "MIT (as the user states)" in card


def test_a_run_is_evaluated_and_exported(made, cnn, tmp_path):
    context, _ = small_context(tmp_path, made)
    for changes, outputs in (({}, 3), ({"pool": "attention"}, 4)):
        folder = method.run(config(**changes), context, onnx=cnn[0])
        network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
        again, comparison = evaluate_clips(network, context)
        assert again == folder
        assert comparison.is_equal
        assert export_onnx(network, tmp_path / "whole.onnx").probabilities < 1e-4
        import onnxruntime

        session = onnxruntime.InferenceSession(tmp_path / "whole.onnx")
        assert [one.name for one in session.get_inputs()] == ["faces"]
        assert len(session.get_outputs()) == outputs
        metadata = session.get_modelmeta().custom_metadata_map
        assert json.loads(metadata["inputs"])["faces"]["most"] == 32
        face = np.full((2, 224, 224, 3), 90, np.uint8)
        assert network.faces.predict_faces(face).fine.shape == (2, 3)
    assert len(list((context.workdir / "cache" / "features").iterdir())) == 1


def test_attention_learns_and_tells_its_weights(made, cnn, tmp_path):
    """Its weights on the frames of a clip add up to 1, and two runs of a seed are the same."""
    context, _ = small_context(tmp_path / "a", made)
    chosen = config(pool="attention", attention={"size": 8}, pieces={"most": 4})
    folder = method.run(chosen, context, onnx=cnn[0])
    assert folder.parts[-3] == "video-backbone-tiny-attention"
    assert read_result(folder)["metrics"]["uar"] > 0.6
    attended = read_attention(folder)
    ids, probabilities = scored(folder)
    of_test = {name: one for name, one in attended.items() if one.part == "test"}
    assert sorted(of_test) == sorted(ids)
    for one in of_test.values():
        assert len(one.frames) == 4
        np.testing.assert_allclose([one.first.sum(), one.second.sum()], [1, 1], atol=1e-5)
    other, _ = small_context(tmp_path / "b", made)
    again = method.run(chosen, other, onnx=cnn[0])
    np.testing.assert_array_equal(scored(again)[1], probabilities)
    assert not (folder / "checkpoint.pt").exists()


def test_an_interrupted_training_ends_as_one_that_was_not(made, cnn, tmp_path):
    chosen = config(pool="attention", attention={"size": 8})
    whole, _ = small_context(tmp_path / "whole", made)
    expected = scored(method.run(chosen, whole, onnx=cnn[0]))[1]

    stopped, _ = small_context(tmp_path / "stopped", made, progress=stopping(after=8))
    with pytest.raises(KeyboardInterrupt):
        method.run(chosen, stopped, onnx=cnn[0])
    rest, notes = small_context(tmp_path / "stopped", made)
    folder = method.run(chosen, rest, onnx=cnn[0])
    np.testing.assert_array_equal(scored(folder)[1], expected)
    assert any("goes on with epoch 3 of 6" in note for note in notes)


def stopping(*, after):
    """A function for progress that stops the training after some calls."""
    calls = []

    def progress(name, done, of):
        calls.append(name)
        if name != "features" and calls.count(name) == after:
            raise KeyboardInterrupt

    return progress


def test_a_network_of_videos_takes_windows(made, videomae, tmp_path):
    folder, model = videomae
    context, _ = small_context(tmp_path, made)
    run = method.run(config(), context, hf=str(folder))
    ids, _ = scored(run)
    trained = read_trained(run / "weights.safetensors")
    assert trained.metadata["pieces"] == {"most": 32, "stride": 0, "window": 4}
    network = open_trained(trained, CPU)
    assert evaluate_clips(network, context)[1].is_equal
    assert export_onnx(network, tmp_path / "whole.onnx").probabilities < 1e-4
    assert not network.faces.takes_single_faces
    with pytest.raises(ValueError, match="takes no single faces"):
        network.faces.predict_faces(np.zeros((1, 224, 224, 3), np.uint8))
    frames = frames_of(made)
    from fgbench.methods.video_backbone.clip_features import features_of_clips
    from fgbench.methods.video_backbone.workfolder_clips import frames_of_clips

    features = features_of_clips(
        network.network, context, frames_of_clips(made), PiecesConfig(), window=network.window
    )
    for clip_id in ids[:2]:
        numbers = frames[clip_id]
        chosen = [numbers[(2 * part + 1) * len(numbers) // 8] for part in range(4)]
        faces = normalised(pictures_of_frames(made, [(clip_id, number) for number in chosen]))
        with torch.no_grad():
            hidden = model(pixel_values=torch.from_numpy(faces)[None]).last_hidden_state
        np.testing.assert_allclose(features.values[features.rows_of[clip_id]], hidden.mean(1), atol=1e-4)


@pytest.mark.parametrize("kind", ["pictures", "videos"])
def test_videos_and_pictures_of_users_are_told(made, cnn, videomae, tmp_path, kind):
    """A network of videos says of a picture that it needs a video."""
    context, _ = small_context(tmp_path, made)
    options = {"onnx": cnn[0]} if kind == "pictures" else {"hf": str(videomae[0])}
    folder = method.run(config(), context, **options)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    actual = InputSettings(faces=FacesConfig(), flow=OpticalFlowConfig())
    astronaut = skimage.data.astronaut()
    clip, picture = tmp_path / "clip.mp4", tmp_path / "picture.png"
    write_clip(clip, 3, size=(512, 512), pictures=[np.roll(astronaut, 2 * n, axis=1) for n in range(3)])
    picture.write_bytes(encode(astronaut, "png", 0))
    video = predict_clip_file(clip, network, actual)
    assert (video.kind, video.status, video.streams) == ("video", "ok", ("spatial",))
    assert video.probabilities.fine.sum() == pytest.approx(1, abs=1e-5)
    still = predict_clip_file(picture, network, actual)
    if kind == "pictures":
        assert still.probabilities.fine.sum() == pytest.approx(1, abs=1e-5)
    else:
        assert (still.status, still.probabilities) == ("no_prediction", None)


def test_weights_that_tell_of_something_else_are_refused(made, cnn, tmp_path):
    context, _ = small_context(tmp_path, made)
    folder = method.run(config(pool="attention", attention={"size": 8}), context, onnx=cnn[0])
    path = tmp_path / "other.safetensors"
    state, metadata = load_weights(folder / "weights.safetensors")
    for changes, match in (
        ({"attention": None}, "neither head and attention"),
        ({"attention": {**metadata["attention"], "size": 9}}, "do not fit the network"),
        ({"attention": {**metadata["attention"], "n_in": 1 << 30}}, "do not tell of their network"),
        ({"pieces": {"most": 1}}, "do not tell of their network"),
    ):
        save_weights(path, state, {**metadata, **changes})
        with pytest.raises(ManifestError, match=match):
            open_trained(read_trained(path), CPU)


def test_networks_are_told_from_each_other(made, videomae, tmp_path):
    context, _ = small_context(tmp_path, made)
    with pytest.raises(ConfigError, match="takes videos of 4 frames") as caught:
        of_pictures.run(recipe(), context, hf=str(videomae[0]))
    assert "video-backbone" in caught.value.hint
    write_text_onnx(tmp_path / "text.onnx")
    with pytest.raises(ConfigError, match="takes no pictures"):
        method.run(config(), context, onnx=tmp_path / "text.onnx")
    with pytest.raises(ConfigError, match="does not take pictures of"):
        method.run(config(input={"size_px": 64}), context, hf=str(videomae[0]))
    with pytest.raises(ValueError, match="stored faces alone"):
        config(input={"crop": "arcface"})
    assert not (context.workdir / "runs").exists() or not list(
        (context.workdir / "runs").rglob("result.json")
    )


def test_pieces_are_evenly_spread():
    ten = {"a": np.arange(10) * 2}
    assert pieces_of_clips(ten, PiecesConfig(most=2), window=0).frames[0].tolist() == [[4], [14]]
    assert pieces_of_clips(ten, PiecesConfig(), window=5).frames[0].tolist() == [[2, 6, 10, 14, 18]]
    short = {"a": np.array([3, 5])}
    assert pieces_of_clips(short, PiecesConfig(), window=4).frames[0].tolist() == [[3, 3, 5, 5]]
    strided = PiecesConfig(stride=2)
    assert pieces_of_clips(ten, strided, window=2).frames[0].tolist() == [[0, 4], [8, 12]]
    assert pieces_of_clips(short, strided, window=3).frames[0].tolist() == [[3, 5, 5]]


@pytest.mark.parametrize("jobs", [1, 3])
def test_windows_hold_the_frames_of_the_clip(made, jobs):
    frames = {clip_id: np.array(numbers) for clip_id, numbers in list(frames_of(made).items())[:3]}
    pieces = pieces_of_clips(frames, PiecesConfig(stride=1), window=2)
    source = piece_source(made, pieces, jobs=jobs)
    assert isinstance(source, WindowSource)
    found = torch.cat([batch.images for batch in source.batches(epoch=0, seed=0, batch=3, shuffle=False)])
    expected = pictures_of_frames(made, [frame for piece in pieces.rows() for frame in piece])
    assert torch.equal(found.flatten(0, 1).float(), expected)


def test_a_run_of_the_same_settings_is_not_made_again(made, cnn, tmp_path):
    context, _ = small_context(tmp_path, made)
    folder = method.run(config(), context, onnx=cnn[0])
    before = (folder / "result.json").stat().st_mtime_ns
    assert method.run(config(), context, onnx=cnn[0]) == folder
    assert (folder / "result.json").stat().st_mtime_ns == before
    assert read_predictions(folder).classes == THREE.labels


def test_videos_state_their_input(tmp_path):
    """ViViT's processor takes 1 off the levels, which belongs to the mean."""
    from fgbench.methods.backbone.hf_folder import _stated

    write_processor(
        tmp_path, rescale_factor=1 / 127.5, offset=True, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    assert _stated(tmp_path)["mean"] == (1.5, 1.5, 1.5)
    assert (MEAN[0], STD[0]) == (0.485, 0.229)
