"""A headless browser on the dashboard, with what the tests ask of a page again and again."""

import contextlib
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

WAIT_SECONDS = 60
SWITCHES = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
]


class Page:
    """A page of the dashboard."""

    def __init__(self, url, language="en"):
        options = Options()
        for switch in SWITCHES:
            options.add_argument(switch)
        options.add_argument(f"--lang={language}")
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.url = url
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(60)
        self.resize(1440, 900)

    def close(self):
        self.driver.quit()

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        })

    def prefer(self, **features):
        """Sets media features, such as prefers_color_scheme="dark"."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()],
        })

    def open(self, route=""):
        """Opens a route anew, with nothing left of the page before."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/{route}")
        self.until("return document.querySelector('main')?.children.length > 0 && !document.querySelector('main > .loading')")
        if route.startswith("#session"):
            self.until("return globalThis.kheapd?.screen()?.context?.view !== undefined")

    def go(self, route):
        """Follows a link inside the page."""
        self.run("location.hash = arguments[0]", route)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, script, *arguments, seconds=WAIT_SECONDS):
        """Waits until a script returns something true, and gives it; an object becomes true."""
        end = time.monotonic() + seconds
        plain = f"const found = (() => {{ {script} }})(); return typeof found === 'object' ? Boolean(found) : found"
        while True:
            found = self.run(plain, *arguments)
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"the page does not get there: {script}")
            time.sleep(0.05)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def until_text(self, text, selector="body"):
        self.until("return (document.querySelector(arguments[1])?.innerText ?? '').includes(arguments[0])", text, selector)

    def errors(self):
        """What the browser has complained of since the last look."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@contextlib.contextmanager
def page(url, **options):
    opened = Page(url, **options)
    try:
        yield opened
    finally:
        opened.close()
