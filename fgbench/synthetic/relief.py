"""Furrows and bulges of action units, as height maps over the grid.

Texture features see action units by their furrows, so each expression-making unit has its own: brow
furrow (4), forehead lines (1, 2), crow's feet (6), nose wrinkles (9), nasolabial fold (10, 11, 12), dimple
(14), chin boss (17) and so on. Heights are in distances of the outer eye corners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy, mesh
from fgbench.synthetic.action_units import channels_of

Field = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Furrow:
    """A groove along a line with soft walls, on the person's left half and mirrored on the right.

    Attributes:
        line: (x, y) of the points of the line.
        depth: Depth of the groove.
        width: Half width of the groove.
        central: Whether the line lies in the middle of the face and is not mirrored.
    """

    line: tuple[tuple[float, float], ...]
    depth: float
    width: float
    central: bool = False


@dataclass(frozen=True, slots=True)
class Bulge:
    """A soft hill (or, with negative height, a hollow)."""

    x: float
    y: float
    rx: float
    ry: float
    height: float


_FOLD = ((0.195, 0.465), (0.250, 0.545), (0.325, 0.670), (0.385, 0.800), (0.400, 0.900))
"""The nasolabial fold, from the wing of the nose to beside the corner of the mouth."""

FORMS: Mapping[int, tuple[Furrow | Bulge, ...]] = MappingProxyType(
    {
        1: (
            Furrow(((0.00, -0.445), (0.14, -0.450), (0.30, -0.420)), 0.011, 0.020),
            Furrow(((0.00, -0.550), (0.16, -0.555), (0.33, -0.530)), 0.010, 0.020),
            Furrow(((0.00, -0.655), (0.15, -0.660), (0.30, -0.640)), 0.007, 0.020),
            Bulge(0.16, -0.33, 0.14, 0.06, 0.018),
        ),
        2: (
            Furrow(((0.28, -0.435), (0.45, -0.440), (0.62, -0.380)), 0.010, 0.020),
            Furrow(((0.28, -0.540), (0.45, -0.545), (0.60, -0.490)), 0.009, 0.020),
            Bulge(0.50, -0.32, 0.16, 0.06, 0.018),
        ),
        4: (
            Furrow(((0.060, -0.300), (0.066, -0.230), (0.055, -0.130), (0.040, -0.080)), 0.019, 0.016),
            Furrow(((0.150, -0.320), (0.125, -0.260), (0.110, -0.210)), 0.008, 0.016),
            Bulge(0.115, -0.165, 0.075, 0.060, 0.034),
            Bulge(0.00, -0.17, 0.030, 0.080, 0.014),
        ),
        5: (Bulge(0.34, -0.09, 0.12, 0.03, -0.012),),
        6: (
            Furrow(((0.565, 0.005), (0.650, -0.025), (0.735, -0.070)), 0.010, 0.012),
            Furrow(((0.565, 0.030), (0.655, 0.035), (0.745, 0.025)), 0.010, 0.012),
            Furrow(((0.550, 0.060), (0.635, 0.090), (0.715, 0.110)), 0.009, 0.012),
            Furrow(((0.235, 0.095), (0.330, 0.130), (0.430, 0.125), (0.520, 0.085)), 0.010, 0.016),
            Bulge(0.440, 0.270, 0.180, 0.120, 0.050),
        ),
        7: (
            Furrow(((0.225, 0.070), (0.310, 0.095), (0.410, 0.090), (0.485, 0.055)), 0.009, 0.013),
            Bulge(0.355, 0.058, 0.11, 0.022, 0.010),
        ),
        9: (
            Furrow(((0.025, 0.020), (0.085, 0.060), (0.125, 0.120)), 0.010, 0.013),
            Furrow(((0.025, 0.090), (0.090, 0.140), (0.140, 0.200)), 0.010, 0.013),
            Furrow(((0.040, 0.170), (0.105, 0.225), (0.160, 0.290)), 0.008, 0.013),
            Furrow(((-0.075, -0.035), (0.0, -0.050), (0.075, -0.035)), 0.012, 0.015, True),
            Furrow(((-0.065, 0.030), (0.0, 0.018), (0.065, 0.030)), 0.009, 0.013, True),
            Furrow(((0.175, 0.360), (0.205, 0.450), (0.255, 0.550), (0.310, 0.640)), 0.017, 0.018),
            Bulge(0.145, 0.390, 0.060, 0.070, 0.022),
        ),
        10: (
            Furrow(
                ((0.190, 0.430), (0.235, 0.500), (0.290, 0.590), (0.340, 0.700), (0.370, 0.790)), 0.018, 0.020
            ),
            Bulge(0.350, 0.480, 0.120, 0.120, 0.030),
            Bulge(0.190, 0.660, 0.080, 0.070, 0.014),
        ),
        11: (
            Furrow(((0.200, 0.470), (0.250, 0.545), (0.310, 0.640), (0.350, 0.720)), 0.018, 0.017),
            Bulge(0.370, 0.560, 0.100, 0.100, 0.020),
        ),
        12: (
            Furrow(_FOLD, 0.022, 0.020),
            Bulge(0.475, 0.500, 0.170, 0.150, 0.050),
            Furrow(((0.425, 0.780), (0.455, 0.860), (0.440, 0.940)), 0.010, 0.018),
        ),
        14: (
            Furrow(((0.405, 0.775), (0.428, 0.845), (0.412, 0.925)), 0.024, 0.016),
            Bulge(0.425, 0.848, 0.034, 0.045, -0.024),
            Bulge(0.500, 0.850, 0.060, 0.110, 0.020),
        ),
        15: (
            Furrow(((0.360, 0.890), (0.395, 0.970), (0.400, 1.060)), 0.016, 0.017),
            Bulge(0.300, 1.050, 0.080, 0.060, 0.014),
            Furrow(((0.0, 1.075), (0.100, 1.068), (0.190, 1.040)), 0.006, 0.016),
        ),
        16: (Furrow(((0.0, 1.095), (0.110, 1.085), (0.210, 1.045)), 0.015, 0.020),),
        17: (
            Bulge(0.0, 1.195, 0.150, 0.105, 0.040),
            Furrow(((0.0, 1.075), (0.090, 1.080), (0.170, 1.115), (0.210, 1.165)), 0.017, 0.017),
        ),
        18: (
            Furrow(((0.060, 0.735), (0.066, 0.690)), 0.008, 0.010),
            Furrow(((0.150, 0.760), (0.185, 0.715)), 0.008, 0.010),
            Furrow(((0.060, 1.000), (0.066, 1.045)), 0.008, 0.010),
            Furrow(((0.150, 0.975), (0.180, 1.020)), 0.008, 0.010),
            Bulge(0.230, 0.860, 0.080, 0.110, 0.020),
        ),
        20: (
            Furrow(((0.430, 0.790), (0.465, 0.880), (0.445, 0.980)), 0.013, 0.016),
            Furrow(((0.510, 0.830), (0.535, 0.920), (0.510, 1.010)), 0.008, 0.015),
        ),
        22: (Bulge(0.0, 0.720, 0.20, 0.045, 0.016), Bulge(0.0, 1.020, 0.18, 0.045, 0.016)),
        23: (
            Furrow(((0.070, 0.740), (0.074, 0.690)), 0.006, 0.010),
            Furrow(((0.150, 0.755), (0.165, 0.705)), 0.006, 0.010),
            Bulge(0.0, 0.725, 0.240, 0.040, 0.014),
            Bulge(0.0, 1.005, 0.220, 0.040, 0.012),
        ),
        24: (
            Bulge(0.0, 0.725, 0.260, 0.045, 0.020),
            Bulge(0.0, 1.000, 0.240, 0.045, 0.020),
            Furrow(((0.385, 0.800), (0.400, 0.850), (0.385, 0.905)), 0.012, 0.014),
        ),
        27: (Furrow(((0.440, 0.640), (0.490, 0.800), (0.490, 0.980)), 0.010, 0.030),),
        28: (Bulge(0.0, 0.720, 0.280, 0.060, 0.014), Bulge(0.0, 1.000, 0.260, 0.060, 0.014)),
        43: (),
    }
)
"""AU number to its forms in the skin."""

AGE_FORMS: tuple[Furrow | Bulge, ...] = (
    Furrow(_FOLD, 0.010, 0.020),
    Furrow(((0.225, 0.085), (0.310, 0.118), (0.400, 0.112)), 0.006, 0.016),
    Furrow(((0.00, -0.550), (0.16, -0.555), (0.40, -0.520)), 0.003, 0.020),
)
"""Lines of a face at rest that come with age."""


_SHARPNESS = 2.5
"""Standard deviation, in pixels of the relief, of the blur relative to which hollows are measured."""
_MARGIN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Part of the head with a channel's forms.

    Attributes:
        region: Rows and columns on the relief's raster.
        slope_x, slope_y: float32 (rows, columns): slopes of the height at full intensity.
        hollow: float32 (rows, columns): depth of a point below its surroundings.
    """

    region: tuple[slice, slice]
    slope_x: Field
    slope_y: Field
    hollow: Field

    def shading(self, light: npt.NDArray[np.float64], direct: float) -> Field:
        """Brightness that the forms add to the smooth face, float32 like the slopes.

        Args:
            light: Direction to the light in the head's frame.
            direct: Share of directed light, 0 to 1.
        """
        lit = self.slope_x * np.float32(-direct * light[0]) + self.slope_y * np.float32(-direct * light[1])
        return np.asarray(0.8 * np.clip(lit, -0.4, 0.16) - 15.0 * self.hollow, np.float32)


