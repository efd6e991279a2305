"""The whole way of votes with a real Label Studio server, crashes included; skipped where there is none."""

import pytest

from tests.support.annotate_demo import N_CLIPS, N_KNOWN, walk
from tests.support.label_studio_server import EXECUTABLE, LabelStudio, executable
from tests.support.scripted_annotators import FIVE

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    command = executable()
    if command is None:
        pytest.skip(f"no Label Studio: make .venv-label-studio/installed, or name it in {EXECUTABLE}")
    folder = tmp_path_factory.mktemp("annotate")
    with LabelStudio(command, folder / "server") as server:
        yield walk(server, folder)


def test_answers_of_five_people_are_the_votes(done):
    """Every answer given on the server is one vote, with its class, frame, confidence, time and round."""
    voted = {
        (row["clip"].removesuffix(".mp4"), row["annotator"], int(row["round"])): row for row in done.votes
    }
    assert len(voted) == len(done.votes) == len(done.answered)
    for key, (label, frame, stars) in done.answered.items():
        row = voted[key]
        assert (row["label"], int(row["key_frame"])) == (label, frame)
        assert float(row["confidence"]) == pytest.approx(stars / 5)
        assert float(row["spent_s"]) == 4.5
        assert row["cast_at"].endswith("Z")


def test_nothing_is_lost_and_nothing_twice(done):
    """A push, a pull and an import that are killed leave what was there, and done again add the rest once."""
    facts = done.facts
    assert "cannot be reached" in facts["killed push"]
    assert 0 < facts["sent after the crash"] < N_CLIPS
    assert facts["sent again"] == 0
    assert "cannot be reached" in facts["killed pull"]
    assert facts["votes after the killed pull"]
    assert facts["votes after the killed import"]
    assert facts["pulled 2"].n_added == 0  # the import that was killed after it had written
    for number in (1, 2):
        again = facts[f"pulled {number} again"]
        assert (again.n_added, again.n_updated, again.changed, again.withdrawn) == (0, 0, (), ())
        assert again.n_same == 5 * done.rounds[number - 1]["clips"]


def test_votes_that_are_missing_are_reported(done):
    """A pull while two people have not begun tells whose votes are missing."""
    part = done.facts["part"]
    assert part.n_added == 3 * N_CLIPS
    assert part.missing == {who.name: (0, N_CLIPS) for who in FIVE[3:]}
    assert not done.facts["pulled 1"].missing


def test_settled_clips_are_as_many_as_the_errors_predict(done):
    """The paper's rule settles as many clips as going through all answers of the five says, in each round."""
    assert len(done.rounds) == 2
    for one in done.rounds:
        assert one["low"] <= one["settled"] <= one["high"]
    first, second = done.rounds
    assert first["clips"] == first["settled"] + first["again"]
    assert second["clips"] == first["again"]


def test_each_clip_gets_the_label_on_which_its_answers_agree(done):
    """Counted from the answers that the scripted people gave, round by round, without the code under test."""
    assert done.labels == done.predicted
    assert len(done.labels) == sum(one["settled"] for one in done.rounds)


def test_labels_are_right_as_often_as_the_errors_predict(done):
    """The share of settled clips with the class that was drawn lies within the bounds of the error model."""
    n_right, low, high = done.right
    assert low <= n_right <= high
    assert done.is_predicted


def test_known_answers_test_the_annotators(done):
    """Votes on clips of ``gold.csv``, and right ones, of each annotator, counted from the answers given."""
    told, counted = done.facts["known"]
    assert told == counted
    assert all(n >= N_KNOWN for n, _ in told)


def test_experts_select_frames_on_the_server(done):
    """One selects two of three frames of each clip, another confirms one of these two."""
    tasks, selected = done.facts["frames of anna"]
    assert tasks.clips == selected.clips == len(done.labels)
    assert (selected.frames, selected.is_inspected) == (tasks.frames - tasks.clips, False)
    again, confirmed = done.facts["frames of ben"]
    assert (again.clips, again.frames) == (selected.clips, selected.frames)
    assert (confirmed.frames, confirmed.struck) == (again.frames - again.clips, again.clips)
    assert confirmed.is_inspected
