"""``fgbench predict``: the classes of pictures and videos of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.cli import places
from fgbench.cli.console import note, print_json, progress_bars, say
from fgbench.cli.evaluate import TrainedRun, needs_torch
from fgbench.cli.options import Device, Json
from fgbench.cli.runs import named_weights
from fgbench.cli.unit_rows import TABLE as UNIT_TABLE
from fgbench.cli.unit_rows import unit_rows, write_unit_rows
from fgbench.faces.status import AS_IS
from fgbench.failures import LOG, TRANSIENT, keep_traceback, reason_and_detail
from fgbench.naming import shown
from fgbench.printable import printable_name

if TYPE_CHECKING:
    import torch

    from fgbench.config import FacesConfig
    from fgbench.training.clip_prediction import Found
    from fgbench.training.file_prediction import FilePrediction, Portrait, Said
    from fgbench.training.inference import FaceNetwork
    from fgbench.training.trained import Trained

Ask = Callable[[Path, Path], "list[FilePrediction]"]
"""Tells of a file, and writes the table of its frames."""

OUT = places.BASE / "predictions"
"""Where pictures and tables go by default."""

_TABLE = "predictions.parquet"
_FRAMES, _PICTURE = ".frames.parquet", ".prediction.png"
_LONGEST_STEM_BYTES = 200  # file systems take names of 255, and suffixes follow
_REASONS = {
    "no_face": "no face was found",
    "ambiguous": "several faces that the recipe cannot tell apart (faces.policy, faces.ambiguity)",
    "unsure": "the landmarks of the face are not sure: it moves too fast or is covered (faces.min_quality)",
    "large_pose": "the face is turned further than the recipe allows (faces.max_abs_yaw_deg)",
    "corrupt_frame": "the decoder found the file damaged",
    "no_prediction": "the network's numbers for it are not finite",
}
"""Why nothing is said of a frame."""

_SEARCHED = {
    "always": "{}",
    "never": "{}; trained on pictures as they are: so are files taken that are such crops",
    "where-found": "{}; small files without one taken as they are",
}
"""How faces are found, by ``faces.align`` of the recipe."""

_MOST_DRAWN = 99
"""Faces of a picture that are drawn, with ``--all-faces``."""

_DRAWN = "The network was trained on SYNTHETIC data: what it says of real faces means nothing."

_OWN, _SUMS = "the network's own outputs", "sums over their classes"


def predict(
    run: TrainedRun,
    paths: Annotated[list[Path], typer.Argument(help="Pictures (JPEG, PNG, ...) and videos.")],
    workdir: Annotated[
        Path,
        typer.Option(
            "--workdir",
            help="Work folder in which the name of an experiment is looked up.",
            show_default="./fgbench-data/demo/work",
        ),
    ] = places.DEMO_WORKDIR,
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
    from fgbench.output_folders import writing_in
    from fgbench.training.device import resolve
    from fgbench.training.trained import read_trained

    network, ask = _opened(read_trained(named_weights(run, workdir)), resolve(device), all_faces=all_faces)
    faces = _found_by(network.trained).faces
    searched = _SEARCHED[faces.align].format(faces.detector)
    note(f"{network.trained.name} on {network.device}; faces by {searched}")
    if _is_drawn(network):
        note(_DRAWN)
    told: list[dict[str, Any]] = []
    names = output_names(paths)
    endings = [_FRAMES, _PICTURE]
    if all_faces:
        endings += [f".face{number}{_PICTURE}" for number in range(1, _MOST_DRAWN + 1)]
    files = [f"{name}{ending}" for name in names for ending in endings]
    has_units = network.trained.kind == "au"
    with writing_in(out, [_TABLE, *([UNIT_TABLE] if has_units else []), *files]):
        try:
            with progress_bars(quiet=json) as progress:
                for number, (path, name) in enumerate(zip(paths, names, strict=True)):
                    for found, written in _told(path, name, network, ask, out=out, top=top):
                        told.append(_plain(found, network, written))
                        if not json:
                            for line in _lines(found, network, written, top):
                                say(line)
                    progress("files", number + 1, len(paths))
        finally:
            if told:  # also where the user interrupts
                _write_table(out / _TABLE, told, network)
                if has_units:
                    write_unit_rows(out / UNIT_TABLE, told, network.classes)
    failed = [item for item in told if item["status"] in TRANSIENT]
    if failed:
        note(f"{len(failed)} of {len(told)} files failed; tracebacks: {out / LOG}")
    if json:
        known = {"units" if has_units else "classes": list(network.classes)}
        rows = {"rows": list(unit_rows(told, network.classes))} if has_units else {}
        print_json({"run": network.trained.name, **known, "files": told, **rows})
    else:
        say(f"table: {out / (UNIT_TABLE if has_units else _TABLE)}")
    if all(item["status"] != "ok" for item in told):
        raise MediaError(
            f"no usable face in any of {len(paths)} files" if len(paths) > 1 else "no usable face",
            "look at the status of each file; the recipe of the work folder says how faces are found (faces)",
        )


def output_names(paths: Sequence[Path]) -> list[str]:
    """Names of the files that are written for others: theirs without suffix, with numbers where two agree.

    Characters that no terminal should be given are written as escapes, and long names are cut.
    """
    names: list[str] = []
    taken: set[str] = set()
    for path in paths:
        stem = printable_name(path.stem).replace("\\", "%")
        while len(stem.encode()) > _LONGEST_STEM_BYTES:
            stem = stem[:-1]
        name, number = stem, 2
        while name.casefold() in taken:  # some file systems take a and A for one
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _told(
    path: Path,
    name: str,
    network: FaceNetwork,
    ask: Ask,
    *,
    out: Path,
    top: int,
) -> list[tuple[FilePrediction, Mapping[str, str | None]]]:
    """What is said of a file, and what was written; whatever is raised concerns this file alone."""
    from fgbench.training.file_prediction import FilePrediction

    nothing: Mapping[str, str | None] = {"picture": None, "frames": None}
    try:
        return [
            (found, _write(found, network, out, name, top)) for found in ask(path, out / f"{name}{_FRAMES}")
        ]
    except Exception as error:
        reason, detail = reason_and_detail(error)
        keep_traceback(out, str(path), error)
        return [(FilePrediction(path=path, kind="unreadable", status=reason, message=detail), nothing)]


def _opened(trained: Trained, device: torch.device, *, all_faces: bool) -> tuple[FaceNetwork, Ask]:
    """The network that tells of faces, and what tells of a file and writes its frames."""
    from fgbench.training.prediction import is_image, predict_everyone

    found = _found_by(trained)
    network, ask = _one_face(trained, device, found)

    def asked(path: Path, to: Path) -> list[FilePrediction]:
        if all_faces and is_image(path):
            return predict_everyone(path, network, found.faces, limits=found.limits)
        return [ask(path, to)]

    return network, asked


def _one_face(
    trained: Trained, device: torch.device, found: Found
) -> tuple[FaceNetwork, Callable[[Path, Path], FilePrediction]]:
    if trained.kind == "video":
        from fgbench.training.clip_inference import open_clip_network
        from fgbench.training.clip_prediction import image_network, predict_clip_file

        clips = open_clip_network(trained, device)
        return image_network(clips), lambda path, to: predict_clip_file(path, clips, found, frames_to=to)
    from fgbench.training.inference import open_network
    from fgbench.training.prediction import predict_file
    from fgbench.training.unit_inference import open_units

    network: FaceNetwork = (open_units if trained.kind == "au" else open_network)(trained, device)
    return network, lambda path, to: predict_file(
        path, network, found.faces, frames_to=to, limits=found.limits
    )


def _found_by(trained: Trained) -> Found:
    """How faces were found and flow was computed for the data that a network was trained on.

    Of weights from elsewhere the defaults, but for the flow where they tell of it.
    """
    from fgbench.config import FacesConfig, IngestConfig, OpticalFlowConfig
    from fgbench.prepare import saved
    from fgbench.training.clip_prediction import Found
    from fgbench.training.flow_origin import FLOW_ORIGIN
    from fgbench.training.stored import FACE_PX
    from fgbench.video import Limits

    faces, flow, ingest = FacesConfig(), OpticalFlowConfig(), IngestConfig()
    if trained.workdir is not None and _has_recipe(trained):
        prepared, _ = saved(trained.workdir)
        faces, flow, ingest = prepared.faces, prepared.optical_flow, prepared.ingest
    faces = faces.model_copy(update=_geometry(trained, faces))
    if told := trained.metadata.get(FLOW_ORIGIN):
        flow = OpticalFlowConfig.model_validate(told)
    return Found(
        faces=faces.model_copy(update={"chip_size": FACE_PX}),
        flow=flow,
        limits=Limits(
            max_picture_px=ingest.max_picture_px,
            max_frame_px=ingest.max_frame_px,
            max_seconds=faces.max_seconds,
        ),
    )


def _geometry(trained: Trained, faces: FacesConfig) -> dict[str, Any]:
    """Geometry of the faces that a network was trained on, as its weights tell it.

    Those that do not are of an earlier version, and saw dlib's, the only one that there was: with the padding
    of the recipe of their work folder, unless that was prepared anew with another geometry since.
    """
    from fgbench.config.prepare import DLIB_PADDING
    from fgbench.evaluation.face_origin import FACE_ORIGIN

    if told := trained.metadata.get(FACE_ORIGIN):
        return {key: told[key] for key in ("geometry", "padding")}
    return {} if faces.geometry == "dlib" else {"geometry": "dlib", "padding": DLIB_PADDING}


def _has_recipe(trained: Trained) -> bool:
    from fgbench.workfolder import RUN_FILE

    return trained.workdir is not None and (trained.workdir / RUN_FILE).is_file()


def _is_drawn(network: FaceNetwork) -> bool:
    """Whether the network is known to have been trained on drawn faces."""
    from fgbench.training.chain import chain_of

    return bool(chain_of(network.trained)[0]["synthetic"])


def _write(
    found: FilePrediction, network: FaceNetwork, out: Path, name: str, top: int
) -> Mapping[str, str | None]:
    """Draw the face; returns what was written, by name."""
    from fgbench import storage
    from fgbench.reports.prediction_picture import ShownPrediction, draw_prediction
    from fgbench.reports.render import png

    frames = out / f"{name}{_FRAMES}"
    written: dict[str, str | None] = {
        "picture": None,
        "frames": str(frames) if found.kind == "video" and found.n_frames else None,
    }
    if found.portrait is None:
        return written
    portrait = found.portrait
    said = portrait.said
    prediction = ShownPrediction(
        title=_title(found, portrait),
        notes=[*_notes(found), *([_DRAWN] if _is_drawn(network) else [])],
        picture=portrait.picture,
        box_xyxy=portrait.box_xyxy,
        landmarks=portrait.landmarks,
        outline=portrait.outline,
        regions=portrait.regions,
        n_zooms=network.n_zooms,
        fine=ranked(network.classes, said.fine)[:top],
        basic=ranked(network.upper, said.basic),
        basic_source=_SUMS if said.basic_head is None else _OWN,
        fine_title="likeliest action units" if network.trained.kind == "au" else "likeliest classes",
    )
    if found.face is not None:
        if found.face > _MOST_DRAWN:
            return written
        name = f"{name}.face{found.face}"
    path = out / f"{name}{_PICTURE}"
    storage.write_bytes(path, png(draw_prediction(prediction)))
    written["picture"] = str(path)
    return written


def _title(found: FilePrediction, portrait: Portrait) -> str:
    if portrait.frame_index is None:
        return printable_name(found.path.name)
    return (
        f"{printable_name(found.path.name)}, surest frame: {portrait.frame_index} at {portrait.time_s:.2f} s"
    )


def _notes(found: FilePrediction) -> list[str]:
    if found.kind != "video":
        return []
    how = f"told by the {_streams(found)} from" if found.streams else "the mean over"
    model = "" if found.streams else "; no temporal model"
    return [
        f"Probabilities of this frame. The clip's label is {how} its {found.n_faces} frames with a usable "
        f"face{model}."
    ]


def _streams(found: FilePrediction) -> str:
    return f"{' and the '.join(found.streams)} stream{'s' if len(found.streams) > 1 else ''}"


def ranked(names: Sequence[str], values: Any) -> list[tuple[str, float]]:
    """Names with their probabilities, the likeliest first; of equal ones the first."""
    pairs = zip(names, (float(value) for value in values), strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def _lines(
    found: FilePrediction, network: FaceNetwork, written: Mapping[str, str | None], top: int
) -> list[str]:
    """What is printed of a file."""
    if found.kind == "unreadable" or not found.n_frames:
        return [f"{printable_name(found.path)}: {found.status}: {found.message}"]
    frames = f", {found.n_faces} of {found.n_frames} frames with a usable face"
    reason = f", {_REASONS[found.status]}" if found.status in _REASONS else ""
    face = "" if found.face is None else f", face {found.face} of {found.n_people} from the left"
    lines = [
        f"{printable_name(found.path)}{face}: {found.status}{reason}{frames if found.kind == 'video' else ''}"
    ]
    if found.said is not None:
        said = found.said
        if found.kind == "video":
            by = f"by the {_streams(found)} over all of them" if found.streams else "mean over these frames"
            lines.append(f"  {by}{'' if found.streams else ' (no temporal model)'}:")
        what = "action units" if network.trained.kind == "au" else "class"
        lines.append(f"  {what}: {_listed(ranked(network.classes, said.fine)[:top])}")
        for source, values in ((_OWN, said.basic_head), (_SUMS, said.basic_sum)):
            if values is not None and network.upper:
                lines.append(f"  upper class, {source}: {_listed(ranked(network.upper, values)[:3])}")
    if found.statuses.get(AS_IS):
        what = "all of it" if found.kind == "video" else "the picture"
        why = "its face fills it" if found.n_people else "no face was found"
        lines.append(f"  {why}, {what} taken as it is")
    if found.n_people > 1 and found.face is None:
        lines.append(f"  warning: {_people(found)}")
    if found.n_tracks > 1:
        lines.append(f"  warning: {found.n_tracks} different faces were followed, the mean mixes them")
    if found.face == _MOST_DRAWN + 1:
        lines.append(f"  the first {_MOST_DRAWN} faces of a picture are drawn, the others are in the table")
    if found.message:
        lines.append(f"  warning: {found.message}")
    others = {status: n for status, n in found.statuses.items() if status != "ok"}
    if found.kind == "video" and others:
        lines.append("  other frames: " + ", ".join(f"{n} {status}" for status, n in others.items()))
    return lines + [f"  {what}: {path}" for what, path in written.items() if path is not None]


def _people(found: FilePrediction) -> str:
    if found.kind == "video":
        return f"up to {found.n_people} people in a frame; this is of the one who is followed"
    told = "nothing is said of one of them" if found.said is None else "this is of one of them"
    return f"{found.n_people} people in the picture; {told}; --all-faces tells of each"


def _listed(pairs: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)


def _plain(found: FilePrediction, network: FaceNetwork, written: Mapping[str, str | None]) -> dict[str, Any]:
    """A row of the table, and of the JSON document."""
    said: Said | None = found.said
    portrait = found.portrait
    box = found.box_xyxy if portrait is None else portrait.box_xyxy
    fine = [] if said is None else ranked(network.classes, said.fine)
    upper = [] if said is None else ranked(network.upper, said.basic)
    return {
        "path": shown(str(found.path)),
        "kind": found.kind,
        "status": found.status,
        "message": shown(found.message),
        "n_frames": found.n_frames,
        "n_faces": found.n_faces,
        "n_tracks": found.n_tracks,
        "n_people": found.n_people,
        "face": found.face,
        "align": _align(found),
        "label": fine[0][0] if fine and network.trained.kind != "au" else None,
        "basic": upper[0][0] if upper else None,
        "probabilities": None if said is None else said.fine.tolist(),
        "basic_sum": None if said is None else said.basic_sum.tolist(),
        "basic_head": None if said is None or said.basic_head is None else said.basic_head.tolist(),
        "box": None if box is None else box.tolist(),
        "box_frame": None if portrait is None else portrait.frame_index,
        **{what: None if path is None else shown(path) for what, path in written.items()},
    }


def _align(found: FilePrediction) -> str | None:
    """How the faces of a file were aligned, as the column ``align`` of data sets tells it."""
    from fgbench.stages.publish import ALIGNED, NOT_ALIGNED

    if not found.n_faces:
        return None
    return NOT_ALIGNED if found.statuses.get(AS_IS) else ALIGNED


def _write_table(path: Path, rows: Sequence[Mapping[str, Any]], network: FaceNetwork) -> None:
    import pyarrow as pa

    from fgbench import storage
    from fgbench.training.file_prediction import files_schema

    storage.write_table(
        path, pa.Table.from_pylist(list(rows), schema=files_schema(network.classes, network.upper))
    )
