"""Small trainings of all kinds of networks without dropout: several processes are compared with one.

As a program, ``tests.support.several_tasks FOLDER NAME...`` trains those of these names in
FOLDER, and writes what it finds into ``FOLDER/found-RANK.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fgbench.inputs.batching import Slices, epoch_order
from fgbench.inputs.clip_frames import HeldRows
from fgbench.inputs.clip_set import ClipSet
from fgbench.inputs.crops import view_table
from fgbench.inputs.frame_choice import pieces_of
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.map_views import KeptMaps
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.resident import Resident
from fgbench.methods.msau.task import ImageTask
from fgbench.methods.tmsau.data import OpenClips
from fgbench.methods.tmsau.inputs import DescribedFrames, PictureInput, Scale
from fgbench.methods.tmsau.task import ClipTask
from fgbench.models.c3d_lstm import C3dLstm
from fgbench.models.initialisation import initialise
from fgbench.models.msau import MsauNet
from fgbench.models.nan import SpatialStream
from fgbench.models.shared_norm import share_norms
from fgbench.models.streams import SnippetStream
from fgbench.models.tmsau import TmsauNet
from fgbench.runs.samples import Sample
from fgbench.training.processes import join_processes
from fgbench.training.randomness import generator
from tests.support.tiny_clips import clip_recipe
from tests.support.tiny_task import RECIPE, KilledError, TinyTask, digest, killer, losses, train
from tests.support.tiny_work import TRUNK, image_recipe

BATCH = 8
EPOCHS = 2
CPU = torch.device("cpu")
SETTINGS = RECIPE.model_copy(update={"batch": BATCH, "epochs": EPOCHS, "clip_norm": 0.0})
GENTLE = SETTINGS.model_copy(update={"learning_rate": 0.001})
"""For networks of many normalisations, which make much of the last bits in batches of few clips."""

CLASSES = 3


class NormTask(TinyTask):
    """Batch normalisation, in the package's own batches."""

    def batches(self, *, epoch, rank, world):
        order = epoch_order(self.samples, seed=self.seed, epoch=epoch, shuffle=True)
        return list(Slices(order, self.batch, rank, world))


def of_one_row():
    """17 samples: the last batch is one row."""
    return TinyTask(samples=17, batch=BATCH, norm=False, dropout=0.0)


def of_two_rows():
    """18 samples: the last batch is two rows."""
    return NormTask(samples=18, batch=BATCH, dropout=0.0)


LOSSES = {"fine": 0.5, "basic": 0.0, "rank": 0.5, "alternate": True}


def of_images(losses=LOSSES, *, unfreeze_after=None):
    """MSAU-Net whose trunk trains, with its region layer, in turns; the last batch is two images.

    With ``unfreeze_after`` the trunk trains after so many epochs only, at half the rate.
    """
    later = {} if unfreeze_after is None else {"freeze": "trunk", "unfreeze_after": 1, "unfreeze_rate": 0.5}
    n_basic = 2 if losses["basic"] else 0
    recipe = image_recipe(
        au_recipe=None,
        network={"trunk": TRUNK, "fc_hidden": None, "embedding": 8, "mac_norm": True, "dropout": 0.0} | later,
        losses=losses,
        data={"resize_px": 232},
        optimiser=GENTLE.model_dump(),
    )
    model = MsauNet(recipe.network, n_fine=CLASSES, n_basic=n_basic)
    initialise(model, generator(0, "weights"))
    n = 18
    labels = torch.arange(n) % CLASSES
    faces = torch.randint(0, 256, (n, 3, 7, 7), generator=generator(0, "faces"), dtype=torch.uint8)
    ids = [f"image{number:02d}" for number in range(n)]
    actual = ImageSet(
        sample_ids=ids,
        clip_ids=ids,
        labels=labels,
        basic=labels % 2,
        images=Resident(faces.repeat_interleave(32, 2).repeat_interleave(32, 3)),
    )
    looks = Preprocessing(resize_px=232, mean=(127.0,) * 3, std=(60.0,) * 3)
    if later:
        model.freeze("trunk")
    return ImageTask(
        model,
        recipe,
        looks,
        train=actual,
        selection=actual,
        maps=None,
        selection_maps=None,
        frozen="trunk" if later else "none",
        seed=0,
        device=CPU,
    )


