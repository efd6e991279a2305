"""Lines of ``fgbench evaluate`` on weights that were trained on other data than they are tested on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def origin_lines(details: Mapping[str, Any]) -> list[str]:
    """Sentences on weights that were trained on other data.

    Args:
        details: Details of the result of a run on other data.
    """
    weights = details["weights"]
    assert isinstance(weights, dict)
    drawn = " (SYNTHETIC data)" if weights["synthetic"] else ""
    lines = [f"weights: {weights['run']}, trained on {weights['dataset']}{drawn}"]
    seen = details["clips_trained_on"]
    if seen is None:
        lines.append("the data that they were trained on are not at hand: an overlap cannot be ruled out")
    elif seen:
        lines.append(f"warning: {seen} of the test clips were trained or selected on: this is no fair test")
    return lines + _transfer_lines(details)


def _transfer_lines(details: Mapping[str, Any]) -> list[str]:
    """Sentences on a test without training on the classes of the data."""
    transfer = details.get("transfer")
    if not transfer or transfer["kind"] != "zero-shot":
        return []
    dropped = ", ".join(f"{n} of {label}" for label, n in transfer["dropped"].items()) or "none"
    summed = transfer["summed"]["uar"]
    other = "" if summed is None else f"; by the largest sum of probabilities UAR is {summed:.3f}"
    return [str(transfer["rule"]), f"samples left out, which have no class among the six: {dropped}{other}"]
