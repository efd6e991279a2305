"""Random numbers that depend on the seed and the place in the training alone."""

import itertools

import pytest
import torch
from torch.utils import deterministic as uninitialised

from fgbench.training.randomness import deterministic, generator, isolated, seed_step

CPU = torch.device("cpu")


def test_a_step_draws_the_same_whatever_ran_before():
    with isolated(CPU):
        seed_step(3, 1, 2)
        first = torch.rand(8)
        torch.rand(1000)
        seed_step(3, 1, 2)
        assert torch.equal(first, torch.rand(8))


def test_seeds_epochs_steps_and_processes_draw_different_numbers():
    drawn = set()
    with isolated(CPU):
        for seed, epoch, step, rank in itertools.product(range(2), repeat=4):
            seed_step(seed, epoch, step, rank=rank)
            drawn.add(float(torch.rand((), dtype=torch.float64)))
    assert len(drawn) == 16


@pytest.mark.parametrize("there", [False, True])
def test_devices_in_use_are_seeded_too(monkeypatch, there):
    seeds = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: there)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    with isolated(CPU):
        seed_step(3, 1, 2)
        expected = torch.initial_seed()
    assert seeds == [expected] * there


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_dropout_of_a_step_is_the_same_on_cuda():
    device, drawn = torch.device("cuda", 0), []
    before = torch.cuda.get_rng_state(device)
    for _ in range(2):
        with isolated(device):
            seed_step(3, 1, 2)
            drawn.append(torch.rand(8, device=device))
            torch.rand(5, device=device)
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(torch.cuda.get_rng_state(device), before)


def test_generators_are_told_apart_by_purpose():
    first = torch.rand(4, generator=generator(1, "crops", 0))
    assert torch.equal(first, torch.rand(4, generator=generator(1, "crops", 0)))
    for other in (generator(1, "crops", 1), generator(2, "crops", 0), generator(1, "flips", 0)):
        assert not torch.equal(first, torch.rand(4, generator=other))


def test_isolated_puts_the_generator_back():
    before = torch.get_rng_state()
    with isolated(CPU):
        seed_step(0, 0, 0)
        torch.rand(3)
    assert torch.equal(before, torch.get_rng_state())


def inside_then_error():
    with deterministic(CPU):
        assert torch.are_deterministic_algorithms_enabled()
        assert not uninitialised.fill_uninitialized_memory
        raise KeyError


def test_deterministic_is_put_back_after_an_error():
    filled = uninitialised.fill_uninitialized_memory
    assert not torch.are_deterministic_algorithms_enabled()
    with pytest.raises(KeyError):
        inside_then_error()
    assert not torch.are_deterministic_algorithms_enabled()
    assert uninitialised.fill_uninitialized_memory == filled
    with deterministic(torch.device("cuda")):
        assert not torch.are_deterministic_algorithms_enabled()
