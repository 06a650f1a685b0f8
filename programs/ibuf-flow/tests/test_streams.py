#!/usr/bin/env python3
"""Compare the streams and names that ibuf-flow finds with tshark's, and with captures
made by hand.

Usage: test_streams.py IBUF_FLOW DATA_DIR

Each test is a function whose name says what must hold; it gets a folder of its own.
Streams of the recorded captures must be the bytes of `tshark -z follow,tcp,raw`, each
side of each stream; names must be those of tshark's fields. What no one can record -
lies, attacks - is packed here, and the expected bytes are known.

Exit status: 0, 1 when a test failed, 77 when there is no tshark.
"""

import collections
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import traceback

import follow
import oracle
import test_cli
from test_cli import TCP, UDP, ether, ipv4, ipv6, pcap, udp

PROGRAM = DATA = None

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.1", 4000), ("10.0.0.2", 80)


class Result:
    """What came of a capture: the report, and the files by stream and side."""

    def __init__(self, folder, data, *arguments, status=0):
        path, out = folder / "capture.pcap", folder / "out"
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path = data
        command = [*PROGRAM, "--json", "--extract", out, *arguments, path]
        done = subprocess.run(list(map(str, command)), capture_output=True, timeout=600)
        assert done.returncode == status, (done.returncode, done.stderr[-2000:])
        self.complaint = done.stderr.decode()
        self.report = json.loads(done.stdout)
        self.files = collections.defaultdict(dict)
        for file in sorted(out.iterdir()):
            number, source, destination = re.fullmatch(
                r"stream-(\d{6,})-(.*_\d+)-to-(.*_\d+)\.raw", file.name).groups()
            assert destination != source or len(self.files[int(number)]) == 0
            self.files[int(number)][source] = file.read_bytes()
            file.unlink()
        out.rmdir()
        assert self.report["pool"]["allocated"] == 0
        assert self.report["pool"]["handles"] == 0

    def sent(self, who=CLIENT, stream=0):
        return self.files[stream]["%s_%d" % who]

    def counts(self):
        counts = dict(self.report["streams"])
        return {name: value for name, value in counts.items()
                if value and name not in ("count", "held_peak")}

    def names(self):
        found = {"http": set(), "tls": set(), "dns": set()}
        for flow in self.report["flows"]:
            found["http"] |= {(request["method"], request["target"], request["host"])
                              for request in flow["http"]}
            for kind in ("tls", "dns"):
                found[kind] |= {(name,) for name in flow[kind + "_names"]}
            assert flow["tls_name"] == (flow["tls_names"] or [None])[0]
        return found


def segment(seq, payload=b"", flags=ACK, source=CLIENT, destination=SERVER, ack=1,
            wire=None):
    """A frame; with wire, the whole payload has that many bytes, and was cut."""
    header = struct.pack(">HHIIBBHHH", source[1], destination[1], seq % 2**32,
                         ack % 2**32, 5 << 4, flags, 1024, 0, 0)
    size = len(payload) if wire is None else wire
    frame = ether(0x0800, ipv4(TCP, header + payload, source[0], destination[0],
                               total=40 + size))
    return frame if wire is None else (frame, 54 + size, 1, 0)


def back(seq, payload=b"", flags=ACK, ack=1):
    return segment(seq, payload, flags, SERVER, CLIENT, ack)


def letters(count, seed=1):
    return random.Random(seed).randbytes(count)


def cut(data, size=1000, start=0):
    """Segments of a stream, with their sequence numbers."""
    return [(start + at, data[at:at + size]) for at in range(0, len(data), size)]


def tshark_agrees(folder, result):
    """tshark's streams are ours, on the capture that was just read."""
    streams = follow.streams(folder / "capture.pcap")
    assert len(streams) == result.report["streams"]["count"]
    for number, stream in enumerate(streams):
        same_bytes(result, number, stream)


def same_bytes(result, number, stream):
    files = result.files.get(number, {})
    if not any(stream.bytes):
        assert not files, (number, files)
        return
    ends = [re.sub(r"^\[?(.*?)\]?:(\d+)$", r"\1_\2", end) for end in stream.ends]
    assert set(files) == set(ends), (number, list(files), ends)
    for end, expected in zip(ends, stream.bytes):
        assert files[end] == expected, \
            "stream %d, %s: %d bytes, tshark %d" % (number, end, len(files[end]),
                                                    len(expected))


# Recorded captures.

def recorded():
    return sorted([*DATA.glob("*.pcap"), *DATA.glob("*.pcapng")])


