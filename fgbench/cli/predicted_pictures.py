"""What ``fgbench predict`` writes for a file: its name, and a picture of the face that is told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli.predicted_files import MOST_DRAWN, OWN, SUMS, ranked, streams_named
from fgbench.printable import printable_name

if TYPE_CHECKING:
    from fgbench.inference.files import FilePrediction, Portrait
    from fgbench.methods.protocol import FaceNetwork

FRAMES, PICTURE = ".frames.parquet", ".prediction.png"
_LONGEST_STEM_BYTES = 200  # file systems take names of 255, and suffixes follow

DRAWN = "The network was trained on SYNTHETIC data: what it says of real faces means nothing."


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


def is_drawn(network: FaceNetwork) -> bool:
    """Whether the network is known to have been trained on drawn faces."""
    from fgbench.methods._networks.chain import chain_of

    return bool(chain_of(network.trained)[0]["synthetic"])


def write_picture(
    found: FilePrediction, network: FaceNetwork, out: Path, name: str, top: int
) -> Mapping[str, str | None]:
    """Draw the face; returns what was written, by name."""
    from fgbench import storage
    from fgbench.reports.rendering.render import png
    from fgbench.reports.run.prediction_picture import ShownPrediction, draw_prediction

    frames = out / f"{name}{FRAMES}"
    written: dict[str, str | None] = {
        "picture": None,
        "frames": str(frames) if found.kind == "video" and found.n_frames else None,
    }
    if found.portrait is None:
        return written
    portrait = found.portrait
    said = portrait.probabilities
    prediction = ShownPrediction(
        title=_title(found, portrait),
        notes=[*_notes(found), *([DRAWN] if is_drawn(network) else [])],
        picture=portrait.picture,
        box_xyxy=portrait.box_xyxy,
        landmarks=portrait.landmarks,
        outline=portrait.outline,
        regions=portrait.regions,
        n_zooms=network.n_zooms,
        fine=ranked(network.classes, said.fine)[:top],
        basic=ranked(network.upper, said.basic),
        basic_source=SUMS if said.basic_head is None else OWN,
        fine_title="likeliest action units" if network.task == "units" else "likeliest classes",
    )
    if found.face is not None:
        if found.face > MOST_DRAWN:
            return written
        name = f"{name}.face{found.face}"
    path = out / f"{name}{PICTURE}"
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
    how = f"told by the {streams_named(found)} from" if found.streams else "the mean over"
    model = "" if found.streams else "; no temporal model"
    return [
        f"Probabilities of this frame. The clip's label is {how} its {found.n_faces} frames with a usable "
        f"face{model}."
    ]
