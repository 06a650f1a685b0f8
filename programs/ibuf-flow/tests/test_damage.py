#!/usr/bin/env python3
"""Run ibuf-flow over damaged captures.

Usage: test_damage.py IBUF_FLOW DATA_DIR

For every variant that damage.py makes of the captures in DATA_DIR:

  * the exit status is 1 if the file is damaged, 0 if only packets are; never a signal;
  * a damaged file gives exactly one line on stderr, which names the file and the packet;
    otherwise stderr is empty;
  * what was read before the damage is reported, to the byte;
  * the packets of all flows and all skipped ones add up;
  * with flipped bytes in the packets, tshark counts the same packets and bytes.

Exit status: 0, or 1 with one line for each failure.
"""

import pathlib
import re
import sys
import tempfile

import compare
import damage
import oracle


def check_complaint(complaint, path, variant):
    lines = complaint.splitlines()
    if variant.status == 0:
        if lines:
            yield "stderr should be empty: " + lines[0]
        return
    if len(lines) != 1:
        yield "stderr should be one line, is %d: %s" % (len(lines), complaint[:200])
        return
    if path.name not in lines[0]:
        yield "stderr does not name the file: " + lines[0]
    if variant.packet and not re.search(r"packet %d\b" % variant.packet, lines[0]):
        yield "stderr does not name packet %d: %s" % (variant.packet, lines[0])


def counted(report):
    """The packets that are in flows or skipped."""
    return sum(report["skipped"].values()) + sum(
        flow["packets_ab"] + flow["packets_ba"] for flow in report["flows"])


def check_report(report, variant):
    if report is None:
        # Of what is not a capture there may be nothing to report.
        if variant.status == 0 or variant.packet:
            yield "no JSON"
        return
    for name in ("packets", "bytes"):
        expected = getattr(variant, name)
        if report[name] != expected:
            yield "%s: %d, should be %d" % (name, report[name], expected)
    if counted(report) != report["packets"]:
        yield "flows and skipped are %d packets of %d" % (counted(report), report["packets"])


def check(program, path, variant):
    report, status, complaint = compare.run(program, path)
    if status != variant.status:
        yield "status %d, should be %d; stderr: %s" % (status, variant.status,
                                                      complaint.strip()[-200:])
        if status < 0:
            return
    yield from check_complaint(complaint, path, variant)
    yield from check_report(report, variant)
    if variant.flipped and report and oracle.have_tshark():
        yield from compare.compare_sums(report, oracle.read(path)[0])


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: test_damage.py IBUF_FLOW DATA_DIR")
    program, data = sys.argv[1:]
    captures = damage.captures_in(data)
    if not captures:
        sys.exit("test_damage.py: no captures in " + data)
    tried = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for capture in captures:
            for variant in damage.variants_of(capture):
                path = pathlib.Path(directory) / damage.file_name(capture, variant)
                path.write_bytes(variant.content)
                failures = list(check(program, path, variant))
                for failure in failures:
                    print("%s: %s" % (path.name, failure))
                tried += 1
                failed += bool(failures)
                path.unlink()
    print("%d damaged captures, %d failed" % (tried, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
