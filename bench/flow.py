"""End to end: ibuf-flow on a large capture, beside tshark and a plain loop.

The capture is made of recorded ones, repeated: in each repetition the two hosts of a packet get
other addresses, so that there are as many flows as in real traffic, and all is one second later.
"""

import os
import shutil
import statistics
import struct
import subprocess
import sys
import time

RECORDED = ["http.pcap", "redis.pcap", "tls12.pcap", "lossy.pcap"]
LEAST_BYTES = 105_000_000

# tshark does the same and no more: conversations, nothing put together, no names looked up.
TSHARK = ["tshark", "-n", "-q", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
          "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE",
          "-z", "conv,tcp", "-z", "conv,udp", "-r"]


def read_capture(path):
    """The packets of a pcap file of microseconds: (header of 16 bytes, bytes)."""
    with open(path, "rb") as stream:
        data = stream.read()
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    if magic != 0xa1b2c3d4 or link != 1:
        raise ValueError("%s: not little-endian Ethernet with microseconds" % path)
    at = 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at:at + 16], data[at + 16:at + 16 + size]
        at += 16 + size


def other_hosts(packet, number):
    """The packet between other hosts: what is added to one address is taken from the other, so
    that the checksums, which are sums, stay right."""
    if packet[12:14] != b"\x08\x00":
        return packet
    low, high = sorted((26, 30), key=lambda at: packet[at:at + 4])
    a, b = (struct.unpack_from(">H", packet, at)[0] for at in (low, high))
    if a + number > 0xffff or b < number:
        return packet
    changed = bytearray(packet)
    struct.pack_into(">H", changed, low, a + number)
    struct.pack_into(">H", changed, high, b - number)
    return bytes(changed)


def make_capture(root, path):
    """Write the large capture, unless it is there."""
    if os.path.exists(path):
        return
    packets = []
    for name in RECORDED:
        try:
            packets += read_capture(os.path.join(root, "tests", "data", name))
        except (OSError, ValueError) as error:
            print("bench: %s" % error, file=sys.stderr)
    base = struct.unpack_from("<I", packets[0][0])[0]
    partial, number, written = path + ".part", 0, 24
    with open(partial, "wb") as stream:
        stream.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        while written < LEAST_BYTES:
            for header, packet in packets:
                changed = other_hosts(packet, number % 30000)
                stream.write(struct.pack("<I", base + number) + header[4:] + changed)
                written += 16 + len(packet)
            number += 1
    os.rename(partial, path)


def count_packets(path):
    packets = 0
    with open(path, "rb") as stream:
        stream.seek(24)
        while True:
            header = stream.read(16)
            if len(header) < 16:
                return packets
            stream.seek(struct.unpack_from("<I", header, 8)[0], os.SEEK_CUR)
            packets += 1


def peak_bytes(pid):
    """The most memory a process had so far, 0 when it is gone. (What wait4() says begins with the
    memory of this interpreter.)"""
    try:
        with open("/proc/%d/status" % pid) as stream:
            peak = [line.split()[1] for line in stream if line.startswith("VmHWM:")]
    except OSError:
        peak = []
    return int(peak[0]) * 1024 if peak else 0


def run_once(command):
    """(seconds, peak bytes) of one program."""
    peak = 0
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while True:
            peak = max(peak, peak_bytes(child.pid))
            try:
                child.wait(0.002)
                break
            except subprocess.TimeoutExpired:
                pass
    seconds = time.monotonic() - began
    if child.returncode != 0:
        print("bench: %s ends with %d" % (command[0], child.returncode), file=sys.stderr)
        return None
    return seconds, peak


def measure(root, build, times):
    """One dict for each program, in turns."""
    capture = os.path.join(build, "large.pcap")
    print("bench: end to end, with a capture of %d MB" % (LEAST_BYTES // 1000000),
          file=sys.stderr)
    make_capture(root, capture)
    packets = count_packets(capture)
    ibuf_flow = os.path.join(build, "apps", "ibuf-flow", "ibuf-flow")
    programs = [
        ("ibuf-flow", [ibuf_flow, capture]),
        ("ibuf-flow --threads=2", [ibuf_flow, "--threads=2", capture]),
        ("libpcap and malloc, a plain loop", [os.path.join(build, "bench", "pcap-loop"), capture]),
        ("tshark -z conv,tcp -z conv,udp", TSHARK + [capture]),
    ]
    runs = {name: [] for name, _ in programs}
    for _ in range(times):
        for name, command in programs:
            if shutil.which(command[0]) is None:
                print("bench: no %s, it is skipped" % command[0], file=sys.stderr)
                continue
            result = run_once(command)
            if result:
                runs[name].append(result)
    return [{"program": name, "packets": packets, "capture_bytes": os.path.getsize(capture),
             "seconds": statistics.median(run[0] for run in done),
             "peak_bytes": statistics.median(run[1] for run in done)}
            for name, done in runs.items() if done]
