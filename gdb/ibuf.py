"""ibuf.py - what gdb shows of messages, pools and queues of ibuf.

    print MESSAGE, POOL, QUEUE, CURSOR      pointers and structs say what they are
    ibuf pools                              every pool with its numbers
    ibuf queues                             every queue
    ibuf live POOL                          the messages of a pool that live
    ibuf message EXPRESSION                 a message, segment by segment

gdb loads it by itself for the installed libibuf.so; with the static library, or anywhere else, by
`source .../libibuf.so.N-gdb.py`. It reads memory only and calls nothing, so a core file is as good as
a process. Where the members of the library's structs lie the library itself tells, in a registry
that ELF notes lead to (src/platform/registry.h): neither needs debug information.

Memory may be damaged, which is why somebody looks at it: each list has a bound.
"""

import re

import gdb
import gdb.printing

VERSION = 1
NOTE = 2
MAGIC = b"ibuf see"
POOLS_MOST = 1 << 16
THREADS_MOST = 1 << 20
SLABS_MOST = 1 << 20
SEGMENTS_MOST = 1 << 20
SHOWN = 100  # messages of a pool, where nobody says how many
BYTES = 16   # first bytes of a segment
SECTION = re.compile(r"^\s*(0x[0-9a-f]+) - (0x[0-9a-f]+) is (\.note\S*)(?: in (.*))?$", re.M)


class Trouble(Exception):
    """What is read makes no sense, or is not there."""


# ---- memory ---------------------------------------------------------------------------------------

def read(address, size):
    if size == 0:
        return b""
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except (gdb.error, OverflowError) as error:
        raise Trouble(str(error))


def order():
    return "little" if "little" in gdb.execute("show endian", to_string=True) else "big"


def number(data, signed=False):
    return int.from_bytes(data, order(), signed=signed)


def text(address, most=128):
    """A string, which may lie at the end of what is there."""
    found = b""
    while len(found) < most:
        byte = read(address + len(found), 1)
        if byte == b"\0":
            break
        found += byte
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in found)


# ---- registries -----------------------------------------------------------------------------------

