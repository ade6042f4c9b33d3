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


def faulty(url, name="driver under test"):
    """A machine on which a driver does most things wrong: misuse, memory it keeps, a failure it does not look at, a lock it sleeps under."""
    machine = boot(url, name, memory="256M", cpus=2, kasan=True)
    run = lambda function, **values: call(url, machine, function, **values)["return"]
    buffer = run("kmalloc", size=100, flags="GFP_KERNEL")
    run("kernel_write", address=buffer, data={"fill": "0x61", "length": 104})
    run("kfree", objp=buffer)
    run("kernel_read", address=buffer, length=8)
    run("kfree", objp=buffer)
    for size in [64, 192, 192, 4096]:
        run("kmalloc", size=size, flags="GFP_KERNEL")
    run("alloc_pages", gfp_mask="GFP_KERNEL", order=3)
    run("vmalloc", size=20_000)
    held = run("kmalloc", size=64, flags="GFP_KERNEL")
    run("copy_from_user", to=held, **{"from": "0x10"}, n=64)
    run("kernel_read", address=held, length=8)
    run("spin_lock", lock="table_lock")
    run("kmalloc", size=32, flags="GFP_KERNEL")
    run("spin_unlock", lock="table_lock")
    return machine


def overflown(url, name="driver under test"):
    """A machine whose newest report is a store behind an object, beside other objects of the slab."""
    machine = boot(url, name, memory="256M", cpus=2, kasan=True)
    objects = [call(url, machine, "kmalloc", size=100, flags="GFP_KERNEL")["return"] for _ in range(3)]
    call(url, machine, "kfree", objp=objects[0])
    call(url, machine, "kernel_write", address=objects[1], data={"fill": "0x61", "length": 108})
    return machine


def sensor(url, name="a sensor and its driver"):
    """A machine with a bound device: managed memory, a group, coherent memory, a mapping, a character device with an open file."""
    machine = boot(url, name, memory="256M", cpus=2)
    run = lambda function, **values: call(url, machine, function, **values)["return"]
    run("device_register", name="sensor")
    run("dma_set_mask", dev="sensor", mask="0x7fffffff")
    run("device_driver_attach", drv="sensor_drv", dev="sensor", methods={"probe": [
        {"call": "devm_kzalloc", "dev": "$dev", "size": 64, "gfp": "GFP_KERNEL", "as": "state"},
        {"call": "devm_kstrdup", "dev": "$dev", "s": "sensor0", "gfp": "GFP_KERNEL"},
        {"call": "devm_get_free_pages", "dev": "$dev", "gfp_mask": "GFP_KERNEL", "order": 1, "as": "ring"}]})
    group = run("devres_open_group", dev="sensor", id="0x0", gfp="GFP_KERNEL")
    run("devm_kmalloc", dev="sensor", size=512, gfp="GFP_KERNEL")
    run("dmam_alloc_coherent", dev="sensor", size=8192, gfp="GFP_KERNEL")
    run("devres_close_group", dev="sensor", id=group)
    buffer = run("kmalloc", size=1024, flags="GFP_KERNEL")
    run("dma_map_single", dev="sensor", ptr=buffer, size=1024, direction="DMA_TO_DEVICE")
    run("devm_add_action", dev="sensor", action="power_off", data="0x1")
    run("chrdev_register", name="sensor0", dev="sensor", methods={"read": [{"return": 0}]})
    run("sys_open", pathname="/dev/sensor0")
    run("device_register", name="idle-bus")
    return machine


def groups(url, name="two services and a batch job"):
    """A machine with a tree of memory cgroups; the batch job has met its limit, and a process of it was killed."""
    machine = boot(url, name, memory="512M", cpus=2)
    run = lambda function, **values: call(url, machine, function, **values)["return"]
    for path in ["/web", "/web/front", "/web/cache", "/batch"]:
        run("cgroup_mkdir", path=path)
    limits = {"/web/memory.max": "64M", "/web/memory.low": "16M", "/web/memory.min": "4M", "/web/front/memory.high": "8M", "/web/cache/memory.max": "16M", "/batch/memory.max": "4M"}
    for file, value in limits.items():
        run("cgroup_write", file=file, value=value)
    flags = "MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE"
    for path, size in [("/web/front", 3), ("/web/cache", 11), ("/batch", 2), ("/batch", 3)]:
        pid = run("process_create", name=path.rsplit("/", 1)[1])
        run("cgroup_write", file=f"{path}/cgroup.procs", value=str(pid))
        run("mmap", length=size << 20, prot="PROT_READ|PROT_WRITE", flags=flags, context={"pid": pid})
    return machine


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
