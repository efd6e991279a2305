"""Exchange with the Hugging Face Hub: ``fgbench.push`` to it, ``fgbench.pull`` from it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fgbench.api.arguments import name_or_none, path_of, path_or_none, shown, switch
from fgbench.api.progress import LOGGER, Shown, bars, shown_as
from fgbench.errors import ConfigError
from fgbench.publication.hub.pull import Pulled as Pulled
from fgbench.publication.hub.push import Pushed as Pushed


def push(
    path: str | os.PathLike[str],
    repo: str,
    *,
    with_pixels: bool = False,
    public: bool = False,
    endpoint: str | None = None,
) -> Pushed:
    """Send a publication, the manifests of a work folder, or a network to a repository, as ``fgbench push``
    does: in one commit, or not at all.

    The token is that of ``huggingface_hub``: ``HF_TOKEN``, or the file of ``hf auth login``.

    Args:
        path: A folder that ``fgbench publish`` has written; a work folder, of which the manifests are sent,
            with aligned faces; the folder of a run with weights; or weights that ``fgbench export`` wrote.
        repo: ``"OWNER/NAME"``; made if there is none, private unless ``public``.
        with_pixels: Whether pictures of real faces may be sent; those of drawn ones always may.
        public: Whether a repository that is made is for everybody to see.
        endpoint: Address of the server; ``None``: ``HF_ENDPOINT``, else the Hub.

    Returns:
        The kind of what was sent, the number of files, and the address of the commit.

    Raises:
        ConfigError: If the path or the name is none, pictures of real faces would be sent unasked, there is
            no token, or the repository holds something else.
        DependencyError: If ``huggingface_hub`` is not installed.
        ManifestError: If what would be sent is damaged.
        ResourceError: If the server refuses or cannot be reached; the repository is then as before.
    """
    from fgbench.publication.hub.push import push as push_contents

    return push_contents(
        path_of("path", path, example="work.path"),
        _repo(repo),
        with_pixels=switch("with_pixels", with_pixels),
        public=switch("public", public),
        endpoint=name_or_none("endpoint", endpoint, example="endpoint='https://huggingface.co'"),
        note=LOGGER.warning,
    )


def pull(
    repo: str,
    out: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    endpoint: str | None = None,
    progress: Shown = None,
) -> Pulled:
    """Get what :func:`push` has sent, checked by the digests of its index, as ``fgbench pull`` does.

    Args:
        repo: ``"OWNER/NAME"``.
        out: Folder to write, new or empty; ``None``: the name of the repository.
        revision: Commit, tag or branch; ``None``: the newest.
        endpoint: Address of the server; ``None``: ``HF_ENDPOINT``, else the Hub.
        progress: Whether a bar is shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Returns:
        The folder, what it holds, and the commit.

    Raises:
        ConfigError: If the folder is not empty, or the name is none.
        DependencyError: If ``huggingface_hub`` is not installed.
        ManifestError: If the repository holds nothing of fgbench, or not what its index lists; nothing is
            written.
        ResourceError: If the server refuses or cannot be reached; nothing is written.
    """
    from fgbench.publication.hub.pull import pull as pull_contents

    repo = _repo(repo)
    named = path_or_none("out", out, example="out='my-clips'")
    folder = Path(repo.rpartition("/")[2]) if named is None else named
    revision = name_or_none("revision", revision, example="revision='main'")
    endpoint = name_or_none("endpoint", endpoint, example="endpoint='https://huggingface.co'")
    with bars(shown_as(progress)) as update:
        return pull_contents(repo, folder, revision=revision, endpoint=endpoint, progress=update)


def _repo(value: object) -> str:
    """Return the name of a repository.

    Raises:
        ConfigError: If it is none.
    """
    if isinstance(value, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", value, re.ASCII):
        return value
    raise ConfigError(f"repo {shown(value)}, expected OWNER/NAME", "e.g. 'me/my-clips'")
