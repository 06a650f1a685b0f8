"""Rounds that take turns: how far they are, and what comes of them."""

import statistics
import sys
import time


class Progress:
    """One line: where the run is, and how long it will take."""

    def __init__(self, steps):
        self.steps, self.done, self.began = steps, 0, time.monotonic()

    def step(self, text):
        passed = time.monotonic() - self.began
        left = passed / self.done * (self.steps - self.done) if self.done else 0
        line = "bench: %3d %%, %s, %d:%02d left" % (
            100 * self.done // self.steps, text, left // 60, left % 60)
        if sys.stderr.isatty():
            print("\r\033[K" + line, end="", file=sys.stderr, flush=True)
        elif self.done % 10 == 0:
            print(line, file=sys.stderr, flush=True)
        self.done += 1

    def end(self):
        passed = time.monotonic() - self.began
        print("%sbench: measured in %d:%02d" % ("\r\033[K" if sys.stderr.isatty() else "",
                                                passed // 60, passed % 60), file=sys.stderr)


def summary_of(rounds):
    """The median of some values, and their spread in percent."""
    middle = statistics.median(rounds)
    return {"median": middle, "rounds": rounds,
            "spread": 50 * (max(rounds) - min(rounds)) / middle if middle else 0}
