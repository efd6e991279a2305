"""Vector instructions that LLVM does not generate by itself: eight neighbouring numbers handled as one.

Numba switches LLVM's vectoriser of straight-line code off, and loops over five coefficients or eight
directions are too short for its vectoriser of loops. LLVM translates these vectors for any processor. No
bounds are checked; arrays are one-dimensional and contiguous.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from fgbench.features._compiling import compiled

LANES = 8
_inline: Callable[[Any], Any] = intrinsic
"""Untyped: a call has one argument less than the definition, the typing context."""

_EARLIER = (0.5, 0.5, 0.5, 0.5, 0.25, 0.0, 0.0, 0.0)
_LATER = (-0.5, -0.5, 0.5, 0.5, 0.25, 0.0, 0.0, 0.0)


_INT = ir.VectorType(ir.IntType(32), LANES)
_FLOAT = ir.VectorType(ir.FloatType(), LANES)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, array_type: Any, index: Any) -> Any:
    """Return the pointer to the eight elements from ``index`` on."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def _spread(builder: Any, kind: Any, value: Any) -> Any:
    """Return a vector whose lanes all hold the value."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_INT, [0] * LANES))


@_inline
def combine(
    typing_context: Any,
    earlier: Any,
    at: Any,
    later: Any,
    upper: Any,
    lower: Any,
    shares: Any,
    out: Any,
    out_at: Any,
) -> Any:
    """Compute half the differences of b and half the sums of A of two expansions at one pixel.

    ``out[out_at:out_at + 8]`` becomes (b_y, b_x, a_yy, a_xx, a_xy / 2, 0, 0, 0) with b = (earlier - later)
    / 2, a = (earlier + later) / 2.

    Args:
        typing_context: Numba's.
        earlier: Expansion, five coefficients of a pixel side by side.
        at: Index of the pixel's first coefficient in it.
        later: Expansion that is read between pixels.
        upper: Index of the pixel up and left of the position.
        lower: Index of the pixel below that one.
        shares: Distances of the position to the right and down of the first pixel, float32 in [0, 1).
        out: Array written to.
        out_at: Index of the first number written.
    """
    signature = types.void(earlier, at, later, upper, lower, shares, out, out_at)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        right, down = (_spread(builder, _FLOAT, builder.extract_value(args[5], k)) for k in range(2))
        next_pixel = ir.Constant(args[3].type, 5)

        def load(argument: int, index: Any) -> Any:
            pointer = _pointer(context, builder, _FLOAT, args[argument], sig.args[argument], index)
            return builder.load(pointer, align=4)

        def times(a: Any, b: Any) -> Any:
            return builder.fmul(a, b, flags=("contract",))

        def between(a: Any, b: Any, share: Any) -> Any:
            return builder.fadd(a, times(builder.fsub(b, a), share), flags=("contract",))

        rows = [between(load(2, i), load(2, builder.add(i, next_pixel)), right) for i in (args[3], args[4])]
        total = builder.fadd(
            times(load(0, args[1]), ir.Constant(_FLOAT, list(_EARLIER))),
            times(between(rows[0], rows[1], down), ir.Constant(_FLOAT, list(_LATER))),
            flags=("contract",),
        )
        builder.store(total, _pointer(context, builder, _FLOAT, args[6], sig.args[6], args[7]), align=4)
        return context.get_dummy_value()

    return signature, generate


@_inline
def exchange(
    typing_context: Any, bins: Any, at: Any, new_code: Any, new_lower: Any, old_code: Any, old_lower: Any
) -> Any:
    """Add a vector's two shares to the eight bins ``bins[at:at + 8]`` and subtract another's; all int32.

    A code holds the number of a bin in its low three bits, which gets the lower share; the bin after it,
    round the circle, gets ``code >> 4``.
    """
    signature = types.void(bins, at, new_code, new_lower, old_code, old_lower)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, _INT, args[0], sig.args[0], args[1])
        zeros = ir.Constant(_INT, [0] * LANES)

        def shares(code: Any, lower: Any) -> Any:
            codes = _spread(builder, _INT, code)
            low = builder.and_(codes, ir.Constant(_INT, [LANES - 1] * LANES))
            upper = builder.ashr(codes, ir.Constant(_INT, [4] * LANES))
            own = ir.Constant(_INT, list(range(LANES)))
            before = ir.Constant(_INT, [(lane - 1) % LANES for lane in range(LANES)])
            at_low = builder.select(builder.icmp_signed("==", low, own), _spread(builder, _INT, lower), zeros)
            return builder.add(at_low, builder.select(builder.icmp_signed("==", low, before), upper, zeros))

        change = builder.sub(shares(args[2], args[3]), shares(args[4], args[5]))
        builder.store(builder.add(builder.load(pointer, align=4), change), pointer, align=4)
        return context.get_dummy_value()

    return signature, generate


@_inline
def sum_sixteen(typing_context: Any, bins: Any, at: Any, out: Any, out_at: Any) -> Any:
    """``out[out_at:out_at + 8]`` becomes the sum of the 16 groups of eight from ``bins[at]`` on; int32."""
    signature = types.void(bins, at, out, out_at)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        total = ir.Constant(_INT, [0] * LANES)
        for k in range(16):
            index = builder.add(args[1], ir.Constant(args[1].type, k * LANES))
            pointer = _pointer(context, builder, _INT, args[0], sig.args[0], index)
            total = builder.add(total, builder.load(pointer, align=4))
        builder.store(total, _pointer(context, builder, _INT, args[2], sig.args[2], args[3]), align=4)
        return context.get_dummy_value()

    return signature, generate


@_inline
def filter_even(
    typing_context: Any, source: Any, offsets: Any, shift: Any, taps: Any, out: Any, out_at: Any
) -> Any:
    """``out[out_at:out_at + 8]`` becomes a symmetric weighted sum of float32 vectors of ``source``.

    Args:
        typing_context: Numba's.
        source: Array read from.
        offsets: 2 n + 1 indices of the vectors, outermost left to outermost right.
        shift: Added to every index.
        taps: n + 1 float32 weights, from the centre outwards.
        out: Array written to.
        out_at: Index of the first number written.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vectors = _load_all(context, builder, sig, args)
        _store_sum(context, builder, sig, args, vectors=vectors, taps=3, out=4, is_odd=False)
        return context.get_dummy_value()

    return types.void(source, offsets, shift, taps, out, out_at), generate


