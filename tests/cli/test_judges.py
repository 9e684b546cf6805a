#!/usr/bin/env python3
"""Judges outside hone: a program, and a chat endpoint with faults. test_judges.py HONE [unittest arguments]."""

import http.server
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HONE = ""
ROWS = 4


def reply(text):
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


def prefers_reference(question):
    """The better answer is the one that is the expert's."""
    expert = question.split("[An answer written by an expert]\n")[1].split("\n\n[Answer A]")[0]
    first = question.split("[Answer A]\n")[1].split("\n\n[Answer B]")[0]
    return "A" if first == expert else "B"


class Endpoint(http.server.ThreadingHTTPServer):
    """Each request takes the next fault of the list; without one it is answered by `answer`."""

    daemon_threads = True

    def __init__(self, faults=(), answer=prefers_reference, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.answer, self.seen, self.times, self.lock = list(faults), answer, [], [], threading.Lock()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_port}/v1/chat/completions"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, code, body, headers=()):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append((self.headers.get("Authorization"), body))
            self.server.times.append(time.monotonic())
            fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "hang":
            time.sleep(3)
        elif fault == "garbage":
            self.send(200, b"\xff\x00 no JSON")
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices":')
        elif fault == "endless":
            self.send(200, b"x" * 3000000)
        elif fault == "redirect":
            self.send(302, b"", [("Location", self.server.url)])
        elif fault == 429:
            self.send(429, b"slow down", [("Retry-After", "0")])
        elif isinstance(fault, int):
            self.send(fault, b'{"error":"fault of the test"}')
        else:
            text = fault if isinstance(fault, str) else self.server.answer(body["messages"][0]["content"])
            self.send(200, json.dumps(reply(text)).encode())


