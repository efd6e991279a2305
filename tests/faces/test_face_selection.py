"""Which of several faces a policy means."""

import pytest
from pydantic import ValidationError

from fgbench.config import FacesConfig
from fgbench.faces.geometry import square_box
from fgbench.faces.selection import choose

SIZE = (640, 360)


def pick(*faces, policy="largest", held=None, ambiguity=0.1):
    """Faces as (x, y, width)."""
    boxes = [square_box((x, y), width) for x, y, width in faces]
    return choose(boxes, SIZE, policy=policy, ambiguity=ambiguity, held=held)


def test_largest():
    assert pick((100, 100, 80)) == 0
    assert pick((100, 100, 80), (400, 100, 90)) == 1
    assert pick((100, 100, 100), (400, 100, 96)) is None  # areas 1 : 0.92
    assert pick((100, 100, 100), (400, 100, 94)) == 0  # 1 : 0.88
    assert pick((100, 100, 100), (400, 100, 96), ambiguity=0.05) == 0


def test_central():
    middle, near, far = (320, 180, 60), (340, 180, 80), (500, 180, 200)
    assert pick(far, middle, policy="central") == 1
    assert pick(far, near, policy="central") == 1
    # 20 px of difference are 0.11 of half the shorter side, 16 px are 0.09
    assert pick(middle, near, policy="central") == 0
    assert pick(middle, (336, 180, 80), policy="central") is None


def test_a_followed_face_is_kept_unless_another_is_better_beyond_doubt():
    faces = [(100, 100, 100), (400, 100, 104)]
    assert pick(*faces) is None
    assert pick(*faces, held=0) == 0
    assert pick((100, 100, 100), (400, 100, 110), held=0) == 1
    assert pick((100, 100, 100), (400, 100, 110), (500, 300, 111), held=0) == 0  # better, but which?
    assert pick((100, 100, 100), (400, 100, 300), held=0, policy="track") == 0
    assert pick((100, 100, 100), (400, 100, 300), policy="track") == 1


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"policy": "biggest"}, "'largest', 'central' or 'track'"),
        ({"check_every": 0}, "check_every"),
        ({"ambiguity": 2}, r"less than or equal to 0\.9"),
    ],
)
def test_choices_are_checked(choice, message):
    with pytest.raises(ValidationError, match=message):
        FacesConfig(**choice)
