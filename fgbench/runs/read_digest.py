"""Digest of what a run reads of the manifests, by which it is told whether a run is of the data as they are.

Of ``clips.parquet`` and ``rejects.parquet`` only the columns count that methods read: another vote that
leaves the label as it was changes a clip's agreement, and no run. Reads manifests; writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.files.hashing import digest_json
from fgbench.runs.lost_clips import lost_rows
from fgbench.workfolders.manifest_index import MANIFESTS, content_digest

_CLIPS = ("clip_id", "label", "split", "subject_id", "source_id", "stills_only")
_CLASSES = ("dataset", "scheme", "classes", "upper")


def read_digest(workdir: Path, index: Mapping[str, Any], features: Collection[str] = ()) -> str:
    """Digest of what a run reads of the manifests.

    Features that are computed later do not change it, so that runs which do not read them stay what they are.

    Args:
        workdir: Work folder.
        index: Content of its index.
        features: Tables of features that are read too, e.g. ``{"lbp"}``.

    Raises:
        ManifestError: If the table of clips or of rejects is damaged.
    """
    return _digest(_samples(workdir, index), index, features)


def digests_now(workdir: Path, index: Mapping[str, Any]) -> frozenset[str]:
    """Digests of all runs of the manifests as they are, whichever features they read.

    Those that earlier versions of fgbench kept, of whole files, are among them.

    Args:
        workdir: Work folder.
        index: Content of its index.

    Raises:
        ManifestError: If the table of clips or of rejects is damaged.
    """
    samples = _samples(workdir, index)
    return frozenset(
        digest
        for features in _subsets(index)
        for digest in (_digest(samples, index, features), content_digest(index, features))
    )


def _digest(samples: Mapping[str, Any], index: Mapping[str, Any], features: Collection[str]) -> str:
    folders = ("faces/", "images/", *(f"features/{name}/" for name in features))
    files = {
        name: described["sha256"]
        for name, described in index.get("files", {}).items()
        if name.startswith(folders)
    }
    return digest_json({**samples, "files": files})


def _samples(workdir: Path, index: Mapping[str, Any]) -> dict[str, Any]:
    """Classes, clips and lost clips, as far as methods read them."""
    manifests = workdir / MANIFESTS
    clips: dict[str, Any] = {}
    if (manifests / "clips.parquet").is_file():
        table = storage.read_table(manifests / "clips.parquet")
        clips = table.select([name for name in _CLIPS if name in table.column_names]).to_pydict()
    return {
        "classes": {name: index.get(name) for name in _CLASSES},
        "clips": clips,
        "lost": lost_rows(manifests),
    }


def _subsets(index: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    names = [Path(name).parts for name in index.get("files", ())]
    stages = sorted({parts[1] for parts in names if parts[0] == "features" and len(parts) > 1})
    return chain.from_iterable(combinations(stages, n) for n in range(len(stages) + 1))
