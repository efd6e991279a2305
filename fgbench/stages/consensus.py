"""Stage ``consensus``: one label and one key frame per clip.

Reads ``ingest``; settles the votes of clips that have any (`fgbench.voting`), takes the final label of the
others, and adds the upper class and valence. Writes one row per clip. Clips on which annotators do not agree
are rejected as ``reannotate`` (after the first round) or ``dropped`` (after a later one).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fgbench.config import ConsensusConfig
from fgbench.pipeline import ROWS, Accepted, Outcome, Stage, Task
from fgbench.records import Rejected, Vote
from fgbench.taxonomy import leaf
from fgbench.voting import Decision, Rules, duplicate_voter, settle

SCHEME = "fg33"
"""Name of the label set of the labels (see `fgbench.taxonomy.ontology`)."""


def _run(task: Task) -> Iterator[Outcome]:
    config = task.config
    assert isinstance(config, ConsensusConfig)
    rules = Rules(
        min_votes=config.min_votes,
        key_frame_tolerance=config.key_frame_tolerance,
        min_confidence=config.min_confidence,
    )
    columns = ["clip_id", "label", "confidence", "key_frame", "votes"]
    for clip in task.rows("ingest", columns=columns):
        yield _settle(clip, rules)


def _settle(clip: dict[str, Any], rules: Rules) -> Outcome:
    label: str
    key_frame: int | None
    confidence: float | None
    agreement: float | None
    if not clip["votes"]:
        label, key_frame, confidence, agreement = clip["label"], clip["key_frame"], clip["confidence"], None
    else:
        votes = [Vote(**{**vote, "label": leaf(vote["label"]).name}) for vote in clip["votes"]]
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
    found = leaf(label)
    row = {
        "clip_id": clip["clip_id"],
        "label": found.name,
        "basic": found.basic,
        "valence": found.valence,
        "scheme": SCHEME,
        "confidence": confidence,
        "agreement": agreement,
        "key_frame": key_frame,
    }
    return Accepted(clip["clip_id"], [row])


STAGE = Stage(name="consensus", version=1, inputs=("ingest",), outputs={ROWS: "consensus"}, run=_run)