def every_recorded_stream_is_what_tshark_follows(folder):
    compared = 0
    for path in recorded():
        result = Result(folder, path)
        streams = follow.streams(path)
        assert len(streams) == result.report["streams"]["count"], path
        for number, stream in enumerate(streams):
            assert stream.is_whole(), (path, number)
            same_bytes(result, number, stream)
            compared += any(stream.bytes)
    assert compared > 30


def every_recorded_name_is_what_tshark_reads(folder):
    total = collections.Counter()
    for path in recorded():
        ours, theirs = Result(folder, path).names(), follow.names(path)
        for kind, names in ours.items():
            assert names == set(theirs[kind]), (path, kind, names, theirs[kind])
            total[kind] += len(names)
    assert total["http"] >= 5 and total["dns"] >= 3, total


def the_number_of_threads_and_little_memory_change_nothing_but_what_is_lost(folder):
    for path in [DATA / "lossy.pcap", DATA / "redis.pcap", DATA / "http6.pcap"]:
        for memory in ("4K", "40K", "256M"):
            results = []
            for threads in (1, 2, 5):
                result = Result(folder, path, "-t", threads, "-m", memory)
                results.append((result.report["streams"], result.names(), result.files))
            assert results[0] == results[1] == results[2], (path, memory)
            assert results[0][0]["held_peak"] < 200000


# Order.

def segments_in_any_order_are_one_stream(folder):
    data = letters(20000)
    for seed in range(20):
        segments = cut(data, 700, 101)
        random.Random(seed).shuffle(segments)
        packets = [segment(100, flags=SYN), back(500, flags=SYN | ACK, ack=101)]
        packets += [segment(*each) for each in segments]
        result = Result(folder, pcap(packets))
        assert result.sent() == data and result.counts() == {}
        if seed == 0:
            tshark_agrees(folder, result)


def sequence_numbers_wrap(folder):
    data = letters(50000)
    for start in (2**32 - 25000, 2**32 - 1, 2**31 - 25000, 2**32 - 50000):
        segments = cut(data, 1400, start + 1)
        for index in range(0, len(segments) - 3, 3):
            segments[index], segments[index + 2] = segments[index + 2], segments[index]
        packets = [segment(start, flags=SYN)] + [segment(*each) for each in segments]
        result = Result(folder, pcap(packets))
        assert result.sent() == data and result.counts() == {}, start
        tshark_agrees(folder, result)


def more_than_4_gib_can_be_counted(folder):
    data = letters(60)
    packets = [segment(0, flags=SYN)]
    for step in range(6):
        packets.append(segment(1 + step * 2**30, data[10 * step:10 * step + 10]))
        packets.append(segment(11 + step * 2**30, b"-"))
    result = Result(folder, pcap(packets), "--max-gap", "1M")
    assert result.sent() == b"".join(data[at:at + 10] + b"-" for at in range(0, 60, 10))
    assert result.counts()["gap_bytes"] == 5 * (2**30 - 11)


def the_first_byte_received_wins(folder):
    packets = [segment(0, flags=SYN), segment(1, b"aaaa"), segment(3, b"bbbb"),
               segment(11, b"cccc"), segment(9, b"dddddddd"), segment(7, b"eeeeeeeee"),
               segment(1, b"ffffffffffffffffffff")]
    result = Result(folder, pcap(packets))
    assert result.sent() == b"aaaabbddccccddffffff"[:6] + b"eeddccccdd" + b"ffff"
    assert result.counts() == {"repeated_bytes": 2 + 4 + 7 + 16}


def random_overlaps_are_resolved_byte_by_byte(folder):
    for seed in range(60):
        chance = random.Random(seed)
        size, packets, expected = 3000, [segment(0, flags=SYN)], [None] * 3000
        for number in range(120):
            at = chance.randrange(size)
            count = min(chance.choice([1, 10, 300, 1400]), size - at)
            payload = chance.randbytes(count)
            packets.append(segment(1 + at, payload))
            for index in range(count):
                if expected[at + index] is None:
                    expected[at + index] = payload[index]
        result = Result(folder, pcap(packets))
        assert result.sent() == bytes(b for b in expected if b is not None), seed
        assert result.counts().get("gap_bytes", 0) <= expected.count(None), seed


