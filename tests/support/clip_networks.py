"""Clip networks run on tiny manifests."""

import torch

from fgbench.callbacks import ignore
from fgbench.methods.tmsau import run as video_run
from fgbench.runs.labels import fg33
from tests.support.tiny_clips import clip_recipe
from tests.support.tiny_work import context_in

CPU = torch.device("cpu")
KINDS = {
    "tmsau": {},
    "nan": {"temporal": None, "name": "tiny-nan", "method": "NAN"},
    "plain-tsnet": {"image_recipe": None, "spatial": "rgb", "name": "tiny-tsnet", "method": "Plain TSNet"},
    "vgg-lstm": {"temporal": "vgg-lstm", "name": "tiny-vgg"},
    "c3d-lstm": {"temporal": "c3d-lstm", "name": "tiny-c3d"},
}


def run_in(folder, manifests, image, *, seed=0, labels=None, note=ignore, **changes):
    config = clip_recipe(**changes)
    context = context_in(folder, manifests, seed=seed, labels=labels or fg33(), note=note)
    return video_run.run(config, context, image if config.image_recipe else None), context
