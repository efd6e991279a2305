"""The embedded data set, prepared where a command needs it and it is absent."""

from __future__ import annotations

from pathlib import Path

from fgbench.cli.prepare import prepare


def prepare_embedded(workdir: Path, *, jobs: int | None = None) -> None:
    """Prepare the embedded data set as its command does, if the work folder is its own and has no
    manifests."""
    from fgbench.api.work_folders import lacks_embedded

    if lacks_embedded(workdir):
        prepare(jobs=jobs)
