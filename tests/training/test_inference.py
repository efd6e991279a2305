"""Trained networks are found, read, refused where they do not fit, and asked."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import torch

from fgbench.errors import ConfigError, ManifestError
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods.msau.opened import open_network
from fgbench.methods.protocol import upper_sums
from fgbench.models.weights import save_weights
from fgbench.runs.digests import digests_of
from fgbench.runs.weights import find_weights, read_trained, work_folder
from fgbench.taxonomy import basics, leaves
from tests.support.tiny_manifests import picture
from tests.support.tiny_runs import NETWORK, write_tiny_weights

CPU = torch.device("cpu")


def opened(path):
    return open_network(read_trained(path), CPU)


def faces(n):
    return np.stack([picture(number) for number in range(n)])


def test_sums_of_upper_classes_are_those_of_their_leaves():
    fine = np.random.default_rng(0).dirichlet(np.ones(33), 4).astype(np.float32)
    wanted = np.zeros((4, 6))
    for column, item in enumerate(leaves()):
        wanted[:, basics().index(item.basic)] += fine[:, column]
    np.testing.assert_allclose(upper_sums(fine), wanted, atol=1e-6)


@pytest.mark.parametrize("basic", [True, False])
def test_answers_are_probabilities_and_regions_of_the_face(tmp_path, basic):
    network = opened(write_tiny_weights(tmp_path / "w.safetensors", has_basic=basic))
    answer = network.predict_faces(faces(3))
    np.testing.assert_allclose(answer.fine.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(answer.basic_sum.sum(1), 1, atol=1e-5)
    assert (answer.basic_head is not None) == basic
    assert answer.basic is (answer.basic_head if basic else answer.basic_sum)
    assert answer.boxes.shape == (3, 3, 4)
    # 96 px of the crop of 224 from 256 px are 84 px of the face; the crop leaves 14 px at every side.
    np.testing.assert_allclose(answer.boxes[..., 2:] - answer.boxes[..., :2], 84)
    assert answer.boxes.min() >= 14
    assert answer.boxes.max() <= 210


def test_an_answer_does_not_depend_on_the_batch(tmp_path):
    network = opened(write_tiny_weights(tmp_path / "w.safetensors"))
    together = network.predict_faces(faces(4)).fine
    alone = np.concatenate([network.predict_faces(faces(4)[index : index + 1]).fine for index in range(4)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_boxes_of_a_crop_lie_where_its_pixels_come_from():
    """A bright square in the crop is found in the face where the box says."""
    preprocessing = Preprocessing(resize_px=256, mean=(0.0,) * 3, std=(1.0,) * 3)
    box = torch.tensor([[32.0, 64.0, 128.0, 160.0]])
    actual = preprocessing.in_face(box)[0].tolist()
    assert actual == [42.0, 70.0, 126.0, 154.0]
    face = torch.zeros(1, 3, 224, 224, dtype=torch.uint8)
    face[:, :, 70:154, 42:126] = 255
    crop = preprocessing.centre(face)[0, 0]
    inside = torch.zeros(224, 224)
    inside[64:160, 32:128] = 255
    assert (crop - inside).abs().gt(128).sum() == 0


@pytest.mark.parametrize("shape", [(1, 100, 100, 3), (1, 3, 224, 224)])
def test_faces_of_another_size_are_refused(tmp_path, shape):
    network = opened(write_tiny_weights(tmp_path / "w.safetensors"))
    with pytest.raises(ValueError, match=r"expected uint8 \(N, 224, 224, 3\)"):
        network.predict_faces(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classes": [item.name for item in leaves()][::-1]}, "other classes: number 0 is"),
        ({"classes": ["anger", "joy"]}, "have 2 classes, expected 33"),
        ({"classes": None}, "classes: Field required"),
        ({"basic": ["anger"]}, "other upper classes"),
        ({"kind": "insightface"}, "of kind 'insightface', expected 'image'"),
        ({"kind": None}, "of kind 'unknown', expected 'image'"),
        ({"mean": None}, "mean: Field required"),
    ],
)
def test_weights_of_another_purpose_are_refused(tmp_path, changed, message):
    path = write_tiny_weights(tmp_path / "w.safetensors", **changed)
    with pytest.raises(ManifestError, match=message):
        opened(path)


def test_weights_that_do_not_fit_what_they_tell_are_refused(tmp_path):
    path = write_tiny_weights(tmp_path / "w.safetensors")
    trained = read_trained(path)
    other = {**trained.metadata, "network": {**trained.metadata["network"], "embedding": 16}}
    save_weights(path, trained.state, other)
    with pytest.raises(ManifestError, match="do not fit the network"):
        opened(path)
    save_weights(path, trained.state, {**trained.metadata, "network": {"layers": 3}})
    with pytest.raises(ManifestError, match="do not tell of a network that this fgbench knows"):
        opened(path)


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ({"mean": []}, "mean"),
        ({"mean": [1.0, 2.0, float("1e300")]}, "mean.2: Input should be less than"),
        ({"std": [1.0, 0.0, 1.0]}, "std.1: Input should be greater than 0"),
        ({"resize_px": 1e308}, "resize_px: "),
        ({"resize_px": 10**400}, "resize_px: "),
        ({"seed": "one"}, "seed: Input should be a valid integer"),
        ({"experiment": "x" * 10**6}, "experiment: String should have at most 255"),
        ({"classes": "all"}, "classes: Input should be a valid list"),
        ({"network": {**NETWORK, "embedding": 10**12}}, "do not tell of a network"),
        ({"network": {**NETWORK, "embedding": 10**30}}, "do not tell of a network"),
        ({"network": {**NETWORK, "fc_hidden": 1 << 40}}, "do not tell of a network"),
        ({"network": {**NETWORK, "embedding": 60_000}}, "cannot be made|do not fit the network"),
        ({"network": "wide"}, "network: Input should be a valid dictionary"),
    ],
)
def test_lies_of_foreign_weights_are_one_clear_error(tmp_path, lie, message):
    path = write_tiny_weights(tmp_path / "w.safetensors")
    trained = read_trained(path)
    save_weights(path, trained.state, {**trained.metadata, **lie})
    with pytest.raises(ManifestError, match=message) as caught:
        opened(path)
    assert len(caught.value.message) < 600


def test_weights_of_another_run_are_refused_beside_a_result(tmp_path):
    path = write_tiny_weights(tmp_path / "weights.safetensors")
    (tmp_path / "result.json").write_text(json.dumps({"files": digests_of(tmp_path)["files"]}))
    before = read_trained(path)
    write_tiny_weights(path, seed=1)
    with pytest.raises(ManifestError, match=r"damaged, or of another run[\s\S]*fgbench train msau"):
        read_trained(path)
    elsewhere = write_tiny_weights(tmp_path / "copies" / "weights.safetensors", seed=1)
    assert read_trained(elsewhere).digest != before.digest
    (tmp_path / "result.json").write_text("[1, 2")  # who reads the result tells of it
    read_trained(path)


def test_damaged_weights_are_refused(tmp_path):
    path = write_tiny_weights(tmp_path / "w.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ManifestError, match=r"w\.safetensors"):
        opened(path)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").mkdir, ())

    data = pickle.dumps({"state_dict": Evil()})
    plain, zipped = tmp_path / "plain.pt", tmp_path / "zipped.pt"
    plain.write_bytes(data)
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("archive/data.pkl", data)
        file.writestr("archive/version", "3\n")
        file.writestr("archive/byteorder", "little")
    for path in (plain, zipped):
        with pytest.raises(ManifestError, match=path.name):
            opened(path)
    assert not (tmp_path / "ran").exists()


def test_runs_are_found_by_folder_file_and_name(tmp_path):
    folder = tmp_path / "work" / "runs" / "tiny" / "0" / "3"
    path = write_tiny_weights(folder / "weights.safetensors")
    work = tmp_path / "work"
    for run in (str(path), str(folder), str(folder.parent), "tiny", "tiny/0", "tiny/0/3"):
        assert find_weights(run, work) == path
    assert work_folder(path) == work
    assert read_trained(path).name == "tiny/0/3"
    assert work_folder(write_tiny_weights(tmp_path / "alone.safetensors")) is None
    with pytest.raises(ManifestError, match="neither a file of weights nor a run") as raised:
        find_weights("tyni", work)
    assert "tiny" in raised.value.hint
    write_tiny_weights(folder.parent / "4" / "weights.safetensors")
    with pytest.raises(ConfigError, match="2 runs with weights, expected one"):
        find_weights("tiny", work)