@_inline
def filter_both(
    typing_context: Any,
    source: Any,
    offsets: Any,
    shift: Any,
    even_taps: Any,
    even_out: Any,
    even_at: Any,
    odd_taps: Any,
    odd_out: Any,
    odd_at: Any,
) -> Any:
    """Compute a symmetric and an antisymmetric sum (right minus left), as :func:`filter_even`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vectors = _load_all(context, builder, sig, args)
        _store_sum(context, builder, sig, args, vectors=vectors, taps=3, out=4, is_odd=False)
        _store_sum(context, builder, sig, args, vectors=vectors, taps=6, out=7, is_odd=True)
        return context.get_dummy_value()

    signature = types.void(source, offsets, shift, even_taps, even_out, even_at, odd_taps, odd_out, odd_at)
    return signature, generate


def _load_all(context: Any, builder: Any, sig: Any, args: Any) -> list[Any]:
    """Load the vectors of argument 0 at the offsets in argument 1, shifted by argument 2."""
    indices = (builder.add(builder.extract_value(args[1], k), args[2]) for k in range(len(sig.args[1])))
    pointers = (_pointer(context, builder, _FLOAT, args[0], sig.args[0], index) for index in indices)
    return [builder.load(pointer, align=4) for pointer in pointers]


def _store_sum(
    context: Any, builder: Any, sig: Any, args: Any, *, vectors: list[Any], taps: int, out: int, is_odd: bool
) -> None:
    """Weight the vectors by the argument ``taps`` and store the sum in ``out`` at ``out + 1``."""
    n = len(vectors) // 2

    def weighted(k: int, value: Any) -> Any:
        tap = _spread(builder, _FLOAT, builder.extract_value(args[taps], k))
        return builder.fmul(value, tap, flags=("contract",))

    join = builder.fsub if is_odd else builder.fadd
    terms = [weighted(k, join(vectors[n + k], vectors[n - k])) for k in range(1, n + 1)]
    total = terms[0] if is_odd else builder.fadd(weighted(0, vectors[n]), terms[0], flags=("contract",))
    for term in terms[1:]:
        total = builder.fadd(total, term, flags=("contract",))
    pointer = _pointer(context, builder, _FLOAT, args[out], sig.args[out], args[out + 1])
    builder.store(total, pointer, align=4)


def _all_of_them(numbers: Any, taps: Any, counts: Any, small: Any) -> None:
    combine(numbers, 0, numbers, 0, 1, taps, numbers, 16)
    exchange(counts, 0, small, small, small, small)
    sum_sixteen(counts, 0, counts, 0)
    filter_even(numbers, (0, 1, 2), 0, taps, numbers, 16)
    filter_both(numbers, (0, 1, 2), 0, taps, numbers, 16, taps, numbers, 16)


def try_out() -> None:
    """Compile every operation, and do each once.

    Raises:
        Exception: Any exception of the compilation.
    """
    numbers, counts = np.zeros(32, np.float32), np.zeros(128, np.int32)
    compiled(_all_of_them, is_kept=True)(numbers, (np.float32(1), np.float32(0)), counts, np.int32(0))
