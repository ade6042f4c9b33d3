"""The tests of the dashboard: functions of a page and a server's address, in the order in which they are written."""

HOSTILE = "<img src=x onerror=\"globalThis.wasHit=1\">"
VIEWS = ["memory", "buddy", "slabs", "space", "boundary", "groups", "reclaim", "devices", "sweep", "verdict", "time", "files"]
tests = []


def test(function):
    tests.append(function)
    return function
