"""What varied over the seeds of an experiment: whole chains of networks, or only the last of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.reports.experiments import Experiment, Run

_OLD = {"trunk": "action units", "image_model": "image model"}
"""Keys of the digests in results that tell no chain, to the part of the chain."""

_START = "weights"
"""Key of the digest of the weights that a run starts from."""

_WEIGHTS = "initial weights"


def chain_notes(experiments: Sequence[Experiment], names: Sequence[str]) -> list[str]:
    """What varied over the seeds of experiments of several, and what all of them share, as sentences.

    Every table and figure that prints numbers over seeds has these notes. Experiments of which the same is to
    be told have one sentence together.

    Args:
        experiments: Some experiments; those with missing runs, of one seed, or whose results do not tell what
            they were made of, are passed over.
        names: Their names in the table.
    """
    told: dict[str, list[str]] = {}
    for name, experiment in zip(names, experiments, strict=True):
        if len(experiment.seeds) > 1 and experiment.is_whole and _is_told(experiment.details):
            told.setdefault(varied_over(experiment.runs), []).append(name)
    return [f"{', '.join(dict.fromkeys(found))}: {sentence}" for sentence, found in told.items()]


def varied_over(runs: Sequence[Run]) -> str:
    """What varied over the seeds of some runs of one experiment, as the end of a sentence.

    Args:
        runs: Of at least two seeds.
    """
    seeds = sorted({run.seed for run in runs})
    if not all(_is_told(run.result["details"]) for run in runs):
        return f"over {len(seeds)} seeds."
    chains = {(run.fold, run.seed): _chain(run.result["details"]) for run in runs}
    parts = list(dict.fromkeys(part for chain in chains.values() for part in chain))
    folds = {fold for fold, _ in chains}
    shared, varied = [], []
    for part in parts:
        links = {
            fold: [chains[fold, seed].get(part) for seed in seeds if (fold, seed) in chains] for fold in folds
        }
        n_seen = max(len({link and link["sha256"] for link in found}) for found in links.values())
        if n_seen == len(seeds):
            varied.append(part)
            continue
        name = next((link["run"] for found in links.values() for link in found if link and link["run"]), "")
        how = f"{part} ({name})" if name and n_seen == 1 else part
        shared.append(how if n_seen == 1 else f"{how} in part ({n_seen} for {len(seeds)} seeds)")
    own = ", ".join([*varied, "the network itself"])
    if not shared:
        whole = "; whole chains were trained" if varied else ""
        return f"over {len(seeds)} seeds vary {own}{whole}."
    return (
        f"over {len(seeds)} seeds vary {own}; they share {', '.join(shared)}, so that ± is less than that of "
        "whole chains."
    )


def _is_told(details: Mapping[str, Any]) -> bool:
    has_weights = isinstance(details.get(_START), str)  # of a network tested elsewhere it is what was tested
    return has_weights or any(key in details for key in ("chain", *_OLD))


def _chain(details: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Part of the chain to its link; of results that tell none, what their digests tell."""
    found = {str(link["part"]): link for link in details.get("chain", [])}
    for key, part in _OLD.items():
        if isinstance(details.get(key), str) and not found:
            found[part] = {"sha256": details[key], "run": ""}
    if isinstance(details.get(_START), str):
        found[_WEIGHTS] = {"sha256": details[_START], "run": ""}
    return found
