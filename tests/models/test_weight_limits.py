"""Files of weights that were made to fill memory, or are damaged, are one clear error."""

import json
import pickle
import struct
import zipfile
from collections import OrderedDict

import pytest
import torch
from torch import nn

from fgbench.errors import ConfigError, ManifestError
from fgbench.models import weight_limits
from fgbench.models.weights import DIGEST_KEY, METADATA_KEY, check_fit, load_weights, save_weights
from fgbench.training.checkpoint import load_checkpoint

STATE = {"a.weight": torch.arange(12.0).view(3, 4), "a.bias": torch.ones(3)}


def rewritten(path, change=lambda name, data: data, compression=zipfile.ZIP_STORED):
    """A checkpoint whose members are changed and stored, or compressed, anew."""
    source = path.with_name("source.pth")
    torch.save(STATE, source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", compression) as new:
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))
    return path


def test_a_checkpoint_that_was_only_stored_anew_is_read(tmp_path):
    assert set(load_weights(rewritten(tmp_path / "w.pth"))[0]) == set(STATE)


@pytest.mark.slow
def test_compressed_members_are_refused(tmp_path):
    bomb = rewritten(
        tmp_path / "w.pth",
        lambda name, data: bytes(50 << 20) if name.endswith("data/0") else data,
        zipfile.ZIP_DEFLATED,
    )
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(ManifestError, match=r"w\.pth holds .* compressed \(\d+ bytes for \d+\)"):
        load_weights(bomb)
    with pytest.raises((ManifestError, ConfigError), match="compressed"):
        load_checkpoint(bomb, fingerprint="f")


def test_members_that_share_bytes_are_refused(tmp_path):
    """A central directory may name the same bytes again and again."""
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("w/data.pkl", bytes(5000))
        first = file.infolist()[0]
        for number in range(20):
            again = zipfile.ZipInfo(f"w/data/{number}")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(again, name, getattr(first, name))
            file.filelist.append(again)
            file.NameToInfo[again.filename] = again
    with pytest.raises(ManifestError, match="claims to hold 105000"):
        load_weights(path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("module", ["builtins", "__builtin__"])
def test_memory_that_a_pickle_asks_for_is_refused(tmp_path, zipped, module):
    call = f"\x80\x02c{module}\nbytearray\nJ".encode("latin-1") + struct.pack("<i", 2**31 - 1) + b"\x85R."
    path = tmp_path / "w.pth"
    if zipped:
        rewritten(path, lambda name, data: call if name.endswith("data.pkl") else data)
    else:
        path.write_bytes(call)
    with pytest.raises(ManifestError, match="more than tensors"):
        load_weights(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.ones(1).expand(1 << 20, 1 << 22), "more numbers than are stored"),
        (torch.ones(3, device="meta"), "on meta"),
        (torch.ones(3, 3).to_sparse(), "sparse"),
        (torch.tensor([1.0, float("nan")]), "numbers in a that are not finite"),
        (torch.tensor([1.0, float("-inf")]).half(), "numbers in a that are not finite"),
    ],
)
def test_tensors_that_are_no_plain_numbers_are_refused(tmp_path, value, message):
    torch.save(OrderedDict(a=value), tmp_path / "w.pth")
    with pytest.raises(ManifestError, match=message):
        load_weights(tmp_path / "w.pth")


def test_numbers_that_are_not_finite_are_refused_where_no_digest_tells_of_them(tmp_path):
    save_weights(tmp_path / "w.safetensors", {"a": torch.tensor([float("nan")])}, {})
    with pytest.raises(ManifestError, match="numbers in a that are not finite"):
        load_weights(tmp_path / "w.safetensors")


@pytest.mark.slow
def test_all_flipped_bits_of_weights_are_found(tmp_path):
    """In the numbers, in the description, in names and shapes: 400 bits spread over the file."""
    path = tmp_path / "w.safetensors"
    metadata = {"kind": "image", "classes": ["anger", "joy"], "mean": [120.5, 1.0, 2.0]}
    save_weights(path, STATE, metadata)
    whole = path.read_bytes()
    silent = []
    for number in range(400):
        position, bit = (number * 7919) % len(whole), number % 8
        damaged = bytearray(whole)
        damaged[position] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            state, reported = load_weights(path)
        except ManifestError:
            continue
        if not reported:
            continue  # the name of the description is damaged: no network is made of such weights
        # A flip in the name of the digest hides it, and changes nothing else.
        same = {name: reported[name] for name in metadata} == metadata
        same = same and all(torch.equal(state[name], STATE[name]) for name in STATE)
        if not same:
            silent.append(position)
    assert silent == []


@pytest.mark.parametrize("length", [0, 1 << 62, 100 << 20, 300])
def test_headers_that_lie_are_refused(tmp_path, length):
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}" + b" " * 200)
    with pytest.raises(ManifestError, match=r"w\.safetensors is damaged or no file of weights"):
        load_weights(path)


def test_a_header_longer_than_headers_are_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_limits, "MOST_HEADER_BYTES", 1000)
    save_weights(tmp_path / "w.safetensors", STATE, {"note": "x" * 2000})
    with pytest.raises(ManifestError, match="expected at most 1000"):
        load_weights(tmp_path / "w.safetensors")


def test_a_file_larger_than_weights_are_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_limits, "MOST_BYTES", 100)
    torch.save(STATE, tmp_path / "w.pth")
    save_weights(tmp_path / "w.safetensors", STATE, {})
    for name in ("w.pth", "w.safetensors"):
        with pytest.raises(ManifestError, match="expected at most 100 of a file of weights"):
            load_weights(tmp_path / name)


@pytest.mark.parametrize("text", ["[" * 100_000, "[1", "7", "9" * 5000])
def test_descriptions_that_are_no_objects_are_refused(tmp_path, text):
    from safetensors.torch import save_file

    save_file(STATE, tmp_path / "w.safetensors", metadata={METADATA_KEY: text})
    with pytest.raises(ManifestError, match=r"w\.safetensors is damaged"):
        load_weights(tmp_path / "w.safetensors")


def test_weights_without_digest_are_read(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    save_file(STATE, path, metadata={METADATA_KEY: json.dumps({"kind": "image"})})
    assert load_weights(path)[1] == {"kind": "image"}
    save_file(STATE, path, metadata={METADATA_KEY: json.dumps({DIGEST_KEY: "0" * 64})})
    with pytest.raises(ManifestError, match="not what its digest was made of"):
        load_weights(path)


@pytest.mark.parametrize("width", [5, 10**12, 10**30])
def test_a_network_of_sizes_that_weights_do_not_have_is_never_made(width):
    made = []

    def make():
        made.append(torch.empty(0).device.type)
        return nn.ModuleDict({"a": nn.Linear(4, width)})

    with pytest.raises(ManifestError, match=r"do not fit the network|cannot be made"):
        check_fit(make, STATE, origin="w")
    assert made == ["meta"]
    check_fit(lambda: nn.ModuleDict({"a": nn.Linear(4, 3)}), STATE, origin="w")


def test_pickles_that_break_the_reader_are_refused(tmp_path):
    for number, data in enumerate((b"", b"\x80\x02.", pickle.dumps([1] * 10), b"PK\x05\x06" + bytes(18))):
        path = tmp_path / f"{number}.pth"
        path.write_bytes(data)
        with pytest.raises(ManifestError, match=path.name):
            load_weights(path)
