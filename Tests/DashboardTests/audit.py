"""Audits pages with axe-core, which the package axe-playwright-python carries; nothing else of that package is used."""

import importlib.util
import pathlib

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def script():
    """The text of axe-core."""
    spec = importlib.util.find_spec("axe_playwright_python")
    return (pathlib.Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def faults(page, axe):
    """What a page violates, a sentence for each rule with the first places."""
    page.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": f"{axe}; undefined"})
    result = page.driver.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run(document, {runOnly: arguments[0]}).then((found) => done(found.violations), (error) => done([{id: String(error), nodes: []}]))",
        STANDARD,
    )
    found = []
    for rule in result:
        places = "; ".join(f"{node['target'][0]}: {node.get('failureSummary', '').splitlines()[-1:]}" for node in rule["nodes"][:4])
        found.append(f"{rule['id']} ({len(rule['nodes'])}): {places}")
    return found


def overflow(page):
    """By how many pixels the page is wider than the window; a phone's innerWidth grows with the page, its layout's width does not."""
    return page.run("return Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)")
