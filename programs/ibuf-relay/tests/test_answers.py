#!/usr/bin/env python3
"""Compare the answers of ibuf-relay with those of redis-server, byte for byte.

Usage: test_answers.py IBUF_RELAY [WORD...]

Each row of the table is sent to both on connections of their own: requests one after the
other, in RESP2 and RESP3, by a client that may or may not have subscribed, with and without
a password to say. Commands that only the relay lacks are not in it, but for the words with
which it says so.
"""

import random
import re
import sys

from server import Client, Closed, need_redis_server, redis, relay, request, run_tests

PROGRAM = None

LIMITS = "client-output-buffer-limit"

# Of each command: with how many words, right and wrong.
COMMANDS = [
    ["PING"], ["PING", "hello"], ["PING", ""], ["PING", "a", "b"], ["ping"], ["PiNg", "x"],
    ["ECHO"], ["ECHO", "hi"], ["ECHO", "a", "b"], ["ECHO", ""], ["ECHO", b"\0\r\n\xff"],
    ["SELECT"], ["SELECT", "0"], ["SELECT", "1"], ["SELECT", "-1"], ["SELECT", "x"],
    ["SELECT", "0", "0"], ["SELECT", "99999999999999999999"], ["SELECT", "00"],
    ["SELECT", ""],
    ["AUTH"], ["AUTH", "x"], ["AUTH", "default", "x"], ["AUTH", "nobody", "x"],
    ["AUTH", "a", "b", "c"], ["AUTH", "secret"], ["AUTH", "default", "secret"],
    ["AUTH", "Default", "secret"], ["AUTH", "secre"], ["AUTH", "secrets"], ["AUTH", ""],
    ["HELLO"], ["HELLO", "2"], ["HELLO", "3"], ["HELLO", "4"], ["HELLO", "1"],
    ["HELLO", "x"], ["HELLO", "3", "x"], ["HELLO", "3", "SETNAME"],
    ["HELLO", "3", "SETNAME", "me"], ["HELLO", "3", "SETNAME", "a b"], ["HELLO", "3", "AUTH"],
    ["HELLO", "3", "AUTH", "a"], ["HELLO", "3", "AUTH", "default", "x"],
    ["HELLO", "3", "AUTH", "default", "secret"], ["HELLO", "2", "AUTH", "default", "secret"],
    ["HELLO", "3", "AUTH", "default", "secret", "SETNAME", "you"],
    ["CLIENT"], ["CLIENT", "ID", "x"], ["CLIENT", "GETNAME"],
    ["CLIENT", "GETNAME", "x"], ["CLIENT", "SETNAME"], ["CLIENT", "SETNAME", "me"],
    ["CLIENT", "SETNAME", ""], ["CLIENT", "SETNAME", "a b"], ["CLIENT", "SETNAME", "a\nb"],
    ["CLIENT", "SETNAME", "a", "b"], ["CLIENT", "LIST", "x"], ["CLIENT", "LIST", "TYPE"],
    ["CLIENT", "LIST", "TYPE", "x"], ["CLIENT", "LIST", "ID"], ["CLIENT", "LIST", "ID", "x"],
    ["CLIENT", "LIST", "TYPE", "master"], ["CLIENT", "LIST", "ID", "999999"],
    ["CLIENT", "KILL"], ["CLIENT", "KILL", "1.2.3.4:5"], ["CLIENT", "KILL", "ID", "999999"],
    ["CLIENT", "KILL", "ID", "0"], ["CLIENT", "KILL", "ID", "x"], ["CLIENT", "KILL", "ID"],
    ["CLIENT", "KILL", "TYPE", "x"], ["CLIENT", "KILL", "TYPE", "pubsub"],
    ["CLIENT", "KILL", "USER", "x"], ["CLIENT", "KILL", "SKIPME", "x"],
    ["CLIENT", "KILL", "ADDR", "1.2.3.4:5"], ["CLIENT", "KILL", "LADDR", "1.2.3.4:5"],
    ["CLIENT", "KILL", "FOO", "x"], ["CLIENT", "KILL", "ID", "1", "x"],
    ["CLIENT", "FOO"], ["client", "foo", "bar"],
    ["COMMAND", "COUNT", "x"], ["COMMAND", "FOO"], ["COMMAND", "DOCS", "nosuch"],
    ["COMMAND", "INFO", "nosuch"],
    ["CONFIG"], ["CONFIG", "GET"], ["CONFIG", "GET", "nosuch"], ["CONFIG", "GET", "save"],
    ["CONFIG", "GET", "APPENDONLY"], ["CONFIG", "GET", "databas*"],
    ["CONFIG", "GET", "save", "save"], ["CONFIG", "GET", "databas*", "databases"],
    ["CONFIG", "FOO"], ["CONFIG", "HELP", "x"], ["CLIENT", "HELP", "x"],
    ["CONFIG", "SET"], ["CONFIG", "SET", "save"], ["CONFIG", "SET", "nosuch", "x"],
    ["CONFIG", "SET", "requirepass"], ["CONFIG", "SET", "databases", "1"],
    ["CONFIG", "SET", "IO-threads", "1"], ["CONFIG", "SET", "unixsocket", "x"],
    ["CONFIG", "SET", "databases", "1", "databases", "1"],
    ["CONFIG", "SET", LIMITS, "x", "nosuch", "1"], ["CONFIG", "SET", LIMITS, "x", "nosuch"],
    ["CONFIG", "SET", LIMITS, "x"], ["CONFIG", "SET", LIMITS, "pubsub 1 2"],
    ["CONFIG", "SET", LIMITS, "pubsub 1 2 x"], ["CONFIG", "SET", LIMITS, "nobody 1 2 3"],
    ["CONFIG", "SET", LIMITS, "pubsub -1 0 0"], ["CONFIG", "SET", LIMITS, "pubsub 1x 0 0"],
    ["CONFIG", "SET", LIMITS, "pubsub 1mb 0 0 pubsub"], ["CONFIG", "SET", LIMITS, ""],
    ["CONFIG", "SET", LIMITS, "x 1 0 0", LIMITS, "x"],
    ["CONFIG", "SET", LIMITS, "pubsub 32MB 0 0"], ["CONFIG", "SET", LIMITS.upper(), ""],
    ["CONFIG", "SET", LIMITS.upper(), "x"], ["CONFIG", "SET", LIMITS, "", LIMITS.upper(), ""],
    ["INFO", "nosuch"],
    ["SELECT", "1"], ["SELECT", "15"], ["SELECT", "16"], ["ROLE"], ["ROLE", "x"], ["DBSIZE"],
    ["WAIT", "0", "10"], ["WAIT", "x", "1"], ["WAIT", "0", "x"], ["WAIT", "0", "-1"], ["WAIT"],
    ["TIME", "x"], ["SLOWLOG"], ["SLOWLOG", "GET"], ["SLOWLOG", "GET", "x"], ["SLOWLOG", "LEN"],
    ["SLOWLOG", "RESET"], ["SLOWLOG", "GET", "-2"], ["LATENCY", "LATEST"], ["LATENCY", "FOO"],
    ["LATENCY", "HISTORY", "x"], ["LATENCY", "RESET"], ["CLIENT", "NO-EVICT", "ON"],
    ["CLIENT", "NO-EVICT", "x"], ["CLIENT", "REPLY", "x"], ["CLIENT", "REPLY", "ON"],
    ["MULTI"], ["EXEC"], ["DISCARD"], ["WATCH", "a"], ["WATCH"], ["UNWATCH"],
    ["PUBLISH"], ["PUBLISH", "c"], ["PUBLISH", "c", "m"], ["PUBLISH", "c", "m", "x"],
    ["PUBLISH", "", ""],
    ["SPUBLISH"], ["SPUBLISH", "c"], ["SPUBLISH", "c", "m"], ["SPUBLISH", "c", "m", "x"],
    ["PUBSUB"], ["PUBSUB", "CHANNELS"], ["PUBSUB", "CHANNELS", "*"],
    ["PUBSUB", "CHANNELS", "a", "b"], ["PUBSUB", "NUMSUB"], ["PUBSUB", "NUMSUB", "a", "b"],
    ["PUBSUB", "NUMPAT"], ["PUBSUB", "NUMPAT", "x"], ["PUBSUB", "SHARDCHANNELS"],
    ["PUBSUB", "SHARDCHANNELS", "x"], ["PUBSUB", "SHARDCHANNELS", "x", "y"],
    ["PUBSUB", "SHARDNUMSUB"], ["PUBSUB", "SHARDNUMSUB", "a"], ["PUBSUB", "FOO"],
    ["pubsub", "numsub", "mine"],
    ["SUBSCRIBE"], ["SUBSCRIBE", "a"], ["SUBSCRIBE", "a", "b", "a"], ["SUBSCRIBE", ""],
    ["PSUBSCRIBE"], ["PSUBSCRIBE", "a*"], ["PSUBSCRIBE", "a*", "b*", "a*"],
    ["SSUBSCRIBE"], ["SSUBSCRIBE", "a"], ["SSUBSCRIBE", "a", "b"],
    ["UNSUBSCRIBE"], ["UNSUBSCRIBE", "x"], ["UNSUBSCRIBE", "x", "y"],
    ["PUNSUBSCRIBE"], ["PUNSUBSCRIBE", "x"],
    ["SUNSUBSCRIBE"], ["SUNSUBSCRIBE", "x"],
    ["RESET"], ["RESET", "x"], ["QUIT"], ["QUIT", "x", "y"],
    ["NOSUCH"], ["NOSUCH", "a"], ["nosuch", "a", "b'c", "d\r\ne"], [""], ["", ""],
    ["x" * 200], ["x", "y" * 200], ["x"] + ["y" * 50] * 5, ["x\r\ny", "z"],
    ["NOSUCH", b"a\0b", "c"], [b"NO\0SUCH", "c"], ["NOSUCH"] + ["a"] * 100,
    ["x", "y" * 127, "z"], ["x", "y" * 128, "z"], ["x", "y" * 124, "z"],
]

