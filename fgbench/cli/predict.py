"""``fgbench predict``: the classes of users' own pictures and videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.cli.console import note, print_json, progress_bars, say
from fgbench.cli.evaluate import TrainedRun, needs_torch
from fgbench.cli.options import Device, Json, NamedIn
from fgbench.cli.predicted_files import MOST_DRAWN, file_lines, file_row, write_file_rows
from fgbench.cli.predicted_pictures import DRAWN, FRAMES, PICTURE, is_drawn, output_names, write_picture
from fgbench.cli.runs import named_weights
from fgbench.cli.unit_rows import TABLE as UNIT_TABLE
from fgbench.cli.unit_rows import unit_rows, write_unit_rows
from fgbench.preparation.failures import LOG, TRANSIENT, keep_traceback, reason_and_detail
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from fgbench.inference.files import FilePrediction
    from fgbench.methods.protocol import FaceNetwork

Ask = Callable[[Path, Path], "list[FilePrediction]"]
"""Predicts a file, and writes the table of its frames."""

OUT = default_folders.BASE / "predictions"
"""Default folder of pictures and tables."""

_TABLE = "predictions.parquet"
_SEARCHED = {
    "always": "{}",
    "never": "{}; trained on pictures as they are: so are files taken that are such crops",
    "where-found": "{}; small files without one taken as they are",
}
"""Detection of faces, by ``faces.align`` of the recipe."""


def predict(
    run: TrainedRun,
    paths: Annotated[list[Path], typer.Argument(help="Pictures (JPEG, PNG, ...) and videos.")],
    workdir: NamedIn = default_folders.DEMO_WORKDIR,
    out: Annotated[Path, typer.Option("--out", help="Folder for pictures and tables.")] = OUT,
    device: Device = None,
    top: Annotated[int, typer.Option("--top", min=1, max=33, help="Classes to print of each file.")] = 5,
    all_faces: Annotated[
        bool, typer.Option("--all-faces", help="Tell of every face in a picture, a row each.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell the expression of the face in each picture or video.

    Faces are always searched, else found as the recipe of the run's work folder says. Writes, per file with a
    face, a picture of the face and the regions looked at, per video a table of its frames, and
    predictions.parquet of all files. A network of clips tells of a video by its streams, and of a picture by
    its image model. A detector of action units writes action_units.csv too, a row per file and frame.
    """
    needs_torch()
    from fgbench.errors import MediaError
    from fgbench.inference.own_networks import open_own
    from fgbench.runs.weights import read_trained
    from fgbench.training.device import resolve
    from fgbench.workfolders.output_folders import writing_in

    own = open_own(read_trained(named_weights(run, workdir)), resolve(device))
    network, faces = own.network, own.settings.faces

    def ask(path: Path, frames_to: Path) -> list[FilePrediction]:
        if all_faces:
            return own.predict_everyone(path, frames_to=frames_to)
        return [own.predict(path, frames_to=frames_to)]

    searched = _SEARCHED[faces.align].format(faces.detector)
    note(f"{network.trained.name} on {network.device}; faces by {searched}")
    if is_drawn(network):
        note(DRAWN)
    predicted: list[dict[str, Any]] = []
    names = output_names(paths)
    endings = [FRAMES, PICTURE]
    if all_faces:
        endings += [f".face{number}{PICTURE}" for number in range(1, MOST_DRAWN + 1)]
    files = [f"{name}{ending}" for name in names for ending in endings]
    has_units = network.task == "units"
    with writing_in(out, [_TABLE, *([UNIT_TABLE] if has_units else []), *files]):
        try:
            with progress_bars(quiet=json) as progress:
                for number, (path, name) in enumerate(zip(paths, names, strict=True)):
                    for prediction, written in _predicted(path, name, network, ask, out=out, top=top):
                        predicted.append(file_row(prediction, network, written))
                        if not json:
                            for line in file_lines(prediction, network, written, top):
                                say(line)
                    progress("files", number + 1, len(paths))
        finally:
            if predicted:  # also where the user interrupts
                write_file_rows(out / _TABLE, predicted, network)
                if has_units:
                    write_unit_rows(out / UNIT_TABLE, predicted, network.classes)
    failed = [item for item in predicted if item["status"] in TRANSIENT]
    if failed:
        note(f"{len(failed)} of {len(predicted)} files failed; tracebacks: {out / LOG}")
    if json:
        outputs = {"units" if has_units else "classes": list(network.classes)}
        rows = {"rows": list(unit_rows(predicted, network.classes))} if has_units else {}
        print_json({"run": network.trained.name, **outputs, "files": predicted, **rows})
    else:
        say(f"table: {out / (UNIT_TABLE if has_units else _TABLE)}")
    if all(item["status"] != "ok" for item in predicted):
        raise MediaError(
            f"no usable face in any of {len(paths)} files" if len(paths) > 1 else "no usable face",
            "look at the status of each file; the recipe of the work folder says how faces are found (faces)",
        )


def _predicted(
    path: Path,
    name: str,
    network: FaceNetwork,
    ask: Ask,
    *,
    out: Path,
    top: int,
) -> list[tuple[FilePrediction, Mapping[str, str | None]]]:
    """Predictions of a file and the files written for it; an exception becomes a status."""
    from fgbench.inference.files import FilePrediction

    nothing: Mapping[str, str | None] = {"picture": None, "frames": None}
    try:
        return [
            (prediction, write_picture(prediction, network, out, name, top))
            for prediction in ask(path, out / f"{name}{FRAMES}")
        ]
    except Exception as error:
        reason, detail = reason_and_detail(error)
        keep_traceback(out, str(path), error)
        return [(FilePrediction(path=path, kind="unreadable", status=reason, message=detail), nothing)]
