"""Weights of networks in files.

Writes safetensors, whose reading runs no code, with a description of the network as JSON in its header, and a
digest of both. Reads that, and PyTorch's own checkpoints (``.pth``, ``.pt``, ``.ckpt``) as data only, within
the limits of :mod:`fgbench.models.weight_limits`.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

# Only the name of an error; torch reads checkpoints here without running code in them.
from pickle import UnpicklingError
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.text_paths import text_path
from fgbench.models.weight_limits import check_archive, check_header, check_size, check_tensors

METADATA_KEY: Final = "fgbench"
"""Entry of the safetensors header that holds the description as JSON."""

DIGEST_KEY: Final = "content_sha256"
"""Entry of the description with the digest of the tensors and of the other entries; not an entry of the
header, since safetensors writes those in any order."""

_CHECKPOINT_SUFFIXES: Final = (".pth", ".pt", ".ckpt")
_BATCH_COUNT: Final = "num_batches_tracked"
_SHOWN: Final = 3

_DAMAGE: Final = (
    UnpicklingError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
)
"""Errors of torch.load for a file that is truncated, altered, or of another kind."""


def save_weights(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write weights atomically as safetensors; equal weights and metadata give equal bytes.

    Args:
        path: File, usually ending in ``.safetensors``.
        state: Tensors by name, on any device, e.g. a module's ``state_dict()``.
        metadata: Description of the network; JSON values.

    Raises:
        ResourceError: If the disk is full or the folder cannot be written.
    """
    # Copies, since safetensors refuses tensors that share memory.
    tensors = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in state.items()
    }
    header = _json({**metadata, DIGEST_KEY: _digest(tensors, metadata)})
    storage.write_bytes(path, save(tensors, metadata={METADATA_KEY: header}))


def state_digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (hex) of the names, types, shapes and values of tensors."""
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        plain = value.detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        digest.update(plain.flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read weights without running anything that the file may hold.

    Args:
        path: ``.safetensors``, or a checkpoint of PyTorch; of the latter the entry ``state_dict`` is taken
            if there is one, and ``module.`` is removed from the names if all have it.

    Returns:
        Tensors by name on the CPU, and the metadata (empty where the file has none).

    Raises:
        ManifestError: If the file is missing, damaged (also if only its digest differs), refused because
            it would run code or fill memory, or holds anything but finite tensors by name.
    """
    if not path.is_file():
        raise ManifestError(
            f"there are no weights at {path}", "train the network first, or name the file that was downloaded"
        )
    if path.suffix == ".safetensors":
        state, metadata = _read_safetensors(path)
        check_tensors(state, path)
        return state, metadata
    if path.suffix in _CHECKPOINT_SUFFIXES:
        state = _state_of(_read_checkpoint(path), path)
        check_tensors(state, path)
        return state, {}
    suffixes = ", ".join((".safetensors", *_CHECKPOINT_SUFFIXES))
    raise ManifestError(
        f"{path} is no file of weights: its name ends in none of {suffixes}", "name another file"
    )


def load_into(
    module: nn.Module, state: Mapping[str, Tensor], *, origin: str, strict: bool = True
) -> tuple[str, ...]:
    """Copy weights into a module; if they do not fit, nothing changes.

    Args:
        module: Network or part of one.
        state: Tensors by name. Counts of batches (``num_batches_tracked``), which old checkpoints lack, may
            be absent.
        origin: Origin of the weights, for messages.
        strict: Whether the names have to equal the module's. Otherwise others are left out, and missing ones
            keep their values; shapes have to fit in any case.

    Returns:
        Names that kept their values, except counts of batches; always empty if strict.

    Raises:
        ManifestError: If names or shapes do not fit, or no name is the module's.
    """
    missing = _missing(module, state, origin=origin, strict=strict)
    wanted = module.state_dict()
    shared = {name: value for name, value in state.items() if name in wanted}
    module.load_state_dict(shared, strict=False)
    return missing


def check_fit(make: Callable[[], nn.Module], state: Mapping[str, Tensor], *, origin: str) -> None:
    """Refuse weights that do not fit a network, without allocating the network.

    To be called before a network is built with sizes from a file.

    Args:
        make: Builds the network; it is built without values.
        state: Tensors by name.
        origin: Origin of the weights, for messages.

    Raises:
        ManifestError: If names or shapes do not fit, or no network has such sizes.
    """
    try:
        with torch.device("meta"):
            module = make()
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise ManifestError(
            f"the weights of {origin} tell of a network that cannot be made: {_reason(error)}",
            "take weights that fgbench wrote, or train the network anew",
        ) from error
    _missing(module, state, origin=origin, strict=True)


