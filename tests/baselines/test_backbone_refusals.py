"""Networks that ``backbone`` refuses: one clear error each, nothing run, nothing written."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from fgbench.errors import ConfigError, FgbenchError, ManifestError
from fgbench.methods.backbone import method
from fgbench.methods.backbone.asked import read_names
from fgbench.methods.backbone.hf_folder import open_hf
from fgbench.methods.backbone.hf_safety import local_folder
from fgbench.methods.backbone.onnx_file import open_onnx
from fgbench.methods.backbone.self_check import check_input, check_range
from fgbench.methods.backbone.taken import Taken, taken_of
from tests.support.backbone_work import recipe, small_context
from tests.support.tiny_backbones import linear_graph, write_text_onnx, write_vit

CPU = torch.device("cpu")
SOUND = {"scale": 1 / 255, "mean": (0.5,), "std": (0.5,), "colours": "rgb"}


def onnx_file(path):
    return open_onnx(path, CPU, output="auto")


def taken(**changes):
    plain = {
        "crop": "stored",
        "size_px": 32,
        "interpolation": "bilinear",
        "colours": "rgb",
        "scale": 1 / 255,
        "mean": (0.5,) * 3,
        "std": (0.5,) * 3,
    }
    return Taken(**plain | changes)


class Evil:
    def __reduce__(self):
        return pytest.fail, ("code was run",)


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", b"\0" * 50_000_000)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"not a network", pickle.dumps(Evil()), b"\x08\x07" * 5000]
)
def test_files_of_something_else(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(ManifestError, match="damaged or no ONNX file"):
        onnx_file(tmp_path / "x.onnx")


def test_an_archive_that_grows(tmp_path):
    bomb(tmp_path / "x.onnx")
    with pytest.raises(ManifestError, match="damaged or no ONNX file"):
        onnx_file(tmp_path / "x.onnx")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(ManifestError, match="there is no file"):
        onnx_file(tmp_path / "x.onnx")
    with pytest.raises(ManifestError, match="is no file"):
        onnx_file(tmp_path)


@pytest.mark.parametrize("place", ["/etc/passwd", "../secret.bin", "a/../../secret.bin", ".", "", "link.bin"])
def test_numbers_outside_the_folder_are_not_read(tmp_path, place):
    folder = tmp_path / "network"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4 * 3 * 32 * 32 * 96)
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    linear_graph(folder / "x.onnx", external=place)
    with pytest.raises(ManifestError, match="expected a file in its own folder"):
        onnx_file(folder / "x.onnx")


def test_numbers_beside_the_file_are_read_and_belong_to_its_digest(tmp_path):
    matrix = linear_graph(tmp_path / "x.onnx", external="x.bin")
    (tmp_path / "x.bin").write_bytes(matrix.tobytes())
    frozen = onnx_file(tmp_path / "x.onnx")
    pictures = torch.rand(4, 3, 32, 32)
    expected = pictures.flatten(1).numpy() @ matrix
    np.testing.assert_allclose(frozen.runs.features(pictures).numpy(), expected, rtol=1e-4, atol=1e-4)
    (tmp_path / "x.bin").write_bytes((matrix + 1).tobytes())
    assert onnx_file(tmp_path / "x.onnx").digest != frozen.digest
    (tmp_path / "x.bin").unlink()
    with pytest.raises(ManifestError, match="keeps numbers in"):
        onnx_file(tmp_path / "x.onnx")


def test_networks_of_something_else_than_colour_pictures(tmp_path):
    write_text_onnx(tmp_path / "text.onnx")
    with pytest.raises(ConfigError, match="text takes no pictures"):
        onnx_file(tmp_path / "text.onnx")
    linear_graph(tmp_path / "grey.onnx", shape=("n", 1, 32, 32))
    with pytest.raises(ConfigError, match="of 1 channel "):
        onnx_file(tmp_path / "grey.onnx")
    linear_graph(tmp_path / "oblong.onnx", shape=("n", 3, 32, 48))
    with pytest.raises(ConfigError, match="48 x 32 px, expected squares"):
        onnx_file(tmp_path / "oblong.onnx")
    two = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, 32, 32]) for name in ("a", "b")]
    linear_graph(tmp_path / "two.onnx", inputs=two)
    with pytest.raises(ConfigError, match="has 2 inputs"):
        onnx_file(tmp_path / "two.onnx")


def test_another_size_than_the_graph_takes(tmp_path):
    linear_graph(tmp_path / "x.onnx")
    frozen = onnx_file(tmp_path / "x.onnx")
    config = recipe(input={"size_px": 112, **SOUND}).input
    with pytest.raises(ConfigError, match="takes pictures of 32 x 32 px alone"):
        taken_of(config, frozen.stated, name="x")
    assert taken_of(recipe(input=SOUND).input, frozen.stated, name="x").size_px == 32


def test_channels_after_the_rows_are_given_so(tmp_path):
    matrix = linear_graph(tmp_path / "x.onnx", shape=("n", 32, 32, 3))
    pictures = torch.rand(3, 3, 32, 32)
    expected = pictures.permute(0, 2, 3, 1).flatten(1).numpy() @ matrix
    found = onnx_file(tmp_path / "x.onnx").runs.features(pictures).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_a_fixed_number_of_pictures_is_kept_to(tmp_path):
    matrix = linear_graph(tmp_path / "x.onnx", shape=(2, 3, 32, 32))
    pictures = torch.rand(5, 3, 32, 32)
    found = onnx_file(tmp_path / "x.onnx").runs.features(pictures).numpy()
    np.testing.assert_allclose(found, pictures.flatten(1).numpy() @ matrix, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": 1.0},  # mean and std in parts of 1, levels not
        {"mean": (127.5,) * 3, "std": (127.5,) * 3},  # the reverse
        {"std": (1e-3,) * 3},
        {"mean": (-0.5,) * 3},
        {"mean": (1.5,) * 3},
    ],
)
def test_absurd_numbers_are_refused(changes):
    with pytest.raises(ConfigError, match="would be given numbers from"):
        check_range(taken(**changes), name="x")


@pytest.mark.parametrize(
    ("scale", "mean", "std"),
    [
        (1 / 255, 0.0, 1.0),
        (1.0, 127.5, 127.5),
        (1.0, 127.5, 128.0),
        (1.0, 0.0, 1.0),
        (1.0, 120.0, 1.0),
        (1 / 255, 0.485, 0.229),
    ],
)
def test_published_normalisations_pass(scale, mean, std):
    check_range(taken(scale=scale, mean=(mean,) * 3, std=(std,) * 3), name="x")


@pytest.mark.parametrize(("fill", "match"), [(np.nan, "not finite"), (0.0, "the same features for 4")])
def test_features_that_cannot_be_right(tmp_path, fill, match):
    linear_graph(tmp_path / "x.onnx", weights=np.full((3 * 32 * 32, 80), fill, np.float32))
    crops = torch.randint(0, 256, (4, 3, 224, 224), dtype=torch.uint8)
    with pytest.raises(FgbenchError, match=match):
        check_input(onnx_file(tmp_path / "x.onnx"), taken(), crops)


@pytest.mark.parametrize(
    "name", ["modeling.py", "pytorch_model.bin", "sub/weights.pkl", "model.ckpt", "flax_model.msgpack"]
)
def test_folders_with_code_or_pickles(tmp_path, name):
    write_vit(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ManifestError, match="nothing was read"):
        open_hf(tmp_path, CPU, pooling="auto")


def test_folders_that_are_damaged_or_of_something_else(tmp_path):
    from transformers import BertConfig, BertModel

    text = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(text).save_pretrained(tmp_path / "text")
    with pytest.raises(ConfigError, match="takes no pictures"):
        open_hf(tmp_path / "text", CPU, pooling="auto")
    write_vit(tmp_path / "vit")
    config = json.loads((tmp_path / "vit" / "config.json").read_text())
    weights = (tmp_path / "vit" / "model.safetensors").read_bytes()
    for changes, kind, match in (
        ({"auto_map": {"AutoModel": "modeling.Evil"}}, ManifestError, "names code of its own"),
        ({"model_type": "no-such"}, FgbenchError, "cannot open"),
        ({"num_hidden_layers": 2}, ManifestError, "they lack"),
        ({"hidden_size": 64}, ManifestError, "do not fit"),
        ({"num_channels": 1}, ConfigError, "of 1 channels"),
    ):
        (tmp_path / "vit" / "config.json").write_text(json.dumps(config | changes))
        with pytest.raises(kind, match=match):
            open_hf(tmp_path / "vit", CPU, pooling="auto")
    (tmp_path / "vit" / "config.json").write_text(json.dumps(config))
    for content in (weights[:1000], b"\xff" * 100, b""):
        (tmp_path / "vit" / "model.safetensors").write_bytes(content)
        with pytest.raises(ManifestError, match="damaged"):
            open_hf(tmp_path / "vit", CPU, pooling="auto")
    (tmp_path / "vit" / "model.safetensors").unlink()
    with pytest.raises(ManifestError, match=r"has no \*.safetensors"):
        open_hf(tmp_path / "vit", CPU, pooling="auto")


def test_nothing_is_downloaded_unless_asked_for():
    with pytest.raises(ConfigError, match="nothing is downloaded"):
        local_folder("google/vit-base-patch16-224", download=False)


def test_options_that_do_not_go_together(tmp_path):
    for options, match in (
        ({"onnx": None, "hf": None}, "0 networks are named, expected one"),
        ({"onnx": tmp_path, "hf": "x"}, "2 networks are named, expected one"),
        ({"onnx": tmp_path, "hf": None, "download": True}, "no repository"),
        ({"onnx": tmp_path, "hf": None, "map": ["a=b"]}, "map without zero_shot"),
    ):
        with pytest.raises(ConfigError, match=match):
            method.check_options(**options)
    (tmp_path / "one.txt").write_text("\nhappy\n")
    with pytest.raises(ConfigError, match="names 1 classes"):
        read_names(tmp_path / "one.txt")
    (tmp_path / "two.json").write_text('["a", "b"]')
    assert read_names(tmp_path / "two.json") == ["a", "b"]


def test_nothing_is_left_after_a_refusal(tmp_path):
    context, _ = small_context(tmp_path)
    linear_graph(tmp_path / "x.onnx", weights=np.zeros((3 * 32 * 32, 80), np.float32))
    with pytest.raises(ConfigError, match="the same features"):
        method.run(recipe(input=SOUND), context, onnx=tmp_path / "x.onnx")
    left = [path for path in (context.workdir / "runs").rglob("*") if path.is_file()]
    assert [path for path in left if not path.name.endswith(".lock")] == []
    assert not (context.workdir / "cache").exists()