class Registry:
    """Where a list begins, and where the members of its structs lie."""

    def __init__(self, address, module):
        head = read(address, 32)
        if head[:8] != MAGIC:
            raise Trouble("no registry at 0x%x" % address)
        self.version, self.library = number(head[8:12]), number(head[12:16])
        self.list = head[16:24].rstrip(b"\0").decode("ascii", "replace")
        self.pointer, size, n = number(head[24:26]), number(head[26:28]), number(head[28:32])
        self.start, self.module = address, module
        if self.version != VERSION:
            raise Trouble("%s has registry %d of library %d.%d.%d, and these printers read %d" %
                          (module or "the program", self.version, self.library // 10000,
                           self.library // 100 % 100, self.library % 100, VERSION))
        if size != 14 or n > 4096 or self.pointer not in (4, 8):
            raise Trouble("a damaged registry at 0x%x" % address)
        rest = read(address + 32, 2 * self.pointer)
        self.head, fields = number(rest[:self.pointer]), number(rest[self.pointer:])
        data = read(fields, n * size)
        self.fields = {}
        for i in range(0, n * size, size):
            name = data[i:i + 10].rstrip(b"\0").decode("ascii", "replace")
            self.fields[name] = number(data[i + 10:i + 12]), number(data[i + 12:i + 14])

    def at(self, name):
        if name not in self.fields:
            raise Trouble("the library does not tell of %s" % name)
        return self.fields[name][0]

    def get(self, address, name):
        offset, size = self.fields.get(name, (0, 0))
        if size == 0:
            raise Trouble("the library does not tell of %s" % name)
        return number(read(address + offset, size))

    def follow(self, first, name, most):
        """A list by its links; what comes twice ends it."""
        seen = set()
        while first != 0 and first not in seen and len(seen) < most:
            seen.add(first)
            yield first
            first = self.get(first, name)

    def first(self):
        return number(read(self.head, self.pointer))


def registries_in(start, end, module):
    """Those that the notes of a section lead to."""
    data, at = read(start, min(end - start, 1 << 16)), 0
    while at + 12 <= len(data):
        name, size, kind = (number(data[at + i:at + i + 4]) for i in (0, 4, 8))
        description = at + 12 + (name + 3 & ~3)
        following = description + (size + 3 & ~3)
        if following > len(data):
            break
        if kind == NOTE and data[at + 12:at + 12 + name] == b"ibuf\0" and size == 4:
            distance = number(data[description:description + 4], signed=True)
            yield Registry(start + description + distance, module)
        at = following


def find_registries():
    found = []
    for start, end, _, module in SECTION.findall(gdb.execute("info files", to_string=True)):
        found += registries_in(int(start, 16), int(end, 16), module)
    return found


known = None


def forget(*_):
    global known
    known = None


def registries(what):
    """One of each copy of the library."""
    global known
    if known is None:
        known = find_registries()
    found = [registry for registry in known if registry.list == what]
    if not found:
        raise Trouble("there is no ibuf in this program, or it was built for plain POSIX")
    return found


# ---- pools ----------------------------------------------------------------------------------------

class Pool:
    """A pool, or the heap."""

    def __init__(self, registry, address):
        self.registry, self.address = registry, address
        self.index = self.own("index")
        self.store = address + registry.at("p.direct")
        if registry.get(self.store, "s.pool") != address:
            raise Trouble("there is no pool at 0x%x" % address)

    def own(self, name):
        return self.registry.get(self.address, "p." + name)

    def of(self, name, kind="direct"):
        return self.registry.get(self.address + self.registry.at("p." + kind), "s." + name)

    def name(self):
        return text(self.own("name"))

    def threads(self):
        """The pairs of thread caches, which are linked by way of the second."""
        pair, seen = self.own("caches"), set()
        while pair != 0 and pair not in seen and len(seen) < THREADS_MOST:
            seen.add(pair)
            yield pair
            pair = self.registry.get(pair + self.registry.at("t.others"), "c.link")

    def cache(self, pair, kind, name):
        return self.registry.get(pair + self.registry.at("t." + kind), "c." + name)

    def out(self, kind):
        """How many headers of a kind are out, as src/pool/stats.c counts them."""
        taken, given = self.of("taken", kind), self.of("given", kind)
        for pair in self.threads():
            taken += self.cache(pair, kind, "taken")
            given += self.cache(pair, kind, "given")
        return taken, min(taken - given & (1 << 64) - 1, self.of("carved", kind) - self.of("lost", kind))

    def cached(self):
        n = 0
        for pair in self.threads():
            held = self.cache(pair, "direct", "top") - self.cache(pair, "direct", "base")
            held //= self.registry.pointer
            n += held if 0 <= held <= self.of("depot") else 0
            n += self.cache(pair, "direct", "kept")
        return n

    def numbers(self):
        kind = "direct" if self.index != 0 else "others"
        taken, out = self.out(kind)
        made = self.of("made", kind) - self.of("lost", kind) if self.index != 0 else out
        return {"capacity": made, "allocated": out, "cached": min(self.cached(), made - out),
                "peak": self.of("peak", kind), "clones": self.out("others")[1],
                "allocs": taken, "grows": self.of("grows", kind), "failures": self.own("fails"),
                "copied": self.own("copied"), "mapped": self.of("bytes") + self.of("bytes", "others")}

    def headers(self):
        """All that were ever carved, in the order of a tree."""
        for kind in "direct", "others":
            stride, todo, seen = self.of("stride", kind), [self.of("root", kind)], set()
            while todo:
                slab = todo.pop()
                if slab == 0 or slab in seen or len(seen) > SLABS_MOST:
                    continue
                seen.add(slab)
                todo += [self.registry.get(slab, "b." + way) for way in ("higher", "lower")]
                base = self.registry.get(slab, "b.base")
                for i in range(self.registry.get(slab, "b.carved")):
                    yield base + i * stride

    def live(self):
        mask = self.registry.at("f.live") | self.registry.at("f.inner")
        for header in self.headers():
            if self.registry.get(header, "m.flags") & mask == self.registry.at("f.live"):
                yield Message(self.registry, header)

    def closed(self):
        return self.own("closed") != 0

    def __str__(self):
        n = self.numbers()
        return 'pool "%s": %d of %d allocated, %d cached%s' % (
            self.name(), n["allocated"], n["capacity"], n["cached"],
            ", destroyed while messages live" if self.closed() else "")


def pools():
    for registry in registries("pools"):
        for address in registry.follow(registry.first(), "p.next", POOLS_MOST):
            yield Pool(registry, address)


def pool_by(index):
    return next((pool for pool in pools() if pool.index == index), None)


def pool_at(address):
    """A pool, known to be one."""
    for pool in pools():
        if pool.address == address:
            return pool
    raise Trouble("there is no pool at 0x%x" % address)


# ---- messages -------------------------------------------------------------------------------------

class Segment:
    """A header, and what it shows."""

    def __init__(self, registry, address):
        self.registry, self.address = registry, address
        for name in "off", "len", "cap", "flags", "pool", "base", "room", "next", "rest":
            setattr(self, name, registry.get(address, "m." + name))

    def has(self, flag):
        return self.flags & self.registry.at("f." + flag) != 0

    def count(self):
        return self.registry.get(self.room, "r.count") & 0x7fffffff

    def rights(self):
        names = [name for name in ("head", "tail") if self.has(name)]
        return "+".join(names) or "none"

    def kind(self):
        return "heap" if self.has("heap") else "wrapped" if self.has("wrap") else "pool"

    def room_size(self):
        if self.has("tail"):
            return self.cap
        if self.kind() != "pool":
            return self.registry.get(self.room, "r.heap" if self.has("heap") else "r.wrap")
        pool = pool_by(self.registry.get(self.room - self.registry.at("m.own"), "m.pool"))
        return pool.own("room") if pool is not None else 0

    def may_write(self):
        return not self.has("rdonly") and self.count() == 1

    def headroom(self):
        return self.off if self.has("head") or self.may_write() else 0

    def tailroom(self):
        if not self.has("tail") and not self.may_write():
            return 0
        return max(self.room_size() - self.off - self.len, 0)

    def begins(self):
        data = read(self.base + self.off, min(self.len, BYTES))
        seen = "".join(chr(c) if 32 <= c < 127 else "." for c in data)
        return "%s  |%s|%s" % (data.hex(" "), seen, " ..." if self.len > BYTES else "")

    def __str__(self):
        return "0x%x: %d bytes, headroom %d, tailroom %d, %s room of count %d, rights %s%s" % (
            self.address, self.len, self.headroom(), self.tailroom(), self.kind(), self.count(),
            self.rights(), ", read-only" if self.has("rdonly") else "")


class Message:
    """What a caller holds: the first of its segments."""

    def __init__(self, registry, address):
        self.registry, self.address = registry, address
        self.front = Segment(registry, address)

    def lives(self):
        return self.front.has("live")

    def length(self):
        return self.front.len + (self.front.rest if self.front.next != 0 else 0)

    def segments(self):
        for address in self.registry.follow(self.address, "m.next", SEGMENTS_MOST):
            yield Segment(self.registry, address)

    def owner(self):
        pool = pool_by(self.front.pool)
        return '"%s"' % pool.name() if pool is not None else "%d, which is gone" % self.front.pool

    def __str__(self):
        if not self.lives():
            return "a free header of pool %s" % self.owner()
        n = sum(1 for _ in self.segments()) if self.front.next != 0 else 1
        return "%d bytes in %d segment%s, pool %s" % (self.length(), n, "s" * (n != 1), self.owner())


def message_at(address):
    return Message(registries("pools")[0], address)


# ---- queues ---------------------------------------------------------------------------------------

class Queue:
    def __init__(self, registry, address):
        self.registry, self.address = registry, address

    def own(self, name):
        return self.registry.get(self.address, "q." + name)

    def len(self):
        return min(self.own("pushed") - self.own("popped") & 0xffffffff, self.own("most"))

    def __str__(self):
        words = ["queue: %d of %d messages" % (self.len(), self.own("most"))]
        for flag, word in (("closed", "closed"), ("popper", "threads wait to pop"),
                           ("pusher", "threads wait to push")):
            if self.own("signs") & self.registry.at("f." + flag):
                words.append(word)
        return ", ".join(words)


def queues():
    for registry in registries("queues"):
        for address in registry.follow(registry.first(), "q.next", POOLS_MOST):
            yield Queue(registry, address)


def queue_at(address):
    for queue in queues():
        if queue.address == address:
            return queue
    raise Trouble("there is no queue at 0x%x" % address)


# ---- printers -------------------------------------------------------------------------------------

class Printer:
    """A pointer or a struct by its address; what cannot be read is shown as gdb does without us."""

    def __init__(self, value, found):
        self.value, self.found = value, found

    def is_pointer(self):
        return self.value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR

    def to_string(self):
        address = int(self.value) if self.is_pointer() else int(self.value.address)
        try:
            shown = str(self.found(address))
        except (Trouble, gdb.error) as trouble:
            shown = str(trouble)
        return "0x%x %s" % (address, shown) if self.is_pointer() else shown


class Struct(Printer):
    """A message's first header, with all of its segments."""

    def children(self):
        try:
            for i, segment in enumerate(message_at(int(self.value.address)).segments()):
                if i == SHOWN:
                    break
                yield "[%d]" % i, str(segment)
        except (Trouble, gdb.error):
            pass


class Cursor:
    """All of a cursor is in the public headers."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        remaining = int(self.value["end_"]) - int(self.value["at_"]) + int(self.value["behind_"])
        return "at byte %d, %d remain, of message 0x%x" % (
            int(self.value["stop_"]) - remaining, remaining, int(self.value["m_"]))


FOUND = {"ibuf_mbuf": message_at, "ibuf_pool": pool_at, "ibuf_queue": queue_at}


class Lookup(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("ibuf", [])

    def __call__(self, value):
        kind = value.type.strip_typedefs()
        if kind.code == gdb.TYPE_CODE_PTR:
            found = FOUND.get(kind.target().unqualified().strip_typedefs().tag)
            return Printer(value, found) if found is not None and int(value) != 0 else None
        if kind.tag == "ibuf_cursor":
            return Cursor(value)
        if kind.tag == "ibuf_mbuf" and value.address is not None:
            return Struct(value, message_at)
        return None


# ---- commands -------------------------------------------------------------------------------------

class Command(gdb.Command):
    def __init__(self, name, run, text, prefix=False, complete=gdb.COMPLETE_NONE):
        self.run, self.__doc__ = run, text
        super().__init__(name, gdb.COMMAND_DATA, complete, prefix)

    def invoke(self, argument, _):
        forget()
        try:
            self.run(argument.strip())
        except Trouble as trouble:
            raise gdb.GdbError("ibuf: %s" % trouble)


COLUMNS = "allocated capacity cached peak clones grows failures copied mapped".split()


def show_pools(_):
    print("%-18s %-16s %s" % ("pool", "name", " ".join("%9s" % name for name in COLUMNS)))
    for pool in pools():
        n = pool.numbers()
        print("0x%-16x %-16s %s%s" % (pool.address, pool.name(), " ".join("%9d" % n[c] for c in COLUMNS),
                                      "  destroyed" if pool.closed() else ""))


def show_queues(_):
    for queue in queues():
        print("0x%x %s" % (queue.address, queue))


def find_pool(argument):
    if not argument:
        raise Trouble("name a pool, or give an expression that is one; \"ibuf pools\" lists them")
    for pool in pools():
        if pool.name() == argument:
            return pool
    return pool_at(int(gdb.parse_and_eval(argument)))


def show_live(argument):
    pool, n = find_pool(argument), 0
    for message in pool.live():
        n += 1
        if n <= SHOWN:
            print("0x%x %s" % (message.address, message))
    print("%d message%s of pool \"%s\" live%s%s" % (
        n, "s" * (n != 1), pool.name(), "s" * (n == 1),
        ", of which %d are shown" % SHOWN if n > SHOWN else ""))


def show_message(argument):
    if not argument:
        raise Trouble("give an expression that is a message")
    value = gdb.parse_and_eval(argument)
    is_struct = value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT
    message = message_at(int(value.address if is_struct else value))
    print("message 0x%x: %s" % (message.address, message))
    for segment in message.segments() if message.lives() else ():
        print("  %s" % segment)
        print("    %s" % segment.begins())


Command("ibuf", lambda _: gdb.execute("help ibuf"), "Messages, pools and queues of ibuf.", True)
Command("ibuf pools", show_pools, "List all pools of ibuf, and what they have counted.")
Command("ibuf queues", show_queues, "List all queues of ibuf.")
Command("ibuf live", show_live, """List the live messages of a pool.
Usage: ibuf live POOL
POOL is a name, or an expression that is a pool; "heap" is that of ibuf_mbuf_new().""",
        complete=gdb.COMPLETE_SYMBOL)
Command("ibuf message", show_message, """Show a message, segment by segment.
Usage: ibuf message EXPRESSION""", complete=gdb.COMPLETE_EXPRESSION)

# Where things lie changes when the program goes on, and what is loaded.
for event in (gdb.events.stop, gdb.events.exited, gdb.events.new_objfile, gdb.events.clear_objfiles):
    event.connect(forget)
gdb.printing.register_pretty_printer(gdb.current_objfile(), Lookup(), replace=True)
