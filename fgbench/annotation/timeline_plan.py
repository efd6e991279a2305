"""Settings of an import of annotations of ELAN and Praat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.annotation.marked_clips import CONFIDENCE, KEY_FRAME, LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePlan:
    """Settings of an import.

    Attributes:
        root: Root of the data set.
        files: Files of annotations.
        tool: Tool that wrote them; ``None``: by their suffix.
        find: Returns a label as the class tree spells it; ``None`` if it is none.
        label_tier: Name of tiers of labels, before an ``@``.
        key_frame_tier: Name of tiers of key frames, likewise.
        confidence_tier: Name of tiers of confidences, likewise.
        media: Folder of recordings outside the data set; ``None``: beside each file.
        cut: Whether intervals that are a part of their recording are cut out, as folders of pictures.
        round: Round of the votes.
        annotators: Name in the files to the name of the annotator.
    """

    root: Path
    files: tuple[Path, ...]
    find: Callable[[str], str | None]
    tool: str | None = None
    label_tier: str = LABEL
    key_frame_tier: str = KEY_FRAME
    confidence_tier: str = CONFIDENCE
    media: Path | None = None
    cut: bool = False
    round: int = 1
    annotators: Mapping[str, str] = field(default_factory=dict)
