"""A small data set with drawn faces, annotators' votes and one file that is none, prepared for publishing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from fgbench.config import PrepareConfig
from fgbench.preparation import prepare
from fgbench.synthetic.clip import draw_clip, truth, write_video
from fgbench.synthetic.plan import ClipPlan, SynthOptions

OPTIONS = SynthOptions(
    clips_per_class=4,
    subjects=4,
    width=320,
    height=240,
    min_duration_s=0.5,
    max_duration_s=0.6,
    seed=3,
)
PLANS = [
    ClipPlan(label, subject, 0)
    for subject, label in enumerate(("wrath", "thrill", "wrath", "thrill"))
    for label in (label, "gloom")
]
BROKEN = "videos/broken.mp4"
ANNOTATORS = ("ada", "ben", "cleo", "dan", "eve")


def write_voted(root: Path) -> Path:
    """Draw eight clips of four persons, with the votes of five annotators; a ninth file is no video."""
    videos = root / "videos"
    with _table(root, "annotations.csv") as reported, _table(root, "votes.csv") as voted:
        rows, votes = csv.writer(reported), csv.writer(voted)
        rows.writerow(["clip", "subject", "source"])
        votes.writerow(["clip", "annotator", "label", "confidence", "key_frame"])
        for plan in PLANS:
            clip = draw_clip(plan, OPTIONS)
            name = f"film{plan.subject}/{plan.label}"
            (videos / name).parent.mkdir(parents=True, exist_ok=True)
            write_video(videos / f"{name}.mp4", clip, OPTIONS)
            key_frame = truth(clip)["is_key_frame"].to_pylist().index(True)
            rows.writerow([name, plan.subject_id, f"film{plan.subject}"])
            votes.writerows([name, voter, plan.label, 0.9, key_frame] for voter in ANNOTATORS)
        (root / BROKEN).write_bytes(b"no video")
        rows.writerow(["broken", "", ""])
        votes.writerows(["broken", voter, "wrath", 0.9, 0] for voter in ANNOTATORS)
    return root


def recipe(**sections: object) -> PrepareConfig:
    """A recipe for it, quick to compute."""
    sample = {"before": 1, "after": 1}
    described = {
        "name": "small",
        "buckets": 4,
        "sample": sample,
        "split": {"cover_all_classes": False},
        **sections,
    }
    return PrepareConfig.model_validate({**described, "dataset": {"synthetic": True, "scheme": "found"}})


def prepared(root: Path, work: Path, **sections: object) -> Path:
    """Prepare it."""
    prepare.run(recipe(**sections), root, work)
    return work


def _table(root: Path, name: str) -> TextIO:
    root.mkdir(parents=True, exist_ok=True)
    (root / "videos").mkdir(exist_ok=True)
    return (root / name).open("w", encoding="utf-8", newline="")
