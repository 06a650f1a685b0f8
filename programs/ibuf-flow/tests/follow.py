"""What tshark makes of the TCP streams of a capture, and of the names in them."""

import collections
import subprocess

MISSING = b" bytes missing in capture file]"

NAMES = {
    "http": ["http.request.method", "http.request.uri", "http.host"],
    "tls": ["tls.handshake.extensions_server_name"],
    "dns": ["dns.qry.name"],
}


def tshark(*arguments):
    command = ["tshark", "-n", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace",
                          check=False).stdout


def stream_count(capture):
    """How many TCP streams are not inside a tunnel or an ICMP error."""
    lines = tshark("-r", capture, "-T", "fields", "-e", "tcp.stream", "-E", "occurrence=l")
    return len({int(line) for line in lines.split()})


class Stream:
    """A stream as `tshark -z follow,tcp,raw` prints it: hex digits, line by line, those
    of the side that sent the second packet indented by a tab."""

    def __init__(self, text):
        self.ends, self.bytes = [], [b"", b""]
        for line in text.splitlines():
            if line.startswith("Node "):
                self.ends.append(line.split(": ", 1)[1])
            elif line.strip() and not line.startswith(("=", "tcp,raw", "Filter")):
                self.bytes[line.startswith("\t")] += bytes.fromhex(line.strip())

    def is_whole(self):
        return not any(MISSING in side for side in self.bytes)


def streams(capture):
    """All streams of a capture, by their number."""
    options = []
    for number in range(stream_count(capture)):
        options += ["-z", "follow,tcp,raw,%d" % number]
    if not options:
        return []
    found = {}
    for block in tshark("-r", capture, "-q", *options).split("Follow: ")[1:]:
        number = block.split("tcp.stream eq ", 1)[1].split("\n", 1)[0]
        found[int(number)] = Stream(block)
    return [found[number] for number in sorted(found)]


def names(capture):
    """The names of each kind in a capture, each a tuple, with how often it is there."""
    fields = [field for kind in NAMES.values() for field in kind]
    arguments = ["-r", capture, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=\x01"]
    for field in fields:
        arguments += ["-e", field]
    found = {kind: collections.Counter() for kind in NAMES}
    for line in tshark(*arguments).splitlines():
        values = dict(zip(fields, [value.split("\x01") if value else []
                                   for value in line.split("\t")]))
        for kind, parts in NAMES.items():
            if not all(values[field] for field in parts[:1]):
                continue
            columns = [values[field] or [None] for field in parts]
            found[kind].update(zip(*columns))
    return found
