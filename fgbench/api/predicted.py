"""``network.predict_files``: predictions of pictures and videos as tables, with a picture of each face."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import path_of, paths_of, shown, switch, whole
from fgbench.api.progress import Shown, bars, log, shown_as
from fgbench.errors import ConfigError

if TYPE_CHECKING:
    from fgbench.callbacks import Progress
    from fgbench.inference.files import FilePrediction
    from fgbench.inference.own_networks import OpenedNetwork

Told = Callable[[list[str]], None]
"""Called with lines of text on each file, when it is done."""

_TABLE = "predictions.parquet"
_SEARCHED = {
    "always": "{}",
    "never": "{}; trained on pictures as they are: so are files taken that are such crops",
    "where-found": "{}; small files without one taken as they are",
}
"""Detection of faces, by ``faces.align`` of the recipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedFiles:
    """Predictions of several files.

    Attributes:
        run: Name of the run that the network comes from.
        folder: Folder of the files that were written.
        table: Table of all: of classes ``predictions.parquet``, of action units ``action_units.csv``.
        outputs: Names of the classes, or of the action units.
        is_units: Whether they are action units.
        n_files: Files that were given.
        rows: A row per file, or per face in it: path, status, label, probabilities, box, and files that were
            written.
    """

    run: str
    folder: Path
    table: Path
    outputs: tuple[str, ...]
    is_units: bool
    n_files: int
    rows: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; of action units also a row per frame of every video."""
        from fgbench.inference.unit_rows import unit_rows

        named = {"units" if self.is_units else "classes": list(self.outputs)}
        frames = {"rows": list(unit_rows(self.rows, self.outputs))} if self.is_units else {}
        return {"run": self.run, **named, "files": [dict(row) for row in self.rows], **frames}

    def require_face(self) -> None:
        """Do nothing where a file has a usable face.

        Raises:
            MediaError: If none has.
        """
        from fgbench.errors import MediaError

        if all(row["status"] != "ok" for row in self.rows):
            raise MediaError(
                f"no usable face in any of {self.n_files} files" if self.n_files > 1 else "no usable face",
                "look at the status of each file; the recipe of the work folder says how faces are found "
                "(faces)",
            )

    def __repr__(self) -> str:
        n = sum(row["status"] == "ok" for row in self.rows)
        return f"<PredictedFiles: {n} of {len(self.rows)} with a usable face, {self.table}>"


def predict_files(
    own: OpenedNetwork,
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    top: int = 5,
    all_faces: bool = False,
    progress: Shown = None,
    told: Told | None = None,
) -> PredictedFiles:
    """Predict files and write tables and pictures; arguments and errors as of
    :meth:`fgbench.Network.predict_files`.

    Args:
        own: The network with how its faces are found.
        told: Hears lines of text on each file when it is done; ``None``: nobody.
    """
    from fgbench.inference.drawn_files import DRAWN, is_drawn, output_names
    from fgbench.inference.file_output import write_file_rows
    from fgbench.inference.unit_rows import TABLE, write_unit_rows
    from fgbench.preparation.failures import LOG, TRANSIENT
    from fgbench.workfolders.output_folders import writing_in

    files = paths_of("paths", paths, example="['photo.jpg', 'video.mp4']")
    folder, top = path_of("out", out, example="'predictions'"), whole("top", top, least=1)
    all_faces, progress = switch("all_faces", all_faces), shown_as(progress)
    if told is not None and not callable(told):
        raise ConfigError(f"told {shown(told)}, expected a function of lines of text", "e.g. told=print")
    network, faces = own.network, own.settings.faces
    names = output_names(files)
    is_units = network.task == "units"
    log(
        f"{network.trained.name} on {network.device}; "
        f"faces by {_SEARCHED[faces.align].format(faces.detector)}"
    )
    if is_drawn(network):
        log(DRAWN)
    predicted: list[dict[str, Any]] = []
    written = [_TABLE, *([TABLE] if is_units else []), *_written(names, all_faces=all_faces)]
    with writing_in(folder, written):
        try:
            with bars(progress) as update:
                _predict_each(
                    own, files, names, predicted, folder, update, top=top, all_faces=all_faces, told=told
                )
        finally:
            if predicted:  # also where the user interrupts
                write_file_rows(folder / _TABLE, predicted, network)
                if is_units:
                    write_unit_rows(folder / TABLE, predicted, network.classes)
    if failed := [row for row in predicted if row["status"] in TRANSIENT]:
        log(f"{len(failed)} of {len(predicted)} files failed; tracebacks: {folder / LOG}")
    return PredictedFiles(
        run=network.trained.name,
        folder=folder,
        table=folder / (TABLE if is_units else _TABLE),
        outputs=tuple(network.classes),
        is_units=is_units,
        n_files=len(files),
        rows=tuple(predicted),
    )


def _written(names: Sequence[str], *, all_faces: bool) -> list[str]:
    """Names of all files that may be written for inputs."""
    from fgbench.inference.drawn_files import FRAMES, PICTURE
    from fgbench.inference.file_output import MOST_DRAWN

    endings = [FRAMES, PICTURE]
    if all_faces:
        endings += [f".face{number}{PICTURE}" for number in range(1, MOST_DRAWN + 1)]
    return [f"{name}{ending}" for name in names for ending in endings]


def _predict_each(
    own: OpenedNetwork,
    files: Sequence[Path],
    names: Sequence[str],
    predicted: list[dict[str, Any]],
    out: Path,
    progress: Progress,
    *,
    top: int,
    all_faces: bool,
    told: Told | None,
) -> None:
    """Append a row per file, or face, to ``predicted``, and write its pictures and frames."""
    from fgbench.inference.file_output import file_lines, file_row

    for number, (path, name) in enumerate(zip(files, names, strict=True)):
        for prediction, written in _predicted(own, path, name, out, top=top, all_faces=all_faces):
            predicted.append(file_row(prediction, own.network, written))
            if told is not None:
                told(file_lines(prediction, own.network, written, top))
        progress("files", number + 1, len(files))


def _predicted(
    own: OpenedNetwork, path: Path, name: str, out: Path, *, top: int, all_faces: bool
) -> list[tuple[FilePrediction, Mapping[str, str | None]]]:
    """Predictions of a file and the files written for it; an exception becomes a status."""
    from fgbench.inference.drawn_files import FRAMES, write_picture
    from fgbench.inference.files import FilePrediction
    from fgbench.preparation.failures import keep_traceback, reason_and_detail

    frames_to = out / f"{name}{FRAMES}"
    nothing: Mapping[str, str | None] = {"picture": None, "frames": None}
    try:
        if all_faces:
            predictions = own.predict_everyone(path, frames_to=frames_to)
        else:
            predictions = [own.predict(path, frames_to=frames_to)]
        return [(one, write_picture(one, own.network, out, name, top)) for one in predictions]
    except Exception as error:
        reason, detail = reason_and_detail(error)
        keep_traceback(out, str(path), error)
        return [(FilePrediction(path=path, kind="unreadable", status=reason, message=detail), nothing)]
