"""Contents of a repository, and their files: a publication, the manifests of a work folder, a network.

A publication has no pictures; manifests have aligned faces. A network is a run with weights, or weights that
``fgbench export`` has written, with an index of its own, :data:`NETWORK`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fgbench import storage
from fgbench.callbacks import Note
from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.preparation.stages.publish import verify
from fgbench.publication import layout
from fgbench.publication.hub.model_card import hub_card
from fgbench.publication.scrubbing import Scrubber
from fgbench.runs.results import RESULT
from fgbench.runs.unit_results import RESULT as UNIT_RESULT
from fgbench.workfolders.layout import INDEX, MANIFESTS, RUNS, WEIGHTS
from fgbench.workfolders.manifest_index import is_published, read_index
from fgbench.workfolders.sealed_json import SEAL

Kind = Literal["publication", "manifests", "network"]
RepoType = Literal["dataset", "model"]

NETWORK = "network.json"
"""Index of a network: digests of its files; sealed."""
NETWORK_KIND = "network of fgbench"
ONNX = "model.onnx"
CARD = "README.md"

INDEXES: Mapping[Kind, str] = {"publication": layout.INDEX, "manifests": INDEX, "network": NETWORK}
"""Name of the index of each kind in a repository."""

REPO_TYPES: Mapping[Kind, RepoType] = {"publication": "dataset", "manifests": "dataset", "network": "model"}
"""Type of repository of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Files of a repository.

    Attributes:
        kind: What they are.
        name: Name of the data set or of the network.
        synthetic: Whether the data, or those that the network was trained on, are drawn.
        has_pixels: Whether there are pictures among them.
        files: Name in the repository to a file, or to its bytes.
    """

    kind: Kind
    name: str
    synthetic: bool
    has_pixels: bool
    files: Mapping[str, Path | bytes]


def contents_of(path: Path, note: Note) -> Contents:
    """Return what is sent of a path; all of it is checked against its index.

    Args:
        path: A publication, a work folder, a folder of a run with weights, or exported weights.
        note: Takes a sentence where manifests name folders of this machine.

    Raises:
        ConfigError: If it is none of these.
        ManifestError: If it is damaged.
        ResourceError: If it may not be read.
    """
    readers: list[tuple[bool, Callable[[], Contents]]] = [
        (layout.is_publication(path), lambda: _publication(path)),
        (is_published(path), lambda: _manifests(path, note)),
        ((path / WEIGHTS).is_file(), lambda: _run(path)),
        (path.is_file() and path.suffix == ".safetensors", lambda: _exported(path)),
    ]
    for is_it, read in readers:
        if is_it:
            return read()
    raise ConfigError(
        f"{path} {'is nothing that can be pushed' if path.exists() else 'is not there'}: expected a folder "
        f"that fgbench publish has written, a work folder, the folder of a run with {WEIGHTS}, or weights "
        "that fgbench export has written",
        "fgbench publish WORKDIR OUT --without-pixels makes the first of these",
    )


def _publication(path: Path) -> Contents:
    index = layout.read_published(path)
    return Contents(
        kind="publication",
        name=index.dataset,
        synthetic=index.synthetic,
        has_pixels=False,
        files={name: path / name for name in sorted({*index.files, layout.INDEX})},
    )


def _manifests(path: Path, note: Note) -> Contents:
    index = read_index(path)
    faults = verify(path)
    if faults:
        raise ManifestError(f"{path / MANIFESTS} is damaged: {faults[0]}", storage.AGAIN)
    folder = path / MANIFESTS
    texts = [folder / name for name in (INDEX, "rejects.csv") if (folder / name).is_file()]
    scrub = Scrubber({})
    if any(scrub.text(text := one.read_text(encoding="utf-8")) != text for one in texts):
        note(f"the index or the rejects of {path} name folders of this machine, which are sent as they are")
    return Contents(
        kind="manifests",
        name=str(index["dataset"]),
        synthetic=bool(index["synthetic"]),
        has_pixels=True,
        files={name: folder / name for name in sorted({*index["files"], INDEX})},
    )


def _run(path: Path) -> Contents:
    result = next((path / name for name in (RESULT, UNIT_RESULT) if (path / name).is_file()), None)
    if result is None or not (path / CARD).is_file():
        raise ManifestError(
            f"{path} is no finished run: it has no result or no model card", "run its command again"
        )
    content = storage.read_json(result)
    if not isinstance(content, dict) or not isinstance(content.get("details"), dict):
        raise ManifestError(f"{result} is damaged", "run its command again")
    parts = path.resolve().parts
    name = parts[-3] if parts[-4:-3] == (RUNS,) else path.name
    card = hub_card(name, (path / CARD).read_text(encoding="utf-8"), content)
    return _network(name, bool(content["details"].get("synthetic")), {WEIGHTS: path / WEIGHTS}, card)


def _exported(path: Path) -> Contents:
    card = path.with_suffix(".md")
    if not card.is_file():
        raise ManifestError(
            f"{path} has no model card beside it ({card.name})", "push the folder of the run itself"
        )
    text = card.read_text(encoding="utf-8")
    onnx = path.with_suffix(".onnx")
    files = {WEIGHTS: path, **({ONNX: onnx} if onnx.is_file() else {})}
    return _network(path.stem, "SYNTHETIC" in text, files, hub_card(path.stem, text, None))


def _network(name: str, synthetic: bool, files: Mapping[str, Path], card: str) -> Contents:
    index = {
        "kind": NETWORK_KIND,
        "format": 1,
        "name": name,
        "synthetic": synthetic,
        "files": {
            one: {"sha256": digest_file(path), "bytes": path.stat().st_size} for one, path in files.items()
        },
    }
    sealed = json.dumps({**index, SEAL: digest_json(index)}, indent=1, sort_keys=True) + "\n"
    return Contents(
        kind="network",
        name=name,
        synthetic=synthetic,
        has_pixels=False,
        files={**files, CARD: card.encode("utf-8"), NETWORK: sealed.encode("utf-8")},
    )
