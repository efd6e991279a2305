"""What a result's details tell of the protocol that it was measured under, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fgbench.runs.division import HELD_OUT, Division
from fgbench.runs.face_origin import face_notes
from fgbench.runs.outside import outside_notes
from fgbench.runs.pseudo_labels import pseudo_notes


def protocol_label(details: Mapping[str, Any]) -> str:
    """Label of the protocol, e.g. ``"10-fold by subject"``; results of older versions have parts."""
    told = details.get("protocol") or {}
    return str(told.get("label") or Division().label)


def protocol_sentence(details: Mapping[str, Any]) -> str:
    """The label, and how settings were chosen where neither a part nor a fold is there for it."""
    told = details.get("protocol") or {}
    held = ", a tenth of the training groups chose settings" if told.get("select_on") == HELD_OUT else ""
    return f"{protocol_label(details)}{held}"


def may_know_test_clips(details: Mapping[str, Any]) -> bool:
    """Whether the clips that a network, or what it started from, was trained on were not at hand."""
    start = details.get("start")
    is_unknown = start is not None and start["clips_trained_on"] is None
    return is_unknown or ("clips_trained_on" in details and details["clips_trained_on"] is None)


def reservations(details: Mapping[str, Any]) -> list[str]:
    """Sentences on what a run did otherwise than its recipe says, and on what is not known of it."""
    found = [f"{note[0].upper()}{note[1:]}." for note in details.get("notes", ())]
    if known := details.get("clips_trained_on"):
        found.append(f"{known} of the test clips were trained or selected on: this is no fair test.")
    if may_know_test_clips(details):
        weights = details.get("start") or details.get("weights")
        run = weights["run"] if isinstance(weights, Mapping) else "its weights"
        found.append(
            f"What {run} was trained on is not at hand: that it knows test clips cannot be ruled out."
        )
    return found


def protocol_notes(details: Mapping[str, Any]) -> list[str]:
    """A sentence on a protocol that is more than the parts train, val and test; and the reservations."""
    is_usual = protocol_label(details) == Division().label
    return [*([] if is_usual else [f"Protocol: {protocol_sentence(details)}."]), *reservations(details)]


def knowledge_notes(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentences that name the runs that were no fair test, or may have been none, know pseudo labels, or may
    have been trained on other faces.

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
    """Sentences on test samples that could not be read, on runs whose settings saw the test samples, on those
    that start from networks of drawn faces and are not tested on such, and on those of other programs.

    Args:
        results: Name of each run, as the table shows it, and its ``result.json``. Folds of one seed are
            counted together.
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
            told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
            sentence = f"{reasons.total()} test samples are of clips that could not be read ({told})"
            rejected.setdefault(sentence, []).append(name)
    notes = [
        f"{', '.join(dict.fromkeys(names))}: {sentence}; they count as wrong, one per clip."
        for sentence, names in rejected.items()
    ]
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
    return [*notes, *outside_notes((name, result["details"]) for name, result in results)]


def _drawn_links(details: Mapping[str, Any]) -> str:
    """Parts of a chain that were trained on drawn faces, where the result is of others; else empty."""
    if details.get("synthetic"):
        return ""
    return ", ".join(dict.fromkeys(str(x["part"]) for x in details.get("chain", ()) if x.get("synthetic")))


def expected_folds(details: Mapping[str, Any]) -> list[str]:
    """Names of all folds of the protocol; empty where the result does not tell."""
    return [str(fold) for fold in (details.get("protocol") or {}).get("folds", ())]
