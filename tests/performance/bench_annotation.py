"""Votes from answers to labels: import, agreement with its intervals and settling, each and together.

The answers are 50,000 on 10,000 clips, with ``--large`` also 500,000 on 100,000, as Label Studio exports them
(JSON) and as a table (CSV), of a round that was exported. Import: from the file to ``votes.csv``. Agreement:
Krippendorff's alpha of all and of each class, with cluster bootstrap; every clip is a cluster of its own, the
worst case. Settling: ``votes.csv`` listed, and the stage ``consensus`` in a process for each core, as
``prepare`` runs it; between the two stands ``ingest``, which reads videos and is not measured. The baselines
read the same file and do nothing with it (``json.load``, ``csv.reader``). Each row is of a process of its
own, with its workers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.many_votes import PER_CLIP, write_round

SIZE, LARGE = 10_000, 100_000
LIMIT_S, LIMIT_MB = 60, 1500
ROWS = (
    ("export.json", "paper"),
    ("answers.csv", "paper"),
    ("answers.csv", "majority"),
    ("answers.csv", "dawid-skene"),
)
_CODE = "from tests.support.annotation_steps import print_steps; import sys; print_steps(*sys.argv[1:])"


def main() -> None:
    """Print a table for each size."""
    for n_clips in (SIZE, LARGE) if "--large" in sys.argv else (SIZE,):
        with tempfile.TemporaryDirectory() as name:
            lines = rows(Path(name), n_clips, ROWS)
        print(
            f"| {n_clips:,} clips, {PER_CLIP * n_clips:,} votes; s of computing (of the clock) | baseline "
            "| import | ratio | agreement | settling | together | peak MB |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        print("\n".join([*lines, ""]))
    print(
        f"With {LARGE:,} clips together at most {LIMIT_S} s of a free machine and {LIMIT_MB:,} MB. Seconds "
        "of computing are those of all processes and threads, and with the loading of libraries, 2 s for any "
        f"size. This machine was shared: its load was {os.getloadavg()[2]:.0f} on {os.cpu_count()} "
        "cores in the last quarter of an hour, which makes the computing slower, too."
    )


def rows(folder: Path, n_clips: int, wanted: tuple[tuple[str, str], ...]) -> list[str]:
    """Lines of the table.

    Args:
        folder: New folder.
        n_clips: Number of clips.
        wanted: File of answers and rule of each.
    """
    root = write_round(folder, n_clips)
    lines = []
    for answers, rule in wanted:
        (root / "votes.csv").unlink(missing_ok=True)
        command = [sys.executable, "-c", _CODE, str(root), str(folder / answers), rule]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        lines.append(_line(f"{answers}, rule {rule}", json.loads(done.stdout.splitlines()[-1])))
    return lines


def _line(title: str, measured: dict[str, list[float]]) -> str:
    cells = [_both(measured[step]) for step in ("baseline", "import")]
    cells.append(f"{measured['import'][0] / max(measured['baseline'][0], 1e-9):.1f}")
    cells += [_both(measured[step]) for step in ("agreement", "settling")]
    together = [sum(measured[step][at] for step in ("import", "agreement", "settling")) for at in range(2)]
    cells += [_both(together), f"{measured['peak'][0]:.0f}"]
    return f"| {' | '.join([title, *cells])} |"


def _both(seconds: list[float]) -> str:
    computing, clock = seconds
    return f"{computing:.1f} ({clock:.1f})"


if __name__ == "__main__":
    main()
