#!/usr/bin/env python3
"""Run ibuf-flow end to end: options, exit statuses, and captures made by hand.

Usage: test_cli.py IBUF_FLOW DATA_DIR

IBUF_FLOW is the program, DATA_DIR holds the recorded captures. Each test is a
function whose name says what must hold; it gets a folder of its own. Captures that
no one can record - headers that lie, links that do not exist - are packed here.
"""

import gzip
import ipaddress
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PROGRAM = DATA = None

NULL, ETHERNET, RAW, LOOP, SLL, USER0, IPV4, IPV6, SLL2 = \
    0, 1, 101, 108, 113, 147, 228, 229, 276
TCP, UDP, ICMP = 6, 17, 1


# How captures are made.

def pcap(packets, link=ETHERNET, order="<", magic=0xa1b2c3d4, snaplen=262144):
    """A pcap file of packets: bytes, or (bytes, wire length, seconds, fraction)."""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for number, packet in enumerate(packets):
        if isinstance(packet, bytes):
            packet = packet, len(packet), 1000 + number, 0
        data, wire, seconds, fraction = packet
        out.append(struct.pack(order + "IIII", seconds, fraction, len(data), wire))
        out.append(data)
    return b"".join(out)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order="<"):
    return block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)


def interface(link, snaplen=0, order="<"):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen), order)


def packet_block(number, data, order="<", wire=None):
    wire = len(data) if wire is None else wire
    return block(6, struct.pack(order + "IIIII", number, 0, 1000000, len(data), wire)
                 + data, order)


def ether(kind, payload):
    return bytes.fromhex("020000000001020000000002") + struct.pack(">H", kind) + payload


def vlan(tag, kind, payload):
    return struct.pack(">HH", tag, kind) + payload


def address(text):
    return ipaddress.ip_address(text).packed


def ipv4(protocol, payload, source="10.0.0.1", destination="10.0.0.2", options=b"",
         total=None, words=None, fragment=0, version=4):
    header = 20 + len(options)
    words = header // 4 if words is None else words
    total = header + len(payload) if total is None else total
    return struct.pack(">BBHHHBBH", version << 4 | words, 0, total, 7, fragment, 64,
                       protocol, 0) + address(source) + address(destination) \
        + options + payload


def ipv6(following, payload, source="fd00::1", destination="fd00::2", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">IHBB", 6 << 28, length, following, 64) \
        + address(source) + address(destination) + payload


def udp(source=1000, destination=53, payload=b"payload", length=None):
    length = 8 + len(payload) if length is None else length
    return struct.pack(">HHHH", source, destination, length, 0) + payload


def tcp(source=1000, destination=80, payload=b"", words=5):
    return struct.pack(">HHIIBBHHH", source, destination, 1, 1, words << 4, 0x10, 1024,
                       0, 0) + bytes(4 * max(0, words - 5)) + payload


def extension(following, units=0):
    return bytes([following, units]) + bytes(6 + 8 * units)


# How the program is run.

def run(*arguments, stdin=b"", stdout=subprocess.PIPE, **options):
    command = [PROGRAM, *map(str, arguments)]
    return subprocess.run(command, input=stdin, stdout=stdout, stderr=subprocess.PIPE,
                          timeout=120, **options)


def captures():
    return sorted(DATA.glob("*.pcap*"))


def report(data, *arguments, status=0):
    """The JSON report of a capture on standard input."""
    done = run("--json", *arguments, "-", stdin=data)
    assert done.returncode == status, (done.returncode, done.stderr)
    return json.loads(done.stdout)


def only_flow(data):
    """The one flow of a capture of which nothing is skipped."""
    out = report(data)
    assert not any(out["skipped"].values()), out["skipped"]
    assert len(out["flows"]) == 1, out["flows"]
    return out["flows"][0]


def ends(flow):
    return tuple(flow[key] for key in ("protocol", "a", "a_port", "b", "b_port"))


def skipped_of(out):
    return {name: count for name, count in out["skipped"].items() if count}


def only_skipped(data, reason):
    """All packets of a capture are skipped for that reason."""
    out = report(data)
    assert skipped_of(out) == {reason: out["packets"]}, out["skipped"]
    assert out["packets"] > 0 and out["flows"] == []


def one_line(done, *words):
    text = done.stderr.decode()
    assert text.startswith("ibuf-flow: ") and text.count("\n") == 1, text
    for word in words:
        assert word in text, (word, text)


UDP4 = ipv4(UDP, udp())
UDP6 = ipv6(UDP, udp())
FLOW4 = ("udp", "10.0.0.1", 1000, "10.0.0.2", 53)
FLOW6 = ("udp", "fd00::1", 1000, "fd00::2", 53)


# Options and statuses.

def help_and_version_go_to_standard_output(_):
    for option in ("--help", "-h"):
        done = run(option)
        assert done.returncode == 0 and not done.stderr
        assert done.stdout.startswith(b"Usage: ibuf-flow ")
        for name in (b"--top", b"--sort", b"--json", b"--threads", b"--version",
                     b"--no-streams", b"--csv", b"--interface", b"--active-timeout",
                     b"--inactive-timeout",
                     b"--extract", b"--max-gap", b"--max-memory"):
            assert name in done.stdout
    for option in ("--version", "-V"):
        done = run(option)
        assert done.returncode == 0 and not done.stderr
        assert done.stdout.split()[0] == b"ibuf-flow" and b"." in done.stdout


def a_wrong_command_line_is_one_line_and_status_2(_):
    for arguments, word in (
            ([], "FILE"), (["--json"], "FILE"), (["--nothing", "x"], "--nothing"),
            (["-x", "x"], "-x"), (["--top"], "--top"), (["--top", "ten", "x"], "ten"),
            (["--top", "-1", "x"], "-1"), (["--top", "", "x"], "--top"),
            (["--top", "99999999999999999999999", "x"], "--top"),
            (["--top=1 ", "x"], "--top"),
            (["--threads", "0", "x"], "--threads"), (["-t", "65", "x"], "--threads"),
            (["-t", "2x", "x"], "2x"), (["--sort", "colour", "x"], "colour"),
            (["--json=yes", "x"], "--json"), (["--extract"], "--extract"),
            (["--max-gap", "1T", "x"], "1T"), (["--max-gap", "", "x"], "--max-gap"),
            (["--max-gap", "K", "x"], "--max-gap"), (["-g", "-1", "x"], "-1"),
            (["--max-memory", "1KB", "x"], "1KB"), (["-m", "1.5G", "x"], "1.5G"),
            (["-m", "99999999999G", "x"], "--max-memory")):
        done = run(*arguments)
        assert done.returncode == 2 and not done.stdout, (arguments, done)
        one_line(done, word)


def a_missing_file_is_said_and_the_others_are_read(folder):
    (folder / "good.pcap").write_bytes(pcap([ether(0x0800, UDP4)]))
    done = run("--json", folder / "missing.pcap", folder / "good.pcap")
    assert done.returncode == 1
    one_line(done, "missing.pcap", "No such file")
    out = json.loads(done.stdout)
    assert out["packets"] == 1 and out["files"] == 1 and out["complete"] is False


