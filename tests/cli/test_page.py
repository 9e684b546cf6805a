#!/usr/bin/env python3
"""The report in a browser, headless and without a network: test_page.py HONE [unittest arguments].

Chromium is driven through its remote debugging pipe: what the page says on the console, what it asks the network for, how it is laid
out in a narrow window, and whether its text stands out in both colour schemes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import test_cli
from test_cli import Case

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """The DevTools protocol over file descriptors 3 and 4: messages of JSON, each ended by a zero byte."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="hone-page-")
        to_child, self.write_end = os.pipe()
        self.read_end, from_child = os.pipe()
        saved = [os.dup(fd) if fd_open(fd) else None for fd in (3, 4)]

        def place():
            os.dup2(to_child, 100)
            os.dup2(from_child, 101)
            os.dup2(100, 3)
            os.dup2(101, 4)

        self.process = subprocess.Popen([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                                         f"--user-data-dir={self.profile}", "--remote-debugging-pipe", "about:blank"],
                                        preexec_fn=place, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in saved:
            if fd is not None:
                os.close(fd)
        os.close(to_child)
        os.close(from_child)
        self.buffer, self.number, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.buffer:
            part = os.read(self.read_end, 1 << 20)
            if not part:
                raise AssertionError("the browser has gone")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            request["sessionId"] = self.session
        os.write(self.write_end, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url="file://" + path)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)
        shutil.rmtree(self.profile, ignore_errors=True)


def fd_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def luminance(colour):
    """Of "rgb(r, g, b)", as WCAG 2 has it."""
    parts = [float(x) / 255 for x in colour[colour.index("(") + 1:-1].split(",")[:3]]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@unittest.skipUnless(BROWSER, "chromium is not installed")
@unittest.skipUnless(shutil.which("gnuplot"), "draws with gnuplot")
class Page(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = [{"prompt": f"sort {i} b a =", "answer": f" a b {i}"} for i in range(4)]
        cls.rows = cls.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        for method in ("srpo", "dpo"):
            cls.must("train", "--model", cls.model, "--data", cls.data, "--method", method, "--steps", 3, "--threads", 1, "--quiet", "--out",
                     cls.path(method))
        cls.must("eval", "--model", "base=" + cls.model, "--adapter", "srpo=" + cls.path("srpo", "final"), "--adapter",
                 "dpo=" + cls.path("dpo", "final"), "--data", cls.rows, "--ood", cls.rows, "--judge", "chrf", "--revisions", 2, "--temperature",
                 1, "--max-tokens", 6, "--out", cls.path("eval"))
        cls.page = cls.path("report.html")
        cls.must("report", cls.path("srpo"), cls.path("dpo"), cls.path("eval"), "--out", cls.page)
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        super().tearDownClass()

    def resize(self, width):
        self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        self.browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def test_quiet_and_alone(self):
        self.browser.open(self.page)
        asked = [event["params"]["request"]["url"] for event in self.browser.events if event.get("method") == "Network.requestWillBeSent"]
        self.assertEqual(asked, ["file://" + self.page])
        for event in self.browser.events:
            self.assertNotIn(event.get("method"), ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"), event)

    def test_structure(self):
        self.browser.open(self.page)
        counts = self.browser.evaluate("[...['h1','h2','figure','figure svg','table','.card','details','script'].map("
                                       "s => document.querySelectorAll(s).length)]")
        h1, h2, figures, pictures, tables, cards, details, scripts = counts
        self.assertEqual((h1, h2, scripts), (1, 2, 0))  # the evaluation, what led to it
        self.assertEqual(figures, pictures)
        self.assertGreaterEqual(figures, 4 + 5)  # win rate and score in two sets; curves
        self.assertEqual((tables, cards), (1 + 4 + 4 + 1, 8))  # runs, estimates, head to head at 0 and 1 in two sets, paired tests
        self.assertEqual(self.browser.evaluate("document.querySelector('.card').querySelectorAll('.drafts').length"), 3)
        heights = self.browser.evaluate("[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect().height)")
        self.assertTrue(all(height > 100 for height in heights), heights)
        first = self.browser.evaluate("[...document.querySelectorAll('.finding')].map(e => e.getBoundingClientRect().bottom)")
        self.assertEqual(len(first), 2)
        self.assertLess(max(first), 900)  # what was found is seen without scrolling
        identifiers = self.browser.evaluate("[...document.querySelectorAll('section[id]')].map(e => e.id)")
        self.assertEqual(len(identifiers), len(set(identifiers)))

    def test_narrow_window(self):
        self.browser.open(self.page)
        for width in (400, 800, 1600):
            self.resize(width)
            wide = self.browser.evaluate("document.documentElement.scrollWidth")
            self.assertLessEqual(wide, width)

    def test_text_stands_out_in_both_schemes(self):
        self.browser.open(self.page)
        for name, dark in (("light", False), ("dark", True)):
            self.scheme(name)
            paper = luminance(self.browser.evaluate("getComputedStyle(document.body).backgroundColor"))
            self.assertEqual(paper < 0.2, dark)
            for what in ("body", ".note", "h4", "figure svg text"):
                key = "fill" if "svg" in what else "color"
                ink = luminance(self.browser.evaluate(f"getComputedStyle(document.querySelector('{what}')).{key}"))
                contrast = (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)
                self.assertGreaterEqual(contrast, 4.5, (name, what))  # WCAG's AA
            for mark in self.browser.evaluate("[...document.querySelectorAll('.key b')].map(e => getComputedStyle(e).color)"):
                ink = luminance(mark)
                self.assertGreaterEqual((max(ink, paper) + 0.05) / (min(ink, paper) + 0.05), 3, (name, mark))

    def test_paper_cuts_nothing_off(self):
        self.browser.open(self.page)
        self.resize(718)  # A4 within chromium's margins
        self.browser.call("Emulation.setEmulatedMedia", media="print")
        cut = self.browser.evaluate("[...document.querySelectorAll('.wide, pre, body')].filter(e => e.scrollWidth > e.clientWidth).map("
                                    "e => e.textContent.slice(0, 60))")
        self.browser.call("Emulation.setEmulatedMedia", media="")
        self.assertEqual(cut, [])

    def test_prints(self):
        self.browser.open(self.page)
        pdf = self.browser.call("Page.printToPDF")["data"]
        self.assertTrue(pdf.startswith("JVBERi"))  # %PDF
        self.assertGreater(len(pdf), 20000)


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
