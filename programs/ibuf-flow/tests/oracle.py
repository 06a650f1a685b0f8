#!/usr/bin/env python3
"""What tshark sees in a capture, as the JSON object that `ibuf-flow --json` prints.

Usage: oracle.py CAPTURE

tshark dissects, this file only adds up. The meaning of the numbers is in README.md
beside it; what makes it more than a sum is that tshark looks into everything:

  * With tunnels, and with ICMP errors that carry the header they are about, it
    reports the addresses and ports of every layer. Ours are the outermost ones: the
    order of the layers is in frame.protocols, and the first value of a field belongs
    to the outermost layer that has it.
  * A field is missing when the packet ends before it. Whether the capture was cut
    (_ws.short) or the packet lies about its length (_ws.malformed) tells the reason.
  * With an IPv4 source route, ip.dst is the last stop of the route, not the address at
    the place of the destination in the header. We take it as it is.

Exit status: 0; 1 when tshark could not read all of the capture (what it read is
printed all the same); 77 when there is no tshark.
"""

import collections
import hashlib
import ipaddress
import json
import os
import pathlib
import shutil
import subprocess
import sys

NO_TSHARK = 77

OPTIONS = [
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "ip.tso_support:TRUE",
    "tcp.desegment_tcp_streams:FALSE",
]

FIELDS = [
    "frame.time_epoch", "frame.len", "frame.encap_type", "frame.protocols",
    "eth.type", "vlan.etype", "sll.etype",
    "arp.hw.type", "arp.src.proto_ipv4", "arp.dst.proto_ipv4",
    "ip.src", "ip.dst", "ip.proto", "ip.frag_offset", "ip.id", "ip.flags.mf",
    "ipv6.src", "ipv6.dst", "ipv6.nxt",
    "ipv6.hopopts.nxt", "ipv6.routing.nxt", "ipv6.fraghdr.nxt", "ipv6.dstopts.nxt",
    "ah.next_header", "shim6.nxt", "ipv6.fraghdr.offset", "ipv6.fraghdr.ident",
    "ipv6.routing.type", "ipv6.routing.segleft", "ipv6.routing.src.addr",
    "ipv6.routing.mipv6.home_address", "ipv6.routing.rpl.full_address",
    "ipv6.routing.srh.addr", "ipv6.opt.mipv6.home_address",
    "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
    "sctp.srcport", "sctp.dstport", "dccp.srcport", "dccp.dstport",
    "_ws.short", "_ws.malformed",
]

# Link types that are read, as numbered by tshark: Ethernet, raw IP (of any version, 4,
# 6), BSD loopback of two kinds, Linux cooked 1 and 2.
LINKS = {1, 7, 129, 130, 15, 174, 25, 210}

# Layers that may lie below the network layer: the link, then types, tags and labels. (A
# second "eth" is a bridged frame, which nobody looks into.)
LINK_LAYERS = {"eth", "sll", "raw", "null"}
TAG_LAYERS = {"ethertype", "vlan", "ieee8021ad", "llc", "pppoes", "ppp", "mpls"}

IPV6_ETHERTYPE = 0x86DD

# ARP over ATM has a layout of its own, with other addresses than IPv4 too.
ATM_HARDWARE = 19

# IPv6 extension headers: number -> name of the layer, and of the field for what follows.
EXTENSIONS = {
    0: ("ipv6.hopopts", "ipv6.hopopts.nxt"),
    43: ("ipv6.routing", "ipv6.routing.nxt"),
    44: ("ipv6.fraghdr", "ipv6.fraghdr.nxt"),
    51: ("ah", "ah.next_header"),
    60: ("ipv6.dstopts", "ipv6.dstopts.nxt"),
    140: ("shim6", "shim6.nxt"),
}

PROTOCOL_NAMES = {
    1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 8: "egp", 17: "udp", 33: "dccp",
    41: "ipv6", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah", 55: "mobile",
    58: "icmpv6", 59: "ipv6-nonxt", 88: "eigrp", 89: "ospf", 94: "ipip-94",
    97: "etherip", 103: "pim", 108: "ipcomp", 112: "vrrp", 115: "l2tp", 132: "sctp",
    135: "mobility", 136: "udplite", 137: "mpls-in-ip", 139: "hip", 143: "ethernet",
}

# Protocols with ports: number -> the layer whose fields hold them.
PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udp"}


class Skipped(Exception):
    """This packet belongs to no flow; the argument is the reason."""