# Several requests of one client.
CONVERSATIONS = [
    request("MULTI") + request("PUBLISH", "c", "1") + request("PING") + request("EXEC"),
    request("MULTI") + request("MULTI") + request("WATCH", "a") + request("EXEC"),
    request("MULTI") + request("PUBLISH", "c") + request("PUBLISH", "c", "1") + request("EXEC"),
    request("MULTI") + request("FOO") + request("EXEC") + request("EXEC"),
    request("MULTI") + request("SUBSCRIBE", "c") + request("PUBLISH", "c", "1") + request("EXEC"),
    request("MULTI") + request("PUBLISH", "c", "1") + request("RESET") + request("EXEC"),
    request("CLIENT", "REPLY", "OFF") + request("PING") + request("SUBSCRIBE", "c")
    + request("CLIENT", "REPLY", "ON"),
    request("CLIENT", "REPLY", "SKIP") + request("PING") + request("ECHO", "x"),
    [["SUBSCRIBE", "a"], ["SUBSCRIBE", "b"], ["UNSUBSCRIBE", "a"], ["UNSUBSCRIBE"],
     ["PING"]],
    [["PSUBSCRIBE", "a"], ["SUBSCRIBE", "b"], ["PUNSUBSCRIBE"], ["UNSUBSCRIBE"], ["ECHO", "x"]],
    [["SSUBSCRIBE", "a"], ["SUBSCRIBE", "b"], ["SUNSUBSCRIBE", "a"], ["SUNSUBSCRIBE"],
     ["UNSUBSCRIBE", "b"], ["UNSUBSCRIBE", "b"]],
    [["SUBSCRIBE", "a"], ["RESET"], ["PUBSUB", "CHANNELS"], ["CLIENT", "GETNAME"]],
    [["CLIENT", "SETNAME", "me"], ["RESET"], ["CLIENT", "GETNAME"]],
    [["CLIENT", "SETNAME", "me"], ["CLIENT", "SETNAME", ""], ["CLIENT", "GETNAME"]],
    [["HELLO", "3"], ["SUBSCRIBE", "a"], ["PUBLISH", "a", "me"], ["ECHO", "x"]],
    [["HELLO", "3", "SETNAME", "me"], ["CLIENT", "GETNAME"], ["HELLO", "2"],
     ["CLIENT", "GETNAME"]],
    [["HELLO", "3"], ["SSUBSCRIBE", "a"], ["SPUBLISH", "a", "me"], ["PUBLISH", "a", "x"]],
    [["HELLO", "3"], ["PSUBSCRIBE", "*"], ["SUBSCRIBE", "a"], ["PUBLISH", "a", "me"]],
    [["HELLO", "3"], ["SUBSCRIBE", "a"], ["HELLO", "2"], ["ECHO", "x"], ["PING"],
     ["HELLO", "3"]],
    [["SUBSCRIBE", "a"], ["PING"], ["PING", "x"], ["PING", "x", "y"], ["NOSUCH"],
     ["SUBSCRIBE"], ["CLIENT", "FOO"], ["HELLO", "3"], ["QUIT"]],
    [["AUTH", "secret"], ["PING"], ["RESET"], ["PING"]],
    [["HELLO", "3", "AUTH", "default", "secret"], ["SUBSCRIBE", "x"], ["RESET"],
     ["SUBSCRIBE", "x"]],
]

