"""Verdict, reports, held memory, leaks, devices, groups, reclaim, sweep: each against what the service says."""

from machines import boot, call, calls, faulty, get, groups, lecture, overflown, sensor
from scenario_checks import request
from suite import HOSTILE, test

PARTS = ["reports", "warnings", "contexts", "unlooked", "devices", "leaks"]


@test
def verdict_is_good_or_bad_at_first_sight(here, url):
    here.open(f"#session/{boot(url)}/verdict")
    here.until_text("Sound", ".judgement.is-good .judgement-word")
    machine = faulty(url)
    here.open(f"#session/{machine}/verdict")
    here.until_text("Not sound", ".judgement.is-bad .judgement-word")
    verdict = get(url, machine, "verdict")
    shown = here.run("return [...document.querySelectorAll('.tile-count')].map((tile) => Number(tile.innerText))")
    assert shown == [verdict[part]["total"] for part in PARTS], shown
    assert here.run("return document.querySelectorAll('.tile.is-bad').length") == sum(verdict[part]["total"] > 0 for part in PARTS)
    here.run("document.querySelectorAll('.tile.is-bad')[1].click()")
    assert here.run("return document.activeElement.closest('[data-part]')?.dataset.part") == "warnings"
    # What is judged can begin later; then this machine is sound.
    here.run("[...document.querySelectorAll('#stage .toolbar button')][0].click()")
    here.until_text("Sound", ".judgement.is-good")
    assert here.find("#verdict-since").get_attribute("value") == str(verdict["seq"])


@test
def findings_lead_to_call_object_and_log(here, url):
    machine = faulty(url)
    verdict = get(url, machine, "verdict")
    here.open(f"#session/{machine}/verdict")
    here.until("return document.querySelector('[data-part=reports] .log-link')")
    here.run("document.querySelector('[data-part=reports] .log-link').click()")
    here.until_text(verdict["reports"]["items"][0]["text"], "pre.file")
    assert here.run("return document.querySelectorAll('pre.file .line').length") == 1
    here.open(f"#session/{machine}/verdict")
    here.until("return document.querySelector('[data-part=warnings] .report-link')")
    here.run("document.querySelector('[data-part=warnings] .report-link').click()")
    here.until_text(f"#{verdict['warnings']['items'][0]['call']}", ".report[open] summary b")
    # A call of which nobody heard is told as a gap.
    here.open(f"#session/{machine}/verdict")
    here.until("return document.querySelector('[data-part=warnings] .call-link')")
    here.run("document.querySelector('[data-part=warnings] .call-link').click()")
    number = verdict["warnings"]["items"][0]["call"]
    here.until("return document.querySelector('#event-filter')?.value === arguments[0]", f"#{number}")
    here.until("return document.querySelector('.events .gap')")
    here.open(f"#session/{machine}/verdict")
    here.until("return document.querySelector('[data-part=leaks] .address-link')")
    here.run("[...document.querySelectorAll('[data-part=leaks] .address-link')].at(-1).click()")
    here.until("return document.querySelector('.details .dump-line')")


@test
def reports_show_the_bytes_around_the_bad_one(here, url):
    machine = overflown(url)
    report = get(url, machine, "reports")["reports"][0]
    kasan = report["warning"]["kasan"]
    here.open(f"#session/{machine}/verdict/reports")
    here.until("return document.querySelector('.report[open] .shadow')")
    codes = here.run("return [...document.querySelectorAll('.granules .granule')].map((cell) => cell.innerText).join('')")
    assert codes == "".join(row["bytes"] for row in kasan["shadow"]), codes
    assert here.run("return [...document.querySelectorAll('.granules .is-first-bad')].map((cell) => cell.innerText)") == ["04"]
    touched = here.run("return document.querySelectorAll('.granules .is-touched').length")
    assert touched == 14, touched
    shown = here.run("return [...document.querySelectorAll('.shadow-dump .byte')].map((cell) => cell.innerText).join('')")
    assert shown == kasan["memory"]["bytes"], shown
    place = int(kasan["first_bad"], 16) - int(kasan["memory"]["address"], 16)
    assert here.run("return [...document.querySelectorAll('.shadow-dump .byte')].findIndex((cell) => cell.classList.contains('is-first-bad'))") == place
    life = here.run("return [...document.querySelectorAll('.life-line .call-link')].map((link) => link.innerText.split(' ')[0])")
    assert life == ["#2", "#5"], life
    here.run("document.querySelector('.report-body details summary').click()")
    assert here.text(".report-body pre.log").splitlines()[:2] == report["lines"][:2]
    # An object's picture stands in for the shadow where the machine has no sanitizer.
    plain = boot(url, memory="96M")
    made = call(url, plain, "kmalloc", size=64, flags="GFP_KERNEL")["return"]
    call(url, plain, "kernel_write", address=made, data={"fill": "0x61", "length": 80})
    here.open(f"#session/{plain}/verdict/reports")
    here.until("return document.querySelector('.object-bar .access')")


