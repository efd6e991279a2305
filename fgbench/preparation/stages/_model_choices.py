"""Choices of rules that are models fitted to the votes on all clips. Reads tables of ``ingest``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from fgbench.config import ConsensusConfig
from fgbench.preparation import settling
from fgbench.preparation.late_votes import late_rounds, may_be_late
from fgbench.preparation.settling import Choice
from fgbench.preparation.settling._probabilities import NO_VOTES, fitted_choices
from fgbench.preparation.stages._latest_votes import latest_votes
from fgbench.preparation.stages._vote_batches import vote_batches
from fgbench.preparation.stages._votes import spelled_label
from fgbench.preparation.voting import Rules, duplicate_voter
from fgbench.records import Vote

OfBuckets = dict[int, dict[str, list[str | None]]]


def model_choices(
    config: ConsensusConfig, paths: Mapping[int, Path], rules_at: Callable[[float | None], Rules]
) -> tuple[OfBuckets, OfBuckets]:
    """Choices for the clips of each bucket by the model of the recipe's rule; none where it has no model.

    Args:
        config: Section of the recipe.
        paths: Bucket to its table of ``ingest``.
        rules_at: Returns the rules for clips of a frame rate.

    Returns:
        Bucket to clip to label and problem of its choice, and to the rounds of its late votes.

    Raises:
        ConfigError: If there are more votes than the rule can be computed for.
        DependencyError: If the rule needs a package that is not installed.
    """
    chosen: OfBuckets = {bucket: {} for bucket in paths}
    late: OfBuckets = {bucket: {} for bucket in paths}
    if settling.load(config.rule).fit is None:
        return chosen, late
    late_of = _late_by_model(config, paths, rules_at)
    bucket_of: dict[str, int] = {}
    for clip_id, choice in _fitted(config, paths, late_of, bucket_of).items():
        chosen[bucket_of[clip_id]][clip_id] = [choice.label, choice.problem]
    for clip_id, rounds in sorted(late_of.items()):
        late[bucket_of[clip_id]][clip_id] = [str(number) for number in sorted(rounds)]
    return chosen, late


def _fitted(
    config: ConsensusConfig,
    paths: Mapping[int, Path],
    without: Mapping[str, Collection[int]],
    bucket_of: dict[str, int],
) -> dict[str, Choice]:
    """Clip to the choice of a rule with a model, fitted without some rounds; fills in the bucket of each."""
    votes, buckets = latest_votes(paths, without)
    bucket_of |= buckets
    return fitted_choices(settling.load(config.rule), votes, config.min_certainty)


def _late_by_model(
    config: ConsensusConfig, paths: Mapping[int, Path], rules_at: Callable[[float | None], Rules]
) -> dict[str, set[int]]:
    """Clip to the rounds of its late votes, where the rule is a model.

    Whether an earlier round settles a clip is told by a model fitted without the votes that may be late; it
    is fitted once more for each round that clips may have after that.
    """
    few = {
        clip_id: (votes, rules)
        for path in paths.values()
        for clip_id, votes, fps in _of_several_rounds(path)
        if may_be_late(votes, rules := rules_at(fps))
    }
    open_ = {clip_id: sorted({vote.round for vote in votes}) for clip_id, (votes, _) in few.items()}
    late: dict[str, set[int]] = {}
    while open_ := {clip_id: rounds for clip_id, rounds in open_.items() if len(rounds) > 1}:
        without = {clip_id: {*late.get(clip_id, ()), *rounds[1:]} for clip_id, rounds in open_.items()}
        choices = _fitted(config, paths, {**late, **without}, {})
        for clip_id, rounds in open_.items():
            votes, rules = few[clip_id]
            choose = partial(_always, choices.get(clip_id, NO_VOTES))
            if late_rounds([vote for vote in votes if vote.round in rounds[:2]], rules, choose):
                late.setdefault(clip_id, set()).add(rounds.pop(1))
            else:
                rounds.pop(0)
    return late


def _of_several_rounds(path: Path) -> Iterator[tuple[str, list[Vote], float | None]]:
    """Id, votes and frames per second of the clips with votes of several rounds, without a duplicate one."""
    for batch in vote_batches(path, ["clip_id", "scheme", "fps"], spelled_label):
        number = batch.whole("round")
        first = np.full(len(batch.clips), np.iinfo(np.int64).max)
        last = np.zeros(len(batch.clips), np.int64)
        np.minimum.at(first, batch.clip, number)
        np.maximum.at(last, batch.clip, number)
        if (first >= last).all():
            continue
        for clip, votes, several in zip(batch.clips, batch.votes(), first < last, strict=True):
            if several and duplicate_voter(votes) is None:
                yield clip["clip_id"], votes, clip["fps"]


def _always(choice: Choice, _: Sequence[Vote]) -> Choice:
    return choice
