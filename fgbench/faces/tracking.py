"""Track one face through a clip: searched now and then, tracked from frame to frame, aligned in every frame.

A search of the whole frame is made at the start, after a cut, when the face is lost, and every
``redetect_every`` frames to notice other faces. In between, landmarks are predicted from those of the
previous frame, and every ``check_every`` frames, or as soon as the face's appearance changes, the detector
checks the face alone. So a face that leaves, is covered or cut away is noticed, and nothing drifts. Every few
frames it is tested whether one face dissolves into another (:mod:`fgbench.faces.dissolves`): if so, whole
frames are searched until there is another face, and at the end of the dissolve, at the latest, a new track
begins. A large head that moves fast before a plain ground looks like a cut: where part of the picture is
unchanged, and the face in the next frame is near and looks much the same, it is the same track.

Tilted faces and faces that fill the picture are searched at the start of a scene and where a face is lost, no
more often than other faces (:mod:`fgbench.faces.fallback_search`).

While there is no face, frames wait for the next one that is searched, ``search_every`` frames after the
last; from a face found there, the waiting ones are gone through backwards.

A frame's result depends on nothing but the given frames of its clip.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from fgbench.config import FacesConfig
from fgbench.faces import scene
from fgbench.faces.dissolves import LOOK_EVERY, RecentPictures
from fgbench.faces.geometry import box_iou
from fgbench.faces.locating import Models, check, load_models, locate, look
from fgbench.faces.observation import Observation, aligned
from fgbench.faces.placement import Placement
from fgbench.faces.searching import Searcher
from fgbench.faces.seen_faces import KEEP_MARGIN, SeenFace, checked, see, seen_at
from fgbench.faces.selection import choose, rank
from fgbench.faces.status import AMBIGUOUS, CORRUPT_FRAME, NO_FACE, OK
from fgbench.faces.tracks import SAME_LOOK, Track, has_jumped, is_same
from fgbench.media.video import Frame, Image

_SAME_FACE_IOU = 0.3  # overlap with the tracked face's box from which on a detection is that face
_MOST_LOST = 3  # lost tracks that may be resumed

Observed = tuple[Frame, Observation]
"""A frame and its observation."""


class FaceTracker:
    """Finds and tracks the face of one clip.

    Waiting observations have landmarks but neither pose nor chip yet
    (:func:`fgbench.faces.observation.aligned`); their quality is that by the detection alone.

    Pass the frames in order, either to :meth:`observe`, which answers at once, or to :meth:`feed` and at
    the end :meth:`finish`, which take less time where there is no face.

    Args:
        options: Settings of the stage.
        models: Loaded models, to share them between clips; ``None`` loads them.
    """

    def __init__(self, options: FacesConfig | None = None, models: Models | None = None) -> None:
        self._options = options or FacesConfig()
        self._models = models or load_models(self._options)
        self._searcher = Searcher(self._options, self._models)
        self._track: Track | None = None
        self._lost: tuple[Track, ...] = ()  # the last first
        self._doubted: tuple[Track, ...] = ()  # tracks before a cut that may be a fast head
        self._rivals: tuple[Placement, ...] = ()
        self._n_tracks = 0
        self._n_faces = 0
        self._scene: npt.NDArray[np.int16] | None = None
        self._recent = RecentPictures()
        self._dissolving_since: int | None = None
        self._index = -1
        self._followed_at = -1
        self._waiting: list[Frame] = []

    def observe(self, frame: Frame) -> Observation:
        """Observe the next frame at once, with pose and chip.

        Raises:
            ValueError: If the frame does not come after the previous one, or frames given to feed still wait.
        """
        if self._waiting:
            raise ValueError(f"{len(self._waiting)} frames wait for a decision: call finish() first")
        ((_, observation),) = [*self.feed(frame), *self.finish()]
        return aligned(frame, observation, self._options)

    def feed(self, frame: Frame) -> list[Observed]:
        """Take the next frame.

        Returns:
            The frames that are decided now, in order: often this one, none, or those that waited and this
            one.

        Raises:
            ValueError: If the frame does not come after the previous one.
        """
        if frame.index <= self._index:
            raise ValueError(
                f"frame {frame.index} after frame {self._index}, expected a clip's frames in order"
            )
        self._index = frame.index
        if frame.is_corrupt:
            self._waiting.append(frame)
            others_wait = len(self._waiting) > 1 and self._searcher.may_wait(frame.index)
            return [] if others_wait else self._decide()
        luma = frame.gray()
        sampled = scene.sample(luma)
        self._recent.add(frame.index, luma)
        decided: list[Observed] = []
        if self._scene is not None and scene.is_cut(self._scene, sampled):
            followed = () if self._track is None else (self._track,)
            is_doubtful = scene.is_partly_still(self._scene, sampled)
            decided = self._begin_scene()
            self._doubted = followed if is_doubtful else ()
        elif self._track is not None and frame.index % LOOK_EVERY == 0:
            decided = self._follow_dissolve(self._track)
        self._scene = sampled
        self._waiting.append(frame)
        has_face = self._track is not None or self._rivals
        if not has_face and self._searcher.may_wait(frame.index):
            return decided
        return [*decided, *self._decide()]

    def _begin_scene(self) -> list[Observed]:
        """Drop the faces of the previous scene; decides the frames that still wait."""
        decided = self._decide()
        self._track, self._lost = None, ()
        self._dissolving_since = None
        self._rivals = ()
        self._searcher.forget()
        self._recent.clear()
        return decided

    def _follow_dissolve(self, track: Track) -> list[Observed]:
        """Search the next frame while the tracked face dissolves; afterwards it is another one."""
        since = self._recent.dissolved_since(track.face.placement.box_xyxy)
        if since is None and self._dissolving_since is None:
            return []
        start = since if self._dissolving_since is None else self._dissolving_since
        assert start is not None
        if track.began_at > start:  # it is the other one
            self._dissolving_since = None
            self._recent.clear()
            return []
        if since is None:
            return self._begin_scene()
        self._dissolving_since = start
        self._lose(track)
        self._searcher.forget()
        return []

    def finish(self) -> list[Observed]:
        """Decide the frames that still wait, in order."""
        return self._decide()

    def _decide(self) -> list[Observed]:
        """Observe the last of the waiting frames, and from there back the others."""
        waiting, self._waiting = self._waiting, []
        intact = [frame for frame in waiting if not frame.is_corrupt]
        observations: dict[int, Observation] = {}
        if intact:
            observations[intact[-1].index] = self._look_at(intact[-1])
            observations |= self._look_back(intact[:-1])
        corrupt = Observation(status=CORRUPT_FRAME)
        return [(frame, observations.get(frame.index, corrupt)) for frame in waiting]

    def _look_at(self, frame: Frame) -> Observation:
        luma = frame.gray()
        is_next = frame.index == self._followed_at + 1
        self._followed_at = frame.index
        if self._track is not None:
            self._follow(frame, luma, self._track, must_check=not is_next)
        if self._track is not None and self._searcher.is_due(frame.index):
            self._look_for_others(frame, luma, self._track)
        if self._rivals:
            self._compare_rivals(frame, luma)
        if self._track is None and not self._rivals:
            assert self._scene is not None  # feed() sampled this frame last
            detections = self._searcher.find(frame, luma, self._scene)
            self._choose(frame, [checked(frame, item, self._models) for item in detections])
        self._doubted = ()
        if self._track is not None:
            track = self._track
            return self._observed(SeenFace(track.face, track.score, track.agreement))
        return Observation(status=AMBIGUOUS if self._rivals else NO_FACE, n_faces=self._n_faces)

    def _look_back(self, frames: list[Frame]) -> dict[int, Observation]:
        """Go back through frames before the last one, as long as its faces are detected.

        Returns:
            Observation of each frame by its number.
        """
        placements = self._rivals if self._track is None else (self._track.face.placement,)
        observations = {}
        for frame in reversed(frames):
            seen = [see(frame, placement, self._models) for placement in placements]
            visible = [item for item in seen if item is not None]
            placements = tuple(item.face.placement for item in visible) if len(visible) == len(seen) else ()
            if not placements:
                observations[frame.index] = Observation(status=NO_FACE)
            elif self._track is None:
                observations[frame.index] = Observation(status=AMBIGUOUS, n_faces=self._n_faces)
            else:
                observations[frame.index] = self._observed(visible[0])
        return observations

    def _follow(self, frame: Frame, luma: Image, track: Track, *, must_check: bool) -> None:
        """Continue the track in a frame, or lose it."""
        face = locate(luma, track.face.placement, self._models.predictor)
        is_time = must_check or frame.index - track.checked_at >= self._options.check_every
        is_due = is_time or not face.settled or has_jumped(track.face.placement, face.placement)
        if not is_due and scene.correlation(look(face), track.appearance) >= SAME_LOOK:
            self._track = replace(track, face=face, agreement=1.0)
            return
        seen = check(frame, face, self._models, margin=KEEP_MARGIN)
        if seen is not None:
            self._take_up(
                (track,), seen_at(luma, seen, self._models, face), frame.index, is_followed=not must_check
            )
            return
        near = self._searcher.find_near(luma, track.face.placement)
        if near is not None:
            self._take_up((track, *self._lost), seen_at(luma, near, self._models), frame.index)
            return
        self._lose(track)
        self._searcher.face_lost(track.face.placement.roll_rad)

    def _lose(self, track: Track) -> None:
        """Stop tracking this face, and resume it where it is detected again."""
        self._track, self._lost = None, (track, *self._lost)[:_MOST_LOST]

    def _look_for_others(self, frame: Frame, luma: Image, track: Track) -> None:
        """Search for faces that the policy may prefer to the tracked one."""
        box = track.face.placement.box_xyxy
        detections = self._searcher.find_others(frame, luma, track.face.placement.width_px)
        others = [item for item in detections if box_iou(item.box_xyxy, box) < _SAME_FACE_IOU]
        held = SeenFace(track.face, track.score, track.agreement)
        self._choose(frame, [held, *(checked(frame, item, self._models) for item in others)], held=0)

    def _compare_rivals(self, frame: Frame, luma: Image) -> None:
        """Check faces that the policy could not decide between: one may be gone, or be the better one by
        now."""
        seen = [see(frame, placement, self._models) for placement in self._rivals]
        visible = [item for item in seen if item is not None]
        if len(visible) == len(seen) and not self._searcher.is_due(frame.index):
            self._choose(frame, visible)
        else:
            self._rivals = ()
            self._searcher.forget()

    def _choose(self, frame: Frame, faces: list[SeenFace], *, held: int | None = None) -> None:
        """Track the face that the policy selects, or note that it cannot decide."""
        self._n_faces = len(faces)
        self._rivals = ()
        if not faces:
            return
        boxes = [item.face.placement.box_xyxy for item in faces]
        policy, ambiguity = self._options.policy, self._options.ambiguity
        chosen = choose(boxes, frame.size, policy=policy, ambiguity=ambiguity, held=held)
        if chosen is None:
            order = sorted(range(len(boxes)), key=lambda index: rank(boxes[index], frame.size, policy=policy))
            self._rivals = tuple(faces[index].face.placement for index in order[:2])
        elif chosen != held:
            left = () if held is None or self._track is None else (self._track,)
            track = self._take_up(self._lost, faces[chosen], frame.index)
            others = (item for item in (*left, *self._lost) if item.track_id != track.track_id)
            self._lost = tuple(others)[:_MOST_LOST]

    def _take_up(
        self, candidates: tuple[Track, ...], seen: SeenFace, index: int, *, is_followed: bool = False
    ) -> Track:
        """Continue a track, or begin one, with a detected face.

        Args:
            candidates: Tracks that the face may belong to, the likeliest first.
            seen: The face.
            index: Number of the frame.
            is_followed: Whether it certainly belongs to the first, tracked from the previous frame.
        """
        appearance = look(seen.face)
        alike = (item for item in candidates if is_followed or is_same(item, seen.face, appearance))
        doubted = (item for item in self._doubted if is_same(item, seen.face, appearance, SAME_LOOK))
        previous = next(chain(alike, doubted), None)
        if previous is not None:
            track_id, began_at = previous.track_id, previous.began_at
            portrait, best = previous.portrait, previous.portrait_score
        else:
            track_id, began_at = self._n_tracks, index
            portrait, best = appearance, seen.score
            self._n_tracks += 1
        self._track = Track(
            track_id=track_id,
            began_at=began_at,
            face=seen.face,
            score=seen.score,
            agreement=seen.agreement,
            appearance=appearance,
            checked_at=index,
            portrait=appearance if seen.score > best else portrait,
            portrait_score=max(seen.score, best),
        )
        return self._track

    def _observed(self, seen: SeenFace) -> Observation:
        assert self._track is not None
        return Observation(
            status=OK,
            n_faces=self._n_faces,
            track_id=self._track.track_id,
            score=seen.score,
            quality=seen.agreement,
            landmarks=seen.face.landmarks.astype(np.float32),
        )
