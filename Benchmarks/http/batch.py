#!/usr/bin/env python3
"""Calls in one NDJSON body: calls and bytes a second, beside the same calls one request each.

usage: batch.py [--smoke] [--rounds N]

Half of the batch allocates, half frees what that returned, by `$name` references. Results go to results/batch.md.
"""

import argparse
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parents[1] / "scripts" / "lib")]

from kheapd_server import Server
from measure import Sample, cpu_seconds, first_line, head, publish, resident_bytes, table

PLAIN = "kmalloc and kfree by name"
ALLOCATE = "kmalloc only"


def bodies(count):
    """The two workloads: (name, lines)."""
    pairs = [
        f'{{"call":"kmalloc","as":"p{index % 64}","size":64,"flags":"GFP_KERNEL"}}\n'
        f'{{"call":"kfree","objp":"$p{index % 64}"}}\n'
        for index in range(count // 2)
    ]
    yield PLAIN, "".join(pairs)
    yield ALLOCATE, '{"call":"kmalloc","size":192,"flags":"GFP_KERNEL"}\n' * count


def request(server, method, target, body=b""):
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=60)
    connection.request(method, target, body)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status >= 300:
        raise SystemExit(f"{method} {target} answered {response.status}: {text[:300]!r}")
    return text


def send(server, session, path, answer):
    """Sends a file of calls with curl and returns its own seconds and byte counts."""
    run = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--max-time", "120",
         "--header", "Content-Type: application/x-ndjson", "--header", "Expect:",
         "--data-binary", f"@{path}", "--output", answer,
         "--write-out", "%{time_total} %{size_upload} %{size_download}",
         f"{server.url}/v1/sessions/{session}/calls"],
        capture_output=True, text=True, check=True,
    )
    seconds, sent, received = run.stdout.split()
    return float(seconds), int(sent), int(received)


def checked(answer, count):
    """The number of the last call; every line must be an answer, not a problem."""
    lines = pathlib.Path(answer).read_text().splitlines()
    bad = [line for line in lines if '"seq"' not in line]
    if len(lines) != count or bad:
        raise SystemExit(f"{len(lines)} lines for {count} calls; first bad line: {bad[:1]}")
    return json.loads(lines[-1])["seq"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    count = 1_000 if arguments.smoke else 100_000
    rounds = 1 if arguments.smoke else arguments.rounds
    rows, checksum = [], 0
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        path, answer = f"{folder}/calls", f"{folder}/answers"
        for name, text in bodies(count):
            pathlib.Path(path).write_text(text)
            readings = []
            for _ in range(rounds):
                session = json.loads(request(server, "POST", "/v1/sessions"))["id"]
                before = cpu_seconds(server.process.pid)
                readings.append((*send(server, session, path, answer),
                                 cpu_seconds(server.process.pid) - before))
                checksum += checked(answer, count)
                request(server, "DELETE", f"/v1/sessions/{session}")
            rows.append([
                name,
                Sample(count / seconds for seconds, *_ in readings).text(0),
                Sample(used * 1e6 / count for *_, used in readings).text(2),
                Sample(sent / seconds / 1e6 for seconds, sent, *_ in readings).text(1),
                Sample(received / seconds / 1e6 for seconds, _, received, _ in readings).text(1),
            ])
            time.sleep(0.2)
        held = resident_bytes(server.process.pid)
    versions = {
        "simdjson": first_line("pkg-config", "--modversion", "simdjson"),
        "Swift": first_line("swift", "--version"),
    }
    columns = ["calls", "calls/s", "server CPU, µs a call", "MB/s in", "MB/s out"]
    text = "\n".join([
        head("A batch of calls as NDJSON", versions),
        f"{count:,} calls in one body, sent and received by curl; medians of {rounds} rounds, range in brackets.",
        "", table(columns, rows), "",
        f"Resident memory of the server at the end: {held / 1e6:.1f} MB.",
        f"checksum: {checksum}",
    ])
    publish("batch.md", text, arguments.smoke)


if __name__ == "__main__":
    main()