@test
def held_memory_is_grouped_and_sorted(here, url):
    machine = lecture(url)
    here.open(f"#session/{machine}/verdict/held")
    here.until("return document.querySelectorAll('#stage tbody tr').length > 2")
    wished = get(url, machine, "allocations?group_by=function&sort=bytes")
    names = "return [...document.querySelectorAll('#stage tbody th')].map((cell) => cell.innerText)"
    assert here.run(names)[0] == wished["groups"][0]["function"] or wished["groups"][0]["function"] is None
    assert len(here.run(names)) == wished["total"]["groups"]
    here.run("document.querySelectorAll('#stage thead button')[1].click()")
    counts = here.run("return [...document.querySelectorAll('#stage tbody tr')].map((row) => Number(row.cells[1].innerText.replace(/\\D/g, '')))")
    assert counts == sorted((group["count"] for group in wished["groups"]), reverse=True), counts
    here.run("document.querySelectorAll('#stage thead button')[1].click()")
    assert here.run("return document.querySelector('#stage th[aria-sort]').getAttribute('aria-sort')") == "ascending"
    here.find("#held-by").send_keys("cache")
    here.until("return document.querySelector('#stage tbody a[href*=\"/slabs/\"]')")


@test
def leaks_are_looked_for_by_a_button(here, url):
    machine = boot(url, memory="96M")
    lost = call(url, machine, "kmalloc", size=64, flags="GFP_KERNEL")["return"]
    here.open(f"#session/{machine}/verdict/leaks")
    here.until_text("No suspects", "#stage .empty")
    here.find("#stage .toolbar button").click()
    here.until("return document.querySelector('#stage tbody tr')")
    assert here.run("return document.querySelector('#stage tbody .addr').title") == lost
    assert [leak["address"] for leak in get(url, machine, "leaks")["leaks"]] == [lost]
    here.until_text("found 1 new", "#stage [role=status]")


@test
def devices_show_what_goes_with_them_and_when(here, url):
    machine = sensor(url)
    device = get(url, machine, "devices")["bus_devices"][0]
    here.open(f"#session/{machine}/devices")
    here.until("return document.querySelectorAll('.device').length === 2")
    shown = here.run("return [...document.querySelectorAll('.devres-entry code')].map((cell) => cell.innerText)")
    wished = [entry["function"] for entry in reversed(device["resources"]) if not entry["kind"].startswith("group")]
    assert shown == wished, (shown, wished)
    inside = here.run("return [...document.querySelectorAll('.devres-group .devres-entry code')].map((cell) => cell.innerText)")
    assert inside == ["dmam_alloc_coherent", "devm_kmalloc"], inside
    assert "31 bits: below 2 GiB" in here.text(".device")
    assert here.run("return document.querySelectorAll('.device:first-child tbody tr').length") == len(device["mappings"])
    assert "/dev/sensor0" in here.text("#stage .stack > .card:last-child")
    here.run("[...document.querySelectorAll('.device button')][0].click()")
    assert here.find("#function").get_attribute("value") == "device_release_driver"
    assert here.find("#argument-dev").get_attribute("value") == "sensor"
    here.run("document.querySelector('form.call').requestSubmit()")
    here.until("return document.querySelectorAll('.devres-entry').length === 0")
    here.open(f"#session/{boot(url, memory='96M')}/devices")
    here.until("return document.querySelectorAll('.invitation button').length > 2")


