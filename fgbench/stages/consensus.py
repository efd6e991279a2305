"""Stage ``consensus``: one label and one key frame per clip.

Reads ``ingest``; settles the votes of clips that have any (`fgbench.voting`), takes the final label of the
others, and adds upper class and valence where the class tree tells them. Writes one row per clip. Clips on
which annotators do not agree are rejected as ``reannotate`` (after the first round) or ``dropped`` (after a
later one).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from fgbench.config import ConsensusConfig
from fgbench.pipeline import ROWS, Accepted, Item, Outcome, Stage, Task
from fgbench.records import Rejected, Vote
from fgbench.taxonomy import UNLABELLED, ontology
from fgbench.voting import Decision, Rules, duplicate_voter, settle


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, ConsensusConfig)
    rules = rules_of(config)
    columns = ["clip_id", "label", "scheme", "confidence", "key_frame", "votes"]
    for clip in task.rows("ingest", columns=columns):
        yield Item(clip["clip_id"], partial(_settle, clip, rules))


def rules_of(config: ConsensusConfig) -> Rules:
    """The rules by which votes are settled."""
    return Rules(
        min_votes=config.min_votes,
        key_frame_tolerance=config.key_frame_tolerance,
        min_confidence=config.min_confidence,
    )


def _settle(clip: dict[str, Any], rules: Rules) -> Outcome:
    label: str | None
    key_frame: int | None
    confidence: float | None
    agreement: float | None
    labels = ontology(clip["scheme"])
    if not clip["votes"]:
        label, key_frame, confidence, agreement = clip["label"], clip["key_frame"], clip["confidence"], None
    else:
        votes = [Vote(**{**vote, "label": labels.find(vote["label"])}) for vote in clip["votes"]]
        twice = duplicate_voter(votes)
        if twice is not None:
            return Rejected(
                clip["clip_id"], "duplicate_vote", f"{twice[0]!r} voted twice in round {twice[1]}"
            )
        decision: Decision = settle(votes, rules)
        if decision.status != "settled":
            return Rejected(clip["clip_id"], decision.status, decision.detail)
        label, key_frame = decision.label, decision.key_frame
        confidence, agreement = decision.confidence, decision.agreement
    if labels.name == UNLABELLED or label is None:
        name, basic, valence = None, None, None
    else:
        name = labels.find(label)
        basic, valence = labels.place(name)
    row = {
        "clip_id": clip["clip_id"],
        "label": name,
        "basic": basic,
        "valence": valence,
        "scheme": labels.name,
        "confidence": confidence,
        "agreement": agreement,
        "key_frame": key_frame,
    }
    return Accepted(clip["clip_id"], [row])


STAGE = Stage(name="consensus", version=2, inputs=("ingest",), outputs={ROWS: "consensus"}, run=_run)