# Bytes that are no array of bulk strings, or not a good one.
STREAMS = [
    b"PING\r\n", b"PING\n", b"\r\n\r\nPING\r\n", b"ECHO \"a b\"\r\n", b"ECHO 'a b'\r\n",
    b"ECHO \"\\x41\\n\\r\\t\\b\\a\\q\\\"\"\r\n", b"ECHO 'a\\'b\\n'\r\n", b"ECHO \"a\r\n",
    b"ECHO 'a\r\n", b"ECHO \"a\"b\r\n", b"ECHO a\"b\"\r\n", b"  ECHO   x  \r\n", b" \r\nPING\r\n",
    b"ECHO \"\"\r\n", b"echo \"\\xZZ\"\r\n", b"ECHO a\0b\r\n", b"NOSUCH a b\r\n", b"\t\nPING\n",
    b"ECHO \"a\\\r\n", b"ECHO \\\"\r\n",
    b"*0\r\nPING\r\n", b"*-1\r\nPING\r\n", b"*-2\r\n*1\r\n$4\r\nPING\r\n", b"*x\r\n", b"*\r\n",
    b"* 1\r\n", b"*+1\r\n", b"*01\r\n", b"*1 \r\n", b"*2147483648\r\n",
    b"*99999999999999999999\r\n", b"*-9223372036854775808\r\nPING\r\n", b"*1\r\n+PING\r\n",
    b"*1\r\nPING\r\n", b"*1\r\n:4\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*1\r\n$\r\n",
    b"*1\r\n$536870913\r\n", b"*1\r\n$04\r\nPING\r\n", b"*1\r\n$4 \r\nPING\r\n",
    b"*1\r\n$4xPING\r\n", b"*1\r\n$-0\r\n", b"*-0\r\n", b"*1\r\n\r\n", b"*1\r\n$+4\r\nPING\r\n",
    b"*1\rX$4\rYPINGxy", b"*2\r\n$4\r\nECHO\r\n$3\r\nabcXY", b"*1\r\n$4\r\nPING\r\nPING\r\n",
    b"*3\r\n$4\r\nECHO\r\n$3\r\na", b"x" * 70000, b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000,
    b"*1\r\n" + b"x" * 70000, b"PING\r\n" * 3, b"*1\r\n$0\r\n\r\n",
    b"ECHO " + b"y" * 5000 + b"\r\n", b"PING\r\nQUIT\r\nPING\r\n", b"PING\r\n*x\r\nPING\r\n",
    b"*11\r\n" + b"$1\r\na\r\n" * 11, b"*10\r\n" + b"$1\r\na\r\n" * 10,
    b"*1\r\n$16385\r\n" + b"a" * 16385 + b"\r\n", b"*1\r\n$16384\r\n" + b"a" * 16384 + b"\r\n",
    b"*1\r\n\xff1\r\n", b"*\xff\r\n",
]


