"""Media of a round on a server: clips or strips, each uploaded once, under the name of its digest."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from pathlib import Path, PurePosixPath
from typing import Any

from fgbench.annotation.label_studio.folder import strip_name
from fgbench.annotation.label_studio.server import Server
from fgbench.annotation.project_file import ClipTask, Project
from fgbench.errors import DatasetError, ManifestError, ResourceError
from fgbench.files.file_errors import readable

_STORED = re.compile(r"(?:.*/)?[0-9a-f]{8}-([^/]+)")
"""Path of an upload on the server: digits of its own before the name."""


def checked_file(folder: Path, project: Project, name: str) -> bytes:
    """Return a file of a round.

    Raises:
        ManifestError: If it is missing, or not as it was written.
    """
    try:
        with readable(folder / name):
            data = (folder / name).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise ManifestError(f"no file {folder / name}", "export the round again: it is mended") from error
    if hashlib.sha256(data).hexdigest() != project.files.get(name):
        raise ManifestError(
            f"{folder / name} has changed since the export", "export the round again: it is mended"
        )
    return data


class UploadedMedia:
    """Media of a project on a server.

    Args:
        server: The server.
        number: Number of the project there.
        folder: Folder of the round.
        project: The round.
        root: Root of the data set.

    Attributes:
        n_sent: Files that were sent.
    """

    def __init__(self, server: Server, number: int, folder: Path, project: Project, root: Path) -> None:
        self._server, self._number = server, number
        self._folder, self._project, self._root = folder, project, root
        self._there: dict[str, str] = {}
        self.n_sent = 0
        self.list_again()

    def list_again(self) -> None:
        """List what is there; after a failure, in which something may have arrived."""
        listed = self._server.get(f"/api/projects/{self._number}/file-uploads", all="true")
        for one in listed if isinstance(listed, list) else []:
            self._add(one)

    def address(self, task: ClipTask) -> str:
        """Return the address of the clip or strip of a task, which is sent if it is not there.

        Raises:
            DatasetError: If the clip is missing, or has changed since the export.
            ManifestError: If the strip is missing or has changed.
            ResourceError: If the server refuses or cannot be reached.
        """
        is_strip = self._project.show != "clips"
        strip = strip_name(task)
        suffix = PurePosixPath(task.path).suffix.lower()
        name = PurePosixPath(strip).name if is_strip else f"{task.sha256[:24]}{suffix}"
        if name not in self._there:
            data = checked_file(self._folder, self._project, strip) if is_strip else self._clip(task)
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            path = f"/api/projects/{self._number}/import"
            sent = self._server.upload(path, name, data, kind, commit_to_project="false")
            self.n_sent += 1
            self._remember(sent)
            if name not in self._there:
                raise ResourceError(f"{self._server.name} took {name} and does not list it", "push again")
        return self._there[name]

    def _remember(self, sent: Any) -> None:
        numbers = sent.get("file_upload_ids") if isinstance(sent, dict) else None
        if isinstance(numbers, list) and len(numbers) == 1 and isinstance(numbers[0], int):
            self._add(self._server.get(f"/api/import/file-upload/{numbers[0]}"))
        else:
            self.list_again()

    def _add(self, one: Any) -> None:
        path = one.get("file") if isinstance(one, dict) else None
        if isinstance(path, str) and (stored := _STORED.fullmatch(path)):
            self._there.setdefault(stored[1], f"/data/{path}")

    def _clip(self, task: ClipTask) -> bytes:
        path = self._root / task.path
        try:
            with readable(path):
                data = path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise DatasetError(f"no file {path}", "put it back, or export the round again") from error
        if hashlib.sha256(data).hexdigest() != task.sha256:
            raise DatasetError(
                f"{path} has changed since the export", "put it back, or export the round again"
            )
        return data
