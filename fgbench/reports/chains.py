"""Variation over the seeds of an experiment: whole chains of networks, or only the last of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.reports.experiment import Experiment, Run

_OLD = {"trunk": "action units", "image_model": "image model"}
"""Keys of digests in results without a chain, to the part of the chain."""

_START = "weights"
"""Key of the digest of the weights that a run starts from."""

_WEIGHTS = "initial weights"


def chain_notes(experiments: Sequence[Experiment], names: Sequence[str]) -> list[str]:
    """Sentences on what varied over the seeds of experiments, and what the seeds share.

    Every table and figure with numbers over seeds has these notes; equal variations share one sentence.

    Args:
        experiments: Experiments; those with missing runs, of one seed, or whose results do not contain their
            origin are skipped.
        names: Their names in the table.
    """
    names_by_sentence: dict[str, list[str]] = {}
    for name, experiment in zip(names, experiments, strict=True):
        if len(experiment.seeds) > 1 and experiment.is_whole and _has_origin(experiment.details):
            names_by_sentence.setdefault(varied_over(experiment.runs), []).append(name)
    return [f"{', '.join(dict.fromkeys(named))}: {sentence}" for sentence, named in names_by_sentence.items()]


def varied_over(runs: Sequence[Run]) -> str:
    """End of a sentence on what varied over the seeds of some runs of one experiment.

    Args:
        runs: Runs of at least two seeds.
    """
    seeds = sorted({run.seed for run in runs})
    if not all(_has_origin(run.result["details"]) for run in runs):
        return f"over {len(seeds)} seeds."
    if _predict_the_same(runs):
        return f"over {len(seeds)} seeds nothing varies: all predict the same, so that ± is 0."
    chains = {(run.fold, run.seed): _chain(run.result["details"]) for run in runs}
    parts = list(dict.fromkeys(part for chain in chains.values() for part in chain))
    folds = {fold for fold, _ in chains}
    shared, varied = [], []
    for part in parts:
        links = {
            fold: [chains[fold, seed].get(part) for seed in seeds if (fold, seed) in chains] for fold in folds
        }
        n_seen = max(len({link and link["sha256"] for link in fold_links}) for fold_links in links.values())
        if n_seen == len(seeds):
            varied.append(part)
            continue
        name = next((link["run"] for each in links.values() for link in each if link and link["run"]), "")
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


def _predict_the_same(runs: Sequence[Run]) -> bool:
    """Whether all seeds predict the same in every fold, as those of a method do that draws nothing."""
    digests: dict[str, set[object]] = {}
    for run in runs:
        digests.setdefault(run.fold, set()).add(run.result.get("predictions_sha256", run.seed))
    return all(len(of_fold) == 1 for of_fold in digests.values())


def _has_origin(details: Mapping[str, Any]) -> bool:
    has_weights = isinstance(details.get(_START), str)  # in a test on other data: the tested weights
    return has_weights or any(key in details for key in ("chain", *_OLD))


def _chain(details: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Part of the chain to its link; for results without a chain, taken from their digests."""
    links = {str(link["part"]): link for link in details.get("chain", [])}
    for key, part in _OLD.items():
        if isinstance(details.get(key), str) and not links:
            links[part] = {"sha256": details[key], "run": ""}
    if isinstance(details.get(_START), str):
        links[_WEIGHTS] = {"sha256": details[_START], "run": ""}
    return links
