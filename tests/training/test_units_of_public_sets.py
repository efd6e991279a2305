"""Public data sets with action units together, in the layouts of their owners: one network on all of them."""

from __future__ import annotations

import pytest

from fgbench.config import TrainAuConfig
from fgbench.datasets import disfa_plus
from fgbench.errors import ConfigError
from fgbench.methods.steps.contexts import open_training
from fgbench.methods.steps.units import train_units, unit_data
from fgbench.runs.unit_results import read_au_predictions, read_au_result
from tests.support.fake_trees import Prepared
from tests.support.layouts.aff_wild2 import write_aff
from tests.support.layouts.ck_plus import write_units
from tests.support.layouts.disfa import write_disfa
from tests.support.layouts.disfa_plus import write_disfa_plus
from tests.support.layouts.raf_au import write_raf_au
from tests.support.layouts.unbc_mcmaster import write_unbc
from tests.support.tiny_work import RESIZE_PX, TRUNK

pytestmark = pytest.mark.slow

WRITTEN = {
    "ck-plus-units": write_units,
    "disfa-plus": write_disfa_plus,
    "unbc-mcmaster": write_unbc,
    "aff-wild2": write_aff,
    "raf-au": write_raf_au,
}


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    """Work folders of fakes."""
    base = tmp_path_factory.mktemp("units")
    return {
        name: Prepared(name, write(base / name), base / f"{name}-work", faces={"align": "never"}).work
        for name, write in WRITTEN.items()
    }


def recipe():
    plain = {
        "name": "au-tiny",
        "action_units": ["au01", "au04", "au12", "au25", "au43"],
        "trunk": TRUNK,
        "fc_hidden": None,
        "embedding": 8,
        "optimiser": {"epochs": 1, "batch": 8},
        "data": {"resize_px": RESIZE_PX},
    }
    return TrainAuConfig.model_validate(plain)


def trained(*workdirs, folds=0):
    first, *further = workdirs
    (folders,) = train_units(recipe(), first, further=further, folds=folds, device="cpu")
    return folders


@pytest.mark.parametrize("name", WRITTEN)
def test_each_alone(works, name):
    (folder,) = trained(works[name])
    assert read_au_result(folder)["n"] > 0


def test_three_folds_over_the_people_of_several(works):
    folders = trained(works["ck-plus-units"], works["disfa-plus"], works["unbc-mcmaster"], folds=3)
    assert len(folders) == 3
    assert folders[0].parts[-3] == "au-tiny-ck-plus-units-disfa-plus-unbc-mcmaster"
    tested = [set(read_au_predictions(folder).subject_ids) for folder in folders]
    assert len(set.union(*tested)) == sum(map(len, tested)) == 8 + 6 + 6
    actual = [read_au_predictions(folder) for folder in folders]
    units = actual[0].units
    labelled = {
        name: {
            unit
            for part in actual
            for row, sample in zip(part.labels, part.sample_ids, strict=True)
            for unit, label in zip(units, row, strict=True)
            if label and sample.startswith(f"{name}/")
        }
        for name in ("ck-plus-units", "disfa-plus", "unbc-mcmaster")
    }
    assert labelled == {
        "ck-plus-units": {"au01", "au04", "au12", "au25", "au43"},
        "disfa-plus": {"au01", "au04", "au12", "au25"},
        "unbc-mcmaster": {"au04", "au12", "au25", "au43"},
    }


def test_official_parts_beside_drawn_ones(works):
    (folder,) = trained(works["aff-wild2"], works["raf-au"])
    clips = {name.partition("/")[0] for name in read_au_predictions(folder).clip_ids}
    assert clips == {"aff-wild2", "raf-au"}
    assert {name for name in read_au_predictions(folder).clip_ids if name.startswith("aff")} == {
        f"aff-wild2/v{number}" for number in range(3)
    }


def test_people_of_disfa_plus_are_those_of_disfa(works, tmp_path):
    disfa = Prepared(
        "disfa", write_disfa(tmp_path / "disfa"), tmp_path / "work", faces={"align": "never"}
    ).work
    people = [unit_data(open_training(workdir, "cpu")).people for workdir in (disfa, works["disfa-plus"])]
    assert people == ["disfa", "disfa"]
    assert disfa_plus.CARD.people == "disfa"
    folders = trained(disfa, works["disfa-plus"], folds=3)
    tested = [set(read_au_predictions(folder).subject_ids) for folder in folders]
    assert "disfa/SN001" in set.union(*tested)
    assert len(set.union(*tested)) == sum(map(len, tested)) == 10, "six of each, two in both"
    with pytest.raises(ConfigError, match=r"people that one of disfa, disfa-plus tests are trained on in"):
        trained(disfa, works["disfa-plus"])
