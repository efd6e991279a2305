"""``fgbench push``: a data set or a network to a repository of the Hub, in one commit or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.callbacks import Note
from fgbench.errors import ArgumentError, ConfigError
from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines
from fgbench.publication.hub.contents import CARD, INDEXES, REPO_TYPES, Contents, contents_of
from fgbench.publication.hub.server import explained, open_server, quiet_bars, require_token

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_THEIRS = frozenset({".gitattributes", CARD})
"""Files that a new repository may have already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed(NotebookLines):
    """A commit that was made.

    Attributes:
        repo: Name of the repository.
        kind: What was sent: ``"publication"``, ``"manifests"`` or ``"network"``.
        files: Number of files.
        url: Address of the commit.
    """

    repo: str
    kind: str
    files: int
    url: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"repo": self.repo, "kind": self.kind, "files": self.files, "commit": self.url}

    def lines(self) -> list[str]:
        """Return lines of text, with the command that gets it again."""
        return [
            f"{self.kind}: {counted(self.files, 'file')} in {self.repo}, {self.url}",
            f"to get it: fgbench pull {self.repo}",
        ]


def push(
    path: Path, repo: str, *, with_pixels: bool, public: bool, endpoint: str | None, note: Note
) -> Pushed:
    """Send a publication, the manifests of a work folder, or a network.

    The repository is made if there is none; files of an earlier push that are no more are deleted.

    Args:
        path: See :func:`fgbench.publication.hub.contents.contents_of`.
        repo: ``OWNER/NAME``.
        with_pixels: Whether pictures of real faces may be sent.
        public: Whether a repository that is made is for everybody to see; one that is there stays as it is.
        endpoint: Address of the server; ``None``: ``HF_ENDPOINT``, else the Hub.
        note: Takes sentences for the user.

    Raises:
        ConfigError: If the path or the name is none, pictures of real faces would be sent unasked, there is
            no token, or the repository holds something else.
        DependencyError: If ``huggingface_hub`` is not installed.
        ManifestError: If what would be sent is damaged.
        ResourceError: If the server refuses or cannot be reached.
    """
    server = open_server(endpoint)
    contents = contents_of(path, note)
    if contents.has_pixels and not contents.synthetic and not with_pixels:
        raise ArgumentError(
            f"not given, and {path} has pictures of real faces; nothing was sent",
            "fgbench publish --without-pixels makes what may be passed on; give it only where the persons "
            "shown and the licence of the clips allow it",
            argument="with_pixels",
        )
    require_token()
    with explained(f"push to {repo}"), quiet_bars():
        return _commit(server, repo, contents, public=public)


def _commit(server: HfApi, repo: str, contents: Contents, *, public: bool) -> Pushed:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    repo_type = REPO_TYPES[contents.kind]
    server.create_repo(repo, repo_type=repo_type, private=not public, exist_ok=True)
    there = set(server.list_repo_files(repo, repo_type=repo_type))
    if there - _THEIRS and INDEXES[contents.kind] not in there:
        some = ", ".join(sorted(there - _THEIRS)[:3])
        raise ConfigError(
            f"{repo} is no {contents.kind} of fgbench, and not empty: it holds {some}; nothing was sent",
            "name a new repository",
        )
    gone = sorted(there - contents.files.keys() - _THEIRS)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(name, file if isinstance(file, bytes) else str(file))
        for name, file in contents.files.items()
    ]
    operations += [CommitOperationDelete(name) for name in gone]
    commit = server.create_commit(
        repo, operations, commit_message=f"{contents.kind} {contents.name}", repo_type=repo_type
    )
    return Pushed(repo=repo, kind=contents.kind, files=len(contents.files), url=commit.commit_url)
