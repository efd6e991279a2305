"""``backbone`` under protocols of folds, on pictures of users, and with other files of other versions."""

import numpy as np
import onnx
import pytest
import torch

from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.pictures import predict_file
from fgbench.methods.backbone import method
from fgbench.methods.protocol.kinds import open_trained
from fgbench.runs.digests import kept_files
from fgbench.runs.division import Division
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import recipe, small_context
from tests.support.tiny_backbones import TinyCnn, linear_graph, stated, write_onnx
from tests.support.tiny_work import small_work

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow
INPUT = {"scale": 1 / 255, "mean": [0.5], "std": [0.5], "colours": "rgb"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("made"), rest=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_onnx(tmp_path_factory.mktemp("networks") / "tiny.onnx", TinyCnn(), metadata=stated())


def test_damaged_features_are_computed_again(made, network, tmp_path):
    context, notes = small_context(tmp_path, made)
    first = method.run(recipe(), context, onnx=network)
    before = read_predictions(first).probabilities
    (path,) = [path for path, _ in kept_files(context.workdir) if path.suffix == ".f32"]
    data = bytearray(path.read_bytes())
    data[10] ^= 64
    path.write_bytes(data)
    second = method.run(recipe(name="again"), context, onnx=network)
    assert any("is damaged" in note and "made again" in note for note in notes)
    np.testing.assert_array_equal(read_predictions(second).probabilities, before)


def test_folds_choose_by_persons(made, network, tmp_path):
    """Under folds by person the choice is an inner cross-validation, and all but the tested are fitted to."""
    context, _ = small_context(tmp_path, made)
    from fgbench.runs.samples import clip_samples

    people = {clip.clip_id: clip.subject_id for clip in clip_samples(context.manifests)}
    fold_of = {clip: str(1 + int(person[1:]) % 4) for clip, person in people.items()}
    division = Division(name="4-fold", n_folds=4, group_by="subject_id", fold_of=fold_of)
    object.__setattr__(context, "division", division)
    folded = context.with_fold("1")
    details = read_result(method.run(recipe(), folded, onnx=network))["details"]
    assert details["selection"] == "inner-cv"
    assert details["n_fitted"] == details["n_train"] + details["n_selection"] == 18


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("layout", [("n", 3, 32, 32), ("n", 32, 32, 3)])
def test_files_of_earlier_operators_are_exported(made, tmp_path, opset, layout):
    context, _ = small_context(tmp_path, made)
    path = tmp_path / "old.onnx"
    linear_graph(path, shape=layout)
    model = onnx.load(path)
    model.opset_import[0].version, model.ir_version = opset, 6
    path.write_bytes(model.SerializeToString())
    folder = method.run(recipe(input=INPUT), context, onnx=path)
    trained = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert export_onnx(trained, tmp_path / "out.onnx").probabilities < 1e-4


def test_a_picture_is_predicted(made, network, tmp_path):
    """A photograph with a face is found, aligned and told by the head."""
    import skimage.data

    from fgbench.config import FacesConfig
    from fgbench.media.images import encode

    context, _ = small_context(tmp_path, made)
    folder = method.run(recipe(), context, onnx=network)
    trained = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    (tmp_path / "photo.png").write_bytes(encode(skimage.data.astronaut(), "png", 0))
    prediction = predict_file(tmp_path / "photo.png", trained, FacesConfig())
    assert prediction.status == "ok"
    assert trained.classes == ("anger", "panic", "relief")
