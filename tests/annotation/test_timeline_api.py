"""The call that imports annotations of ELAN and Praat: classes of recipes, and wrong arguments."""

import pytest

from fgbench.api.timelines import import_timelines
from fgbench.errors import ConfigError
from tests.support.clip_folders import write_plain_clip
from tests.support.timelines import write_eaf


def eaf(root, label):
    write_plain_clip(root / "videos" / "film.mp4", 25)
    return write_eaf(root / "film.eaf", {"label": [(0.0, 1.0, label)]})


def test_labels_are_the_33_classes_unless_a_recipe_has_others(tmp_path):
    done = import_timelines(eaf(tmp_path, "Anger"), tmp_path)
    assert (done.n_added, done.rejects) == (1, ())
    done = import_timelines(eaf(tmp_path / "b", "mild boredom"), tmp_path / "b")
    assert [one.reason for one in done.rejects] == ["unknown_label"]
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: default\nname: own\ndataset: {scheme: free, classes: [mild boredom, glee]}\n",
        encoding="utf-8",
    )
    done = import_timelines(tmp_path / "b" / "film.eaf", tmp_path / "b", recipe=str(own))
    assert done.n_added == 1
    assert "mild_boredom" in done.table.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tool": "anvil"}, "'anvil', expected one of elan, praat"),
        ({"round": 100}, "100, expected 1 to 99"),
        ({"cut": "yes"}, "cut"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_read(tmp_path, wrong, message):
    with pytest.raises(ConfigError, match=message):
        import_timelines(tmp_path / "absent.eaf", tmp_path, **wrong)
