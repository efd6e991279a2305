"""A small data set as somebody would bring it: nine classes, twelve persons, and five people's votes.

The faces are drawn; the folder has nothing that a person would not have: no truth, no mark of the generator.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fgbench.synthetic.clip import draw_clip, truth, write_video
from fgbench.synthetic.plan import ClipPlan, SynthOptions
from fgbench.taxonomy import leaf

CLASSES = ("wrath", "disgust", "terror", "worry", "thrill", "pride", "gloom", "remorse", "astonishment")
N_PERSONS = 12
ANNOTATORS = ("ada", "ben", "cleo", "dan", "eve")
OPTIONS = SynthOptions(
    clips_per_class=N_PERSONS,
    subjects=N_PERSONS,
    width=256,
    height=192,
    min_duration_s=0.6,
    max_duration_s=0.8,
    seed=3,
)
"""What is drawn: 15 to 20 frames of 256 x 192 px."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How often annotators err.

    Attributes:
        label: Share of votes for another class, mostly one of the same upper class.
        key_frame_sd: Standard deviation of their key frames, in frames.
        lost_key_frame: Share of votes whose key frame is anywhere in the clip.
    """

    label: float
    key_frame_sd: float
    lost_key_frame: float


FIRST_ROUND = Errors(label=0.3, key_frame_sd=2.0, lost_key_frame=0.1)
SECOND_ROUND = Errors(label=0.05, key_frame_sd=1.0, lost_key_frame=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a clip shows.

    Attributes:
        clip: Its name.
        label: Its class.
        subject: Its person.
        key_frame: Frame of the climax.
        n_frames: Its frames.
    """

    clip: str
    label: str
    subject: str
    key_frame: int
    n_frames: int


def plans() -> list[ClipPlan]:
    """Six clips of each person, eight of each class."""
    return [
        ClipPlan(label, person, 0)
        for person in range(N_PERSONS)
        for number, label in enumerate(CLASSES)
        if (number + person) % 3
    ]


def write_own_data(root: Path) -> list[Shown]:
    """Draw the clips into ``root/videos``, and a table of who is shown; returns what they show."""
    shown = []
    for number, plan in enumerate(plans()):
        clip = draw_clip(plan, OPTIONS)
        name = f"film{plan.subject:02d}/take{number:03d}"
        path = root / "videos" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, clip, OPTIONS)
        frames = truth(clip)
        shown.append(
            Shown(
                clip=name,
                label=plan.label,
                subject=plan.subject_id,
                key_frame=frames["is_key_frame"].to_pylist().index(True),
                n_frames=frames.num_rows,
            )
        )
    with (root / "annotations.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "subject"])
        writer.writerows((one.clip, one.subject) for one in shown)
    return shown


def add_votes(root: Path, shown: Iterable[Shown], errors: Errors, *, round_: int, seed: int = 0) -> int:
    """Append the votes of all annotators on some clips to ``votes.csv``; returns their number."""
    path = root / "votes.csv"
    is_new = not path.exists()
    n_votes = 0
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["clip", "annotator", "label", "confidence", "key_frame", "round"])
        for one in shown:
            rng = np.random.default_rng([seed, round_, *one.clip.encode()])
            for annotator in ANNOTATORS:
                writer.writerow([one.clip, annotator, *_vote(one, errors, rng), round_])
                n_votes += 1
    return n_votes


def _vote(one: Shown, errors: Errors, rng: np.random.Generator) -> tuple[str, str, int]:
    label, key_frame = one.label, round(one.key_frame + rng.normal(0.0, errors.key_frame_sd))
    if rng.random() < errors.label:
        others = [name for name in CLASSES if name != label]
        near = [name for name in others if leaf(name).basic == leaf(label).basic] or others
        label = str(rng.choice(near if rng.random() < 0.7 else others))
    if rng.random() < errors.lost_key_frame:
        key_frame = int(rng.integers(one.n_frames))
    confidence = rng.uniform(0.6, 1.0) if label == one.label else rng.uniform(0.4, 0.9)
    return label, f"{confidence:.2f}", int(np.clip(key_frame, 0, one.n_frames - 1))