@test
def groups_show_use_against_limits(here, url):
    machine = groups(url)
    state = {group["path"]: group for group in get(url, machine, "cgroups")["cgroups"]}
    here.open(f"#session/{machine}/groups")
    here.until("return document.querySelectorAll('.group').length === 5")
    order = here.run("return [...document.querySelectorAll('.group h2 .fine')].map((name) => name.innerText.trim())")
    assert order == ["/", "/web", "/web/front", "/web/cache", "/batch"], order
    drawn = here.run("const bar = document.querySelectorAll('.group-gauge')[2]; return bar.querySelector('.group-fill').offsetWidth / (bar.querySelector('.limit-max').offsetLeft + 1)")
    cache = state["/web/cache"]
    assert abs(drawn - cache["current"] / cache["limits"]["memory.max"]) < 0.02, drawn
    assert state["/batch"]["events"]["oom_kill"] == 1
    assert "oom_kill 1" in here.text(".group:last-child .pills")
    here.run("const summary = document.querySelectorAll('.group summary')[1]; summary.focus(); summary.click()")
    call(url, machine, "cgroup_mkdir", path="/late")
    here.until("return document.querySelectorAll('.group').length === 6")
    assert here.run("const details = document.querySelectorAll('.group')[1].querySelector('details'); return details.open && document.activeElement.parentElement === details")


@test
def reclaim_shows_lists_and_locks(here, url):
    machine = groups(url)
    call(url, machine, "spin_lock", lock="table_lock")
    lists = [zone["lists"] for zone in get(url, machine, "reclaim")["nodes"][0]["zones"]]
    here.open(f"#session/{machine}/reclaim")
    here.until("return document.querySelectorAll('.lru-bar').length === arguments[0]", len(lists))
    labels = here.run("return [...document.querySelectorAll('.lru-bar')].map((bar) => bar.getAttribute('aria-label'))")
    for label, counts in zip(labels, lists):
        for name, count in counts.items():
            assert f"{name} {count}" in label.replace("\u202f", ""), (label, counts)
    here.until_text("table_lock", "#stage")
    assert "batch" in here.text("#stage")


@test
def sweep_fails_each_place_in_turn(here, url):
    machine = boot(url, memory="96M")
    here.open(f"#session/{machine}/sweep")
    here.run("document.querySelector('.sweep-form').requestSubmit()")
    here.until("return document.querySelector('.sweep-table')")
    items = here.run("return JSON.parse(document.querySelector('#sweep-calls').value)")
    report = request("POST", f"{url}/v1/sessions/{machine}/sweep", items)
    marks = here.run("return [...document.querySelectorAll('.sweep-strip a')].map((link) => link.className === 'is-good')")
    assert marks == [run["ok"] for run in report["runs"]] and False in marks, marks
    assert here.run("return document.querySelectorAll('.sweep-table tbody tr').length") == report["run_count"]
    assert "Oops" in here.text(".sweep-table .stop-row")
    assert get(url, machine, "zones")["seq"] == 0
    # What the console did becomes a list in which results have names.
    here.run("document.querySelector('form.call').requestSubmit()")
    here.until("return document.querySelectorAll('.history li').length === 1")
    here.run("const panel = kheapd.screen().context.panel; panel.show('kfree', {objp: panel.calls()[0].outcome.return}); document.querySelector('form.call').requestSubmit()")
    here.until("return document.querySelectorAll('.history li').length === 2")
    here.run("[...document.querySelectorAll('.sweep-form .row button')][0].click()")
    taken = here.run("return JSON.parse(document.querySelector('#sweep-calls').value)")
    assert [item["call"] for item in taken] == ["kmalloc", "kfree"] and taken[1]["args"] == {"objp": f"${taken[0]['as']}"}, taken
    here.run("document.querySelector('.sweep-form').requestSubmit()")
    here.until_text("Survives every failure", ".judgement-word")


