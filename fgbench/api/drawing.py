"""``fgbench.synth``: videos of drawn faces with exact truth."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.arguments import (
    name_of,
    name_or_none,
    names_of,
    path_or_none,
    seconds,
    whole,
    workers,
)
from fgbench.api.progress import Shown, bars, log, shown_as

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
    classes: Sequence[str] | None = None,
    min_duration_s: float = 1.0,
    max_duration_s: float = 4.0,
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
        classes: Those of the 33 that are drawn; ``None``: all.
        min_duration_s: Length of the shortest clips, s; without effect on a control set.
        max_duration_s: Length of the longest, s.
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

    folder = path_or_none("out", out, example="'drawn'")
    picture = path_or_none("sheet", sheet, example="sheet='classes.png'")
    if folder is None and picture is None:
        raise ConfigError("nothing to draw", "name a folder for the data set, or the file of a sheet")
    if clips_per_class is None:
        clips_per_class = _CLIPS_PER_CLASS if control is None else whole("subjects", subjects, least=1)
    options = SynthOptions(
        clips_per_class=whole("clips_per_class", clips_per_class, least=1),
        subjects=whole("subjects", subjects, least=1),
        width=whole("width", width, least=1),
        height=whole("height", height, least=1),
        min_duration_s=seconds("min_duration_s", min_duration_s),
        max_duration_s=seconds("max_duration_s", max_duration_s),
        classes=None if classes is None else tuple(names_of("classes", classes, example="['anger']") or ()),
        seed=whole("seed", seed, least=0),
        control=name_or_none("control", control, example="control='motion'"),
        variety=name_of("variety", variety, example="variety='wide'"),
    )
    n_workers = workers(jobs)
    if picture is not None:
        _write_sheet(picture, options)
    if folder is None:
        return None
    with bars(shown_as(progress)) as update:
        return _draw(folder, options, n_workers, update)


def _write_sheet(path: Path, options: SynthOptions) -> None:
    from fgbench import storage
    from fgbench.media.images import encode
    from fgbench.synthetic.sheet import contact_sheet
    from fgbench.workfolders.output_folders import check_named_file

    check_named_file(path, "PNG picture")
    storage.write_bytes(path, encode(contact_sheet(options), "png", 0))


def _draw(folder: Path, options: SynthOptions, jobs: int, progress: Progress) -> Path:
    from fgbench.naming import counted
    from fgbench.synthetic.dataset import generate
    from fgbench.synthetic.plan import plan

    clips = plan(options)
    people = len({clip.subject for clip in clips})
    log(f"drawing {counted(len(clips), 'clip')} of {counted(people, 'synthetic person')} into {folder}")
    return generate(folder, options, jobs=jobs, progress=lambda done, total: progress("draw", done, total))
