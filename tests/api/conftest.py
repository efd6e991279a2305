"""A small data set, prepared once."""

import pytest

import fgbench
from fgbench.synthetic.clip import draw_clip, truth, write_video
from fgbench.synthetic.plan import ClipPlan, SynthOptions

CLASSES = ("anger", "panic", "relief")


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A prepared set of three classes and eight people, drawn, as somebody would bring it."""
    folder = tmp_path_factory.mktemp("api")
    options = SynthOptions(width=320, height=240, min_duration_s=0.5, max_duration_s=0.6)
    lines = ["clip,label,subject,key_frame"]
    (folder / "drawn" / "videos").mkdir(parents=True)
    for number, label in enumerate(CLASSES * 8):
        plan = ClipPlan(label, number // len(CLASSES), 0)
        clip = draw_clip(plan, options)
        write_video(folder / "drawn" / "videos" / f"c{number:02d}.mp4", clip, options)
        key_frame = truth(clip)["is_key_frame"].to_pylist().index(True)
        lines.append(f"c{number:02d},{label},{plan.subject_id},{key_frame}")
    (folder / "drawn" / "annotations.csv").write_text("\n".join(lines))
    workdir = folder / "fgbench-data" / "drawn" / "work"  # as by default in the folder
    return fgbench.prepare(folder / "drawn", workdir=workdir, jobs=2, progress=False)
