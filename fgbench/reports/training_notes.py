"""Sentences on how networks were trained: on crops, from votes, and from weights of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fgbench.runs.training_details import TRAINING_CROPS, given_weights
from fgbench.runs.vote_shares import SOFT, is_soft

_CROPS = {
    "five": "trained on five crops of each picture, the corners and the centre, and tested on the centre",
    "centre": "trained and tested on the centre crop of each picture",
}

_LEARNED = (
    f"learned from the shares of the annotators' votes (losses.target: {SOFT}; not stated in the paper), and "
    "tested against the settled classes"
)


def crop_notes(results: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentences on the crops that networks were trained on; none for results that do not tell them.

    Args:
        results: Name of each run in the table, and its details.
    """
    return _shared((name, _CROPS.get(str(details.get(TRAINING_CROPS)), "")) for name, details in results)


def given_weights_notes(results: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentences on weights that users brought from elsewhere, by ``--weights FILE``.

    Args:
        results: As of :func:`crop_notes`.
    """
    return _shared((name, _given(details)) for name, details in results)


def soft_notes(results: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Sentences on networks that learned from the shares of the annotators' votes.

    Args:
        results: As of :func:`crop_notes`.
    """
    return _shared((name, _LEARNED if is_soft(details) else "") for name, details in results)


def _given(details: Mapping[str, Any]) -> str:
    given = given_weights(details)
    if given is None:
        return ""
    name, digest = given
    named = ", ".join([*([name] if name else []), f"SHA-256 {digest[:8]}"])
    return (
        f"started from weights that the user gave ({named}); whether they have seen test clips is not known"
    )


def _shared(sentences: Iterable[tuple[str, str]]) -> list[str]:
    names_by_sentence: dict[str, dict[str, None]] = {}
    for name, sentence in sentences:
        if sentence:
            names_by_sentence.setdefault(sentence, {})[name] = None
    return [f"{', '.join(names)}: {sentence}." for sentence, names in names_by_sentence.items()]
