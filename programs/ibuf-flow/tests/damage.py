#!/usr/bin/env python3
"""Damaged variants of captures, always the same ones.

Usage: damage.py DATA_DIR OUT_DIR

Writes the variants of every capture in DATA_DIR to OUT_DIR and prints one line each:

    STATUS  PACKETS  BYTES  PACKET  FILE

STATUS is what ibuf-flow must exit with: 1 where the file itself is damaged, 0 where
only what is in the packets is. PACKETS and BYTES are what it must have counted all the
same. PACKET is the number, from 1, of the packet that cannot be read, or "-" when no
packet is to blame.

Both formats are taken apart here by hand, so that nothing that is being tested has a
say in what is expected.
"""

import pathlib
import random
import struct
import sys
from dataclasses import dataclass
from typing import Optional

FLIPPED_IN = 64        # bytes at the start of a packet that may be flipped
TOO_LONG = 0x10000000  # no reader believes this length

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",     # microseconds
    b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">",     # nanoseconds
}
PCAP_FILE_HEADER, PCAP_PACKET_HEADER = 24, 16

SECTION_HEADER, INTERFACE, SIMPLE_PACKET, PACKET = 0x0A0D0D0A, 1, 3, 6


@dataclass
class Record:
    """A packet in a capture file, by offsets."""
    start: int         # of its record or block
    data: int          # of its bytes
    caplen: int
    length: int        # on the wire
    caplen_at: int     # of the field that holds caplen
    end: int           # of its record or block


@dataclass
class Variant:
    """A capture and what must come out of it."""
    name: str
    content: bytes
    status: int
    packets: int
    bytes: int
    packet: Optional[int] = None   # the number of the packet that cannot be read
    flipped: bool = False          # packets are damaged, the file is not


def byte_order(content):
    if content[:4] in PCAP_MAGICS:
        return PCAP_MAGICS[content[:4]]
    return "<" if content[8:12] == b"\x4d\x3c\x2b\x1a" else ">"


def is_pcapng(content):
    return content[:4] == b"\x0a\x0d\x0d\x0a"


def pcap_records(content):
    order = byte_order(content)
    at = PCAP_FILE_HEADER
    while at < len(content):
        caplen, length = struct.unpack_from(order + "II", content, at + 8)
        data = at + PCAP_PACKET_HEADER
        yield Record(at, data, caplen, length, at + 8, data + caplen)
        at = data + caplen


def pcapng_blocks(content):
    """(type, start, end) of every block."""
    order = byte_order(content)
    at = 0
    while at < len(content):
        kind, length = struct.unpack_from(order + "II", content, at)
        yield kind, at, at + length
        at += length


def pcapng_records(content):
    order = byte_order(content)
    for kind, start, end in pcapng_blocks(content):
        if kind == PACKET:
            caplen, length = struct.unpack_from(order + "II", content, start + 20)
            yield Record(start, start + 28, caplen, length, start + 20, end)
        elif kind == SIMPLE_PACKET:
            raise ValueError("simple packet blocks are not expected here")


def records_of(content):
    return list((pcapng_records if is_pcapng(content) else pcap_records)(content))


def put(content, at, format, *values):
    """The content with the values put in its place."""
    new = bytearray(content)
    struct.pack_into(format, new, at, *values)
    return bytes(new)


def block(order, kind, body):
    """A pcapng block."""
    length = 12 + (len(body) + 3) // 4 * 4
    return (struct.pack(order + "II", kind, length) + body.ljust(length - 12, b"\0")
            + struct.pack(order + "I", length))


