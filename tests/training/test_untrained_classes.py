"""Networks refuse label sets with classes that they would not be trained on, before anything is trained."""

import pytest
from torch import nn

from fgbench.config import InsightFaceConfig
from fgbench.errors import DatasetError
from fgbench.methods.insightface import method as insightface
from fgbench.methods.msau import run as image_run
from fgbench.methods.tmsau import run as video_run
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_work import context_in, plain_recipe, small_work

ABSENT = r"30 of 33 classes have no training sample: contempt, .* and 25 more\nadd clips of them"


def made(context):
    """Files of runs; the locks of those that were about to be made stay."""
    actual = (context.workdir / "runs").rglob("*")
    return [path for path in actual if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("method", ["msau", "insightface"])
def test_networks_of_images_refuse_them(tmp_path, monkeypatch, method):
    context = context_in(tmp_path / "work", small_work(tmp_path, rest=False))
    small = InsightFaceConfig.model_validate({"name": "insightface", "method": "InsightFace"})
    monkeypatch.setattr(insightface, "build", lambda *_, **__: nn.Linear(1, 1))
    runs = {
        "msau": lambda: image_run.run(plain_recipe(), context, None),
        "insightface": lambda: insightface.run(small, context, None),
    }
    with pytest.raises(DatasetError, match=ABSENT):
        runs[method]()
    assert made(context) == []


@pytest.mark.slow
def test_networks_of_clips_refuse_them(tmp_path):
    context = context_in(tmp_path / "work", small_clips(tmp_path, rest=False))
    recipe = clip_recipe(image_recipe=None, spatial="rgb")
    with pytest.raises(DatasetError, match=ABSENT):
        video_run.run(recipe, context, None)
    assert made(context) == []