@lru_cache(maxsize=1)
def patches() -> Mapping[int, Patch]:
    """Channel number to its patch, for the channels that have forms."""
    by_channel: dict[int, Patch] = {}
    for au, forms in FORMS.items():
        if not forms:
            continue
        left = np.asarray(sum(_left_share(form) * _height(form) for form in forms), np.float32)
        right = left[:, ::-1]
        channels = channels_of(au)
        halves = (left, right) if len(channels) == 2 else (_both_halves(left),)
        by_channel |= {channel: _patch(height) for channel, height in zip(channels, halves, strict=True)}
    return MappingProxyType(by_channel)


@lru_cache(maxsize=1)
def age_patch() -> Patch:
    """Patch of the lines of age."""
    return _patch(_both_halves(np.asarray(sum(_height(form) for form in AGE_FORMS), np.float32)))


def _patch(height: Field) -> Patch:
    x, y, width, height_px = cv2.boundingRect((np.abs(height) > 1e-5).astype(np.uint8))
    rows = slice(max(y - _MARGIN, 0), y + height_px + _MARGIN)
    columns = slice(max(x - _MARGIN, 0), x + width + _MARGIN)
    across, down = (size[rows, columns] for size in _pixel_sizes())
    part = np.ascontiguousarray(height[rows, columns])
    hollow = np.maximum(cv2.GaussianBlur(part, (0, 0), _SHARPNESS) - part, 0.0)
    slope_x, slope_y = np.gradient(part, axis=1) / across, np.gradient(part, axis=0) / down
    return Patch((rows, columns), slope_x, slope_y, hollow)


