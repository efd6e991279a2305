"""A small task for the tests of the training loop, also run as a program that is killed.

``python -m tests.support.tiny_task FOLDER STEPS`` trains in FOLDER and kills itself after STEPS steps.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fgbench.config import OptimiserConfig
from fgbench.training.loop import fit

RECIPE = OptimiserConfig(
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=1e-3,
    schedule="cosine",
    warmup_epochs=0.5,
    batch=4,
    epochs=4,
    patience=10,
    clip_norm=1.0,
    checkpoint_steps=3,
)


class Rows(list):
    """Batches of row numbers."""


class TinyTask:
    """Two classes of drawn points, a network with dropout and batch normalisation."""

    def __init__(self, *, seed=0, samples=30, batch=4, norm=True, dropout=0.3, scores=None):
        rng = np.random.default_rng(seed)
        self.seed, self.batch, self.samples = seed, batch, samples
        self.x = torch.from_numpy(rng.normal(size=(samples, 6))).float()
        self.y = (self.x[:, 0] * self.x[:, 1] > 0).long()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = nn.Sequential(
                nn.Linear(6, 16),
                nn.BatchNorm1d(16) if norm else nn.Identity(),
                nn.ReLU(),
                nn.Dropout(dropout),
                nn.Linear(16, 2),
            )
        self.scores = scores
        self.scored = 0
        self.poison: dict[int, float] = {}

    def groups(self):
        return [{"params": self.model[:4].parameters()}, {"params": self.model[4].parameters(), "lr": 0.1}]

    def batches(self, *, epoch, rank, world):
        order = np.random.default_rng((self.seed, epoch)).permutation(self.samples)
        whole = [order[start : start + self.batch] for start in range(0, self.samples, self.batch)]
        return Rows(rows[rank::world] for rows in whole)

    def rows(self, batch):
        return len(batch)

    def ids(self, batch):
        return [f"sample-{row:02d}" for row in batch]

    def loss(self, batch, *, epoch):
        logits = self.model(self.x[batch])
        loss = functional.cross_entropy(logits.float(), self.y[batch])
        factor = [self.poison.get(int(row), 1.0) for row in batch]
        return loss * torch.tensor(factor).prod(), {"cross": loss}

    def score(self):
        self.scored += 1
        assert not self.model.training
        assert not torch.is_grad_enabled()
        if self.scores is not None:
            return {"score": self.scores[self.scored - 1]}
        accuracy = float((self.model(self.x).argmax(1) == self.y).double().mean())
        return {"score": accuracy, "undefined": float("nan")}


def digest(model) -> str:
    """SHA-256 of all weights and buffers."""
    hasher = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        hasher.update(name.encode() + value.numpy().tobytes())
    return hasher.hexdigest()


def train(task, folder, *, config=RECIPE, seed=0, resume=True, progress=None, fingerprint="f", **more):
    """Fit on the CPU."""
    return fit(
        task,
        config,
        seed=seed,
        device=torch.device("cpu"),
        folder=Path(folder),
        fingerprint=fingerprint,
        resume=resume,
        progress=progress or (lambda what, done, total: None),
        **more,
    )


class KilledError(Exception):
    """Stands for a signal that ends a training."""


def killer(after):
    """Progress that ends the training at a step."""
    calls = iter(range(1, 10_000))

    def progress(what, done, total):
        if next(calls) == after:
            raise KilledError

    return progress


def losses(history):
    """All of a history but the times."""
    return [(one.epoch, one.losses, one.score, one.learning_rate) for one in history.epochs]


def _main(folder: str, steps: int) -> None:
    torch.set_num_threads(1)
    done = 0

    def kill(what: str, now: int, total: int) -> None:
        nonlocal done
        done += 1
        if done == steps:
            os.kill(os.getpid(), signal.SIGKILL)

    train(TinyTask(), folder, progress=kill)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
