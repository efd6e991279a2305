"""All faces of a still picture; a clip's tracker follows only one.

Searched at every scale that serves faces as small as wanted: a detection at any of them is located by its
landmarks and checked once more upright, so that few false detections are left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fgbench.config import FacesConfig
from fgbench.faces.detection import Detection, affordable_scales, search_at_scale, search_scales
from fgbench.faces.geometry import box_centre, box_iou, box_width
from fgbench.faces.locating import Models, at_detection, check, distance, locate
from fgbench.faces.observation import Observation, aligned
from fgbench.faces.placement import placement_from_box
from fgbench.faces.quality import agreement_with_detection
from fgbench.faces.status import OK, UNSURE
from fgbench.media.video import Frame

_SAME_IOU = 0.3
_SMALLEST_BOX = 0.9  # detectors' widths go in steps, so that a box may be narrower than its face


def everyone(frame: Frame, options: FacesConfig, models: Models) -> list[Observation]:
    """Find the faces of a picture, from left to right, each aligned; status ``ok``, ``unsure`` or
    ``large_pose``.

    Args:
        frame: The picture.
        options: Settings of the stage; the policy is not used.
        models: Loaded models.
    """
    luma = np.ascontiguousarray(frame.gray())
    picture = frame.rgb() if models.detector.uses_colour else luma
    scales = search_scales(models.detector, smallest_face_px=options.min_face_px)
    detections: list[Detection] = []
    for scale in affordable_scales(scales, luma.shape, most_px=models.detector.most_px):
        detections += search_at_scale(picture, models.detector, scale=scale)
    kept: list[Observation] = []
    for item in sorted(detections, key=lambda one: -one.score):
        if box_width(item.box_xyxy) < _SMALLEST_BOX * options.min_face_px:
            continue
        if any(_is_same(item, one) for one in kept):
            continue
        face = locate(luma, placement_from_box(item.box_xyxy, roll_rad=item.tilt_rad), models.predictor)
        seen = check(frame, face, models, margin=0.0)
        if seen is None:
            continue
        face = at_detection(luma, seen, models.predictor, face)
        quality = agreement_with_detection(distance(face.placement, seen))
        located = Observation(
            status=UNSURE if quality < options.min_quality else OK,
            track_id=len(kept),
            score=item.score,
            quality=quality,
            landmarks=face.landmarks.astype(np.float32),
        )
        observation = aligned(frame, located, options)
        if not any(_is_same(seen, one) for one in kept):
            kept.append(observation)
    ordered = sorted(kept, key=_left_first)
    return [replace(one, track_id=number, n_faces=len(ordered)) for number, one in enumerate(ordered)]


def _is_same(detection: Detection, face: Observation) -> bool:
    return face.box_xyxy is not None and box_iou(detection.box_xyxy, face.box_xyxy) > _SAME_IOU


def _left_first(face: Observation) -> tuple[float, float]:
    assert face.box_xyxy is not None, "a face that was found has a box"
    x, y = box_centre(face.box_xyxy)
    return x, y
