"""Many votes: a round of annotation with drawn answers, as Label Studio exports them and as a table.

Three of four answers are the class of the clip, others any class; key frames lie within four frames of a
centre. The clips are empty files, which an import with a round does not open.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from fgbench.annotation.project_file import ClipTask, Project, round_folder, write_project
from fgbench.preparation.settling._rule import LatestVotes, of_indices
from fgbench.taxonomy import leaves
from tests.support.annotated_rounds import annotation

PER_CLIP, N_ANNOTATORS, N_FRAMES = 5, 60, 80
LABELS = [leaf.name for leaf in leaves()]
NAMES = [f"rater{number:02d}" for number in range(N_ANNOTATORS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An answer that was drawn.

    Attributes:
        clip: Number of the clip.
        who: Number of the annotator.
        label: The class.
        stars: Confidence, 2 to 5 stars.
        frame: Key frame, from 0.
        spent_s: Seconds spent.
        second: Seconds from the begin of a month to the time at which it was cast.
    """

    clip: int
    who: int
    label: str
    stars: int
    frame: int
    spent_s: float
    second: int

    @property
    def cast_at(self) -> str:
        """Time at which it was cast, without its zone."""
        return (datetime(2026, 1, 1) + timedelta(seconds=self.second)).isoformat()


def drawn(n_clips: int, seed: int = 0) -> Iterator[list[Drawn]]:
    """Answers on each clip, ordered by annotator."""
    rng = np.random.default_rng(seed)
    for clip in range(n_clips):
        true, centre = int(rng.integers(len(LABELS))), int(rng.integers(10, 60))
        chosen = sorted(rng.choice(N_ANNOTATORS, PER_CLIP, replace=False).tolist())
        is_right, others = rng.random(PER_CLIP) < 0.75, rng.integers(len(LABELS), size=PER_CLIP)
        spent, seconds = rng.uniform(2, 90, PER_CLIP).round(3), rng.integers(2_500_000, size=PER_CLIP)
        stars, shifts = rng.integers(2, 6, PER_CLIP), rng.integers(-4, 5, PER_CLIP)
        yield [
            Drawn(
                clip=clip,
                who=who,
                label=LABELS[true if is_right[at] else int(others[at])],
                stars=int(stars[at]),
                frame=centre + int(shifts[at]),
                spent_s=float(spent[at]),
                second=int(seconds[at]),
            )
            for at, who in enumerate(chosen)
        ]


def latest(n_clips: int, seed: int = 0) -> LatestVotes:
    """Answers on each clip as the input of a model that settles them."""
    answers = [one for of_clip in drawn(n_clips, seed) for one in of_clip]
    return of_indices(
        [clip_name(number) for number in range(n_clips)],
        np.array([one.clip for one in answers]),
        NAMES,
        np.array([one.who for one in answers]),
        LABELS,
        np.array([LABELS.index(one.label) for one in answers]),
    )


def clip_name(number: int) -> str:
    """Id of a clip."""
    return f"film{number // 100:04d}/shot{number:06d}"


def write_round(folder: Path, n_clips: int, seed: int = 0) -> Path:
    """Write a data set with an exported round, ``export.json`` and ``answers.csv`` beside it; returns its
    root."""
    root = folder / "clips"
    for number in range(n_clips):
        path = root / "videos" / f"{clip_name(number)}.mp4"
        if number % 100 == 0:
            path.parent.mkdir(parents=True)
        path.touch()
    tasks = []
    with (
        (folder / "export.json").open("w", encoding="utf-8") as export,
        (folder / "answers.csv").open("w", encoding="utf-8", newline="") as table,
    ):
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(
            ["clip", "annotator", "label", "confidence", "key_frame", "round", "spent_s", "cast_at"]
        )
        for number, answers in enumerate(drawn(n_clips, seed)):
            clip = clip_name(number)
            tasks.append(_task(clip, answers))
            rows.writerows(
                [
                    *(clip, NAMES[one.who], one.label, one.stars / 5, one.frame, 1),
                    *(one.spent_s, f"{one.cast_at}Z"),
                ]
                for one in answers
            )
            export.write(("[" if number == 0 else ",\n") + json.dumps(_exported(number, answers)))
        export.write("]")
    project = Project(
        project="p" * 16,
        dataset="clips",
        tool="label-studio",
        round=1,
        seed=0,
        show="clips",
        scheme="fg33",
        classes=tuple((leaf.name, leaf.basic) for leaf in leaves()),
        annotators=tuple(NAMES),
        per_clip=PER_CLIP,
        tasks=tuple(tasks),
        gold=(),
        input="0" * 64,
        files={},
    )
    write_project(round_folder(root, 1), project)
    return root


def _task(clip: str, answers: list[Drawn]) -> ClipTask:
    return ClipTask(
        clip=clip,
        path=f"videos/{clip}.mp4",
        sha256="0" * 64,
        n_frames=N_FRAMES,
        fps=25.0,
        annotators=tuple(one.who for one in answers),
    )


def _exported(number: int, answers: list[Drawn]) -> dict[str, object]:
    data = {"clip": clip_name(number), "project": "p" * 16, "round": 1, "fps": "25.0"}
    given = [
        annotation(
            {"id": one.who, "email": f"{NAMES[one.who]}@lab.example"},
            one.label,
            one.frame,
            one.stars,
            number=PER_CLIP * number + at,
            lead_time=one.spent_s,
            updated_at=f"{one.cast_at}.250000Z",
        )
        for at, one in enumerate(answers)
    ]
    return {"id": number + 1, "data": data, "annotations": given, "drafts": [], "predictions": []}
