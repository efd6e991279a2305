"""Check that the files of the data set are still those that ``ingest`` read.

Every file is hashed when a later stage opens it, so that rows never mix two clips: a clip that was changed
meanwhile is rejected as :data:`CHANGED`, and worked on again by the next run. ``fgbench prepare --verify``
hashes the files of finished clips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.catalogue.stamps import Stamp, Stamps
from fgbench.errors import FgbenchError, MediaError
from fgbench.media import video
from fgbench.preparation import pipeline
from fgbench.preparation.pipeline import CHANGED, REJECTS, ROWS, Marker
from fgbench.preparation.stages.ingest import inside
from fgbench.storage import read_rows

COLUMNS = ("clip_id", "path", "decoder", "sha256")
"""Columns of ``ingest`` that the functions here read."""


def check_unchanged(root: Path, clip: Mapping[str, Any]) -> Stamp:
    """Compare the file of a clip with its digest.

    Args:
        root: Root of the data set.
        clip: Its row in ``ingest``, with :data:`COLUMNS` at least.

    Returns:
        State of the file, for :func:`unchanged_rows`.

    Raises:
        MediaError: If it differs (reason :data:`CHANGED`), or cannot be read.
    """
    stamp = Stamps(root).of(clip["path"])
    if _digest(root, clip) != clip["sha256"]:
        raise _changed(clip)
    return stamp


def unchanged_rows(
    rows: Iterable[dict[str, Any]], root: Path, clip: Mapping[str, Any], stamp: Stamp
) -> Iterator[dict[str, Any]]:
    """Yield rows made of a clip, and check that its file has the same state at their end as before.

    Raises:
        MediaError: If the state differs (reason :data:`CHANGED`).
    """
    yield from rows
    if Stamps(root).of(clip["path"]) != stamp:
        raise _changed(clip)


@dataclass(frozen=True, slots=True)
class Check:
    """A bucket of ``ingest`` whose files are to be hashed; the work of a worker process.

    Attributes:
        marker: Its marker.
        workdir: The work folder.
        root: Root of the data set.
    """

    marker: Marker
    workdir: Path
    root: Path


def has_changed(check: Check) -> tuple[Marker, bool]:
    """Return whether a file of a bucket changed since it was read, or was rejected and may be repaired."""
    files = check.marker.files(pipeline.stage_folder(check.workdir, "ingest"))
    if REJECTS in files:
        return check.marker, True
    rows = read_rows(files[ROWS], list(COLUMNS)) if ROWS in files else ()
    return check.marker, any(_differs(check.root, row) for row in rows)


def _differs(root: Path, clip: Mapping[str, Any]) -> bool:
    try:
        return bool(_digest(root, clip) != clip["sha256"])
    except (FgbenchError, OSError):
        return True


def _digest(root: Path, clip: Mapping[str, Any]) -> str:
    try:
        return video.media_digest(inside(root, clip["path"]), clip["decoder"])
    except FileNotFoundError as error:
        raise MediaError(
            f"{clip['path']} is there no more", "copy it again", reason="missing_file"
        ) from error
    except OSError as error:
        raise MediaError(f"{clip['path']}: {error.strerror or error}", "check its permissions") from error


def _changed(clip: Mapping[str, Any]) -> MediaError:
    return MediaError(
        f"{clip['path']} is not the file that was read first: it was exchanged or written to meanwhile",
        "run fgbench prepare again when nothing writes to the data set",
        reason=CHANGED,
    )
