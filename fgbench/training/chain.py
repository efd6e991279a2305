"""What a run was made of: the chain of trained networks that it starts from or looks through."""

from __future__ import annotations

from typing import Any

from fgbench.evaluation.results import read_result
from fgbench.training.trained import Trained

_PARTS = {"au": "action units", "image": "image model"}


def chain_of(trained: Trained | None) -> list[dict[str, Any]]:
    """The links of a chain, that nearest to the run first, as a result tells them under ``chain``.

    Args:
        trained: What the run starts from or looks through; ``None`` is no chain.

    Returns:
        Of each network: ``"part"`` of the chain that it is, ``"run"`` (its name), its ``"seed"`` (``None`` if
        it does not tell) and ``"sha256"`` of its weights.

    Raises:
        ManifestError: If the result of its run is damaged.
    """
    if trained is None:
        return []
    seed = trained.metadata.get("seed")
    link = {
        "part": _PARTS.get(trained.kind, trained.kind),
        "run": trained.name,
        "seed": seed if isinstance(seed, int) else None,
        "sha256": trained.digest,
    }
    before = [] if trained.run is None else read_result(trained.run)["details"].get("chain", [])
    return [link, *before]
