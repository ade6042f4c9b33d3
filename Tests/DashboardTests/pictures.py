"""Writes the pictures of docs/dashboard: each view of machines that are the same in every run."""

import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

from browser import page
from kheapd_server import Server
from machines import boot, call, faulty, groups, lecture, overflown, sensor
from scenario_checks import request

FOLDER = ROOT / "docs" / "dashboard"
ZOOM = "const map = kheapd.screen().context.view.probe; map.goTo(16500, 0); map.zoom(0.42); map.pan(-150, -210)"


def take(here, name, route, script=None, seconds=1.2):
    here.open(route)
    time.sleep(seconds)
    if script:
        here.run(script)
        time.sleep(seconds)
    here.driver.save_screenshot(str(FOLDER / f"{name}.png"))
    print(f"docs/dashboard/{name}.png")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Server() as server, page(server.url) as here:
        url = server.url
        textbook = boot(url, "textbook", profile="linux-2.6-i386", memory="2G")
        for _ in range(5):
            made = call(url, textbook, "alloc_page", gfp_mask="GFP_KERNEL|__GFP_HIGHMEM")
            call(url, textbook, "kmap", page=made["return"])
        machine = lecture(url)
        walk = "document.querySelector('#walk-address').value = arguments[0]; document.querySelector('#walk-address').form.requestSubmit()"
        take(here, "home", "")
        take(here, "memory", f"#session/{machine}/memory", "document.querySelector('form.call').requestSubmit()")
        take(here, "buddy", f"#session/{machine}/buddy", "document.querySelectorAll('.starters .pill')[1].click(); document.querySelector('form.call').requestSubmit()")
        take(here, "slabs", f"#session/{machine}/slabs/kmalloc-192", "document.querySelector('.slots').scrollIntoView({block: 'center'})")
        take(here, "space", f"#session/{textbook}/space", walk.replace("arguments[0]", "'0xff801000'"))
        take(here, "boundary", f"#session/{machine}/boundary", "[...document.querySelectorAll('#stage .row button')][1].click()")
        take(here, "time", f"#session/{machine}/time", "for (let count = 0; count < 8; count += 1) document.querySelector('form.call').requestSubmit()")
        bad = faulty(url)
        take(here, "verdict", f"#session/{bad}/verdict")
        take(here, "reports", f"#session/{overflown(url)}/verdict/reports")
        bound, tree = sensor(url), groups(url)
        take(here, "devices", f"#session/{bound}/devices")
        take(here, "groups", f"#session/{tree}/groups")
        take(here, "reclaim", f"#session/{tree}/reclaim")
        take(here, "sweep", f"#session/{machine}/sweep", "document.querySelector('.sweep-form').requestSubmit()")
        take(here, "files", f"#session/{machine}/files")
        run = request("POST", url + "/v1/scenarios/double-free/sessions?steps=2")["session"]["id"]
        take(here, "scenario", f"#scenario/double-free/{run}/slabs/kmalloc-96", "document.querySelector('.guide button.primary')?.click()")
        here.prefer(prefers_color_scheme="dark")
        take(here, "memory-dark", f"#session/{machine}/memory", ZOOM)
        take(here, "reports-dark", f"#session/{overflown(url)}/verdict/reports")
        here.prefer()
        here.run("localStorage.setItem('kheapd.language', 'zh')")
        take(here, "buddy-zh", f"#session/{machine}/buddy")
        here.resize(390, 844)
        take(here, "memory-phone", f"#session/{machine}/memory")
        take(here, "verdict-phone", f"#session/{bad}/verdict")
        here.driver.get("about:blank")


main()
