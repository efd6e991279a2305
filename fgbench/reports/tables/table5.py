"""Table V: mean accuracy on clips with each temporal backbone, beside the paper's (paper section V-F).

Reads the finished runs of the work folder; the streams alone come from their ``streams.parquet``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from fgbench.evaluation.clusters import MEANING
from fgbench.reports.accuracies import Accuracies, chance_notes, few_notes, measure
from fgbench.reports.chains import chain_notes
from fgbench.reports.experiment import Experiment
from fgbench.reports.experiments import find_experiments, run_notes, shown_names, title_of
from fgbench.reports.freshness import kind_of, states_of
from fgbench.reports.paper import numbers as paper
from fgbench.reports.paper.fusions import fused_accuracies, fusion_weight, has_both_streams
from fgbench.reports.paper.methods import BACKBONES, TMSAU
from fgbench.reports.paper.ranking import Standing, order_notes
from fgbench.reports.rendering.table import Cell, OfPaper, Table, centre
from fgbench.runs.streams import STREAMS

BOTH = "both streams"
COMPARED = "FG-Emotions"
"""The paper's data set with the same 33 classes."""

_ALONE = {"temporal stream alone (ours)": 0.0, "spatial stream alone (ours)": 1.0}
_INTERVAL: dict[str, Callable[[Accuracies], Cell]] = {
    "mean": lambda ours: ours.mean,
    "95 % from": lambda ours: None if ours.interval is None else ours.interval.low,
    "95 % to": lambda ours: None if ours.interval is None else ours.interval.high,
}
_COUNTS: dict[str, Callable[[Accuracies], Cell]] = {
    "clusters": lambda ours: None if ours.interval is None else ours.interval.n_clusters,
    "test clips": lambda ours: len(ours.samples),
    "seeds": lambda ours: ours.n_seeds,
}

Block = Mapping[str, Experiment]
"""Temporal backbone to experiment; experiments of a block share their settings."""


def build(workdir: Path) -> Table:
    """Table V of a work folder.

    Raises:
        NoRunError: If TMSAU-Net has no finished run with any temporal backbone.
        ManifestError: If a run is damaged.
    """
    experiments = find_experiments(workdir, list(BACKBONES.values()))
    theirs = paper.table5()
    states = states_of(workdir, experiments)
    blocks = group(experiments)
    unranked = {
        experiment.name
        for experiment, state in zip(experiments, states, strict=True)
        if kind_of(state) == "old labels"
    }
    rows: list[list[Cell]] = [
        [dataset, BOTH, "paper", *[values[backbone] for backbone in BACKBONES]]
        for dataset, values in theirs.items()
    ]
    notes: list[str] = []
    all_measured: list[Accuracies] = []
    for name, block in blocks.items():
        measured = {backbone: measure(experiment) for backbone, experiment in block.items()}
        rows += _rows(name, block, measured, theirs[COMPARED])
        notes += _notes(name, block, measured, theirs[COMPARED], unranked)
        all_measured += measured.values()
    return Table(
        name="table5",
        title=title_of("Table V. Mean accuracy with each temporal backbone", experiments),
        columns=["Data set, recipe", "Scores of", "Number", *BACKBONES],
        rows=rows,
        notes=[
            *_meaning(len(blocks)),
            *chance_notes(all_measured),
            *few_notes(all_measured),
            *notes,
            *chain_notes(experiments, shown_names(experiments)),
            *run_notes(workdir, experiments, states),
        ],
        keys=3,
    )


def group(experiments: Sequence[Experiment]) -> dict[str, dict[str, Experiment]]:
    """Comparable experiments by the name of their settings: one per temporal backbone.

    An experiment with settings of its own, or a second one of a backbone, is a block of its own.

    Args:
        experiments: Experiments of the methods of the table.
    """
    backbone_of = {method.name: backbone for backbone, method in BACKBONES.items()}
    blocks: dict[str, dict[str, Experiment]] = {}
    for experiment in experiments:
        dataset, settings = experiment.details["dataset"], _settings(experiment)
        name = f"{dataset}, {experiment.name if settings is None else TMSAU.recipe + settings}"
        backbone = backbone_of[experiment.method]
        if backbone in blocks.get(name, {}):
            name = f"{dataset}, {experiment.name} (further)"
        blocks.setdefault(name, {})[backbone] = experiment
    return dict(sorted(blocks.items()))


