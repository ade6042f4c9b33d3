#!/usr/bin/env python3
"""The engine as a library: calls against malloc in the same process, and what a session costs.

usage: run.py [--smoke] [--rounds N]

Results go to results/engine.md.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from measure import Sample, first_line, head, publish, ratios, table

SUBJECTS = {
    "kmalloc hot": "kmalloc(64) + kfree, the same object",
    "kmalloc churn": "kmalloc(64) + kfree, random among 100,000 live objects",
    "page": "alloc_pages(0) + free, against malloc(64) + free",
}
GIB = 1 << 30


SESSIONS = {"512 MiB": 512, "64 GiB": 64 << 10}
"""Machines by their memory in MiB."""


def readings(arguments, *flags):
    command = [str(HERE.parent / ".build/release/EngineBenchmark"), "--rounds", str(arguments.rounds), *flags]
    if arguments.smoke:
        command.append("--smoke")
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {}
    for line in output.splitlines():
        subject, side, value, checksum = line.split("\t")
        if subject == "error":
            raise SystemExit(f"the machine did not boot: {line}")
        found.setdefault((subject, side), []).append((float(value), int(checksum)))
    return found


def session_rows(arguments):
    rows = []
    for name, mebibytes in SESSIONS.items():
        runs = [readings(arguments, "--sessions", str(mebibytes)) for _ in range(arguments.rounds)]
        boot, empty, used = (
            Sample(run[what, "kheapd"][0][0] for run in runs)
            for what in ("boot, µs", "bytes after boot", "bytes after 100 calls")
        )
        per_gib = f"{GIB / used.median:,.0f}" if used.median > 0 else "not measurable"
        rows.append([
            name, boot.text(1), f"{empty.median / 1024:.1f}", f"{used.median / 1024:.1f}", per_gib,
        ])
    return rows


def copy_rows(found):
    """A row for each size of `copy_to_user`, beside memcpy of the same bytes."""
    rows = []
    for size in (64, 4096, 1 << 20):
        name = f"copy_to_user {size}"
        ours, whole, peers = (
            [value for value, _ in found[name, side]] for side in ("kheapd", "apply", "memcpy"))
        rows.append([f"{size:,} bytes", Sample(ours).text(1), Sample(whole).text(1), Sample(peers).text(1),
                     ratios(ours, peers).text()])
    return rows


def process_rows(found):
    """What processes cost: faults and copies for each page, a fork of 100,000 pages as a whole."""
    rows = []
    for subject, title in [
        ("page fault", "first store to a page, ns"), ("copy on write", "store to a shared page, ns"),
        ("munmap", "munmap, for each page, ns"), ("fork, µs", "fork of 100,000 pages, µs"),
    ]:
        rows.append([title, Sample(value for value, _ in found[subject, "kheapd"]).text(1)])
    return rows


def growth_rows(found, subject):
    """A row for each size at which a subject was measured, in the order of the readings."""
    rows = []
    for name, side in found:
        if not name.startswith(subject + " ") or side != "kheapd":
            continue
        ours = Sample(value for value, _ in found[name, side])
        peers = found.get((name, "malloc"))
        theirs = Sample(value for value, _ in peers).text(1) if peers else "–"
        rows.append([name.removeprefix(subject + " "), ours.text(1), theirs])
    return rows


def address_rows(found):
    """Translations and vmalloc, in the order of the readings."""
    rows = []
    for name, side in found:
        if side != "kheapd" or not name.startswith(("translate", "vmalloc")):
            continue
        peers = found.get((name, "array"))
        rows.append([
            name, Sample(value for value, _ in found[name, side]).text(1),
            Sample(value for value, _ in peers).text(1) if peers else "–",
        ])
    return rows


def kasan_rows(found):
    """Calls on a machine with the address sanitizer, beside the same calls without."""
    rows = []
    for name, side in found:
        if not name.startswith("kasan: ") or side != "kasan":
            continue
        ours, plain = ([value for value, _ in found[name, which]] for which in ("kasan", "plain"))
        rows.append([name.removeprefix("kasan: "), Sample(ours).text(1), Sample(plain).text(1),
                     ratios(ours, plain).text()])
    return rows


def leak_rows(found):
    """Scans of a million objects for leaks."""
    rows = []
    for name, side in found:
        if name.startswith("leak scan, "):
            title = name.removeprefix("leak scan, ").removesuffix(", ms")
            rows.append([title, Sample(value for value, _ in found[name, side]).text(0)])
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds = 1
    subprocess.run(
        ["swift", "build", "-c", "release", "--package-path", str(HERE.parent), "--product", "EngineBenchmark"],
        check=True, stdout=sys.stderr,
    )
    found = readings(arguments)

    rows, checksum = [], 0
    for subject, title in SUBJECTS.items():
        ours, peers = found[subject, "kheapd"], found[subject, "malloc"]
        # Equal checksums: both sides made the same choices, and no call failed.
        for (_, mine), (_, theirs) in zip(ours, peers):
            if mine != theirs:
                raise SystemExit(f"{subject}: checksum {mine}, the peer's is {theirs}")
            checksum += mine
        values, others = [value for value, _ in ours], [value for value, _ in peers]
        rows.append([title, Sample(values).text(1), Sample(others).text(1), ratios(values, others).text()])

    checked, plain = ([value for value, _ in found[subject, "kheapd"]] for subject in
                      ("kmalloc slub_debug", "kmalloc hot"))
    block, block_in_c = ([value for value, _ in found["order 4", side]] for side in ("kheapd", "C"))
    growth = []
    for title, subject in [
        ("alloc_pages(0) + free, by machine", "machine order 0"),
        ("alloc_pages(4) + free, by machine", "machine order 4"),
        ("kmalloc(64) + kfree, by live objects", "live objects"),
        ("alloc_pages(0) + free, by live pages", "live pages"),
    ]:
        growth += [f"{title}:", "", table(["size", "kheapd, ns", "malloc, ns"], growth_rows(found, subject)), ""]

    text = "\n".join([
        head("The engine as a library", {"Swift": first_line("swift", "--version"),
                                         "C library": first_line("ldd", "--version")}),
        f"Medians of {arguments.rounds} rounds in one process, the sides in turn; range in brackets.", "",
        table(["pair of calls", "kheapd, ns", "malloc, ns", "ratio"], rows), "",
        "The same object under `slub_debug=FZPU`, against none of it:", "",
        table(["pair of calls", "checked, ns", "plain, ns", "ratio"],
              [["kmalloc(64) + kfree", Sample(checked).text(1), Sample(plain).text(1),
                ratios(checked, plain).text()]]), "",
        "Calls through `apply` on a machine with `kasan`, against the same without:", "",
        table(["calls", "kasan, ns", "plain, ns", "ratio"], kasan_rows(found)), "",
        "`kmemleak_scan` of a million objects of 64 bytes:", "",
        table(["objects", "ms"], leak_rows(found)), "",
        "Blocks of order 4 from memory that is all free, each split from order 10 and merged again, against the same "
        "algorithm in C (`Sources/CAllocatorPeer/buddy.c`):", "",
        table(["pair of calls", "kheapd, ns", "C, ns", "ratio"],
              [["order 4, full split and merge", Sample(block).text(1), Sample(block_in_c).text(1),
                ratios(block, block_in_c).text()]]), "",
        "Addresses: a look-up in the TLB against one in a bare array, a walk of the tables, and `vmalloc` with `vfree` "
        "among live areas.", "",
        table(["what", "kheapd, ns", "array, ns"], address_rows(found)), "",
        "Growth: what a pair of calls costs on larger machines and with more live allocations.", "",
        *growth,
        "Copies to user space, beside memcpy of the same bytes between two buffers:", "",
        table(["copy_to_user", "kheapd, ns", "through `apply`, ns", "memcpy, ns", "ratio"], copy_rows(found)), "",
        "Processes:", "",
        table(["what", "kheapd"], process_rows(found)), "",
        "Sessions: all booted and kept, then 100 calls on each; resident memory of the process, shared out.", "",
        table(["machine", "boot, µs", "KiB after boot", "KiB after 100 calls", "sessions per GiB"],
              session_rows(arguments)), "",
        f"checksum: {checksum}",
    ])
    publish("engine.md", text, arguments.smoke)


if __name__ == "__main__":
    main()
