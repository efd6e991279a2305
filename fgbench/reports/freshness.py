"""Comparison of runs with the current data of their work folder.

Compares the digest of the data that a run read, which its result keeps, with the current one, the classes of
its test samples with those of the clips that are tested now, the classes that it was trained on with those of
now, and the labels of action units that it, or what it starts from, was trained on with those of the
data set. Reads manifests and the data set; writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.errors import FgbenchError
from fgbench.naming import counted
from fgbench.reports.units_now import UnitsNow
from fgbench.runs.division import FOLDS
from fgbench.runs.division_reading import read_division
from fgbench.runs.predictions import Predictions
from fgbench.runs.read_digest import digests_now
from fgbench.runs.results import DIGEST_KIND
from fgbench.runs.samples import clip_samples
from fgbench.runs.tested_clips import tested_labels
from fgbench.runs.trained_labels import read_trained_labels
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

if TYPE_CHECKING:
    from fgbench.reports.experiment import Experiment

State = str
"""State of a run's data, from good to bad: ``now``; ``not known``, of a version of fgbench that kept no
comparable digest; ``old data``, changed since; ``old labels``, labels of test samples changed since, or
samples gone or no longer tested. Numbers of clips may follow: ``old data: 2 labels changed`` of those that
were trained on, ``old labels: 3 changed, 1 gone`` of those that were tested, with ``, 2 of training changed``
where labels that were trained on changed, too."""

_STATES = ("now", "not known", "old data", "old labels")

_AGAIN = "run them again (the command of the run sees it)"
_SENTENCES: Mapping[str, str] = {
    "not known": "kept no digest that could be compared, as runs of earlier versions; whether the data have "
    "changed since is not known",
    "old data": f"made from data of this work folder that have changed since; {_AGAIN}",
    "old labels": "test samples have other labels now, or are gone or tested no more: it has no rank; "
    f"{_AGAIN}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The current data of a work folder.

    Attributes:
        digests: Digests of everything that a run may read of them.
        labels: Class of each clip that is tested, including those that could not be read.
        all_labels: Class of each usable clip.
        division: Digest of the folds; ``None`` for parts, or if it cannot be computed.
        dataset: Name of the data set.
        units: Its labels of action units; ``None`` for a publication, which has none.
    """

    digests: frozenset[str]
    labels: Mapping[str, str]
    all_labels: Mapping[str, str]
    division: str | None
    dataset: str
    units: UnitsNow | None

    def digest_state(self, result: Mapping[str, Any]) -> State:
        """State of a run by its digests alone.

        Args:
            result: Its ``result.json``, or details with the same keys.
        """
        details = result.get("details") or {}
        division = (details.get("protocol") or {}).get("digest")
        digest = result.get("manifest_digest") or details.get("manifest_digest")
        if digest in self.digests and (self.division is None or division == self.division):
            return "now"
        if digest in self.digests or result.get("digest_kind") == DIGEST_KIND:
            return "old data"
        return "not known"

    def state(self, result: Mapping[str, Any], predictions: Predictions, folder: Path) -> State:
        """State of a run.

        Args:
            result: Its ``result.json``.
            predictions: Its predictions.
            folder: Its folder.

        Raises:
            ManifestError: If its table of labels of action units, or of the clips that it was trained on, is
                damaged.
        """
        state = self.digest_state(result)
        if state == "now":
            is_old = self.units is not None and self.units.differ_from(folder, self.dataset)
            return "old data" if is_old else state
        pairs = {*zip(predictions.clip_ids, predictions.labels, strict=True)}
        unlike = {clip_id for clip_id, label in pairs if self.labels.get(clip_id) != label}
        trained = read_trained_labels(folder, self.dataset)
        changed = sum(
            self.all_labels.get(clip_id, label) != label
            for clip_id, label in trained.items()
            if clip_id not in unlike
        )
        if unlike:
            gone = sum(clip_id not in self.labels for clip_id in unlike)
            counts = ((len(unlike) - gone, "changed"), (gone, "gone"), (changed, "of training changed"))
            return f"old labels: {', '.join(f'{count:,} {what}' for count, what in counts if count)}"
        return f"{state}: {counted(changed, 'label')} changed" if changed and state == "old data" else state


def read_present(workdir: Path) -> Present | None:
    """Read the current data of a work folder; ``None`` without readable manifests."""
    try:
        index = read_index(workdir)
        labels = tested_labels(workdir, index)
        everything = {clip.clip_id: clip.label for clip in clip_samples(workdir / MANIFESTS)}
        digests = digests_now(workdir, index)
    except (FgbenchError, OSError):
        return None
    return Present(
        digests=digests,
        labels=labels,
        all_labels=everything,
        division=_division(workdir, index),
        dataset=str(index["dataset"]),
        units=UnitsNow(workdir),
    )


def worst(states: Iterable[State]) -> State:
    """The worst of some states; ``"now"`` if there are none."""
    return max(states, key=lambda state: (_STATES.index(kind_of(state)), *_numbers(state)), default="now")


def kind_of(state: State | None) -> str | None:
    """The state without numbers of clips, e.g. ``"old labels"``; ``None`` stays."""
    return None if state is None else state.partition(":")[0]


def _numbers(state: State) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", state)]


def state_of(experiment: Experiment, present: Present | None) -> State | None:
    """State of an experiment, the worst of its runs; ``None`` where there is nothing to compare with.

    Raises:
        ManifestError: If a run is damaged.
    """
    if present is None:
        return None
    return worst(present.state(run.result, run.predictions(), run.folder) for run in experiment.runs)


def states_of(workdir: Path, experiments: Sequence[Experiment]) -> list[State | None]:
    """States of experiments of one work folder; see :func:`state_of`."""
    present = read_present(workdir)
    return [state_of(experiment, present) for experiment in experiments]


def marked(name: str, state: State | None) -> str:
    """Name for lists, with the state in brackets unless it is current."""
    return name if state in (None, "now") else f"{name} [{state}]"


def state_notes(runs: Iterable[tuple[str, State | None]]) -> list[str]:
    """A sentence per state on the runs whose data are not current.

    Args:
        runs: Name and state of each.
    """
    names: dict[str, dict[str, None]] = {}
    for name, state in runs:
        if state is not None and state != "now":
            kind, colon, numbers = state.partition(":")
            names.setdefault(kind, {})[f"{name}{colon}{numbers}"] = None
    return [
        f"{kind[0].upper()}{kind[1:]} ({', '.join(names[kind])}): {_SENTENCES[kind]}."
        for kind in reversed(_STATES)
        if kind in names
    ]


def _division(workdir: Path, index: Mapping[str, Any]) -> str | None:
    """Digest of the folds, if the work folder has some already: a report deals none."""
    is_folded = (index.get("protocol") or {}).get("kind") == "k-fold"
    if is_folded and not any((workdir / FOLDS).glob("*.csv")):
        return None
    try:
        return read_division(workdir, index).digest
    except FgbenchError:
        return None
