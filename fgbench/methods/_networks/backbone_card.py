"""Lines of the model card of a run on a network of the user's: the network, its licence, what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbench.naming import counted
from fgbench.printable import printable_name

_CROPS = {
    "stored": "faces aligned by fgbench, 224 x 224",
    "arcface": "faces aligned by five points as InsightFace's, 112 x 112",
    "wide": "faces aligned by fgbench, with the margin of stage wide_faces",
}


def backbone_lines(metadata: Mapping[str, Any]) -> list[str]:
    """Return the lines.

    Args:
        metadata: Metadata of the weights, as :mod:`fgbench.methods.backbone.written` makes them.
    """
    tuned = metadata.get("finetuned")
    return [
        *_network_lines(metadata, is_frozen=not tuned),
        *(_tuned_lines(tuned) if tuned else ()),
        *_input_lines(metadata),
        f"- Features: {printable_name(metadata['backbone']['reads'])}",
        *_classifier(metadata),
    ]


def trunk_lines(metadata: Mapping[str, Any]) -> list[str]:
    """Return the lines of an image model whose trunk is a network of the user's.

    Args:
        metadata: Metadata of its weights, as :mod:`fgbench.methods.msau.backbone_trunk` makes them.
    """
    trains = bool(metadata["trunk_trains"])
    kept = "trained on; what was trained of it is part of these weights" if trains else "frozen"
    return [
        *_network_lines(metadata, is_frozen=not trains),
        f"- Trunk: {printable_name(metadata['backbone']['reads'])}; {kept}. The paper's is DRML's",
        *_input_lines(metadata),
    ]


def _network_lines(metadata: Mapping[str, Any], *, is_frozen: bool) -> list[str]:
    """Lines on the network: its file, architecture and licence."""
    about, licence = metadata["backbone"], metadata.get("licence")
    stated = (
        "not stated; ask whoever made it"
        if not licence
        else f"{printable_name(licence)} (as the user states)"
    )
    return [
        f"- {'Frozen network' if is_frozen else 'Network'}: {printable_name(about['file'])} "
        f"({about['format']}), SHA-256 {about['sha256']}; it is not part of these weights",
        *_architecture(about),
        f"- Licence of {'the frozen' if is_frozen else 'that'} network: {stated}",
    ]


def _input_lines(metadata: Mapping[str, Any]) -> list[str]:
    """Lines on what it is given."""
    taken = metadata["input"]
    size = f"{taken['size_px']} x {taken['size_px']}"
    normalised = f"(level x {taken['scale']:.6g} - {_numbers(taken['mean'])}) / {_numbers(taken['std'])}"
    return [
        f"- Crop: {_CROPS[taken['crop']]}, resized to {size}",
        f"- Normalisation: {taken['colours'].upper()}, {normalised}",
    ]


def _tuned_lines(tuned: Mapping[str, Any]) -> list[str]:
    """Lines on what was trained of a network, and is part of the weights."""
    what = {
        "all": "all of it",
        "last": f"its last {counted(tuned['blocks'], 'block')} and what follows",
        "lora": f"adapters (LoRA) of rank {tuned['rank']} beside {len(tuned['targets'])} layers",
    }[tuned["kind"]]
    return [f"- Trained of that network: {what}; SHA-256 of these tensors {tuned['trained']}"]


def _classifier(metadata: Mapping[str, Any]) -> list[str]:
    """Lines on what classifies features: a head, of clips on the mean of their pieces, or attention."""
    lines = []
    if pieces := metadata.get("pieces"):
        window = pieces["window"]
        what = f"windows of {window} frames" if window else "frames"
        lines.append(f"- Pieces of a clip: at most {pieces['most']} {what}")
    if attention := metadata.get("attention"):
        return [*lines, f"- Attention: two blocks over {attention['size']} numbers of each piece"]
    head = metadata["head"]
    return [*lines, f"- Head: {head['decides']}, scaling {head['scaling']}"]


def _architecture(about: Mapping[str, Any]) -> list[str]:
    if not about.get("arch"):
        return []
    differs = ", ".join(f"{key} {value}" for key, value in sorted((about.get("architecture") or {}).items()))
    told = printable_name(about["arch"]) + (f" with {printable_name(differs)}" if differs else "")
    return [f"- Architecture: {told}"]


def _numbers(values: Any) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