def old_segments_and_keep_alives_add_nothing(folder):
    data = letters(5000)
    packets = [segment(0, flags=SYN)]
    for at, payload in cut(data, 500, 1):
        packets += [segment(at, payload), segment(at, payload), segment(at - 1, b"?"),
                    segment(max(1, at - 700), data[max(0, at - 701):at + 99])]
    result = Result(folder, pcap(packets))
    assert result.sent() == data
    tshark_agrees(folder, result)


# Gaps.

def a_gap_is_skipped_when_enough_came_behind_it(folder):
    data = letters(100000)
    segments = [each for each in cut(data, 1000, 1) if each[0] != 5001]
    packets = [segment(0, flags=SYN)] + [segment(*each) for each in segments]
    for arguments in (["-g", "10000"], []):
        result = Result(folder, pcap(packets), *arguments)
        assert result.sent() == data[:5000] + data[6000:]
        assert result.counts() == {"gaps": 1, "gap_bytes": 1000}
    late = packets + [segment(5001, data[5000:6000])]
    result = Result(folder, pcap(late), "-g", "10000")
    assert result.sent() == data[:5000] + data[6000:]
    assert result.counts() == {"gaps": 1, "gap_bytes": 1000, "late_bytes": 1000}
    assert result.report["streams"]["held_peak"] < 60000
    result = Result(folder, pcap(late), "-g", "100000")
    assert result.sent() == data
    assert result.counts() == {}


def a_gap_larger_than_the_limit_is_skipped_at_once(folder):
    packets = [segment(0, flags=SYN), segment(1, b"one"), segment(1 << 21, b"two"),
               segment((1 << 21) + 3, b"three")]
    result = Result(folder, pcap(packets))
    assert result.sent() == b"onetwothree"
    assert result.counts() == {"gaps": 1, "gap_bytes": (1 << 21) - 4}


def a_stream_may_jump_far_and_go_on(folder):
    for step in (1 << 28, 1 << 30, (1 << 31) - 100):
        packets = [segment(1000, flags=SYN)]
        packets += [segment(1001 + number * step, b"%03d" % number) for number in range(40)]
        result = Result(folder, pcap(packets), "-g", "1G")
        assert result.sent() == b"".join(b"%03d" % number for number in range(40)), step
        assert result.counts() == {"gaps": 39, "gap_bytes": 39 * (step - 3)}


def bytes_that_come_late_are_not_called_repeated(folder):
    packets = [segment(5000, b"first seen"), segment(4000, b"before it"),
               segment(5010, b"next"), segment(5000, b"first seen")]
    result = Result(folder, pcap(packets))
    assert result.sent() == b"first seennext"
    assert result.counts() == {"late_bytes": 9, "repeated_bytes": 10}
    packets = [segment(0, flags=SYN)]
    for number in range(30):
        packets += [segment(11 + 20 * number, b"0123456789"), segment(1 << 29, b"")]
    packets += [segment(1 + 20 * number, bytes(20)) for number in range(30)]
    result = Result(folder, pcap(packets), "-g", "0")
    assert result.counts() == {"gaps": 30, "gap_bytes": 300, "late_bytes": 300 + 210,
                               "repeated_bytes": 300 - 210}, result.counts()


def one_stray_segment_far_away_does_no_harm(folder):
    data = letters(30000)
    for stray in (2**31 - 5000, 2**30, 5 << 20):
        segments = cut(data, 1000, 1)
        packets = [segment(0, flags=SYN)] + [segment(*each) for each in segments]
        packets.insert(5, segment(stray, b"stray"))
        result = Result(folder, pcap(packets))
        assert result.sent() == data + b"stray", stray


def what_was_not_captured_is_waited_for_by_nobody(folder):
    packets = [segment(0, flags=SYN), segment(1, b"abc", wire=1000),
               segment(2001, b"ghi", wire=1000), segment(1001, b"def", wire=1000),
               segment(3001, b"", wire=5), segment(3006, b"jkl")]
    result = Result(folder, pcap(packets))
    assert result.sent() == b"abcdefghijkl"
    assert result.counts() == {"uncaptured_bytes": 3 * 997 + 5}


# Which stream.

def a_syn_of_its_own_begins_a_new_stream(folder):
    packets = []
    for number in range(4):
        start = 1000 * number
        packets += [segment(start, flags=SYN), segment(start, flags=SYN),
                    back(9, flags=SYN | ACK, ack=start + 1),
                    segment(start + 1, b"stream %d" % number, ack=10),
                    back(10, b"answer %d" % number),
                    segment(start + 9, flags=RST if number % 2 else FIN | ACK, ack=18)]
    result = Result(folder, pcap(packets))
    assert result.report["streams"]["count"] == 4 and result.report["flow_count"] == 1
    for number in range(4):
        assert result.sent(CLIENT, number) == b"stream %d" % number
        assert result.sent(SERVER, number) == b"answer %d" % number
    tshark_agrees(folder, result)


