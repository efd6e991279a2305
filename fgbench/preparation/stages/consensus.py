"""Stage ``consensus``: one label and one key frame per clip.

Reads ``ingest``; settles the votes of clips that have any (`fgbench.preparation.voting`), takes the final
label of the others, as the data set or the recipe writes it, and adds upper class and valence where the class
tree has them. Writes one row per clip. Clips on which annotators do not agree are rejected as
``reannotate`` (after the first round) or ``dropped`` (after a later one). Votes for labels that are no class
are cast and count for none, and so are reserved answers; clips that more than half of the latest round call
not usable are rejected as ``not_usable``. Late votes (`fgbench.preparation.late_votes`) count for nothing.
With ``drop_classes_below``, clips of classes of low confidence are rejected as ``low_class``: which classes
these are is decided for all clips at once. Where the recipe lists its classes, clips whose votes settle
another are rejected as ``other_class``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fgbench.config import ConsensusConfig
from fgbench.preparation import settling
from fgbench.preparation.answers import is_for_class, is_not_usable, latest
from fgbench.preparation.late_votes import late_rounds, without_rounds
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Outcome, Stage, Task
from fgbench.preparation.settling import Choice
from fgbench.preparation.settling._probabilities import NO_VOTES
from fgbench.preparation.stages._model_choices import model_choices
from fgbench.preparation.stages._votes import COLUMNS, judged, rows_with_votes
from fgbench.preparation.voting import REANNOTATE as REANNOTATE
from fgbench.preparation.voting import (
    Decision,
    Rules,
    class_confidences,
    duplicate_voter,
    low_classes,
    settle,
)
from fgbench.records import Rejected, Vote
from fgbench.taxonomy import FREE, NOT_USABLE, UNLABELLED, Ontology, normal_label, ontology, with_classes

LOW_CLASS = "low_class"
"""Reason of clips of a class that is dropped for its low mean confidence."""

_FPS = 25.0
"""Frame rate of clips without one: folders of pictures."""

_ROUNDING = 1e-6
"""Makes a fifth of a second at 25 frames per second 5 frames, whatever the product of the numbers is."""

OTHER_CLASS = "other_class"
"""Reason of clips whose votes settle a class that the recipe does not list."""

_Plan = dict[str, dict[str, list[str | None]]]


def _plan(
    config: ConsensusConfig, inputs: Mapping[int, Mapping[str, Mapping[str, Path]]]
) -> dict[int, _Plan]:
    """Bucket to what is decided over all clips and changes its results; no numbers but those of details, so
    that a new clip or vote changes few other buckets.

    ``low`` are the classes of its clips that are dropped. Where the rule is a model, ``chosen`` are, by clip,
    label and problem of :class:`fgbench.preparation.settling.Choice`, and ``late`` the rounds of late votes.
    """
    paths = {bucket: files["ingest"][ROWS] for bucket, files in inputs.items()}
    low, (chosen, late) = _low_classes(config, paths), model_choices(config, paths, partial(rules_of, config))
    return {
        bucket: {
            "low": {name: [] for name in low[bucket]},
            "chosen": chosen[bucket],
            "late": late[bucket],
        }
        for bucket in paths
    }


def _low_classes(config: ConsensusConfig, paths: Mapping[int, Path]) -> dict[int, list[str]]:
    """Bucket to the classes of its clips that are dropped."""
    if config.drop_classes_below == 0:
        return {bucket: [] for bucket in paths}
    of = {bucket: list(judged([path])) for bucket, path in paths.items()}
    low = low_classes(
        class_confidences(one for of_bucket in of.values() for one in of_bucket), config.drop_classes_below
    )
    return {bucket: sorted({one.label for one in of_bucket} & {*low}) for bucket, of_bucket in of.items()}


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, ConsensusConfig)
    low = dict.fromkeys(task.plan["low"], config.drop_classes_below)
    choose = _chooser(config, task.plan["chosen"])
    late = task.plan["late"] if settling.load(config.rule).fit is not None else None
    path = task.inputs.get("ingest", {}).get(ROWS)
    at_rate: dict[float | None, Rules] = {}
    for clip, votes in () if path is None else rows_with_votes(path, [*COLUMNS, "key_frame", "fps"]):
        fps = clip["fps"]
        if fps not in at_rate:
            at_rate[fps] = rules_of(config, fps)
        rules = at_rate[fps]
        yield Item(clip["clip_id"], partial(_settle, clip, votes, rules, low, choose, task, late))


def _chooser(
    config: ConsensusConfig, chosen: Mapping[str, Sequence[str | None]]
) -> Callable[[str, Sequence[Vote]], Choice]:
    """Function from a clip and its votes to the choice of the recipe's rule."""
    rule, min_votes = settling.load(config.rule), config.min_votes

    def choose(clip_id: str, votes: Sequence[Vote]) -> Choice:
        if rule.choose is not None:
            return rule.choose(latest(votes), min_votes)
        label, problem = chosen.get(clip_id, (NO_VOTES.label, NO_VOTES.problem))
        return Choice(label, problem or "")

    return choose


