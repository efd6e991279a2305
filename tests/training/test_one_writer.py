"""Networks of action units, images and clips: ``--force`` starts anew, and one process writes the run."""

import pytest

from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.methods.tmsau import run as video_run
from tests.support.one_writer import forced_runs_start_anew, other_processes_write_no_run
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_work import (
    FAST,
    au_recipe,
    au_rows,
    context_in,
    plain_recipe,
    small_work,
    with_three_leaves,
)

SHORT = {"optimiser": FAST | {"epochs": 3, "patience": 3}}
TSNET = {"image_recipe": None, "spatial": "rgb", "name": "tiny-tsnet", "method": "Plain TSNet"}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def train_au(context):
    (folder,) = au_run.run(au_recipe(**SHORT), context, au_rows(context.manifests))
    return folder


def train_image(context):
    (folder,) = image_run.run(plain_recipe(**SHORT), context, None)
    return folder


def train_video(context):
    return video_run.run(clip_recipe(**TSNET, **SHORT), context, None)


METHODS = {"au": train_au, "image": train_image, "video": train_video}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return {
        "faces": with_three_leaves(small_work(folder / "faces", rest=False)),
        "clips": with_three_leaves(small_clips(folder / "clips", rest=False)),
    }


@pytest.fixture(params=METHODS)
def method(request, data, tmp_path):
    manifests = data["clips" if request.param == "video" else "faces"]
    return METHODS[request.param], context_in(tmp_path / "work", manifests)


def test_what_is_forced_starts_anew(method):
    forced_runs_start_anew(*method)


def test_one_process_writes_the_run(method, monkeypatch):
    other_processes_write_no_run(*method, monkeypatch)
