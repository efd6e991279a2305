"""A small data set of drawn faces, as somebody would bring it: three classes, eight people."""

from __future__ import annotations

from pathlib import Path

from fgbench.synthetic.clip import draw_clip, truth, write_video
from fgbench.synthetic.plan import ClipPlan, SynthOptions

CLASSES = ("anger", "panic", "relief")
OPTIONS = SynthOptions(width=320, height=240, min_duration_s=0.5, max_duration_s=0.6)


def write_drawn_clips(root: Path) -> Path:
    """Draw 24 clips with a person of each class, and their annotations; returns the folder.

    Args:
        root: New folder.
    """
    lines = ["clip,label,subject,key_frame"]
    (root / "videos").mkdir(parents=True)
    for number, label in enumerate(CLASSES * 8):
        plan = ClipPlan(label, number // len(CLASSES), 0)
        clip = draw_clip(plan, OPTIONS)
        write_video(root / "videos" / f"c{number:02d}.mp4", clip, OPTIONS)
        key_frame = truth(clip)["is_key_frame"].to_pylist().index(True)
        lines.append(f"c{number:02d},{label},{plan.subject_id},{key_frame}")
    (root / "annotations.csv").write_text("\n".join(lines))
    return root
