"""Dense trajectories written plainly with NumPy and OpenCV: slow, short, sharing no code with the product."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass
class Row:
    end_frame: int
    mean: Array
    std: Array
    path: float
    scale: float
    traj: Array
    channels: list[Array]


@dataclass
class _Track:
    points: list[Array]
    described: list[list[Array]]


def trajectories(frames: Iterable[npt.NDArray[np.uint8]]) -> list[Row]:
    rows: list[Row] = []
    pictures: list[npt.NDArray[np.uint8]] = []
    expansions: list[Array] = []
    tracks: list[list[_Track]] = []
    for number, gray in enumerate(frames):
        scales = level_scales(gray.shape[1], gray.shape[0])
        sizes = [(round(gray.shape[1] / s), round(gray.shape[0] / s)) for s in scales]
        new_pictures = [gray]
        for size in sizes[1:]:
            new_pictures.append(cv2.resize(new_pictures[-1], size))
        new_expansions = [
            expansion(blurred(gray, scale, size)) for scale, size in zip(scales, sizes, strict=True)
        ]
        flows = pyramid_flow(expansions, new_expansions) if number else []
        tracks = tracks or [[] for _ in scales]
        for k, scale in enumerate(scales):
            if number:
                followed = _follow(tracks[k], pictures[k], flows[k])
                rows += [
                    row
                    for t in followed
                    if len(t.points) == 16 and (row := _finish(t, number, scale)) is not None
                ]
                tracks[k] = [t for t in followed if len(t.points) < 16]
            ends = [t.points[-1] for t in tracks[k]]
            tracks[k] += [_Track([position], []) for position in new_places(new_pictures[k], ends)]
        pictures, expansions = new_pictures, new_expansions
    return rows


def level_scales(width: int, height: int) -> list[float]:
    scales, scale = [], np.float32(1)
    while len(scales) < 8 and min(width, height) / float(scale) >= 32:
        scales.append(float(scale))
        scale = scale * np.float32(np.sqrt(2))
    return scales


def blurred(gray: npt.NDArray[np.uint8], scale: float, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    sigma = (scale - 1) / 2
    side = max(round(5 * sigma) | 1, 3)
    return cv2.resize(cv2.GaussianBlur(gray.astype(np.float32), (side, side), sigma), size)


def expansion(image: npt.NDArray[np.float32], n: int = 7, sigma: float = 1.5) -> Array:
    """Weighted least-squares fit of 1, x, y, x^2, y^2, xy at each pixel; (H, W, 5) of y, x, yy, xx, xy."""
    x = np.arange(-n, n + 1, dtype=np.float64)
    g = np.exp(-(x**2) / (2 * sigma**2))
    weight = np.outer(g, g) / g.sum() ** 2
    yy, xx = np.meshgrid(x, x, indexing="ij")
    basis = np.stack([np.ones_like(xx), xx, yy, xx**2, yy**2, xx * yy])
    normal = np.einsum("ayx,byx,yx->ab", basis, basis, weight)
    kernels = np.einsum("ab,byx,yx->ayx", np.linalg.inv(normal), basis, weight)
    image = image.astype(np.float64)
    _, fx, fy, fxx, fyy, fxy = (
        cv2.filter2D(image, cv2.CV_64F, k, borderType=cv2.BORDER_REPLICATE) for k in kernels
    )
    return np.stack([fy, fx, fyy, fxx, fxy], axis=-1)


def flow_step(before: Array, after: Array, flow: Array) -> Array:
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width]
    dx, dy = flow[..., 0], flow[..., 1]
    fx, fy = x + dx, y + dy
    left, top = np.floor(fx).astype(int), np.floor(fy).astype(int)
    inside = ((left >= 0) & (left < width - 1) & (top >= 0) & (top < height - 1))[..., None]
    tx, ty = (fx - left)[..., None], (fy - top)[..., None]
    left, top = np.clip(left, 0, width - 2), np.clip(top, 0, height - 2)
    upper = (1 - tx) * after[top, left] + tx * after[top, left + 1]
    lower = (1 - tx) * after[top + 1, left] + tx * after[top + 1, left + 1]
    there = np.where(inside, (1 - ty) * upper + ty * lower, 0)
    a = np.where(inside, (before + there) / 2, before)
    ayy, axx, axy = a[..., 2], a[..., 3], a[..., 4] / 2
    b = (before - there) / 2
    py = b[..., 0] + ayy * dy + axy * dx
    px = b[..., 1] + axy * dy + axx * dx
    ramp_x, ramp_y = np.ones(width), np.ones(height)
    for ramp in (ramp_x, ramp_y):
        ramp[:5] *= [0.14, 0.14, 0.4472, 0.4472, 0.4472]
        ramp[-5:] *= [0.4472, 0.4472, 0.4472, 0.14, 0.14]
    weight = np.outer(ramp_y, ramp_x) ** 2
    products = (ayy**2 + axy**2, (ayy + axx) * axy, axx**2 + axy**2, ayy * py + axy * px, axy * py + axx * px)
    g11, g12, g22, h1, h2 = (
        cv2.GaussianBlur(p * weight, (11, 11), 1.5, borderType=cv2.BORDER_REPLICATE) for p in products
    )
    det = g11 * g22 - g12**2 + 1e-3
    return np.stack([(g11 * h2 - g12 * h1) / det, (g22 * h1 - g12 * h2) / det], axis=-1)


def pyramid_flow(before: list[Array], after: list[Array]) -> list[npt.NDArray[np.float32]]:
    flows: list[npt.NDArray[np.float32]] = []
    for old, new in zip(reversed(before), reversed(after), strict=True):
        height, width = old.shape[:2]
        flow: Array = np.zeros((height, width, 2))
        if flows:
            flow = cv2.resize(flows[-1], (width, height)) * np.sqrt(2)
        for _ in range(2):
            flow = flow_step(old, new, flow)
        planes = [np.ascontiguousarray(flow[..., c], np.float32) for c in range(2)]
        flows.append(np.dstack([cv2.medianBlur(plane, 5) for plane in planes]))
    return flows[::-1]


def new_places(gray: npt.NDArray[np.uint8], ends: list[Array]) -> list[Array]:
    strength = cv2.cornerMinEigenVal(gray, 3, 3)
    rows, columns = gray.shape[0] // 5, gray.shape[1] // 5
    taken = {(int(y // 5), int(x // 5)) for x, y in ends}
    return [
        np.array([5.0 * column + 2, 5.0 * row + 2])
        for row in range(rows)
        for column in range(columns)
        if (row, column) not in taken and strength[5 * row + 2, 5 * column + 2] > 0.001 * strength.max()
    ]


def orientation_fields(x: Array, y: Array, still: float | None = None) -> Array:
    """(H, W, 8 or 9): length of each vector shared by its two nearest directions."""
    length = np.hypot(x, y)
    position = np.mod(np.arctan2(y, x), 2 * np.pi) / (np.pi / 4)
    low = np.floor(position).astype(int)
    is_still = np.zeros(length.shape, bool) if still is None else length <= still
    length = np.where(is_still, 0, length)
    bins = np.arange(8)
    fields = (bins == (low % 8)[..., None]) * (length * (1 - position + low))[..., None]
    fields = fields + (bins == ((low + 1) % 8)[..., None]) * (length * (position - low))[..., None]
    return fields if still is None else np.concatenate([fields, is_still[..., None]], axis=-1)


def patch_cells(fields: Array, point: Array) -> Array:
    """(4, bins) sums over the cells in the order left upper, left lower, right upper, right lower."""
    height, width = fields.shape[:2]
    x0 = min(max(int(np.rint(point[0])) - 16, 0), width - 32)
    y0 = min(max(int(np.rint(point[1])) - 16, 0), height - 32)
    patch = fields[y0 : y0 + 32, x0 : x0 + 32].reshape(2, 16, 2, 16, -1).sum((1, 3))
    return patch.transpose(1, 0, 2).reshape(4, -1)


def _gradient(plane: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    padded = np.pad(plane.astype(np.float64), 1, mode="reflect")
    return padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]


def _follow(
    tracks: list[_Track], picture: npt.NDArray[np.uint8], flow: npt.NDArray[np.float32]
) -> list[_Track]:
    u, v = flow[..., 0], flow[..., 1]
    height, width = u.shape
    fields = [
        orientation_fields(*_gradient(picture)),
        orientation_fields(u.astype(np.float64), v.astype(np.float64), 0.4),
        orientation_fields(*_gradient(u)),
        orientation_fields(*_gradient(v)),
    ]
    kept = []
    for track in tracks:
        point = track.points[-1]
        x = min(max(int(np.rint(point[0])), 0), width - 1)
        y = min(max(int(np.rint(point[1])), 0), height - 1)
        moved = point + flow[y, x]
        if 0 < moved[0] < width and 0 < moved[1] < height:
            described = []
            for field in fields:
                counts = patch_cells(field, point).reshape(-1) + 0.05
                described.append(np.sqrt(counts / counts.sum()))
            kept.append(_Track([*track.points, moved], [*track.described, described]))
    return kept


def _finish(track: _Track, number: int, scale: float) -> Row | None:
    points = np.array(track.points) * scale
    mean, std = points.mean(0), points.std(0)
    steps = np.diff(points, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    path, longest = lengths.sum(), lengths.max()
    if (std < np.sqrt(3)).all() or (std > 50).any() or (longest > 20 and longest > 0.7 * path):
        return None
    channels = [
        np.concatenate([np.mean([d[c] for d in track.described[t : t + 5]], axis=0) for t in (0, 5, 10)])
        for c in range(4)
    ]
    return Row(number, mean, std, path, scale, (steps / path).reshape(-1), channels)
