"""``fgbench pull``: what ``fgbench push`` has sent, checked by its digests before anything appears.

All is written into a hidden folder beside the target, compared with the index, and renamed in the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import storage
from fgbench.callbacks import Progress
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.files.hashing import digest_file
from fgbench.files.temporaries import temporary_name
from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines
from fgbench.preparation.stages.publish import verify
from fgbench.publication import layout
from fgbench.publication.hub.contents import (
    CARD,
    INDEXES,
    NETWORK,
    NETWORK_KIND,
    ONNX,
    REPO_TYPES,
    Kind,
)
from fgbench.publication.hub.server import explained, open_server, quiet_bars
from fgbench.publication.owned_folder import check_names
from fgbench.workfolders.layout import MANIFESTS, WEIGHTS
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import read_sealed

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_NOTES = ".cache"  # of huggingface_hub, in the folder that it writes
_NETWORK_FILES = frozenset({WEIGHTS, ONNX})
_AGAIN = "whoever pushed it has to push it again; nothing was written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled(NotebookLines):
    """Result of a pull.

    Attributes:
        folder: Its folder.
        kind: ``"publication"``, ``"manifests"`` (tables alone, which ``fgbench.open`` opens: to look at, to
            score and to train on) or ``"network"``.
        files: Number of files.
        revision: Commit of the repository.
    """

    folder: Path
    kind: str
    files: int
    revision: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "folder": str(self.folder),
            "kind": self.kind,
            "files": self.files,
            "revision": self.revision,
        }

    def lines(self) -> list[str]:
        """Return lines of text, with the command that comes next."""
        after = {
            "publication": f"with the clips: fgbench rebuild {self.folder} --data-root CLIPS",
            "manifests": f"next: fgbench audit {self.folder}",
            "network": f"next: fgbench predict {self.folder} PICTURE",
        }
        files = counted(self.files, "file")
        return [
            f"{self.kind}: {files} in {self.folder}, as its index says; {self.revision}",
            after[self.kind],
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repo:
    """A state of a repository: its name and type, the commit, and the sizes of its files."""

    name: str
    kind: Kind
    commit: str
    sizes: Mapping[str, int | None]

    @property
    def subfolder(self) -> str:
        """Folder of the files below the target."""
        return MANIFESTS if self.kind == "manifests" else "."


def pull(repo: str, out: Path, *, revision: str | None, endpoint: str | None, progress: Progress) -> Pulled:
    """Get what was pushed.

    Args:
        repo: ``OWNER/NAME``.
        out: Folder to write, new or empty.
        revision: Commit, tag or branch; ``None``: the newest.
        endpoint: Address of the server; ``None``: ``HF_ENDPOINT``, else the Hub.
        progress: Called with the number of files.

    Raises:
        ConfigError: If the folder is not empty, or the name is none.
        DependencyError: If ``huggingface_hub`` is not installed.
        ManifestError: If the repository holds nothing of fgbench, lacks files, or they are not those of its
            index; nothing is written.
        ResourceError: If the server refuses or cannot be reached, or the folder cannot be written.
    """
    server = open_server(endpoint)
    _refuse_filled(out)
    unfinished = temporary_name(out)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with explained(f"pull of {repo}"), quiet_bars():
            content = _look(server, repo, revision)
            files = _fetch(server, content, unfinished, progress)
        with storage.explained(out):
            if out.is_dir():
                out.rmdir()
            unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Pulled(folder=out, kind=content.kind, files=files, revision=content.commit)


def _refuse_filled(out: Path) -> None:
    """Raise if the folder may not be written."""
    if out.is_symlink():
        raise ResourceError(f"{out} is a link, expected a folder: links are not followed", "name its target")
    try:
        with storage.readable(out):
            names = sorted(path.name for path in out.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise ResourceError(f"{out} is a file, expected a folder", "name another folder") from error
    if names:
        raise ConfigError(
            f"{out} is not empty: it holds {', '.join(names[:3])}; nothing was changed",
            "name a new folder",
        )


def _look(server: HfApi, repo: str, revision: str | None) -> _Repo:
    """Return the state of a repository: a data set's, else a model's."""
    from huggingface_hub.errors import RepositoryNotFoundError

    for repo_type in ("dataset", "model"):
        try:
            info = server.repo_info(repo, repo_type=repo_type, revision=revision, files_metadata=True)
        except RepositoryNotFoundError:
            if repo_type == "model":
                raise
            continue
        sizes = {one.rfilename: one.size for one in getattr(info, "siblings", None) or ()}
        kinds = [kind for kind, index in INDEXES.items() if index in sizes and REPO_TYPES[kind] == repo_type]
        if not kinds or info.sha is None:
            raise ManifestError(
                f"{repo} holds nothing of fgbench: none of {', '.join(INDEXES.values())}",
                "name a repository that fgbench push has written",
            )
        return _Repo(name=repo, kind=kinds[0], commit=info.sha, sizes=sizes)
    raise AssertionError("the last type raises or returns")


def _fetch(server: HfApi, repo: _Repo, folder: Path, progress: Progress) -> int:
    """Download all files into a new folder and compare them with the index; returns their number."""
    target = folder / repo.subfolder
    target.mkdir(parents=True)
    index = INDEXES[repo.kind]
    _download(server, repo, index, target)
    listed = _listed(repo, folder)
    check_names(listed, f"the index of {repo.name}")
    hidden = next((name for name in listed if any(part[:1] == "." for part in name.split("/"))), None)
    if hidden is not None:
        raise ManifestError(f"the index of {repo.name} lists the hidden file {hidden!r}", _AGAIN)
    for name, described in listed.items():
        if name not in repo.sizes:
            raise ManifestError(f"{repo.name} lacks {name}, which its index lists", _AGAIN)
        size, announced = described.get("bytes"), repo.sizes[name]
        if size is not None and announced is not None and size != announced:
            raise ManifestError(f"{name} of {repo.name} has {announced} bytes, its index says {size}", _AGAIN)
    names = sorted({*listed, *({CARD} & repo.sizes.keys())})
    for done, name in enumerate(names, start=1):
        _download(server, repo, name, target)
        progress("pull", done, len(names))
    shutil.rmtree(target / _NOTES, ignore_errors=True)
    _compare(repo, folder, listed)
    return len(names) + 1


def _download(server: HfApi, repo: _Repo, name: str, target: Path) -> None:
    server.hf_hub_download(
        repo.name, name, repo_type=REPO_TYPES[repo.kind], revision=repo.commit, local_dir=target
    )


def _listed(repo: _Repo, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the files that the downloaded index lists, each with ``sha256`` and ``bytes``."""
    if repo.kind == "publication":
        index = layout.read_index(folder)
        return {name: file.model_dump() for name, file in index.files.items()}
    if repo.kind == "manifests":
        return dict(read_index(folder)["files"])
    content = read_sealed(folder / NETWORK)
    files = content.get("files")
    if content.get("kind") != NETWORK_KIND or not isinstance(files, dict):
        raise ManifestError(f"{NETWORK} of {repo.name} is no index of a network", _AGAIN)
    odd = sorted(files.keys() - _NETWORK_FILES)
    if odd or WEIGHTS not in files or not all(isinstance(one, dict) for one in files.values()):
        raise ManifestError(
            f"{NETWORK} of {repo.name} lists {', '.join(map(repr, odd)) or 'no weights'}, expected {WEIGHTS}",
            _AGAIN,
        )
    return files


def _compare(repo: _Repo, folder: Path, listed: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise a ManifestError if a file is not the one that the index lists."""
    target = folder / repo.subfolder
    for name, described in listed.items():
        path = target / name
        if path.is_symlink() or digest_file(path) != described.get("sha256"):
            raise ManifestError(f"{name} of {repo.name} is not the file that its index lists", _AGAIN)
    if repo.kind == "publication":
        layout.read_published(folder)
    elif repo.kind == "manifests" and (faults := verify(folder)):
        raise ManifestError(f"{repo.name} is damaged: {faults[0]}", _AGAIN)
