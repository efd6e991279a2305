"""Filters of single image rows, the inner loops of the other kernels.

All arrays are one-dimensional float32 of equal length; ``left``/``right`` are the neighbours at equal
distance on both sides. A loop writes one array and reads at most eight: beyond that LLVM gives up proving
that the arrays do not overlap and leaves the loop scalar.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float32]


def kernel(function: Any) -> Any:
    """Compile with Numba on first use; the machine code is cached on disk and runs without the GIL."""
    return nb.njit(
        cache=True, nogil=True, fastmath={"contract", "nsz", "nnan", "ninf", "arcp"}, error_model="numpy"
    )(function)


@kernel
def even_start(dst: Row, mid: Row, l1: Row, r1: Row, l2: Row, r2: Row, l3: Row, r3: Row, k: Row) -> None:
    """Centre and the first three pairs of an even kernel with taps ``k[0], k[1], ...`` from its centre."""
    k0, k1, k2, k3 = k[0], k[1], k[2], k[3]
    for x in range(dst.size):
        dst[x] = k0 * mid[x] + k1 * (l1[x] + r1[x]) + k2 * (l2[x] + r2[x]) + k3 * (l3[x] + r3[x])


@kernel
def even_two(dst: Row, l4: Row, r4: Row, l5: Row, r5: Row, k: Row) -> None:
    """Pairs four and five of an even kernel, added."""
    k4, k5 = k[4], k[5]
    for x in range(dst.size):
        dst[x] += k4 * (l4[x] + r4[x]) + k5 * (l5[x] + r5[x])


@kernel
def even_four(
    dst: Row, l4: Row, r4: Row, l5: Row, r5: Row, l6: Row, r6: Row, l7: Row, r7: Row, k: Row
) -> None:
    """Pairs four to seven of an even kernel, added."""
    k4, k5, k6, k7 = k[4], k[5], k[6], k[7]
    for x in range(dst.size):
        dst[x] += k4 * (l4[x] + r4[x]) + k5 * (l5[x] + r5[x]) + k6 * (l6[x] + r6[x]) + k7 * (l7[x] + r7[x])


@kernel
def odd_start(dst: Row, l1: Row, r1: Row, l2: Row, r2: Row, l3: Row, r3: Row, k: Row) -> None:
    """First three pairs of an odd kernel."""
    k1, k2, k3 = k[1], k[2], k[3]
    for x in range(dst.size):
        dst[x] = k1 * (r1[x] - l1[x]) + k2 * (r2[x] - l2[x]) + k3 * (r3[x] - l3[x])


@kernel
def odd_four(
    dst: Row, l4: Row, r4: Row, l5: Row, r5: Row, l6: Row, r6: Row, l7: Row, r7: Row, k: Row
) -> None:
    """Pairs four to seven of an odd kernel, added."""
    k4, k5, k6, k7 = k[4], k[5], k[6], k[7]
    for x in range(dst.size):
        dst[x] += k4 * (r4[x] - l4[x]) + k5 * (r5[x] - l5[x]) + k6 * (r6[x] - l6[x]) + k7 * (r7[x] - l7[x])
