"""Digest of the parts of the manifests that runs read, to check whether a run is of the current data.

Of ``clips.parquet`` and ``rejects.parquet`` only the columns that methods read count, and of images all but
the soft labels: a further vote that does not change the label changes a clip's agreement, but only runs that
learn from votes. Reads manifests; writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.files.hashing import digest_json
from fgbench.runs.lost_clips import lost_rows
from fgbench.runs.vote_shares import read_shares
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import HARD, content_digest

_CLIPS = ("clip_id", "label", "split", "subject_id", "source_id", "stills_only")
_CLASSES = ("dataset", "scheme", "classes", "upper")

Shares = Mapping[str, Mapping[str, float]]
"""Clip to class to the share of its votes."""


def read_digest(
    workdir: Path, index: Mapping[str, Any], features: Collection[str] = (), *, soft_labels: bool = False
) -> str:
    """Digest of the parts of the manifests that a run reads.

    Features that are computed later do not change it, so that runs which do not read them stay valid.

    Args:
        workdir: Work folder.
        index: Content of its index.
        features: Tables of features that are read too, e.g. ``{"lbp"}``.
        soft_labels: Whether the run learns from votes.

    Raises:
        ManifestError: If the table of clips or of rejects is damaged.
    """
    digest = _digest(_samples(workdir, index), index, features)
    return (votes_digest(workdir, digest) or digest) if soft_labels else digest


def votes_digest(workdir: Path, digest: str) -> str | None:
    """Digest of the parts of the manifests that a run reads which learns from votes.

    Args:
        workdir: Work folder.
        digest: Digest of the same parts without the votes.

    Returns:
        The digest; ``None`` where no clip has votes.

    Raises:
        ManifestError: If the table of clips is damaged.
    """
    shares = _shares(workdir)
    return _with_votes(digest, shares) if shares else None


def digests_now(workdir: Path, index: Mapping[str, Any]) -> frozenset[str]:
    """Digests of all runs of the current manifests, whichever features they read, and whether they learn from
    votes or not.

    Includes those that earlier versions of fgbench kept, of whole files.

    Args:
        workdir: Work folder.
        index: Content of its index.

    Raises:
        ManifestError: If the table of clips or of rejects is damaged.
    """
    samples, shares = _samples(workdir, index), _shares(workdir)
    read = [_digest(samples, index, features) for features in _subsets(index)]
    earlier = [content_digest(index, features) for features in _subsets(index)]
    voted = [_with_votes(digest, shares) for digest in read] if shares else []
    return frozenset([*read, *earlier, *voted])


def _with_votes(digest: str, shares: Shares) -> str:
    return digest_json([digest, shares])


def _shares(workdir: Path) -> Shares:
    manifests = workdir / MANIFESTS
    return read_shares(manifests) if (manifests / "clips.parquet").is_file() else {}


def _digest(samples: Mapping[str, Any], index: Mapping[str, Any], features: Collection[str]) -> str:
    folders = ("faces/", "images/", *(f"features/{name}/" for name in features))
    files = {
        name: described.get(HARD, described["sha256"])
        for name, described in index.get("files", {}).items()
        if name.startswith(folders)
    }
    return digest_json({**samples, "files": files})


def _samples(workdir: Path, index: Mapping[str, Any]) -> dict[str, Any]:
    """Classes, clips and lost clips, in the columns that methods read."""
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
