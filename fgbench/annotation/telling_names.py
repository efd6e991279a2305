"""Names of clips that tell annotators a class, as ``happy_003.mp4`` does, and neutral names in their place.

A name that annotators see suggests an answer. Neutral names follow from the id of the round, which no one can
guess, so that they tell nothing. Not stated in the paper.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from fgbench.annotation.class_list import ClassList
from fgbench.naming import counted
from fgbench.printable import printable_name

_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEAST_LETTERS = 3
"""Letters of a class that names of clips are searched for: shorter ones are in too many."""
_DIGITS = 16
_SHOWN = 5


def neutral_name(project: str, clip: str) -> str:
    """Return the name of a clip that tells nothing.

    Args:
        project: Id of the round.
        clip: Id of the clip.
    """
    digest = hashlib.sha256(f"{project}/{clip}".encode("utf-8", "surrogatepass"))
    return f"clip-{digest.hexdigest()[:_DIGITS]}"


def told_classes(clips: Iterable[str], classes: ClassList) -> Counter[str]:
    """Count the clips whose names hold the name of a class, of an upper class, or another word for one.

    Args:
        clips: Ids of clips, folders included.
        classes: The classes to choose from.

    Returns:
        Class, or upper class, to number of clips; a clip counts for the longest name that it holds.
    """
    named = {name for pair in classes.classes for name in pair if name}
    others = {word: label for word, label in classes.label_set.aliases.items() if label in named}
    words = {_words(text): name for text, name in (*others.items(), *((name, name) for name in named))}
    words = {key: name for key, name in words.items() if sum(map(len, key)) >= _LEAST_LETTERS}
    longest = max(map(len, words), default=0)
    counts: Counter[str] = Counter()
    for clip in clips:
        parts = _words(clip)
        stretches = (
            parts[at : at + size] for size in range(longest, 0, -1) for at in range(len(parts) - size + 1)
        )
        held = next((words[stretch] for stretch in stretches if stretch in words), None)
        if held is not None:
            counts[held] += 1
    return counts


def _words(text: str) -> tuple[str, ...]:
    """Words of a name in lower case, letters alone: ``HappyFace_03`` is happy and face."""
    return tuple(_WORD.findall(_HUMP.sub(" ", text).casefold()))


def telling_note(clips: Iterable[str], classes: ClassList) -> list[str]:
    """Sentences on clips whose names tell annotators a class.

    Args:
        clips: Ids of the clips of a round.
        classes: The classes to choose from.
    """
    counts = told_classes(clips, classes)
    if not counts:
        return []
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{printable_name(name)} {count:,}" for name, count in most[:_SHOWN]]
    more = f" and {len(most) - _SHOWN:,} more classes" if len(most) > _SHOWN else ""
    are = "is" if counts.total() == 1 else "are"
    return [
        f"{counted(counts.total(), 'clip')} {are} called as a class ({', '.join(named)}{more}), and "
        "annotators see the names: --hide-names gives neutral ones"
    ]
