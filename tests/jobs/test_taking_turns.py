"""order.py: people take turns, and each one's own runs keep their order."""

import random

import pytest

from t2v.jobs import order
from t2v.jobs.job import Job


class Line:
    """A queue without a device: ``ask`` and ``draw`` in whatever order."""

    def __init__(self):
        self.jobs, self.round, self.drawn = [], 0, []

    @property
    def waiting(self) -> list[Job]:
        return order.in_order(job for job in self.jobs if job.state == "queued")

    def ask(self, name: str) -> Job:
        job = Job(name, None, visitor=name[0])
        order.join(job, self.jobs, self.round)
        self.jobs.append(job)
        return job

    def draw(self, count: int = 1) -> None:
        for job in self.waiting[:count]:
            job.state, self.round = "done", job.round
            self.drawn.append(job.id)


def asked(*names: str) -> tuple[Line, dict[str, Job]]:
    line = Line()
    return line, {name: line.ask(name) for name in names}


def ids(line: Line) -> str:
    return " ".join(job.id for job in line.waiting)


def test_alone_first_come_first_served():
    line, _ = asked("a1", "a2", "a3")
    line.draw()
    line.ask("a4")
    assert ids(line) == "a2 a3 a4"


def test_people_take_turns():
    line, _ = asked("a1", "a2", "a3", "b1", "b2", "c1")
    assert ids(line) == "a1 b1 c1 a2 b2 a3"


def test_who_comes_late_waits_for_one_run_of_each_other_and_not_for_all():
    line, _ = asked("a1", "a2", "a3", "b1", "b2")
    line.draw(3)  # a1 b1 a2
    line.ask("c1")
    assert ids(line) == "b2 c1 a3"


def test_who_was_served_often_and_comes_again_does_not_wait_longer_than_others():
    line, _ = asked("a1", "a2", "a3", "a4")
    line.draw(4)
    line.ask("a5")
    line.ask("b1")
    line.ask("a6")
    line.ask("b2")
    assert ids(line) == "b1 a5 b2 a6"


@pytest.mark.parametrize(("name", "by", "then"), [
    ("a3", -1, "a1 b1 a3 b2 a2"),
    ("a1", 1, "a2 b1 a1 b2 a3"),
    ("a1", -1, "a1 b1 a2 b2 a3"),
    ("b2", 1, "a1 b1 a2 b2 a3"),
])  # fmt: skip
def test_moving_changes_places_among_ones_own_only(name, by, then):
    line, jobs = asked("a1", "a2", "a3", "b1", "b2")
    moved = order.swap(jobs[name], line.waiting, by)
    assert ids(line) == then
    assert {job.visitor for job in moved} <= {name[0]}


def test_who_leaves_gives_the_place_to_ones_own_next():
    line, jobs = asked("a1", "a2", "a3", "b1", "b2")
    jobs["a1"].state = "stopped"
    moved = order.leave(jobs["a1"], [*line.waiting, jobs["a1"]])
    assert [job.id for job in moved] == ["a2", "a3"]
    assert ids(line) == "a2 b1 a3 b2"
    line.ask("a4")
    assert ids(line) == "a2 b1 a3 b2 a4"


def test_by_chance_nobody_is_drawn_out_of_turn_or_kept_waiting():
    chance = random.Random(0)
    for _ in range(50):
        line, count = Line(), dict.fromkeys("abcd", 0)
        for _ in range(60):
            if chance.random() < 0.6:
                name = chance.choice("aaaabcd")
                count[name] += 1
                line.ask(f"{name}{count[name]}")
            else:
                line.draw()
            for name in "abcd":  # one's first waits for at most one of everybody else, and each round is one
                places = [place for place, job in enumerate(line.waiting) if job.visitor == name]
                assert not places or places[0] <= 2 * 3
        line.draw(1000)
        for name, asked_for in count.items():
            in_turn = [f"{name}{n + 1}" for n in range(asked_for)]
            assert [one for one in line.drawn if one[0] == name] == in_turn
