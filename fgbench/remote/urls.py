"""URLs of data sets: their schemes, the packages that open them, and their recognition."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fgbench.errors import ConfigError
from fgbench.naming import shown


@dataclass(frozen=True, slots=True)
class Opener:
    """Package that opens the URLs of a scheme.

    Attributes:
        package: Name of the package.
        module: Module that it is imported by.
        extra: Extra of fgbench that installs it.
    """

    package: str
    module: str
    extra: str


PACKAGES = {
    "s3": Opener("s3fs", "s3fs", "storage"),
    "gs": Opener("gcsfs", "gcsfs", "storage-gs"),
    "az": Opener("adlfs", "adlfs", "storage-az"),
    "sftp": Opener("paramiko", "paramiko", "storage-sftp"),
    "hf": Opener("huggingface_hub", "huggingface_hub", "hub"),
}
"""Scheme to the package that opens it; all need fsspec as well, which these extras install."""

_READ_ONLY = frozenset({"hf"})
"""Schemes that are only read: each file would be a version of its own."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
_BARE = re.compile(rf"({'|'.join(PACKAGES)}):()", re.IGNORECASE)
"""A URL of nothing but its scheme: its path has lost both slashes."""


def url_of(path: str | os.PathLike[str]) -> str | None:
    """Return the URL that a text or a path stands for, without a slash at its end; ``None`` for a folder.

    A path has lost one of two slashes (``s3:/bucket``): it is given back.

    Args:
        path: What a user gave.

    Raises:
        ConfigError: If its scheme is none of :data:`PACKAGES` and there is no such file, it has nothing after
            the scheme, or holds a password.
    """
    text = os.fspath(path)
    match = _URL.fullmatch(text) or _BARE.fullmatch(text)
    if match is None:
        return None
    scheme, rest = match[1].lower(), match[2].rstrip("/")
    if scheme not in PACKAGES:
        if os.path.lexists(text):
            return None
        known = ", ".join(f"{name}://" for name in PACKAGES)
        raise ConfigError(
            f"{shown(match[1])}:// is no storage that fgbench opens, expected {known} or a folder",
            "copy the data set into a folder, or mount it",
        )
    url = f"{scheme}://{rest}"
    if "@" in rest.partition("/")[0] and urlsplit(url).password is not None:
        raise ConfigError(
            f"a URL of {scheme}:// with a password, which would be stored and shown",
            "leave it out: use a key, or the configuration of fsspec (FSSPEC_SFTP_PASSWORD)",
        )
    if not rest or ".." in rest.split("/"):
        raise ConfigError(f"{shown(url)} names no folder of a storage", f"e.g. {scheme}://bucket/my-clips")
    return url


def refuse_read_only(url: str) -> None:
    """Do nothing for a URL of a storage that is written to.

    Args:
        url: As :func:`url_of` gives it.

    Raises:
        ConfigError: If fgbench only reads such storages.
    """
    scheme = url.partition(":")[0]
    if scheme in _READ_ONLY:
        written = ", ".join(f"{name}://" for name in PACKAGES if name not in _READ_ONLY)
        raise ConfigError(
            f"the work folder is {shown(url)}, which is only read; expected {written} or a folder",
            "fgbench push writes the tables of a finished work folder there",
        )


def refuse_url(path: str | os.PathLike[str]) -> None:
    """Do nothing for a path of this machine.

    Raises:
        ConfigError: If it is a URL of a storage, where only data sets and work folders are read.
    """
    match = _URL.fullmatch(os.fspath(path))
    if match is not None and match[1].lower() in PACKAGES and not Path(path).exists():
        url = f"{match[1].lower()}://{match[2]}"
        raise ConfigError(
            f"{shown(url)} is a URL, expected a file or folder of this machine",
            "URLs are taken for data sets (fgbench prepare --data-root URL) and work folders (--workdir URL)",
        )
