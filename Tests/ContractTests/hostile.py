"""Random and hostile arguments for every kernel call that the server offers.

Every value of a client may be anything: the machine may complain, the request may be refused, the server must go on. The
arguments mix edges of each type, plain nonsense, and addresses that earlier calls returned.
"""

import http.client
import json
import random

EDGES = [
    0, 1, 7, 8, 63, 64, 4095, 4096, 4097, 8192, 8193, 1 << 20, 1 << 22, (1 << 22) + 1,
    (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 47) - 1, 1 << 47, (1 << 63) - 1, 1 << 63,
    (1 << 64) - 4096, (1 << 64) - 1,
]
BEYOND = [-1, -(1 << 63), 1 << 64, 10 ** 30, 0.5, 1e308]
ADDRESSES = [
    0x10, 0x1000, 0x7FFF_FFFF_F000, 0x7FFF_FFFF_FFFF, 0x8000_0000_0000, 0xFFFF_8880_0000_0000,
    0xFFFF_8880_0000_0008, 0xFFFF_8880_0100_0000, 0xFFFF_8880_1FFF_FFFF, 0xFFFF_8880_2000_0000,
    0xFFFF_C900_0000_0000, 0xFFFF_EA00_0000_0000, 0xFFFF_EA00_0000_0001, 0xFFFF_EA00_0080_0000,
    0xFFFF_FFFF_8100_0000, 0xFFFF_FFFF_FFFF_FFFF,
]
FLAGS = [
    "GFP_KERNEL", "GFP_ATOMIC", "GFP_DMA", "GFP_KERNEL|__GFP_ZERO", "GFP_KERNEL|__GFP_NOFAIL",
    "GFP_HIGHUSER_MOVABLE", "GFP_KERNEL|__GFP_RECLAIMABLE|__GFP_ACCOUNT", "0xffffffff", 0, 0xFFFFFFFF,
]
NONSENSE = [
    None, True, "", "x", "0x", "-1", "\u0000", "\U0001F40C" * 40, [], {}, [[]], {"hex": "0"}, "9" * 400, [0] * 3000,
]
CONTEXTS = [
    {"cpu": 0, "in": "process"}, {"in": "hardirq"}, {"in": "nmi", "atomic": True}, {"cpu": 1}, {"cpu": 1 << 40},
    {"pid": 2}, {"pid": -1}, {"in": "nowhere"}, [],
]
PROFILES = ["linux-6.1-x86_64", "linux-6.1-x86_64", "linux-6.1-i386", "linux-2.6-i386"]
BATCH = 200


class Hostile:
    """Calls of one seed against one server."""

    def __init__(self, host, seed):
        self.host = host
        self.random = random.Random(seed)
        self.seen = []

    def send(self, method, target, body=None, kind="application/json"):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(method, target, body, {"Content-Type": kind})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, text

    def bytes_value(self):
        return self.random.choice([
            {"text": "abc"}, {"hex": "00ff"}, {"hex": "0"}, {"base64": "////"}, {"base64": "?"},
            {"fill": "0xa5", "length": self.number()}, {"fill": 300, "length": 1}, {},
        ])

    def number(self):
        pick = self.random.random()
        if pick < 0.45:
            return self.random.choice([1, 2, 3, 16, 64, 96, 192, 512, 4096])
        return self.random.choice(EDGES if pick < 0.9 else BEYOND)

    def address(self):
        if self.seen and self.random.random() < 0.6:
            base = self.random.choice(self.seen)
        else:
            base = self.random.choice(ADDRESSES)
        offset = self.random.choice([0, 0, 0, 0, 1, 8, 4096, -1])
        return hex((base + offset) % (1 << 64))

    def value(self, kind):
        if self.random.random() < 0.04:
            return self.random.choice(NONSENSE)
        if "gfp" in kind:
            return self.random.choice(FLAGS)
        if "addresses" in kind or "list" in kind:
            return [self.address() for _ in range(self.random.choice([0, 1, 3, 300]))]
        if "lock" in kind and self.random.random() < 0.8:
            return self.random.choice(["a", "b"])
        if "cache" in kind and self.random.random() < 0.7:
            return self.random.choice(["name", "kmalloc-64", "vmap_area", "kmem_cache", "anon_vma", "none"])
        if "address" in kind or "cache" in kind or "page" in kind or "pointer" in kind:
            return self.address()
        if "bytes" in kind:
            return self.bytes_value()
        if "bool" in kind:
            return self.random.choice([True, False])
        if "text" in kind or "string" in kind:
            return self.random.choice(["name", "", "kmalloc-64", "x" * 300])
        return self.number()

    def call(self, functions):
        function = self.random.choice(functions)
        # A machine that hangs answers nothing but problems.
        while any(p.get("type") == "lock" for p in function["parameters"]) and self.random.random() < 0.95:
            function = self.random.choice(functions)
        call = {"call": function["name"]}
        for parameter in function["parameters"]:
            if self.random.random() < 0.97:
                kind = json.dumps(parameter.get("type", "")).lower()
                names = parameter.get("values") or parameter.get("names")
                call[parameter["name"]] = (
                    self.random.choice(names) if isinstance(names, list) and names and self.random.random() < 0.9
                    else self.value(kind)
                )
        if self.random.random() < 0.1:
            call["context"] = self.random.choice(CONTEXTS)
        return call

    def learn(self, text):
        for line in text.splitlines():
            answer = json.loads(line)
            returned = answer.get("return")
            if isinstance(returned, str) and returned.startswith("0x"):
                self.seen = self.seen[-400:] + [int(returned, 16)]

    def run(self, batches):
        """Runs the batches in a few sessions, and reads the state after each.

        Returns what went wrong, as sentences, and the number of calls made.
        """
        calls = 0
        for number in range(batches):
            if number % 10 == 0:
                memory = self.random.choice(["96M", "512M", "6G"])
                profile = self.random.choice(PROFILES)
                description = json.dumps({"machine": {"profile": profile, "memory": memory}})
                status, text = self.send("POST", "/v1/sessions", description)
                if status != 201:
                    return [f"a machine of {memory} answered {status}: {text[:300]!r}"], calls
                session = "/v1/sessions/" + json.loads(text)["id"]
                functions = json.loads(self.send("GET", f"{session}/functions")[1])
                functions = functions.get("functions", functions) if isinstance(functions, dict) else functions
                self.seen = []
            lines = "".join(json.dumps(self.call(functions)) + "\n" for _ in range(BATCH))
            try:
                status, text = self.send(
                    "POST", f"{session}/calls?on_error=continue", lines.encode(), "application/x-ndjson"
                )
                if status >= 500:
                    return [f"batch {number} answered {status}: {text[:300]!r}"], calls
                self.learn(text.decode())
                calls += BATCH
                for state in ("proc/buddyinfo", "proc/zoneinfo", "proc/slabinfo", "proc/meminfo", "dmesg"):
                    status, text = self.send("GET", f"{session}/{state}")
                    if status != 200:
                        return [f"{state} answered {status} after batch {number}: {text[:300]!r}"], calls
            except (OSError, http.client.HTTPException) as error:
                return [f"batch {number}: {error!r}; its calls:\n{lines[:20000]}"], calls
        return [], calls
