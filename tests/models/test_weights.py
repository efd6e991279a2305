"""Weights in files: what is written is read, and every bad file gives one clear error and runs nothing."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from fgbench.errors import ManifestError
from fgbench.models.iresnet import IResNet
from fgbench.models.weights import check_classes, load_into, load_weights, save_weights


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


METADATA = {"kind": "image", "classes": ["anger", "größe"], "mean": [0.5, 0.25, 0.125]}


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "new" / "weights.safetensors"
    state = net().to(memory_format=torch.channels_last).state_dict()
    save_weights(path, state, METADATA)
    loaded, metadata = load_weights(path)
    assert metadata == METADATA
    assert list(loaded) == sorted(state)
    assert all(torch.equal(loaded[name], value) for name, value in state.items())
    assert all(loaded[name].dtype == value.dtype for name, value in state.items())
    assert [file.name for file in path.parent.iterdir()] == ["weights.safetensors"]


def test_equal_weights_give_equal_bytes(tmp_path):
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    state = net().state_dict()
    save_weights(paths[0], state, METADATA)
    save_weights(paths[1], dict(reversed(state.items())), dict(reversed(METADATA.items())))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_tied_weights_are_saved(tmp_path):
    tied = torch.ones(3)
    save_weights(tmp_path / "w.safetensors", {"a": tied, "b": tied}, {})
    assert load_weights(tmp_path / "w.safetensors")[0]["b"].tolist() == [1, 1, 1]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_weights(path, {"a": torch.zeros(2)}, {})
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            save_weights(path, {"a": torch.ones(2)}, {})
    assert load_weights(path)[0]["a"].tolist() == [0, 0]


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("zipped", [False, True])
def test_checkpoints_of_pytorch_are_unwrapped(tmp_path, suffix, wrapped, prefix, zipped):
    path = tmp_path / f"w{suffix}"
    state = net().state_dict()
    content = {prefix + name: value for name, value in state.items()}
    if wrapped:
        content = {"state_dict": content, "epoch": 3, "optimiser": {"lr": 0.1}}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    loaded, metadata = load_weights(path)
    assert metadata == {}
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_a_prefix_that_not_all_have_stays(tmp_path):
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "w.pth")
    assert set(load_weights(tmp_path / "w.pth")[0]) == {"module.a", "b"}


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_truncated_files_are_named(tmp_path, share, kind):
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_weights(path, net().state_dict(), METADATA)
    else:
        torch.save(net().state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ManifestError, match=rf"{path.name} is damaged"):
        load_weights(path)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize(
    "content", [b"<html>404</html>" * 20, b"\x80\x02.", b"\xff" * 64, b"PK\x03\x04" + b"a" * 99]
)
def test_files_of_another_kind_are_named(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=rf"{name} is damaged") as caught:
        load_weights(path)
    assert "weights_only" not in str(caught.value)


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("writing", ["zip", "legacy", "pickle"])
def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, writing):
    path, made = tmp_path / "evil.pth", tmp_path / "executed"
    content = {"state_dict": {"a": torch.ones(1)}, "extra": Payload(made)}
    if writing == "pickle":
        path.write_bytes(pickle.dumps(Payload(made), protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=writing == "zip")
    with pytest.raises(ManifestError, match="would run code when read and was refused") as caught:
        load_weights(path)
    assert not made.exists()
    assert "weights_only" not in str(caught.value)
    torch.load(path, weights_only=False) if writing != "pickle" else pickle.loads(path.read_bytes())  # noqa: S301
    assert made.exists(), "the payload of this test is harmless, so it proves nothing"


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(ManifestError, match=f"there are no weights at {path}"):
            load_weights(path)


def test_an_unknown_suffix_is_named(tmp_path):
    (tmp_path / "w.onnx").write_bytes(b"1")
    with pytest.raises(ManifestError, match=r"none of \.safetensors, \.pth, \.pt, \.ckpt"):
        load_weights(tmp_path / "w.onnx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list, expected tensors by name"),
        ({}, "holds a dict, expected tensors by name"),
        ({"a": torch.ones(1), "epoch": 3}, "holds a int under 'epoch', expected tensors by name"),
        ({3: torch.ones(1)}, "holds a Tensor under 3, expected tensors by name"),
        (torch.ones(2), "holds a Tensor, expected tensors by name"),
    ],
)
def test_checkpoints_of_other_things_are_named(tmp_path, content, message):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ManifestError, match=message) as caught:
        load_weights(tmp_path / "w.pth")
    assert "state_dict" in caught.value.hint


@pytest.mark.parametrize("metadata", ["not JSON", "[1]"])
def test_damaged_metadata_are_named(tmp_path, metadata):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(1)}, tmp_path / "w.safetensors", metadata={"fgbench": metadata})
    with pytest.raises(ManifestError, match="is damaged"):
        load_weights(tmp_path / "w.safetensors")


def test_safetensors_of_others_have_no_metadata(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(1)}, tmp_path / "w.safetensors")
    assert load_weights(tmp_path / "w.safetensors")[1] == {}


def test_weights_are_copied_into_a_module():
    source, target = net(), net()
    with torch.no_grad():
        for value in source.state_dict().values():
            value.add_(1)
    assert load_into(target, source.state_dict(), origin="a run") == ()
    assert all(torch.equal(v, source.state_dict()[name]) for name, v in target.state_dict().items())


def test_old_checkpoints_without_counts_of_batches_load():
    target = IResNet((1, 1, 1, 1))
    state = {
        name: v + 1 for name, v in target.state_dict().items() if not name.endswith("num_batches_tracked")
    }
    assert load_into(target, state, origin="InsightFace") == ()
    assert torch.equal(target.fc.weight, state["fc.weight"])


def test_what_does_not_fit_is_named_and_nothing_changes():
    target = net()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    state = {name: value + 1 for name, value in before.items()}
    state["2.weight"] = torch.ones(2, 5)
    for name in ("0.weight", "0.bias", "1.weight", "1.bias"):
        state[f"old.{name}"] = state.pop(name)
    with pytest.raises(ManifestError) as caught:
        load_into(target, state, origin="weights.pth")
    assert caught.value.message == (
        "the weights of weights.pth do not fit the network (4 missing: 0.weight, 0.bias, 1.weight, ...; "
        "4 not in the network: old.0.weight, old.0.bias, old.1.weight, ...; "
        "1 other shapes: 2.weight (2, 5) instead of (2, 4))"
    )
    with pytest.raises(ManifestError, match=r"1 other shapes"):
        load_into(target, state, origin="weights.pth", strict=False)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


def test_parts_load_if_not_strict_and_tell_what_was_kept():
    target = net()
    state = {"0.weight": torch.ones(4, 3, 3, 3), "head.weight": torch.ones(1)}
    kept = load_into(target, state, origin="a backbone", strict=False)
    assert (target[0].weight == 1).all()
    assert set(kept) == {
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "2.weight",
        "2.bias",
    }
    with pytest.raises(ManifestError, match=r"1 not in the network: head\.weight"):
        load_into(target, {"head.weight": torch.ones(1)}, origin="a head", strict=False)


def test_classes_have_to_be_the_same():
    check_classes({"classes": ["a", "b"]}, ("a", "b"), origin="w")
    for stated, message in (
        ({}, "do not state their classes"),
        ({"classes": ["a"]}, "have 1 classes, expected 2"),
        ({"classes": ["b", "a"]}, "number 0 is 'b', expected 'a'"),
        ({"classes": ["a", "c"]}, "number 1 is 'c', expected 'b'"),
    ):
        with pytest.raises(ManifestError, match=message) as caught:
            check_classes(json.loads(json.dumps(stated)), ("a", "b"), origin="w")
        assert "train the network anew" in caught.value.hint
