"""What ``fgbench predict`` tells of a file: lines for people, and rows of the table and of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.faces.status import AS_IS
from fgbench.naming import shown
from fgbench.printable import printable_name

if TYPE_CHECKING:
    from fgbench.inference.files import FilePrediction, Said
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
"""Why nothing is said of a frame."""

MOST_DRAWN = 99
"""Faces of a picture that are drawn, with ``--all-faces``."""

OWN, SUMS = "the network's own outputs", "sums over their classes"
"""Where probabilities of upper classes are from."""


def ranked(names: Sequence[str], values: Any) -> list[tuple[str, float]]:
    """Names with their probabilities, the likeliest first; of equal ones the first."""
    pairs = zip(names, (float(value) for value in values), strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def streams_named(found: FilePrediction) -> str:
    """The streams that told of a clip, in words."""
    return f"{' and the '.join(found.streams)} stream{'s' if len(found.streams) > 1 else ''}"


def file_lines(
    found: FilePrediction, network: FaceNetwork, written: Mapping[str, str | None], top: int
) -> list[str]:
    """What is printed of a file.

    Args:
        found: What was found in it.
        network: What told of it.
        written: Name of each kind of file that was written to its path.
        top: Number of classes that are told.
    """
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
            by = (
                f"by the {streams_named(found)} over all of them"
                if found.streams
                else "mean over these frames"
            )
            lines.append(f"  {by}{'' if found.streams else ' (no temporal model)'}:")
        what = "action units" if network.task == "units" else "class"
        lines.append(f"  {what}: {_listed(ranked(network.classes, said.fine)[:top])}")
        for source, values in ((OWN, said.basic_head), (SUMS, said.basic_sum)):
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
    if found.face == MOST_DRAWN + 1:
        lines.append(f"  the first {MOST_DRAWN} faces of a picture are drawn, the others are in the table")
    if found.message:
        lines.append(f"  warning: {found.message}")
    others = {status: n for status, n in found.statuses.items() if status != "ok"}
    if found.kind == "video" and others:
        lines.append("  other frames: " + ", ".join(f"{n} {status}" for status, n in others.items()))
    return lines + [f"  {what}: {path}" for what, path in written.items() if path is not None]


def _people(found: FilePrediction) -> str:
    if found.kind == "video":
        return f"up to {found.n_people} people in a frame; this is of the one who is followed"
    told = "nothing is said of any of them" if found.said is None else "this is of one of them"
    return f"{found.n_people} people in the picture; {told}; --all-faces tells of each"


def _listed(pairs: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)


def file_row(
    found: FilePrediction, network: FaceNetwork, written: Mapping[str, str | None]
) -> dict[str, Any]:
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
        "label": fine[0][0] if fine and network.task != "units" else None,
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
    from fgbench.preparation.stages.publish import ALIGNED, NOT_ALIGNED

    if not found.n_faces:
        return None
    return NOT_ALIGNED if found.statuses.get(AS_IS) else ALIGNED


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
