"""The loop: threads work, one thread handles, a waiting result can be flushed, a fault is not swallowed."""

import threading

import pytest

from core.background.batches import Loop


@pytest.mark.parametrize("threads", [0, 4])
def test_every_result_is_handled_once_and_in_our_thread(threads):
    loop, handled, handlers = Loop(threads), [], set()

    def handle(values):
        handlers.add(threading.current_thread())
        handled.extend(values)

    for number in range(50):
        loop.spawn(lambda number=number: number, handle)
    loop.run()
    assert sorted(handled) == list(range(50))
    assert handlers == {threading.current_thread()}


@pytest.mark.parametrize("threads", [0, 4])
def test_a_handler_may_start_more_work(threads):
    loop, seen = Loop(threads), []

    def again(values):
        for value in values:
            seen.append(value)
            if value < 3:
                loop.spawn(lambda value=value: value + 1, again)

    loop.spawn(lambda: 0, again)
    loop.run()
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [0, 4])
def test_what_was_emitted_before_the_end_can_be_flushed_first(threads):
    loop, story = Loop(threads), []

    def record(values):
        story.extend(values)

    def ended(values):
        loop.flush(record)
        story.extend(values)

    def work():
        loop.emit(record, "result")
        return "end"

    loop.spawn(work, ended)
    loop.run()
    assert story == ["result", "end"]


@pytest.mark.parametrize("threads", [0, 4])
def test_a_fault_in_work_ends_the_run(threads):
    loop = Loop(threads)
    loop.spawn(lambda: 1 / 0, list)
    with pytest.raises(ZeroDivisionError):
        loop.run()