@test
def gaps_of_the_log_are_shown_and_filled(here, url):
    machine = boot(url, memory="96M")
    pair = [{"call": "kmalloc", "as": "p", "args": {"size": 64, "flags": "GFP_KERNEL"}}, {"call": "kfree", "args": {"objp": "$p"}}]
    calls(url, machine, pair * 20)
    here.open(f"#session/{machine}/time")
    here.until_text("Calls 1 to 40", ".events .gap")
    calls(url, machine, pair * 1100)
    here.until("return kheapd.screen().context.feed.last === 2240")
    # A page that comes late has the newest 2,000 calls; a stream that listens meanwhile keeps the rest alive.
    here.run("globalThis.keeper = new EventSource(`/v1/sessions/${arguments[0]}/events`)", machine)
    here.until("return globalThis.keeper.readyState === 1")
    here.go("")
    here.until("return document.querySelector('.home')")
    here.go(f"#session/{machine}/time")
    here.until("return globalThis.kheapd?.screen()?.context?.feed?.last === 2240")
    assert here.run("return kheapd.screen().context.feed.first") == 241
    here.until("return document.querySelector('.earlier button')")
    here.run("document.querySelector('.earlier button').click()")
    here.until("return kheapd.screen().context.feed.first === 1 && !document.querySelector('.earlier button')")
    ids = here.run("return kheapd.screen().context.feed.entries.map((entry) => entry.id ?? JSON.parse(entry.data))")
    assert ids == [{"from": 1, "to": 40}, *range(41, 2241)], ids[:5]
    here.go(f"#session/{machine}/time/45")
    here.until_text("#45", ".events")
    assert here.run("return document.querySelectorAll('.events li').length") == 1
    here.run("keeper.close()")


@test
def events_are_filtered_by_function_zone_and_cache(here, url):
    machine = boot(url, memory="96M")
    here.open(f"#session/{machine}/time")
    here.until("return document.querySelector('.link.live')")
    call(url, machine, "kmalloc", size=192, flags="GFP_KERNEL")
    call(url, machine, "alloc_page", gfp_mask="GFP_KERNEL")
    call(url, machine, "alloc_page", gfp_mask="GFP_DMA")
    here.until("return document.querySelectorAll('.events li').length === 3")
    for text, wished in [("kmalloc-192", ["#1"]), ("alloc_page", ["#3", "#2"]), ("zone:DMA", ["#3"]), ("nothing", [])]:
        here.run("const field = document.querySelector('#event-filter'); field.value = arguments[0]; field.dispatchEvent(new Event('input'))", text)
        here.until("return [...document.querySelectorAll('.events .seq')].map((cell) => cell.innerText).join() === arguments[0]", ",".join(wished))


@test
def hostile_names_are_text_in_the_panels(here, url):
    machine = boot(url, name=HOSTILE, memory="96M")
    call(url, machine, "device_register", name="<img>x")
    call(url, machine, "device_driver_attach", drv="<img>", dev="<img>x")
    call(url, machine, "devm_add_action", dev="<img>x", action="<img>", data="0x1")
    call(url, machine, "cgroup_mkdir", path=f"/{HOSTILE}")
    call(url, machine, "spin_lock", lock=HOSTILE)
    call(url, machine, "kmalloc", size=64, flags="GFP_KERNEL")
    call(url, machine, "kmem_cache_create", name=HOSTILE, size=264)
    call(url, machine, "kmem_cache_alloc", s=HOSTILE, flags="GFP_ATOMIC")
    for view, place in [("devices", ".device"), ("groups", ".groups"), ("reclaim", "#stage"), ("verdict", "#stage"), ("verdict/reports", "#stage"), ("sweep", "#where")]:
        here.open(f"#session/{machine}/{view}")
        here.until_text("<img", place)
    here.open(f"#session/{machine}/verdict/held")
    here.until("return document.querySelector('#held-by')")
    here.find("#held-by").send_keys("cache")
    here.until_text(HOSTILE, "#stage tbody")
    assert here.run("return document.images.length") == 0
    assert here.run("return globalThis.wasHit") is None
