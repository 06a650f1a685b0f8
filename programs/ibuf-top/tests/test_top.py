#!/usr/bin/env python3
"""test_top.py TOP SHARED STATIC GARBAGE [WORD...]: does ibuf-top show what is there, and believe nothing?

SHARED and STATIC are watched.c, stripped; GARBAGE lies. Words choose tests that have them in their names.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

TOP, SHARED, STATIC, GARBAGE, *WORDS = sys.argv[1:]
LIES = {
    "circle": "its list of pools changed while it was read, or is damaged",
    "long": "its list of pools changed while it was read, or is damaged",
    "threads": "its list of pools changed while it was read, or is damaged",
    "many-threads": None,
    "far": "its list of pools changed while it was read, or is damaged",
    "name": None,
    "numbers": None,
    "version": "its ibuf 0.1.0 has tables of version 99, and this ibuf-top reads 1",
    "offsets": "its library does not tell of p.closed",
    "sizes": "its library does not tell of p.closed",
    "fields": "its tables are damaged",
    "nowhere": "its tables are damaged",
    "head": None,
    "magic": "its tables are damaged",
}


@contextlib.contextmanager
def running(*command, **how):
    """A program that has said that it is ready: its number, and what else it said."""
    ran = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how)
    said = []
    try:
        for line in ran.stdout:
            if line == "ready\n":
                break
            said.append(line.split())
        yield ran.pid, said
    finally:
        ran.kill()
        ran.wait()
        ran.stdin.close()
        ran.stdout.close()


def top(*words, status=0, **how):
    ran = subprocess.run([TOP, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL, timeout=120, **how)
    assert ran.returncode == status, (words, ran.returncode, ran.stdout, ran.stderr)
    assert re.fullmatch(r"(ibuf-top: [^\n]+\n)*", ran.stderr), ran.stderr
    return ran.stdout, ran.stderr


def only(pid, *words):
    """The one process of a sample."""
    shown = json.loads(top("--once", "--json", "-p", str(pid), *words)[0])
    assert [process["pid"] for process in shown["processes"]] == [pid], shown
    return shown["processes"][0]


def pool_named(process, name):
    return next(pool for pool in process["pools"] if pool["name"] == name)


def the_numbers_are_those_that_the_program_has_itself():
    for program in SHARED, STATIC:
        with running(program, "quiet") as (pid, said):
            process = only(pid)
            pool = pool_named(process, "quiet")
            assert len(said) == 12
            for name, number in said:
                assert pool[name] == int(number), (program, name, pool[name], number)
            assert pool["max"] == 10 and pool["allocated"] == 7 and pool["failures"] == 3, pool
            assert pool_named(process, "heap")["allocated"] >= 1, process
            queue, = process["queues"]
            assert (queue["length"], queue["capacity"], queue["closed"]) == (2, 6, False), queue
            assert process["library"].count(".") == 2 and "trouble" not in process, process
            text, _ = top("--once", "-p", str(pid), "-s", "allocated")
            assert re.search(r"^ *%d \S+ +quiet +7 +\d+ " % pid, text, re.M), text
            assert re.search(r"^ *%d \S+ +0x\w+ +2 +6 " % pid, text, re.M), text


def a_program_at_work_has_rates_and_sums_that_make_sense():
    with running(SHARED, "busy") as (pid, _):
        ran = subprocess.Popen([TOP, "-j", "-i", "1", "-p", str(pid)], stdout=subprocess.PIPE, text=True)
        samples = [json.loads(ran.stdout.readline())["processes"][0] for _ in range(2)]
        ran.kill()
        ran.wait()
        ran.stdout.close()
        assert "allocs_per_second" not in samples[0]["pools"][0], samples[0]
        for process in samples:
            pool = pool_named(process, "busy")
            assert 0 <= pool["allocated"] <= pool["capacity"] <= 10, pool
            assert pool["allocs"] >= pool["frees"] and pool["peak"] <= 10, pool
            assert process["queues"][0]["length"] <= 6, process
        assert pool_named(samples[1], "busy")["allocs_per_second"] > 100, samples[1]
        assert samples[1]["queues"][0]["pushes_per_second"] > 100, samples[1]


def a_program_is_found_among_all_and_may_end_meanwhile():
    with running(SHARED, "busy") as (pid, _), running(STATIC, "busy") as (other, _):
        text, _ = top("--once")
        assert re.search(r"^ *%d .* busy " % pid, text, re.M), text
        assert re.search(r"^ *%d .* busy " % other, text, re.M), text
    for _ in range(10):
        with running(SHARED, "busy") as (pid, _):
            ran = subprocess.Popen([TOP, "--once", "-j"], stdout=subprocess.PIPE)
        shown = json.loads(ran.communicate(timeout=120)[0])
        assert ran.returncode == 0 and "processes" in shown


def one_that_is_asked_for_and_not_there_is_told():
    with running(SHARED, "quiet") as (pid, _):
        pass
    assert top("--once", "-p", str(pid), status=1)[1] == \
        "ibuf-top: there is no process %d\n" % pid
    assert "does not use ibuf" in top("--once", "-p", str(os.getpid()), status=1)[1]


def one_of_another_user_is_told():
    if os.getuid() != 0:
        assert "not yours to read" in top("--once", "-p", "1", status=1)[1]
        return
    with running(SHARED, "quiet") as (pid, _):
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TOP, "--once"]
        if subprocess.run(words[:-2] + ["true"], stderr=subprocess.DEVNULL).returncode != 0 or \
                subprocess.run(words[:-1] + ["--help"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL).returncode != 0:
            return  # it may not even run what is built here
        ran = subprocess.run(words + ["-p", str(pid)], stderr=subprocess.PIPE, text=True)
        assert ran.returncode == 1 and "not yours to read" in ran.stderr, ran
        ran = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert ran.returncode == 0 and str(pid) not in ran.stdout, ran
        assert "not to be read" in ran.stderr, ran


def lies_are_not_believed():
    for how, trouble in LIES.items():
        with running(GARBAGE, how) as (pid, _):
            began = time.monotonic()
            process = only(pid)
            assert time.monotonic() - began < 60, how
            assert process.get("trouble") == trouble, (how, process.get("trouble"))
            assert len(process["pools"]) <= 4096, how
            text, _ = top("--once", "-p", str(pid))
            assert text.replace("\n", "").isprintable() and text.isascii(), (how, text)
            if trouble is not None:
                assert "process %d, " % pid in text and trouble in text, (how, text)


def wrong_words_are_refused():
    for words, why in ((["-i", "0"], "--interval takes a number from 1 to 3600"),
                       (["-s", "beauty"], "--sort takes allocated"), (["-p", "x"], "--pid takes"),
                       (["word"], "what is 'word'?"), (["--what"], "unknown option '--what'"),
                       ([], "no terminal")):
        assert why in top(*words, status=2)[1], (words, why)
    assert top("--version")[0].startswith("ibuf-top 0.")


class Terminal:
    """ibuf-top on a terminal of our own."""

    def __init__(self, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(TOP, [TOP, *words])
        self.resize(30, 160)

    def resize(self, lines, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def press(self, keys):
        os.write(self.fd, keys)

    def read_until(self, *wanted):
        """What it draws until each of these was drawn."""
        drawn, until = "", time.monotonic() + 90
        while not all(re.search(pattern, drawn) for pattern in wanted):
            assert time.monotonic() < until, (wanted, drawn)
            if select.select([self.fd], [], [], 1)[0]:
                drawn += os.read(self.fd, 65536).decode("ascii", "replace")
        return drawn

    def end(self):
        """The status that it exits with."""
        with contextlib.suppress(OSError):
            while os.read(self.fd, 65536):
                pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def a_terminal_shows_it_and_hears_keys():
    with running(SHARED, "busy") as (pid, _):
        screen = Terminal("-i", "1", "-p", str(pid))
        screen.read_until("busy", "ALLOC/S", "QUEUE", "by rate")
        screen.press(b"a")
        screen.read_until("allocated")
        screen.resize(5, 40)
        screen.read_until("ibuf-top")
        screen.press(b"\033OB\033OB\033OA")
        screen.resize(40, 200)
        screen.read_until("QUEUE")
        screen.press(b"q")
        assert screen.end() == 0
        screen = Terminal("-i", "1", "-p", str(pid))
        screen.read_until("busy")
    screen.read_until("there is no process %d" % pid)
    assert screen.end() == 1


TESTS = [
    the_numbers_are_those_that_the_program_has_itself,
    a_program_at_work_has_rates_and_sums_that_make_sense,
    a_program_is_found_among_all_and_may_end_meanwhile,
    one_that_is_asked_for_and_not_there_is_told,
    one_of_another_user_is_told,
    lies_are_not_believed,
    wrong_words_are_refused,
    a_terminal_shows_it_and_hears_keys,
]


def main():
    chosen = [test for test in TESTS if not WORDS or any(word in test.__name__ for word in WORDS)]
    assert chosen
    for test in chosen:
        began = time.monotonic()
        test()
        print("%s: %.1f s" % (test.__name__.replace("_", " "), time.monotonic() - began))


main()