def _settings(experiment: Experiment) -> str | None:
    """Suffix of the settings of an experiment whatever its backbone, e.g. ``"-small"``."""
    recipe = str(experiment.details.get("recipe", experiment.name))
    for suffix in ("-flow", "-vgg-lstm", "-c3d-lstm"):
        recipe = recipe.replace(suffix, "")
    return TMSAU.settings(recipe)


def _rows(
    name: str, block: Block, measured: Mapping[str, Accuracies], theirs: Mapping[str, float]
) -> list[list[Cell]]:
    """Rows of a block: both streams with counts and difference, then each stream alone."""
    there = {backbone: ours for backbone, ours in measured.items() if ours.n_seeds}
    rows: list[list[Cell]] = [
        [name, BOTH, of, *_cells(there, number)] for of, number in (_INTERVAL | _COUNTS).items()
    ]
    weights = {backbone: fusion_weight(block[backbone]) for backbone in there}
    rows.append(
        [name, BOTH, "weight of the spatial stream", *[weights.get(backbone) for backbone in BACKBONES]]
    )
    differences = {
        backbone: mean - theirs[backbone]
        for backbone, ours in there.items()
        if (mean := centre(ours.mean)) is not None
    }
    rows.append(
        [
            name,
            BOTH,
            f"difference from the paper's {COMPARED}",
            *[differences.get(backbone) for backbone in BACKBONES],
        ]
    )
    kept = [backbone for backbone, experiment in block.items() if has_both_streams(experiment)]
    for stream, weight in _ALONE.items():
        alone = {backbone: fused_accuracies(block[backbone], weight) for backbone in kept}
        rows += [[name, stream, of, *_cells(alone, number)] for of, number in _INTERVAL.items()]
    return rows


def _cells(measured: Mapping[str, Accuracies], number: Callable[[Accuracies], Cell]) -> list[Cell]:
    return [number(measured[backbone]) if backbone in measured else None for backbone in BACKBONES]


def _meaning(n_blocks: int) -> list[str]:
    return [
        "Mean: of the accuracies of the classes (unweighted average recall; the paper's MAP); several seeds: "
        "mean ± standard deviation over seeds. Its 95 % interval (Student's t) comes from leaving out "
        "clusters one at a time and, with several seeds, from their spread; of one seed the trained network "
        f"is held fixed. {MEANING} A clip without a usable face counts as wrong.",
        OfPaper(
            "The paper's AFEW 7.0 has seven classes and does not compare with 33. Rows of a stream alone are "
            "not in the paper's table."
        ),
        "A stream alone: the same networks with a weight of the spatial stream of 0 or 1.",
        "Backbones compare where their runs share all other settings (the paper's, or those of a "
        "-small recipe): "
        + ("all columns do." if n_blocks == 1 else "within a recipe, not from one recipe to another."),
    ]


def _notes(
    name: str,
    block: Block,
    measured: Mapping[str, Accuracies],
    theirs: Mapping[str, float],
    unranked: Collection[str],
) -> list[str]:
    notes = []
    absent = [
        f"{backbone} ({method.command}{' --temporal flow' if method == TMSAU else ''})"
        for backbone, method in BACKBONES.items()
        if backbone not in block
    ]
    if absent:
        notes.append(f"{name}: blank for want of a run with the same settings: {'; '.join(absent)}.")
    bare = [
        backbone
        for backbone, experiment in block.items()
        if experiment.is_whole and not has_both_streams(experiment)
    ]
    if bare:
        notes.append(
            f"{name}: streams of {', '.join(bare)} are blank, since a run has no {STREAMS}; run it again "
            "with --force (in Python: force=True)."
        )
    tested: dict[frozenset[tuple[str, str]], list[str]] = {}
    for backbone, ours in measured.items():
        if ours.n_seeds:
            tested.setdefault(ours.samples, []).append(backbone)
    if len(tested) > 1:
        groups = "; ".join(f"{', '.join(backbones)}: {len(samples)}" for samples, backbones in tested.items())
        notes.append(
            f"{name}: tested on different clips ({groups}), so that the columns do not compare; run them "
            "again on the manifests as they are now."
        )
    standings = [
        Standing(
            name=backbone,
            experiment=BACKBONES[backbone].recipe,  # of a block: the same settings
            method=BACKBONES[backbone],
            mean=mean,
            paper=theirs[backbone],
            counts=ours.counts,
            samples=ours.samples,
        )
        for backbone, ours in measured.items()
        if (mean := centre(ours.mean)) is not None and block[backbone].name not in unranked
    ]
    return notes + [OfPaper(f"{name}: {note}") for note in order_notes("video", standings)]
