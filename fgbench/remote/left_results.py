"""Finished results, plans too, that earlier runs left in a copy without sending them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_file
from fgbench.remote.bringing import belongs
from fgbench.remote.sending import Sender, status_of
from fgbench.remote.states import is_file_name
from fgbench.workfolders.sealed_json import read_sealed


def send_left(sender: Sender) -> None:
    """Send the results and plans that are here and not in step; a result only if it is what its marker says.

    Raises:
        ResourceError: If the storage does not take one, or a file may not be read.
    """
    for path in sorted((sender.workdir / "stages").glob("*/*.json")):
        marker = path.relative_to(sender.workdir).as_posix()
        if sender.is_in_step(marker):
            continue
        with suppress(ManifestError, KeyError, TypeError, AttributeError):
            outputs = read_sealed(path)["outputs"].values()
            digests = {str(Path(marker).parent / one["file"]): one["sha256"] for one in outputs}
            if _are_right(sender, digests):
                sender.in_order([*digests, marker])
    plans = sorted((sender.workdir / "plans").rglob("*.json"))
    names = [path.relative_to(sender.workdir).as_posix() for path in plans]
    sender.all_of(name for name in names if not sender.is_in_step(name))


def _are_right(sender: Sender, digests: Mapping[str, Any]) -> bool:
    """Whether files are those of their digests, as far as they have to be sent."""
    for name, sha256 in digests.items():
        if not (is_file_name(name) and belongs(name)):
            return False
        if sender.is_in_step(name):
            continue
        here = sender.workdir / name
        if status_of(here) is None:
            return False
        with storage.readable(here):
            if digest_file(here) != sha256:
                return False
    return True
