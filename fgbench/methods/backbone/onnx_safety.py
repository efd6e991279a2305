"""Reading of ONNX files from elsewhere: nothing outside their folder is read, and nothing is run.

Numbers that a file keeps in others (external data) have to lie in its own folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgbench.errors import ManifestError, MediaError, package_missing
from fgbench.files.regular_files import open_regular

MOST_BYTES = (1 << 31) - 1
"""Most bytes of a network with its numbers: what protobuf can hold."""

_HINT = "export it again, with its numbers in the file itself"


def read_model(path: Path) -> tuple[Any, str]:
    """Read an ONNX file with all its numbers.

    Args:
        path: The file.

    Returns:
        The ``ModelProto``, and the SHA-256 of its files.

    Raises:
        DependencyError: If onnx is not installed.
        ManifestError: If it is missing, damaged, no ONNX file, too large, or names files outside its folder.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise package_missing("ONNX files need", error.name, extra="backbone") from error
    data = _read(path, path)
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise _damaged(path) from error
    if not model.graph.node or not model.opset_import:
        raise _damaged(path)
    digest, total = hashlib.sha256(data), len(data)
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        place = {entry.key: entry.value for entry in tensor.external_data}
        content = _external(path, place, tensor.name)
        total += len(content)
        if total > MOST_BYTES:
            raise ManifestError(f"{path} and its files hold over {MOST_BYTES} bytes, expected fewer", _HINT)
        digest.update(hashlib.sha256(content).digest())
        tensor.raw_data = content
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT
    return model, digest.hexdigest()


def _damaged(path: Path) -> ManifestError:
    return ManifestError(
        f"{path} is damaged or no ONNX file, expected a network as torch.onnx.export writes it",
        "download or export it again",
    )


def _read(path: Path, origin: Path, begin: int = 0, length: int | None = None) -> bytes:
    """Read a regular file, or a part of it, up to the limit."""
    try:
        with open_regular(path) as file:
            file.seek(begin)
            data = file.read(MOST_BYTES + 1 if length is None else length)
    except MediaError as error:
        raise ManifestError(f"{path} is no file: {error.message}", "name the file of a network") from error
    except FileNotFoundError as error:
        whose = "" if path == origin else f" that {origin} keeps numbers in"
        raise ManifestError(f"there is no file {path}{whose}", "name another, or copy it there") from error
    except OSError as error:
        raise ManifestError(f"cannot read {path}: {error.strerror}", "name another file") from error
    if len(data) > MOST_BYTES or (length is not None and len(data) < length):
        raise ManifestError(
            f"{path} has {len(data)} bytes from {begin} on, expected "
            + (f"at most {MOST_BYTES}" if length is None else f"{length}"),
            _HINT,
        )
    return data


def _external(path: Path, place: dict[str, str], name: str) -> bytes:
    """Read numbers from a file beside the network's."""
    location = place.get("location", "")
    folder = path.parent.resolve()
    target = (folder / location).resolve() if location and "\0" not in location else folder
    if not location or Path(location).is_absolute() or not target.is_relative_to(folder) or target == folder:
        raise ManifestError(
            f"{path} keeps the numbers of {name!r} in {location!r}, expected a file in its own folder",
            _HINT,
        )
    try:
        begin = int(place.get("offset") or 0)
        length = int(place["length"]) if place.get("length") else None
    except ValueError as error:
        raise _damaged(path) from error
    if begin < 0 or (length is not None and not 0 <= length <= MOST_BYTES):
        raise _damaged(path)
    return _read(target, path, begin, length)


def _tensors(model: Any) -> Iterator[Any]:
    """Iterate over all tensors of a model, those in attributes, branches and functions too."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
            graphs.extend([attribute.g] if attribute.HasField("g") else [])
            graphs.extend(attribute.graphs)
