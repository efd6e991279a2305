"""Search frames for faces, no more than is needed.

Large faces are searched first, in a reduced picture. While there is no face, a frame is searched as finely as
a plain detector would do it, unless it looks like the last searched frame: then only those positions are
checked again at which the detector was nearly certain of a face. The enlarged picture, in which small faces
are found, takes four times as long and is searched at intervals.

A picture with more pixels than the detector's bound is searched reduced, so that no frame takes minutes or
gigabytes; the smallest face that can be found in it is larger by the same factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fgbench.config import FacesConfig
from fgbench.faces import scene
from fgbench.faces.detection import Detection, affordable_scales, search_at_scale, search_scales
from fgbench.faces.fallback_search import other_turns, search_bordered, search_turned, with_border
from fgbench.faces.geometry import box_width
from fgbench.faces.locating import Models, check, locate
from fgbench.faces.placement import Placement, placement_from_box
from fgbench.media.video import Frame, Image

# Ours. Changes of the luma in grey levels, averaged over a block of 80 px (at a width of 1280): a face that
# enters changes some block by tens, noise of the camera by less than 3.
_CHANGED_LEVELS = 4.0
# Widths of the detector's boxes differ by up to this factor from the face's.
_BOX_SLACK = 0.8
# HOG's widths go in steps of 1.2, so that a box may be narrower than the face by half a step.
_SMALLEST_BOX = 0.9
# While nothing is found in the enlarged picture, it is searched at intervals that double up to this factor.
_LONGEST_PAUSE = 4
# Detections that HOG nearly accepts are checked upright and in a finer pyramid.
_NEARLY = 0.4
_MAX_NEARLY = 2
_LOCAL_FACE_PX = 100
# Tilted faces are searched in whole frames from this share of the shorter side on.
_TILTED_SHARE = 1 / 6
_LOCAL_WIDTHS = 3


class Searcher:
    """Searches the frames of one clip; remembers the last searches.

    Args:
        options: Settings of the stage.
        models: Loaded models.
    """

    def __init__(self, options: FacesConfig, models: Models) -> None:
        self._options = options
        self._models = models
        scales = search_scales(models.detector, smallest_face_px=options.min_face_px)
        self._coarse = tuple(scale for scale in scales if scale <= 1) or scales[:1]
        self._fine = tuple(scale for scale in scales if scale > self._coarse[-1])
        self._searched_at: int | None = None
        self._searched: npt.NDArray[np.int16] | None = None
        self._searched_fine_at: int | None = None
        self._searched_fine: npt.NDArray[np.int16] | None = None
        self._fine_pause = options.redetect_every
        self._nearly: tuple[Detection, ...] = ()
        self._lost_roll_rad: float | None = None
        self._searched_harder_at: int | None = None

    def forget(self) -> None:
        """Treat the next frame as the first of a new scene."""
        self._searched_at = self._searched_fine_at = None
        self._searched = self._searched_fine = None
        self._fine_pause = self._options.redetect_every
        self._nearly = ()

    def face_lost(self, roll_rad: float) -> None:
        """Make the next frame be searched finely, whatever it looks like, and for a tilted face.

        Args:
            roll_rad: Tilt of the face.
        """
        self._searched = None
        self._lost_roll_rad = roll_rad

    def may_wait(self, index: int) -> bool:
        """Return whether a frame need not be searched at once, since one shortly before it was."""
        return self._searched_at is not None and index - self._searched_at < self._options.search_every

    def is_due(self, index: int) -> bool:
        """Return whether it is time to search for other faces beside the tracked one."""
        return self._searched_at is None or index - self._searched_at >= self._options.redetect_every

    def find(self, frame: Frame, luma: Image, sampled: npt.NDArray[np.int16]) -> list[Detection]:
        """Detect faces in a frame without a tracked face.

        Args:
            frame: The frame.
            luma: Its luma.
            sampled: :func:`fgbench.faces.scene.sample` of it.
        """
        is_new = self._searched_at is None
        detections: list[Detection] = []
        if is_new:
            detections = self._ladder(frame, luma)
        elif self._is_changed(self._searched, sampled) or self.is_due(frame.index):
            detections = self._search(frame, luma, self._coarse_scales(luma)[-1])
        else:
            return self._confirmed(frame, luma)
        self._searched_at, self._searched = frame.index, sampled
        detections = detections or self._confirmed(frame, luma)
        if not detections and self._is_fine_due(frame.index, sampled):
            detections = self._search_fine(frame, luma, sampled)
        return detections or self._search_harder(frame, luma, is_new=is_new)

    def _search_harder(self, frame: Frame, luma: Image, *, is_new: bool) -> list[Detection]:
        """Detect tilted faces and faces that fill the picture: at the start of a scene and when one was lost,
        no more often than other faces are searched for."""
        last = self._searched_harder_at
        is_wanted = is_new or self._lost_roll_rad is not None
        if not is_wanted or (last is not None and frame.index - last < self._options.redetect_every):
            return []
        roll_rad, self._lost_roll_rad = self._lost_roll_rad or 0.0, None
        self._searched_harder_at = frame.index
        checker = self._models.checker
        detections = self._large_enough(search_bordered(luma, checker))
        if detections:
            return detections
        least_px = max(self._options.min_face_px, _TILTED_SHARE * min(luma.shape))
        scale = min(1.0, checker.smallest_face_px / least_px)
        turned = search_turned(luma, checker, turns=other_turns(roll_rad), scale=scale)
        return self._seen_closer(frame, luma, turned)

    def _search_fine(self, frame: Frame, luma: Image, sampled: npt.NDArray[np.int16]) -> list[Detection]:
        """Detect faces in the enlarged picture; sets the time of the next such search."""
        is_first = self._searched_fine_at is None
        self._searched_fine_at, self._searched_fine = frame.index, sampled
        detections: list[Detection] = []
        for scale in self._fine_scales(luma):
            detections = detections or self._search(frame, luma, scale)
        shortest = self._options.redetect_every
        longer = shortest if is_first or detections else 2 * self._fine_pause
        self._fine_pause = min(longer, _LONGEST_PAUSE * shortest)
        return detections

    def find_others(self, frame: Frame, luma: Image, width_px: float) -> list[Detection]:
        """Detect faces that may matter beside a tracked one, which is detected again too.

        Args:
            frame: The frame.
            luma: Its luma.
            width_px: Width of the tracked face's box. Unless the policy is ``central``, much smaller faces
                are not searched for. The enlarged picture is not searched.
        """
        self._searched_at = frame.index
        finest = self._coarse_scales(luma)[-1]
        if self._options.policy == "central":
            return self._search(frame, luma, finest)
        scale = self._models.detector.smallest_face_px / (_BOX_SLACK * width_px)
        return self._search(frame, luma, min(scale, finest))

    def find_near(self, luma: Image, placement: Placement) -> Detection | None:
        """Detect, with the checker, the face nearest to a placement, within one box width around it and
        about as large; if none is upright, a tilted one."""
        width, height = luma.shape[1], luma.shape[0]
        reach = _LOCAL_WIDTHS / 2 * placement.width_px
        filled = 2 * placement.width_px > min(width, height)
        if filled:  # detectors miss faces that touch the border
            border = int(reach)
            inside = replace(placement, centre=placement.centre + border)
            near = self._find_near(with_border(luma, border), inside, reach)
            return None if near is None else _shifted(near, -border, -border)
        return self._find_near(luma, placement, reach)

    def _find_near(self, luma: Image, placement: Placement, reach: float) -> Detection | None:
        width, height = luma.shape[1], luma.shape[0]
        x0, y0 = (max(0, int(value - reach)) for value in placement.centre)
        x1, y1 = (
            min(n, int(value + reach)) for value, n in zip(placement.centre, (width, height), strict=True)
        )
        if x0 >= x1 or y0 >= y1:
            return None
        part = np.ascontiguousarray(luma[y0:y1, x0:x1])
        scale = _LOCAL_FACE_PX / placement.width_px
        detections = search_at_scale(part, self._models.checker, scale=scale)
        for turn in other_turns(placement.roll_rad):
            detections = detections or search_turned(part, self._models.checker, turns=(turn,), scale=scale)
        moved = [_shifted(item, x0, y0) for item in detections]

        def distance(item: Detection) -> float:
            return float(np.linalg.norm(placement_from_box(item.box_xyxy).centre - placement.centre))

        return min(self._large_enough(moved), key=distance, default=None)

    def _ladder(self, frame: Frame, luma: Image) -> list[Detection]:
        """Faces at the first scale that has one, and at the next if it could show equally large ones."""
        scales = self._coarse_scales(luma)
        for position, scale in enumerate(scales):
            detections = self._search(frame, luma, scale)
            if not detections or scale == scales[-1]:
                continue
            if self._options.policy == "central":
                return self._search(frame, luma, scales[-1]) or detections
            widest = max(box_width(item.box_xyxy) for item in detections)
            if _BOX_SLACK * widest * scale >= self._models.detector.smallest_face_px:
                return detections
            return self._search(frame, luma, scales[position + 1]) or detections
        return detections

    def _coarse_scales(self, luma: Image) -> tuple[float, ...]:
        return affordable_scales(self._coarse, luma.shape, most_px=self._models.detector.most_px)

    def _fine_scales(self, luma: Image) -> tuple[float, ...]:
        """Scales of the enlarged picture; empty where the bound leaves none above the coarse scales."""
        fine = affordable_scales(self._fine, luma.shape, most_px=self._models.detector.most_px)
        return tuple(scale for scale in fine if scale > self._coarse_scales(luma)[-1])

    def _search(self, frame: Frame, luma: Image, scale: float) -> list[Detection]:
        """Detect faces of the whole frame at a scale; keeps the nearly accepted detections."""
        detector = self._models.detector
        margin = _NEARLY if detector is self._models.checker else 0.0
        picture = frame.rgb() if detector.uses_colour else luma
        detections = self._large_enough(search_at_scale(picture, detector, scale=scale, margin=margin))
        least = detector.accepted_score
        self._nearly = tuple(item for item in detections if item.score < least)[:_MAX_NEARLY]
        return [item for item in detections if item.score >= least]

    def _confirmed(self, frame: Frame, luma: Image) -> list[Detection]:
        """Nearly accepted detections of the last search that are confirmed as faces on a closer look."""
        return self._seen_closer(frame, luma, self._nearly)

    def _seen_closer(self, frame: Frame, luma: Image, items: Sequence[Detection]) -> list[Detection]:
        """Detections that are confirmed as faces on a closer look."""
        confirmed = []
        for item in items:
            start = placement_from_box(item.box_xyxy, roll_rad=item.tilt_rad)
            face = locate(luma, start, self._models.predictor)
            seen = check(frame, face, self._models, margin=0.0)
            if seen is not None:
                confirmed.append(seen)
        return self._large_enough(confirmed)

    def _large_enough(self, detections: Sequence[Detection]) -> list[Detection]:
        least = _SMALLEST_BOX * self._options.min_face_px
        return [item for item in detections if box_width(item.box_xyxy) >= least]

    def _is_fine_due(self, index: int, sampled: npt.NDArray[np.int16]) -> bool:
        if self._searched_fine_at is None:
            return True
        is_time = index - self._searched_fine_at >= self._fine_pause
        return is_time and self._is_changed(self._searched_fine, sampled)

    @staticmethod
    def _is_changed(before: npt.NDArray[np.int16] | None, after: npt.NDArray[np.int16]) -> bool:
        return before is None or scene.largest_change(before, after) > _CHANGED_LEVELS


def _shifted(detection: Detection, x_px: int, y_px: int) -> Detection:
    offset = np.array([x_px, y_px], np.float32)
    return replace(
        detection,
        box_xyxy=detection.box_xyxy + np.tile(offset, 2),
        points_xy=detection.points_by(lambda points: points + offset),
    )
