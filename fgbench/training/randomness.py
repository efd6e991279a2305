"""Random numbers of a training, which depend on its seed, epoch and step only.

Each step seeds torch anew, so that a resumed training draws the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils import deterministic as uninitialised

from fgbench.files.hashing import hash_u64


def seed_step(seed: int, epoch: int, step: int, *, rank: int = 0) -> None:
    """Seed torch's global generators (CPU and devices), which dropout draws from, for one step.

    Args:
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.
        step: Number of the step in the epoch, from 0.
        rank: Index of the process, so that the rows of a batch do not share their dropout.
    """
    number = hash_u64("training step", seed, epoch, step, rank)
    # torch.manual_seed also initialises unused devices, which costs as much as a small step.
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(number)


def generator(seed: int, *parts: str | int) -> torch.Generator:
    """Return a generator on the CPU for one purpose, e.g. ``generator(seed, "crops", epoch)``."""
    return torch.Generator().manual_seed(hash_u64("training", seed, *parts))


@contextmanager
def isolated(device: torch.device) -> Iterator[None]:
    """Restore torch's global generators (CPU and ``device``) afterwards."""
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else [], device_type="cuda"):
        yield


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Use algorithms with reproducible bits on the CPU; change nothing on other devices.

    CUDA has no such algorithm for the gradient of some layers (bilinear sampling), and others are slower.
    """
    if device.type != "cpu":
        yield
        return
    was = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = uninitialised.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    # Filling memory is not needed, as no operation reads it before writing, and costs time.
    uninitialised.fill_uninitialized_memory = False
    try:
        yield
    finally:
        uninitialised.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(was, warn_only=warned)
