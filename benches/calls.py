#!/usr/bin/env python3
"""Calls set up and torn down with SIPp at both ends: `benches/calls.py [CALLFLOOR] [--rates 20,40,80] [--seconds 15]`.

A customer calls, is answered by the flow, comes to a Ready operator's telephone at once, is connected, stays a second and hangs up.
For each rate: calls that failed, the time from the customer's INVITE to the INVITE at the telephone, and the processor time that the
server took for each call; beside it the same customers against the same telephones without a server between them. Needs SIPp
(Debian: sip-tester) and `cargo build --release -p callfloor`.
"""
import argparse
import contextlib
import json
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import datetime

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "correct-horse-battery-staple"


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Api:
    """The server's API, as one account."""

    def __init__(self, port: int):
        self.base = f"http://127.0.0.1:{port}/api/v1"
        self.token = self.version = None

    def ask(self, method: str, path: str, body=None):
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        if self.version and "/floor" in path and method != "GET":
            headers["if-match"] = self.version
        data = None if body is None else json.dumps(body).encode()
        for _ in range(400):
            request = urllib.request.Request(self.base + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request) as answer:
                    text = answer.read()
                    if "/floor" in path and answer.headers["etag"]:
                        self.version = answer.headers["etag"]
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as refused:
                if refused.code != 429:
                    sys.exit(f"{method} {path}: {refused.code} {refused.read().decode()}")
                time.sleep(0.25)
        sys.exit(f"{method} {path}: refused as too frequent for 100 s")

    def sign_in(self, login: str, password: str):
        self.token = self.ask("POST", "/sessions", {"login": login, "password": password})["token"]


