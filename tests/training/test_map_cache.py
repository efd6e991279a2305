"""Maps kept of a small network are what it sees, also where it looks at fewer regions than are kept."""

import pytest
import torch

from fgbench.config import NetworkConfig, TrainImageConfig, TrunkConfig
from fgbench.errors import DatasetError
from fgbench.inputs.batching import Source
from fgbench.inputs.frozen_maps import open_maps
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.resident import Resident
from fgbench.models.msau import MsauNet
from fgbench.models.weights import state_digest
from fgbench.training.context import TrainingContext

CPU = torch.device("cpu")
TRUNK = TrunkConfig(input_px=112, stem=2, widths=(2, 3, 4, 4), norm="none")
PREPROCESSING = Preprocessing(resize_px=240, mean=(120.0, 110.0, 100.0), std=(50.0, 60.0, 70.0))
N = 5


def network(zooms):
    torch.manual_seed(0)
    model = MsauNet(NetworkConfig(trunk=TRUNK, zooms=zooms, fc_hidden=None, embedding=4)).eval()
    model.freeze()
    return model


def recipe(zooms, *, keep):
    return TrainImageConfig.model_validate(
        {
            "name": "small",
            "method": "MSAU-Net (Ours)",
            "au_recipe": "au-small",
            "network": network_settings(zooms),
            "losses": {"rank": 0.5 if zooms else 0.0},
            "data": {"resize_px": 240, "crops": "centre", "keep_maps": keep},
        }
    )


def network_settings(zooms):
    return {"trunk": TRUNK.model_dump(), "zooms": zooms, "fc_hidden": None, "embedding": 4}


def samples(seed, n=N) -> ImageSet:
    pictures = torch.randint(0, 256, (n, 3, 224, 224), generator=torch.Generator().manual_seed(seed)).byte()
    result = torch.zeros(n, dtype=torch.int64)
    names = [f"{seed}-{number}" for number in range(n)]
    images: Source = Resident(pictures)
    return ImageSet(sample_ids=names, clip_ids=names, labels=result, basic=result, images=images)


def context(folder):
    return TrainingContext(
        workdir=folder,
        manifest_digest="m",
        details={},
        seed=0,
        device=CPU,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda *what: None,
    )


def opened(folder, zooms, *, most, keep=True, model=None):
    given = {"train": samples(1), "selection": samples(2), "most": most}
    return open_maps(
        model or network(zooms), recipe(zooms, keep=keep), PREPROCESSING, context(folder), **given
    )


def seen(zooms, images, *, mirrored=False):
    flip = torch.full((len(images),), mirrored)
    faces = PREPROCESSING.view(images, torch.zeros(len(images), dtype=torch.int64), flip)
    with torch.no_grad():
        return network(zooms).see(faces).maps


def pictures(data):
    return torch.cat([one.images for one in data.images.batches(epoch=0, seed=0, batch=9, shuffle=False)])


@pytest.mark.slow
@pytest.mark.parametrize(("zooms", "most"), [(0, 0), (1, 1), (1, 3)])
def test_kept_maps_are_what_the_network_sees(tmp_path, zooms, most):
    maps, selection = opened(tmp_path, zooms, most=most)
    assert maps.view(0).shape == (N, 1 + zooms, 4, 6, 6)
    for view, mirrored in enumerate((False, True)):
        expected = seen(zooms, pictures(samples(1)), mirrored=mirrored)
        torch.testing.assert_close(maps.view(view).float(), expected, rtol=1e-3, atol=1e-4)
    expected = seen(zooms, pictures(samples(2)))
    torch.testing.assert_close(selection.float(), expected, rtol=1e-3, atol=1e-4)
    _, computed = opened(tmp_path, zooms, most=most, keep=False)
    torch.testing.assert_close(computed.float(), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_runs_with_fewer_regions_share_the_maps_and_other_trunks_do_not(tmp_path):
    opened(tmp_path, 1, most=3)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.f16")}
    assert len(made) == 2
    maps, _ = opened(tmp_path, 3, most=3)
    torch.testing.assert_close(maps.view(0).float(), seen(3, pictures(samples(1))), rtol=1e-3, atol=1e-4)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.f16")} == made
    other = network(1)
    with torch.no_grad():
        next(other.trunk.parameters()).add_(0.1)
    opened(tmp_path, 1, most=1, model=other)
    assert len(list(tmp_path.rglob("*.f16"))) == 4


def test_without_keeping_nothing_is_written(tmp_path):
    maps, _ = opened(tmp_path, 1, most=1, keep=False)
    assert maps is None
    assert list(tmp_path.iterdir()) == []


def test_no_selection_samples_are_an_error(tmp_path):
    with pytest.raises(DatasetError, match="choose the epoch"):
        open_maps(
            network(0),
            recipe(0, keep=True),
            PREPROCESSING,
            context(tmp_path),
            train=samples(1),
            selection=samples(2, 0),
            most=0,
        )


def test_digests_tell_states_apart():
    state = {"b": torch.ones(2), "a": torch.zeros(2, 2)}
    assert state_digest(state) == state_digest(dict(reversed(state.items())))
    others = [
        {**state, "b": torch.tensor([1.0, 1.0001])},
        {**state, "a": torch.zeros(4)},
        {**state, "b": torch.ones(2).double()},
        {"c": state["b"], "a": state["a"]},
    ]
    assert len({state_digest(one) for one in [state, *others]}) == 5
