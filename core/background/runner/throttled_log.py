"""Saying what is wrong without saying it every second."""

import logging
import time

SECONDS = 60.0


class ThrottledLog:
    """One for each loop; the same sentence is logged once a minute."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: dict[str, float] = {}

    def say(self, sentence: str, *, trace: bool = False) -> None:
        """Log a warning, with the exception being handled if `trace`."""
        now = time.monotonic()
        self._said = {text: at for text, at in self._said.items() if now - at < SECONDS}
        if sentence not in self._said:
            self._said[sentence] = now
            self._logger.warning("%s", sentence, exc_info=trace)
