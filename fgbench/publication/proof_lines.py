"""Proofs as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fgbench.naming import counted, first_few
from fgbench.publication.proof import VALUES, VOTES, ClipDifference, Proof

SHOWN = 5
"""Examples in a line."""


def proof_lines(proof: Proof, *, full: bool) -> list[str]:
    """Return whether a data set is the published one, and the differences.

    Args:
        proof: The comparison.
        full: Whether to name every clip.
    """
    name = f"{proof.dataset} (synthetic)" if proof.synthetic else proof.dataset
    lines = []
    if proof.moved:
        moved = [f"{path} as {at}" for path, at in sorted(proof.moved.items())]
        lines.append(f"{counted(len(moved), 'file')} found elsewhere by digest: {_some(moved, full)}")
    if proof.is_same:
        lines.append(
            f"{name} is the published data set: {counted(proof.clips, 'clip')}, "
            f"{counted(proof.frames, 'frame')}; files, labels, parts, landmarks and pixels are the same"
        )
    else:
        n_usable = sum(not one.added and bool(one.path) for one in proof.differences)
        lines.append(
            f"{name} is not the published data set: {n_usable} of {counted(proof.clips, 'clip')} "
            f"{'differs' if n_usable == 1 else 'differ'}"
        )
        lines += [f"  {line}" for line in _differences(proof, full=full)]
    if proof.versions:
        versions = [
            f"{name} {then or 'absent'} there, {now or 'absent'} here"
            for name, (then, now) in proof.versions.items()
        ]
        lines.append(f"versions that differ: {'; '.join(versions)}")
    return lines


def _differences(proof: Proof, *, full: bool) -> Iterator[str]:
    if proof.classes is not None:
        there, here = (", ".join(names) for names in proof.classes)
        yield f"classes: {there} there, {here} here"
    kinds: dict[str, list[str]] = {}
    for clip in proof.differences:
        for kind, example in _examples(clip):
            kinds.setdefault(kind, []).append(example)
    for kind, examples in kinds.items():
        yield f"{kind}: {len(examples)} ({_some(examples, full)})"
    moved = [one for one in proof.differences if one.faces.unequal]
    if moved:
        most = max(moved, key=lambda one: one.faces.most_px)
        frames = sum(one.faces.unequal for one in moved)
        yield (
            f"landmarks differ by at most {most.faces.most_px:.3g} px, in {counted(frames, 'frame')} of "
            f"{counted(len(moved), 'clip')}; the most in {most.clip_id}"
        )
    pixels = Counter({one.clip_id: one.faces.pixels for one in proof.differences if one.faces.pixels})
    if pixels:
        yield (
            f"aligned faces have other pixels in {counted(pixels.total(), 'frame')} of "
            f"{counted(len(pixels), 'clip')}"
        )
    statuses = Counter({one.clip_id: one.faces.statuses for one in proof.differences if one.faces.statuses})
    if statuses:
        yield f"{counted(statuses.total(), 'frame')} of {counted(len(statuses), 'clip')} have another status"


def _examples(one: ClipDifference) -> Iterator[tuple[str, str]]:
    """Yield kind and description of each difference of a clip."""
    if one.missing:
        yield "missing", one.path or one.clip_id
    elif one.rejected is not None:
        yield "rejected", f"{one.clip_id}: {one.rejected}"
    if one.other_bytes:
        yield "other bytes", one.path
    if one.added:
        yield "not published", one.clip_id
    for name, (then, now) in one.values.items():
        kind = "other votes" if name == VOTES else f"another {VALUES[name]}"
        yield kind, f"{one.clip_id}: {_value(then)} there, {_value(now)} here"
    if one.faces.gone or one.faces.added:
        yield "other frames", f"{one.clip_id}: {one.faces.gone} are gone, {one.faces.added} are new"
    if one.images:
        yield "other images", f"{one.clip_id}: {one.images}"


def _value(value: object) -> str:
    return "none" if value is None else str(value)


def _some(examples: Sequence[str], full: bool) -> str:
    return first_few(examples, len(examples) if full else SHOWN)
