"""``fgbench synth``: draw the synthetic data set or a control set, or a sheet of the 33 classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import progress_bars, say
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import DEFAULT_JOBS, Jobs

_CLIPS_PER_CLASS = 5


def synth(
    out: Annotated[Path | None, typer.Argument(help="Folder of the data set.")] = None,
    clips_per_class: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Clips of each class: {_CLIPS_PER_CLASS} if not given, with --control one per person.",
        ),
    ] = None,
    subjects: Annotated[int, typer.Option(min=1, help="Number of persons.")] = 40,
    size: Annotated[str, typer.Option(help="Width and height in pixels.")] = "1280x720",
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    sheet: Annotated[
        Path | None, typer.Option(help="Also write a PNG with the apex frame of every class.")
    ] = None,
    control: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Draw a control set instead of the 33 classes: motion (three classes that differ by the "
            "speed of the onset alone, so that no single frame tells them apart).",
        ),
    ] = None,
    variety: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="plain, or wide: skin, light, blur, noise, resolution and compression vary more, with the "
            "same truth; for networks that are used on other faces.",
        ),
    ] = "plain",
    jobs: Jobs = DEFAULT_JOBS,
) -> None:
    """Draw videos of synthetic faces with exact truth: landmarks, action units, pose, key frame."""
    from fgbench.api.drawing import synth as draw
    from fgbench.api.next_commands import after_clips

    if out is None and sheet is None:
        raise typer.BadParameter("give a folder for the data set, or --sheet FILE.png", param_hint="OUT")
    width, height = _size(size)
    with progress_bars() as progress:
        draw(
            out,
            sheet=sheet,
            clips_per_class=clips_per_class,
            subjects=subjects,
            width=width,
            height=height,
            seed=seed,
            control=control,
            variety=variety,
            jobs=jobs,
            progress=progress,
        )
    if sheet is not None:
        say(f"sheet of the 33 classes: {sheet}")
    if out is not None:
        say(f"synthetic data set: {out}")
        say_next(["synth"], lambda: after_clips(out))


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise typer.BadParameter(f"{text!r}, expected WIDTHxHEIGHT such as 1280x720", param_hint="--size")
    return int(width), int(height)