def rules_of(config: ConsensusConfig, fps: float | None) -> Rules:
    """The rules by which the votes on a clip are settled.

    Seconds are those of the file where its frame rate varies (:attr:`fgbench.records.Vote.time_s`), else
    those of its frame rate.

    Args:
        config: Section of the recipe.
        fps: Frames per second of the clip; ``None`` takes :data:`_FPS`.
    """
    frames, seconds = config.key_frame_tolerance, None
    if frames is None:
        seconds = config.key_frame_tolerance_s
        frames = int(seconds * (fps or _FPS) + _ROUNDING)
    return Rules(
        min_votes=config.min_votes,
        key_frame_tolerance=frames,
        key_frame_tolerance_s=seconds,
        min_confidence=config.min_confidence,
    )


def _settle(
    clip: dict[str, Any],
    votes: Sequence[Vote],
    rules: Rules,
    low: Mapping[str, float],
    choose: Callable[[str, Sequence[Vote]], Choice],
    task: Task,
    late_of: Mapping[str, Sequence[str]] | None,
) -> Outcome:
    label: str | None
    key_frame: int | None
    confidence: float | None
    agreement: float | None
    labels = with_classes(ontology(clip["scheme"]), (*task.classes, *task.written))
    if not votes:
        label, key_frame, confidence, agreement = clip["label"], clip["key_frame"], clip["confidence"], None
    else:
        twice = duplicate_voter(votes)
        if twice is not None:
            return Rejected(
                clip["clip_id"], "duplicate_vote", f"{twice[0]!r} voted twice in round {twice[1]}"
            )
        if late_of is None:
            late = late_rounds(votes, rules, partial(choose, clip["clip_id"]))
        else:
            late = frozenset(map(int, late_of.get(clip["clip_id"], ())))
        votes = without_rounds(votes, late)
        if is_not_usable(votes):
            cast = latest(votes)
            n_against = sum(vote.label == NOT_USABLE for vote in cast)
            detail = f"round {cast[0].round}: {n_against} of {len(cast)} call it not usable"
            return Rejected(clip["clip_id"], NOT_USABLE, detail)
        decision: Decision = settle(votes, rules, choose(clip["clip_id"], votes))
        if decision.status != "settled":
            return Rejected(clip["clip_id"], decision.status, decision.detail)
        label, key_frame = decision.label, decision.key_frame
        confidence, agreement = decision.confidence, decision.agreement
    if labels.name == UNLABELLED or label is None:
        name, basic, valence, compared = None, None, None, None
    else:
        name, compared = labels.find(label), ontology(clip["scheme"]).find(label)
        basic, valence = labels.basic_and_valence(name)
        basic = task.upper.get(name, basic)
    if name is not None and task.classes and name not in task.classes:
        return Rejected(
            clip["clip_id"], OTHER_CLASS, f"settled as {name}, which dataset.classes does not list"
        )
    if compared is not None and compared in low:
        detail = (
            f"mean confidence of the class {name} is below {low[compared]:.2f} (consensus.drop_classes_below)"
        )
        return Rejected(clip["clip_id"], LOW_CLASS, detail)
    row = {
        "clip_id": clip["clip_id"],
        "label": name,
        "basic": basic,
        "valence": valence,
        "scheme": labels.name,
        "confidence": confidence,
        "agreement": agreement,
        "key_frame": key_frame,
        "soft_label": _soft_label(votes, labels, task.classes),
        "round": latest(votes)[0].round if votes else None,
    }
    return Accepted(clip["clip_id"], [row])


def _soft_label(
    votes: Sequence[Vote], labels: Ontology, classes: Sequence[str]
) -> list[dict[str, object]] | None:
    """The shares of the votes for classes in the round that settled a clip; ``None`` without any.

    Not stated in the paper.

    Args:
        votes: Votes of all rounds.
        labels: Label set in which they are looked up.
        classes: The classes, where the recipe lists them; votes for others are then left out.
    """
    if labels.name == UNLABELLED:
        return None
    cast = [labels.find(vote.label) for vote in latest(votes) if is_for_class(vote)]
    tally = Counter(label for label in cast if not classes or label in classes)
    order = classes or (sorted(tally, key=normal_label) if labels.name == FREE else labels.labels)
    return [
        {"label": label, "share": tally[label] / tally.total()} for label in order if label in tally
    ] or None


STAGE = Stage(
    name="consensus",
    version=8,
    inputs=("ingest",),
    outputs={ROWS: "consensus"},
    run=_run,
    plan=_plan,
    plan_shape=_Plan,
    variant=settling.identity,
    reads_classes=True,
)