class Judges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="hone-judges-")
        cls.data = cls.write("in.jsonl", "".join(
            json.dumps({"prompt": f"sort {i} b a =", "reference": f" best {i} é\"\n"}) + "\n" for i in range(ROWS)))
        cls.must("tokenizer", "train", "--data", cls.write("text.jsonl", json.dumps({"prompt": "sort a b c", "completion": "d"})),
                 "--vocab", 280, "--out", cls.path("tokenizer"))
        cls.must("init", "--tokenizer", cls.path("tokenizer"), "--width", 16, "--layers", 1, "--heads", 2, "--kv-heads", 1,
                 "--hidden", 24, "--max-positions", 256, "--initializer-range", 0.3, "--out", cls.path("model"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.root, *names)

    @classmethod
    def write(cls, name, text):
        with open(cls.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return cls.path(name)

    @classmethod
    def hone(cls, *arguments, **environment):
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        return subprocess.run([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=300, env={**clean, **environment})

    @classmethod
    def must(cls, *arguments, **environment):
        done = cls.hone(*arguments, **environment)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.returncode}: {done.stderr}")
        return done

    def arguments(self, *more):
        return ["eval", "--model", self.path("model"), "--data", self.data, "--out", self.path("out"), "--max-tokens", 3,
                "--json", *more]

    def asked(self, *more, **environment):
        """The one result, and what the judge went through."""
        result = json.loads(self.must(*self.arguments(*more), **environment).stdout)
        return result["results"][0], result["judged"]

    def by_http(self, endpoint, *more, model="m", **environment):
        if "--judge-cache" not in more:
            more = ("--judge-cache", tempfile.mkdtemp(dir=self.root), *more)
        return self.asked("--judge", "http", "--judge-url", endpoint.url, "--judge-model", model, "--judge-backoff", 0.01,
                          *more, **environment)

    def refused(self, *more, **environment):
        done = self.hone(*self.arguments(*more), **environment)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_both_orders_are_asked(self):
        with Endpoint() as endpoint:
            result, judged = self.by_http(endpoint, HONE_JUDGE_KEY="secret")
        self.assertEqual((result["wins"], result["draws"], result["losses"]), (0, 0, ROWS))
        self.assertEqual(judged, {"asked": ROWS, "failed": 0, "requests": 2 * ROWS, "retried": 0, "cached": 0,
                                  "unreadable": 0})
        self.assertEqual({key for key, _ in endpoint.seen}, {"Bearer secret"})
        for first, second in zip(endpoint.seen[::2], endpoint.seen[1::2]):
            texts = [body["messages"][0]["content"] for _, body in (first, second)]
            sides = [(t.split("[Answer A]\n")[1].split("\n\n[Answer B]\n")[0],
                      t.split("\n\n[Answer B]\n")[1].split("\n\n[End]")[0]) for t in texts]
            self.assertEqual(sides[0], sides[1][::-1])
        self.assertEqual({body["model"] for _, body in endpoint.seen}, {"m"})

    def test_a_biased_judge_gives_draws(self):
        with Endpoint(answer=lambda _: "**A**.") as endpoint:
            result, _ = self.by_http(endpoint)
        self.assertEqual((result["wins"], result["draws"], result["losses"]), (0, ROWS, 0))
        self.assertEqual({key for key, _ in endpoint.seen}, {None})

    def test_passing_faults_are_retried(self):
        with Endpoint([500, 429, 503, "cut", 408]) as endpoint:
            result, judged = self.by_http(endpoint)
        self.assertEqual((result["losses"], judged["failed"]), (ROWS, 0))
        self.assertEqual((judged["requests"], judged["retried"]), (2 * ROWS + 5, 5))

    def test_a_timeout_is_retried(self):
        with Endpoint(["hang"]) as endpoint:
            result, judged = self.by_http(endpoint, "--judge-timeout", 1)
        self.assertEqual((result["losses"], judged["failed"], judged["retried"]), (ROWS, 0, 1))

    def test_what_cannot_be_read_is_counted(self):
        with Endpoint(["garbage", "A or B", "", "Answer A", "D"]) as endpoint:
            result, judged = self.by_http(endpoint)
        # Both orders of rows 1 and 2 are spoilt, and one of row 3.
        self.assertEqual((result["failed"], result["losses"], result["win_rate"]["count"]), (3, ROWS - 3, ROWS - 3))
        self.assertEqual((judged["failed"], judged["unreadable"], judged["retried"]), (3, 5, 0))
        program = self.program("for line in sys.stdin:\n    print('maybe', flush=True)\n")
        arguments = [word for word in self.arguments("--judge", "command", "--judge-command", program) if word != "--json"]
        self.assertIn(f"{ROWS} of {ROWS} comparisons had no verdict and count for nothing; {2 * ROWS} of the judge's answers "
                      "could not be read", self.must(*arguments).stdout)

    def test_used_up_retries_are_counted(self):
        with Endpoint([500, 500]) as endpoint:
            result, judged = self.by_http(endpoint, "--judge-retries", 1)
        self.assertEqual((result["failed"], result["losses"]), (1, ROWS - 1))
        self.assertEqual((judged["failed"], judged["unreadable"], judged["retried"]), (1, 0, 1))

    def test_the_cache_asks_nothing_twice(self):
        cache = self.path("cache")
        with Endpoint(["garbage"]) as endpoint:
            self.by_http(endpoint, "--judge-cache", cache)
            self.assertEqual(len(os.listdir(cache)), 2 * ROWS - 1)
            first = len(endpoint.seen)
            _, judged = self.by_http(endpoint, "--judge-cache", cache)
            self.assertEqual(len(endpoint.seen), first + 1)
            self.assertEqual((judged["requests"], judged["cached"], judged["failed"]), (1, 2 * ROWS - 1, 0))
            with open(os.path.join(cache, sorted(os.listdir(cache))[0]), "w", encoding="utf-8") as file:
                file.write("damaged")
            _, judged = self.by_http(endpoint, "--judge-cache", cache)
            self.assertEqual((judged["requests"], judged["cached"], judged["failed"]), (1, 2 * ROWS - 1, 0))
            _, judged = self.by_http(endpoint, "--judge-cache", cache, model="another")
            self.assertEqual(judged["cached"], 0)

    def test_verdicts_are_kept_beside_the_results(self):
        def run(endpoint, out):
            return self.must("eval", "--model", self.path("model"), "--data", self.data, "--out", out, "--max-tokens", 3,
                             "--json", "--judge", "http", "--judge-url", endpoint.url, "--judge-model", "m",
                             "--judge-backoff", 0.01).stdout
        out = self.path("bought")
        with Endpoint() as endpoint:
            first = json.loads(run(endpoint, out))
            self.assertEqual(len(os.listdir(os.path.join(out, "verdicts"))), 2 * ROWS)
            second = json.loads(run(endpoint, out))
            self.assertEqual((second["judged"]["requests"], second["judged"]["cached"]), (0, 2 * ROWS))
            self.assertEqual(first["results"], second["results"])
        # Nothing is made for questions that were never asked.
        done = self.hone("eval", "--model", self.path("model"), "--data", self.path("absent"), "--out", self.path("never"),
                         "--judge", "http", "--judge-url", endpoint.url, "--judge-model", "m")
        self.assertEqual(done.returncode, 1)
        self.assertFalse(os.path.exists(self.path("never")))

    def test_nobody_is_asked_of_equal_answers(self):
        with Endpoint(answer=lambda _: "maybe") as endpoint:
            result, judged = self.by_http(endpoint, "--against", "model")
        self.assertEqual((result["draws"], judged["requests"], judged["failed"]), (ROWS, 0, 0))

    def test_the_rate_is_kept(self):
        with Endpoint() as endpoint:
            self.by_http(endpoint, "--judge-rate", 20)
        # The first may arrive late, none early: seven gaps of 1/20 second, one of them left to chance.
        self.assertGreaterEqual(endpoint.times[-1] - endpoint.times[0], (2 * ROWS - 2) / 20)

    def test_refusals_end_the_evaluation(self):
        http_judge = ["--judge", "http", "--judge-model", "m", "--judge-backoff", 0.01]
        with Endpoint([401]) as endpoint:
            self.assertIn("status 401", self.refused(*http_judge, "--judge-url", endpoint.url))
            self.assertEqual(len(endpoint.seen), 1)
        with Endpoint(["redirect"]) as endpoint:
            self.assertIn("status 302", self.refused(*http_judge, "--judge-url", endpoint.url))
        with Endpoint(["endless"]) as endpoint:
            self.assertIn("judge at", self.refused(*http_judge, "--judge-url", endpoint.url))
        with Endpoint() as endpoint:
            url = endpoint.url
        self.assertIn("is it running?", self.refused(*http_judge, "--judge-url", url, "--judge-retries", 1))
        self.assertIn("unprotected", self.refused(*http_judge, "--judge-url", "http://example.org/v1", HONE_JUDGE_KEY="k"))
        self.assertIn("unprotected", self.refused(*http_judge, "--judge-url", "http://localhost.example.org/",
                                                  HONE_JUDGE_KEY="k"))
        self.assertIn("must begin with https", self.refused(*http_judge, "--judge-url", "file:///etc/passwd"))
        self.assertIn("--judge-url", self.refused("--judge", "http"))
        self.assertIn("timeout", self.refused(*http_judge, "--judge-url", url, "--judge-timeout", 0))
        self.assertIn("at least 0", self.refused(*http_judge, "--judge-url", url, "--judge-rate", -1))

    @unittest.skipUnless(shutil.which("openssl"), "no openssl to make a certificate with")
    def test_certificates_are_verified(self):
        certificate = (self.path("cert.pem"), self.path("key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate[0], "-keyout", certificate[1]],
                       check=True, stderr=subprocess.DEVNULL)
        with Endpoint(certificate=certificate) as endpoint:
            says = self.refused("--judge", "http", "--judge-url", endpoint.url, "--judge-model", "m")
            self.assertIn("certificate", says)
            self.assertEqual(endpoint.seen, [])

    def program(self, body):
        return f"{sys.executable} " + self.write("judge.py", "import json, sys, time, os\n" + body)

    def by_program(self, body, *more, judge="command"):
        return self.asked("--judge", judge, "--judge-command", self.program(body), *more)

    def test_a_program(self):
        result, judged = self.by_program("for line in sys.stdin:\n"
                                         "    row = json.loads(line)\n"
                                         "    assert set(row) == {'prompt', 'reference', 'a', 'b'}\n"
                                         "    print(json.dumps({'winner': 'a' if row['a'] == row['reference'] else 'b'}),"
                                         " flush=True)\n")
        self.assertEqual((result["losses"], judged["failed"], judged["unreadable"]), (ROWS, 0, 0))
        result, _ = self.by_program("for line in sys.stdin:\n"
                                    "    row = json.loads(line)\n"
                                    "    print(json.dumps({'p': 0.25 if row['b'] == row['reference'] else 0.65}), flush=True)\n")
        self.assertAlmostEqual(result["win_rate"]["value"], (0.25 + 1 - 0.65) / 2)

    def test_a_program_that_answers_nonsense(self):
        for answer in ("{}", "[]", '{\\"p\\":1.5}', '{\\"p\\":-0.1}', '{\\"winner\\":\\"c\\"}', "maybe", '{\\"p\\":\\"0.5\\"}'):
            with self.subTest(answer=answer):
                result, judged = self.by_program(f'for line in sys.stdin:\n    print("{answer}", flush=True)\n')
                self.assertEqual((result["failed"], judged["failed"], judged["unreadable"]), (ROWS, ROWS, 2 * ROWS))
                self.assertIsNone(result["win_rate"]["mean"])

    def test_a_program_that_ends_or_hangs_is_started_again(self):
        result, judged = self.by_program("sys.stdin.readline()\nprint(json.dumps({'winner': 'draw'}), flush=True)\n")
        # It answers one order, ends, is found gone at the other order, and is started again for the next row.
        self.assertEqual((result["failed"], judged["unreadable"]), (ROWS, 0))
        marker = self.path("hung")
        result, judged = self.by_program("for line in sys.stdin:\n"
                                         f"    if not os.path.exists({marker!r}):\n"
                                         f"        open({marker!r}, 'w').close()\n"
                                         "        time.sleep(100)\n"
                                         "    print(json.dumps({'p': 1.0}), flush=True)\n", "--judge-timeout", 3)
        self.assertEqual((result["failed"], result["draws"]), (1, ROWS - 1))
        self.assertEqual(self.asked("--judge", "command", "--judge-command", "exit 3")[1]["failed"], ROWS)
        self.assertIn("--judge-command", self.refused("--judge", "command"))

    def test_ctrl_c_while_a_judge_thinks(self):
        marker = self.path("thinking")
        program = self.program(f"open({marker!r}, 'w').close()\n"
                               "for line in sys.stdin:\n    time.sleep(0.2)\n    print('{\"p\":0.5}', flush=True)\n")
        arguments = self.arguments("--judge", "command", "--judge-command", program, "--revisions", 40)
        with subprocess.Popen([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            while not os.path.exists(marker) and run.poll() is None:
                time.sleep(0.01)
            run.send_signal(signal.SIGINT)
            stdout, stderr = run.communicate(timeout=60)
        self.assertEqual((run.returncode, stdout), (130, ""), stderr)
        self.assertIn("drafts.jsonl", stderr.splitlines()[-1])
        with open(self.path("out", "drafts.jsonl"), encoding="utf-8") as file:
            self.assertGreaterEqual(len([line for line in file if len(json.loads(line)["drafts"]) == 41]), ROWS)

    def test_ctrl_c_while_an_endpoint_is_waited_for(self):
        # Before a retry that is half a minute off, and while an answer does not come.
        for faults in ([500], ["hang"]):
            with self.subTest(faults=faults), Endpoint(faults) as endpoint:
                arguments = self.arguments("--judge", "http", "--judge-url", endpoint.url, "--judge-model", "m",
                                           "--judge-backoff", 30, "--judge-cache", tempfile.mkdtemp(dir=self.root))
                with subprocess.Popen([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True) as run:
                    while not endpoint.seen and run.poll() is None:
                        time.sleep(0.01)
                    run.send_signal(signal.SIGINT)
                    stdout, stderr = run.communicate(timeout=20)
                self.assertEqual((run.returncode, stdout), (130, ""), stderr)
                self.assertIn("stopped", stderr.splitlines()[-1])

    def test_a_mixture_with_a_program(self):
        result, _ = self.by_program("for line in sys.stdin:\n    print('{\"p\":0.5}', flush=True)\n",
                                    judge="exact:3,command:1")
        self.assertAlmostEqual(result["win_rate"]["value"], 0.25 * 0.5)


if __name__ == "__main__":
    HONE = sys.argv.pop(1)
    unittest.main()
