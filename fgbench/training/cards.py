"""Model cards: what a network is, what it was trained on, how well it does, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        f"- Input: {_input(metadata)}, values 0 to 255, less {_numbers(metadata['mean'])}, divided by "
        f"{_numbers(metadata['std'])}",
    ]
    if metadata.get("initial_weights"):
        lines.append(
            f"- Made from weights with SHA-256 {metadata['initial_weights']}; "
            "their licence holds for these too"
        )
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


def _input(metadata: Mapping[str, Any]) -> str:
    if metadata["kind"] == "insightface":
        side_px = metadata["input_px"]
        return f"RGB faces aligned by five points as InsightFace's, {side_px} x {side_px}"
    return "RGB faces aligned by fgbench, 224 x 224"


def _numbers(values: Any) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in values) + ")"
