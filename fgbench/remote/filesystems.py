"""File systems of fsspec by URL; every call is repeated when a storage is slow, throttles or breaks off."""

from __future__ import annotations

import errno
import importlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fgbench.errors import FgbenchError, ResourceError, package_missing
from fgbench.naming import shown
from fgbench.remote.urls import PACKAGES

T = TypeVar("T")

WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait after each failure of a call before it is repeated."""

_UNLISTED = {"use_listings_cache": False}
_OPTIONS: dict[str, dict[str, Any]] = {"s3": _UNLISTED, "gs": _UNLISTED, "az": _UNLISTED}
"""Further options of a scheme's file system: what it has listed before may have changed."""

_OF_FILES = frozenset({"sftp"})
"""Schemes of storages with files and folders."""

_REFUSALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "ClientAuthenticationError"}
    | {"DefaultCredentialsError", "AuthenticationException", "BadHostKeyException", "ParamValidationError"}
)
"""Errors of the clients, by name, that no repetition mends: their packages need not be installed here."""

_OF_THIS_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE}
)
"""Failures that are not the storage's: a full disk, too many open files."""

_CREDENTIALS = "check the credentials of the storage, as its own tools take them: they may have to write"
_AGAIN = "run the same command again when the storage answers: what is done is kept"


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder of a storage.

    Attributes:
        filesystem: Its file system (``fsspec.AbstractFileSystem``).
        base: Path of the folder in it.
        renames: Whether it has files and folders, written under another name and renamed; else objects,
            which appear when they are whole.
    """

    filesystem: Any
    base: str
    renames: bool = False

    def find(self) -> Mapping[str, Mapping[str, Any]]:
        """Path in the file system, to what it tells of the object, of all objects below the folder."""
        self.filesystem.invalidate_cache()
        found: Mapping[str, Mapping[str, Any]] = self.filesystem.find(self.base, detail=True)
        return found

    def info(self, path: str) -> Mapping[str, Any]:
        """Return what the file system tells of the object at a path below the folder."""
        self.filesystem.invalidate_cache()
        told: Mapping[str, Any] = self.filesystem.info(f"{self.base}/{path}")
        return told

    def download(self, path: str, target: Path) -> None:
        """Write the object at a path below the folder into a file."""
        self.filesystem.get_file(f"{self.base}/{path}", str(target))

    def read(self, path: str) -> bytes:
        """Content of the object at a path below the folder."""
        self.filesystem.invalidate_cache()
        content: bytes = self.filesystem.cat_file(f"{self.base}/{path}")
        return content

    def upload(self, file: Path, path: str) -> None:
        """Write a file as the object at a path below the folder, which appears whole or not at all."""
        with self._whole(path) as target:
            self.filesystem.put_file(str(file), target)

    def write(self, path: str, content: bytes) -> None:
        """Write the object at a path below the folder, which appears whole or not at all."""
        with self._whole(path) as target:
            self.filesystem.pipe_file(target, content)

    def create(self, path: str, content: bytes) -> None:
        """Write the object at a path below the folder; any error where there is one already.

        A storage that takes no condition overwrites it instead.
        """
        self._make_folder(path)
        self.filesystem.pipe_file(f"{self.base}/{path}", content, mode="create")

    def remove(self, path: str) -> None:
        """Delete the object at a path below the folder, if it is there."""
        self.filesystem.invalidate_cache()
        with suppress(FileNotFoundError):
            self.filesystem.rm_file(f"{self.base}/{path}")

    @contextmanager
    def _whole(self, path: str) -> Iterator[str]:
        """Yield where to write an object: of a storage of files its name for the time being."""
        target = f"{self.base}/{path}"
        if not self.renames:
            yield target
            return
        self._make_folder(path)
        incoming = f"{target}.{uuid.uuid4().hex[:12]}.incoming"
        try:
            yield incoming
            self.filesystem.mv(incoming, target)
        except BaseException:
            with suppress(Exception):
                self.filesystem.rm_file(incoming)
            raise

    def _make_folder(self, path: str) -> None:
        if self.renames:
            self.filesystem.makedirs(f"{self.base}/{path}".rpartition("/")[0], exist_ok=True)


def opened(url: str) -> Opened:
    """Open the folder at a URL.

    Args:
        url: As :func:`fgbench.remote.urls.url_of` gives it.

    Raises:
        DependencyError: If fsspec, or the package of the scheme, is not installed.
        ResourceError: If it cannot be reached, or refuses the user.
    """
    scheme = url.partition(":")[0]
    opener = PACKAGES[scheme]
    for package, module in (("fsspec", "fsspec.core"), (opener.package, opener.module)):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise package_missing(f"{scheme}:// needs", package, extra=opener.extra) from error
    core = importlib.import_module("fsspec.core")
    filesystem, base = persistently(
        f"{shown(url)} cannot be opened", lambda: core.url_to_fs(url, **_OPTIONS.get(scheme, {}))
    )
    return Opened(filesystem, str(base).rstrip("/"), renames=scheme in _OF_FILES)


def persistently(failure: str, call: Callable[[], T]) -> T:
    """Call a function of a storage, and again after each of :data:`WAITS_S` while it fails.

    Args:
        failure: Message for a failure that stays, e.g. ``"s3://bucket/a cannot be fetched"``.
        call: The call; repeated whole.

    Raises:
        FileNotFoundError: If the storage says that there is no such object.
        OSError: If the disk here is full, or too many files are open.
        ResourceError: If it refuses the user, or still fails at the last try.
    """
    for wait_s in (*WAITS_S, None):
        try:
            return call()
        except (FileNotFoundError, FgbenchError):
            raise
        except Exception as error:  # each client has its own, with no common base
            if isinstance(error, OSError) and error.errno in _OF_THIS_MACHINE:
                raise
            if isinstance(error, PermissionError) or type(error).__name__ in _REFUSALS:
                raise ResourceError(f"{failure}: {_reason(error)}", _CREDENTIALS) from error
            if wait_s is None:
                tries = len(WAITS_S) + 1
                raise ResourceError(f"{failure}, {tries} times: {_reason(error)}", _AGAIN) from error
            time.sleep(wait_s)
    raise AssertionError("the last try returns or raises")


def _reason(error: Exception) -> str:
    text = " ".join(shown(str(error)).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
