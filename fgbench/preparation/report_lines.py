"""Reports of ``fgbench prepare`` as lines of text: of a run, of what waits, and of what is done."""

from __future__ import annotations

from collections.abc import Mapping

from fgbench.naming import counted
from fgbench.preparation.report import RunReport
from fgbench.preparation.stages._closing_notes import WARNING
from fgbench.preparation.voting import REANNOTATE

_MOST_SHARDS = 10
"""Shards that are named at most."""


def counts_line(part: str, counts: Mapping[str, int]) -> str:
    """Number of clips and images of a part of a data set."""
    return (
        f"{part:>10}: {counts['clips']} clips, {counts['images']} images, {counts['augmented']} with copies"
    )


def run_lines(report: RunReport) -> list[str]:
    """Lines on a run: what was rejected, made anew, counted, and what needs a person."""
    lines = [
        f"{counted(count, 'clip')} of class {label} left out: the recipe's label set lacks it"
        for label, count in report.left_out.items()
    ]
    for stage in report.stages:
        rejected = {reason: count for reason, count in stage.reasons.items() if reason != REANNOTATE}
        if rejected:
            reasons = ", ".join(f"{reason} {count}" for reason, count in rejected.items())
            lines.append(f"{stage.stage:>10}: {counted(sum(rejected.values()), 'clip')} rejected ({reasons})")
    lines += [f"made anew: {line}" for line in report.damage]
    if report.failures is not None:
        failures = report.failures
        lines.append(
            f"{counted(failures.number, 'clip')} failed for reasons that may have passed, the first: "
            f"{failures.first}; log: {failures.log}; fgbench prepare --retry works on them again"
        )
    if report.shard:
        return [*lines, *_shard_lines(report)]
    lines += [line for line in report.notes if not line.startswith(WARNING)]
    lines += [counts_line(part, numbers) for part, numbers in report.counts.items()]
    lines.append(report.persons)
    if not report.done and not report.published:
        lines.append(f"nothing to do: {report.workdir}/manifests is up to date")
    else:
        lines.append(f"{counted(report.done, 'bucket')} computed; manifests in {report.workdir}/manifests")
    if not report.look:
        return [*lines, "look here: nothing needs you"]
    return [*lines, "look here:", *(f"  {line}" for line in report.look)]


def _shard_lines(report: RunReport) -> list[str]:
    """Lines on a shard that others have not caught up with."""
    return [
        f"shard {report.shard} is done: {counted(report.clips, 'clip')}, "
        f"{counted(report.done, 'bucket')} computed now",
        f"the last of these writes the manifests in {report.workdir}/manifests:",
        *(f"  {name}" for name in report.missing[:_MOST_SHARDS]),
        *([f"  and {len(report.missing) - _MOST_SHARDS} more"] if len(report.missing) > _MOST_SHARDS else []),
    ]


def plan_lines(report: RunReport) -> list[str]:
    """Lines on a preview: what each stage would compute."""
    width = max((10, *(len(stage.stage) for stage in report.turned_on)))
    lines = []
    for stage in report.turned_on:
        least = "at least " if stage.may_be_more and stage.waiting < stage.buckets else ""
        lines.append(f"{stage.stage:>{width}}: {least}{stage.waiting} of {stage.buckets} buckets to do")
    verdict = "nothing to do" if not report.waiting else "nothing was done (dry run)"
    return [*lines, *report.notes, verdict]


def done_lines(report: RunReport) -> list[str]:
    """Lines on a preview: what each stage has computed and rejected so far."""
    width = max((10, *(len(stage.stage) for stage in report.turned_on)))
    lines = []
    for stage in report.turned_on:
        rejected = ", ".join(f"{reason} {count}" for reason, count in stage.reasons.items())
        line = f"{stage.stage:>{width}}: {stage.buckets - stage.waiting} of {stage.buckets} buckets done"
        lines.append(
            f"{line}, {counted(stage.accepted, 'clip')}" + (f", rejected: {rejected}" if rejected else "")
        )
    return [*lines, *report.rejects]
