"""Still pictures as frames."""

import numpy as np
import pytest

from fgbench.faces.still_picture import ImageFrame


def test_a_picture_is_a_frame():
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[1, 2] = (255, 0, 0)
    frame = ImageFrame(pixels=pixels, index=7, time_s=0.5)
    assert (frame.index, frame.time_s, frame.is_corrupt, frame.size) == (7, 0.5, False, (6, 4))
    assert frame.gray().shape == (4, 6)
    assert frame.gray()[1, 2] == 76  # 0.299 * 255
    part = frame.rgb((2, 1, 4, 3))
    assert part.shape == (2, 2, 3)
    assert part.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(part[0, 0], (255, 0, 0))
    with pytest.raises(ValueError, match="not inside"):
        frame.rgb((0, 0, 7, 4))
