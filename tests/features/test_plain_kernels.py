"""Plain loops in place of LLVM's vectors: the same numbers, on demand or where nothing else compiles."""

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

from fgbench.features import _lanes, _plain, _simd
from fgbench.features._compiling import compiled

PAIR = (_simd, _plain)
ACROSS = tuple(range(15))


def both(run):
    """What a function of the operations writes, with each of them."""
    actual = [compiled(run(each), is_kept=False) for each in PAIR]
    return [np.asarray(each()) for each in actual]


def floats(n, seed=0):
    return np.random.default_rng(seed).normal(0, 100, n).astype(np.float32)


def taps(n, seed):
    return tuple(np.float32(value) for value in np.random.default_rng(seed).uniform(-1, 1, n))


@pytest.mark.slow
def test_expansions_are_combined_to_the_same_numbers():
    n = 4
    earlier, later = (np.stack([floats(200, first + seed) for seed in range(n)]) for first in (0, 100))
    shares = (np.float32(0.3), np.float32(0.85))

    def run(operations):
        combine = operations.combine

        def combined():
            out = np.zeros((n, 160), np.float32)
            for row in range(n):
                for pixel in range(20):
                    at = 3 * pixel
                    combine(earlier[row], 5 * pixel, later[row], at, at + 90, shares, out[row], 8 * pixel)
            return out

        return combined

    vectors, plain = both(run)
    np.testing.assert_allclose(plain, vectors, rtol=1e-6, atol=1e-5)
    right, down = 0.3, 0.85
    for row, pixel in product(range(n), range(20)):
        e, a = earlier[row].astype(float), later[row].astype(float)
        above, below = (
            (1 - right) * a[at : at + 5] + right * a[at + 5 : at + 10] for at in (3 * pixel, 3 * pixel + 90)
        )
        there, here = (1 - down) * above + down * below, e[5 * pixel : 5 * pixel + 5]
        expected = np.concatenate([(here - there)[:2] / 2, (here + there)[2:4] / 2, (here + there)[4:] / 4])
        np.testing.assert_allclose(plain[row, 8 * pixel : 8 * pixel + 5], expected, rtol=1e-5, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("n", [11, 15])
def test_filters_give_the_same_numbers(n):
    source, half = floats(400, n), n // 2 + 1
    even, odd = taps(half, n), taps(half, n + 1)
    positions = ACROSS[:n]

    def run(operations):
        filter_both, filter_even = operations.filter_both, operations.filter_even

        def filtered():
            out = np.zeros((3, 320), np.float32)
            for x in range(0, 320, 8):
                filter_both(source, positions, x, even, out[0], x, odd, out[1], x)
                filter_even(source, positions, x, odd, out[2], x)
            return out

        return filtered

    vectors, plain = both(run)
    np.testing.assert_allclose(plain, vectors, rtol=1e-6, atol=1e-4)
    kernels = [
        np.array([*even[:0:-1], *even]),
        np.array([*(-np.array(odd[:0:-1])), 0, *odd[1:]]),
        np.array([*odd[:0:-1], *odd]),
    ]
    for one, kernel in zip(plain, kernels, strict=True):
        expected = np.correlate(source[: 320 + n - 1].astype(float), kernel.astype(float), "valid")
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
def test_histograms_of_directions_are_the_same():
    """Integers: to the last bit. A code holds a bin, and above it the share of the next one."""
    rng = np.random.default_rng(5)
    start = rng.integers(-1000, 1000, 8 * 64).astype(np.int32)
    bins = rng.integers(0, 8, (2, 500))
    uppers, lowers = rng.integers(0, 4000, (2, 2, 500))
    codes = ((uppers << 4) | (rng.integers(0, 2, (2, 500)) << 3) | bins).astype(np.int32)
    lowers = lowers.astype(np.int32)

    def run(operations):
        exchange, sum_sixteen = operations.exchange, operations.sum_sixteen

        def counted():
            columns, out = start.copy(), np.zeros(8 * 48, np.int32)
            for k in range(500):
                exchange(columns, 8 * (k % 64), codes[0, k], lowers[0, k], codes[1, k], lowers[1, k])
            for x in range(48):
                sum_sixteen(columns, 8 * x, out, 8 * x)
            return np.concatenate((columns, out))

        return counted

    vectors, plain = both(run)
    np.testing.assert_array_equal(plain, vectors)
    columns = start.astype(int).reshape(64, 8)
    for k in range(500):
        for sign, side in ((1, 0), (-1, 1)):
            columns[k % 64, bins[side, k]] += sign * lowers[side, k]
            columns[k % 64, (bins[side, k] + 1) % 8] += sign * uppers[side, k]
    sums = np.stack([columns[x : x + 16].sum(axis=0) for x in range(48)])
    np.testing.assert_array_equal(plain, np.concatenate((columns.ravel(), sums.ravel())))


PROGRAM = """
import sys, cv2, numpy as np
from fgbench.features import _lanes
from fgbench.features.dense_trajectories import dense_trajectories
noise = np.random.default_rng(0).normal(size=(200, 240)).astype(np.float32)
smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
frames = [np.ascontiguousarray(smooth[2 * k : 2 * k + 72, 3 * k : 3 * k + 96]) for k in range(20)]
trajectories = dense_trajectories(frames)
arrays = {name: getattr(trajectories, name) for name in ("mean_x", "mean_y", "hog", "hof", "mbhx", "mbhy")}
np.savez(sys.argv[1], plain=_lanes.IS_PLAIN, **arrays)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.chain
def test_trajectories_are_the_same(tmp_path):
    """The whole of it in two processes, one of which is told to compute plainly."""
    made = []
    for name, variables in (("vectors", {}), ("plain", {_lanes.VARIABLE: "1"})):
        path = tmp_path / f"{name}.npz"
        known = {key: value for key, value in os.environ.items() if key != _lanes.VARIABLE}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path)],
            env=known | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made.append(np.load(path))
    vectors, plain = made
    assert (bool(vectors["plain"]), bool(plain["plain"])) == (False, True)
    assert len(vectors["mean_x"]) > 20
    for name in ("mean_x", "mean_y", "hog", "hof", "mbhx", "mbhy"):
        assert plain[name].shape == vectors[name].shape
        # Equal to the last bit on x86; a processor that fuses other products and sums may differ in that.
        np.testing.assert_allclose(plain[name], vectors[name], atol=2e-3, err_msg=name)


def test_the_variable_takes_plain_loops(monkeypatch):
    monkeypatch.delenv(_lanes.VARIABLE, raising=False)
    assert _lanes.choose() is _simd
    monkeypatch.setenv(_lanes.VARIABLE, "1")
    assert _lanes.choose() is _plain


def test_where_vectors_do_not_compile_plain_loops_are_taken_and_that_is_said(monkeypatch):
    def broken():
        raise RuntimeError("\x1b[1mno such instruction\x1b[0m")

    monkeypatch.delenv(_lanes.VARIABLE, raising=False)
    monkeypatch.setattr(_simd, "try_out", broken)
    with pytest.warns(RuntimeWarning, match=r"cannot be compiled here \(RuntimeError: no such instruction\)"):
        assert _lanes.choose() is _plain


def test_where_vectors_cannot_even_be_imported_too(monkeypatch):
    import fgbench.features

    monkeypatch.delenv(_lanes.VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "fgbench.features._simd", None)
    monkeypatch.delattr(fgbench.features, "_simd")
    with pytest.warns(RuntimeWarning, match="plain loops compute the same"):
        assert _lanes.choose() is _plain
