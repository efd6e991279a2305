"""Convert high dynamic range (PQ and HLG) to standard dynamic range, so that faces look as in other videos.

Display light is computed from the stored values, compressed, and coded again:

1. PQ (HDR10, Dolby Vision with that base): EOTF of SMPTE ST 2084. HLG (as phones record): inverse OETF of
   ITU-R BT.2100 and its OOTF for a display of 1000 cd/m2 (system gamma 1.2).
2. Highlights: the EETF of ITU-R BT.2390, section 5.4.1, per channel, from a display of 1000 cd/m2 to one of
   203 cd/m2, the reference white of ITU-R BT.2408. Values below 92 cd/m2 are unchanged; 203 cd/m2
   become 160. (Peaks stated in the file are not used: they are often wrong.)
3. Colours: from the primaries of BT.2020 or P3, in linear light, to BT.709 (ITU-R BT.2087); values outside
   are clipped.
4. Code values: inverse of the gamma 2.4 of ITU-R BT.1886.

Not stated in the paper. Dynamic metadata (HDR10+, Dolby Vision) are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import av
import cv2
import numpy as np
import numpy.typing as npt

from fgbench.media.video import Image

_PQ, _HLG = 16, 18  # AVColorTransferCharacteristic: SMPTE ST 2084, ARIB STD-B67

_SOURCE_NITS = 1000.0
_WHITE_NITS = 203.0
_HLG_GAMMA = 1.2  # BT.2100, note 5f, for 1000 cd/m2
_GAMMA = 2.4

# Linear RGB to linear BT.709 by AVColorPrimaries: BT.709 itself, BT.2020 (BT.2087-0, section 4), P3 with D65.
_TO_BT709 = {
    1: np.eye(3),
    9: np.array([[1.6605, -0.5877, -0.0728], [-0.1246, 1.1330, -0.0084], [-0.0182, -0.1006, 1.1188]]),
    12: np.array([[1.2249, -0.2249, 0.0], [-0.0420, 1.0420, 0.0], [-0.0196, -0.0786, 1.0982]]),
}
_BT2020 = 9  # the primaries of BT.2100, if the file states none

# BT.2020 luminance, which HLG's OOTF uses.
_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], np.float32)

_LEVELS = 1 << 16  # of stored values and of table indices
_CODES = 1 << 12  # of linear light before it is coded, spaced by its square root

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneMap:
    """Tables of one kind of HDR video; see the module's docstring.

    Attributes:
        light: (65536,) float32. PQ: stored value to compressed light, 1 is white. HLG: to scene light.
        is_hlg: Whether it is HLG.
        to_bt709: (3, 3) float32.
    """

    light: npt.NDArray[np.float32]
    is_hlg: bool
    to_bt709: npt.NDArray[np.float32]

    def rgb(self, pixels: npt.NDArray[np.uint16]) -> Image:
        """Convert an HDR picture to SDR.

        Args:
            pixels: (H, W, 3) uint16 RGB as coded, full range.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        light = self.light[pixels]
        if self.is_hlg:
            luminance = cv2.transform(light, _LUMINANCE).reshape(*light.shape[:2], 1)
            shown = light * luminance ** np.float32(_HLG_GAMMA - 1)
            light = _compressed_table()[
                (np.sqrt(np.clip(shown, 0, 1)) * (_LEVELS - 1) + 0.5).astype(np.int32)
            ]
        linear = np.clip(cv2.transform(light, self.to_bt709), 0, 1)
        result: Image = _code_table()[(np.sqrt(linear) * (_CODES - 1) + 0.5).astype(np.int32)]
        return result

    def luma(self, stored: npt.NDArray[np.unsignedinteger], bits: int, *, full_range: bool) -> Image:
        """Convert a stored luma plane to SDR: as grey of the same luma, in the same range.

        Args:
            stored: (H, W) of ``bits`` bits.
            bits: 8 to 16.
            full_range: Whether it fills its range; else it is 16 to 235 of 256.
        """
        codes = np.arange(1 << bits)
        low, span = (0, (1 << bits) - 1) if full_range else (16 << bits - 8, 219 << bits - 8)
        value = np.clip((codes - low) / span, 0, 1)
        grey = np.repeat(np.rint(value * (_LEVELS - 1)).astype(np.uint16)[None, :, None], 3, axis=2)
        toned = self.rgb(grey)[0, :, 1]
        levels = toned if full_range else np.rint(16 + toned * (219 / 255)).astype(np.uint8)
        result: Image = levels[np.minimum(stored, (1 << bits) - 1)]
        return result


def tone_map_of(picture: av.VideoFrame) -> ToneMap | None:
    """Conversion of a frame to SDR; ``None`` if it is SDR."""
    transfer, primaries = int(picture.color_trc), int(picture.color_primaries)
    if transfer not in (_PQ, _HLG):
        return None
    return _tone_map(transfer, primaries if primaries in _TO_BT709 else _BT2020)


@lru_cache(maxsize=6)
def _tone_map(transfer: int, primaries: int) -> ToneMap:
    coded = np.arange(_LEVELS) / (_LEVELS - 1)
    is_hlg = transfer == _HLG
    light = hlg_scene_light(coded) if is_hlg else compressed(pq_nits(coded)) / _WHITE_NITS
    return ToneMap(
        light=light.astype(np.float32),
        is_hlg=is_hlg,
        to_bt709=_TO_BT709[primaries].astype(np.float32),
    )


@lru_cache(maxsize=1)
def _compressed_table() -> npt.NDArray[np.float32]:
    """Square root of light, 1 is 1000 cd/m2, in steps of 1/65535, to compressed light; 1 is white."""
    nits = _SOURCE_NITS * (np.arange(_LEVELS) / (_LEVELS - 1)) ** 2
    return (compressed(nits) / _WHITE_NITS).astype(np.float32)


@lru_cache(maxsize=1)
def _code_table() -> Image:
    """Square root of linear light in steps of 1/4095 to code values."""
    linear = (np.arange(_CODES) / (_CODES - 1)) ** 2
    return np.rint(255 * linear ** (1 / _GAMMA)).astype(np.uint8)


# SMPTE ST 2084, section 5.
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_nits(coded: Floats) -> Floats:
    """EOTF of PQ: coded values from 0 to 1 to cd/m2."""
    power = coded ** (1 / _M2)
    result: Floats = 10_000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)
    return result


def pq_coded(nits: Floats) -> Floats:
    """Inverse EOTF of PQ: cd/m2 to coded values."""
    power = (nits / 10_000) ** _M1
    result: Floats = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return result


def hlg_scene_light(coded: Floats) -> Floats:
    """Inverse OETF of HLG (BT.2100, table 5): coded values from 0 to 1 to scene light from 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    result: Floats = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    return result


def compressed(nits: Floats) -> Floats:
    """EETF of BT.2390, section 5.4.1, without black lift: light of the source display to that of the target,
    in cd/m2."""
    source = float(pq_coded(np.array(_SOURCE_NITS)))
    most = float(pq_coded(np.array(_WHITE_NITS))) / source
    knee = 1.5 * most - 0.5
    value = np.minimum(pq_coded(nits) / source, 1)
    t = np.clip((value - knee) / (1 - knee), 0, 1)
    bent = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    )
    result: Floats = pq_nits(np.where(value < knee, value, bent) * source)
    return result
