"""Clips of a synthetic data set: the options, and the cast."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from fgbench.errors import ConfigError
from fgbench.synthetic.identity import subject_name
from fgbench.synthetic.motion import ONSET_FRAMES
from fgbench.synthetic.recipes import recipes
from fgbench.synthetic.variety import VARIETIES

CONTROLS = ("motion",)
"""Control sets: data sets that only one kind of model can solve, to test that a model is of that kind."""

MIN_FRAMES = 12
"""Frames of the shortest clip: fewer cannot hold neutral, onset, apex, offset and neutral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthOptions:
    """Options of the data set.

    Attributes:
        clips_per_class: Clips of each class.
        subjects: Number of people; a control has at most one per clip of a class.
        width: Width of the pictures in px, even, at least 160.
        height: Height of the pictures in px, even, at least 120.
        seed: Seed of everything, not negative.
        fps: Frames per second.
        min_duration_s: Length of the shortest clips in seconds; without effect on a control.
        max_duration_s: Length of the longest clips in seconds; without effect on a control.
        control: One of :data:`CONTROLS` in place of the 33 classes.
        variety: One of :data:`fgbench.synthetic.variety.VARIETIES`.
        classes: Those of the 33 that are drawn; ``None``: all.

    Raises:
        ConfigError: If a value is out of range.
    """

    clips_per_class: int = 5
    subjects: int = 40
    width: int = 1280
    height: int = 720
    seed: int = 0
    fps: int = 25
    min_duration_s: float = 1.0
    max_duration_s: float = 4.0
    control: str | None = None
    variety: str = "plain"
    classes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.variety not in VARIETIES:
            raise ConfigError(f"unknown variety {self.variety!r}", f"choose one of {', '.join(VARIETIES)}")
        if self.control is not None and self.control not in CONTROLS:
            near = get_close_matches(self.control, CONTROLS, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(
                f"unknown control {self.control!r}", f"{meant}known controls: {', '.join(CONTROLS)}"
            )
        self._check_classes()
        shortest_s = MIN_FRAMES / self.fps if self.fps > 0 else 0.0
        rules = (
            ("clips_per_class", 1 <= self.clips_per_class <= 1000, "1 to 1000"),
            ("subjects", 1 <= self.subjects <= 1000, "1 to 1000"),
            ("width", 160 <= self.width <= 7680 and self.width % 2 == 0, "an even number from 160 to 7680"),
            (
                "height",
                120 <= self.height <= 4320 and self.height % 2 == 0,
                "an even number from 120 to 4320",
            ),
            ("seed", self.seed >= 0, "0 or more"),
            ("fps", 1 <= self.fps <= 240, "1 to 240"),
            (
                "min_duration_s",
                self.min_duration_s >= shortest_s,
                f"at least {shortest_s:g} ({MIN_FRAMES} frames at {self.fps} frames per second)",
            ),
            (
                "max_duration_s",
                self.min_duration_s <= self.max_duration_s <= 60.0,
                f"{self.min_duration_s:g} (min_duration_s) to 60",
            ),
        )
        for name, good, expected in rules:
            if not good:
                raise ConfigError(
                    f"{name} of the synthetic data set is {getattr(self, name)!r}, expected {expected}",
                    f"choose another {name}",
                )

    def _check_classes(self) -> None:
        if self.classes is None:
            return
        if self.control is not None:
            raise ConfigError("classes of a control set, which has its own", "leave classes out")
        names = list(recipes())
        unknown = [label for label in self.classes if label not in names]
        if unknown or not self.classes or len(set(self.classes)) < len(self.classes):
            what = f"no class {unknown[0]!r}" if unknown else "no class, or one twice"
            raise ConfigError(
                f"classes of the synthetic data set: {what}, expected some of the {len(names)}, each once",
                f"choose among {', '.join(names)}",
            )


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip to be drawn.

    Attributes:
        label: Class that is played.
        subject: Number of the person.
        take: Number of the clip within its class, from 0.
    """

    label: str
    subject: int
    take: int

    @property
    def subject_id(self) -> str:
        """Id of the person."""
        return subject_name(self.subject)

    @property
    def group_id(self) -> str:
        """Id of the matched group in a control set, e.g. ``"s03_000"``."""
        return f"{self.subject_id}_{self.take:03d}"

    @property
    def clip_id(self) -> str:
        """Id of the clip, e.g. ``"anger_s03_000"``."""
        return f"{self.label}_{self.group_id}"


def plan(options: SynthOptions) -> list[ClipPlan]:
    """All clips of a data set, sorted by id.

    A control has one clip of each of its classes for every take of a person: a matched group.

    People are grouped into casts and each cast plays every class, so that a division by person can keep
    whole casts, and with each of them all classes, apart. With at least as many clips per class as people
    everybody plays every class.
    """
    if options.control is not None:
        groups = [(take % options.subjects, take) for take in range(options.clips_per_class)]
        matched = [ClipPlan(label, subject, take) for label in ONSET_FRAMES for subject, take in groups]
        return sorted(matched, key=lambda clip: clip.clip_id)
    n_casts = min(options.clips_per_class, options.subjects)
    casts = [range(first, options.subjects, n_casts) for first in range(n_casts)]
    clips: list[ClipPlan] = []
    for number, label in enumerate(recipes()):
        if options.classes is not None and label not in options.classes:
            continue
        for take in range(options.clips_per_class):
            cast = casts[take % n_casts]
            clips.append(ClipPlan(label, cast[(number + take // n_casts) % len(cast)], take))
    return sorted(clips, key=lambda clip: clip.clip_id)
