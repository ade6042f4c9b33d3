#!/usr/bin/env python3
"""kmalloc and kfree over HTTP: kheapd beside bare libmicrohttpd and Hummingbird, in one run.

usage: compare.py [--smoke] [--rounds N] [--seconds S] [--no-hummingbird]

Each round drives every server with wrk over 32 keep-alive connections, one server at a time and in turn, so that a slow
moment of the machine meets them all. kfree frees what kmalloc returned: each round allocates the
objects first, in batches that are not timed. Results go to results/http.md.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parents[1] / "scripts" / "lib")]

from kheapd_server import Server
from measure import Sample, cpu_seconds, first_line, head, publish, ratios, table

CONNECTIONS = 32
BATCH = 50_000
FREE_RATE_LIMIT = 220_000
"""Objects prepared for each second of kfree: more than a connection-bound server can free."""
FAKE_SESSION = "0123456789abcdef0123456789abcdef"


class Peer:
    """A server under load: how to reach it, and its session."""

    def __init__(self, name, server):
        self.name = name
        self.server = server
        self.readings = {"kmalloc": [], "kfree": []}

    def post(self, target, body=b"", kind="application/json"):
        connection = http.client.HTTPConnection(*self.server.host_and_port, timeout=120)
        connection.request("POST", target, body, {"Content-Type": kind})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 300:
            raise SystemExit(f"{self.name}: {target} answered {response.status}: {text[:300]!r}")
        return text

    def session(self):
        return FAKE_SESSION

    def addresses(self, session, count):
        return [f"0x{0xffff888003c0d000 + 64 * index:x}" for index in range(count)]


class Kheapd(Peer):
    """Ours: a session with memory enough for every object of a round."""

    def session(self):
        return json.loads(self.post("/v1/sessions", b'{"machine":{"memory":"4G"}}'))["id"]

    def drop(self, session):
        connection = http.client.HTTPConnection(*self.server.host_and_port, timeout=120)
        connection.request("DELETE", f"/v1/sessions/{session}")
        connection.getresponse().read()
        connection.close()

    def addresses(self, session, count):
        found = []
        while len(found) < count:
            size = min(BATCH, count - len(found))
            line = b'{"call":"kmalloc","size":64,"flags":"GFP_KERNEL"}\n'
            text = self.post(f"/v1/sessions/{session}/calls", line * size, "application/x-ndjson")
            found += [json.loads(answer)["return"] for answer in text.splitlines()]
        return found


def drive(peer, call, session, seconds, addresses=None):
    """One wrk run: requests a second, CPU of the server for each request, latencies in microseconds."""
    command = [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(HERE / "calls.lua"),
        peer.server.url, "--", call, session, *([addresses] if addresses else []),
    ]
    before = cpu_seconds(peer.server.process.pid)
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    used = cpu_seconds(peer.server.process.pid) - before
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(f"wrk failed on {peer.name}: {run.stdout}{run.stderr}")
    reading = json.loads(lines[-1])
    if reading["errors"] or not reading["requests"]:
        raise SystemExit(f"{peer.name}, {call}: {reading}")
    return {
        "rate": reading["requests"] / (reading["microseconds"] / 1e6),
        "cpu": used * 1e6 / reading["requests"],
        "p50": reading["p50"],
        "p99": reading["p99"],
        "requests": reading["requests"],
    }


def round_of(peers, seconds, number, folder):
    for call in ("kmalloc", "kfree"):
        # The order turns, so that no server always follows the same one.
        for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
            session = peer.session()
            file = None
            if call == "kfree":
                file = os.path.join(folder, "addresses")
                count = int(FREE_RATE_LIMIT * seconds) if seconds > 1 else 20_000
                pathlib.Path(file).write_text("\n".join(peer.addresses(session, count)) + "\n")
            reading = drive(peer, call, session, seconds, file)
            peer.readings[call].append(reading)
            if isinstance(peer, Kheapd):
                peer.drop(session)
            time.sleep(0.2)  # a closed connection's work is not the next server's


def example_answers(binary_server, folder):
    """The bytes that kheapd answers, for the bare server to answer too."""
    peer = Kheapd("kheapd", binary_server)
    session = peer.session()
    calls = f"/v1/sessions/{session}/calls"
    for _ in range(100_000 // BATCH):  # answers of a session in the middle of its life: longer numbers
        peer.addresses(session, BATCH)
    kmalloc = peer.post(f"{calls}/kmalloc", b'{"size":64,"flags":"GFP_KERNEL"}')
    kfree = peer.post(f"{calls}/kfree", json.dumps({"objp": json.loads(kmalloc)["return"]}).encode())
    peer.drop(session)
    for name, text in (("kmalloc", kmalloc), ("kfree", kfree)):
        pathlib.Path(folder, name).write_bytes(text)
    return len(kmalloc), len(kfree)


def report(peers, sizes, arguments, smoke):
    ours, others = peers[0], peers[1:]
    sections = []
    for call, size in zip(("kmalloc", "kfree"), sizes):
        def values(peer, key):
            return [reading[key] for reading in peer.readings[call]]

        rows = [
            [
                peer.name, Sample(values(peer, "rate")).text(0), Sample(values(peer, "cpu")).text(1),
                Sample(values(peer, "p50")).text(0), Sample(values(peer, "p99")).text(0),
            ]
            for peer in peers
        ]
        compared = [
            [f"kheapd / {peer.name}"]
            + [ratios(values(ours, key), values(peer, key)).text() for key in ("rate", "cpu", "p50", "p99")]
            for peer in others
        ]
        columns = ["server", "requests/s", "server CPU, µs a request", "p50, µs", "p99, µs"]
        sections += [
            f"## {call}, answered by {size} bytes", "", table(columns, rows), "",
            "Ratios, round by round:", "", table(["", *columns[1:]], compared), "",
        ]
    versions = {
        "libmicrohttpd": first_line("pkg-config", "--modversion", "libmicrohttpd"),
        "Hummingbird": "2.28.1",
        "Swift": first_line("swift", "--version"),
        "wrk": first_line("wrk", "-v"),
    }
    explained = (
        f"Medians of {arguments.rounds} rounds of {arguments.seconds} s, range in brackets; "
        f"{CONNECTIONS} keep-alive connections,\none wrk thread, on the cores that the servers use too. "
        "The bare server answers fixed bytes of the same size."
    )
    total = sum(reading["requests"] for peer in peers for run in peer.readings.values() for reading in run)
    text = "\n".join([head("Kernel calls over HTTP", versions), explained, "", *sections,
                      f"checksum: {total} requests, none failed"])
    publish("http.md", text, smoke)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--no-hummingbird", action="store_true")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.seconds = 1, 1

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        bare = os.path.join(folder, "bare")
        flags = first_line("pkg-config", "--cflags", "--libs", "libmicrohttpd").split()
        subprocess.run(["cc", "-O2", str(HERE / "bare.c"), *flags, "-o", bare], check=True)
        kheapd = running.enter_context(Server())
        sizes = example_answers(kheapd, folder)
        peers = [
            Kheapd("kheapd", kheapd),
            Peer("bare C", running.enter_context(
                Server(command=[bare, f"{folder}/kmalloc", f"{folder}/kfree"]))),
        ]
        if not arguments.no_hummingbird:
            package = str(HERE.parent / "hummingbird-peer")
            subprocess.run(["swift", "build", "-c", "release", "--package-path", package], check=True)
            peers.append(Peer("Hummingbird", running.enter_context(
                Server(command=[f"{package}/.build/release/HummingbirdPeer"]))))
        for number in range(arguments.rounds):
            round_of(peers, arguments.seconds, number, folder)
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        report(peers, sizes, arguments, arguments.smoke)


if __name__ == "__main__":
    main()
