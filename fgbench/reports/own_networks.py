"""Runs on networks of the user's among others, which no table of the paper has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def own_network_notes(runs: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentence that tells runs on networks of the user's from methods of the paper; none without such runs.

    Args:
        runs: Name in the table, and details of a result.
    """
    named = [f"{name} ({_use(details)})" for name, details in runs if details.get("backbone")]
    if not named:
        return []
    return [f"On networks of the user's, which the paper does not have: {', '.join(dict.fromkeys(named))}."]


def _use(details: Mapping[str, Any]) -> str:
    """Use that a run makes of the network."""
    if trunk := details["backbone"].get("trunk"):
        return f"trunk of MSAU-Net, {trunk}"
    if details.get("finetuned"):
        return f"fine-tuned, {details['finetuned']}"
    return "frozen" if details.get("chosen") or details.get("pool") else "as it is"
