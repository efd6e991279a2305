"""Report of a run of ``fgbench prepare``, stage by stage, and the limit on rejected clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.config import PrepareConfig
from fgbench.errors import RejectRateError
from fgbench.naming import counted
from fgbench.preparation import pipeline
from fgbench.preparation.failures import LOG, TRANSIENT
from fgbench.preparation.pipeline import REJECTS, Marker
from fgbench.preparation.voting import REANNOTATE
from fgbench.printable import printable_name
from fgbench.workfolders.manifest_index import read_index


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """Outcome, or expected outcome, of one stage.

    Attributes:
        stage: Name of the stage.
        buckets: Buckets that have clips at this stage.
        done: Buckets computed in this run.
        waiting: Buckets that would have to be computed (dry run).
        may_be_more: Whether decisions that need all buckets may raise that number.
        accepted: Accepted clips in finished buckets.
        reasons: Reject reason to number of clips in finished buckets.
    """

    stage: str
    buckets: int
    done: int
    waiting: int
    accepted: int
    reasons: Mapping[str, int]
    may_be_more: bool = False

    @property
    def rejected(self) -> int:
        """Number of rejected clips."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Items that could not be used for reasons that may have passed.

    Attributes:
        number: Number of such items.
        first: The first of them: clip, stage, reason and detail.
        log: File with the tracebacks.
    """

    number: int
    first: str
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Report of a run of ``fgbench prepare``.

    Attributes:
        recipe: Name of the recipe.
        root: Root of the data set.
        workdir: The work folder.
        clips: Clips that the data set lists.
        stages: One report per stage, in order.
        published: Whether the manifests were written in this run.
        counts: Part to kind (``clips``, ``images``, ``augmented``) to number, from the manifests.
        left_out: Label to number of clips whose label is not in the recipe's label set.
        failures: Clips that failed for reasons that may have passed; ``None`` if there are none.
        damage: Damaged files that were made again, one line each.
        notes: Further remarks on the data set, one line each: files that are not used, names
            that were taken as one, equal files under several names.
        persons: Number of people in train and test, in words; empty before the manifests are written.
        look: Lines that need attention, see :mod:`fgbench.preparation.stages._closing_notes`; may be empty.
        is_untrainable: Whether there is no sample to train on although the recipe asks for some.
        rejects: Of a preview: number of clips that could not be used so far, with the reasons.
        shard: Of a shard that was not the last to end, e.g. ``"2/3"``: only its own clips are counted, and
            the manifests are not written yet.
        missing: The shards that it leaves them to, in words.
    """

    recipe: str
    root: str
    workdir: str
    clips: int
    stages: tuple[StageReport, ...]
    published: bool
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    failures: Failures | None = None
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    persons: str = ""
    look: tuple[str, ...] = ()
    is_untrainable: bool = False
    rejects: tuple[str, ...] = ()
    shard: str = ""
    missing: tuple[str, ...] = ()

    @property
    def turned_on(self) -> tuple[StageReport, ...]:
        """The stages with something to do; the others are turned off, or no clip reaches them."""
        return tuple(stage for stage in self.stages if stage.buckets)

    @property
    def done(self) -> int:
        """Buckets computed in this run, over all stages."""
        return sum(stage.done for stage in self.stages)

    @property
    def waiting(self) -> int:
        """Buckets that would have to be computed, over all stages (dry run)."""
        return sum(stage.waiting for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return lines of text on a run that is done."""
        from fgbench.preparation.report_lines import run_lines

        return run_lines(self)

    def plan_lines(self) -> list[str]:
        """Return lines of text on a preview: what would be done."""
        from fgbench.preparation.report_lines import plan_lines

        return plan_lines(self)


def stage_report(
    stage: str,
    markers: Mapping[int, Marker],
    *,
    total: int,
    done: int,
    waiting: int = 0,
    may_be_more: bool = False,
) -> StageReport:
    """Sum up the finished buckets of a stage.

    Args:
        stage: Name of the stage.
        markers: Bucket to marker.
        total: Buckets that have clips at this stage.
        done: Buckets computed in this run.
        waiting: Buckets that would have to be computed.
        may_be_more: Whether ``waiting`` may be larger.
    """
    reasons: Counter[str] = Counter()
    for marker in markers.values():
        reasons.update(marker.reasons)
    return StageReport(
        stage=stage,
        buckets=total,
        done=done,
        waiting=waiting,
        accepted=sum(marker.accepted for marker in markers.values()),
        reasons=dict(sorted(reasons.items())),
        may_be_more=may_be_more,
    )


def alignment_line(align: str, alignment: Mapping[str, int] | None) -> str | None:
    """Message on frames that are aligned where a face is found; ``None`` if the recipe does otherwise.

    Args:
        align: The recipe's ``faces.align``.
        alignment: Number of usable frames by ``"aligned"`` and ``"as_is"``; ``None`` in older manifests.
    """
    if align != "where-found" or alignment is None:
        return None
    n_aligned, n_as_is = alignment["aligned"], alignment["as_is"]
    return f"aligned {n_aligned:,} of {n_aligned + n_as_is:,} pictures, {n_as_is:,} as they are"


def _frames_of(faces: Mapping[str, int], status: str) -> str:
    return f"{counted(faces[status], 'frame')} of {counted(faces[f'{status}_clips'], 'clip')}"


def face_lines(faces: Mapping[str, int] | None, n_clips: int) -> list[str]:
    """Messages on unusable faces and clips with several people; empty if there are none.

    Args:
        faces: Counts as in the manifests' index; ``None`` in older manifests.
        n_clips: Number of usable clips.
    """
    if faces is None:
        return []
    lines = []
    if faces["several"]:
        show = "shows" if faces["several"] == 1 else "show"
        lines.append(
            f"{faces['several']:,} of {n_clips:,} clips {show} several people at once (n_persons in clips)"
        )
    if faces["passing"]:
        lines.append(
            f"{_frames_of(faces, 'passing')} with somebody for a moment beside a face that stays, not used "
            "(status passing)"
        )
    if faces["unsure"]:
        line = f"{_frames_of(faces, 'unsure')} with landmarks that are not sure, not used (status unsure)"
        only = faces["only_unsure"]
        lines.append(line + (f"; {only:,} of these clips have no other face" if only else ""))
    return lines


def failures_of(workdir: Path, finished: Mapping[str, Mapping[int, Marker]]) -> Failures | None:
    """Items that failed for reasons that may have passed, over all stages; ``None`` if there are none."""
    number = 0
    first: Mapping[str, str] | None = None
    for stage, markers in finished.items():
        for _, marker in sorted(markers.items()):
            failed = sum(count for reason, count in marker.reasons.items() if reason in TRANSIENT)
            number += failed
            if failed and first is None:
                path = pipeline.stage_folder(workdir, stage) / marker.outputs[REJECTS]["file"]
                first = next(row for row in storage.read_rows(path) if row["reason"] in TRANSIENT)
    if first is None:
        return None
    return Failures(
        number=number,
        first=f"{printable_name(first['id'])} in {first['stage']}: {first['reason']}, {first['detail']}",
        log=str(workdir / LOG),
    )


def check_reject_rate(report: StageReport, config: PrepareConfig, workdir: Path) -> None:
    """Stop a run if a stage rejected too many clips.

    Clips that annotators have to look at again do not count: a first round may leave many.

    Raises:
        RejectRateError: If it rejected more clips than the recipe allows; it names the worst reasons.
    """
    seen = report.accepted + report.rejected
    reasons = {reason: count for reason, count in report.reasons.items() if reason != REANNOTATE}
    rejected = sum(reasons.values())
    if not seen or rejected <= config.max_reject_rate * seen:
        return
    worst = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    named = ", ".join(f"{reason} ({count})" for reason, count in worst)
    if rest := rejected - sum(count for _, count in worst):
        named += f", others ({rest})"
    tracebacks = ""
    if report.reasons.keys() & TRANSIENT:
        tracebacks = f"fgbench prepare --retry works on failed clips again, tracebacks: {workdir / LOG}; "
    raise RejectRateError(
        f"stage {report.stage} rejected {rejected} of {seen} clips, the recipe allows "
        f"{config.max_reject_rate:.0%}: {named}",
        f"{tracebacks}fgbench status {workdir} tells each reason in words; mend the clips, or raise "
        "max_reject_rate in the recipe",
    )


def alignment_notes(config: PrepareConfig, workdir: Path) -> list[str]:
    """Messages on the number of aligned pictures, where the recipe aligns those with a face, on unusable
    faces and on clips with several people.

    Raises:
        ManifestError: If there are no manifests.
    """
    index = read_index(workdir)
    alignment = alignment_line(config.faces.align, index.get("alignment"))
    n_clips = sum(counted["clips"] for counted in index["counts"].values())
    return [*([] if alignment is None else [alignment]), *face_lines(index.get("faces"), n_clips)]
