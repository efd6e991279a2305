"""Model cards: what a network is, what it was trained on, how well it does, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbench.methods._networks.backbone_card import backbone_lines, trunk_lines
from fgbench.runs.face_origin import FACE_ORIGIN, geometry_keys, geometry_words
from fgbench.runs.pseudo_labels import pseudo_notes
from fgbench.runs.vote_shares import is_soft

_LIMITS = """
## Limits

Facial expressions are not emotions: a face shows what it shows, and why it does cannot be read from it. The
scores hold for the data named above and no others; they say nothing of other cameras, ages or skin colours
unless they were measured there. Do not use the model to judge persons.
"""


def model_card(metadata: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Markdown text of a model card.

    Args:
        metadata: Metadata of the weights.
        result: Content of ``result.json`` or ``au_result.json``.
    """
    details = result["details"]
    data = details["dataset"] + (" (SYNTHETIC data: drawn faces)" if details["synthetic"] else "")
    scores = result.get("metrics")
    lines = [
        f"# {metadata['experiment']}",
        "",
        f"- Kind: {metadata['kind']}",
        f"- Data: {data}, manifests {details['manifest_digest'][:12]}",
        f"- Trained with fgbench {result['fgbench']}, commit {result['commit'] or 'unknown'}, "
        f"seed {metadata['seed']}, on {result['device']}",
        *_face_lines(metadata),
        *_input_lines(metadata),
    ]
    lines += [f"- Labels: {note}" for note in pseudo_notes(details)]
    if is_soft(details):
        lines.append(
            "- Target of the softmax losses: the shares of the annotators' votes (`losses.target: soft`); "
            "epoch and test by the settled classes"
        )
    if metadata.get("initial_weights"):
        lines.append(
            f"- Made from weights with SHA-256 {metadata['initial_weights']}; "
            "their licence holds for these too"
        )
    for link in details.get("chain", ()):
        dataset = link.get("dataset") or "unknown data"
        drawn = " (SYNTHETIC data: drawn faces)" if link.get("synthetic") else ""
        lines.append(f"- Made from: {link['part']} {link['run']}, trained on {dataset}{drawn}")
    if scores is not None:
        lines += [
            f"- Classes: {', '.join(metadata['classes'])}",
            f"- Test: mean of the per-class accuracies (UAR) {scores['uar']:.3f}, "
            f"accuracy {scores['war']:.3f}, macro F1 {scores['macro_f1']:.3f}, {scores['n']} samples",
        ]
    else:
        mean = "none defined" if result["mean_f1"] is None else f"{result['mean_f1']:.3f}"
        lines += [
            f"- Action units: {', '.join(metadata['action_units'])}",
            f"- Test: mean F1 {mean}, {result['n']} frames",
        ]
    return "\n".join(lines) + "\n" + _LIMITS


def _face_lines(metadata: Mapping[str, Any]) -> list[str]:
    """Line on the alignment of the training faces; none where the weights do not state it."""
    faces = metadata.get(FACE_ORIGIN)
    if faces is None or metadata["kind"] == "insightface":
        return []
    if faces["align"] == "never":
        how = "pictures taken as they are"
    else:
        rest = ", where a face was found" if faces["align"] == "where-found" else ""
        how = f"{geometry_words(faces)} (`faces: {{{geometry_keys(faces)}}}`){rest}"
    return [f"- Faces: {how}{', grey' if faces['grey'] else ''}"]


def _input_lines(metadata: Mapping[str, Any]) -> list[str]:
    """Lines on the input of a network, by its kind."""
    if metadata["kind"] == "video":
        return _clip_lines(metadata)
    if metadata["kind"] in ("backbone", "video-backbone"):
        return backbone_lines(metadata)
    if metadata.get("backbone"):
        return trunk_lines(metadata)
    return [f"- Input: {_input(metadata)}"]


def _input(metadata: Mapping[str, Any]) -> str:
    faces = "RGB faces aligned by fgbench, 224 x 224"
    if metadata["kind"] == "insightface":
        side_px = metadata["input_px"]
        faces = f"RGB faces aligned by five points as InsightFace's, {side_px} x {side_px}"
    return f"{faces}, values 0 to 255, {_scaled(metadata)}"


def _clip_lines(metadata: Mapping[str, Any]) -> list[str]:
    """Lines on the inputs of the streams of a clip network."""
    network, scales = metadata["network"], metadata["scales"]
    lines = []
    for stream in ("spatial", "temporal"):
        kind = network[stream]
        if kind is None:
            continue
        takes = "optical flow (8 bits)" if kind == "flow" else "RGB faces aligned by fgbench"
        how = f", {_scaled(scales[stream])}" if stream in scales else f", described by {_image(metadata)}"
        lines.append(f"- Input of the {stream} stream ({kind}): {takes}{how}")
    if len(lines) > 1:
        lines.append(f"- Weight of the spatial stream: {network['fusion_weight']}")
    return lines


def _image(metadata: Mapping[str, Any]) -> str:
    image = metadata["image"]
    return f"the image model {image['experiment']}, seed {image['seed']}, whose weights are in this file too"


def _scaled(scale: Mapping[str, Any]) -> str:
    return f"less {_numbers(scale['mean'])}, divided by {_numbers(scale['std'])}"


def _numbers(values: Any) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in values) + ")"
