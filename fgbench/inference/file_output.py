"""Output of ``fgbench predict`` per file: lines for people, rows of the table or of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.faces.status import AS_IS
from fgbench.naming import shown
from fgbench.printable import printable_name

if TYPE_CHECKING:
    from fgbench.inference.files import ClassProbabilities, FilePrediction
    from fgbench.methods.protocol import FaceNetwork

_REASONS = {
    "no_face": "no face was found",
    "ambiguous": "several faces that the recipe cannot tell apart (faces.policy, faces.ambiguity)",
    "unsure": "the landmarks of the face are not sure: it moves too fast or is covered (faces.min_quality)",
    "large_pose": "the face is turned further than the recipe allows (faces.max_abs_yaw_deg)",
    "passing": "its faces are there for a moment only (faces.min_track_s)",
    "corrupt_frame": "the decoder found the file damaged",
    "no_prediction": "the network's numbers for it are not finite",
}
"""Reasons why a frame has no prediction."""

MOST_DRAWN = 99
"""Number of faces of a picture that are drawn, with ``--all-faces``."""

OWN, SUMS = "the network's own outputs", "sums over their classes"
"""Sources of the probabilities of upper classes."""


def ranked(names: Sequence[str], values: Any) -> list[tuple[str, float]]:
    """Names with their probabilities, the most probable first; ties in order."""
    pairs = zip(names, (float(value) for value in values), strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def streams_named(prediction: FilePrediction) -> str:
    """The streams that predicted a clip, in words."""
    return f"{' and the '.join(prediction.streams)} stream{'s' if len(prediction.streams) > 1 else ''}"


def file_lines(
    prediction: FilePrediction, network: FaceNetwork, written: Mapping[str, str | None], top: int
) -> list[str]:
    """Lines on a file.

    Args:
        prediction: Prediction of the file.
        network: Network that made it.
        written: Kind of written file to its path.
        top: Number of classes to print.
    """
    if prediction.kind == "unreadable" or not prediction.n_frames:
        return [f"{printable_name(prediction.path)}: {prediction.status}: {prediction.message}"]
    frames = f", {prediction.n_faces} of {prediction.n_frames} frames with a usable face"
    reason = f", {_REASONS[prediction.status]}" if prediction.status in _REASONS else ""
    whose = f", face {prediction.face} of {prediction.n_people} from the left"
    lines = [
        f"{printable_name(prediction.path)}{'' if prediction.face is None else whose}: {prediction.status}"
        f"{reason}{frames if prediction.kind == 'video' else ''}"
    ]
    if prediction.probabilities is not None:
        outputs = prediction.probabilities
        if prediction.kind == "video":
            by = (
                f"by the {streams_named(prediction)} over all of them"
                if prediction.streams
                else "mean over these frames"
            )
            lines.append(f"  {by}{'' if prediction.streams else ' (no temporal model)'}:")
        what = "action units" if network.task == "units" else "class"
        lines.append(f"  {what}: {_listed(ranked(network.classes, outputs.fine)[:top])}")
        for source, values in ((OWN, outputs.basic_head), (SUMS, outputs.basic_sum)):
            if values is not None and network.upper:
                lines.append(f"  upper class, {source}: {_listed(ranked(network.upper, values)[:3])}")
    if prediction.statuses.get(AS_IS):
        what = "all of it" if prediction.kind == "video" else "the picture"
        why = "its face fills it" if prediction.n_people else "no face was found"
        lines.append(f"  {why}, {what} taken as it is")
    if prediction.n_people > 1 and prediction.face is None:
        lines.append(f"  warning: {_people(prediction)}")
    if prediction.n_tracks > 1:
        lines.append(f"  warning: {prediction.n_tracks} different faces were followed, the mean mixes them")
    if prediction.face == MOST_DRAWN + 1:
        lines.append(f"  the first {MOST_DRAWN} faces of a picture are drawn, the others are in the table")
    if prediction.message:
        lines.append(f"  warning: {prediction.message}")
    others = {status: n for status, n in prediction.statuses.items() if status != "ok"}
    if prediction.kind == "video" and others:
        lines.append("  other frames: " + ", ".join(f"{n} {status}" for status, n in others.items()))
    return lines + [f"  {what}: {path}" for what, path in written.items() if path is not None]


def _people(prediction: FilePrediction) -> str:
    if prediction.kind == "video":
        return f"up to {prediction.n_people} people in a frame; this is of the one who is followed"
    is_none = prediction.probabilities is None
    note = "nothing is said of any of them" if is_none else "this is of one of them"
    return f"{prediction.n_people} people in the picture; {note}; --all-faces tells of each"


def _listed(pairs: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)


def file_row(
    prediction: FilePrediction, network: FaceNetwork, written: Mapping[str, str | None]
) -> dict[str, Any]:
    """Row of the table, and of the JSON document."""
    outputs: ClassProbabilities | None = prediction.probabilities
    portrait = prediction.portrait
    box = prediction.box_xyxy if portrait is None else portrait.box_xyxy
    fine = [] if outputs is None else ranked(network.classes, outputs.fine)
    upper = [] if outputs is None else ranked(network.upper, outputs.basic)
    return {
        "path": shown(str(prediction.path)),
        "kind": prediction.kind,
        "status": prediction.status,
        "message": shown(prediction.message),
        "n_frames": prediction.n_frames,
        "n_faces": prediction.n_faces,
        "n_tracks": prediction.n_tracks,
        "n_people": prediction.n_people,
        "face": prediction.face,
        "align": _align(prediction),
        "label": fine[0][0] if fine and network.task != "units" else None,
        "basic": upper[0][0] if upper else None,
        "probabilities": None if outputs is None else outputs.fine.tolist(),
        "basic_sum": None if outputs is None else outputs.basic_sum.tolist(),
        "basic_head": None if outputs is None or outputs.basic_head is None else outputs.basic_head.tolist(),
        "box": None if box is None else box.tolist(),
        "box_frame": None if portrait is None else portrait.frame_index,
        **{what: None if path is None else shown(path) for what, path in written.items()},
    }


def _align(prediction: FilePrediction) -> str | None:
    """Alignment of the faces of a file, as in the column ``align`` of data sets."""
    from fgbench.preparation.stages.publish import ALIGNED, NOT_ALIGNED

    if not prediction.n_faces:
        return None
    return NOT_ALIGNED if prediction.statuses.get(AS_IS) else ALIGNED


def write_file_rows(path: Path, rows: Sequence[Mapping[str, Any]], network: FaceNetwork) -> None:
    """Write rows of :func:`file_row` as the table of all files.

    Raises:
        ResourceError: If it cannot be written.
    """
    import pyarrow as pa

    from fgbench import storage
    from fgbench.inference.files import files_schema

    storage.write_table(
        path, pa.Table.from_pylist(list(rows), schema=files_schema(network.classes, network.upper))
    )
