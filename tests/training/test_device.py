"""Choice of the device, and lack of memory."""

import pytest
import torch

from fgbench.errors import ConfigError, ResourceError, exit_code
from fgbench.training.device import describe, memory_explained, resolve

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")


def pretend(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_cpu_is_there():
    assert resolve("cpu") == torch.device("cpu")
    assert "threads" in describe(resolve("cpu"))


@pytest.fixture
def _threads_put_back():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_threads_put_back")
@pytest.mark.parametrize(
    ("name", "processes", "threads"), [("cpu", "1", 4), ("cpu:2", "1", 2), ("cpu", "2", 1), ("cpu:3", "2", 3)]
)
def test_the_threads_of_the_cpu_are_those_that_are_named(monkeypatch, name, processes, threads):
    """Not those of the machine, nor of ``OMP_NUM_THREADS``: the last bits of a training depend on them."""
    monkeypatch.setenv("WORLD_SIZE", processes)
    torch.set_num_threads(7)
    assert resolve(name) == torch.device("cpu")
    assert torch.get_num_threads() == threads
    assert f"{threads} threads" in describe(torch.device("cpu"))


@pytest.mark.parametrize("name", ["cpu:0", "cpu:", "cpu:99999", "cuda:9999", "gpu"])
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match="unknown device"):
        resolve(name)


@no_cuda
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:3"])
def test_cuda_without_cuda_is_an_error_and_nothing_falls_back(name):
    with pytest.raises(ResourceError, match=f"device {name} was asked for, but") as caught:
        resolve(name)
    assert exit_code(caught.value) == 8
    assert "the device cpu" in caught.value.hint


def test_mps_without_mps_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ResourceError, match="mps"):
        resolve("mps")


@pytest.mark.parametrize(("count", "expected"), [(0, "cpu"), (1, "cuda:0"), (2, "cuda:0")])
def test_without_a_name_cuda_is_taken_if_there(monkeypatch, count, expected):
    pretend(monkeypatch, count)
    assert resolve(None) == torch.device(expected)


def test_a_device_beyond_the_last_is_an_error(monkeypatch):
    pretend(monkeypatch, 2)
    assert resolve("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ResourceError, match=r"cuda:2 was asked for, but there are 2 \(cuda:0 to cuda:1\)"):
        resolve("cuda:2")


def test_each_of_several_processes_takes_its_own_device(monkeypatch):
    pretend(monkeypatch, 2)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert resolve("cuda") == torch.device("cuda:1")
    with pytest.raises(ConfigError, match="each of several processes"):
        resolve("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ResourceError, match="cuda:2") as caught:
        resolve("cuda")
    assert "at most 2 processes" in caught.value.hint


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:-1", "CPU", "meta"])
def test_unknown_names_are_errors(name):
    with pytest.raises(ConfigError, match="unknown device"):
        resolve(name)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmuch more"),
        MemoryError(),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    ],
)
def test_lack_of_memory_names_settings(error):
    with pytest.raises(ResourceError, match="out of memory") as caught, memory_explained():
        raise error
    assert "optimiser.batch" in caught.value.hint
    assert caught.value.hint.index("optimiser.batch") < caught.value.hint.index("data.resident_mb")
    assert caught.value.__cause__ is error
    assert "\n" not in caught.value.message


def test_a_real_lack_of_memory_is_recognised():
    with pytest.raises(ResourceError, match="out of memory"), memory_explained():
        torch.empty(1 << 60, dtype=torch.uint8)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_pass(error):
    with pytest.raises(type(error)) as caught, memory_explained():
        raise error
    assert caught.value is error
