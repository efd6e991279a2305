"""Tasks on machines that vanish, on a scheduler of the test: none lost or doubled, the right one blamed."""

import pytest

from fgbench.errors import WorkerError
from fgbench.preparation.lost_tasks import LOSSES, MACHINE_LOSSES, Lost, run_on


class Scheduler:
    """Ends one task at a time, the oldest first; ``fate`` tells of each attempt whether it is lost."""

    def __init__(self, fate=lambda task, attempt, alone: None):
        self.fate = fate
        self.attempts = {}
        self.flights = []
        self.most_flying = 0
        self.batches = []

    def submit(self, function, tasks):
        self.batches.append(len(tasks))
        handles = []
        for task in tasks:
            self.flights.append((function, task))
            handles.append(len(self.flights) - 1)
        return handles

    def ended(self, flying):
        self.most_flying = max(self.most_flying, len(flying))
        self.alone = len(flying) == 1
        return [min(flying)]

    def result(self, handle):
        function, task = self.flights[handle]
        self.attempts[task] = self.attempts.get(task, 0) + 1
        lost = self.fate(task, self.attempts[task], self.alone)
        return lost if lost is not None else function(task)


def done(scheduler, tasks, most=3, **options):
    return list(run_on(scheduler, lambda task: 10 * task, tasks, most=lambda: most, **options))


def test_all_tasks_are_done_with_no_more_in_flight_than_allowed():
    scheduler = Scheduler()
    assert sorted(done(scheduler, range(20), most=4)) == [10 * number for number in range(20)]
    assert scheduler.most_flying == 4
    assert done(Scheduler(), []) == []


def test_a_task_that_goes_with_its_machine_is_submitted_again_and_never_blamed():
    scheduler = Scheduler(
        lambda task, n, alone: Lost("went", with_machine=True) if n <= 9 and task == 2 else None
    )
    assert sorted(done(scheduler, range(5), after_death=None)) == [0, 10, 20, 30, 40]
    assert scheduler.attempts == {0: 1, 1: 1, 2: 10, 3: 1, 4: 1}


def test_a_task_whose_machines_always_vanish_ends_the_run():
    scheduler = Scheduler(lambda task, n, alone: Lost("went", with_machine=True))
    with pytest.raises(WorkerError, match=f"it went, {MACHINE_LOSSES + 1} times"):
        done(scheduler, [1])


def test_a_deadly_task_is_tried_alone_and_then_given_up_for_another():
    alone_at, deaths = [], []

    def fate(task, attempt, alone):
        if task != 3:
            return None
        alone_at.append(alone)
        return Lost("was killed", with_machine=False)

    def after_death(task, cause):
        deaths.append((task, cause))
        return 33

    scheduler = Scheduler(fate)
    assert sorted(done(scheduler, range(8), after_death=after_death)) == [0, 10, 20, 40, 50, 60, 70, 330]
    assert deaths == [(3, "was killed")]
    assert scheduler.attempts[3] == LOSSES + 1
    assert alone_at[-1]


def test_a_task_that_only_dies_beside_others_is_done_alone():
    scheduler = Scheduler(
        lambda task, n, alone: Lost("died", with_machine=False) if task == 1 and not alone else None
    )
    assert sorted(done(scheduler, range(4), after_death=lambda task, cause: 1 / 0)) == [0, 10, 20, 30]


def test_without_a_remedy_a_deadly_task_ends_the_run():
    scheduler = Scheduler(
        lambda task, n, alone: Lost("was killed", with_machine=False) if task == 1 else None
    )
    with pytest.raises(WorkerError, match="a worker died again and again: it was killed"):
        done(scheduler, range(4))


def test_errors_of_the_function_come_through():
    def fails(task):
        raise ZeroDivisionError(task)

    with pytest.raises(ZeroDivisionError):
        list(run_on(Scheduler(), fails, [1], most=lambda: 1))


def test_the_number_in_flight_follows_the_cluster():
    sizes = iter([1, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4])
    scheduler = Scheduler()
    assert len(list(run_on(scheduler, abs, range(9), most=lambda: next(sizes)))) == 9
    assert scheduler.batches[:3] == [1, 1, 4]
