#!/usr/bin/env python3
"""Event streams beside the API: what many open streams leave of its rate, and whether an event is lost.

usage: streams.py [--smoke] [--rounds N] [--streams N] [--rate N]

Each round measures the API alone, then beside the streams of another session, to which calls publish events at a steady rate.
The reader of the streams takes its share of the same cores. Results go to results/streams.md.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parents[1] / "scripts" / "lib")]

from batch import request
from compare import Kheapd, drive
from kheapd_server import Server
from measure import Sample, first_line, head, publish, ratios, table

TICK = 0.02


def publish_events(server, session, rate, stopping, published):
    """Calls of the session, `rate` a second, a few in each request."""
    each = max(1, round(rate * TICK))
    body = json.dumps([{"call": "kmalloc", "size": 8, "flags": "GFP_KERNEL"}] * each).encode()
    due = time.monotonic()
    while not stopping.is_set():
        request(server, "POST", f"/v1/sessions/{session}/calls", body)
        published[0] += each
        due += TICK
        stopping.wait(max(0, due - time.monotonic()))


def beside_streams(peer, reader, arguments):
    """One measurement of the API with the streams open."""
    watched, loaded = peer.session(), peer.session()
    _, port = peer.server.host_and_port
    streams = subprocess.Popen(
        [reader, str(port), f"/v1/sessions/{watched}/events", str(arguments.streams), str(arguments.seconds + 2)],
        stdout=subprocess.PIPE, text=True,
    )
    stopping, published = threading.Event(), [0]
    publisher = threading.Thread(
        target=publish_events, args=(peer.server, watched, arguments.rate, stopping, published)
    )
    publisher.start()
    try:
        if streams.stdout.readline().strip() != "ready":
            raise SystemExit(f"the streams did not open: {streams.stdout.read()}")
        before = published[0]
        reading = drive(peer, "kmalloc", loaded, arguments.seconds)
        reading["published"] = (published[0] - before) / arguments.seconds
    finally:
        stopping.set()
        publisher.join()
    counts = json.loads(streams.stdout.read().splitlines()[-1])
    streams.wait()
    peer.drop(watched)
    peer.drop(loaded)
    return reading, counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=1000)
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.seconds, arguments.streams, arguments.rate = 1, 1, 20, 100

    alone, beside, events, lost = [], [], [], 0
    with tempfile.TemporaryDirectory() as folder, Server(*STREAM_FLAGS) as server:
        reader = f"{folder}/streams"
        subprocess.run(["cc", "-O2", str(HERE / "streams.c"), "-o", reader], check=True)
        peer = Kheapd("kheapd", server)
        for _ in range(arguments.rounds):
            session = peer.session()
            alone.append(drive(peer, "kmalloc", session, arguments.seconds))
            peer.drop(session)
            reading, counts = beside_streams(peer, reader, arguments)
            beside.append(reading)
            if counts["answered"] != arguments.streams or counts["open"] != arguments.streams:
                raise SystemExit(f"streams ended early: {counts}")
            events.append(counts["events"])
            lost += counts["lost"]

    def values(readings, key):
        return [reading[key] for reading in readings]

    rows = [
        [name, Sample(values(readings, "rate")).text(0), Sample(values(readings, "p99")).text(0)]
        for name, readings in (("API alone", alone), ("beside the streams", beside))
    ]
    rows.append(["ratio", *(ratios(values(beside, key), values(alone, key)).text() for key in ("rate", "p99"))])
    text = "\n".join([
        head("Event streams beside the API", {"Swift": first_line("swift", "--version")}),
        f"{arguments.streams:,} streams of one session, {Sample(values(beside, 'published')).text(0)} events a second to "
        f"each;\n32 connections call kmalloc in another session. Medians of {arguments.rounds} rounds, range in brackets.",
        "", table(["", "requests/s", "p99, µs"], rows), "",
        f"Events read: {sum(events):,}; lost: {lost}.",
    ])
    publish("streams.md", text, arguments.smoke)
    if lost or not all(events):
        raise SystemExit("events were lost, or none came")


STREAM_FLAGS = []
"""Flags of `kheapd serve` that the load needs beyond the defaults."""

if __name__ == "__main__":
    main()