def what_is_no_capture_is_status_1(folder):
    (folder / "text").write_text("no capture, but longer than any header of one\n" * 9)
    (folder / "empty").write_bytes(b"")
    for path in (folder / "text", folder / "empty", folder):
        done = run("--json", path)
        assert done.returncode == 1
        one_line(done, str(path))
        assert json.loads(done.stdout)["packets"] == 0


def a_capture_without_packets_is_fine(_):
    for data in (pcap([]), section(), section(">"), section() + interface(ETHERNET)):
        out = report(data)
        assert out["packets"] == 0 and out["flows"] == [] and out["complete"] is True
    done = run("-", stdin=pcap([]))
    assert done.returncode == 0 and b"0 packets, 0 bytes, 0 flows" in done.stdout


def several_files_are_summed(folder):
    first, second = folder / "1", folder / "2"
    first.write_bytes(pcap([ether(0x0800, UDP4)]))
    second.write_bytes(pcap([ether(0x0800, ipv4(UDP, udp(53, 1000), "10.0.0.2",
                                                "10.0.0.1"))]))
    out = json.loads(run("--json", first, second, first).stdout)
    assert out["packets"] == 3 and out["files"] == 3
    flow, = out["flows"]
    assert ends(flow) == FLOW4
    assert (flow["packets_ab"], flow["packets_ba"]) == (2, 1)


def standard_input_may_be_a_pipe_or_a_file(folder):
    data = (DATA / "http.pcap").read_bytes()
    assert report(data)["packets"] == 123
    path = folder / "x"
    path.write_bytes(data)
    with open(path, "rb") as file:
        done = subprocess.run([PROGRAM, "--json", "-"], stdin=file, capture_output=True,
                              check=True)
    assert json.loads(done.stdout)["packets"] == 123


def output_that_cannot_be_written_is_status_1(_):
    for arguments in (["--json", "-"], ["-"], ["--help"], ["--version"]):
        with open("/dev/full", "wb") as full:
            done = run(*arguments, stdin=pcap([ether(0x0800, UDP4)]), stdout=full)
        assert done.returncode == 1, arguments
        one_line(done, "write")
        done = run(*arguments, stdin=pcap([ether(0x0800, UDP4)]), stdout=None,
                   preexec_fn=lambda: os.close(1))
        assert done.returncode == 1, arguments
        one_line(done, "write")


def a_reader_that_went_away_ends_it_quietly(_):
    for arguments in (["--json", "-"], ["-"], ["--help"], ["--version"]):
        for ignored in (signal.SIG_IGN, signal.SIG_DFL):
            read, write = os.pipe()
            os.close(read)
            done = run(*arguments, stdin=pcap([ether(0x0800, UDP4)]), stdout=write,
                       restore_signals=False,
                       preexec_fn=lambda: signal.signal(signal.SIGPIPE, ignored))
            os.close(write)
            assert done.returncode == -signal.SIGPIPE and not done.stderr, done


def a_file_that_may_not_grow_is_said(folder):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    with open(folder / "out", "wb") as out:
        done = run("--json", "-", stdin=pcap([ether(0x0800, UDP4)]), stdout=out,
                   preexec_fn=limit)
    assert done.returncode == 1
    one_line(done, "write", "too large")


def a_signal_ends_it_with_what_was_read(folder):
    packets = [ether(0x0800, ipv4(UDP, udp(1 + number))) for number in range(9)]
    data = pcap(packets)
    for number in (signal.SIGINT, signal.SIGTERM):
        for threads in ("1", "2", "4"):
            # Within a packet, between two, before the first, and before the header.
            for length in (len(data) - 5, len(data), 24, 3, 0):
                out = interrupted([PROGRAM, "--json", "-t", threads, "-"],
                                  data[:length], number)
                count = 9 if length == len(data) else 8 if length > 24 else 0
                assert out["packets"] == out["flow_count"] == count
                assert out["complete"] is False


