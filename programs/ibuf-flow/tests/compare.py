#!/usr/bin/env python3
"""Compare ibuf-flow with tshark, exactly.

Usage: compare.py IBUF_FLOW CAPTURE...

IBUF_FLOW is the program, with options if need be ("build/ibuf-flow --threads 4"). A
CAPTURE may be a folder: all captures in it.
Packets, bytes, the reasons of skipped packets and every flow must be equal: protocol,
addresses, ports, packets and bytes each way, which side is `a`, and the times to a
microsecond. Each difference is one line, "ibuf-flow" first.

Exit status: 0 equal, 1 different, 77 when there is no tshark.
"""

import json
import pathlib
import shlex
import subprocess
import sys

import damage
import oracle

SHOWN = 10           # differences shown of one capture
MICROSECOND = 1.5e-6

ENDS = ("protocol", "a", "a_port", "b", "b_port")
COUNTS = ("packets_ab", "bytes_ab", "packets_ba", "bytes_ba")
TIMES = ("first", "last")


def run(program, capture):
    """Run ibuf-flow: its report, exit status and complaint."""
    command = shlex.split(program) + ["--json", str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = None
    return report, done.returncode, done.stderr


def flows_by_ends(report, differences):
    """The flows by their ends, which must not repeat in either direction."""
    flows = {}
    for flow in report["flows"]:
        flow = dict(flow, a=oracle.normal(flow["a"]), b=oracle.normal(flow["b"]))
        ends = tuple(flow[name] for name in ENDS)
        protocol, *sides = ends
        if ends in flows or (protocol, *sides[2:], *sides[:2]) in flows:
            differences.append("a flow is there twice: " + described(ends))
        flows[ends] = flow
    return flows


def described(ends):
    return "%s %s:%s > %s:%s" % ends


def compare_sums(ours, theirs):
    for name in ("packets", "bytes"):
        if ours[name] != theirs[name]:
            yield "%s: %s, tshark %s" % (name, ours[name], theirs[name])


def compare_skipped(ours, theirs):
    for reason in sorted({*ours["skipped"], *theirs["skipped"]}):
        counts = [report["skipped"].get(reason, 0) for report in (ours, theirs)]
        if counts[0] != counts[1]:
            yield "skipped, %s: %s, tshark %s" % (reason, *counts)


def compare_flows(ours, theirs):
    differences = []
    flows = flows_by_ends(ours, differences)
    yield from differences
    expected = flows_by_ends(theirs, [])
    for ends in sorted(flows.keys() - expected.keys(), key=str):
        yield "only in ibuf-flow: " + described(ends)
    for ends in sorted(expected.keys() - flows.keys(), key=str):
        yield "only in tshark: " + described(ends)
    for ends in sorted(flows.keys() & expected.keys(), key=str):
        for name in COUNTS + TIMES:
            one, other = flows[ends][name], expected[ends][name]
            if abs(one - other) > (MICROSECOND if name in TIMES else 0):
                yield "%s: %s: %s, tshark %s" % (described(ends), name, one, other)


def compare(program, capture):
    """All differences between ibuf-flow and tshark on a capture."""
    ours, status, complaint = run(program, capture)
    theirs, tshark_status, _ = oracle.read(capture)
    if ours is None:
        return ["ibuf-flow printed no JSON, status %d: %s" % (status, complaint.strip())]
    differences = []
    if (status == 0) != (tshark_status == 0):
        differences.append("status: %d, tshark %d: %s"
                           % (status, tshark_status, complaint.strip()))
    for part in (compare_sums, compare_skipped, compare_flows):
        differences += part(ours, theirs)
    return differences


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: compare.py IBUF_FLOW CAPTURE...")
    if not oracle.have_tshark():
        print("compare.py: there is no tshark, nothing was compared")
        sys.exit(oracle.NO_TSHARK)
    program, captures = sys.argv[1], []
    for argument in sys.argv[2:]:
        is_folder = pathlib.Path(argument).is_dir()
        captures += damage.captures_in(argument) if is_folder else [argument]
    if not captures:
        sys.exit("compare.py: no captures there")
    different = 0
    for capture in captures:
        differences = compare(program, capture)
        different += bool(differences)
        print("%s: %s" % (capture, "DIFFERENT" if differences else "equal"))
        for line in differences[:SHOWN]:
            print("    " + line)
        if len(differences) > SHOWN:
            print("    ... and %d more" % (len(differences) - SHOWN))
    print("%d captures, %d different" % (len(captures), different))
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
