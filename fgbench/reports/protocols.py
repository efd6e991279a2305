"""Sentences on the protocol of a result, from its details."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fgbench.reports.training_notes import crop_notes, given_weights_notes, soft_notes
from fgbench.runs.division import HELD_OUT, Division
from fgbench.runs.face_origin import face_notes
from fgbench.runs.lost_clips import is_reading_failure
from fgbench.runs.other_programs import outside_notes
from fgbench.runs.pseudo_labels import pseudo_notes


def protocol_label(details: Mapping[str, Any]) -> str:
    """Label of the protocol, e.g. ``"10-fold by subject"``; that of parts for results of older versions."""
    protocol = details.get("protocol") or {}
    return str(protocol.get("label") or Division().label)


def protocol_sentence(details: Mapping[str, Any]) -> str:
    """Label, and how settings were chosen where there is neither a part nor a fold for it."""
    protocol = details.get("protocol") or {}
    held = ", a tenth of the training groups chose settings" if protocol.get("select_on") == HELD_OUT else ""
    return f"{protocol_label(details)}{held}"


def may_know_test_clips(details: Mapping[str, Any]) -> bool:
    """Whether the training clips of a network, or of the weights it started from, are unknown."""
    start = details.get("start")
    is_unknown = start is not None and start["clips_trained_on"] is None
    return is_unknown or ("clips_trained_on" in details and details["clips_trained_on"] is None)


def reservations(details: Mapping[str, Any]) -> list[str]:
    """Sentences on deviations of a run from its recipe, and on what is unknown of it."""
    sentences = [f"{note[0].upper()}{note[1:]}." for note in details.get("notes", ())]
    if n_known := details.get("clips_trained_on"):
        sentences.append(f"{n_known} of the test clips were trained or selected on: this is no fair test.")
    if may_know_test_clips(details):
        weights = details.get("start") or details.get("weights")
        run = weights["run"] if isinstance(weights, Mapping) else "its weights"
        sentences.append(
            f"What {run} was trained on is not at hand: that it knows test clips cannot be ruled out."
        )
    return sentences


def protocol_notes(details: Mapping[str, Any]) -> list[str]:
    """Sentence on a protocol other than the parts train, val and test, and the reservations."""
    is_usual = protocol_label(details) == Division().label
    return [*([] if is_usual else [f"Protocol: {protocol_sentence(details)}."]), *reservations(details)]


def knowledge_notes(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentences that name the runs that were no fair test, or may have been none, that use pseudo labels, or
    may have been trained on other faces.

    Args:
        runs: Name and details of each.
    """
    unfair = [name for name, details in runs if details.get("clips_trained_on")]
    unknown = [name for name, details in runs if may_know_test_clips(details)]
    notes = []
    if unfair:
        notes.append(f"Trained or selected on some of the test clips, so no fair test: {', '.join(unfair)}.")
    if unknown:
        notes.append(
            "What their weights were trained on is not at hand, so that they may know test clips: "
            f"{', '.join(unknown)}."
        )
    shared: dict[str, list[str]] = {}
    for name, details in runs:
        for note in [*pseudo_notes(details), *face_notes(details)]:
            shared.setdefault(note, []).append(name)
    return [*notes, *(f"{', '.join(names)}: {note}" for note, names in shared.items())]


def fairness_notes(results: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentences on test samples that could not be read, on runs with settings tuned on test samples, on those
    that start from networks of drawn faces but are tested on others or from weights of the user's, on crops,
    on votes that were learned from, and on runs of other programs.

    Args:
        results: Name of each run in the table, and its ``result.json``. Folds of one seed are counted
            together.
    """
    results = list(results)
    tuned = []
    drawn: dict[str, list[str]] = {}
    lost: dict[tuple[str, ...], Counter[str]] = {}
    for name, result in results:
        run = (name, *(str(result.get(key)) for key in ("experiment", "manifest_digest", "seed")))
        lost.setdefault(run, Counter()).update(result.get("rejected_test") or {})
        if result.get("tuned_on_test"):
            tuned.append(name)
        if links := _drawn_links(result["details"]):
            drawn.setdefault(links, []).append(name)
    rejected: dict[str, list[str]] = {}
    for (name, *_), reasons in lost.items():
        if reasons:
            for sentence in _rejected_sentences(reasons):
                rejected.setdefault(sentence, []).append(name)
    notes = [f"{', '.join(dict.fromkeys(names))}: {sentence}." for sentence, names in rejected.items()]
    if tuned:
        notes.append(
            f"{', '.join(dict.fromkeys(tuned))}: settings were sought with test samples of a data set, so "
            "that the figures are too good."
        )
    notes += [
        f"{', '.join(dict.fromkeys(names))}: starts from weights of SYNTHETIC faces ({links}); that drawn "
        "faces help on these was not shown."
        for links, names in drawn.items()
    ]
    details = [(name, result["details"]) for name, result in results]
    return [
        *notes,
        *given_weights_notes(details),
        *crop_notes(details),
        *soft_notes(details),
        *outside_notes(details),
    ]


def _rejected_sentences(reasons: Mapping[str, int]) -> list[str]:
    """Ends of sentences on test samples of clips that were not read, and of clips that lack features."""
    sentences = []
    for is_lost, what in (
        (True, "clips that could not be read"),
        (False, "clips whose features are lacking"),
    ):
        own = {reason: n for reason, n in sorted(reasons.items()) if is_reading_failure(reason) == is_lost}
        if own:
            counts = ", ".join(f"{reason} {count}" for reason, count in own.items())
            each = ", one per clip" if is_lost else ""
            sentences.append(
                f"{sum(own.values())} test samples are of {what} ({counts}); they count as wrong{each}"
            )
    return sentences


def _drawn_links(details: Mapping[str, Any]) -> str:
    """Parts of a chain that were trained on drawn faces, if the result is of others; else empty."""
    if details.get("synthetic"):
        return ""
    return ", ".join(dict.fromkeys(str(x["part"]) for x in details.get("chain", ()) if x.get("synthetic")))


def expected_folds(details: Mapping[str, Any]) -> list[str]:
    """Names of all folds of the protocol; empty where the result lacks them."""
    return [str(fold) for fold in (details.get("protocol") or {}).get("folds", ())]