def interrupted(command, data, number):
    """The report of a program that waits for more, and gets a signal."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdin.write(data)
        process.stdin.flush()
        stat = pathlib.Path("/proc/%d/stat" % process.pid)
        handled = pathlib.Path("/proc/%d/status" % process.pid)
        for _ in range(1000):      # until it has its handlers, and sleeps
            caught = int(re.search(r"SigCgt:\s*(\w+)", handled.read_text())[1], 16)
            if caught >> number - 1 & 1 and stat.read_text().split()[2] == "S":
                break
            time.sleep(0.005)
        process.send_signal(number)
        process.stdin, keep = None, process.stdin
        text, said = process.communicate(timeout=30)
        keep.close()
        assert process.returncode == -number, process.returncode
        assert not said, said
        return json.loads(text)


def a_signal_that_is_ignored_stays_so(folder):
    path = folder / "x"
    os.mkfifo(path)
    with subprocess.Popen([PROGRAM, "--json", str(path)], stdout=subprocess.PIPE,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
                          ) as process:
        with open(path, "wb") as file:
            process.send_signal(signal.SIGINT)
            file.write(pcap([ether(0x0800, UDP4)]))
        assert json.loads(process.stdout.read())["complete"] is True
        assert process.wait() == 0


def names_of_files_are_escaped(folder):
    for name, shown in ((b"x\x1b[31m\nibuf-flow: y", r"x\x1b[31m\x0aibuf-flow: y"),
                        (b"\x7f\xc2\x9b\xff", r"\x7f\xc2\x9b\xff"),
                        (b"\xe2\x80\xae\xed\xa0\x80", r"\xe2\x80\xae\xed\xa0\x80"),
                        ("na\u00efve \u6587 \U0001f600".encode(), "na\u00efve \u6587 \U0001f600")):
        path = os.path.join(os.fsencode(folder), name)
        for command in ([path], ["--top=" + os.fsdecode(name), "-"],
                        ["--extract=/dev/null/" + os.fsdecode(name), "-"]):
            done = subprocess.run([PROGRAM, *command], stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False)
            assert done.returncode in (1, 2)
            one_line(done, shown)


def compressed_captures_are_read(folder):
    data = (DATA / "http.pcap").read_bytes()
    for plain in (data, (DATA / "two-links.pcapng").read_bytes()):
        expected = report(plain)
        for packed in compressed(plain):
            out = report(packed)
            assert out["flows"] == expected["flows"]
            assert out["packets"] == expected["packets"] and out["complete"]
            half = packed[:len(packed) // 2]
            done = run("--json", "-", stdin=half)
            assert done.returncode == 1
            one_line(done, "standard input")
            damaged = half + bytes(9) + packed[len(half) + 9:]
            assert run("--json", "-", stdin=damaged).returncode == 1
    several = gzip.compress(data[:1000]) + gzip.compress(data[1000:])
    assert report(several)["packets"] == 123


def compressed(data):
    yield gzip.compress(data)
    if shutil.which("zstd"):
        yield subprocess.run(["zstd", "-c"], input=data, capture_output=True,
                             check=True).stdout


def packets_of_any_link_may_be_large(_):
    frame = ether(0x0800, UDP4)
    for link in (220, 249, USER0, 231, 105):
        for size in (262145, 300000) if link != USER0 else (20 << 20,):
            blocks = section() + interface(ETHERNET) + interface(link) \
                + packet_block(0, frame) + packet_block(1, bytes(size)) \
                + packet_block(0, frame)
            out = report(blocks)
            assert skipped_of(out) == {"unsupported_link": 1} and out["packets"] == 3
        assert report(pcap([bytes(300000)] * 2, link))["packets"] == 2
    large = ether(0x86dd, ipv6(UDP, udp(payload=bytes(400000), length=0),
                              length=0))
    out = report(pcap([large, frame, large]), "-t2")
    assert out["flow_count"] == 2 and out["payload_bytes"] > 800000


def closed_standard_streams_harm_no_capture(folder):
    path = folder / "x.pcap"
    data = pcap([ether(0x0800, UDP4)])
    path.write_bytes(data)

    def close_all():
        for fd in range(3):
            os.close(fd)

    done = subprocess.run([PROGRAM, "--json", str(path)], preexec_fn=close_all,
                          check=False)
    assert done.returncode == 1
    assert path.read_bytes() == data


def no_progress_is_shown_unless_to_a_terminal(_):
    done = run("--json", DATA / "redis.pcap")
    assert done.returncode == 0 and done.stderr == b""


# The list of flows.

SIZES = {1001: (3, 100, 50), 1002: (1, 900, 0), 1003: (5, 10, 5), 1004: (1, 900, 10)}


def sized_flows():
    """Four flows: port -> packets, bytes of payload of each, start in seconds."""
    packets = []
    for port, (count, size, start) in SIZES.items():
        for number in range(count):
            packets.append((ether(0x0800, ipv4(UDP, udp(port, 53, bytes(size)))),
                            42 + size, 1000 + start + 10 * number, 0))
    return pcap(packets)


def listed(*arguments):
    return [flow["a_port"] for flow in report(sized_flows(), *arguments)["flows"]]


def flows_are_sorted_as_asked(_):
    assert listed() == [1002, 1004, 1001, 1003]
    assert listed("--sort", "bytes") == [1002, 1004, 1001, 1003]
    assert listed("--sort=packets") == [1003, 1001, 1002, 1004]
    assert listed("-s", "duration") == [1003, 1001, 1002, 1004]
    assert listed("--sort", "first") == [1002, 1003, 1004, 1001]
    assert listed("--sort", "last") == [1001, 1003, 1004, 1002]


def top_limits_the_list_and_not_the_totals(_):
    for arguments, count in ((["--top", "2"], 2), (["-n3"], 3), (["--top", "4"], 4),
                             (["--top", "99"], 4), (["--top=0"], 4)):
        out = report(sized_flows(), *arguments)
        assert [flow["a_port"] for flow in out["flows"]] \
            == [1002, 1004, 1001, 1003][:count]
        assert out["packets"] == 10 and out["flow_count"] == 4


def the_table_shows_each_flow_and_the_totals(_):
    done = run("-", "--top", "2", stdin=sized_flows())
    text = done.stdout.decode()
    lines = text.splitlines()
    assert lines[0].split()[:3] == ["PROTOCOL", "A", "B"]
    assert lines[1].split() == ["udp", "10.0.0.1:1002", "10.0.0.2:53", "1", "942", "0",
                                "0", "0.000000", "0.000000", "0.000000"]
    assert "(2 more)" in text
    assert "10 packets, 2570 bytes, 4 flows" in text
    assert "packets/s" in text and "pool: " in text


def an_ipv6_address_stands_in_brackets_before_its_port(_):
    done = run("-", stdin=pcap([ether(0x86dd, UDP6)]))
    assert b"[fd00::1]:1000" in done.stdout and b"[fd00::2]:53" in done.stdout
    done = run("-", stdin=pcap([ether(0x86dd, ipv6(58, bytes(8)))]))
    assert b"icmpv6    fd00::1  fd00::2 " in done.stdout


def the_number_of_threads_changes_nothing(_):
    results = []
    for threads in (1, 2, 4, 7):
        out = json.loads(run("--json", "--threads", threads, *captures()).stdout)
        assert out["threads"] == threads
        assert out["pool"]["allocated"] == 0
        for name in ("threads", "seconds", "packets_per_second", "pool"):
            del out[name]
        results.append(out)
    assert all(result == results[0] for result in results)


def many_packets_pass_through_a_bounded_pool(_):
    packets = [ether(0x0800, ipv4(UDP, udp(1 + number % 50000, 53)))
               for number in range(60000)]
    out = report(pcap(packets), "--threads", "2", "--top", "1")
    assert out["packets"] == 60000 and out["flow_count"] == 50000
    assert out["pool"]["allocs"] == out["pool"]["frees"] >= 60000 * 49 / 65536
    assert out["pool"]["failures"] == 0 and out["pool"]["capacity"] < 20


def json_has_what_the_manual_says(_):
    out = report((DATA / "http.pcap").read_bytes())
    assert {"packets", "bytes", "flows", "skipped", "pool", "tunnel", "payload_bytes",
            "flow_count", "files", "complete", "threads", "seconds",
            "packets_per_second", "streams"} == set(out)
    assert {"count", "given_up", "gaps", "gap_bytes", "uncaptured_bytes",
            "repeated_bytes", "late_bytes", "names_dropped", "held_peak"} == set(out["streams"])
    assert {"unsupported_link", "not_ip", "fragment", "truncated", "malformed"} \
        == set(out["skipped"])
    for flow in out["flows"]:
        assert {"protocol", "a", "a_port", "b", "b_port", "packets_ab", "bytes_ab",
                "packets_ba", "bytes_ba", "first", "last", "tcp_flags_ab", "tcp_flags_ba",
                "retransmissions_ab", "retransmissions_ba", "handshake", "http",
                "tls_name", "tls_names", "dns_names"} == set(flow)
        assert flow["first"] <= flow["last"]


def every_packet_is_in_a_flow_or_skipped(_):
    out = json.loads(run("--json", *captures()).stdout)
    flows = sum(flow["packets_ab"] + flow["packets_ba"] for flow in out["flows"])
    assert out["packets"] == flows + sum(out["skipped"].values())


def times_are_kept_to_the_microsecond(_):
    for data, expected in (
            (pcap([(ether(0x0800, UDP4), 60, 1700000000, 123456)]), 1700000000.123456),
            (pcap([(ether(0x0800, UDP4), 60, 1700000000, 123456999)],
                  magic=0xa1b23c4d), 1700000000.123457),
            (pcap([(ether(0x0800, UDP4), 60, 4000000000, 1)], order=">"),
             4000000000.000001)):
        flow = only_flow(data)
        assert flow["first"] == flow["last"] == expected, (flow["first"], expected)


def packets_out_of_order_stretch_a_flow_both_ways(_):
    packets = [(ether(0x0800, UDP4), 60, seconds, 0) for seconds in (50, 20, 70)]
    flow = only_flow(pcap(packets))
    assert (flow["first"], flow["last"]) == (20, 70)


# Links.

def each_link_type_leads_to_ip(folder):
    cooked = bytes.fromhex("0000 0001 0006 020000000001 0000".replace(" ", ""))
    frames = (
        (ETHERNET, ether(0x0800, UDP4), FLOW4),
        (ETHERNET, ether(0x86dd, UDP6), FLOW6),
        (ETHERNET, ether(0x0800, UDP6), FLOW6),
        (RAW, UDP4, FLOW4), (RAW, UDP6, FLOW6), (12, UDP4, FLOW4), (14, UDP6, FLOW6),
        (IPV4, UDP4, FLOW4), (IPV6, UDP6, FLOW6),
        (NULL, struct.pack("<I", 2) + UDP4, FLOW4),
        (NULL, struct.pack(">I", 2) + UDP4, FLOW4),
        (NULL, struct.pack("<I", 24) + UDP6, FLOW6),
        (NULL, struct.pack(">I", 28) + UDP6, FLOW6),
        (NULL, struct.pack("<I", 30) + UDP6, FLOW6),
        (LOOP, struct.pack(">I", 2) + UDP4, FLOW4),
        (LOOP, struct.pack(">I", 24) + UDP6, FLOW6),
        (SLL, cooked + b"\x08\x00" + UDP4, FLOW4),
        (SLL, cooked + b"\x86\xdd" + UDP6, FLOW6),
        (SLL, cooked + b"\x81\x00" + vlan(5, 0x0800, UDP4), FLOW4),
        (SLL2, b"\x08\x00" + bytes(18) + UDP4, FLOW4),
        (SLL2, b"\x86\xdd" + bytes(18) + UDP6, FLOW6))
    for number, (link, frame, _) in enumerate(frames):
        for order, name in ("<", "little"), (">", "big"):
            path = folder / ("%s-%d.pcap" % (name, number))
            path.write_bytes(pcap([frame], link, order))
    for name in ("little", "big"):
        out = json.loads(run("--json", *sorted(folder.glob(name + "*"))).stdout)
        assert not any(out["skipped"].values()), out["skipped"]
        assert {ends(flow): flow["packets_ab"] for flow in out["flows"]} \
            == {wanted: sum(flow == wanted for _, _, flow in frames)
                for wanted in (FLOW4, FLOW6)}, out["flows"]


def what_stands_between_ethernet_and_ip_is_passed(_):
    label = struct.pack(">I", 100 << 12 | 64)
    bottom = struct.pack(">I", 200 << 12 | 0x100 | 64)
    snap = bytes.fromhex("aaaa03000000") + b"\x08\x00" + UDP4
    session = struct.pack(">BBHHH", 0x11, 0, 1, len(UDP4) + 2, 0x21) + UDP4
    for kind, payload in (
            (0x8100, vlan(1, 0x0800, UDP4)),
            (0x88a8, vlan(1, 0x8100, vlan(2, 0x0800, UDP4))),
            (0x9100, vlan(1, 0x9100, vlan(2, 0x8100, vlan(3, 0x0800, UDP4)))),
            (len(snap), snap), (len(snap), snap + bytes(20)),
            (0x8864, session), (0x8864, session + bytes(6)),
            (0x8847, bottom + UDP4), (0x8847, label + label + bottom + UDP4),
            (0x8100, vlan(9, 0x8864, session))):
        assert ends(only_flow(pcap([ether(kind, payload)]))) == FLOW4, hex(kind)


def endless_tags_are_malformed(_):
    payload = UDP4
    for tag in range(21):
        payload = vlan(tag, 0x8100 if tag else 0x0800, payload)
    only_skipped(pcap([ether(0x8100, payload)]), "malformed")


def other_links_and_protocols_are_counted(_):
    only_skipped(pcap([UDP4], USER0), "unsupported_link")
    only_skipped(pcap([UDP4], 105), "unsupported_link")
    for frame in (ether(0x88cc, bytes(46)), ether(0x0000, UDP4), ether(0x05ff, UDP4),
                  ether(38, bytes.fromhex("424203") + bytes(35)),
                  ether(0x8847, struct.pack(">I", 0x100) + b"\x00" * 20),
                  ether(0x8863, bytes(20))):
        only_skipped(pcap([frame]), "not_ip")
    only_skipped(pcap([bytes(40)], RAW), "not_ip")
    only_skipped(pcap([struct.pack("<I", 7) + UDP4], NULL), "not_ip")


# IP.

def options_are_passed_and_padding_is_no_payload(_):
    for options in (b"\x94\x04\0\0", b"\x01" * 40, bytes(4), b"\x07\x27\x04" + bytes(37),
                    b"\xff\x01\0\0"):
        frame = ether(0x0800, ipv4(UDP, udp(), options=options))
        assert ends(only_flow(pcap([frame]))) == FLOW4
    out = report(pcap([ether(0x0800, UDP4) + bytes(30)]))
    assert out["payload_bytes"] == 7 and out["flows"][0]["bytes_ab"] == 14 + 35 + 30
    only_skipped(pcap([ether(0x0800, ipv4(TCP, b"")) + bytes(26)]), "malformed")


def a_source_route_that_is_not_used_up_tells_the_destination(_):
    for kind in (131, 137):
        route = bytes([kind, 11, 4]) + address("10.0.0.3") + address("10.0.0.4") + b"\0"
        flow = only_flow(pcap([ether(0x0800, ipv4(UDP, udp(), options=route))]))
        assert flow["b"] == "10.0.0.4"
        used = bytes([kind, 11, 12]) + route[3:]
        flow = only_flow(pcap([ether(0x0800, ipv4(UDP, udp(), options=used))]))
        assert flow["b"] == "10.0.0.2"


def lengths_that_are_too_large_are_not_believed(_):
    for packet in (ipv4(UDP, udp(), total=1500), ipv4(UDP, udp(), total=0),
                   ipv4(UDP, udp(length=9000)), ipv4(UDP, udp(length=3))):
        assert ends(only_flow(pcap([ether(0x0800, packet)]))) == FLOW4
    packet = ipv6(UDP, udp(), length=1500)
    assert ends(only_flow(pcap([ether(0x86dd, packet)]))) == FLOW6
    for words in (0, 4, 15):
        frame = ether(0x0800, ipv4(TCP, tcp(words=words)[:20]))
        assert only_flow(pcap([frame]))["a_port"] == 1000


def headers_that_lie_are_malformed(_):
    ipv4_packets = (ipv4(UDP, udp(), words=4), ipv4(UDP, udp(), words=0),
                    ipv4(UDP, udp(), words=15), ipv4(UDP, udp(), total=19),
                    ipv4(UDP, udp(), total=23), ipv4(UDP, udp(), version=5),
                    ipv4(UDP, b"\1\2\3"), ipv4(TCP, b""))
    ipv6_packets = (ipv6(UDP, udp(), length=3),
                    ipv6(0, bytes([UDP, 100]) + bytes(6) + udp()), ipv6(TCP, b""), UDP4)
    only_skipped(pcap([ether(0x0800, packet) for packet in ipv4_packets]), "malformed")
    only_skipped(pcap([ether(0x86dd, packet) for packet in ipv6_packets]), "malformed")
    only_skipped(pcap([ether(0x0800, UDP4)[:length] for length in (0, 13, 15, 33)]),
                 "malformed")


def extension_headers_are_passed(_):
    fragment = bytes([UDP, 0, 0, 1]) + bytes(4)
    authentication = bytes([UDP, 4]) + bytes(22)
    for following, chain in (
            (0, extension(UDP)), (60, extension(UDP, 3)), (43, extension(UDP, 2)),
            (44, fragment), (51, authentication), (140, extension(UDP)),
            (0, extension(43) + extension(60, 2) + extension(60) + extension(44)
             + fragment),
            (60, extension(60) * 62 + extension(UDP))):
        frame = ether(0x86dd, ipv6(following, chain + udp()))
        assert ends(only_flow(pcap([frame]))) == FLOW6, following
    for count in (63, 64, 65, 1000, 8000):
        many = ipv6(60, extension(60) * count + extension(UDP) + udp())
        assert ends(only_flow(pcap([ether(0x86dd, many)]))) == FLOW6
    for following, name in ((59, "ipv6-nonxt"), (135, "mobility"), (50, "esp"),
                            (253, "ip-253")):
        frame = ether(0x86dd, ipv6(0, extension(following) + bytes(16)))
        assert only_flow(pcap([frame]))["protocol"] == name


def options_and_routes_that_reach_too_far_are_malformed(_):
    good, bad = [], []
    for following in (0, 60):
        for options in (bytes([1, 255]) + bytes(4), bytes([0x1e, 32]) + bytes(4),
                        bytes(5) + b"\1", bytes([0xc2, 200]) + bytes(4)):
            bad.append(ipv6(following, bytes([UDP, 0]) + options + udp(source=0xff00)))
        good.append(ipv6(following, bytes([UDP, 0, 1, 5]) + bytes(4) + udp()))
    for kind, units, last in ((2, 1, 0), (2, 0, 0), (3, 1, 0), (4, 1, 0), (4, 2, 1),
                              (4, 2, 255)):
        route = bytes([UDP, units, kind, 1, last]) + bytes(3 + 8 * units)
        bad.append(ipv6(43, route + udp(payload=bytes(200))))
    for kind, units, last in ((0, 1, 0), (2, 2, 0), (3, 0, 0), (3, 1, 8), (4, 4, 1)):
        route = bytes([UDP, units, kind, 1, last]) + bytes(3 + 8 * units)
        good.append(ipv6(43, route[:3] + b"\0" + route[4:] + udp()))
    only_skipped(pcap([ether(0x86dd, packet) for packet in bad]), "malformed")
    flow = only_flow(pcap([ether(0x86dd, packet) for packet in good]))
    assert ends(flow) == FLOW6 and flow["packets_ab"] == len(good)


def a_route_leads_to_its_last_stop(_):
    a, b, stop = "fd00::1", "fd00::2", "fd00::99"
    last, other = address(b), address("fd00::77")

    def route(kind, left, detail, body, padding=0):
        return bytes([UDP, len(body) // 8, kind, left, detail, padding << 4, 0, 0]) + body

    there = (route(0, 1, 0, last), route(0, 2, 0, other + last),
             route(2, 1, 0, last), route(4, 1, 0, last), route(4, 1, 1, last + other),
             route(4, 2, 2, last + other + other),
             route(4, 1, 0, last + bytes([5, 6]) + bytes(6)),      # with a TLV
             route(3, 1, 0, last), route(3, 1, 0x0f, b"\2" + bytes(7), 7),
             route(3, 2, 0x0f, other + b"\2" + bytes(7), 7))
    back = ipv6(UDP, udp(53, 1000), b, a)
    for header in there:
        packet = ipv6(43, header + udp(), a, stop)
        flow = only_flow(pcap([ether(0x86dd, packet), ether(0x86dd, back)]))
        assert ends(flow) == ("udp", a, 1000, b, 53), header
        assert (flow["packets_ab"], flow["packets_ba"]) == (1, 1)
        used = ipv6(43, header[:3] + b"\0" + header[4:] + udp(), a, b)
        assert ends(only_flow(pcap([ether(0x86dd, used)]))) == ("udp", a, 1000, b, 53)


def a_mobile_node_has_its_home_address(_):
    home, away, peer = "fd00::a", "2001:db8::c", "fd00::b"
    for padding in (b"\1\2\0\0", b"\0\0\0\0"):
        option = bytes([UDP, 2]) + padding + bytes([0xc9, 16]) + address(home)
        there = ipv6(60, option + udp(), away, peer)
        back = ipv6(43, bytes([UDP, 2, 2, 1]) + bytes(4) + address(home) + udp(53, 1000),
                    peer, away)
        flow = only_flow(pcap([ether(0x86dd, there), ether(0x86dd, back)]))
        assert ends(flow) == ("udp", home, 1000, peer, 53)
        assert (flow["packets_ab"], flow["packets_ba"]) == (1, 1)
    in_hops = bytes([60, 2]) + padding + bytes([0xc9, 16]) + address(home)
    packet = ipv6(0, in_hops + extension(UDP) + udp(), away, peer)
    assert only_flow(pcap([ether(0x86dd, packet)]))["a"] == away


def an_ipv6_length_of_0_is_that_of_the_frame(_):
    for size in (7, 3000, 65528, 70000, 200000):
        for following, body in ((UDP, udp(payload=bytes(size), length=0)),
                                (TCP, tcp(payload=bytes(size)))):
            for before in (b"", extension(following)):
                packet = ipv6(60 if before else following, before + body, length=0)
                out = report(pcap([ether(0x86dd, packet)]))
                assert out["payload_bytes"] == size and out["flow_count"] == 1
    only_skipped(pcap([ether(0x86dd, ipv6(TCP, b"", length=0))]), "malformed")
    padded = ether(0x86dd, ipv6(59, bytes(6), length=0))
    assert report(pcap([padded]))["payload_bytes"] == 0


def arp_over_atm_is_no_ip(_):
    for hardware, name in ((1, "flow"), (20, "flow"), (19, "not_ip")):
        body = struct.pack(">HHBBH", hardware, 0x0800, 6, 4, 1) + bytes(40)
        data = pcap([ether(0x0806, body)])
        if name == "flow":
            assert only_flow(data)["protocol"] == "arp"
        else:
            only_skipped(data, name)


def what_was_captured_counts_also_beyond_the_length_on_the_wire(_):
    frame = ether(0x0800, UDP4)
    for wire in (0, 20, 36):
        flow = only_flow(pcap([(frame, wire, 1, 0)]))
        assert ends(flow) == FLOW4 and flow["bytes_ab"] == wire


def a_jumbogram_says_its_length_in_an_option(_):
    option = bytes([UDP, 0, 0xc2, 4]) + struct.pack(">I", 70000)
    data = udp(payload=bytes(69984), length=0)
    flow = only_flow(pcap([ether(0x86dd, ipv6(0, option + data, length=0))]))
    assert ends(flow) == FLOW6
    frame = ether(0x86dd, ipv6(0, extension(UDP) + data, length=0))
    assert ends(only_flow(pcap([frame]))) == FLOW6


def fragments_belong_to_the_flow_of_the_first(_):
    def fragments(source, number, sizes=(16, 24, 8)):
        at, out = 0, []
        for size in sizes:
            more = 0x2000 if size != sizes[-1] else 0
            body = udp(1000, 53, bytes(size - 8)) if at == 0 else bytes(size)
            packet = bytearray(ipv4(UDP, body, source, fragment=more | at // 8))
            packet[4:6] = struct.pack(">H", number)
            out.append(ether(0x0800, bytes(packet)))
            at += size
        return out

    one, two = fragments("10.0.0.1", 5), fragments("10.0.0.9", 5)
    mixed = [frame for pair in zip(one, two) for frame in pair]
    other = ether(0x0800, ipv4(UDP, udp(53, 1000), "10.0.0.2", "10.0.0.1"))
    for threads in (1, 2, 4):
        out = report(pcap([*mixed, other]), "-t", threads)
        assert not skipped_of(out) and out["flow_count"] == 2
        assert sorted((flow["a"], flow["a_port"], flow["packets_ab"], flow["packets_ba"])
                      for flow in out["flows"]) \
            == [("10.0.0.1", 1000, 3, 1), ("10.0.0.9", 1000, 3, 0)]
    # Other numbers, other hosts, the other way: these are of other packets.
    for foreign in (fragments("10.0.0.1", 6)[1], fragments("10.0.0.3", 5)[1],
                    ether(0x0800, ipv4(UDP, bytes(8), "10.0.0.2", "10.0.0.1", fragment=2))):
        assert skipped_of(report(pcap([one[0], foreign]))) == {"fragment": 1}
    ping = ether(0x0800, ipv4(ICMP, bytes(8), fragment=2))
    assert only_flow(pcap([ping]))["protocol"] == "icmp"
    head = bytes([60, 0, 0, 1]) + struct.pack(">I", 77)
    tail = bytes([60, 0, 0, 16]) + struct.pack(">I", 77)
    first = ether(0x86dd, ipv6(44, head + extension(UDP) + udp()[:8]))
    later = ether(0x86dd, ipv6(44, tail + bytes(40)))
    flow = only_flow(pcap([first, later]))
    assert ends(flow) == FLOW6 and flow["packets_ab"] == 2
    assert skipped_of(report(pcap([later, later]))) == {"fragment": 2}


def only_so_many_first_fragments_are_remembered(_):
    def fragment(number, offset):
        packet = bytearray(ipv4(UDP, udp(), fragment=0x2000 | offset,
                                source="10.1.%d.%d" % (number // 200, number % 200)))
        return ether(0x0800, bytes(packet))

    frames = [fragment(number, 0) for number in range(9000)]
    out = report(pcap([*frames, fragment(8999, 1), fragment(5000, 1), fragment(7, 1)]), "-n1")
    assert skipped_of(out) == {"fragment": 1}


def flagged(flags, source=1000, destination=80, seq=0, ack=0, payload=b"", time=0,
            back=False):
    header = struct.pack(">HHIIBBHHH", source, destination, seq % 2**32, ack % 2**32, 0x50,
                         flags, 1024, 0, 0)
    if back:
        header = struct.pack(">HH", destination, source) + header[4:]
    hosts = ("10.0.0.2", "10.0.0.1") if back else ("10.0.0.1", "10.0.0.2")
    frame = ether(0x0800, ipv4(TCP, header + payload, *hosts))
    return frame, len(frame), 1000 + int(time), round(time % 1 * 1e6)


def tcp_flows_have_flags_retransmissions_and_the_time_of_the_handshake(_):
    syn, fin, ack, psh, rst = 2, 1, 16, 8, 4
    shake = [flagged(syn, seq=2**32 - 3, time=.1), flagged(syn, seq=2**32 - 3, time=.2),
             flagged(syn | ack, seq=50, ack=2**32 - 2, time=.25, back=True),
             flagged(ack, seq=2**32 - 2, ack=51, time=.275)]
    data = [flagged(ack | psh, seq=2**32 - 2, ack=51, payload=b"12345", time=1),
            flagged(ack, seq=3, ack=51, payload=b"678", time=2),
            flagged(ack, seq=2**32 - 2, ack=51, payload=b"12345", time=3),
            flagged(ack, seq=1, ack=51, payload=b"45678", time=3),
            flagged(ack, seq=5, ack=51, payload=b"8", time=3),          # keep-alive
            flagged(ack, seq=5, ack=51, payload=b"89", time=3),
            flagged(ack, seq=51, ack=7, time=4, back=True),
            flagged(ack, seq=51, ack=7, time=4, back=True),
            flagged(rst | ack, seq=51, ack=7, time=5, back=True)]
    for threads in (1, 2, 4):
        flow, = report(pcap(shake + data), "-t", threads)["flows"]
        assert (flow["tcp_flags_ab"], flow["tcp_flags_ba"]) == ("SPA", "SRA")
        assert (flow["retransmissions_ab"], flow["retransmissions_ba"]) == (3, 0), flow
        assert flow["handshake"] == 0.075
    flow = only_flow(pcap(data))
    assert flow["handshake"] is None and flow["retransmissions_ab"] == 2
    flow = only_flow(pcap([flagged(fin | ack, seq=9), flagged(fin | ack, seq=9)]))
    assert (flow["tcp_flags_ab"], flow["retransmissions_ab"]) == ("FA", 1)
    assert "tcp_flags_ab" not in only_flow(pcap([ether(0x0800, UDP4)]))


def timeouts_end_records(_):
    syn, ack = 2, 16
    seconds = (0, 1, 2, 10, 11, 30, 31)
    data = pcap([flagged(ack, seq=time, payload=b"x", time=time) for time in seconds])

    def counts(data, *arguments):
        out = report(data, "--sort=first", *arguments)
        assert sum(f["packets_ab"] + f["packets_ba"] for f in out["flows"]) == out["packets"]
        assert out["flow_count"] == len(out["flows"])
        return [f["packets_ab"] + f["packets_ba"] for f in out["flows"]]

    for threads in ("-t1", "-t2", "-t4"):
        assert counts(data, threads) == [7]
        assert counts(data, threads, "--inactive-timeout=5") == [3, 2, 2]
        assert counts(data, threads, "-I", "8") == [5, 2]
        assert counts(data, threads, "-I19") == [7]
        assert counts(data, threads, "--active-timeout=10") == [3, 2, 2]
        assert counts(data, threads, "-A", "30", "-I", "100") == [5, 2]
    # A connection is a record; a SYN that comes again begins none.
    twice = pcap([flagged(syn, seq=1, time=0), flagged(syn, seq=1, time=1),
                  flagged(syn | ack, seq=9, ack=2, time=1, back=True),
                  flagged(syn, seq=500, time=2), flagged(ack, seq=501, time=3)])
    assert counts(twice) == [5] and counts(twice, "-I1000") == [3, 2]


def csv_has_a_line_for_each_flow(_):
    done = run("--csv", "--sort=first", "-", stdin=pcap(
        [flagged(2, time=0), ether(0x86dd, UDP6)]))
    lines = done.stdout.decode().split("\r\n")
    assert lines[0].split(",")[:4] == ["protocol", "a", "a_port", "b"] and lines[3] == ""
    assert lines[1] == "tcp,10.0.0.1,1000,10.0.0.2,80,1,54,0,0,1000.000000,1000.000000,S,,0,0,"
    assert lines[2].startswith("udp,fd00::1,1000,fd00::2,53,1,69,0,0,1001.000000,")
    assert all(line.count(",") == lines[0].count(",") for line in lines[:-1])
    assert run("-c", "-n1", "-", stdin=sized_flows()).stdout.count(b"\n") == 2


def the_last_words_are_a_filter(folder):
    data = pcap([ether(0x0800, UDP4), ether(0x86dd, UDP6), flagged(2)[0]])
    path = folder / "tcp"          # a file that is called like a word of filters
    path.write_bytes(data)
    for words, count in ((["udp"], 2), (["udp", "and", "ip6"], 1), (["tcp port 80"], 1),
                         (["not", "udp"], 1), (["(tcp", "or", "ip6)"], 2),
                         (["host", "10.0.0.1"], 2), (["tcp[13] & 2 != 0"], 1), ([], 3)):
        out = json.loads(run("--json", str(path), *words).stdout)
        assert out["packets"] == count, words
    assert json.loads(run("--json", "tcp", "tcp", cwd=folder).stdout)["packets"] == 6
    assert json.loads(run("--json", str(path), str(path), "ip6").stdout)["packets"] == 2
    for words in (["nonsense"], ["port"], ["udp", "and"], ["host 1.2.3.4.5"]):
        done = run(path, *words)
        assert done.returncode == 2 and not done.stdout
        one_line(done, words[0])
    mixed = section() + interface(ETHERNET) + interface(RAW) + interface(SLL2) \
        + packet_block(0, ether(0x0800, UDP4)) + packet_block(1, UDP4) \
        + packet_block(2, b"\x08\x00" + bytes(18) + UDP4) + packet_block(0, UDP4)
    out = json.loads(run("--json", "-", "udp", "port", "53", stdin=mixed).stdout)
    assert out["packets"] == 3 and out["flow_count"] == 1
    done = run("--json", "-", "ether", "host", "02:00:00:00:00:01", stdin=mixed)
    assert done.returncode == 1 and json.loads(done.stdout)["packets"] == 1
    one_line(done, "packet 2")


def an_interface_is_captured_from(_):
    done = run("-i", "no-such-interface")
    assert done.returncode == 1
    one_line(done, "no-such-interface")
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip") \
            or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        return
    code = "import sys; sys.path.insert(0, %r); import test_cli; test_cli.capture_lo(%r)" \
        % (os.path.dirname(os.path.abspath(__file__)), PROGRAM)
    script = "ip link set lo up && exec %s -c %s" % (sys.executable, shlex.quote(code))
    subprocess.run(["unshare", "-n", "sh", "-c", script], check=True, timeout=60)


def capture_lo(program):
    """In a network of its own: what is sent over lo is counted."""
    with subprocess.Popen([program, "--json", "-i", "lo", "udp", "port", "9"],
                          stdout=subprocess.PIPE) as process:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sent = 0
        while process.poll() is None and sent < 100:
            # It may not have begun to listen.
            sender.sendto(b"x" * sent, ("127.0.0.1", 9 if sent % 2 else 10))
            sent += 1
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        killer = threading.Timer(10, process.kill)
        killer.start()
        out = json.loads(process.stdout.read())
        assert process.wait() == 0 and out["complete"] is True
        killer.cancel()
        flow, = out["flows"]
        assert flow["b_port"] == 9 and 20 < flow["packets_ab"] <= 50, flow


def a_flow_needs_no_more_than_addresses_and_ports(_):
    frame = ether(0x0800, ipv4(TCP, tcp(payload=bytes(100))))
    least = 14 + 20 + 4
    cut = [(frame[:length], len(frame), 1, 0) for length in range(len(frame))]
    out = report(pcap(cut[:least]))
    assert skipped_of(out) == {"truncated": least} and not out["flows"]
    flow = only_flow(pcap(cut[least:]))
    assert ends(flow) == ("tcp", "10.0.0.1", 1000, "10.0.0.2", 80)
    assert flow["packets_ab"] == len(frame) - least
    assert flow["bytes_ab"] == (len(frame) - least) * len(frame)
    frame = ether(0x0800, ipv4(ICMP, bytes(64)))
    assert ends(only_flow(pcap([(frame[:34], 98, 1, 0)]))) \
        == ("icmp", "10.0.0.1", 0, "10.0.0.2", 0)


def payload_is_what_is_left_behind_the_headers(_):
    for packet, size in ((ipv4(TCP, tcp(payload=bytes(33))), 33),
                         (ipv4(TCP, tcp(payload=bytes(33), words=8)), 33),
                         (ipv4(TCP, tcp()), 0), (ipv4(UDP, udp(payload=bytes(5))), 5),
                         (ipv4(UDP, udp(payload=bytes(5)) + bytes(9)), 5),
                         (ipv4(ICMP, bytes(64)), 64), (ipv4(TCP, tcp(words=4)), 0)):
        out = report(pcap([ether(0x0800, packet) + bytes(11)]))
        assert out["payload_bytes"] == size, (size, out["payload_bytes"])


def flows_are_bidirectional_and_a_is_who_sent_first(_):
    there = ether(0x0800, ipv4(TCP, tcp(80, 1000), "10.0.0.2", "10.0.0.1"))
    back = ether(0x8100, vlan(7, 0x0800, ipv4(TCP, tcp(1000, 80), "10.0.0.1",
                                              "10.0.0.2")))
    flow = only_flow(pcap([there, back, back]))
    assert ends(flow) == ("tcp", "10.0.0.2", 80, "10.0.0.1", 1000)
    assert (flow["packets_ab"], flow["packets_ba"]) == (1, 2)
    assert (flow["bytes_ab"], flow["bytes_ba"]) == (54, 116)
    same = ether(0x0800, ipv4(UDP, udp(9, 9), "10.0.0.1", "10.0.0.1"))
    assert only_flow(pcap([same, same]))["packets_ab"] == 2


def protocols_have_names(_):
    wanted, packets = [], []
    for number, name in ((1, "icmp"), (2, "igmp"), (4, "ipip"), (41, "ipv6"),
                         (47, "gre"), (50, "esp"), (51, "ah"), (58, "icmpv6"),
                         (89, "ospf"), (103, "pim"), (112, "vrrp"), (0, "ip-0"),
                         (253, "ip-253"), (255, "ip-255")):
        packets.append(ether(0x0800, ipv4(number, bytes(40))))
        wanted.append((name, "10.0.0.1", 0, "10.0.0.2", 0))
    for number, name in ((132, "sctp"), (33, "dccp"), (136, "udplite")):
        packets.append(ether(0x0800, ipv4(number, tcp(5, 6))))
        wanted.append((name, "10.0.0.1", 5, "10.0.0.2", 6))
    assert sorted(map(ends, report(pcap(packets))["flows"])) == sorted(wanted)


def a_tunnel_is_a_flow_of_its_outer_addresses(_):
    for number, inner in ((4, UDP4), (41, UDP6), (47, b"\0\0\x08\0" + UDP4)):
        data = pcap([ether(0x0800, ipv4(number, inner, "10.9.0.1", "10.9.0.2"))])
        flow = only_flow(data)
        assert (flow["a"], flow["a_port"]) == ("10.9.0.1", 0)
        assert report(data)["tunnel"] == 1
    assert report(pcap([ether(0x0800, UDP4)]))["tunnel"] == 0


def arp_is_a_flow_between_protocol_addresses(_):
    def arp(hardware, kind, size, payload):
        return struct.pack(">HHBBH", 1, kind, hardware, size, 1) + payload
    for hardware in (6, 0, 20):
        payload = bytes(hardware) + address("10.0.0.1") + bytes(hardware) \
            + address("10.0.0.2")
        for kind in (0x0806, 0x8035):
            frame = ether(kind, arp(hardware, 0x0800, 4, payload) + bytes(18))
            assert ends(only_flow(pcap([frame]))) \
                == ("arp", "10.0.0.1", 0, "10.0.0.2", 0)
    only_skipped(pcap([ether(0x0806, arp(6, 0x86dd, 16, bytes(44)))]), "not_ip")
    only_skipped(pcap([ether(0x0806, arp(6, 0x0800, 4, bytes(19)))]), "malformed")


# Captures.

def a_record_may_hold_more_than_the_frame_had(_):
    frame = ether(0x0800, UDP4)
    flow = only_flow(pcap([(frame, 20, 1, 0)]))
    assert ends(flow) == FLOW4 and flow["bytes_ab"] == 20


def a_snapshot_length_that_is_too_small_cuts_nothing(_):
    for order in "<>":
        assert ends(only_flow(pcap([ether(0x0800, UDP4)], order=order, snaplen=20))) \
            == FLOW4


def a_cut_capture_gives_what_was_read_and_names_the_packet(folder):
    frame = ether(0x0800, UDP4)
    data = pcap([frame] * 3)
    record = 16 + len(frame)
    path = folder / "cut.pcap"
    begins = 24 + 2 * record
    # In what goes before a packet, and in the packet.
    for length in (*range(begins + 1, begins + 17, 3), begins + 17, begins + record - 1):
        path.write_bytes(data[:length])
        done = run("--json", path)
        assert done.returncode == 1
        one_line(done, "cut.pcap", "packet 3")
        out = json.loads(done.stdout)
        assert out["packets"] == 2 and out["complete"] is False
    for length in (1, 3, 4, 5, 8, 23):
        path.write_bytes(data[:length])
        done = run(path)
        assert done.returncode == 1
        one_line(done, "cut.pcap")


def a_damaged_record_ends_the_file_and_not_the_run(folder):
    frame = ether(0x0800, UDP4)
    data = bytearray(pcap([frame] * 3))
    struct.pack_into("<I", data, 24 + 16 + len(frame) + 8, 0x7fffffff)
    (folder / "bad").write_bytes(data)
    (folder / "good").write_bytes(pcap([frame] * 5))
    done = run("--json", folder / "bad", folder / "good")
    assert done.returncode == 1
    one_line(done, "bad", "packet 2")
    assert json.loads(done.stdout)["packets"] == 6


def large_packets_are_read_whole(_):
    frame = ether(0x0800, ipv4(UDP, udp(payload=bytes(60000))))
    out = report(pcap([frame] * 300), "--threads", "2")
    assert out["packets"] == 300 and out["payload_bytes"] == 300 * 60000


def pcapng_interfaces_may_differ(_):
    for order in "<>":
        data = section(order) + interface(ETHERNET, 96, order) \
            + interface(RAW, 0, order) + interface(USER0, 65535, order) \
            + packet_block(0, ether(0x0800, UDP4), order) \
            + packet_block(1, UDP6, order) \
            + block(0x0f00, b"of no known type", order) \
            + interface(IPV4, 5, order) \
            + packet_block(3, UDP4, order) + packet_block(2, UDP4, order)
        out = report(data + data)
        assert out["packets"] == 8 and out["skipped"]["unsupported_link"] == 2
        assert {ends(flow) for flow in out["flows"]} == {FLOW4, FLOW6}


def older_pcapng_packet_blocks_are_read(_):
    frame = ether(0x0800, UDP4)
    simple = block(3, struct.pack("<I", 5000) + frame)
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 0, len(frame), 5000) + frame)
    flow = only_flow(section() + interface(ETHERNET, len(frame)) + simple + old)
    assert ends(flow) == FLOW4
    assert (flow["packets_ab"], flow["bytes_ab"]) == (2, 10000)


def damaged_pcapng_gives_what_was_read(_):
    head = section() + interface(ETHERNET)
    good = packet_block(0, ether(0x0800, UDP4))
    wrong_trailer = good[:-4] + b"\1\0\0\0"
    for tail in (good[:-1], good[:9], good[:3], wrong_trailer,
                 packet_block(7, b"no such interface"), struct.pack("<II", 6, 13),
                 struct.pack("<II", 6, 8), struct.pack("<II", 6, 0xfffffff0),
                 section(">") + interface(ETHERNET, 0, ">"),
                 block(0x0a0d0d0a, b"no section..."), block(1, b""), block(6, b"1234"),
                 block(3, struct.pack("<I", 900) + b"less")):
        done = run("--json", "-", stdin=head + good + tail)
        assert done.returncode == 1, tail
        one_line(done, "standard input", "packet 2")
        assert json.loads(done.stdout)["packets"] == 1


def main():
    global PROGRAM, DATA
    if len(sys.argv) != 3:
        sys.exit("usage: test_cli.py IBUF_FLOW DATA_DIR")
    PROGRAM, DATA = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    assert list(DATA.glob("*.pcap")), "no captures in " + sys.argv[2]
    tests = [value for name, value in globals().items()
             if callable(value) and value.__code__.co_varnames[:1] in (("_",), ("folder",))
             and value.__code__.co_argcount == 1]
    failed = 0
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(pathlib.Path(folder))
            except Exception:
                failed += 1
                print("FAILED " + test.__name__)
                traceback.print_exc(file=sys.stdout)
    print("%d tests, %d failed" % (len(tests), failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
