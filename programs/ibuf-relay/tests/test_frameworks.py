#!/usr/bin/env python3
"""Frameworks of Node that use a Redis for publish and subscribe, as npm has them, pointed at
ibuf-relay. Without npm, or where it reaches no registry, it is skipped.

Usage: test_frameworks.py IBUF_RELAY [WORD...]
"""

import os
import subprocess
import sys
import tempfile

from server import need, relay, run_tests

# What doc/guide.md names, and the versions that were tried last.
MODULES = ["redis@4", "ioredis@5", "socket.io@4", "socket.io-client@4", "@socket.io/redis-adapter@8",
           "@socket.io/redis-emitter@5", "graphql@16", "graphql-subscriptions@2",
           "graphql-redis-subscriptions@2", "@nestjs/common@10", "@nestjs/core@10",
           "@nestjs/microservices@10", "reflect-metadata@0.2", "rxjs@7", "mqemitter-redis@5"]
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "frameworks.js")
PROGRAM = None


def node(folder, *words):
    env = dict(os.environ, NODE_PATH=os.path.join(folder, "node_modules"))
    return subprocess.run(["node", SCRIPT, *words], env=env, capture_output=True, text=True,
                          timeout=100)


def test_of(folder, name):
    def test():
        with relay(PROGRAM, "--threads", "2") as server:
            done = node(folder, name, str(server.port))
            assert done.stdout.endswith("all is well\n"), done.stdout + done.stderr
            assert server.number("protocol_errors") == 0
    test.__name__ = "".join(c if c.isalnum() else "_" for c in name) + "_works"
    return test


def main():
    need("node", "npm")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund",
                               "--no-package-lock", "--silent", *MODULES],
                              cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            print("skipped: npm installs nothing: " + (done.stderr.strip() or "?").split("\n")[0])
            sys.exit(77)
        names = node(folder, "--list").stdout.splitlines()
        run_tests([test_of(folder, name) for name in names])


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    main()
