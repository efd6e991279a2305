"""Folders of Hugging Face's layout: what may be in them, and how one is downloaded if the user asks for it.

Nothing in a folder is run: folders with Python code or pickled weights are refused as a whole.
"""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, FgbenchError, ManifestError, ResourceError, package_missing
from fgbench.files.hashing import digest_file
from fgbench.models.weight_limits import check_header, check_size
from fgbench.naming import first_few
from fgbench.storage import read_json

CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"

_CODE = (".py", ".pyc", ".so", ".sh")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".msgpack", ".npz", ".npy")
_MOST_FILES = 10_000
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model")
"""Files that are downloaded."""


def local_folder(named: str, *, download: bool) -> Path:
    """Return the folder of a network, downloaded if the user asks for that.

    Args:
        named: A folder, or the name of a repository of the Hub.
        download: Whether it may be downloaded.

    Raises:
        ConfigError: If it is no folder, and may not be downloaded.
        DependencyError: If it has to be downloaded, and huggingface_hub is not installed.
        ResourceError: If it cannot be downloaded.
    """
    folder = Path(named)
    if folder.is_dir():
        return folder
    if not download:
        raise ConfigError(
            f"there is no folder {named}, expected one with {CONFIG} and *.safetensors; nothing is "
            "downloaded",
            f"download it yourself (hf download {named} --local-dir FOLDER), or add --download if it is the "
            "name of a repository of the Hub",
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise package_missing("downloads need", error.name, extra="backbone") from error
    try:
        return Path(snapshot_download(named, allow_patterns=list(_WANTED)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ResourceError(
            f"cannot download {named}: {reason}",
            "check its name and the network; private ones need hf auth login",
        ) from error


def read_config(folder: Path) -> dict[str, Any]:
    """Return the config of a folder, after a check of all its files.

    Raises:
        ManifestError: If it lacks config or safetensors, they are damaged, or it holds code or pickles.
    """
    files = [path for path in islice(sorted(folder.rglob("*")), _MOST_FILES) if not _is_hidden(path, folder)]
    for suffixes, what in ((_CODE, "code"), (_PICKLES, "weights that can run code or have no checks")):
        if bad := [str(path.relative_to(folder)) for path in files if path.suffix.lower() in suffixes]:
            raise ManifestError(
                f"{folder} holds {what} ({first_few(bad)}), expected {CONFIG}, *.safetensors and tables of "
                "text alone; nothing was read",
                "make a folder of its safetensors and .json files alone, without the others",
            )
    weights = weight_files(folder)
    if not weights:
        raise ManifestError(
            f"{folder} has no *.safetensors, expected the weights of a network", "save it with safetensors"
        )
    for path in weights:
        try:
            check_size(path)
            check_header(path)
        except OSError as error:
            raise ManifestError(f"cannot read {path}: {error.strerror}", "name another folder") from error
    config = read_object(folder / CONFIG)
    if config is None:
        raise ManifestError(
            f"{folder} has no {CONFIG}, expected the folder of a network", "name another folder"
        )
    if "auto_map" in config:
        raise ManifestError(
            f"{folder / CONFIG} names code of its own (auto_map), which is never run, expected a network "
            "that transformers has",
            "name another network",
        )
    return config


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the object of a JSON file; ``None`` if there is no such file.

    Raises:
        ManifestError: If it is damaged or no object.
    """
    if not path.is_file():
        return None
    try:
        content = read_json(path)
    except (OSError, RecursionError, FgbenchError) as error:
        raise ManifestError(f"{path} is damaged or no JSON", "download the folder again") from error
    if not isinstance(content, dict):
        raise ManifestError(f"{path} is no JSON object, expected settings", "download the folder again")
    return content


def weight_files(folder: Path) -> list[Path]:
    """Return the files of weights in a folder, sorted."""
    return sorted(path for path in folder.glob("*.safetensors") if path.is_file())


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of config and weights of a folder."""
    digest = hashlib.sha256()
    for path in (folder / CONFIG, *weight_files(folder)):
        digest.update(f"{path.name} {digest_file(path)}\n".encode())
    return digest.hexdigest()


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