class Sipp:
    """A SIPp process; what it logged, and the processor time that it took."""

    def __init__(self, folder: pathlib.Path, name: str, remote: int, local: int, *more: str, scenario=None):
        scenario = scenario or HERE / "calls" / f"{name}.xml"
        self.log = folder / f"{name}-{time.monotonic_ns()}.log"
        self.process = subprocess.Popen(
            ["sipp", f"127.0.0.1:{remote}", "-sf", str(scenario), "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(local),
             "-mp", str(free_port(socket.SOCK_DGRAM) // 2 * 2), "-nostdin", "-trace_logs", "-log_file", str(self.log),
             "-l", "100000", *more],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def processor_s(self) -> float:
        return processor_s(self.process.pid)

    def times(self, what: str) -> dict[str, datetime]:
        found = {}
        for line in self.log.read_text().splitlines() if self.log.exists() else []:
            words = line.split()
            if words and words[0] == what:
                found[words[1]] = datetime.fromisoformat(f"{words[2]} {words[3]}" if len(words) > 3 else words[2])
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait()


def processor_s(pid: int) -> float:
    """User and system time of a live process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident_mib(pid: int) -> float:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def commits(http: int) -> int:
    """Commits of the server so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(int(line.split()[-1]) for line in lines if line.startswith("callfloor_commits_total{"))


def play(folder, name, remote, telephones, rate, seconds, server=None, http=None):
    """One stage: prints what became of `rate * seconds` customers. Whether none failed."""
    committed = commits(http) if server else 0
    before = [telephones.processor_s(), processor_s(server) if server else 0.0]
    known = set(telephones.times("rings"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    prefix = f"09{time.monotonic_ns() // 1_000_000 % 100_000:05}"
    count = rate * seconds
    customers = Sipp(folder, "customer", remote, free_port(socket.SOCK_DGRAM), "-m", str(count), "-r", str(rate), "-d", "1000",
                     "-timeout", str(seconds + 30), "-key", "prefix", prefix)  # fmt: skip
    begun = time.monotonic()
    status = customers.process.wait()
    took = time.monotonic() - begun
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    customers_s = own.ru_utime + own.ru_stime - used.ru_utime - used.ru_stime
    time.sleep(0.5)
    calls, rings = customers.times("calls"), telephones.times("rings")
    waits = sorted(
        (rings[number] - at).total_seconds() * 1000 for number, at in calls.items() if number in rings and number not in known
    )
    if not waits:
        sys.exit(f"{name}: no telephone rang; SIPp ended with {status}")
    at = lambda share: waits[min(len(waits) - 1, int(share * len(waits)))]
    sipp_ms = (customers_s + telephones.processor_s() - before[0]) / count * 1000
    server_ms = (processor_s(server) - before[1]) / count * 1000 if server else 0.0
    fine = status == 0 and len(waits) == count
    print(
        f"{name:<9} {rate:4}/s: {count} calls in {took:.1f} s, {'none failed' if fine else f'SIPp {status}, {count - len(waits)} never rang'}; "
        f"to the ring median {at(0.5):.1f} ms, p99 {at(0.99):.1f}, most {waits[-1]:.1f}; processor time a call: SIPp's two {sipp_ms:.2f} ms"
        + (f", server {server_ms:.2f} ms; {(commits(http) - committed) / count:.2f} commits a call, {resident_mib(server):.0f} MiB" if server else ""),
        flush=True,
    )
    return fine, at(0.99), server_ms or sipp_ms


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("callfloor", nargs="?", default="target/release/callfloor")
    parser.add_argument("--rates", default="20,40,80,160,240,320")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--operators", type=int, default=0, help="telephones; 0: enough for the highest rate")
    asked = parser.parse_args()
    rates = [int(rate) for rate in asked.rates.split(",")]
    operators = asked.operators or 20 + max(rates) * 3 // 2
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        with serving(folder, asked.callfloor) as (server, password, ports):
            measure(folder, server, password, ports, operators, rates, asked.seconds)


@contextlib.contextmanager
def serving(folder: pathlib.Path, callfloor: str):
    """A server with its data in the folder: its process, the accounts' password, its HTTP and SIP ports and one for telephones."""
    http, sip, line = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    config = folder / "server.toml"
    config.write_text(
        f'[data]\ndirectory = "{folder}/data"\n[http]\naddress = "127.0.0.1:{http}"\n'
        f'[sip]\naddress = "127.0.0.1:{sip}"\ncalls_per_second = 10000\n[media]\nfirst_port = 20000\nlast_port = 29999\n'
        '[log]\nlevel = "error"\n'
    )
    out = folder / "out"
    server = subprocess.Popen(
        [callfloor, "serve", "--config", str(config)], stdout=out.open("w"), stderr=(folder / "err").open("w")
    )
    try:
        while "ready" not in out.read_text():
            if server.poll() is not None:
                sys.exit((folder / "err").read_text())
            time.sleep(0.1)
        yield server.pid, out.read_text().split("password ")[1].split()[0], (http, sip, line)
    finally:
        server.terminate()
        server.wait()


def measure(folder, server, password, ports, operators, rates, seconds):
    http, sip, line = ports
    begun = time.monotonic()
    prepare(folder, password, ports, operators)
    print(f"{operators} operators Ready after {time.monotonic() - begun:.1f} s, {resident_mib(server):.0f} MiB", flush=True)
    best = {}
    telephones = Sipp(folder, "telephone", sip, line)
    for rate in rates:
        fine, p99, cost = play(folder, "callfloor", sip, telephones, rate, seconds, server, http)
        if not fine:
            break
        best["callfloor"] = (rate, p99, cost)
    telephones.stop()
    telephones = Sipp(folder, "telephone", sip, free_port(socket.SOCK_DGRAM))
    for rate in rates:
        fine, p99, cost = play(folder, "SIPp", telephones_port(telephones), telephones, rate, seconds)
        if not fine:
            break
        best["SIPp"] = (rate, p99, cost)
    telephones.stop()
    if len(best) == 2:
        (rate, p99, cost), (_, plain, pair) = best["callfloor"], best["SIPp"]
        print(
            f"highest rate without a failed call {rate}/s, p99 to the ring {p99:.1f} ms ({plain:.1f} without a server); a call costs the server "
            f"{cost:.2f} ms of a core, SIPp's two ends together {pair:.2f}: {pair / cost:.2f} of SIPp's rate for each core"
        )


def telephones_port(telephones: Sipp) -> int:
    return int(telephones.process.args[telephones.process.args.index("-p") + 1])


def prepare(folder, password, ports, operators):
    """Operators with telephones at one port, all Ready, by number; no announcement before the queue, no after-call work."""
    http, sip, line = ports
    api = Api(http)
    api.sign_in("admin", password)
    floor = api.ask("GET", "/floor")
    service = floor["services"][0]
    body = {key: service[key] for key in ("name", "inbound", "outbound", "schedule", "zone", "favourites", "settings")}
    body["flow"] = [{"step": "queue", "queue": 0, "on_full": None, "on_timeout": None}]
    body["settings"] |= {"after_call_limit_ms": 0, "login_status": {"status": "ready"}, "solve_at_wrap_up": True, "close_after_ms": 0}
    api.ask("PUT", "/floor/services/0", body)
    users = ["SEQUENTIAL"]
    numbers = []
    for place in range(operators):
        user = f"bench-{place}"
        body = {
            "name": user, "services": [0], "phone": True, "cti_id": user, "cti_number": f"{5000 + place}", "skills": [],
            "queues": [{"queue": 0, "level": 0, "preference": 0}], "points": 100, "chat_limit": 0, "ticket_limit": 0,
            "auto_answer": False, "device": "sip-phone",
        }  # fmt: skip
        made = api.ask("POST", "/floor/operators", body)
        numbers.append(next(iter(made.values())))
        api.ask("PUT", f"/floor/operators/{numbers[-1]}/telephone", {"password": PASSWORD})
        users.append(f"{user};[authentication username={user} password={PASSWORD}]")
    (folder / "users.csv").write_text("\n".join(users) + "\n")
    scenario = (HERE.parent / "server" / "tests" / "sipp" / "register.xml").read_text()
    (folder / "register.xml").write_text(scenario.replace("callfloor.local", floor["organisation"]["sip_domain"]))
    register = Sipp(folder, "register", sip, line, "-m", str(operators), "-r", "100", "-inf", str(folder / "users.csv"),
                    scenario=folder / "register.xml")  # fmt: skip
    if register.process.wait() != 0:
        sys.exit("the telephones could not register")
    api.sign_in("supervisor", password)
    for number in numbers:
        api.ask("POST", f"/operators/{number}/login")
    return numbers


if __name__ == "__main__":
    main()
