"""Vector instructions that LLVM does not find by itself: eight neighbouring numbers handled as one.

Numba switches LLVM's vectoriser of straight-line code off, and loops over five coefficients or eight
directions are too short for its vectoriser of loops. LLVM translates these vectors for any processor. No
bounds are checked; arrays are one-dimensional and contiguous.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

LANES = 8
_inline: Callable[[Any], Any] = intrinsic
"""Untyped: a call has one argument less than the definition, the typing context."""

_EARLIER = (0.5, 0.5, 0.5, 0.5, 0.25, 0.0, 0.0, 0.0)
_LATER = (-0.5, -0.5, 0.5, 0.5, 0.25, 0.0, 0.0, 0.0)


_INT = ir.VectorType(ir.IntType(32), LANES)
_FLOAT = ir.VectorType(ir.FloatType(), LANES)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, array_type: Any, index: Any) -> Any:
    """Pointer to the eight elements from ``index`` on."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def _spread(builder: Any, kind: Any, value: Any) -> Any:
    """Vector whose lanes all hold the value."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_INT, [0] * LANES))


@_inline
def combine(
    typing_context: Any, earlier: Any, at: Any, later: Any, places: Any, weights: Any, out: Any, out_at: Any
) -> Any:
    """Half the differences of b and half the sums of A of two expansions at one pixel.

    ``out[out_at:out_at + 8]`` becomes (b_y, b_x, a_yy, a_xx, a_xy / 2, 0, 0, 0) with b = (earlier - later)
    / 2, a = (earlier + later) / 2, where later is the mean of the pixels at the four ``places`` with the four
    ``weights``. The arrays are one-dimensional contiguous float32, coefficients of a pixel side by side.
    """
    signature = types.void(earlier, at, later, places, weights, out, out_at)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def load(argument: int, index: Any) -> Any:
            place = _pointer(context, builder, _FLOAT, args[argument], sig.args[argument], index)
            return builder.load(place, align=4)

        def times(a: Any, b: Any) -> Any:
            return builder.fmul(a, b, flags=("contract",))

        def plus(a: Any, b: Any) -> Any:
            return builder.fadd(a, b, flags=("contract",))

        mean = None
        for k in range(4):
            weight = _spread(builder, _FLOAT, builder.extract_value(args[4], k))
            term = times(load(2, builder.extract_value(args[3], k)), weight)
            mean = term if mean is None else plus(mean, term)
        total = plus(
            times(load(0, args[1]), ir.Constant(_FLOAT, list(_EARLIER))),
            times(mean, ir.Constant(_FLOAT, list(_LATER))),
        )
        builder.store(total, _pointer(context, builder, _FLOAT, args[5], sig.args[5], args[6]), align=4)
        return context.get_dummy_value()

    return signature, generate


@_inline
def exchange(
    typing_context: Any, bins: Any, at: Any, new_code: Any, new_lower: Any, old_code: Any, old_lower: Any
) -> Any:
    """Put a vector's two shares into the eight bins ``bins[at:at + 8]`` and take another's off; all int32.

    A code holds the number of a bin in its low three bits, which gets the lower share; the bin after it,
    round the circle, gets ``code >> 4``.
    """
    signature = types.void(bins, at, new_code, new_lower, old_code, old_lower)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _pointer(context, builder, _INT, args[0], sig.args[0], args[1])
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
        builder.store(builder.add(builder.load(place, align=4), change), place, align=4)
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
            place = _pointer(context, builder, _INT, args[0], sig.args[0], index)
            total = builder.add(total, builder.load(place, align=4))
        builder.store(total, _pointer(context, builder, _INT, args[2], sig.args[2], args[3]), align=4)
        return context.get_dummy_value()

    return signature, generate


@_inline
def filter_even(
    typing_context: Any, source: Any, places: Any, shift: Any, taps: Any, out: Any, out_at: Any
) -> Any:
    """``out[out_at:out_at + 8]`` becomes a symmetric weighted sum of float32 vectors of ``source``.

    Args:
        typing_context: Numba's.
        source: Array read from.
        places: 2 n + 1 indices of the vectors, outermost left to outermost right.
        shift: Added to every index.
        taps: n + 1 float32 weights, from the centre outwards.
        out: Array written to.
        out_at: Index of the first number written.
    """
    return types.void(source, places, shift, taps, out, out_at), _filter(is_odd=False)


@_inline
def filter_odd(
    typing_context: Any, source: Any, places: Any, shift: Any, taps: Any, out: Any, out_at: Any
) -> Any:
    """As :func:`filter_even`, right minus left; the centre does not count."""
    return types.void(source, places, shift, taps, out, out_at), _filter(is_odd=True)


def _filter(*, is_odd: bool) -> Any:
    """Code generator of a symmetric or antisymmetric weighted sum."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        n = len(sig.args[3]) - 1

        def load(place: int) -> Any:
            index = builder.add(builder.extract_value(args[1], place), args[2])
            return builder.load(_pointer(context, builder, _FLOAT, args[0], sig.args[0], index), align=4)

        def weighted(k: int, value: Any) -> Any:
            tap = _spread(builder, _FLOAT, builder.extract_value(args[3], k))
            return builder.fmul(value, tap, flags=("contract",))

        total = None if is_odd else weighted(0, load(n))
        for k in range(1, n + 1):
            join = builder.fsub if is_odd else builder.fadd
            term = weighted(k, join(load(n + k), load(n - k)))
            total = term if total is None else builder.fadd(total, term, flags=("contract",))
        builder.store(total, _pointer(context, builder, _FLOAT, args[4], sig.args[4], args[5]), align=4)
        return context.get_dummy_value()

    return generate
