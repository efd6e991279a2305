"""``fgbench.synth``: videos of drawn faces with exact truth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.progress import Shown, bars, log

if TYPE_CHECKING:
    from fgbench.callbacks import Progress
    from fgbench.synthetic.dataset import SynthOptions

_CLIPS_PER_CLASS = 5


def synth(
    out: str | os.PathLike[str] | None = None,
    *,
    sheet: str | os.PathLike[str] | None = None,
    clips_per_class: int | None = None,
    subjects: int = 40,
    width: int = 1280,
    height: int = 720,
    seed: int = 0,
    control: str | None = None,
    variety: str = "plain",
    jobs: int | None = None,
    progress: Shown = None,
) -> Path | None:
    """Draw a data set of synthetic faces, with exact truth: landmarks, action units, pose, key frame.

    What is drawn already is not drawn again. The result does not depend on the number of workers.

    Args:
        out: Folder; new, empty, or with a part of the same set; ``None`` draws the sheet alone.
        sheet: PNG file to write, with the apex frame of every one of the 33 classes; ``None``: none.
        clips_per_class: Clips of each class; ``None``: 5, of a control set one per person.
        subjects: Number of persons.
        width: Of the videos, px.
        height: Of the videos, px.
        seed: Seed of everything that is drawn.
        control: ``"motion"`` draws three classes that differ by the speed of the onset alone, so that no
            single frame tells them apart; ``None``: the 33 classes.
        variety: ``"plain"``, or ``"wide"``: skin, light, blur, noise, resolution and compression vary more.
        jobs: Worker processes; ``None``: one per core.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Returns:
        The folder, which :func:`fgbench.prepare` takes; ``None`` if none was named.

    Raises:
        ConfigError: If a setting is out of range, the folder holds something else, the sheet would replace
            another file, or neither is named.
        ResourceError: If the disk is full, or a file cannot be written.
        WorkerError: If a worker process died.
    """
    from fgbench.errors import ConfigError
    from fgbench.synthetic.dataset import SynthOptions

    if out is None and sheet is None:
        raise ConfigError("nothing to draw", "name a folder for the data set, or the file of a sheet")
    if clips_per_class is None:
        clips_per_class = _CLIPS_PER_CLASS if control is None else subjects
    options = SynthOptions(
        clips_per_class=clips_per_class,
        subjects=subjects,
        width=width,
        height=height,
        seed=seed,
        control=control,
        variety=variety,
    )
    if sheet is not None:
        _write_sheet(Path(sheet), options)
    if out is None:
        return None
    with bars(progress) as update:
        return _draw(Path(out), options, jobs, update)


def _write_sheet(path: Path, options: SynthOptions) -> None:
    from fgbench import storage
    from fgbench.media.images import encode
    from fgbench.synthetic.sheet import contact_sheet
    from fgbench.workfolders.output_folders import check_named_file

    check_named_file(path, "PNG picture")
    storage.write_bytes(path, encode(contact_sheet(options), "png", 0))


def _draw(folder: Path, options: SynthOptions, jobs: int | None, progress: Progress) -> Path:
    from fgbench.cores import n_cores
    from fgbench.naming import counted
    from fgbench.synthetic.dataset import generate
    from fgbench.synthetic.plan import plan

    clips = plan(options)
    people = len({clip.subject for clip in clips})
    log(f"drawing {counted(len(clips), 'clip')} of {counted(people, 'synthetic person')} into {folder}")
    return generate(
        folder, options, jobs=jobs or n_cores(), progress=lambda done, total: progress("draw", done, total)
    )
