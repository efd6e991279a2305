"""Training without a validation part, on which the epoch would be chosen."""

import pytest

from fgbench.errors import DatasetError
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from tests.support.tiny_work import (
    COLOURS,
    add_faces,
    au_recipe,
    au_rows,
    coloured,
    context_in,
    other_faces,
    plain_recipe,
)


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    described = [
        (part, subject, label, coloured(number, colour))
        for part, subject in (("train", "s0"), ("test", "s1"))
        for number, (label, colour) in enumerate(COLOURS.items())
    ]
    return add_faces(tmp_path_factory.mktemp("work") / "manifests", [*described, *other_faces()])


def test_images_are_asked_for(tmp_path, manifests):
    with pytest.raises(DatasetError, match="no images to choose the epoch on"):
        image_run.run(plain_recipe(), context_in(tmp_path / "w", manifests), None)


def test_frames_are_asked_for(tmp_path, manifests):
    with pytest.raises(DatasetError, match="no labelled frames to choose the epoch on"):
        au_run.run(au_recipe(), context_in(tmp_path / "w", manifests), au_rows(manifests))
