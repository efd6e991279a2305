"""Clip networks run on tiny manifests."""

from contextlib import contextmanager

import pytest
import torch
from torch import nn

from fgbench.callbacks import ignore
from fgbench.methods.tmsau import run as video_run
from fgbench.models import streams
from fgbench.models.googlenet import GoogLeNet
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


class ShortGoogLeNet(GoogLeNet):
    """GoogLeNet with the first of its nine inception modules, quick to train and to export."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        for name in ("3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
            setattr(self, f"inception{name}", nn.Identity())
        self.n_features = self.inception3a.channels


@contextmanager
def short_googlenet():
    """Streams of GoogLeNet have the short one meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "GoogLeNet", ShortGoogLeNet)
        yield


def run_in(folder, manifests, image, *, seed=0, labels=None, note=ignore, **changes):
    config = clip_recipe(**changes)
    known = {} if labels is None else {"labels": labels}
    context = context_in(folder, manifests, seed=seed, note=note, **known)
    return video_run.run(config, context, image if config.image_recipe else None), context
