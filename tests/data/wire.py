#!/usr/bin/env python3
"""A network device in user space, for tools/record-captures.

Usage: wire.py KIND DEVICE LOWER [--tag TPID:VID]... [--drop N] [--reorder N] [--seed S]

Makes the TAP or TUN interface DEVICE in the network namespace it runs in and
carries its packets, both ways, over what lies below:

    KIND    DEVICE  LOWER            what is on the wire below
    link    tap     an interface     the frames, with the VLAN tags of --tag,
                                     outermost tag first, put in and taken out
    ipip    tun     LOCAL,REMOTE     IPv4 in IPv4, IP protocol 4
    6in4    tun     LOCAL,REMOTE     IPv6 in IPv4, IP protocol 41
    gre     tun     LOCAL,REMOTE     GRE (RFC 2784, four header bytes), protocol 47

So VLANs, tunnels and loss can be recorded on a kernel that was built without
them: the two ends are real TCP/IP stacks, only the device between is ours. One
wire.py runs at each end. It prints "ready" once the device is there, and ends on
SIGTERM; the device goes with it.

--drop N and --reorder N (permille) treat the packets that leave DEVICE: some
are lost, some are held back until the next one has gone.
"""

import argparse
import fcntl
import os
import random
import select
import socket
import struct

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 0x0001, 0x0002, 0x1000

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 1 << 4
AUXDATA = struct.Struct("=IIIHHHH")   # status len snaplen mac net tci tpid

IP_PROTOCOLS = {"ipip": 4, "6in4": 41, "gre": 47}
ETHERTYPE_OF_VERSION = {4: 0x0800, 6: 0x86DD}
LARGEST = 65536


def open_device(name, mode):
    """Make the interface; it lives as long as the descriptor."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), mode | IFF_NO_PI))
    return fd


class TaggedLink:
    """Ethernet frames over an interface, with a stack of VLAN tags."""

    mode = IFF_TAP

    def __init__(self, interface, tags):
        self.tags = b"".join(struct.pack("!HH", tpid, vid) for tpid, vid in tags)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                    socket.htons(ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((interface, ETH_P_ALL))

    def send(self, frame):
        self.socket.send(frame[:12] + self.tags + frame[12:])

    def receive(self):
        frame, ancillary, _, address = self.socket.recvmsg(
            LARGEST, socket.CMSG_SPACE(AUXDATA.size))
        if address[2] == socket.PACKET_OUTGOING:
            return None
        # The kernel takes the outermost tag out and hands it over beside the frame.
        for level, kind, data in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tci, tpid = AUXDATA.unpack(data[:AUXDATA.size])
                if status & TP_STATUS_VLAN_VALID:
                    frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
        end = 12 + len(self.tags)
        if frame[12:end] != self.tags:
            return None
        return frame[:12] + frame[end:]


class Tunnel:
    """IP packets inside IPv4 packets of a given protocol."""

    mode = IFF_TUN

    def __init__(self, kind, ends):
        local, self.remote = ends.split(",")
        self.gre = kind == "gre"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                    IP_PROTOCOLS[kind])
        self.socket.bind((local, 0))

    def send(self, packet):
        if self.gre:
            ethertype = ETHERTYPE_OF_VERSION[packet[0] >> 4]
            packet = struct.pack("!HH", 0, ethertype) + packet
        self.socket.sendto(packet, (self.remote, 0))

    def receive(self):
        packet, address = self.socket.recvfrom(LARGEST)
        if address[0] != self.remote:
            return None
        header = (packet[0] & 15) * 4
        return packet[header + (4 if self.gre else 0):]


class Loss:
    """Decides which packets are lost and which change places; repeatable."""

    def __init__(self, send, drop, reorder, seed):
        self.send = send
        self.drop, self.reorder = drop, reorder
        self.random = random.Random(seed)
        self.held = None

    def __call__(self, packet):
        dice = self.random.randrange(1000)
        if dice < self.drop:
            return
        if self.held is None and dice < self.drop + self.reorder:
            self.held = packet
            return
        self.send(packet)
        if self.held is not None:
            self.send(self.held)
            self.held = None


def tag(text):
    tpid, vid = text.split(":")
    return int(tpid, 16), int(vid)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["link", *IP_PROTOCOLS])
    parser.add_argument("device")
    parser.add_argument("lower")
    parser.add_argument("--tag", type=tag, action="append", default=[])
    parser.add_argument("--drop", type=int, default=0)
    parser.add_argument("--reorder", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    if options.kind == "link":
        lower = TaggedLink(options.lower, options.tag)
    else:
        lower = Tunnel(options.kind, options.lower)
    device = open_device(options.device, lower.mode)
    send = Loss(lower.send, options.drop, options.reorder, options.seed)
    print("ready", flush=True)

    while True:
        readable, _, _ = select.select([device, lower.socket], [], [])
        if device in readable:
            send(os.read(device, LARGEST))
        if lower.socket in readable:
            packet = lower.receive()
            if packet is not None:
                try:
                    os.write(device, packet)
                except OSError:   # the device is not up yet, or no longer
                    pass


if __name__ == "__main__":
    main()
