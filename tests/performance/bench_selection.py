"""Pages of frames for experts, at a tenth and at the size of the paper's data set: time, size, import.

The baseline of the export is the plain writing of the same files, without temporary names and checks.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import fgbench
from tests.support.selection_folders import AFTER, BEFORE, write_selection_work

CLIPS = (150, 1_500)


def main() -> None:
    """Print the table."""
    per_clip = BEFORE + 1 + AFTER
    print(f"{per_clip} frames of each clip to select from, and their neighbours in small.")
    print()
    print("| clips | export, s | plain writing, s | ratio | files, MB | page, MB | import, s |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for n_clips in CLIPS:
        with tempfile.TemporaryDirectory() as name:
            _row(Path(name), n_clips)


def _row(folder: Path, n_clips: int) -> None:
    clips = {f"clip{number:06d}": ("anger", 4) for number in range(n_clips)}
    _, work = write_selection_work(folder, clips)
    begin = time.perf_counter()
    sheets = fgbench.export_frames(work, folder / "out", progress=False)
    export_s = time.perf_counter() - begin
    begin = time.perf_counter()
    shutil.copytree(folder / "out", folder / "copy")
    plain_s = time.perf_counter() - begin
    rows = "".join(f"{clip},{frame},ada,\n" for clip in clips for frame in range(4 - BEFORE, 5 + AFTER))
    table = folder / "selection.csv"
    table.write_text("clip,frame,selected_by,inspected_by\n" + rows)
    begin = time.perf_counter()
    selection = fgbench.import_selection(table, work)
    import_s = time.perf_counter() - begin
    assert selection.frames == sheets.frames
    page_mb = sheets.pages[0].stat().st_size / 1e6
    print(
        f"| {n_clips:,} | {export_s:.1f} | {plain_s:.1f} | {export_s / plain_s:.1f} "
        f"| {sheets.bytes / 1e6:.0f} | {page_mb:.2f} | {import_s:.1f} |"
    )


if __name__ == "__main__":
    main()
