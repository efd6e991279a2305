"""Checkpoints: whole or not at all, refused when damaged or foreign, never executed."""

import io
import pickle
import zipfile
from dataclasses import replace

import pytest
import torch

from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fgbench.training.history import Epoch, Standing

EPOCH = Epoch(
    epoch=0,
    losses={"loss": 0.5},
    score={"score": 0.25, "f1": None},
    learning_rate=0.1,
    seconds=2.0,
    images_per_s=9.0,
)


def some_checkpoint():
    parameter = torch.nn.Parameter(torch.arange(3000.0))
    optimiser = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    parameter.grad = torch.ones(3000)
    optimiser.step()
    return Checkpoint(
        fingerprint="abc",
        standing=Standing(epoch=1, step=2, steps_done=7, sums={"loss": 1 / 3}, rows=8, epochs=[EPOCH]),
        model={"weight": parameter.detach().clone()},
        optimisers={"0": optimiser.state_dict()},
        best={"weight": torch.ones(3)},
    )


def same(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    return first == second


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run" / "checkpoint.pt"
    save_checkpoint(path, some_checkpoint())
    return path


def test_a_checkpoint_comes_back_as_it_was(path):
    checkpoint, expected = load_checkpoint(path, fingerprint="abc"), some_checkpoint()
    assert checkpoint.standing == expected.standing
    assert same(checkpoint.model, expected.model)
    assert same(checkpoint.best, expected.best)
    assert same(checkpoint.optimisers, expected.optimisers)
    assert [item.name for item in path.parent.iterdir()] == ["checkpoint.pt"]


def test_that_of_another_fingerprint_is_refused(path):
    with pytest.raises(ConfigError, match="another recipe") as caught:
        load_checkpoint(path, fingerprint="abd")
    assert "--force" in caught.value.hint


@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_one_is_refused(path, part):
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ManifestError, match=r"checkpoint\.pt is damaged") as caught:
        load_checkpoint(path, fingerprint="abc")
    assert "delete it" in caught.value.hint
    assert "--force" in caught.value.hint


def test_a_flipped_bit_in_a_weight_is_seen(path):
    data = bytearray(path.read_bytes())
    index = data.index(some_checkpoint().model["weight"].numpy().tobytes())
    data[index] ^= 1
    path.write_bytes(data)
    with pytest.raises(ManifestError, match="checksum"):
        load_checkpoint(path, fingerprint="abc")


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_malicious_pickle_is_not_executed(tmp_path):
    mark, bare, packed = tmp_path / "mark", tmp_path / "bare.pt", tmp_path / "packed.pt"
    bare.write_bytes(pickle.dumps({"fingerprint": "abc", "model": Trap(mark)}))
    torch.save({"fingerprint": "abc", "model": Trap(mark)}, packed)
    for path in (bare, packed):
        with pytest.raises(ManifestError, match="damaged"):
            load_checkpoint(path, fingerprint="abc")
    assert not mark.exists()
    with zipfile.ZipFile(packed) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        pickle.loads(archive.read(name))["model"].close()  # noqa: S301 - the trap does work
    assert mark.exists()


@pytest.mark.parametrize("content", [{}, [1], {"fingerprint": "abc"}, {"state_dict": {}}])
def test_another_file_of_torch_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(ManifestError, match="not a checkpoint of fgbench"):
        load_checkpoint(tmp_path / "other.pt", fingerprint="abc")


def test_an_unknown_standing_is_refused(path):
    content = torch.load(path, weights_only=True)
    content["standing"]["moon"] = 1
    torch.save(content, path)
    with pytest.raises(ManifestError, match="moon"):
        load_checkpoint(path, fingerprint="abc")


def test_a_full_disk_leaves_the_one_before(path, monkeypatch):
    before, save = path.read_bytes(), torch.save
    with monkeypatch.context() as full:
        full.setattr("torch.save", lambda content, _: save(content, io.FileIO("/dev/full", "wb")))
        with pytest.raises(ResourceError, match="No space left"):
            save_checkpoint(path, replace(some_checkpoint(), fingerprint="new"))
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == ["checkpoint.pt"]


def test_what_cannot_be_saved_leaves_the_one_before(path):
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        save_checkpoint(path, replace(some_checkpoint(), best={"weight": lambda: None}))
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == ["checkpoint.pt"]
