"""The pace, on a clock of its own: no second above the limit, none wasted, and what a 429 does."""

import asyncio
import random
from collections.abc import Callable

import pytest

from extractor.pace import Pace


class Clock:
    """Time that passes when someone sleeps; `lateness` is how late a sleeper wakes."""

    def __init__(self, lateness: Callable[[], float] = lambda: 0.0) -> None:
        self.now = 1000.0
        self._lateness = lateness

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + self._lateness()
        await asyncio.sleep(0)


def starts(pace: Pace, clock: Clock, count: int, work: Callable[[int], float] = lambda _: 0.0) -> list[float]:
    """When `count` requests start, with `work(n)` seconds in which the loop stands still after each."""

    async def ask() -> list[float]:
        times = []
        for number in range(count):
            times.append(await pace.turn())
            clock.now += work(number)
        return times

    return asyncio.run(ask())


def most_in_a_second(times: list[float]) -> int:
    most = first = 0
    for last, moment in enumerate(times):
        while times[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("rate", [1, 4, 7.5, 40, 200, 1000])
def test_the_limit_holds_in_any_second_and_is_used(rate: float) -> None:
    random.seed(1)
    clock = Clock(lambda: random.uniform(0, 0.003))  # a loop wakes late
    count = int(rate * 60)
    times = starts(Pace(rate, clock=clock, sleep=clock.sleep), clock, count)
    assert most_in_a_second(times) <= max(rate * 1.1, 1)
    assert times[-1] - times[0] <= 1.03 * count / rate


def test_it_starts_evenly_without_a_burst() -> None:
    clock = Clock()
    times = starts(Pace(40, clock=clock, sleep=clock.sleep), clock, 80)
    assert most_in_a_second(times[:41]) <= 41
    assert times[1] - times[0] == pytest.approx(1 / 40)


def test_a_stall_is_caught_up_within_the_limit() -> None:
    clock = Clock()
    pace = Pace(40, clock=clock, sleep=clock.sleep)
    times = starts(pace, clock, 2400, lambda number: 0.5 if number % 400 == 200 else 0.0)
    assert most_in_a_second(times) <= 44
    assert times[-1] - times[0] <= 1.03 * 2400 / 40


def test_a_long_pause_is_not_caught_up() -> None:
    clock = Clock()
    pace = Pace(40, clock=clock, sleep=clock.sleep)
    times = starts(pace, clock, 1000, lambda number: 30.0 if number == 100 else 0.0)
    assert most_in_a_second(times) <= 44
    assert times[-1] - times[0] >= 30 + (1000 - 40 * 2) / 42


def test_after_a_429_nobody_gets_a_turn_until_the_time_the_server_named() -> None:
    clock = Clock()
    pace = Pace(40, clock=clock, sleep=clock.sleep)
    before = starts(pace, clock, 40)
    pace.throttled(before[-1], 7.0)
    said = clock.now
    after = starts(pace, clock, 400)
    assert after[0] >= said + 7.0
    # then at half the rate, and within ten seconds or so at the full one again
    assert sum(moment < after[0] + 1 for moment in after) <= 24
    assert sum(after[-1] - 1 < moment for moment in after) >= 38


def test_answers_to_requests_under_way_do_not_cut_again() -> None:
    clock = Clock()
    pace = Pace(40, clock=clock, sleep=clock.sleep)
    times = starts(pace, clock, 20)
    for started in times[-10:]:
        pace.throttled(started, 1.0)
    assert pace.current(clock.now) == pytest.approx(20)
    pace.throttled(times[-1], 5.0)  # but a longer pause counts
    assert starts(pace, clock, 1)[0] >= clock.now - 0.001 >= times[-1] + 5.0 - 0.001


def test_a_server_that_keeps_saying_429_without_a_time_is_left_alone_longer_and_longer() -> None:
    clock = Clock()
    pace = Pace(40, clock=clock, sleep=clock.sleep, jitter=lambda: 1.0)
    pauses = []
    for _ in range(8):
        (started,) = starts(pace, clock, 1)
        said = clock.now
        pace.throttled(started, None)
        (resumed,) = starts(pace, clock, 1)
        pauses.append(resumed - said)
        clock.now += 0.01
        pace.throttled(resumed, None)
    assert pauses[0] < 1 and max(pauses) <= 30.0 + 1
    assert pauses == sorted(pauses) and pauses[-1] >= 29
    assert pace.current(clock.now) >= 40 / 16 - 0.001


def test_turns_are_given_in_the_order_they_were_asked_for() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock, sleep=clock.sleep)
    order: list[int] = []

    async def ask(number: int) -> None:
        await pace.turn()
        order.append(number)

    async def all_at_once() -> None:
        await asyncio.gather(*(ask(number) for number in range(30)))

    asyncio.run(all_at_once())
    assert order == list(range(30))
