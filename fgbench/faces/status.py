"""What became of a sampled frame: the closed set of values of the column ``status`` of ``faces``."""

from __future__ import annotations

OK = "ok"
"""A face was found and aligned."""
LARGE_POSE = "large_pose"
"""A face was found and aligned, but it is turned further than the recipe allows."""
NO_FACE = "no_face"
"""No face was found."""
AMBIGUOUS = "ambiguous"
"""Several faces were found and the policy cannot tell which one is meant."""
CORRUPT_FRAME = "corrupt_frame"
"""The decoder had to conceal errors in the frame; it is not searched."""
NOT_DECODED = "not_decoded"
"""The frame could not be decoded."""

STATUSES = (OK, LARGE_POSE, NO_FACE, AMBIGUOUS, CORRUPT_FRAME, NOT_DECODED)
"""All values."""

USABLE = frozenset({OK})
"""Values with which a frame enters the image set."""