def plain(answer):
    """Without what must differ: who the client is."""
    return re.sub(rb"(\$2\r\nid\r\n:)\d+", rb"\1N", answer)


def talk(server, data):
    """All that is answered; a request that says when it is over follows."""
    with server.client() as c:
        try:
            c.send(data)
            # How much of a line too long is read before its end comes is chance.
            if len(data) < 65536 or data.endswith(b"\n"):
                c.send(b"\r\n" + request("ECHO", "this is the end") + request("QUIT"))
        except OSError:
            pass
        return plain(c.rest(3))


def compare(theirs, ours, rows, before=b""):
    wrong = 0
    for row in rows:
        data = before + (row if isinstance(row, bytes) else b"".join(request(*r) for r in row))
        try:
            wanted = talk(theirs, data)
        except TimeoutError:
            continue  # it waits for the rest of a request
        got = talk(ours, data)
        if wanted != got:
            wrong += 1
            print("%.200r\n  redis: %.600r\n  relay: %.600r" % (row, wanted, got))
    assert wrong == 0, "%d of %d differ" % (wrong, len(rows))


def run_pair(rows, *options, before=b""):
    with redis(*options) as theirs, relay(PROGRAM, *options, "--threads", "2") as ours:
        compare(theirs, ours, rows, before)


