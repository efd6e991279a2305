"""Large pictures are searched reduced: within a bound of memory, with results in px of the picture."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from fgbench.config import FacesConfig
from fgbench.faces import searching
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.still_picture import ImageFrame

PERSON = np.ascontiguousarray(astronaut()[:320, 60:380])


@pytest.fixture
def searched(monkeypatch):
    """Pixels of every picture that is searched as a whole."""
    sizes = []
    original = searching.search_at_scale

    def counted(image, detector, **kwargs):
        sizes.append(image.shape[0] * image.shape[1] * kwargs["scale"] ** 2)
        return original(image, detector, **kwargs)

    monkeypatch.setattr(searching, "search_at_scale", counted)
    return sizes


def observe(image, models, bound, monkeypatch):
    monkeypatch.setattr(type(models.detector), "most_px", bound)
    ((_, actual),) = observe_clip([ImageFrame(pixels=image)], FacesConfig(), models)
    return actual


def test_a_face_in_a_reduced_picture_is_where_it_was(models, monkeypatch, searched):
    canvas = np.full((1200, 1600, 3), 90, np.uint8)
    canvas[500:1140, 700:1340] = cv2.resize(PERSON, (640, 640))
    whole = observe(canvas, models, 1 << 40, monkeypatch)
    searched.clear()
    reduced = observe(canvas, models, 300_000, monkeypatch)
    assert (whole.status, reduced.status) == ("ok", "ok")
    assert np.allclose(reduced.box_xyxy, whole.box_xyxy, atol=6)
    assert np.allclose(reduced.landmarks, whole.landmarks, atol=6)
    assert searched
    assert max(searched) <= 300_000 * 1.001


@pytest.mark.slow
def test_nothing_beyond_the_bound_is_searched(models, monkeypatch, searched):
    blank = np.full((600, 800, 3), 90, np.uint8)
    assert observe(blank, models, 1 << 40, monkeypatch).status == "no_face"
    assert len(searched) == 4
    searched.clear()
    assert observe(blank, models, 600 * 800, monkeypatch).status == "no_face"
    assert len(searched) == 3  # the enlarged picture is left out
    searched.clear()
    assert observe(blank, models, 600 * 800 // 9, monkeypatch).status == "no_face"
    assert len(searched) == 1


PROGRAM = """
import sys
from pathlib import Path

import numpy as np

from fgbench.faces.still_picture import ImageFrame
from fgbench.faces.clip_faces import observe_clip
from fgbench.media.images import read_image

frame = ImageFrame(pixels=read_image(Path(sys.argv[1])))
print([found.status for _, found in observe_clip([frame])])
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_sixty_four_megapixels_take_less_than_two_gigabytes(tmp_path):
    path = tmp_path / "large.jpg"
    cv2.imwrite(str(path), np.full((8000, 8000, 3), 120, np.uint8))
    command = [sys.executable, "-c", PROGRAM, str(path)]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert words[0] == "['no_face']"
    assert int(words[1]) < 2_000_000  # kB