class Packet:
    """The fields of one packet; every field is the list of its values, outermost first."""

    def __init__(self, line):
        values = line.split("\t")
        self.fields = {name: value.split(",") if value else []
                       for name, value in zip(FIELDS, values)}
        self.layers = self.first("frame.protocols", "").split(":")

    def first(self, name, missing=None):
        values = self.fields[name]
        return values[0] if values else missing

    def number(self, name):
        value = self.first(name)
        return None if value is None else int(value, 0)

    def layer(self, index):
        return self.layers[index] if index < len(self.layers) else None

    def stopped(self):
        """Whether tshark gave up somewhere in this packet."""
        return self.first("_ws.short") or self.first("_ws.malformed")

    def incomplete(self):
        """Why a header that should be there is not."""
        lies = any(text.startswith("[Malformed") for text in self.fields["_ws.malformed"])
        return Skipped("truncated" if self.first("_ws.short") and not lies
                       else "malformed")


def flow_of(packet):
    """(protocol, source, source port, destination, destination port) of a packet."""
    if packet.number("frame.encap_type") not in LINKS:
        raise Skipped("unsupported_link")
    index = 1 if packet.layer(0) in LINK_LAYERS else 0
    while packet.layer(index) in TAG_LAYERS:
        index += 1
    network = packet.layer(index)
    if network == "arp":
        return arp_flow(packet)
    if network == "ip" and packet.layer(index + 1) == "ipv6" \
            and not packet.fields["ip.src"]:
        network, index = "ipv6", index + 1     # the version in the header counts
    if network == "ip":
        return ipv4_flow(packet, index)
    if network == "ipv6":
        return ipv6_flow(packet, index)
    if not network and packet.stopped():
        raise packet.incomplete()
    if network == "data" and last_ethertype(packet) == IPV6_ETHERTYPE:
        raise Skipped("malformed")             # tshark gives up on another version
    raise Skipped("not_ip")


def last_ethertype(packet):
    for name in ("vlan.etype", "eth.type", "sll.etype"):
        if packet.fields[name]:
            return int(packet.fields[name][-1], 0)
    return None


def arp_flow(packet):
    if packet.number("arp.hw.type") == ATM_HARDWARE and not packet.stopped():
        raise Skipped("not_ip")
    source = packet.first("arp.src.proto_ipv4")
    destination = packet.first("arp.dst.proto_ipv4")
    if source and destination:
        return "arp", source, 0, destination, 0
    stopped_in = packet.first("_ws.short", "") + packet.first("_ws.malformed", "")
    if "ARP" in stopped_in:
        raise packet.incomplete()
    raise Skipped("not_ip")                    # for other addresses than IPv4


def ipv4_flow(packet, index):
    source = packet.first("ip.src")
    destination = packet.first("ip.dst")
    protocol = packet.number("ip.proto")
    if not source or not destination or protocol is None:
        raise packet.incomplete()
    if packet.number("ip.frag_offset") and protocol in PORTS:
        raise Skipped("fragment")
    return transport_flow(packet, index + 1, protocol, source, destination)


def fragment_of(packet):
    """What the fragments of one packet have in common; None: it is none."""
    if packet.first("ip.flags.mf") in ("1", "True") or packet.number("ip.frag_offset"):
        return (packet.first("ip.src"), packet.first("ip.dst"), packet.number("ip.proto"),
                packet.number("ip.id"))
    if packet.fields["ipv6.fraghdr.ident"] and not packet.fields["ip.src"]:
        return packet.first("ipv6.src"), packet.first("ipv6.dst"), \
            packet.number("ipv6.fraghdr.ident")
    return None


def last_stop(packet, destination):
    """Where a route leads that is not used up; of segments the first is the last stop."""
    name, which = {0: ("src.addr", -1), 2: ("mipv6.home_address", -1),
                   3: ("rpl.full_address", -1), 4: ("srh.addr", 0)}.get(
                       packet.number("ipv6.routing.type"), (None, 0))
    stops = packet.fields["ipv6.routing." + name] if name else []
    return stops[which] if stops and packet.number("ipv6.routing.segleft") else destination


def ipv6_flow(packet, index):
    source, destination = packet.first("ipv6.src"), packet.first("ipv6.dst")
    following = packet.number("ipv6.nxt")
    if not source or not destination or following is None:
        raise packet.incomplete()
    source = packet.first("ipv6.opt.mipv6.home_address", source)
    destination = last_stop(packet, destination)
    index += 1
    seen = collections.Counter()
    while following in EXTENSIONS:
        name, field = EXTENSIONS[following]
        numbers = packet.fields[field]
        if packet.layer(index) != name or seen[name] == len(numbers):
            raise packet.incomplete()
        following = int(numbers[seen[name]], 0)
        if name == "ipv6.fraghdr":
            offsets = packet.fields["ipv6.fraghdr.offset"]
            if seen[name] == len(offsets):
                raise packet.incomplete()
            if int(offsets[seen[name]], 0):
                raise Skipped("fragment")
        seen[name] += 1
        index += 1
    if packet.layer(index) is None and packet.stopped():
        raise packet.incomplete()              # within the last extension header
    return transport_flow(packet, index, following, source, destination)


