#!/usr/bin/env python3
"""What an HTTP request costs `callfloor load`, beside wrk: `benches/load-against-wrk.py [CALLFLOOR] [--rate 1000] [--seconds 5] [--rounds 5]`.

The same request to one server: a ticket entered through the API, acknowledged after its commit. wrk sends the next as soon as the last
is answered; `callfloor load` plays customers who write at a constant rate, none of whom an operator serves, and measures each from the
instant at which it was due. The generator has the first processor, the server the last. Processor time of wrk is its whole process's;
that of `load` is the run's, as its own document tells, preparation and the comparison of records left out. Needs wrk and
`cargo build --release -p callfloor`.
"""
import argparse
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from calls import Api
from memory import Server

PLAN = """
name = "Web forms"
[run]
from = "08:00"
to = "09:00"
[queue.mail]
channel = "ticket"
[customers.writers]
queue = "mail"
arrivals = { per_hour = 100 }
handling = { talk = { kind = "constant", value_s = 60 } }
[operators.team]
shifts = [{ from = "08:30", to = "09:00", count = 1 }]
"""
WRK = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer %s"
wrk.body = '{"service": 0, "queue": 2, "priority": 0, "subject": "load:000000000000", "description": "load 00000000 123456789"}'
function done(summary, latency)
    print(string.format("answered %%d refused %%d seconds %%.3f", summary.requests, summary.errors.status, summary.duration / 1e6))
end
"""
LIMITS = "[limits]\nwrites_per_second = 0\naddress_writes_per_second = 0\n"
cores = sorted(os.sched_getaffinity(0))


def on(core: int):
    return lambda: os.sched_setaffinity(0, {core})


def spread(found: list[float], unit: str) -> str:
    return f"{statistics.median(found):.1f} {unit} ({min(found):.1f} to {max(found):.1f})"


def wrk(url: str, seconds: int, connections: int, *more: str):
    """Requests a second, and microseconds of wrk's processor time for one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *more, url]
    out = subprocess.run(command, preexec_fn=on(cores[0]), check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = next(line for line in out.splitlines() if line.startswith("answered")).split()
    answered, refused, took = int(words[1]), int(words[3]), float(words[5])
    assert refused == 0, out
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return answered / took, used / answered * 1e6


def load(folder: pathlib.Path, callfloor: str, server: Server, rate: int, seconds: int):
    """Microseconds of the run's processor time for a ticket."""
    result = folder / "load.json"
    command = [callfloor, "load", str(folder / "plan.toml"), "--url", f"http://127.0.0.1:{server.ports[0]}"]
    command += ["--sip", f"127.0.0.1:{server.ports[1]}", "--password-file", str(folder / "password"), "--rate", str(rate)]
    command += ["--for", f"{seconds}s", "--no-sound", "--lag-limit", "200ms", "--quiet", "--json", str(result)]
    # Nobody solves the tickets, and the run would wait for somebody: it is told to end when all are entered.
    command += ["--start-at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begins := int(time.time()) + 10))]
    running = subprocess.Popen(command, preexec_fn=on(cores[0]), stdout=subprocess.DEVNULL)
    time.sleep(max(0.0, begins + seconds + 1 - time.time()))
    running.send_signal(signal.SIGINT)
    running.wait()
    found = json.loads(result.read_text())
    counts = found["parts"][0]["measures"]["counts"]
    entered = counts["tickets"] - counts.get("tickets_refused", 0)
    if entered != rate * seconds:
        sys.exit(f"{rate} tickets a second are too many for the server: {entered} of {rate * seconds} were entered; give a lower --rate")
    return found["parts"][0]["processor_us"] / entered


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("callfloor", nargs="?", default="target/release/callfloor")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    callfloor = os.path.realpath(asked.callfloor)
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        (folder / "plan.toml").write_text(PLAN)
        server = Server(callfloor, folder, LIMITS)
        try:
            subprocess.run(["taskset", "-apc", str(cores[-1]), str(server.process.pid)], check=True, stdout=subprocess.DEVNULL)
            (folder / "password").write_text(server.password)
            api = Api(server.ports[0])
            api.sign_in("supervisor", server.password)
            (folder / "tickets.lua").write_text(WRK % api.token)
            url = f"http://127.0.0.1:{server.ports[0]}/api/v1/tickets"
            print(f"load average {os.getloadavg()[0]:.1f} on {len(cores)} processors; {asked.rounds} rounds of {asked.seconds} s", flush=True)
            rates, costs, own = [], [], []
            for _ in range(asked.rounds):
                rate, cost = wrk(url, asked.seconds, asked.connections, "-s", str(folder / "tickets.lua"))
                rates.append(rate)
                costs.append(cost)
                own.append(load(folder, callfloor, server, asked.rate, asked.seconds))
            print(f"wrk: {spread(rates, 'tickets/s')}, {spread(costs, 'µs a ticket')}")
            print(f"callfloor load at {asked.rate}/s: {spread(own, 'µs a ticket')}")
            print(f"a core's rate is {statistics.median(costs) / statistics.median(own):.2f} of wrk's")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
