"""Threads in our hands: each moves when told to, from one HTTP call to the next, in an order of chance."""

import threading

from core.background.batches import Loop

_here = threading.local()


class FakeThread:
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
        _here.fake_thread = self
        try:
            work()
        finally:
            self.ended = True
            self._stands.release()


def through_thread(call):
    """Make an HTTP call: at once, or, in a fake thread, when the loop says so."""
    fake_thread = getattr(_here, "fake_thread", None)
    return call() if fake_thread is None else fake_thread.wait_for(call)


class ChancyLoop(Loop):
    """Stands in for `Loop`: as many calls under way as with threads, and the same history every time."""

    chance = None  # () -> a whole number

    def __init__(self, threads):
        super().__init__(0)
        self._pool = self  # for the loop we are a pool of threads
        self._fake_threads = []

    def submit(self, work, *given):
        self._fake_threads.append(FakeThread(lambda: work(*given)))

    def shutdown(self, **_):
        """The process ends, in peace or not, and its threads with it."""
        for fake_thread in self._fake_threads:
            fake_thread.answer = (None, SystemExit())
            fake_thread.step()

    def _collect(self):
        if self._fake_threads and self._results.empty():
            self._move(self._fake_threads[type(self).chance() % len(self._fake_threads)])
        if not self._fake_threads or not self._results.empty():
            super()._collect()

    def _move(self, fake_thread):
        """One thing happens: a thread runs on, a call is made, or its answer comes in."""
        if fake_thread.call is not None and fake_thread.answer is None:
            try:
                fake_thread.answer = (fake_thread.call(), None)
            except Exception as error:
                fake_thread.answer = (None, error)
            if type(self).chance() % 2:
                return  # the answer is on its way
        fake_thread.step()
        if fake_thread.ended:
            self._fake_threads.remove(fake_thread)
