"""Limits for files of weights from elsewhere, checked before anything is unpacked.

PyTorch and safetensors store numbers uncompressed, so their content cannot be larger than the file; a file
that claims more is meant to fill memory.
"""

from __future__ import annotations

import mmap
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from fgbench.errors import ManifestError

MOST_BYTES: Final = 4 << 30
"""Most bytes of a file of weights, and of the numbers in it; the largest network here, C3D, has 0.3 GB."""

MOST_HEADER_BYTES: Final = 16 << 20
"""Most bytes of the header of a safetensors file; those of our networks have less than 1 MB."""

_HINT: Final = "save the network's state dict anew with torch.save, or take a file from another place"

_MAKERS: Final = (b"\nbytearray\n",)
"""Names, as in pickles, of functions that torch's reader would call with sizes from the file."""


def check_size(path: Path) -> None:
    """Refuse a file that is too large for weights.

    Raises:
        ManifestError: If it is too large.
        OSError: If its size cannot be read.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ManifestError(
            f"{path} has {size} bytes, expected at most {MOST_BYTES} of a file of weights", _HINT
        )


def check_header(path: Path) -> None:
    """Refuse a safetensors file whose header is too long, or longer than the file.

    Raises:
        ManifestError: If the header is too long.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if len(start) < 8:
        raise ManifestError(f"{path} is damaged or no file of weights: {len(start)} bytes", _HINT)
    (length,) = struct.unpack("<Q", start)
    most = min(MOST_HEADER_BYTES, path.stat().st_size - 8)
    if length > most:
        raise ManifestError(
            f"{path} is damaged or no file of weights: its header claims {length} bytes, expected at most "
            f"{most}",
            "download or train it again",
        )


def check_archive(path: Path) -> None:
    """Refuse a checkpoint of PyTorch that grows when it is unpacked; those before 1.6 are no archives.

    Raises:
        ManifestError: If a member is compressed, all together have more bytes than the file, or the pickle
            allocates memory from numbers.
        OSError: If it cannot be read.
        zipfile.BadZipFile: If it is a damaged archive.
    """
    check_size(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED:
                raise ManifestError(
                    f"{path} holds {member.filename!r} compressed ({member.compress_size} bytes for "
                    f"{member.file_size}), expected it as torch.save stores it",
                    _HINT,
                )
        total, size = sum(member.file_size for member in members), path.stat().st_size
        if total > size:
            raise ManifestError(
                f"{path} has {size} bytes and claims to hold {total}, expected no more than it has", _HINT
            )
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if any(content.find(name) >= 0 for name in _MAKERS):
            raise ManifestError(f"{path} holds more than tensors, expected tensors by name", _HINT)


def check_tensors(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse tensors that are not plain numbers, claim more numbers than the file has, or are not finite.

    Args:
        state: Tensors by name.
        path: Their file, for messages.

    Raises:
        ManifestError: If there are such tensors.
    """
    total = 0
    for name, value in state.items():
        plain = value.layout is torch.strided and value.device.type == "cpu" and not value.is_quantized
        if not plain:
            raise ManifestError(
                f"{path} holds {name} as a tensor of {value.layout} on {value.device}, expected plain "
                "numbers",
                _HINT,
            )
        n_bytes = value.numel() * value.element_size()
        total += n_bytes
        if n_bytes > value.untyped_storage().nbytes() or total > MOST_BYTES:
            raise ManifestError(
                f"{path} holds {name} of shape {tuple(value.shape)}, more numbers than are stored or than "
                f"{MOST_BYTES} bytes of weights",
                _HINT,
            )
    for name, value in state.items():
        if (value.is_floating_point() or value.is_complex()) and not bool(value.isfinite().all()):
            raise ManifestError(
                f"{path} has numbers in {name} that are not finite", "download or train it again"
            )
