"""Choices of face tracking, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fgbench.errors import ConfigError
from fgbench.faces.layout import GEOMETRIES, Geometry, Layout, chip_layout

Policy = Literal["largest", "central", "track"]
"""Which face is taken when there are several.

- ``largest``: the largest. A face that is followed is left for another only if that is clearly larger.
- ``central``: the one whose box is nearest to the middle of the frame; left for another likewise.
- ``track``: the largest at the start, and that one for as long as it can be followed.
"""

POLICIES: tuple[Policy, ...] = ("largest", "central", "track")
"""All of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceOptions:
    """How faces are found, followed and aligned. None of the numbers is stated in the paper but the chip's
    size.

    Attributes:
        detector: Plugin in ``fgbench/detectors``.
        detector_model: Model file of the detector, where it needs one (``yunet``) or the user has another.
        landmarks: Points of the predictor, 68 or 5.
        landmarks_model: Model file of the predictor; ``None`` takes the packaged one.
        policy: Which face is taken when there are several.
        ambiguity: Two faces count as equal if their areas differ by no more than this share of the larger one
            (``largest``, ``track``), or their distances from the middle of the frame by no more than this
            share of half the frame's shorter side (``central``).
        min_face_px: Narrower faces (width of the detector's box) are not looked for, and not taken.
        max_abs_yaw_deg: A face turned further to either side gets the status ``large_pose``.
        min_quality: A face whose landmarks are less sure (:mod:`fgbench.faces.quality`) gets the status
            ``unsure``; 0 to 1, and with 0 none does.
        smooth: Whether landmarks are steadied by the frames around (:mod:`fgbench.faces.smoothing`).
        search_every: While there is no face, a frame is searched at the latest this many frames after the
            last; a face found there is followed back through the frames between. 1 searches every frame.
        redetect_every: Frames between two searches for other faces while a face is followed; and, while there
            is none, before the second search of the enlarged picture for small ones (later ones are rarer).
        check_every: Frames between two checks by the detector that what is followed is still a face.
        chip_size: Side of the aligned chip in px (paper section III: 224).
        geometry: How the chip is laid out about the face (:mod:`fgbench.faces.layout`).
        padding: Margin about the face in a chip of geometry ``dlib``; ``None`` takes dlib's own.
    """

    detector: str = "dlib-hog"
    detector_model: str | None = None
    landmarks: int = 68
    landmarks_model: str | None = None
    policy: Policy = "largest"
    ambiguity: float = 0.1
    min_face_px: float = 40.0
    max_abs_yaw_deg: float = 45.0
    min_quality: float = 0.5
    smooth: bool = True
    search_every: int = 6
    redetect_every: int = 24
    check_every: int = 2
    chip_size: int = 224
    geometry: Geometry = "face"
    padding: float | None = None

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ConfigError(f"unknown policy {self.policy!r} for faces", f"known: {', '.join(POLICIES)}")
        if self.geometry not in GEOMETRIES:
            raise ConfigError(
                f"unknown geometry {self.geometry!r} for faces", f"known: {', '.join(GEOMETRIES)}"
            )
        bounds: dict[str, tuple[float, float]] = {
            "ambiguity": (0.0, 0.9),
            "min_face_px": (1.0, float("inf")),
            "max_abs_yaw_deg": (0.0, 180.0),
            "min_quality": (0.0, 1.0),
            "search_every": (1, float("inf")),
            "redetect_every": (1, float("inf")),
            "check_every": (1, float("inf")),
            "chip_size": (2, 4096),
            **({} if self.padding is None else {"padding": (0.0, 10.0)}),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"faces: {name} is {value}, expected {low:g} to {high:g}")

    @property
    def layout(self) -> Layout:
        """Place of the chip about the face."""
        return chip_layout(self.geometry, self.padding)