def a_refused_port_can_be_tried_again(folder):
    packets = [segment(77, flags=SYN), back(0, flags=RST | ACK, ack=78),
               segment(77, flags=SYN), back(5000, flags=SYN | ACK, ack=78),
               segment(78, b"hello", ack=5001), back(5001, b"world", ack=83)]
    result = Result(folder, pcap(packets))
    assert result.sent() == b"hello" and result.sent(SERVER) == b"world"
    tshark_agrees(folder, result)


def streams_without_their_begin_and_data_in_a_syn_are_read(folder):
    packets = [segment(5000, b"in the middle", ack=9000), back(9000, b"of it", ack=5013),
               segment(7, b"fast open", SYN, ("10.0.0.3", 1), SERVER),
               segment(17, b", and more", ACK, ("10.0.0.3", 1), SERVER)]
    result = Result(folder, pcap(packets))
    assert result.sent() == b"in the middle" and result.sent(SERVER) == b"of it"
    assert result.sent(("10.0.0.3", 1), 1) == b"fast open, and more"
    tshark_agrees(folder, result)


def streams_in_tunnels_are_streams(folder):
    tcp = segment(1, requests("GET /in HTTP/1.1", "Host: tunnel", ""))
    inner, v6 = tcp[14:], ipv6(TCP, tcp[34:])
    for protocol, payload in (
            (4, inner), (41, v6), (97, b"\x30\0" + tcp), (47, b"\0\0\x08\0" + inner),
            (47, b"\0\0\x86\xdd" + v6), (47, b"\0\0\x65\x58" + tcp),
            (47, b"\xb0\0\x08\0" + bytes(12) + inner),
            (UDP, udp(999, 4789, b"\x08" + bytes(7) + tcp)),
            (4, ipv4(47, b"\0\0\x08\0" + ipv4(41, v6)))):
        result = Result(folder, pcap([ether(0x0800, ipv4(protocol, payload, "1.1.1.1",
                                                         "2.2.2.2"))]))
        assert result.report["streams"]["count"] == 1
        flow, = result.report["flows"]
        assert flow["a"] == "1.1.1.1" and flow["http"][0]["host"] == "tunnel", protocol
        tshark_agrees(folder, result)
    for protocol, payload in ((47, b"\x40\0\x08\0" + inner), (47, b"\0\1\x08\0" + inner),
                              (47, b"\0\0\x88\x0b" + inner), (47, b"\0"), (4, b"\x45"),
                              (UDP, udp(999, 4789, bytes(8) + tcp))):
        result = Result(folder, pcap([ether(0x0800, ipv4(protocol, payload))]))
        assert result.report["streams"]["count"] == 0 and len(result.report["flows"]) == 1


def streams_go_on_in_the_next_file(folder):
    first, second = folder / "first", folder / "second"
    first.write_bytes(pcap([segment(0, flags=SYN), segment(1, b"one, ")]))
    second.write_bytes(pcap([segment(6, b"two")]))
    result = Result(folder, second, first)
    assert result.sent() == b"one, two"


# Names.

def requests(*lines):
    return "".join(line + "\r\n" for line in lines).encode()


def http_names(folder, data, size=1400, **options):
    packets = [segment(0, flags=SYN)]
    packets += [segment(at, payload) for at, payload in cut(data, size, 1)]
    result = Result(folder, pcap(packets), **options)
    flow, = result.report["flows"]
    return [(each["method"], each["target"], each["host"]) for each in flow["http"]]


def requests_follow_each_other_whatever_the_segments(folder):
    data = requests("GET /one HTTP/1.1", "Host: a.example", "") \
        + requests("POST /two HTTP/1.1", "HOST:b.example ", "Content-Length: 29", "") \
        + b"GET /no HTTP/1.1\r\nHost: no\r\n\n" \
        + requests("PUT /three HTTP/1.1", "host: c.example", "Transfer-Encoding: chunked",
                   "", "19;x=y", "GET /no HTTP/1.1\r\nHost: n", "0", "Trailer: t", "") \
        + requests("HEAD * HTTP/1.0", "") + b"GET /lf HTTP/1.1\nHost: d.example\n\n"
    expected = [("GET", "/one", "a.example"), ("POST", "/two", "b.example"),
                ("PUT", "/three", "c.example"), ("HEAD", "*", None),
                ("GET", "/lf", "d.example")]
    for size in (1, 2, 3, 7, 50, 1400):
        assert http_names(folder, data, size) == expected, size


