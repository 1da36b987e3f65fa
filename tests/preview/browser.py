"""Chromium as the tests use it: open a page, wait until it is drawn, ask what is on it."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_DRAWN = """
    return document.documentElement.dataset.ready === 'yes' &&
        ![...document.querySelectorAll('main > :not([hidden]) .grid:not([hidden]) [data-card]')]
            .some((cell) => cell.dataset.drawn === 'no')
"""
#: Seconds for a page to be drawn, or a script to end, on a machine that does much else.
PATIENCE = 240


class Browser:
    """One Chromium; `complaints` are what pages wrote to the console, or asked for, since the last `look`."""

    def __init__(self, binary: str, driver: str, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = binary
        for argument in (*_QUIET, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self._driver = webdriver.Chrome(options=options, service=Service(driver))
        self._driver.set_script_timeout(PATIENCE)
        self._driver.get("about:blank")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.quit()

    def look(self, width: int = 1600, height: int = 1000, dark: bool = False, zone: str = "UTC") -> None:
        """Be a screen of this size, scheme and time zone, with nothing remembered."""
        command = self._driver.execute_cdp_cmd
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        command(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700},
        )
        command("Emulation.setEmulatedMedia", {"features": [scheme]})
        command("Emulation.setTimezoneOverride", {"timezoneId": zone})
        self._driver.get("about:blank")
        self._complaints()

    def open(self, page: Path | str, place: str = "") -> None:
        """Open a page, a file or an address, at a dashboard."""
        address = page if isinstance(page, str) else page.as_uri()
        self._driver.get("about:blank")
        # Chromium keeps 50 places to go back to, and once they are full drops first those that scripts made
        self._driver.execute_cdp_cmd("Page.resetNavigationHistory", {})
        self._driver.get(f"{address}{f'#{place}' if place else ''}")
        self.wait()

    def back(self) -> None:
        """Back within the page, until the page has been told."""
        self.run_async("addEventListener('popstate', () => setTimeout(done), {once: true}); history.back()")
        self.wait()

    @property
    def title(self) -> str:
        """What the window is called."""
        return self._driver.title

    @property
    def place(self) -> str:
        """The address behind the page's own, without the #."""
        return str(self.run("return decodeURIComponent(location.hash.slice(1).replaceAll('+', ' '))"))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, where the focus is."""
        ActionChains(self._driver).send_keys(*keys).perform()
        self.wait()

    def tap(self, element: WebElement) -> None:
        """Touch the middle of an element, as a finger does."""
        self._into_view(element)
        box = self.run(
            "const box = arguments[0].getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]",
            element,
        )
        point = {"x": box[0], "y": box[1]}
        for kind, points in (("touchStart", [point]), ("touchEnd", [])):
            self._driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def wait(self) -> None:
        """Until every card in sight is drawn."""
        try:
            WebDriverWait(self._driver, PATIENCE, poll_frequency=0.05).until(
                lambda driver: driver.execute_script(_DRAWN)
            )
        except TimeoutException as error:
            state = self.run("return [location.href, document.documentElement.dataset.ready ?? 'not ready']")
            raise AssertionError(f"not drawn in {PATIENCE} s: {state}, {self.cards()}") from error

    def run(self, script: str, *arguments: Any) -> Any:
        """What JavaScript returns."""
        return self._driver.execute_script(script, *arguments)

    def run_async(self, script: str, *arguments: Any) -> Any:
        """What JavaScript hands to `done`."""
        call = "const done = arguments[arguments.length - 1];" + script
        return self._driver.execute_async_script(call, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        """The elements in sight that a CSS selector finds."""
        found = self._driver.find_elements("css selector", selector)
        return [element for element in found if element.is_displayed()]

    def one(self, selector: str) -> WebElement:
        """The one element in sight."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector}"
        return found[0]

    def card(self, title: str) -> WebElement:
        """The card of this title."""
        found = [
            card for card in self.all("[data-card]") if card.find_element("css selector", "h2").text == title
        ]
        assert len(found) == 1, f"{len(found)} cards {title!r}"
        return found[0]

    def cards(self) -> list[tuple[str, str, int]]:
        """Of each card in sight: title, how it was drawn, how many marks its chart has (-1: it has none)."""
        found = self.run(
            "return [...document.querySelectorAll('main > :not([hidden]) .grid:not([hidden]) [data-card]')]"
            ".map((card) => [card.querySelector('h2').textContent, card.dataset.drawn,"
            " card.querySelector('.plot') ? card.querySelectorAll('.role-mark path[d]').length : -1])"
        )
        return [(title, drawn, marks) for title, drawn, marks in found]

    def column(self, card: WebElement, title: str) -> list[str]:
        """What a table shows in the column of this title, from the first row to the last."""
        found = self.run(
            "const [card, title] = arguments;"
            "const place = [...card.querySelectorAll('th')].findIndex((th) => th.textContent === title);"
            "return [...card.querySelectorAll('tbody tr')].map((row) => row.cells[place].textContent)",
            card,
            title,
        )
        return list(found)

    def hover(self, element: WebElement) -> None:
        """Put the pointer on the middle of an element."""
        self._into_view(element)
        ActionChains(self._driver).move_to_element(element).perform()

    def _into_view(self, element: WebElement) -> None:
        # until the scroll has been told: it hides the tooltip
        self._driver.execute_async_script(
            "arguments[0].scrollIntoView({block: 'center'});"
            "requestAnimationFrame(() => requestAnimationFrame(arguments[1]))",
            element,
        )

    def options(self, name: str) -> list[str]:
        """The labels that a filter in sight offers, by its key."""
        select = self.one(f"select[data-filter={name}]")
        return list(self.run("return [...arguments[0].options].map((option) => option.textContent)", select))

    def choose(self, name: str, label: str) -> None:
        """Set a filter by its key and the label of a value."""
        select = self.one(f"select[data-filter={name}]")
        labels = self.options(name)
        self.run(
            "arguments[0].selectedIndex = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
            select,
            labels.index(label),
        )
        self.wait()

    def tick(self, name: str, *labels: str) -> None:
        """Tick values of a filter that takes several, by its key and their labels."""
        self.one(f"summary[data-filter={name}]").click()
        for box in self.all(".choices label"):
            if box.text in labels:
                box.click()
        self.wait()

    def type(self, name: str, text: str) -> None:
        """Type a filter's value, by its key."""
        self.run(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
            self.one(f"input[data-filter={name}]"),
            text,
        )
        self.wait()

    def dashboards(self) -> list[tuple[str, int]]:
        """Every dashboard and the number of its tabs (0: without tabs)."""
        return [
            (name, tabs)
            for name, tabs in self.run(
                "return [...document.querySelectorAll('main > section')].map((section) =>"
                " [section.id.slice('panel-'.length), section.querySelectorAll('.tabs.inner button').length])"
            )
        ]

    def show(self, dashboard: str, tab: int = 0) -> None:
        """Click a dashboard, and a tab of it."""
        self.run("document.getElementById(`tab-${arguments[0]}`).click()", dashboard)
        self.run(
            "document.querySelectorAll(`#panel-${arguments[0]} .tabs.inner button`)[arguments[1]]?.click()",
            dashboard,
            tab,
        )
        self.wait()

    def complaints(self) -> list[str]:
        """Console messages, and requests other than those for the page itself and its own answers."""
        return self._complaints()

    def _complaints(self) -> list[str]:
        found = [f"{entry['level']}: {entry['message']}" for entry in self._driver.get_log("browser")]
        for entry in self._driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                address = message["params"]["request"]["url"]
                own = message["params"]["type"] == "Document" and address.startswith(
                    ("file:", "http://127.0.0.1:")
                )
                answer = address.startswith("http://127.0.0.1:") and "/answer/" in address
                # the browser's own pictures, such as a date's calendar, are data
                if not own and not answer and not address.startswith("data:"):
                    found.append(f"asked for {address[:200]}")
        return found