class Damage:
    """Makes the variants of one capture."""

    def __init__(self, name, content):
        self.content = content
        self.records = records_of(content)
        self.order = byte_order(content)
        self.random = random.Random(name)      # the same for the same name

    def before(self, count):
        """Packets and bytes of the first so many packets."""
        return count, sum(record.length for record in self.records[:count])

    def corrupt(self, name, content, readable, packet=True):
        """The file is damaged behind so many readable packets."""
        return Variant(name, content, 1, *self.before(readable),
                       packet=readable + 1 if packet else None)

    def harmless(self, name, content, flipped=False):
        return Variant(name, content, 0, *self.before(len(self.records)), flipped=flipped)

    def variants(self):
        yield from self.cuts()
        yield from self.not_a_capture()
        yield self.absurd_caplen()
        yield self.flips()
        if is_pcapng(self.content):
            yield from self.pcapng_only()
        else:
            yield from self.pcap_only()

    def cuts(self):
        """The end is missing: in the packet's bytes, in its header, between two."""
        number = self.random.randrange(len(self.records))
        record = self.records[number]
        if record.caplen > 1:
            yield self.corrupt("cut-in-packet",
                               self.content[:record.data + record.caplen // 2], number)
        yield self.corrupt("cut-in-packet-header",
                           self.content[:record.start + 6], number)
        last = len(self.records) - 1
        yield self.corrupt("cut-last-byte", self.content[:self.records[last].end - 1], last)
        yield Variant("cut-between-packets", self.content[:record.start], 0,
                      *self.before(number))

    def not_a_capture(self):
        """Nothing can be read, and no packet is to blame."""
        yield self.corrupt("empty", b"", 0, packet=False)
        yield self.corrupt("cut-in-file-header", self.content[:10], 0, packet=False)
        garbage = bytes(self.random.randrange(256) for _ in range(8))
        yield self.corrupt("garbage-file-header",
                           b"?" + garbage + self.content[9:], 0, packet=False)

    def absurd_caplen(self):
        number = self.random.randrange(len(self.records))
        record = self.records[number]
        return self.corrupt("absurd-caplen",
                            put(self.content, record.caplen_at, self.order + "I", TOO_LONG),
                            number)

    def flips(self):
        """Bytes in the headers of about a third of the packets are wrong."""
        new = bytearray(self.content)
        for record in self.records:
            if record.caplen and self.random.randrange(3) == 0:
                for _ in range(self.random.randrange(1, 4)):
                    at = record.data + self.random.randrange(min(record.caplen, FLIPPED_IN))
                    new[at] ^= self.random.randrange(1, 256)
        return self.harmless("flipped-bytes", bytes(new), flipped=True)

    def pcap_only(self):
        last = len(self.records) - 1
        record = self.records[last]
        yield self.corrupt("caplen-past-the-end",
                           put(self.content, record.caplen_at, self.order + "I",
                               record.caplen + 1000), last)
        yield self.harmless("snaplen-field-zero", put(self.content, 16, self.order + "I", 0))
        yield self.harmless("snaplen-field-small", put(self.content, 16, self.order + "I", 60))
        yield self.harmless("unknown-link-type", put(self.content, 20, self.order + "I", 4711))
        # A packet without a single byte, and one that says it is shorter than it is.
        yield Variant("empty-packet", self.content + bytes(PCAP_PACKET_HEADER), 0,
                      len(self.records) + 1, self.before(len(self.records))[1])
        shorter = self.before(last)[1] + record.caplen // 2
        yield Variant("shorter-than-captured",
                      put(self.content, record.caplen_at + 4, self.order + "I",
                          record.caplen // 2), 0, len(self.records), shorter)
        yield self.harmless("other-byte-order", self.other_byte_order())
        yield self.harmless("as-pcapng", self.as_pcapng(">", self.packet_block))
        snaplen, = struct.unpack_from(self.order + "I", self.content, 16)
        if all(record.caplen == min(record.length, snaplen) for record in self.records):
            yield self.harmless("as-simple-pcapng",
                                self.as_pcapng("<", self.simple_packet_block))

    def other_byte_order(self):
        """The same capture as a machine of the other byte order writes it."""
        other = ">" if self.order == "<" else "<"
        header = struct.unpack_from(self.order + "IHHiIII", self.content)
        new = struct.pack(other + "IHHiIII", *header)
        for record in self.records:
            fields = struct.unpack_from(self.order + "IIII", self.content, record.start)
            new += struct.pack(other + "IIII", *fields)
            new += self.content[record.data:record.end]
        return new

    def as_pcapng(self, order, packet_block):
        """The same packets as a pcapng file of that byte order."""
        snaplen, link = struct.unpack_from(self.order + "II", self.content, 16)
        section = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
        interface = struct.pack(order + "HHI", link, 0, snaplen)
        return b"".join([block(order, SECTION_HEADER, section),
                         block(order, INTERFACE, interface),
                         *(packet_block(order, record) for record in self.records)])

    def packet_block(self, order, record):
        seconds, fraction = struct.unpack_from(self.order + "II", self.content, record.start)
        time = seconds * 1000000 + fraction
        fields = struct.pack(order + "IIIII", 0, time >> 32, time & 0xFFFFFFFF,
                             record.caplen, record.length)
        return block(order, PACKET, fields + self.content[record.data:record.end])

    def simple_packet_block(self, order, record):
        return block(order, SIMPLE_PACKET, struct.pack(order + "I", record.length)
                     + self.content[record.data:record.end])

    def pcapng_only(self):
        number = self.random.randrange(len(self.records))
        record = self.records[number]
        order = self.order
        yield self.corrupt("lying-block-length",
                           put(self.content, record.start + 4, order + "I", TOO_LONG), number)
        yield self.corrupt("block-shorter-than-its-header",
                           put(self.content, record.start + 4, order + "I", 8), number)
        yield self.corrupt("lengths-of-block-differ",
                           put(self.content, record.end - 4, order + "I", 4), number)
        yield self.corrupt("caplen-past-the-block",
                           put(self.content, record.caplen_at, order + "I",
                               record.end - record.start), number)
        yield self.corrupt("no-such-interface",
                           put(self.content, record.start + 8, order + "I", 99), number)
        unknown = struct.pack(order + "IIII", 0x0000BEEF, 16, 0, 16)
        yield self.harmless("unknown-block", self.content[:record.start] + unknown
                            + self.content[record.start:])


def captures_in(directory):
    directory = pathlib.Path(directory)
    return sorted([*directory.glob("*.pcap"), *directory.glob("*.pcapng")])


def variants_of(capture):
    return list(Damage(capture.name, capture.read_bytes()).variants())


def file_name(capture, variant):
    return "%s-%s%s" % (capture.stem, variant.name, capture.suffix)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: damage.py DATA_DIR OUT_DIR")
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for capture in captures_in(sys.argv[1]):
        for variant in variants_of(capture):
            path = out / file_name(capture, variant)
            path.write_bytes(variant.content)
            print(variant.status, variant.packets, variant.bytes, variant.packet or "-",
                  path, sep="\t")


if __name__ == "__main__":
    main()
