"""The recorded kmalloc tables of real kernels, asked of the server: one NDJSON batch for each table.

Every boundary of every range of sizes, and the selected sizes up to SIZE_MAX, under each recorded set of flags: whether it is
NULL or ZERO_SIZE_PTR, the cache or the pages' order, ksize, alignment, zone.
"""

import gzip
import http.client
import json
import pathlib

RECORDINGS = pathlib.Path(__file__).resolve().parents[1] / "TestSupport" / "Recordings" / "kmalloc"
ZERO_SIZE_PTR = "0x10"

# The machine of each recording: name, boot options, processors.
SETUPS = [
    ("buckets", "slub_nomerge init_on_alloc=0", 1),
    ("buckets-debug", "slub_nomerge init_on_alloc=0 slub_debug=FZPU", 1),
    ("buckets-memcg", "slub_nomerge init_on_alloc=0", 1),
    ("buckets-merge", "init_on_alloc=0", 1),
    ("buckets-smp4", "slub_nomerge init_on_alloc=0", 4),
]


class KmallocTable:
    """One recorded table against one server."""

    def __init__(self, host, setup):
        self.host = host
        self.name, self.boot_options, self.cpus = setup
        with gzip.open(RECORDINGS / f"{self.name}.json.gz") as file:
            self.cases = list(self.read(json.load(file)))

    @staticmethod
    def read(table):
        """(flags, size, what the kernel did)"""
        for variant in table["variants"]:
            for row in variant["ranges"]:
                for size in sorted({row["from"], row["to"]}):
                    yield variant["gfp"], size, row
            for row in variant["large"]:
                yield variant["gfp"], row["size"], row

    def send(self, method, target, body, kind="application/json"):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(method, target, body, {"Content-Type": kind})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 300:
            raise SystemExit(f"{target} answered {response.status}: {text[:300]!r}")
        return text

    def answers(self):
        machine = {"memory": "1G", "cpus": self.cpus, "boot_options": self.boot_options}
        session = json.loads(self.send("POST", "/v1/sessions", json.dumps({"machine": machine})))["id"]
        lines = []
        for flags, size, _ in self.cases:
            lines.append({"call": "kmalloc", "as": "object", "size": hex(size), "flags": flags})
            lines.append({"call": "ksize", "objp": "$object"})
            lines.append({"call": "kfree", "objp": "$object"})
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        text = self.send("POST", f"/v1/sessions/{session}/calls", body, "application/x-ndjson")
        self.send("DELETE", f"/v1/sessions/{session}", None)
        found = [json.loads(line) for line in text.splitlines()]
        return list(zip(found[0::3], found[1::3], found[2::3]))

    def faults(self):
        """What differs from the recording, as sentences, and how many sizes were compared."""
        answers = self.answers()
        faults = [] if len(answers) == len(self.cases) else [f"{len(answers)} answers for {len(self.cases)} sizes"]
        for (flags, size, row), (kmalloc, ksize, _) in zip(self.cases, answers):
            wanted, got = self.recorded(row), self.answered(row, kmalloc, ksize)
            faults += [
                f"kmalloc({size}, {flags}): {name} is {got[name]}, the kernel's {wanted[name]}"
                for name in wanted if wanted[name] != got[name]
            ]
        return faults, len(answers)

    @staticmethod
    def recorded(row):
        facts = {"result": row["result"], "ksize": row["ksize"]}
        if row["result"] == "ptr":
            facts |= {"cache": row["cache"], "order": row["page_order"], "aligned": True}
            if "zone" in row:
                facts["zone"] = row["zone"]
        return facts

    @staticmethod
    def answered(row, kmalloc, ksize):
        pointer = kmalloc.get("return")
        detail = kmalloc.get("detail") or {}
        facts = {
            "result": {None: "NULL", ZERO_SIZE_PTR: "ZERO_SIZE_PTR"}.get(pointer, "ptr"),
            "ksize": ksize.get("return"),
            "cache": detail.get("cache", "large"),
            "order": detail["slab"]["order"] if "slab" in detail else detail.get("order"),
            "zone": detail.get("zone"),
        }
        if facts["result"] == "ptr" and row["observed_min_align"] > 0:
            # One observed address may lie on a rounder number by chance; no size promises more than itself.
            promised = min(row["observed_min_align"], row["ksize"])
            facts["aligned"] = int(pointer, 16) % promised == 0
        return facts


def check(contract):
    """Adds each table to a run of the contract."""
    for setup in SETUPS:
        table = KmallocTable(contract.host, setup)
        faults, compared = table.faults()
        contract.check(f"the recorded table {table.name}, {compared} sizes in one batch", faults)
