"""Files of ``fgbench predict``: their names, and a picture of the predicted face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.inference.file_output import MOST_DRAWN, OWN, SUMS, ranked, streams_named
from fgbench.printable import printable_name

if TYPE_CHECKING:
    from fgbench.inference.files import FilePrediction, Portrait
    from fgbench.methods.protocol import FaceNetwork

FRAMES, PICTURE = ".frames.parquet", ".prediction.png"
_LONGEST_STEM_BYTES = 200  # file systems allow names of 255, and suffixes follow

DRAWN = "The network was trained on SYNTHETIC data: what it says of real faces means nothing."


def output_names(paths: Sequence[Path]) -> list[str]:
    """Names of the output files: those of the input without suffix, numbered where two agree.

    Characters unsafe for a terminal are escaped, and long names are cut.
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
    file_prediction: FilePrediction, network: FaceNetwork, out: Path, name: str, top: int
) -> Mapping[str, str | None]:
    """Draw the face of a prediction; returns the written files by kind."""
    from fgbench import storage
    from fgbench.reports.rendering.drawings import png
    from fgbench.reports.run.prediction_picture import ShownPrediction, draw_prediction

    frames = out / f"{name}{FRAMES}"
    written: dict[str, str | None] = {
        "picture": None,
        "frames": str(frames) if file_prediction.kind == "video" and file_prediction.n_frames else None,
    }
    if file_prediction.portrait is None:
        return written
    portrait = file_prediction.portrait
    outputs = portrait.probabilities
    prediction = ShownPrediction(
        title=_title(file_prediction, portrait),
        notes=[*_notes(file_prediction), *([DRAWN] if is_drawn(network) else [])],
        picture=portrait.picture,
        box_xyxy=portrait.box_xyxy,
        landmarks=portrait.landmarks,
        outline=portrait.outline,
        regions=portrait.regions,
        n_zooms=network.n_zooms,
        fine=ranked(network.classes, outputs.fine)[:top],
        basic=ranked(network.upper, outputs.basic),
        basic_source=SUMS if outputs.basic_head is None else OWN,
        fine_title="likeliest action units" if network.task == "units" else "likeliest classes",
    )
    if file_prediction.face is not None:
        if file_prediction.face > MOST_DRAWN:
            return written
        name = f"{name}.face{file_prediction.face}"
    path = out / f"{name}{PICTURE}"
    storage.write_bytes(path, png(draw_prediction(prediction)))
    written["picture"] = str(path)
    return written


def _title(prediction: FilePrediction, portrait: Portrait) -> str:
    name = printable_name(prediction.path.name)
    if portrait.frame_index is None:
        return name
    return f"{name}, surest frame: {portrait.frame_index} at {portrait.time_s:.2f} s"


def _notes(prediction: FilePrediction) -> list[str]:
    if prediction.kind != "video":
        return []
    how = f"told by the {streams_named(prediction)} from" if prediction.streams else "the mean over"
    model = "" if prediction.streams else "; no temporal model"
    return [
        f"Probabilities of this frame. The clip's label is {how} its {prediction.n_faces} frames with a "
        f"usable face{model}."
    ]
