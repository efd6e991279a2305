"""Lock of a run, so that one process, or the processes of one launch, make it at a time.

Writes ``runs/<experiment>/<fold>/.<seed>.lock``, an empty file beside the run's folder, which remains.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbench.storage import held


def is_first_process() -> bool:
    """Whether this process is the first of one launch (``torchrun``, ``accelerate launch``), or the only
    one."""
    return "LOCAL_RANK" not in os.environ or os.environ.get("RANK", "0") == "0"


@contextmanager
def hold_run(folder: Path) -> Iterator[None]:
    """Hold the folder of a run while it is made; the system releases it when the process ends.

    Of processes that train together (``torchrun``, ``accelerate launch``) the first holds it for all.

    Args:
        folder: The run's folder; may be absent.

    Raises:
        ResourceError: If another process makes the run, or the folder cannot be written.
    """
    if not is_first_process():
        yield
        return
    name = "/".join(folder.parts[-3:])
    with held(
        folder.with_name(f".{folder.name}.lock"),
        f"another fgbench process is making the run {name}",
        hint="wait for it, then run the same command again; or take another --seed",
    ):
        yield
