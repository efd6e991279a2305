"""Features that a run needs: computed when they are missing, continued when that was interrupted."""

import cv2
import numpy as np
import pytest

from fgbench.config import PrepareConfig
from fgbench.methods.steps import needed_features
from fgbench.methods.steps.needed_features import ensure_features
from fgbench.methods.tmsau.flow_origin import flow_of
from fgbench.preparation import prepare
from fgbench.runs.face_origin import faces_of
from tests.support.clip_folders import contents
from tests.support.video_files import write_clip

pytestmark = pytest.mark.slow

FEATURES = ("dense_trajectories", "optical_flow", "wide_faces")


@pytest.fixture
def work(tmp_path):
    """Three clips of moving texture, prepared without features; whole frames stand for faces."""
    (tmp_path / "in" / "videos").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["clip,label,key_frame"]
    for number in range(3):
        small = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        texture = cv2.resize(small, (200, 150), interpolation=cv2.INTER_CUBIC)
        moving = (texture[2 * k : 2 * k + 72, 3 * k : 3 * k + 96] for k in range(20))
        write_clip(tmp_path / "in" / "videos" / f"c{number}.mp4", size=(96, 72), pictures=moving)
        lines.append(f"c{number}.mp4,anger,10")
    (tmp_path / "in" / "annotations.csv").write_text("\n".join(lines) + "\n")
    prepare.run(recipe(), tmp_path / "in", tmp_path / "work")
    return tmp_path / "work"


def recipe(**sections):
    usual = {"name": "texture", "faces": {"align": "never", "chip_size": 96}, "optical_flow": {"size_px": 64}}
    return PrepareConfig.model_validate({**usual, **sections})


def tables(work, stage):
    return contents(work / "manifests" / "features" / stage)


def interrupt(at):
    def progress(name, done, total):
        if name == at and done:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("stage", FEATURES)
def test_interrupted_features_are_continued(work, monkeypatch, stage):
    messages = []
    config, root = prepare.saved(work)
    enabled = getattr(config, stage).model_copy(update={"enabled": True})
    wanted = config.model_copy(update={stage: enabled})
    with pytest.raises(KeyboardInterrupt):
        prepare.run(wanted, root, work, progress=interrupt(at=stage))
    assert getattr(prepare.saved(work)[0], stage).enabled
    assert not (work / "manifests" / "features" / stage).exists()

    ensure_features(work, [stage], note=messages.append)
    assert messages == [f"the work folder has no {stage} yet: computing it"]
    prepare.run(wanted, root, work.parent / "whole")
    assert tables(work, stage) == tables(work.parent / "whole", stage)

    monkeypatch.setattr(needed_features, "prepare", lambda *_, **__: pytest.fail("nothing is missing"))
    ensure_features(work, [stage])


def test_features_of_other_settings_are_made_anew(work):
    ensure_features(work, ["optical_flow"])
    before = tables(work, "optical_flow")
    other = recipe(optical_flow={"size_px": 32, "enabled": True})
    root = prepare.saved(work)[1]
    with pytest.raises(KeyboardInterrupt):
        prepare.run(other, root, work, progress=interrupt(at="optical_flow"))
    assert tables(work, "optical_flow") == before
    ensure_features(work, ["optical_flow"])
    prepare.run(other, root, work.parent / "whole")
    assert tables(work, "optical_flow") == tables(work.parent / "whole", "optical_flow") != before


def test_faces_and_flow_are_told_as_the_manifests_have_them(work):
    """A run notes them: those of an interrupted recipe would be noted of faces that were never made."""
    faces, flow = faces_of(work), flow_of(work)
    other = recipe(faces={"align": "where-found"}, optical_flow={"size_px": 32})
    with pytest.raises(KeyboardInterrupt):
        prepare.run(other, prepare.saved(work)[1], work, progress=interrupt(at="ingest"))
    assert prepare.saved(work)[0].faces.align == "where-found"
    assert faces_of(work) == faces
    assert faces["align"] == "never"
    assert flow_of(work) == flow
    assert flow["size_px"] == 64
