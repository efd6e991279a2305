"""The recipe of a network that is meant when none is named: the small one where the CPU computes."""

from __future__ import annotations


def recipe_for(
    method: str, device: str | None, *, is_embedded: bool, small: str | None = None
) -> tuple[str, str]:
    """Return the name of a recipe, and why it is that in a sentence; an empty one needs no saying.

    Args:
        method: Name of the paper's recipe.
        device: Name of the device, as the user gave it; ``None``: a GPU if there is one.
        is_embedded: Whether the embedded data set is trained on, which the small one is made for.
        small: Name of the small recipe; ``None``: as the paper's, with ``-small``.
    """
    small = small or f"{method}-small"
    if is_embedded:
        return small, ""
    if _is_cpu(device):
        return small, (
            f"no recipe is named: {small} is taken, as the CPU computes; what it gives was measured on the "
            f"embedded data set alone (recipe {method}: the paper's settings, for a GPU)"
        )
    return (
        method,
        f"no recipe is named: {method} is taken, the paper's settings (recipe {small}: made for the CPU)",
    )


def _is_cpu(device: str | None) -> bool:
    """Return whether a device is the CPU; of one that is not named, whether there is no GPU."""
    if device is not None:
        return device.partition(":")[0] == "cpu"
    try:
        import torch
    except ImportError:
        return False  # who opens the training says what to install
    return not torch.cuda.is_available()
