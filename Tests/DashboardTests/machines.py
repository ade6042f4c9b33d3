"""Machines for the dashboard's tests and pictures."""

import json
import random

from scenario_checks import request


def boot(url, name="", **machine):
    machine.setdefault("object_history", 1024)
    return request("POST", url + "/v1/sessions", {"name": name, "machine": machine})["id"]


def call(url, machine, function, **values):
    return request("POST", f"{url}/v1/sessions/{machine}/calls/{function}", values)


def calls(url, machine, items):
    return request("POST", f"{url}/v1/sessions/{machine}/calls?on_error=continue", items)


def get(url, machine, view):
    return request("GET", f"{url}/v1/sessions/{machine}/{view}")


def lecture(url, name="lecture 3", memory="512M", count=240):
    """A machine with some of everything: slabs, pages of all classes, areas, a process with memory."""
    machine = boot(url, name, memory=memory, cpus=2)
    chosen = random.Random(3)
    items = []
    for place in range(count):
        kind = chosen.random()
        if kind < 0.35:
            items.append({"call": "kmalloc", "args": {"size": chosen.choice([32, 100, 192, 700, 1500, 3000, 9000]), "flags": "GFP_KERNEL"}})
        elif kind < 0.6:
            mask = chosen.choice(["GFP_KERNEL", "GFP_USER|__GFP_MOVABLE", "GFP_KERNEL|__GFP_RECLAIMABLE"])
            items.append({"call": "alloc_pages", "args": {"gfp_mask": mask, "order": chosen.choice([0, 0, 0, 1, 2, 3, 4, 6])}})
        elif kind < 0.7:
            items.append({"call": "vmalloc", "args": {"size": chosen.choice([20_000, 100_000, 300_000])}})
        elif kind < 0.8:
            flags = "MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE"
            items.append({"call": "mmap", "args": {"length": 262_144, "prot": "PROT_READ|PROT_WRITE", "flags": flags}})
        else:
            items.append({"call": "kmalloc", "as": f"q{place}", "args": {"size": 64, "flags": "GFP_KERNEL"}})
            items.append({"call": "kfree", "args": {"objp": f"$q{place}"}})
    refused = [answer for answer in calls(url, machine, items) if "seq" not in answer]
    assert not refused, json.dumps(refused[:2])
    return machine
