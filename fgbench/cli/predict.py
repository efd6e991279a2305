"""``fgbench predict``: the classes of users' own pictures and videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from fgbench.cli import places
from fgbench.cli.console import note, print_json, progress_bars, say
from fgbench.cli.evaluate import TrainedRun, needs_torch
from fgbench.cli.options import Device, Json, NamedIn
from fgbench.cli.predicted_files import MOST_DRAWN, file_lines, file_row, write_file_rows
from fgbench.cli.predicted_pictures import DRAWN, FRAMES, PICTURE, is_drawn, output_names, write_picture
from fgbench.cli.runs import named_weights
from fgbench.cli.unit_rows import TABLE as UNIT_TABLE
from fgbench.cli.unit_rows import unit_rows, write_unit_rows
from fgbench.preparation.failures import LOG, TRANSIENT, keep_traceback, reason_and_detail

if TYPE_CHECKING:
    import torch

    from fgbench.config import FacesConfig
    from fgbench.inference.clips import InputSettings
    from fgbench.inference.files import FilePrediction
    from fgbench.methods.protocol import ClipNetwork, FaceNetwork
    from fgbench.runs.weights import Trained

Ask = Callable[[Path, Path], "list[FilePrediction]"]
"""Predicts a file, and writes the table of its frames."""

OUT = places.BASE / "predictions"
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
    workdir: NamedIn = places.DEMO_WORKDIR,
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
    from fgbench.runs.weights import read_trained
    from fgbench.training.device import resolve
    from fgbench.workfolders.output_folders import writing_in

    network, ask = _opened(read_trained(named_weights(run, workdir)), resolve(device), all_faces=all_faces)
    faces = _file_settings(network.trained).faces
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


def _opened(trained: Trained, device: torch.device, *, all_faces: bool) -> tuple[FaceNetwork, Ask]:
    """The network of faces, and the function that predicts a file and writes its frames."""
    from fgbench.inference.pictures import is_image, predict_everyone

    settings = _file_settings(trained)
    network, ask = _one_face(trained, device, settings)

    def asked(path: Path, to: Path) -> list[FilePrediction]:
        if all_faces and is_image(path):
            return predict_everyone(path, network, settings.faces, limits=settings.limits)
        return [ask(path, to)]

    return network, asked


def _one_face(
    trained: Trained, device: torch.device, settings: InputSettings
) -> tuple[FaceNetwork, Callable[[Path, Path], FilePrediction]]:
    from fgbench.inference.clips import predict_clip_file
    from fgbench.inference.pictures import predict_file
    from fgbench.methods.protocol.kinds import open_trained

    opened = open_trained(trained, device)
    if opened.task == "clips":
        clips = cast("ClipNetwork", opened)
        return clips.faces, lambda path, to: predict_clip_file(path, clips, settings, frames_to=to)
    network = cast("FaceNetwork", opened)
    return network, lambda path, to: predict_file(
        path, network, settings.faces, frames_to=to, limits=settings.limits
    )


def _file_settings(trained: Trained) -> InputSettings:
    """Settings of faces and flow of the data that a network was trained on.

    For weights without a work folder the defaults, except for the flow where the weights store it.
    """
    from fgbench.config import FacesConfig, IngestConfig, OpticalFlowConfig
    from fgbench.inference.clips import InputSettings
    from fgbench.inputs.manifest_pictures import FACE_PX
    from fgbench.media.video import Limits
    from fgbench.methods.tmsau.flow_origin import FLOW_ORIGIN
    from fgbench.preparation.prepare import saved

    faces, flow, ingest = FacesConfig(), OpticalFlowConfig(), IngestConfig()
    if trained.workdir is not None and _has_recipe(trained):
        prepared, _ = saved(trained.workdir)
        faces, flow, ingest = prepared.faces, prepared.optical_flow, prepared.ingest
    faces = faces.model_copy(update=_geometry(trained, faces))
    if flow_origin := trained.metadata.get(FLOW_ORIGIN):
        flow = OpticalFlowConfig.model_validate(flow_origin)
    return InputSettings(
        faces=faces.model_copy(update={"chip_size": FACE_PX}),
        flow=flow,
        limits=Limits(
            max_picture_px=ingest.max_picture_px,
            max_frame_px=ingest.max_frame_px,
            max_seconds=faces.max_seconds,
        ),
    )


def _geometry(trained: Trained, faces: FacesConfig) -> dict[str, Any]:
    """Geometry of the faces that a network was trained on, from its weights.

    Weights without it are of an earlier version and used dlib's geometry, the only one then: with the padding
    in the recipe of their work folder, unless that was prepared anew with another geometry since.
    """
    from fgbench.config.prepare import DLIB_PADDING
    from fgbench.runs.face_origin import FACE_ORIGIN

    if origin := trained.metadata.get(FACE_ORIGIN):
        return {key: origin[key] for key in ("geometry", "padding")}
    return {} if faces.geometry == "dlib" else {"geometry": "dlib", "padding": DLIB_PADDING}


def _has_recipe(trained: Trained) -> bool:
    from fgbench.workfolders.folder import RUN_FILE

    return trained.workdir is not None and (trained.workdir / RUN_FILE).is_file()
