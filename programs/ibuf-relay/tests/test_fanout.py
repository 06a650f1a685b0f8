#!/usr/bin/env python3
"""Run ibuf-relay with many subscribers: what is put together for them, and nothing that shows it.

Usage: test_fanout.py IBUF_RELAY [WORD...]
"""

import os
import random
import select
import signal
import sys
import threading

from server import relay, request, run_tests

PROGRAM = None


def subscribe(client, *channels, word="SUBSCRIBE", resp=2):
    if resp == 3:
        client.call("HELLO", "3")
    client.send(request(word, *channels))
    for _ in channels:
        client.value()
    return client


def messages(client, n):
    return [tuple(client.value()[-2:]) for _ in range(n)]


def channels_in_one_pipeline_keep_their_order():
    with relay(PROGRAM, "--threads", "1") as server:
        listeners = [subscribe(server.client(), "a", "b", resp=2 + i % 2) for i in range(10)]
        sent = [(b"ab"[i // 7 % 2:][:1], b"%d" % i) for i in range(700)]
        with server.client() as speaker:
            speaker.send(b"".join(request("PUBLISH", *m) for m in sent))
            for _ in sent:
                assert speaker.value() == 10
        for c in listeners:
            assert messages(c, len(sent)) == sent


def an_answer_does_not_overtake_a_message():
    with relay(PROGRAM, "--threads", "1") as server:
        listener = subscribe(server.client(), "c")
        with server.client() as speaker:
            assert speaker.call("PING") == b"PONG"
            # Both requests are read in one turn of the thread, the message first.
            os.kill(server.pid, signal.SIGSTOP)
            try:
                os.waitid(os.P_PID, server.pid, os.WSTOPPED)
                speaker.send(request("PUBLISH", "c", "m"))
                listener.send(request("PING", "later"))
            finally:
                os.kill(server.pid, signal.SIGCONT)
            assert speaker.value() == 1
        assert listener.value() == [b"message", b"c", b"m"]
        assert listener.value() == [b"pong", b"later"]


def small_and_large_ones_keep_their_order():
    chance = random.Random(5)
    with relay(PROGRAM, "--threads", "2") as server:
        listeners = [subscribe(server.client(), "c", resp=2 + i % 2) for i in range(12)]
        listeners += [subscribe(server.client(), "c", word="SSUBSCRIBE") for _ in range(6)]
        other = subscribe(server.client(), "d*", word="PSUBSCRIBE")
        sent = [(b"c", chance.randbytes(chance.choice((0, 1, 50, 4000, 5000, 70000))))
                for _ in range(400)]
        with server.client() as speaker:
            for word, receivers in (("PUBLISH", 12), ("SPUBLISH", 6)):
                data = b"".join(request(word, *m) for m in sent)
                sender = threading.Thread(target=speaker.send, args=(data,))
                sender.start()
                for _ in sent:
                    assert speaker.value() == receivers
                sender.join()
        for c in listeners:
            assert messages(c, len(sent)) == sent
        assert other.is_quiet(0)


def a_pattern_that_comes_and_goes_changes_no_order():
    with relay(PROGRAM, "--threads", "1") as server:
        listeners = [subscribe(server.client(), "c") for _ in range(8)]
        with server.client() as both:
            subscribe(both, "c", resp=3)
            both.send(request("PUBLISH", "c", 1) * 3 + request("PSUBSCRIBE", "c*") +
                      request("PUBLISH", "c", 2) * 3 + request("PUNSUBSCRIBE", "c*") +
                      request("PUBLISH", "c", 3) * 3)
            for _ in range(3):
                assert both.value() == [b"message", b"c", b"1"]
                assert both.value() == 9
            assert both.value() == [b"psubscribe", b"c*", 2]
            for _ in range(3):
                assert both.value() == [b"message", b"c", b"2"]
                assert both.value() == [b"pmessage", b"c*", b"c", b"2"]
                assert both.value() == 10
            assert both.value() == [b"punsubscribe", b"c*", 1]
            for _ in range(3):
                assert both.value() == [b"message", b"c", b"3"]
                assert both.value() == 9
        for c in listeners:
            assert messages(c, 9) == [(b"c", b"%d" % (1 + i // 3)) for i in range(9)]


def who_joins_or_leaves_amid_messages_hears_those_between():
    with relay(PROGRAM, "--threads", "1") as server:
        listeners = [subscribe(server.client(), "c") for _ in range(5)]
        with server.client() as one:
            one.call("HELLO", "3")
            one.send(request("PUBLISH", "c", "a") * 4 + request("SUBSCRIBE", "c") +
                     request("PUBLISH", "c", "b") * 4 + request("UNSUBSCRIBE", "c") +
                     request("PUBLISH", "c", "d") * 4)
            assert [one.value() for _ in range(4)] == [5] * 4
            assert one.value() == [b"subscribe", b"c", 1]
            assert [one.value() for _ in range(8)] == [[b"message", b"c", b"b"], 6] * 4
            assert one.value() == [b"unsubscribe", b"c", 0]
            assert [one.value() for _ in range(4)] == [5] * 4
        for c in listeners:
            assert [m[1] for m in messages(c, 12)] == [b"a"] * 4 + [b"b"] * 4 + [b"d"] * 4


def a_small_limit_loses_nothing_for_those_who_read():
    for limit in ("300", "1000", "8K"):
        with relay(PROGRAM, "--threads", "1", "--client-output-limit", limit,
                   "--slow", "drop") as server:
            listeners = [subscribe(server.client(), "c") for _ in range(6)]
            with server.client() as speaker:
                for _ in range(20):
                    # Answers are under the limit too, so they are taken each time.
                    speaker.send(request("PUBLISH", "c", "x" * 10) * 30)
                    assert [speaker.value() for _ in range(30)] == [6] * 30
                    for c in listeners:
                        assert messages(c, 30) == [(b"c", b"x" * 10)] * 30
            assert server.number("messages_dropped") == 0


def what_is_dropped_of_what_was_put_together_is_counted_by_messages():
    with relay(PROGRAM, "--threads", "2", "--client-output-limit", "64K",
               "--slow", "drop") as server:
        slow = [subscribe(server.client(receive_buffer=128 * 1024), "c") for _ in range(6)]
        good = subscribe(server.client(), "c")
        number = 0
        with server.client() as speaker:
            while server.number("messages_dropped") == 0:
                assert number < 200000
                speaker.send(b"".join(request("PUBLISH", "c", "%0500d" % (number + i))
                                      for i in range(100)))
                assert [speaker.value() for _ in range(100)] == [7] * 100
                assert [int(m[1]) for m in messages(good, 100)] == \
                    list(range(number, number + 100))
                number += 100
            info = server.info()
            dropped, delivered = (int(info["messages_" + w]) for w in ("dropped", "delivered"))
            assert dropped + delivered == 7 * number, (dropped, delivered, number)
            # What came is whole and in order, and the rest is what was counted. Sockets that were
            # full may take their time to go on, and then nothing may be left.
            numbers = {c: [] for c in slow}
            heard, expected = 0, 6 * number - dropped
            while heard < expected:
                quiet = [c for c in slow if c.is_quiet(0)]
                if len(quiet) == len(slow):
                    assert select.select([c.socket for c in slow], [], [], 60)[0], \
                        (heard, number, dropped)
                for c in slow:
                    if c not in quiet:
                        numbers[c] += [int(m[1]) for m in messages(c, 1)]
                heard = sum(map(len, numbers.values()))
            assert heard == expected, (heard, number, dropped)
            for c in slow:
                assert numbers[c] == sorted(set(numbers[c]))
                assert c.is_quiet()


def main():
    global PROGRAM
    PROGRAM = sys.argv[1]
    run_tests([
        channels_in_one_pipeline_keep_their_order,
        an_answer_does_not_overtake_a_message,
        small_and_large_ones_keep_their_order,
        a_pattern_that_comes_and_goes_changes_no_order,
        who_joins_or_leaves_amid_messages_hears_those_between,
        a_small_limit_loses_nothing_for_those_who_read,
        what_is_dropped_of_what_was_put_together_is_counted_by_messages,
    ])


main()
