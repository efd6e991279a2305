"""``import fgbench``: names, a data set from files to scores, single pictures, features."""

import inspect
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import skimage.data
from PIL import Image
from sklearn.metrics import recall_score

import fgbench
from fgbench.api.faces import as_frame
from fgbench.api.runs import SYNTHETIC
from fgbench.media.images import decode
from fgbench.runs.unit_results import AuPredictions, write_au_run
from fgbench.synthetic.clip import draw_clip, truth, write_video
from fgbench.synthetic.plan import ClipPlan, SynthOptions
from tests.support.page_folders import write_data

CLASSES = ("anger", "panic", "relief")

SIGNATURES = {
    "align": "(picture, *, settings)",
    "align_all": "(picture, *, settings)",
    "compare": "(first, second)",
    "dense_trajectories": "(video, *, max_side_px)",
    "lbp": "(faces, *, settings)",
    "load": "(run, workdir, *, device)",
    "open": "(workdir)",
    "prepare": "(data, recipe, *, settings, workdir, jobs, force, progress)",
    "score": "(predictions, labels, *, clusters, classes, level)",
}
"""What users' programs rely on: a change here breaks them, and needs an entry in CHANGELOG.md."""

MEMBERS = {
    "Work": (
        "classes clips faces images is_synthetic name rejects run runs train",
        "(self, method, recipe, *, settings, device, seed, seeds, fold, weights, jobs, resume, force, "
        "progress)",
    ),
    "Run": (
        "classes confusion is_synthetic network of per_class predictions scores settings compared_with",
        None,
    ),
    "UnitRun": ("is_synthetic mean_f1 network scores", None),
    "Network": ("classes is_units name predict predict_all probabilities", None),
    "Prediction": (
        "box_xyxy is_units label message n_faces n_frames n_people path probabilities status units upper",
        None,
    ),
    "Face": (
        "box_xyxy chip landmarks n_faces pitch_deg quality roll_deg score status transform yaw_deg",
        None,
    ),
    "Images": ("count index labels", None),
    "Scored": ("classes confusion counts labels n_clusters per_class scores", None),
    "Compared": ("difference first high low n p second", None),
}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A prepared set of three classes and eight people, drawn, as somebody would bring it."""
    folder = tmp_path_factory.mktemp("api")
    options = SynthOptions(width=320, height=240, min_duration_s=0.5, max_duration_s=0.6)
    lines = ["clip,label,subject,key_frame"]
    (folder / "drawn" / "videos").mkdir(parents=True)
    for number, label in enumerate(CLASSES * 8):
        plan = ClipPlan(label, number // len(CLASSES), 0)
        clip = draw_clip(plan, options)
        write_video(folder / "drawn" / "videos" / f"c{number:02d}.mp4", clip, options)
        key_frame = truth(clip)["is_key_frame"].to_pylist().index(True)
        lines.append(f"c{number:02d},{label},{plan.subject_id},{key_frame}")
    (folder / "drawn" / "annotations.csv").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield fgbench.prepare(folder / "drawn", jobs=2, progress=False)


def short(function):
    """A signature without types and defaults."""
    parts, has_star = [], False
    for name, one in inspect.signature(function).parameters.items():
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not has_star:
            parts.append("*")
            has_star = True
        parts.append(name)
    return f"({', '.join(parts)})"


def test_the_names_and_signatures_are_those_that_programs_rely_on():
    functions = {name: short(getattr(fgbench, name)) for name in SIGNATURES}
    assert functions == SIGNATURES
    for name, (members, train) in MEMBERS.items():
        kind = getattr(fgbench, name)
        own = {member for member in dir(kind) if not member.startswith("_")}
        own |= {member for member in getattr(kind, "__annotations__", {}) if not member.startswith("_")}
        assert own == set(members.split()), name
        if train is not None:
            assert short(kind.train) == train
    rest = {"FgbenchError", "__version__"}
    assert set(fgbench.__all__) == {*SIGNATURES, *MEMBERS, *rest}
    assert set(fgbench.__all__) <= set(dir(fgbench))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        fgbench.trian  # noqa: B018


def test_the_stub_names_what_the_module_has():
    stub = inspect.getsourcefile(fgbench) + "i"
    text = open(stub, encoding="utf-8").read()  # noqa: SIM115, PTH123
    listed = text[text.index("__all__ = [") :].split("]")[0].split('"')[1::2]
    assert set(listed) == set(fgbench.__all__)


def test_nothing_heavy_is_imported_before_it_is_asked_for():
    program = (
        "import sys, fgbench\n"
        "dir(fgbench), fgbench.__version__\n"
        "heavy = {'numpy', 'pandas', 'cv2', 'av', 'dlib', 'pyarrow', 'pydantic', 'torch', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_work_folder_shows_its_tables(work):
    manifests = work.path / "manifests"
    clips = pq.read_table(manifests / "clips.parquet")
    assert work.classes == CLASSES
    assert len(work.clips) == clips.num_rows == 24
    assert work.clips["label"].tolist() == clips.column("label").to_pylist()
    rows = [pq.read_table(path) for path in sorted((manifests / "faces").glob("*.parquet"))]
    test_clips = set(work.clips.loc[work.clips["split"] == "test", "clip_id"])
    expected = [one for table in rows for one in table.column("clip_id").to_pylist() if one in test_clips]
    faces = work.faces("test")
    assert faces["clip_id"].tolist() == expected
    assert "image" not in faces
    assert set(faces["label"]) <= set(CLASSES)
    only = work.faces(columns=["status"])
    assert list(only) == ["status", "label", "split"]
    assert len(only) == sum(table.num_rows for table in rows)
    assert repr(work).startswith("<Work ")
    assert "24 clips" in repr(work)
    assert "<table" in work._repr_html_()


@pytest.mark.slow
def test_pictures_are_those_of_the_manifests(work):
    stored = [
        row
        for part in ("train", "val", "test")
        for path in sorted((work.path / "manifests/images").glob(f"{part}-*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    originals = [row for row in stored if row["parent_id"] is None]
    images = work.images()
    assert len(images) == len(originals)
    assert len(work.images(copies=True)) == len(stored)
    assert images.table["image_id"].tolist() == [row["image_id"] for row in originals]
    assert images.labels == [row["label"] for row in originals]
    for number in (0, len(images) - 1, len(images) // 2, -1):
        np.testing.assert_array_equal(images[number], decode(originals[number]["image"]["bytes"]))
    assert [one.shape for one in images[:2]] == [(224, 224, 3)] * 2
    assert sum(1 for _ in work.images("test")) == len(work.images("test")) > 0
    with pytest.raises(IndexError):
        images[len(images)]
    for part_of in (work.images, work.faces):
        with pytest.raises(fgbench.FgbenchError, match="part 'dev', expected one of train, val, test"):
            part_of("dev")
    assert work.faces("test", columns="status").columns.tolist() == ["status", "label", "split"]
    with pytest.raises(fgbench.FgbenchError, match="no column 'statue'"):
        work.faces("test", columns=["statue"])


@pytest.mark.slow
def test_a_method_is_run_and_its_scores_are_those_of_its_predictions(work, caplog):
    with caplog.at_level(logging.INFO, logger="fgbench"):
        run = work.train("lbp-svm", progress=False)
    assert any("lbp-svm on " in line for line in caplog.messages)
    table = run.predictions
    right = recall_score(
        table["label"], table["predicted"].fillna("none"), labels=CLASSES, average=None, zero_division=0
    )
    there = [label in set(table["label"]) for label in CLASSES]
    assert run.scores.loc["uar", "mean"] == pytest.approx(right[there].mean())
    assert run.scores.loc["war", "mean"] == pytest.approx((table["label"] == table["predicted"]).mean())
    assert run.per_class.loc[list(np.array(CLASSES)[there]), "recall"].tolist() == pytest.approx(
        right[there].tolist()
    )
    assert run.confusion.to_numpy().sum() == len(table) == len(work.images("test"))
    assert np.diagonal(run.confusion[list(CLASSES)]).sum() == (table["label"] == table["predicted"]).sum()
    shares = table[[f"p({name})" for name in CLASSES]]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert run.settings["name"] == "lbp-svm"
    assert not run.is_synthetic
    assert "SYNTHETIC" not in repr(run)
    assert work.run("lbp-svm").name == "lbp-svm"
    assert [one.name for one in work.runs if isinstance(one, fgbench.Run)][:1] == ["lbp-svm"]
    again = work.train("lbp-svm", progress=False)
    assert again.folders == run.folders


@pytest.mark.slow
def test_the_lines_of_the_readme_run(work, monkeypatch):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(import fgbench\n.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(work.path.absolute().parents[2])
    names: dict[str, object] = {}
    exec(
        lines.replace('"my-clips"', '"drawn"').replace("my-clips/videos/a.mp4", "drawn/videos/c00.mp4"), names
    )
    assert len(names["faces"]) == len(names["labels"]) == len(work.images("test"))
    assert names["run"].scores.shape == (3, 4)
    assert names["face"] is not None


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "I;16", "turned"])
def test_a_picture_of_pillow_is_taken_as_its_file_is(tmp_path, mode):
    """Of any mode: grey of 16 bits, transparent where the file is, and turned as its EXIF data say."""
    ramp = np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3)
    exif = Image.Exif()
    if mode == "I;16":
        picture = Image.fromarray((ramp[..., 0] * 4).astype(np.uint16))
    else:
        picture = Image.fromarray((ramp % 256).astype(np.uint8)).convert("RGB" if mode == "turned" else mode)
    if mode == "RGBA":
        picture.putalpha(0)
    if mode == "turned":
        exif[0x0112] = 6
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(path, exif=exif)
    with Image.open(path) as opened:
        found = as_frame(opened).rgb()
    np.testing.assert_array_equal(found, as_frame(path).rgb())
    assert found.shape == ((80, 60, 3) if mode == "turned" else (60, 80, 3))
    assert (found == 255).all() == (mode == "RGBA")


@pytest.mark.slow
def test_threads_search_faces_at_the_same_time(tmp_path):
    """In a process of its own, which detectors that share their memory would end."""
    picture = np.full((300, 300, 3), 128, np.uint8)
    picture[40:264, 40:264] = cv2.resize(skimage.data.astronaut()[0:250, 110:360], (224, 224))
    np.save(tmp_path / "face.npy", picture)
    script = (
        "import threading, numpy, fgbench\n"
        f"picture, found = numpy.load({str(tmp_path / 'face.npy')!r}), []\n"
        "alone = fgbench.align(picture).landmarks\n"
        "def search():\n"
        "    found.extend(fgbench.align(picture).landmarks for _ in range(5))\n"
        "threads = [threading.Thread(target=search) for _ in range(6)]\n"
        "for one in threads: one.start()\n"
        "for one in threads: one.join()\n"
        "print(len(found), all(numpy.array_equal(one, alone) for one in found))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "30 True\n"), done.stderr


def test_a_picture_is_the_right_one_while_another_thread_reads_others(tmp_path):
    write_data(tmp_path, clips={"train": 1, "test": 1}, images_per_clip=1, copies={})

    class Shared(fgbench.Images):
        """Pictures of which another thread reads those of the other part after every look at what is held."""

        held: tuple[int, list[bytes]] = (-1, [])

        @property
        def _read(self):
            now = self.held
            self.held = 1 - now[0], self._encoded(1 - now[0]) if now[1] else []
            return now

        @_read.setter
        def _read(self, value):
            self.held = value

    expected = list(fgbench.open(tmp_path).images())
    assert not np.array_equal(*expected)
    images = Shared(tmp_path / "manifests")
    for place in (0, 0, 1, 1, 0):
        np.testing.assert_array_equal(images[place], expected[place])


def test_runs_of_action_units(tmp_path, caplog):
    """Of two seeds: in the list, by name, and what their names have to tell."""
    write_data(tmp_path, clips={"train": 2, "test": 2}, images_per_clip=1, copies={})
    found = AuPredictions(
        units=("au01", "au12"),
        sample_ids=["a", "b"],
        clip_ids=["a", "b"],
        subject_ids=["p", "q"],
        labels=np.array([[1, 1], [-1, -1]], np.int8),
        probabilities=np.array([[0.9, 0.6], [0.2, 0.7]], np.float32),
    )
    details = {"dataset": "faces", "synthetic": True, "recipe": "au", "manifest_digest": "ab" * 32}
    for seed in (0, 1):
        folder = tmp_path / f"runs/au/0/{seed}"
        write_au_run(folder, found, config={"name": "au"}, device="cpu", details=details)
    work = fgbench.open(tmp_path)
    assert [run.name for run in work.runs] == ["au/0/0", "au/0/1"]
    run = work.run("au/0/1")
    assert run.scores.index.tolist() == ["au01", "au12"]
    assert run.scores.loc["au01", "f1"] == 1.0
    assert run.mean_f1 == pytest.approx(5 / 6)
    assert repr(run) == f"<UnitRun au/0/1: mean F1 0.833 over 2 action units; {SYNTHETIC}>"
    with pytest.raises(fgbench.FgbenchError, match="au is 2 runs of action units, expected one"):
        work.run("au")
    (tmp_path / "runs/au/0/1/au_result.json").write_text("{")
    assert [run.name for run in work.runs] == ["au/0/0"]
    assert "runs/au/0/1 is left out: " in caplog.text
    shutil.rmtree(tmp_path / "runs/au/0/1")
    assert work.run("au").name == "au/0/0"


@pytest.mark.slow
def test_a_method_that_there_is_not(work):
    with pytest.raises(fgbench.FgbenchError, match="no method 'lbp-smv', did you mean 'lbp-svm'"):
        work.train("lbp-smv")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"method": None}, "no method None"),
        ({"seed": -1}, "seed -1, expected a whole number from 0 on"),
        ({"seed": "1"}, "seed '1', expected"),
        ({"seeds": 0}, "seeds 0, expected a whole number from 1 on"),
        ({"jobs": 0}, "jobs 0, expected"),
    ],
)
def test_a_run_that_cannot_be(tmp_path, more, message):
    write_data(tmp_path, clips={"train": 1}, images_per_clip=1, copies={})
    with pytest.raises(fgbench.FgbenchError, match=message):
        fgbench.open(tmp_path).train(**{"method": "lbp-svm", **more})


def test_a_package_that_a_method_needs_is_named(tmp_path):
    write_data(tmp_path, clips={"train": 1}, images_per_clip=1, copies={})
    script = (
        "import sys, fgbench\n"
        "sys.modules['torch'] = None\n"
        "for method in ('msau', 'au', 'tmsau'):\n"
        "    try:\n"
        f"        fgbench.open({str(tmp_path)!r}).train(method, method, progress=False)\n"
        "    except fgbench.FgbenchError as error:\n"
        "        print(error.message, '|', error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        f"{method} needs a package that is not installed (torch) | pip install 'fgbench[train]'"
        for method in ("msau", "au", "tmsau")
    ], done.stderr


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(fgbench.FgbenchError, match="fgbench prepare"):
        fgbench.open(tmp_path)


def test_faces_of_a_photograph(tmp_path):
    picture = skimage.data.astronaut()
    face = fgbench.align(picture)
    assert face is not None
    assert face.chip.shape == (224, 224, 3)
    assert face.landmarks.shape == (68, 2)
    x0, y0, x1, y1 = face.box_xyxy
    assert 150 < x0 < x1 < 300
    assert 50 < y0 < y1 < 250
    ends = np.c_[face.landmarks, np.ones(68)] @ face.transform.T  # all landmarks lie within the chip
    assert (ends > 0).all()
    assert (ends < 224).all()
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    np.testing.assert_array_equal(fgbench.align(path).chip, face.chip)
    assert fgbench.align(np.zeros((200, 200), np.uint8)) is None
    two = np.hstack([picture[:, :400], picture[:, :400]])
    assert len(fgbench.align_all(two)) == 2
    assert cv2.imdecode(np.frombuffer(face._repr_png_(), np.uint8), cv2.IMREAD_COLOR).shape == (224, 224, 3)
    with pytest.raises(fgbench.FgbenchError, match=r"shape \(4, 4, 4\) and type float64, expected uint8"):
        fgbench.align(np.zeros((4, 4, 4)))


@pytest.mark.slow
def test_lbp_is_that_of_the_manifests(work):
    """Of a described face; of aligned pictures without a description the grid covers all."""
    faces = work.faces("test", columns=["clip_id", "frame_index", "landmarks", "transform", "status", "role"])
    usable = faces[(faces["status"] == "ok") & faces["role"].isin(["image", "both"])]
    images = work.images("test")
    stored = {
        row["image_id"]: row["lbp"]
        for path in sorted((work.path / "manifests/features/lbp").glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    }
    first = images.table.iloc[0]
    row = usable[
        (usable["clip_id"] == first["clip_id"]) & (usable["frame_index"] == first["frame_index"])
    ].iloc[0]
    known = fgbench.Face(
        chip=images[0],
        landmarks=np.reshape(row["landmarks"], (68, 2)).astype(np.float32),
        transform=np.reshape(row["transform"], (2, 3)).astype(np.float64),
        box_xyxy=np.zeros(4, np.float32),
        score=1.0,
        quality=1.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        status="ok",
        n_faces=1,
    )
    np.testing.assert_array_equal(fgbench.lbp(known), np.array(stored[first["image_id"]], np.float32))
    whole = fgbench.lbp(images[:3])
    assert whole.shape == (3, 42 * 59)
    np.testing.assert_allclose(whole.reshape(3, 42, 59).sum(axis=2), 1, atol=1e-5)
    assert not np.array_equal(whole[0], fgbench.lbp(known))
    with pytest.raises(fgbench.FgbenchError, match="expected grey uint8"):
        fgbench.lbp([np.zeros((224, 224, 3), np.float32)])


def test_lbp_of_what_are_no_faces():
    assert fgbench.lbp([]).shape == (0, 42 * 59)
    with pytest.raises(fgbench.FgbenchError, match="None is among the faces"):
        fgbench.lbp([np.zeros((224, 224), np.uint8), None])
    with pytest.raises(fgbench.FgbenchError, match="None is no face"):
        fgbench.lbp(None)
    with pytest.raises(fgbench.FgbenchError, match=r"'a\.png' is no face"):
        fgbench.lbp("a.png")


def test_probabilities_of_faces_and_of_what_are_none(tmp_path):
    pytest.importorskip("torch")
    from tests.support.tiny_runs import write_tiny_weights

    network = fgbench.load(write_tiny_weights(tmp_path / "tiny.safetensors"), device="cpu")
    chip = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    face = fgbench.Face(
        chip=chip,
        landmarks=np.zeros((68, 2), np.float32),
        transform=np.eye(2, 3),
        box_xyxy=np.zeros(4, np.float32),
        score=1.0,
        quality=1.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        status="ok",
        n_faces=1,
    )
    expected = network.probabilities(chip[None])
    assert expected.shape == (1, 33)
    for given in (chip, face, [face], [chip], np.asfortranarray(chip)):
        assert network.probabilities(given).equals(expected)
    assert network.probabilities([]).shape == (0, 33)
    for given, message in (
        ([face, None], "None is among the faces"),
        ([chip, chip[:9]], "faces of several shapes"),
        (chip[:9], r"faces of shape \(1, 9, 224, 3\)"),
    ):
        with pytest.raises(fgbench.FgbenchError, match=message):
            network.probabilities(given)


@pytest.mark.slow
def test_dense_trajectories_of_a_video_are_those_of_its_frames(work):
    from fgbench.features.dense_trajectories import dense_trajectories
    from fgbench.media.video import open_video

    path = work.path.absolute().parents[2] / "drawn" / work.clips["path"][0]
    with pytest.raises(fgbench.FgbenchError, match="longer side of -1 px"):
        fgbench.dense_trajectories(path, max_side_px=-1)
    found = fgbench.dense_trajectories(path)
    with open_video(path) as reader:
        expected = dense_trajectories(frame.rgb() for frame in reader.frames())
    np.testing.assert_array_equal(found.end_frame, expected.end_frame)
    np.testing.assert_array_equal(found.mbhx, expected.mbhx)