def _left_share(form: Furrow | Bulge) -> float:
    """Share of a form that belongs to the person's left half when the halves are drawn apart."""
    return 0.5 if isinstance(form, Furrow) and form.central else 1.0


def _both_halves(left: Field) -> Field:
    middle = left.shape[1] // 2
    return np.concatenate([left[:, : middle - 1 : -1], left[:, middle + 1 :]], axis=1)


@lru_cache(maxsize=1)
def _coordinates() -> tuple[Field, Field]:
    raster = mesh.relief()
    return raster.field(0), raster.field(1)


@lru_cache(maxsize=1)
def _pixel_sizes() -> tuple[Field, Field]:
    x, y = _coordinates()
    return np.maximum(np.gradient(x, axis=1), 2e-3), np.maximum(np.gradient(y, axis=0), 2e-3)


def _height(form: Furrow | Bulge) -> Field:
    x, y = _coordinates()
    if isinstance(form, Bulge):
        hill = np.exp(-(((x - form.x) / form.rx) ** 2) - ((y - form.y) / form.ry) ** 2)
        return np.asarray(form.height * hill, np.float32)
    line = np.array(form.line)
    smooth = anatomy.curve(line, 8 * len(line)) if len(line) > 2 else np.linspace(line[0], line[1], 12)
    distance = np.full(x.shape, np.inf, np.float32)
    along = np.zeros(x.shape, np.float32)
    for number, (point_x, point_y) in enumerate(smooth.astype(np.float32)):
        step = (x - point_x) ** 2 + (y - point_y) ** 2
        nearer = step < distance
        distance[nearer] = step[nearer]
        along[nearer] = number / (len(smooth) - 1)
    fade = np.clip(1.6 * np.sqrt(np.clip(along * (1.0 - along), 0.0, None)) + 0.35, 0.0, 1.0)
    groove = np.exp(-distance / form.width**2)
    walls = np.exp(-distance / (2.6 * form.width) ** 2)
    return np.asarray(form.depth * fade * (0.22 * walls - 1.10 * groove), np.float32)
