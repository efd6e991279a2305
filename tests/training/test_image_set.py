"""What is loaded is what is stored, in the order asked for; what cannot be loaded is named."""

import numpy as np
import pytest
import torch

from fgbench.errors import ManifestError, MediaError
from fgbench.inputs.image_set import (
    class_targets,
    decode_all,
    load_images,
    open_image_set,
    open_source,
)
from fgbench.inputs.manifest_pictures import find_frames, find_images, image_ids
from fgbench.inputs.resident import Resident
from fgbench.inputs.streaming import Streamed
from fgbench.media.images import decode
from fgbench.runs.frames import usable_frames
from fgbench.runs.samples import Sample
from fgbench.taxonomy import UnknownLabelError, basics, leaves
from tests.support.tiny_manifests import encoded, image_row, picture, write_faces, write_images

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manifests")
    write_images(folder, [image_row(number) for number in range(31)])
    return folder


def stored_picture(number, side=224):
    """What another decoding gives, (3, H, W)."""
    return decode(encoded(number, side)).transpose(2, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 3])
def test_images_come_in_the_order_asked_for(manifests, jobs):
    numbers = np.random.default_rng(0).permutation(31)[:20].tolist()
    images = load_images(manifests, [image_row(number)["image_id"] for number in numbers], jobs=jobs)
    assert images.shape == (20, 3, 224, 224)
    assert images.dtype == torch.uint8
    np.testing.assert_array_equal(images.numpy(), np.stack([stored_picture(number) for number in numbers]))


def test_progress_ends_with_all(manifests):
    messages = []
    stored = find_images(manifests, sorted(image_ids(manifests)))
    decode_all(stored, device=CPU, jobs=2, progress=lambda *what: messages.append(what))
    assert [name for name, _, _ in messages] == ["decode"] * len(stored.units)
    assert messages[-1] == ("decode", 31, 31)
    assert [done for _, done, _ in messages] == sorted(done for _, done, _ in messages)


def test_nothing_asked_for_gives_nothing(manifests):
    assert load_images(manifests, []).shape == (0, 3, 224, 224)


def test_a_sample_without_picture_is_named(manifests):
    with pytest.raises(ManifestError, match=r"1 of 2 samples have no picture .*'nobody'"):
        load_images(manifests, [image_row(3)["image_id"], "nobody"])
    with pytest.raises(ValueError, match="twice"):
        load_images(manifests, [image_row(3)["image_id"]] * 2)
    with pytest.raises(ManifestError, match="missing"):
        load_images(manifests / "other", ["nobody"])


def test_a_picture_of_another_size_is_named(tmp_path):
    names = write_images(tmp_path, [image_row(0), image_row(1, data=encoded(1, side=160))])
    with pytest.raises(
        MediaError, match=rf"{names[1]} is 160 x 160 px, expected 224 x 224\n.*chip_size"
    ) as error:
        load_images(tmp_path, names, jobs=2)
    assert error.value.reason == "wrong_size"


@pytest.mark.parametrize(
    "data", [b"", b"no picture", encoded(1)[:40], encoded(1)[:-9], encoded(1, kind="png")[:-9]]
)
def test_a_picture_that_cannot_be_decoded_is_named(tmp_path, data):
    names = write_images(tmp_path, [image_row(0), image_row(1, data=data)])
    with pytest.raises(MediaError, match=f"image {names[1]} are not a whole picture") as error:
        load_images(tmp_path, names)
    assert error.value.reason == "unreadable_image"


def test_a_damaged_table_is_named(tmp_path):
    names = write_images(tmp_path, [image_row(number) for number in range(6)], files=1)
    path = tmp_path / "images" / "train-00000.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ManifestError, match=r"train-00000\.parquet is damaged"):
        load_images(tmp_path, names)


def test_png_is_read_too(tmp_path):
    names = write_images(tmp_path, [image_row(4, data=encoded(4, kind="png"))])
    np.testing.assert_array_equal(load_images(tmp_path, names)[0].numpy(), picture(4).transpose(2, 0, 1))


def face_row(clip, frame, status="ok", number=None):
    row = {"clip_id": clip, "frame_index": frame, "role": "video", "status": status}
    return row if number is None else {**row, "image": {"bytes": encoded(number), "path": "x.jpg"}}


def load_frames(manifests, frames):
    return decode_all(find_frames(manifests, frames), device=torch.device("cpu"), jobs=1)


def test_faces_of_frames_are_found_by_clip_and_number(tmp_path):
    rows = [
        face_row("b", 2, number=0),
        face_row("b", 3, status="no_face"),
        face_row("b", 4, status="large_pose", number=1),
        face_row("a", 2, number=2),
    ]
    write_faces(tmp_path, rows)
    assert usable_frames(tmp_path) == {("a", 2), ("b", 2)}
    images = load_frames(tmp_path, [("a", 2), ("b", 4), ("b", 2)])
    np.testing.assert_array_equal(images.numpy(), np.stack([stored_picture(number) for number in (2, 1, 0)]))
    with pytest.raises(ManifestError, match="b-f00003 has no picture"):
        load_frames(tmp_path, [("b", 3)])
    with pytest.raises(ManifestError, match="'b-f00009'"):
        load_frames(tmp_path, [("b", 9)])


def test_an_image_set_has_classes_of_both_levels(manifests):
    labels = [item.name for item in leaves()][:31]
    samples = [
        Sample(
            sample_id=image_row(number)["image_id"],
            clip_id=image_row(number)["clip_id"],
            subject_id=None,
            label=labels[number],
            part="train",
        )
        for number in range(31)
    ]
    image_set = open_image_set(manifests, samples[::-1], device=CPU, resident_mb=100, jobs=1)
    assert len(image_set) == len(image_set.images) == 31
    assert image_set.labels.tolist() == list(range(31))[::-1]
    upper = {item.name: basics().index(item.basic) for item in leaves()}
    assert image_set.basic.tolist() == [upper[label] for label in labels[::-1]]
    assert image_set.clip_ids[-1] == "clip000"
    batches = list(image_set.images.batches(epoch=0, seed=0, batch=8, shuffle=False))
    assert [image_set.sample_ids[index] for index in batches[0].index] == [
        s.sample_id for s in samples[::-1][:8]
    ]
    np.testing.assert_array_equal(batches[0].images[0].numpy(), stored_picture(30))


def test_unknown_classes_are_refused():
    with pytest.raises(UnknownLabelError, match="angerr"):
        class_targets(["anger", "angerr"])


def test_what_does_not_fit_is_streamed(manifests):
    stored = find_images(manifests, sorted(image_ids(manifests)))
    # 31 faces take 4.45 MiB.
    assert isinstance(open_source(stored, device=CPU, resident_mb=5, jobs=1), Resident)
    assert isinstance(open_source(stored, device=CPU, resident_mb=4, jobs=1), Streamed)
