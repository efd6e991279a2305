"""The operations of `fgbench.features._simd` in plain loops: slower, and without LLVM's own language.

The same operations on the same numbers in the same order, so that results are the same. No bounds are
checked.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from fgbench.features._compiling import compiled

LANES = 8
_HALF, _QUARTER, _NONE = np.float32(0.5), np.float32(0.25), np.float32(0)
_EARLIER = (_HALF, _HALF, _HALF, _HALF, _QUARTER, _NONE, _NONE, _NONE)
_LATER = (-_HALF, -_HALF, _HALF, _HALF, _QUARTER, _NONE, _NONE, _NONE)
_NEXT_PIXEL = 5

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Taps = tuple[np.float32, ...]
Offsets = tuple[int, ...]

_kernel = partial(compiled, is_kept=False)  # kept kernels could be those of the other module


@_kernel
def _between(first: np.float32, second: np.float32, share: np.float32) -> np.float32:
    return first + (second - first) * share


@_kernel
def combine(
    earlier: Floats,
    at: int,
    later: Floats,
    upper: int,
    lower: int,
    shares: tuple[np.float32, np.float32],
    out: Floats,
    out_at: int,
) -> None:
    """See :func:`fgbench.features._simd.combine`."""
    right, down = shares
    for lane in range(LANES):
        above, below = np.int64(upper) + lane, np.int64(lower) + lane
        top = _between(later[above], later[above + _NEXT_PIXEL], right)
        bottom = _between(later[below], later[below + _NEXT_PIXEL], right)
        first = earlier[np.int64(at) + lane] * _EARLIER[lane]
        out[np.int64(out_at) + lane] = first + _between(top, bottom, down) * _LATER[lane]


@_kernel
def exchange(bins: Ints, at: int, new_code: int, new_lower: int, old_code: int, old_lower: int) -> None:
    """See :func:`fgbench.features._simd.exchange`."""
    first = np.int64(at)
    new_bin, old_bin = np.int64(new_code) & (LANES - 1), np.int64(old_code) & (LANES - 1)
    bins[first + new_bin] += np.int32(new_lower)
    bins[first + ((new_bin + 1) & (LANES - 1))] += np.int32(new_code >> 4)
    bins[first + old_bin] -= np.int32(old_lower)
    bins[first + ((old_bin + 1) & (LANES - 1))] -= np.int32(old_code >> 4)


@_kernel
def sum_sixteen(bins: Ints, at: int, out: Ints, out_at: int) -> None:
    """See :func:`fgbench.features._simd.sum_sixteen`."""
    for lane in range(LANES):
        total = np.int32(0)
        for group in range(16):
            total += bins[np.int64(at) + group * LANES + lane]
        out[np.int64(out_at) + lane] = total


@_kernel
def filter_even(source: Floats, offsets: Offsets, shift: int, taps: Taps, out: Floats, out_at: int) -> None:
    """See :func:`fgbench.features._simd.filter_even`."""
    middle = len(offsets) // 2
    for lane in range(LANES):
        at = np.int64(shift) + lane
        total = source[offsets[middle] + at] * taps[0]
        for k in range(1, middle + 1):
            total += (source[offsets[middle + k] + at] + source[offsets[middle - k] + at]) * taps[k]
        out[np.int64(out_at) + lane] = total


@_kernel
def _filter_odd(source: Floats, offsets: Offsets, shift: int, taps: Taps, out: Floats, out_at: int) -> None:
    middle = len(offsets) // 2
    for lane in range(LANES):
        at = np.int64(shift) + lane
        total = (source[offsets[middle + 1] + at] - source[offsets[middle - 1] + at]) * taps[1]
        for k in range(2, middle + 1):
            total += (source[offsets[middle + k] + at] - source[offsets[middle - k] + at]) * taps[k]
        out[np.int64(out_at) + lane] = total


@_kernel
def filter_both(
    source: Floats,
    offsets: Offsets,
    shift: int,
    even_taps: Taps,
    even_out: Floats,
    even_at: int,
    odd_taps: Taps,
    odd_out: Floats,
    odd_at: int,
) -> None:
    """See :func:`fgbench.features._simd.filter_both`."""
    filter_even(source, offsets, shift, even_taps, even_out, even_at)
    _filter_odd(source, offsets, shift, odd_taps, odd_out, odd_at)
