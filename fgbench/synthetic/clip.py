"""One clip: its content, its truth per frame, and its video file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench import storage
from fgbench.files.hashing import hash_u64
from fgbench.synthetic import action_units
from fgbench.synthetic.camera import Pose
from fgbench.synthetic.canvas import Picture
from fgbench.synthetic.face import Head, Seen
from fgbench.synthetic.identity import Identity, draw_identity
from fgbench.synthetic.motion import perform_motion
from fgbench.synthetic.performance import Performance, perform
from fgbench.synthetic.plan import ClipPlan, SynthOptions
from fgbench.synthetic.scene import Scene, draw_scene
from fgbench.synthetic.variety import Look, wide_person, wide_scene

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """Everything that a clip is drawn from.

    Attributes:
        plan: Class, person and take.
        person: The person.
        scene: Light, camera, background.
        performance: Movements of the person.
        fps: Frames per second.
        look: Changes to the frames by the recording; ``None`` for none.
    """

    plan: ClipPlan
    person: Identity
    scene: Scene
    performance: Performance
    fps: int
    look: Look | None = None

    def pose(self, frame: int) -> Pose:
        """Pose of the head in a frame without the turn by action units."""
        yaw, pitch, roll = self.performance.sway_deg[frame]
        base = self.scene.pose
        return Pose(base.yaw_deg + yaw, base.pitch_deg + pitch, base.roll_deg + roll)


def draw_clip(plan: ClipPlan, options: SynthOptions) -> Clip:
    """The clip of a plan: a function of seed, sizes, control, variety and the clip's id alone."""
    person = draw_identity(options.seed, plan.subject)
    if options.control is not None:
        rng = np.random.default_rng(
            hash_u64("fgbench.synthetic", options.control, options.seed, plan.group_id)
        )
        scene = draw_scene(options.width, options.height, rng)
        performance = perform_motion(plan.label, options.fps, rng)
    else:
        rng = np.random.default_rng(hash_u64("fgbench.synthetic", "clip", options.seed, plan.clip_id))
        duration_s = rng.uniform(options.min_duration_s, options.max_duration_s)
        scene = draw_scene(options.width, options.height, rng)
        performance = perform(plan.label, round(duration_s * options.fps), options.fps, rng)
    look = None
    if options.variety == "wide":
        # From a separate generator, so that all else is as in the plain set; matched clips share one.
        whose = plan.clip_id if options.control is None else plan.group_id
        rng = np.random.default_rng(hash_u64("fgbench.synthetic", "wide clip", options.seed, whose))
        person = wide_person(person, options.seed, plan.subject)
        scene, look = wide_scene(scene, rng)
    return Clip(plan=plan, person=person, scene=scene, performance=performance, fps=options.fps, look=look)


def truth(clip: Clip) -> pa.Table:
    """Truth table of a clip, one row per frame; see :func:`truth_schema`."""
    import pyarrow as pa

    head = Head(clip.person, clip.scene.camera)
    course = clip.performance.activations
    seen = [head.seen(activation, clip.pose(frame)) for frame, activation in enumerate(course)]
    n_frames = len(seen)
    frames = np.arange(n_frames)
    columns: dict[str, object] = {
        "clip_id": [clip.plan.clip_id] * n_frames,
        "frame_index": frames,
        "time_s": frames / clip.fps,
        "label": [clip.plan.label] * n_frames,
        "subject_id": [clip.plan.subject_id] * n_frames,
        "phase": clip.performance.timing.phases(),
        "is_key_frame": frames == clip.performance.timing.key_frame,
        "landmarks": _landmark_column(seen),
        "yaw_deg": [one.pose.yaw_deg for one in seen],
        "pitch_deg": [one.pose.pitch_deg for one in seen],
        "roll_deg": [one.pose.roll_deg for one in seen],
        **action_units.columns(course),
    }
    schema = truth_schema()
    return pa.Table.from_arrays(
        [pa.array(columns[field.name], type=field.type) for field in schema], schema=schema
    )


def truth_schema() -> pa.Schema:
    """Arrow schema of the truth table.

    ``landmarks`` holds x0, y0, x1, y1 … of the 68 points (iBUG order) in px of the picture, pixel centres at
    integers. Angles are positive to the person's left (yaw), up (pitch) and for a tilt to the person's left
    (roll). ``auNN`` is the intensity of an action unit, 0 to 1, the stronger side of paired ones;
    ``auNN_l`` and ``auNN_r`` are the person's left and right.
    """
    import pyarrow as pa

    fields: list[tuple[str, pa.DataType]] = [
        ("clip_id", pa.string()),
        ("frame_index", pa.int32()),
        ("time_s", pa.float64()),
        ("label", pa.string()),
        ("subject_id", pa.string()),
        ("phase", pa.string()),
        ("is_key_frame", pa.bool_()),
        ("landmarks", pa.list_(pa.float32(), 136)),
        ("yaw_deg", pa.float32()),
        ("pitch_deg", pa.float32()),
        ("roll_deg", pa.float32()),
    ]
    names = action_units.columns(action_units.neutral()[None])
    return pa.schema(fields + [(name, pa.float32()) for name in names])


def drawn_frames(clip: Clip, options: SynthOptions, frames: Iterable[int]) -> Iterator[Picture]:
    """Draw frames of a clip with the grain of the camera.

    Returns:
        uint8 (H * 3 / 2, W) per frame: planes of yuv420p, valid until the next one.
    """
    from fgbench.synthetic.film import Film
    from fgbench.synthetic.recording import Recording
    from fgbench.synthetic.render import Renderer

    renderer = Renderer(clip.person, clip.scene, options.width, options.height)
    film = Film(renderer.backdrop, clip.scene)
    recording = None if clip.look is None else Recording(clip.look, options.width, options.height)
    for frame in frames:
        left, up = clip.performance.gaze[frame].tolist()
        activation = clip.performance.activations[frame]
        patch, corner = renderer.patch(activation, clip.pose(frame), gaze=(left, up))
        planes = film.frame(patch, corner, frame)
        yield planes if recording is None else recording.frame(planes)


def write_video(path: Path, clip: Clip, options: SynthOptions) -> None:
    """Draw and encode a clip; the file appears when it is complete.

    Raises:
        ResourceError: If the disk is full or the folder cannot be written.
    """
    from fgbench.synthetic.encode import h264_file

    # Encoded independently of the onset before it, the apex is the same in all clips of a matched group.
    fresh = {clip.performance.timing.apex} if options.control is not None else set()
    qp = Look().h264_qp if clip.look is None else clip.look.h264_qp
    with (
        storage.written(path) as temporary,
        h264_file(temporary, options.width, options.height, options.fps, fresh=fresh, qp=qp) as append,
    ):
        for planes in drawn_frames(clip, options, range(clip.performance.timing.n_frames)):
            append(planes)


def _landmark_column(seen: list[Seen]) -> pa.Array:
    import pyarrow as pa

    flat = np.stack([one.landmarks_px for one in seen]).astype(np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), 136)