def what_is_no_request_is_none(folder):
    for data in (b"HTTP/1.1 200 OK\r\n\r\n", b"GET /\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n",
                 b"EHLO x HTTP/2.0\r\n", b"G@T / HTTP/1.1\r\n", b"x@ GET HTTP/1.1\r\n",
                 b"HTTP/1.1 200 OK\r\n\r\nas in GET / HTTP/1.1\r\n", b"x" * 40000,
                 b"GET / HTTP/1.1x\r\n", b"\x17\3\3\0\x10GET / HTTP/1.1\r\n",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0" * 99, b"GET" * 20000,
                 b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n"):
        assert http_names(folder, data) == [], data[:40]


def a_request_is_found_behind_anything(folder):
    request = requests("GET /a HTTP/1.1", "Host: a.example", "")
    expected = [("GET", "/a", "a.example")]
    noise = letters(50000).replace(b"\n", b"?")
    for before in (b"\r\n", b"\r\n" * 9, b"\n\n", b" ", b"\0\1\2 ", b"x", b"\x16", b"\x16\3\1",
                   b"end of a body", b"a\nb\r\nc", b"GET ", b"POST /", b"A B C D ", b"getGET",
                   noise, noise[:16384], noise[:16383] + b" ", noise[:17000] + b"\n",
                   b"X" * 40000, b"GET " * 9000, b"{" + letters(3000) + b"}"):
        for size in (1, 5, 1400) if len(before) < 100 else (1400, 1399, 333):
            found = http_names(folder, before + request, size)
            assert found == expected, (before[:20], len(before), size, found)
    found = http_names(folder, b"dataDELETE /x HTTP/1.0\r\n\r\n"
                       + requests("M-SEARCH * HTTP/1.1", "HOST: m", "") + request)
    assert found == [("DELETE", "/x", None), ("M-SEARCH", "*", "m"), *expected]


def a_request_is_found_after_one_that_makes_no_sense(folder):
    good = requests("GET /good HTTP/1.1", "Host: g", "")
    for bad in (requests("POST /bad HTTP/1.1", "Content-Length: many", "") + b"body",
                requests("POST /bad HTTP/1.1", "Transfer-Encoding: chunked", "", "no size"),
                requests("GET /bad HTTP/1.1", "X: " + "y" * 20000, ""),
                requests("GET /bad HTTP/1.1", "") + b"\r\njunk\n"):
        names = [target for _, target, _ in http_names(folder, bad + good)]
        assert names == ["/bad", "/good"], (bad[:60], names)
    packets = [segment(0, flags=SYN), segment(1, requests("POST / HTTP/1.1",
                                                          "Content-Length: 9000", ""))]
    packets += [segment(1000, b"end of it" + good)]
    result = Result(folder, pcap(packets))
    assert {target for _, target, _ in result.names()["http"]} == {"/", "/good"}


def a_server_that_answers_asks_for_nothing(folder):
    answer = requests("HTTP/1.1 200 OK", "", "GET /in-a-book HTTP/1.1", "Host: no", "")
    packets = [segment(0, flags=SYN), segment(1, answer),
               segment(5000, requests("GET /in-a-book HTTP/1.1", ""))]
    assert Result(folder, pcap(packets)).names()["http"] == set()


def lines_that_are_folded_and_blanks_are_read(folder):
    for head, host in ((["Host:", " a.example"], "a.example"),
                       (["Host: \t", "\t a.example "], "a.example"),
                       (["X: y", " Host: no", "Host:", " a.example"], "a.example"),
                       (["Host:", " ", "  a.example"], "a.example"), (["Host:"], ""),
                       (["Host: a.example", " more"], "a.example")):
        data = requests("GET  /x y  HTTP/1.1", *head, "Content-Length:", " 4", "") \
            + b"GET " + requests("GET /2 HTTP/1.1", "")
        for size in (1, 1400):
            assert http_names(folder, data, size) == [("GET", "/x y", host),
                                                      ("GET", "/2", None)], head


def odd_bytes_in_names_are_escaped(folder):
    data = b"GET /\xff\x00\\\" HTTP/1.1\r\nHost: \xe4\x1b[m\r\n\r\n"
    assert http_names(folder, data) == [("GET", "/\\xff\\x00\\\\\"", "\\xe4\\x1b[m")]


def hello(name, padding=0, kind=0, lie=0):
    def vector(size, data):
        return len(data).to_bytes(size, "big") + data

    names = vector(2, bytes([kind]) + vector(2, name)) if name is not None else b""
    extensions = struct.pack(">H", 21) + vector(2, bytes(padding)) \
        + struct.pack(">H", 0) + vector(2, names)
    body = b"\3\3" + bytes(32) + vector(1, bytes(32)) + vector(2, bytes(4)) \
        + vector(1, b"\0") + vector(2, extensions)
    return b"\1" + (len(body) + lie).to_bytes(3, "big") + body


def records(data, size):
    return b"".join(b"\x16\3\1" + struct.pack(">H", len(data[at:at + size]))
                    + data[at:at + size] for at in range(0, len(data), size))


def tls_names(folder, data, size=1400):
    packets = [segment(0, flags=SYN)]
    packets += [segment(at, payload) for at, payload in cut(data, size, 1)]
    return Result(folder, pcap(packets)).report["flows"][0]["tls_names"]


def a_hello_may_span_segments_and_records(folder):
    for padding in (0, 3000, 40000):
        for record in (16000, 100, 7) if padding < 40000 else (16000,):
            for size in (1, 9, 1400) if padding == 0 else (1400, 600, 100):
                data = records(hello(b"www.example.org", padding), record)
                assert tls_names(folder, data + b"\x17\3\3\0\1x", size) \
                    == ["www.example.org"], (padding, record, size)


def tshark_reads_the_same_name_from_a_hello(folder):
    for padding, record in ((0, 16000), (3000, 16000), (3000, 700)):
        data = records(hello(b"www.example.org", padding), record)
        packets = [segment(0, flags=SYN, destination=("10.0.0.2", 443))]
        packets += [segment(at, payload, destination=("10.0.0.2", 443))
                    for at, payload in cut(data, 500, 1)]
        result = Result(folder, pcap(packets))
        theirs = set(follow.names(folder / "capture.pcap")["tls"])
        assert result.names()["tls"] == theirs == {("www.example.org",)}, theirs


def a_hello_that_lies_gives_no_name(folder):
    good = hello(b"www.example.org")
    for data in (records(hello(b"x", lie=1), 16000), records(hello(b"x", lie=2**20), 999),
                 records(hello(b""), 16000), records(hello(None), 16000),
                 records(hello(b"x", kind=1), 16000), b"\x16\3\1\0\0" * 50,
                 b"\x16\3\1\xff\xff" + good, b"\x16\4\1\0\5" + good, records(b"\2" + good, 99),
                 records(good[:60], 16000), b"\x16\3\1" + bytes(9000)):
        assert tls_names(folder, data) == [], data[:20]
    for index in range(len(good)):
        for value in (0, 1, 255):
            damaged = good[:index] + bytes([value]) + good[index + 1:]
            assert len(tls_names(folder, records(damaged, 9000))) <= 1
        if index > 60:
            break


def a_hello_follows_a_connect(folder):
    data = requests("CONNECT h:443 HTTP/1.1", "Host: h:443", "")
    packets = [segment(0, flags=SYN), segment(1, data),
               segment(1 + len(data), records(hello(b"inner.example"), 999))]
    flow, = Result(folder, pcap(packets)).report["flows"]
    assert flow["tls_name"] == "inner.example" and flow["http"][0]["method"] == "CONNECT"


def dns(*questions, count=None, tail=b""):
    count = len(questions) if count is None else count
    return struct.pack(">HHHHHH", 7, 0x100, count, 0, 0, 0) \
        + b"".join(name + b"\0\1\0\1" for name in questions) + tail


def label_name(text):
    return b"".join(bytes([len(part)]) + part for part in text.split(b".")) + b"\0"


def dns_names(folder, payload):
    flow, = Result(folder, pcap([ether(0x0800, ipv4(UDP, udp(999, 53, payload)))])) \
        .report["flows"]
    return flow["dns_names"]


def dns_questions_are_read(folder):
    assert dns_names(folder, dns(label_name(b"www.example.org"))) == ["www.example.org"]
    assert dns_names(folder, dns(b"\0")) == ["."]
    assert dns_names(folder, dns(label_name(b"a.b"), b"\1c\xc0\x0e", label_name(b"a.b"))) \
        == ["a.b", "c.b"]
    assert dns_names(folder, dns(b"\4a.\\\xff\0")) == ["a\\.\\\\\\255"]
    long = b".".join([b"x" * 63] * 3 + [b"y" * 61])
    assert dns_names(folder, dns(label_name(long))) == [long.decode()]
    assert dns_names(folder, dns(label_name(long + b"z"))) == []


def dns_that_lies_gives_no_name(folder):
    for payload in (dns(b"\xc0\x0c"), dns(b"\xc0\x0e\0"), dns(b"\1a\xc0\x0c"),
                    dns(b"\xff\xff"), dns(b"\x40"), dns(b"\x80abc\0"), dns(b"\x3f" + b"a" * 9),
                    dns(count=65535), dns(b"\1a")[:-1], b"", b"\0" * 11,
                    dns(b"\1a\xc0\x10\1b\xc0\x0e")):
        assert dns_names(folder, payload) == [], payload
    chain = b"".join(b"\1a" + struct.pack(">H", 0xc000 | max(12, 12 + 4 * index - 4))
                     for index in range(1, 100))
    assert dns_names(folder, dns(b"\1a\0\0" + chain, count=1)) == ["a"]
    assert len(dns_names(folder, dns(*[b"\1a\xc0\x0c"] * 999))) <= 1
    assert len(dns_names(folder, dns(*[label_name(b"%d" % n) for n in range(500)]))) <= 64


def dns_over_tcp_is_read_message_by_message(folder):
    messages = [dns(label_name(b"n%d.example" % number)) for number in range(20)]
    data = b"".join(struct.pack(">H", len(each)) + each for each in messages)
    for size in (1, 5, 1400):
        packets = [segment(at, payload, destination=("10.0.0.2", 53))
                   for at, payload in cut(data, size, 1)]
        flow, = Result(folder, pcap(packets)).report["flows"]
        assert flow["dns_names"] == ["n%d.example" % number for number in range(20)]


def names_are_read_across_a_reordered_stream(folder):
    data = requests("GET /reordered HTTP/1.1", "Host: r.example", "")
    segments = cut(data, 5, 1)
    random.Random(3).shuffle(segments)
    packets = [segment(0, flags=SYN)] + [segment(*each) for each in segments]
    assert Result(folder, pcap(packets)).names()["http"] == {("GET", "/reordered", "r.example")}


def the_table_shows_names_below_their_flow(folder):
    path = folder / "x.pcap"
    path.write_bytes(pcap([segment(1 + 28 * n, requests("GET /%d HTTP/1.1" % n, "Host: h", ""))
                           for n in range(5)]))
    done = subprocess.run([*PROGRAM, str(path)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[2].split() == ["http", "GET", "/0", "h"], lines
    assert "http (2 more)" in lines[5], lines


# Memory.

def thousands_of_streams_that_wait_stay_within_the_limit(folder):
    packets = []
    for number in range(4000):
        source = "10.1.%d.%d" % (number // 250, number % 250), 5000
        packets += [segment(0, flags=SYN, source=source),
                    segment(1, b"GET /unfinished", source=source),
                    segment(5001, bytes(1000), source=source)]
    data = pcap(packets)
    results = []
    for threads in (1, 3):
        result = Result(folder, data, "--max-memory", "1M", "-t", threads)
        streams = result.report["streams"]
        assert streams["count"] == 4000 and streams["given_up"] > 3000
        assert streams["held_peak"] < (1 << 20) + 5000
        assert result.report["pool"]["capacity"] < 4000
        assert all(len(side) in (0, 1015) for files in result.files.values()
                   for side in files.values())
        results.append((streams, result.files))
    assert results[0] == results[1]
    assert Result(folder, data).report["streams"]["given_up"] == 0


def small_packets_that_wait_do_not_keep_the_pool(folder):
    packets = [segment(1, b"GET /unfinished", source=("10.1.%d.%d" % (n // 250, n % 250), 9))
               for n in range(20000)]
    result = Result(folder, pcap(packets), "-m", "8M")
    assert result.report["streams"]["given_up"] == 0
    assert result.report["pool"]["capacity"] < 2000, result.report["pool"]


def a_limit_of_nothing_keeps_nothing(folder):
    data = bytes(byte | 128 for byte in letters(9000))
    segments = cut(data, 1000, 1)
    packets = [segment(0, flags=SYN)] + [segment(*each) for each in segments]
    result = Result(folder, pcap(packets), "-m", "0", "-g", "0")
    assert result.sent() == data and result.counts() == {}
    packets[3], packets[4] = packets[4], packets[3]
    result = Result(folder, pcap(packets), "-m", "0")
    assert result.report["streams"]["given_up"] == 1 and result.counts()["gap_bytes"] == 1000


def names_are_bounded_too(folder):
    packets = [ether(0x0800, ipv4(UDP, udp(999, 53, dns(label_name(b"x%d.example" % number)))))
               for number in range(3000)]
    result = Result(folder, pcap(packets), "-m", "100K")
    found = len(result.report["flows"][0]["dns_names"])
    assert 0 < found < 1000
    assert result.report["streams"]["names_dropped"] == 3000 - found


def a_flow_has_no_more_names_than_can_be_searched(folder):
    packets = [ether(0x0800, ipv4(UDP, udp(999, 53, dns(label_name(b"x%d.example" % number)))))
               for number in [*range(5000), *range(5000)]]
    result = Result(folder, pcap(packets))
    names = result.report["flows"][0]["dns_names"]
    assert names == ["x%d.example" % number for number in range(4096)]
    assert result.report["streams"]["names_dropped"] == 2 * (5000 - 4096)


def many_gaps_and_tiny_segments_cost_little(folder):
    packets = [segment(0, flags=SYN)]
    packets += [segment(20001 - 2 * number, b"x") for number in range(9999)]
    result = Result(folder, pcap(packets), "-m", "4M")
    assert result.report["streams"]["held_peak"] < 4 << 20
    assert len(result.sent()) > 0
    data = letters(20000)
    packets = [segment(1, b"", SYN)]
    packets += [segment(2 + at, data[at:at + 1]) for at in range(1, 20000)] + [segment(2, data)]
    result = Result(folder, pcap(packets))
    assert result.sent() == data
    assert result.report["streams"]["held_peak"] < 200000, result.report["streams"]


def noise_never_breaks_it(folder):
    for seed in range(15):
        chance = random.Random(seed)
        packets = []
        pieces = [requests("GET / HTTP/1.1", "Host: x", ""), records(hello(b"n.example"), 50),
                  dns(label_name(b"a.b")), b"\x16\3\1", b"POST ", b""]
        for number in range(1500):
            port = chance.choice([53, 80, 443])
            ends = [("10.0.0.%d" % chance.randrange(1, 5), 4000), ("10.0.1.1", port)]
            chance.shuffle(ends)
            payload = chance.choice(pieces) + chance.randbytes(chance.choice([0, 0, 3, 900]))
            seq = chance.choice([0, 2**32 - 500, chance.randrange(2**32), 2**31]) \
                + chance.randrange(3000)
            packets.append(segment(seq, payload, chance.choice([ACK, ACK, ACK, SYN, RST, FIN]),
                                   *ends, ack=chance.randrange(2**32),
                                   wire=chance.choice([None, None, len(payload) + 99])))
        for memory in ("10K", "1M"):
            results = [Result(folder, pcap(packets), "-m", memory, "-g", 5000, "-t", threads)
                       for threads in (1, 3)]
            assert results[0].files == results[1].files
            assert results[0].report["streams"] == results[1].report["streams"]


# Files.

def files_that_cannot_be_written_are_status_1(folder):
    path = folder / "x.pcap"
    path.write_bytes(pcap([segment(1, b"x")]))
    (folder / "file").write_text("no folder")
    for out in (folder / "file", folder / "no" / "such", pathlib.Path("/dev/null/x")):
        done = subprocess.run([*PROGRAM, "-e", str(out), str(path)], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done
        assert str(out) in done.stderr


def more_streams_than_files_can_be_open(folder):
    data = letters(1000)
    packets = []
    for at, payload in cut(data, 100, 1):
        for number in range(300):
            packets.append(segment(at, payload, source=("10.0.3.1", 1000 + number)))
    result = Result(folder, pcap(packets))
    for number in range(300):
        assert result.sent(("10.0.3.1", 1000 + number), number) == data
        assert result.sent(SERVER, number) == b""


def main():
    global PROGRAM, DATA
    if len(sys.argv) != 3:
        sys.exit("usage: test_streams.py IBUF_FLOW DATA_DIR")
    if not oracle.have_tshark():
        print("test_streams.py: there is no tshark, nothing was compared")
        sys.exit(oracle.NO_TSHARK)
    PROGRAM, DATA = sys.argv[1].split(), pathlib.Path(sys.argv[2])
    tests = [value for value in globals().values()
             if callable(value) and getattr(value, "__module__", "") == "__main__"
             and getattr(value, "__code__", None)
             and value.__code__.co_varnames[:1] == ("folder",)
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