def _missing(module: nn.Module, state: Mapping[str, Tensor], *, origin: str, strict: bool) -> tuple[str, ...]:
    """Return the names of a module that weights lack, see :func:`load_into`; raise if they do not fit."""
    wanted = module.state_dict()
    missing = [name for name in wanted if name not in state and name.rpartition(".")[2] != _BATCH_COUNT]
    unexpected = [name for name in state if name not in wanted]
    shared = {name: value for name, value in state.items() if name in wanted}
    misfits = [
        f"{name} {tuple(value.shape)} instead of {tuple(wanted[name].shape)}"
        for name, value in shared.items()
        if value.shape != wanted[name].shape
    ]
    faults = [("other shapes", misfits)]
    if strict or not shared:
        faults = [("missing", missing), ("not in the network", unexpected), *faults]
    messages = [f"{len(names)} {what}: {_first(names)}" for what, names in faults if names]
    if messages:
        raise ManifestError(
            f"the weights of {origin} do not fit the network ({'; '.join(messages)})",
            "take weights of the same architecture and of the recipe's sizes",
        )
    return tuple(missing)


def without(state: Mapping[str, Tensor], prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    """Return tensors except those whose names begin with a prefix, e.g. a checkpoint's classifiers."""
    return {name: value for name, value in state.items() if not name.startswith(prefixes)}


def check_classes(metadata: Mapping[str, Any], classes: Sequence[str], *, origin: str) -> None:
    """Refuse weights that were trained for other classes, or for the same in another order.

    Args:
        metadata: Metadata of the weights, with the list ``classes``.
        classes: Expected names, in order of the outputs.
        origin: Origin of the weights, for messages.

    Raises:
        ManifestError: If the classes differ or are not stated.
    """
    hint = "take weights that were trained for these classes, or train the network anew"
    stated = metadata.get("classes")
    if not isinstance(stated, list):
        raise ManifestError(f"the weights of {origin} do not state their classes", hint)
    if stated == list(classes):
        return
    if len(stated) != len(classes):
        raise ManifestError(
            f"the weights of {origin} have {len(stated)} classes, expected {len(classes)}", hint
        )
    index = next(i for i, (one, other) in enumerate(zip(stated, classes, strict=True)) if one != other)
    raise ManifestError(
        f"the weights of {origin} have other classes: number {index} is {stated[index]!r}, "
        f"expected {classes[index]!r}",
        hint,
    )


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        check_size(path)
        check_header(path)
        with text_path(path) as named, safe_open(named, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
            metadata = json.loads((file.metadata() or {}).get(METADATA_KEY, "{}"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if not isinstance(metadata, dict):
        raise _damaged(path, ValueError(f"metadata is a {type(metadata).__name__}, expected an object"))
    digest = metadata.pop(DIGEST_KEY, None)
    if digest is not None and digest != _digest(tensors, metadata):
        raise _damaged(path, ValueError("what it holds is not what its digest was made of"))
    return tensors, metadata


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> str:
    text = f"{state_digest(tensors)}\n{_json(metadata)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _json(metadata: Mapping[str, Any]) -> str:
    return json.dumps(dict(metadata), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _read_checkpoint(path: Path) -> object:
    try:
        check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ManifestError(
            f"{path} is damaged, or would run code when read and was refused: {_reason(error)}",
            "download it again; if it holds more than tensors, save its state dict alone",
        ) from error
    except (*_DAMAGE, OSError) as error:
        raise _damaged(path, error) from error


def _state_of(content: object, path: Path) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise ManifestError(f"{path} holds a {type(content).__name__}, expected tensors by name", _STATE_HINT)
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ManifestError(
                f"{path} holds a {type(value).__name__} under {name!r}, expected tensors by name", _STATE_HINT
            )
    prefix = "module." if all(name.startswith("module.") for name in content) else ""
    return {name.removeprefix(prefix): value for name, value in content.items()}


_STATE_HINT: Final = "save the network's state dict, or a dict that has it under the key state_dict"


def _damaged(path: Path, error: Exception) -> ManifestError:
    return ManifestError(
        f"{path} is damaged or no file of weights: {_reason(error)}", "download or train it again"
    )


def _reason(error: Exception) -> str:
    """Return the first sentence of an error; torch's continue with advice to read the file unsafely."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0][:200]


def _first(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")
