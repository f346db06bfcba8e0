"""Threads in our hands: each moves when told to, from one HTTP call to the next, in an order of chance."""

import threading

from core.background.batches import Loop

_here = threading.local()


class Lane:
    """A thread that stands still, either before its work or at a call whose answer it waits for."""

    def __init__(self, work):
        self.call = self.answer = None
        self.ended = False
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=[work], daemon=True)
        self._thread.start()

    def step(self):
        """Let it run to its next call, or to its end."""
        self._go.release()
        self._stands.acquire()

    def wait_for(self, call):
        """From the thread: `call()` is made by the loop in its turn. Returns or raises what it gives."""
        self.call = call
        self._stands.release()
        self._go.acquire()
        (answer, error), self.call, self.answer = self.answer, None, None
        if error is not None:
            raise error
        return answer

    def _run(self, work):
        self._go.acquire()
        _here.lane = self
        try:
            work()
        finally:
            self.ended = True
            self._stands.release()


def through_lane(call):
    """Make an HTTP call: at once, or, in a lane, when the loop says so."""
    lane = getattr(_here, "lane", None)
    return call() if lane is None else lane.wait_for(call)


class ChancyLoop(Loop):
    """Stands in for `Loop`: as many calls under way as with threads, and the same history every time."""

    chance = None  # () -> a whole number

    def __init__(self, threads):
        super().__init__(0)
        self._pool = self  # for the loop we are a pool of threads
        self._lanes = []

    def submit(self, work, *given):
        self._lanes.append(Lane(lambda: work(*given)))

    def shutdown(self, **_):
        """The process ends, in peace or not, and its threads with it."""
        for lane in self._lanes:
            lane.answer = (None, SystemExit())
            lane.step()

    def _collect(self):
        if self._lanes and self._results.empty():
            self._move(self._lanes[type(self).chance() % len(self._lanes)])
        if not self._lanes or not self._results.empty():
            super()._collect()

    def _move(self, lane):
        """One thing happens: a thread runs on, a call is made, or its answer comes in."""
        if lane.call is not None and lane.answer is None:
            try:
                lane.answer = (lane.call(), None)
            except Exception as error:
                lane.answer = (None, error)
            if type(self).chance() % 2:
                return  # the answer is on its way
        lane.step()
        if lane.ended:
            self._lanes.remove(lane)
