"""The chain of trained networks that a run starts from or takes frame descriptions of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.runs.results import read_result
from fgbench.runs.unit_results import RESULT as AU_RESULT
from fgbench.runs.unit_results import read_au_result
from fgbench.runs.weights import Trained

_PARTS = {"au": "action units", "image": "image model"}


def chain_of(trained: Trained | None) -> list[dict[str, Any]]:
    """Return the links of a chain, the nearest to the run first, as a result keeps them under ``chain``.

    Args:
        trained: Network that the run starts from or that describes its frames; ``None`` is no chain.

    Returns:
        Of each network: its ``"part"`` in the chain, ``"run"`` (its name), its ``"seed"`` (``None`` if
        unknown), ``"sha256"`` of its weights, the ``"dataset"`` that it was trained on, and whether
        that is ``"synthetic"`` (``None`` if neither its weights nor its run say).

    Raises:
        ManifestError: If the result of its run is damaged.
    """
    if trained is None:
        return []
    seed = trained.metadata.get("seed")
    own = _details(trained)
    link = {
        "part": _PARTS.get(trained.kind, trained.kind),
        "run": trained.name,
        "seed": seed if isinstance(seed, int) else None,
        "sha256": trained.digest,
        "dataset": trained.metadata.get("dataset", own.get("dataset")),
        "synthetic": trained.metadata.get("synthetic", own.get("synthetic")),
    }
    return [link, *own.get("chain", [])]


def _details(trained: Trained) -> Mapping[str, Any]:
    """Details of the result beside weights; empty where there is none."""
    if trained.run is not None:
        details: Mapping[str, Any] = read_result(trained.run)["details"]
        return details
    folder = trained.path.parent
    is_units = trained.kind == "au" and trained.workdir is not None and (folder / AU_RESULT).is_file()
    return read_au_result(folder)["details"] if is_units else {}


def drawn_start(
    chain: Sequence[Mapping[str, Any]], details: Mapping[str, Any], *, instead: str
) -> str | None:
    """Return the warning for a run on real faces whose chain was trained on drawn ones.

    Args:
        chain: See :func:`chain_of`.
        details: Details of the run's context.
        instead: Advice on what to do instead.

    Returns:
        A line; ``None`` where the data are drawn too, or no link is known to be of drawn faces.
    """
    drawn = [link for link in chain if link["synthetic"]]
    if details.get("synthetic") or not drawn:
        return None
    named = ", ".join(f"{link['part']} {link['run']}" for link in drawn)
    return (
        f"starts from weights of SYNTHETIC faces ({named}): that drawn faces help on these was not shown; "
        f"{instead}"
    )
