"""Tables of OpenFace: action units of labelled frames, counted again by hand."""

import pytest

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.reading import read_prediction_table
from fgbench.runs.unit_results import read_au_predictions, read_au_result
from tests.support.outside_work import N_FRAMES, cli, present, score, write_rows

UNITS = ("01", "02", "12")


def row(frame, presences, *, success=1, confidence=0.98):
    """A row of FeatureExtraction of OpenFace 2.2, whose frames count from 1; some columns are left out."""
    return {
        "frame": frame + 1,
        "face_id": 0,
        "timestamp": round(frame / 25, 3),
        "confidence": confidence,
        "success": success,
        "gaze_0_x": 0.1,
        "pose_Tx": 1.5,
        "x_0": 310.2,
        **{f"AU{unit}_r": 5.0 - 5 * value for unit, value in zip(UNITS, presences, strict=True)},
        **{f"AU{unit}_c": float(value) for unit, value in zip(UNITS, presences, strict=True)},
        "AU28_c": 0.0,
    }


def detected(number, frame):
    return ((number + frame // 2) % 2, 1, int(frame % 3 == 0))


def write_tables(folder, clips):
    for clip in clips:
        number = int(clip[1:])
        rows = [
            row(frame, detected(number, frame), success=int(frame != 2))
            for frame in range(N_FRAMES)
            if (number, frame) != (0, 4)
        ]
        write_rows(folder / f"{clip}.csv", rows, before=" " if number else "")


def counted(clips, unit):
    """Hits, detections and presences of a unit, frame by frame; a frame without a row finds nothing."""
    hits = detections = presences = 0
    for clip in clips:
        number = int(clip[1:])
        for frame in range(N_FRAMES):
            truth = present(number, frame).split(",")[unit]
            has_row = frame != 2 and (number, frame) != (0, 4)
            reported = has_row and bool(detected(number, frame)[0 if unit == 0 else 2])
            if truth:
                hits += reported and truth == "1"
                detections += reported
                presences += truth == "1"
    return hits, detections, presences


def test_presences_of_a_folder_of_tables(videos, tmp_path):
    write_tables(tmp_path / "openface", videos.labels)
    scores = score(tmp_path / "openface", videos.work)
    assert scores["classes"] is None
    result = scores["units"]
    assert result["details"]["outside"]["format"] == "openface"
    folder = videos.work / "runs" / "openface" / "0" / "0"
    kept = read_au_predictions(folder)
    assert kept.units == ("au01", "au12")
    assert result["n"] == len(kept.sample_ids) == len(videos.labels) * N_FRAMES
    for context, name in enumerate(kept.units):
        hits, detections, presences = counted(videos.labels, context)
        (reported,) = [unit for unit in result["units"] if unit["name"] == name]
        assert reported["n_positive"] == presences
        assert reported["precision"] == pytest.approx(hits / detections)
        assert reported["recall"] == pytest.approx(hits / presences)
        assert reported["f1"] == pytest.approx(2 * hits / (detections + presences))
    assert result["details"]["outside"]["without_prediction"] == len(videos.labels) + 1
    notes = read_au_result(folder)["details"]["notes"]
    assert "not labelled here, so not scored: au02, au28" in notes
    assert any("15 of 112 frames have no prediction" in note for note in notes)


def test_frames_count_from_one_and_unsure_ones_say_nothing(tmp_path):
    rows = [row(0, (1, 0, 0)), row(1, (0, 1, 1), confidence=0.3), row(2, (1, 1, 1), success=0)]
    prediction_table = read_prediction_table(write_rows(tmp_path / "c000.csv", rows))
    assert prediction_table.format == "openface"
    assert prediction_table.units == ("au01", "au02", "au12", "au28")
    assert [(one.name, one.frame, one.units) for one in prediction_table.rows] == [
        ("c000", 0, (1.0, 0.0, 0.0, 0.0)),
        ("c000", 1, None),
        ("c000", 2, None),
    ]


def test_intensities_are_taken_where_there_are_no_presences(tmp_path):
    rows = [{"frame": 1, "success": 1, "AU01_r": 1.99, "AU12_r": 2.0}]
    prediction_table = read_prediction_table(write_rows(tmp_path / "c000.csv", rows))
    assert prediction_table.rows[0].units == (0.0, 1.0)
    assert prediction_table.notes == ("action units: intensities (AU01_r), present from 2 on",)


@pytest.mark.parametrize(
    ("cell", "message"),
    [("0.5x", "AU01_c is '0.5x', expected a number"), ("7", "AU01_c is 7, expected 0 to 1")],
)
def test_cells_that_are_no_presences(tmp_path, cell, message):
    path = write_rows(tmp_path / "c000.csv", [{"frame": 1, "success": 1, "AU01_c": cell}])
    with pytest.raises(DatasetError, match=message):
        read_prediction_table(path)


def test_frame_zero_is_none_of_openface(tmp_path):
    path = write_rows(tmp_path / "c000.csv", [{"frame": 0, "success": 1, "AU01_c": 1}])
    with pytest.raises(DatasetError, match="frame is '0', expected a whole number from 1 on"):
        read_prediction_table(path)


def test_a_file_that_found_no_face_is_refused(videos, tmp_path):
    """As one of classes without any is: its scores would be those of a detector that finds nothing."""
    clip = min(videos.labels)
    (tmp_path / f"{clip}.csv").write_text("frame, success, AU01_c, AU12_c\n1, 0, 0, 0\n2, 0, 0, 0\n")
    done = cli("score", tmp_path / f"{clip}.csv", "--workdir", videos.work)
    assert done.exit_code == 4
    assert "no row says anything of any of the" in done.stderr
    assert not (videos.work / "runs" / clip).exists()
