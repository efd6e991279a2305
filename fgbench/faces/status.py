"""All possible outcomes of a frame in the faces stage.

Every requested frame gets exactly one of them; none is left out.
"""

from __future__ import annotations

from typing import Final, Literal

Status = Literal[
    "ok",
    "as_is",
    "unsure",
    "large_pose",
    "passing",
    "ambiguous",
    "no_face",
    "corrupt_frame",
    "not_decoded",
]

OK: Final = "ok"
"""A face was found and aligned; or none was searched for, since the recipe takes frames as they are."""

AS_IS: Final = "as_is"
"""The face of the picture, or of the clip, was not found, and the frame was taken as it is: see
:mod:`fgbench.faces.cropped_pictures`."""

UNSURE: Final = "unsure"
"""A face was found and aligned, but its landmarks do not agree with the detection, or with the frames
around: see :mod:`fgbench.faces.quality`. The head moved too fast, or something covers it."""

LARGE_POSE: Final = "large_pose"
"""A face was found and aligned, but is turned further to the side than the recipe allows."""

PASSING: Final = "passing"
"""A face was found and aligned, but only for a moment, in a clip with another that stays: a passer-by or a
false detection. The stage sets it once all frames are known."""

AMBIGUOUS: Final = "ambiguous"
"""There are faces that the policy cannot tell apart (e.g. two equally large); none is aligned."""

NO_FACE: Final = "no_face"
"""No face was found."""

CORRUPT_FRAME: Final = "corrupt_frame"
"""The decoder had to conceal errors in this frame; it was not searched."""

NOT_DECODED: Final = "not_decoded"
"""The decoder gave no such frame."""

STATUSES: tuple[Status, ...] = (OK, AS_IS, UNSURE, LARGE_POSE, AMBIGUOUS, NO_FACE, CORRUPT_FRAME, NOT_DECODED)
"""All of them."""

USABLE: frozenset[Status] = frozenset({OK, AS_IS})
"""Statuses whose chip goes into data sets."""
