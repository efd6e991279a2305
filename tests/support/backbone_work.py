"""What tests of frozen networks share: a context to run in, and inputs prepared by the tests' own code."""

from __future__ import annotations

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import BackboneConfig
from tests.support.striped_manifests import write_index
from tests.support.tiny_backbones import MEAN, STD, TinyCnn, stated, write_onnx
from tests.support.tiny_work import THREE, context_in, pictures_of, small_work


def small_context(folder, made=None, **changes):
    """A context of a work folder of three classes, told by colours, and its notes."""
    manifests = made if made is not None else small_work(folder / "made", rest=False)
    notes = []
    context = context_in(folder / "work", manifests, labels=THREE, note=notes.append, **changes)
    return context, notes


def write_command_work(folder, manifests):
    """A work folder that commands open, and a network ``tiny.onnx`` beside it; returns the folder of both."""
    context_in(folder / "work", manifests)
    write_index(folder / "work", "made up")
    write_onnx(folder / "tiny.onnx", TinyCnn(), metadata=stated())
    return folder


def baseline(name, folder, *words, code=0):
    """Run a baseline's command on a work folder of :func:`write_command_work`."""
    where = ["--workdir", str(folder / "work"), "--device", "cpu"]
    done = CliRunner().invoke(app, ["baseline", name, *where, *words])
    assert done.exit_code == code, done.output + done.stderr
    return done


def recipe(**changes):
    return BackboneConfig.model_validate({"name": "backbone", **changes})


def prepared(manifests, sample_ids, *, side=32, mean=MEAN, std=STD, scale=1 / 255):
    """Faces as a network takes them, (N, 3, side, side) float32 RGB, resized by Pillow channel by channel."""
    return normalised(pictures_of(manifests, sample_ids), side=side, mean=mean, std=std, scale=scale)


def normalised(faces, *, side=32, mean=MEAN, std=STD, scale=1 / 255):
    """Faces (N, 3, 224, 224) as a network takes them, resized by Pillow channel by channel."""
    small = np.stack([[_resized(plane, side) for plane in face] for face in faces.numpy()])
    columns = (np.array(part, np.float64)[None, :, None, None] for part in (mean, std))
    centre, spread = columns
    return ((small * scale - centre) / spread).astype(np.float32)


def _resized(plane, side):
    return np.asarray(Image.fromarray(plane.astype(np.float32), "F").resize((side, side), Image.BILINEAR))
