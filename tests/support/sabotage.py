"""A run of ``fgbench prepare`` in which single clips fail: ``python sabotage.py JSON``, see :func:`main`.

Worker processes do not run the script that starts them: what is to be replaced in them too goes into a
``sitecustomize``, which every Python process imports, see :func:`patched_everywhere`.
"""

import json
import os
import signal
import sys
from pathlib import Path

from fgbench.media import video
from fgbench.preparation.stages import faces

OPEN = video.open_video
ROWS = faces._rows
ROOT = Path(__file__).parents[2]


def hurt(how):
    if how == "kill":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "memory":
        raise MemoryError("std::bad_alloc")
    raise ValueError(f"no such {how}")


def install(plan):
    """Make clips fail: id to ``[what, number]``, the number of rows that the stage ``faces`` gives before;
    -1 fails when the clip is opened."""

    def open_video(path, decoder="pyav", **limits):
        what, number = plan.get(path.stem, ("", None))
        if number == -1:
            hurt(what)
        return OPEN(path, decoder, **limits)

    def rows(reader, wanted, config):
        what, number = plan.get(Path(wanted[0]["clip_id"]).stem, ("", None))
        for count, row in enumerate(ROWS(reader, wanted, config)):
            if count == number:
                hurt(what)
            yield row
        if number == len(wanted):
            hurt(what)

    video.open_video = open_video
    faces._rows = rows


def main():
    """Prepare ``root`` into ``work`` with ``jobs`` workers."""
    from fgbench.config import PrepareConfig
    from fgbench.preparation.prepare import run

    order = json.loads(sys.argv[1])
    config = PrepareConfig(**order["recipe"])
    report = run(config, Path(order["root"]), Path(order["work"]), jobs=order["jobs"])
    sys.stdout.write(json.dumps(report.to_json()))


def patched_everywhere(folder, lines, **more):
    """Environment in which every Python process runs some lines first.

    Args:
        folder: Where their module is written.
        lines: The lines.
        more: Further variables.
    """
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(lines)
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", **more}


if __name__ == "__main__":
    main()
