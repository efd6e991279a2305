"""Choice of the device, its name for reports, and errors for lack of memory.

On the CPU, sums are split over threads, so that the last bits of a training depend on their number. It is
therefore fixed, regardless of cores and ``OMP_NUM_THREADS``: :data:`CPU_THREADS`, or the user's number
(``cpu:16``). Results record it. Kinds of processors may still differ in the last bits.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fgbench.errors import ConfigError, ResourceError

# Messages of torch's plain RuntimeErrors for lack of memory: CPU (Linux, Windows), MPS, cuDNN.
_OUT_OF_MEMORY = re.compile(
    r"can't allocate memory|not enough memory|out of memory|CUDNN_STATUS_ALLOC_FAILED", re.IGNORECASE
)


CPU_THREADS = 4
"""Threads of torch on the CPU unless the user names another number; ours. The networks of the small recipes
gain little from more."""


def resolve(name: str | None = None) -> torch.device:
    """Return the device of a name; a missing one is not replaced by another.

    On the CPU, torch uses a fixed number of threads from then on; each of several processes uses one, unless
    another number is named.

    Args:
        name: ``"cpu"``, ``"cpu:8"`` (with 8 threads), ``"cuda"``, ``"cuda:1"``, ``"mps"``, or ``None``: CUDA
            if there is a device, else the CPU. Among several processes
            (``torchrun``, ``accelerate launch``) ``"cuda"`` is the device of the process's number on its
            machine.

    Raises:
        ConfigError: If the name is none of these, or names one CUDA device for several processes.
        ResourceError: If there is no such device.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu(:[1-9]\d{0,3})?|mps|cuda(:\d{1,3})?", name):
        raise ConfigError(
            f"unknown device {name!r}", "name cpu, cpu:8 (with 8 threads), cuda, cuda:1 (the second) or mps"
        )
    kind, _, number = name.partition(":")
    if kind == "cpu":
        several = int(os.environ.get("WORLD_SIZE", "1")) > 1
        torch.set_num_threads(int(number or (1 if several else CPU_THREADS)))
        return torch.device(kind)
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ResourceError("device mps was asked for, but is not there", "choose the device cpu")
        return torch.device(name)
    return _cuda(name)


def _cuda(name: str) -> torch.device:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        reason = (
            "this torch was built without CUDA" if torch.version.cuda is None else "no CUDA device was found"
        )
        raise ResourceError(
            f"device {name} was asked for, but {reason}",
            "choose the device cpu, or install a driver and a torch with CUDA",
        )
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if several and ":" in name:
        raise ConfigError(
            f"device {name} was asked for in each of several processes",
            "say device cuda: each takes its own",
        )
    local = int(os.environ.get("LOCAL_RANK", "0")) if several else 0
    index = int(name.partition(":")[2] or local)
    if index >= count:
        raise ResourceError(
            f"device cuda:{index} was asked for, but there are {count} (cuda:0 to cuda:{count - 1})",
            "choose another device" if not several else f"start at most {count} processes on this machine",
        )
    return torch.device("cuda", index)


def describe(device: torch.device) -> str:
    """Return the name of a device for reports, e.g. ``"cuda:0 (NVIDIA A100-SXM4-80GB, 79 GiB)"``."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device} ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)"
    if device.type == "cpu":
        return f"cpu ({platform.machine()}, {torch.get_num_threads()} threads)"
    return str(device)


@contextmanager
def memory_explained() -> Iterator[None]:
    """Turn lack of memory, of the device or the machine, into one error that names settings to lower.

    Raises:
        ResourceError: Instead of torch's and Python's errors for lack of memory.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        kinds = (torch.OutOfMemoryError, MemoryError)
        if not isinstance(error, kinds) and not _OUT_OF_MEMORY.search(str(error)):
            raise
        lines = str(error).strip().splitlines()
        raise ResourceError(
            "out of memory" + (f": {lines[0]}" if lines else ""),
            "lower optimiser.batch in the recipe; if that does not help, data.resident_mb, then the widths "
            "of network.trunk and network.fc_hidden",
        ) from error