def of_clips(*, windows, norm=True, losses=None):
    """Attention over frames beside GoogLeNet on flow or, with ``windows``, C3D and an LSTM on frames.

    The last batch is two clips; one of the 10 has neither flow nor windows. Without ``norm`` in C3D, most
    have none, and there are batches without any.
    """
    recipe = clip_recipe(image_recipe="tiny", optimiser=GENTLE.model_dump(), losses=losses or {})
    bare = (4,) if norm else (0, 1, 2, 3, 4, 6, 7, 9)
    frames = [np.arange(0 if number in bare else 2 + number % 3, dtype=np.int64) for number in range(10)]
    n, n_frames, side = len(frames), sum(map(len, frames)), 64 if not windows else 32
    kept = torch.rand((n_frames, 2, 1, 6, 1, 1), generator=generator(0, "kept")).half()
    channels = 3 if windows else 2
    shape = (n_frames, channels, side, side)
    pictures = torch.randint(0, 256, shape, generator=generator(0, "rows"), dtype=torch.uint8)
    length = 16 if windows else 1
    temporal = PictureInput(
        name="temporal",
        kind="rgb" if windows else "flow",
        rows=HeldRows(pictures),
        pieces=pieces_of(frames, length=length, across_gaps=bool(windows)),
        train_count=4,
        test_count=4,
        enlarge_to_px=side,
        scale=Scale(mean=(127.5,) * channels, std=(60.0,) * channels),
        layout="windows" if windows else "stacks",
        seed=0,
    )
    spatial = DescribedFrames(
        kept=KeptMaps(kept, device=CPU),
        views=view_table("centre", flip=True),
        pieces=pieces_of(frames, length=1),
        most=3,
        seed=0,
    )
    labels = torch.arange(n) % CLASSES
    samples = [
        Sample(
            sample_id=f"clip{number}", clip_id=f"clip{number}", label="anger", part="train", subject_id=None
        )
        for number in range(n)
    ]
    clips = ClipSet(
        samples=samples, labels=labels, basic=labels % 2, frames=frames, near=frames, pairs=frames
    )
    sizes = {"n_fine": CLASSES, "n_basic": 2 if recipe.losses.basic else 0}
    stream = (
        C3dLstm(width=0.0625, fc=16, hidden=8, dropout=0.0, batch_norm=norm, input_px=side, **sizes)
        if windows
        else SnippetStream(2, width=0.0625, **sizes)
    )
    model = TmsauNet(SpatialStream(6, n_features=4, **sizes), stream)
    initialise(model, generator(0, "weights"))
    opened = OpenClips(clips=clips, inputs={"spatial": spatial, "temporal": temporal}, described=frames)
    return ClipTask(model, recipe, train=opened, selection=opened, seed=0, device=CPU)


TASKS = {
    "one row": of_one_row,
    "two rows": of_two_rows,
    "images": of_images,
    "flow": lambda: of_clips(windows=False),
    "windows": lambda: of_clips(windows=True),
    "few windows": lambda: of_clips(windows=True, norm=False),
    "upper classes": lambda: of_images(LOSSES | {"basic": 0.5}),
    "unfrozen": lambda: of_images(LOSSES | {"alternate": False}, unfreeze_after=1),
}


def files_of(folder, name):
    """History of a training, and its running statistics, in a row of numbers each."""
    task = TASKS[name]()
    settings = SETTINGS if name in ("one row", "two rows") else GENTLE
    history = losses(train(task, folder / name.replace(" ", "-"), config=settings))
    running = [
        value.flatten()
        for key, value in task.model.state_dict().items()
        if key.rpartition(".")[2] in ("running_mean", "running_var")
    ]
    weights = [value.detach().flatten() for value in task.model.parameters()]
    return {
        "losses": [means for _, means, _, _ in history],
        "running": torch.cat([torch.zeros(0), *running]).tolist(),
        "weights": torch.cat(weights).tolist(),
    }


class WideTask(TinyTask):
    """A network of so many weights that their gradients are exchanged in parts."""

    def __init__(self):
        super().__init__(samples=32, batch=BATCH, norm=False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            wide = [nn.Linear(6, 700), nn.ReLU(), nn.Linear(700, 700), nn.ReLU(), nn.Linear(700, 16)]
            self.model = nn.Sequential(nn.Sequential(*wide), *list(self.model)[1:])


def is_resumed_alike(folder):
    """Whether a training that is killed and resumed has the weights of one that is not, to the last bit."""
    whole, resumed = WideTask(), WideTask()
    train(whole, folder / "whole", config=SETTINGS)
    try:
        train(WideTask(), folder / "resumed", config=SETTINGS, progress=killer(8))
    except KilledError:
        train(resumed, folder / "resumed", config=SETTINGS)
    return digest(whole.model) == digest(resumed.model)


NORMS = {
    "1d": (nn.BatchNorm1d, (), {}),
    "2d": (nn.BatchNorm2d, (3, 2), {"affine": False, "momentum": None}),
    "3d": (nn.BatchNorm3d, (2, 1, 3), {"eps": 1e-3}),
}
COUNTS = (4, 1, 0, 2, 3)
"""Rows of each process; one has none."""


def norm_and_rows(kind):
    """A batch normalisation of 4 channels in float64, rows of all processes, and their gradients."""
    make, more, settings = NORMS[kind]
    norm = make(4, **settings).double()
    for value in norm.parameters():
        nn.init.normal_(value, generator=generator(0, kind))
    shape = (sum(COUNTS), 4, *more)
    drawn = torch.randn((2, *shape), generator=generator(1, kind), dtype=torch.float64)
    return norm, 100.0 + drawn[0], drawn[1]


def _shared_norms(rank: int, world: int) -> dict[str, dict[str, list[float]]]:
    """What this process finds for its rows: values, gradients, running statistics."""
    described = {}
    counts = (*COUNTS[: world - 1], sum(COUNTS[world - 1 :]))
    for kind in NORMS:
        norm, rows, gradients = norm_and_rows(kind)
        holder = nn.Sequential(norm)
        share_norms(holder, CPU)
        own = rows.split(counts)[rank].requires_grad_()
        made = holder(own)
        made.backward(gradients.split(counts)[rank])
        described[kind] = {
            "values": made.flatten().tolist(),
            "gradients": own.grad.flatten().tolist(),
            **{name: value.grad.tolist() for name, value in holder[0].named_parameters()},
            **{name: value.tolist() for name, value in holder[0].named_buffers()},
        }
    return described


def main(folder: Path, names: list[str]) -> None:
    """Train in this process, one of several, and write what it finds."""
    torch.set_num_threads(1)
    processes = join_processes(CPU)
    rank = processes.rank
    norms = _shared_norms(rank, processes.world)
    described = {
        "norms": norms,
        "tasks": {name: files_of(folder, name) for name in names},
        "resumed_alike": is_resumed_alike(folder),
    }
    (folder / f"found-{rank}.json").write_text(json.dumps(described))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
