"""The human ceiling: how right an annotator is on the test clips, scored as the methods are.

Each vote on a test clip, of the round that settled it, counts as a prediction. It is compared with the label
that the votes of the other annotators settle (leave one out); votes without which the others settle none are
left out. Against the settled label these count as right, since they settled it themselves, so that this
number is higher. A vote for no class is wrong, as a sample without prediction is. Not stated in the paper,
which compares no method with its annotators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.evaluation.ballots import NONE, Indices
from fgbench.evaluation.human_ceiling import settled_by_others
from fgbench.evaluation.left_out_annotators import plurality_of_others
from fgbench.reports.accuracies import Accuracies, accuracies
from fgbench.reports.rendering.render import text
from fgbench.reports.votes.cast_votes import CastVotes, has_votes, read_votes, settled_rounds
from fgbench.runs.labels import read_labels
from fgbench.runs.predictions import Predictions
from fgbench.runs.tested_clips import tested_labels
from fgbench.workfolders.manifest_index import is_published, read_index

NAME = "Annotators (leave one out)"
"""Name of the row in tables."""

_PAPERS_LEAST = 3
"""Votes that have to agree where the recipe does not say (paper section III)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """Accuracy of single votes on the test clips.

    Attributes:
        left_out: Against the label that the others settle.
        settled: All votes on settled test clips against the settled label.
        n_votes: Votes scored.
        n_clips: Their clips.
        n_unsettled: Votes on test clips that are not scored: the others settle no label.
        n_needed: Those of them for the label that the clip got, which it would not have without them.
        rule: How the others' votes were settled, in words.
    """

    left_out: Accuracies
    settled: Accuracies
    n_votes: int
    n_clips: int
    n_unsettled: int
    n_needed: int
    rule: str

    @property
    def notes(self) -> list[str]:
        """Sentences on what the row is, and why it has no rank."""
        rest = (
            f" {self.n_unsettled:,} votes are left out, as the others settle no label"
            if self.n_unsettled
            else ""
        )
        if self.n_needed:
            of_them = "all" if self.n_needed == self.n_unsettled else f"{self.n_needed:,}"
            rest += (
                f"; {of_them} of them are for the label that the clip got, so that this mean is rather low"
            )
        rest += "." if rest else ""
        return [
            f"{NAME}: {self.n_votes:,} votes on {self.n_clips:,} test clips, each against the label that the "
            f"other annotators' votes on the clip settle ({self.rule}); votes for no class are wrong.{rest} "
            "Against the settled label, which a vote itself helped to settle and which is easier, the mean "
            f"of all their votes is {text(self.settled.mean) or 'not defined'}.",
            "The annotators have no rank among the methods: they saw the whole clip, a test sample of theirs "
            "is a vote, and clips that they could not settle are no test clips.",
        ]


def ceiling(workdir: Path) -> Ceiling | None:
    """Accuracy of single votes on the test clips; ``None`` without votes that can be compared.

    Raises:
        ManifestError: If manifests are damaged.
    """
    if not is_published(workdir) or not has_votes(index := read_index(workdir)):
        return None
    cast = _on_test(read_votes(workdir), tested_labels(workdir, index))
    others, rule = _settled(cast, index)
    classes = read_labels(index).labels
    known = cast.settled < len(classes)
    scored = known & (others != NONE) & (others < len(classes))
    if not scored.any():
        return None
    kept, every, truth = cast.chosen(scored), cast.chosen(known), others[scored]
    return Ceiling(
        left_out=accuracies([_predictions(kept, truth, classes)]),
        settled=accuracies([_predictions(every, every.settled, classes)]),
        n_votes=int(scored.sum()),
        n_clips=int(np.unique(kept.clip).size),
        n_unsettled=int((~scored).sum()),
        n_needed=int((known & ~scored & (cast.ballots.classes == cast.settled)).sum()),
        rule=rule,
    )


def _on_test(cast: CastVotes, tested: Mapping[str, str]) -> CastVotes:
    """Votes on settled test clips, of the round that settled each."""
    last = settled_rounds(cast)
    is_tested = np.array([clip in tested for clip in cast.clips], bool)
    return cast.chosen(is_tested[cast.clip] & (cast.rounds == last[cast.clip]) & (cast.settled != NONE))


def _settled(cast: CastVotes, index: Mapping[str, Any]) -> tuple[Indices, str]:
    """(N,) label that the others settle, and the rule in words."""
    recipe = (index.get("origin") or {}).get("recipe") or {}
    section = recipe.get("consensus")
    consensus: Mapping[str, Any] = section if isinstance(section, Mapping) else {}
    rule = str(consensus.get("rule", "paper"))
    if rule == "majority":
        return plurality_of_others(cast.ballots), "the most votes, as the recipe has it"
    wanted = consensus.get("min_votes", _PAPERS_LEAST)
    least = wanted if isinstance(wanted, int) else _PAPERS_LEAST
    words = f"at least {least}, and more than half"
    if rule == "paper":
        return settled_by_others(cast.ballots, least=least), f"{words}, as the recipe has it"
    return (
        settled_by_others(cast.ballots, least=least),
        f"{words}: the paper's rule in place of the recipe's, {rule}, which is a model of all votes at once "
        "and is not fitted anew without each",
    )


def _predictions(cast: CastVotes, truth: Indices, classes: Sequence[str]) -> Predictions:
    """Votes as predictions, a sample each."""
    clips = [cast.clips[clip] for clip in cast.clip.tolist()]
    people = [cast.annotators[one] for one in cast.ballots.annotators.tolist()]
    ids = [cast.ids[clip] for clip in cast.clip.tolist()]
    voted = cast.ballots.classes.tolist()
    return Predictions(
        classes=tuple(classes),
        sample_ids=[f"{clip}/{name}" for clip, name in zip(clips, people, strict=True)],
        clip_ids=clips,
        subject_ids=[subject for subject, _ in ids],
        source_ids=[source for _, source in ids],
        labels=[classes[place] for place in truth.tolist()],
        predicted=[classes[place] if 0 <= place < len(classes) else None for place in voted],
        probabilities=np.zeros((len(clips), len(classes)), np.float32),
    )