def single(rows):
    return [[row] for row in rows]


def commands_are_answered_alike_in_resp2():
    run_pair(single(COMMANDS))


def commands_are_answered_alike_in_resp3():
    run_pair(single(COMMANDS), before=request("HELLO", "3"))


def subscribed_clients_are_answered_alike_in_resp2():
    run_pair(single(COMMANDS), before=request("SUBSCRIBE", "mine"))


def subscribed_clients_are_answered_alike_in_resp3():
    run_pair(single(COMMANDS), before=request("HELLO", "3") + request("SUBSCRIBE", "mine"))


def shard_subscribed_clients_are_answered_alike():
    run_pair(single(COMMANDS), before=request("SSUBSCRIBE", "mine"))


def strangers_are_answered_alike():
    run_pair(single(COMMANDS), "--requirepass", "secret")


def who_knows_the_password_is_answered_alike():
    run_pair(single(COMMANDS), "--requirepass", "secret", before=request("AUTH", "secret"))


def conversations_are_alike():
    run_pair(CONVERSATIONS)
    run_pair(CONVERSATIONS, before=request("HELLO", "3"))
    run_pair(CONVERSATIONS, "--requirepass", "secret")


def what_redis_knows_is_forbidden_to_subscribers():
    run_pair([request("SUBSCRIBE", "c") + request("GET", "x") + request("GET") + request("FOO")
              + request("SET", "a", "b") + request("MULTI")])


def streams_are_answered_alike():
    run_pair(STREAMS)
    run_pair(STREAMS, "--requirepass", "secret")