def transport_flow(packet, index, protocol, source, destination):
    name = PROTOCOL_NAMES.get(protocol, "ip-%d" % protocol)
    if protocol not in PORTS:
        return name, source, 0, destination, 0
    layer = PORTS[protocol]
    source_port = packet.number(layer + ".srcport")
    destination_port = packet.number(layer + ".dstport")
    if packet.layer(index) != name or source_port is None or destination_port is None:
        raise packet.incomplete()
    return name, source, source_port, destination, destination_port


class Flows:
    """The sums of a capture."""

    def __init__(self):
        self.packets = self.bytes = 0
        self.skipped = collections.Counter()
        self.flows = {}
        self.fragments = {}

    def flow_of(self, packet):
        """Fragments without ports belong where the first one does."""
        which = fragment_of(packet)
        try:
            flow = flow_of(packet)
        except Skipped as reason:
            if str(reason) != "fragment" or which not in self.fragments:
                raise
            return self.fragments[which]
        if which:
            self.fragments[which] = flow
        return flow

    def add(self, packet):
        length = packet.number("frame.len")
        self.packets += 1
        self.bytes += length
        try:
            protocol, *ends = self.flow_of(packet)
        except Skipped as reason:
            self.skipped[str(reason)] += 1
            return
        source = normal(ends[0]), ends[1]
        destination = normal(ends[2]), ends[3]
        time = float(packet.first("frame.time_epoch", "0"))
        flow = self.flows.get((protocol, source, destination))
        way = "ab"
        if flow is None:
            flow = self.flows.get((protocol, destination, source))
            way = "ba"
        if flow is None:
            way = "ab"
            flow = self.flows[protocol, source, destination] = {
                "protocol": protocol,
                "a": source[0], "a_port": source[1],
                "b": destination[0], "b_port": destination[1],
                "packets_ab": 0, "bytes_ab": 0, "packets_ba": 0, "bytes_ba": 0,
                "first": time, "last": time,
            }
        flow["packets_" + way] += 1
        flow["bytes_" + way] += length
        flow["first"] = min(flow["first"], time)
        flow["last"] = max(flow["last"], time)

    def report(self):
        return {"packets": self.packets, "bytes": self.bytes,
                "flows": list(self.flows.values()),
                "skipped": dict(self.skipped), "pool": {}}


def normal(address):
    """One spelling for one address."""
    return str(ipaddress.ip_address(address))


def have_tshark():
    return shutil.which("tshark") is not None


def kept_at(capture):
    """Where the answer for these bytes is kept; None: nowhere. It holds for this tshark and this file."""
    folder = os.environ.get("IBUF_ORACLE")
    if not folder:
        return None
    tshark = os.stat(shutil.which("tshark"))
    key = hashlib.sha256(repr((tshark.st_size, tshark.st_mtime_ns)).encode())
    for path in (__file__, capture):
        key.update(pathlib.Path(path).read_bytes())
    return pathlib.Path(folder, key.hexdigest() + ".json")


def read(capture):
    """What tshark says: its sums, its exit status and what it complained about. It takes a second to
    start, and says the same of the same bytes, so the tests of all build trees ask it once."""
    path = kept_at(capture)
    if path and path.exists():
        return json.loads(path.read_text())
    answer = ask(capture)
    if path and answer[1] >= 0:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".%d" % os.getpid())
        partial.write_text(json.dumps(answer))
        partial.rename(path)
    return answer


def ask(capture):
    command = ["tshark", "-r", str(capture), "-n", "-T", "fields",
               "-E", "occurrence=a", "-E", "aggregator=,"]
    for option in OPTIONS:
        command += ["-o", option]
    for field in FIELDS:
        command += ["-e", field]
    tshark = subprocess.run(command, capture_output=True, text=True, errors="replace")
    flows = Flows()
    for line in tshark.stdout.splitlines():
        flows.add(Packet(line))
    return flows.report(), tshark.returncode, tshark.stderr


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py CAPTURE")
    if not have_tshark():
        print("oracle.py: there is no tshark", file=sys.stderr)
        sys.exit(NO_TSHARK)
    report, status, complaint = read(sys.argv[1])
    print(json.dumps(report, indent=1))
    if status != 0:
        sys.exit(complaint.strip() or "tshark failed")


if __name__ == "__main__":
    main()