def subscribers_get_the_same_bytes():
    # No two patterns that match one channel: Redis has no order for them.
    rows = [["SUBSCRIBE", "news", "x"], ["PSUBSCRIBE", "n*", "N*"], ["SSUBSCRIBE", "news"],
            ["PSUBSCRIBE", "ne?s", "zz"],
            ["PSUBSCRIBE", "n[^a]ws"], ["PSUBSCRIBE", "n\\*"]]
    messages = [b"hello", b"", b"\r\n\0\xff", b"y" * 200000]
    seen = []
    with redis() as theirs, relay(PROGRAM, "--threads", "2") as ours:
        for server in (theirs, ours):
            heard = []
            for hello in ([], ["HELLO", "3"]):
                for row in rows:
                    with server.client() as listener, server.client() as speaker:
                        for words in (hello, row):
                            if words:
                                listener.send(request(*words))
                                heard.append(plain(listener.raw()))
                        for _ in row[2:]:
                            heard.append(listener.raw())
                        for m in messages:
                            for word in ("PUBLISH", "SPUBLISH"):
                                for channel in ("news", "n*", "other"):
                                    heard.append(speaker.call(word, channel, m))
                        listener.send(request("PING"))
                        while True:
                            heard.append(listener.raw())
                            if b"PONG" in heard[-1] or b"pong" in heard[-1]:
                                break
            seen.append(heard)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 200


def patterns_match_the_same_channels():
    chance = random.Random(7)
    letters = "ab-]^\\[*?"

    def word(most):
        return "".join(chance.choice(letters) for _ in range(chance.randrange(most)))

    names = sorted({word(6) for _ in range(300)} | set("abc-"))
    patterns = ["[", "[]", "[^", "[^]", "[a", "[a-", "[a-b", "[b-a]", "[^a-b]", "[\\]]", "\\",
                "a\\", "**", "*?*", "[a-]", "[]-a]", "[^^]"]
    patterns += [word(8) for _ in range(3000)]
    with redis() as theirs, relay(PROGRAM, "--threads", "2") as ours:
        answers = []
        for server in (theirs, ours):
            with server.client() as listener, server.client() as c:
                listener.send(request("SUBSCRIBE", *names))
                for _ in names:
                    listener.value()
                answers.append([sorted(c.call("PUBSUB", "CHANNELS", p)) for p in patterns])
        wrong = [(p, set(a) - set(b), set(b) - set(a))
                 for p, a, b in zip(patterns, *answers) if a != b]
        assert not wrong, wrong[:5]


def setinfo_is_known_though_redis_7_0_has_none():
    with relay(PROGRAM) as ours, ours.client() as c:
        assert c.call("CLIENT", "SETINFO", "LIB-NAME", "x") == b"OK"
        assert c.call("CLIENT", "SETINFO", "lib-ver", "1") == b"OK"
        assert b" lib-name=x lib-ver=1 " in c.call("CLIENT", "INFO")
        c.send(request("CLIENT", "SETINFO", "foo", "x"))
        assert c.line() == b"-ERR Unrecognized option 'foo'\r\n"
        c.send(request("CLIENT", "SETINFO", "lib-name", "a b"))
        assert c.line().startswith(b"-ERR lib-name cannot contain spaces")


def other_commands_of_redis_are_unknown():
    with relay(PROGRAM) as ours, ours.client() as c:
        for words in (["GET", "x"], ["SET", "a", "b"], ["INCR", "x"], ["DEBUG", "SLEEP", "1"]):
            c.send(request(*words))
            args = "".join("'%s' " % w for w in words[1:])
            assert c.line().decode() == "-ERR unknown command '%s', with args beginning " \
                "with: %s\r\n" % (words[0], args)


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    need_redis_server()
    run_tests([
        commands_are_answered_alike_in_resp2,
        commands_are_answered_alike_in_resp3,
        subscribed_clients_are_answered_alike_in_resp2,
        subscribed_clients_are_answered_alike_in_resp3,
        shard_subscribed_clients_are_answered_alike,
        strangers_are_answered_alike,
        who_knows_the_password_is_answered_alike,
        conversations_are_alike,
        streams_are_answered_alike,
        subscribers_get_the_same_bytes,
        patterns_match_the_same_channels,
        setinfo_is_known_though_redis_7_0_has_none,
        other_commands_of_redis_are_unknown,
    ])
