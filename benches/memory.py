#!/usr/bin/env python3
"""What the server keeps in memory: `benches/memory.py [CALLFLOOR] [--calls 400] [--chats 100000]`.

Resident memory of a server's process before and after: operators are made and their telephones register, they log in, customers wait
with music, they talk (SIPp plays customers and telephones and sends no audio: the server's audio sessions are there, and idle but for
the music), and customers of chats wait. Needs SIPp (Debian: sip-tester), wrk and `cargo build --release -p callfloor`.
"""
import argparse
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from calls import HERE, Api, Sipp, free_port, prepare, resident_mib

CHATS = """
local made = os.time() % 1000 * 400000
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
function request()
    made = made + 1
    -- Nobody opens many chats: each address opens a few.
    local opener = math.floor(made / 25)
    wrk.headers["x-forwarded-for"] = string.format("10.%d.%d.%d", opener / 62500 % 250, opener / 250 % 250, opener % 250)
    return wrk.format(nil, "/api/v1/customer/chats", nil,
        string.format('{"queue": 1, "name": "customer %d", "text": "Where is my parcel? It was sent a week ago and has not come."}', made))
end
function done(summary, latency)
    print(string.format("answers %d refused %d seconds %.1f", summary.requests, summary.errors.status, summary.duration / 1e6))
end
"""


class Server:
    """`callfloor serve` on a directory of its own."""

    def __init__(self, callfloor: str, folder: pathlib.Path, more: str = ""):
        self.ports = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        config = folder / "server.toml"
        config.write_text(
            f'[data]\ndirectory = "{folder}/data"\n[http]\naddress = "127.0.0.1:{self.ports[0]}"\nproxies = ["127.0.0.1"]\n'
            f'[sip]\naddress = "127.0.0.1:{self.ports[1]}"\ncalls_per_second = 10000\n[media]\nfirst_port = 20000\nlast_port = 29999\n'
            f'[log]\nlevel = "error"\n{more}'
        )
        out = folder / "out"
        errors = folder / "err"
        self.process = subprocess.Popen(
            [callfloor, "serve", "--config", str(config)], stdout=out.open("w"), stderr=errors.open("w")
        )
        while "ready" not in out.read_text():
            if self.process.poll() is not None:
                sys.exit(errors.read_text())
            time.sleep(0.1)
        self.password = out.read_text().split("password ")[1].split()[0]

    def memory(self) -> float:
        """MiB, once it has stopped growing."""
        last = 0.0
        for _ in range(60):
            now = resident_mib(self.process.pid)
            if abs(now - last) < 0.1:
                return now
            last = now
            time.sleep(1)
        return last

    def stop(self):
        self.process.terminate()
        self.process.wait()


def each(before: float, after: float, count: int) -> str:
    return f"{(after - before) * 1024 / count:.1f} KiB each ({before:.0f} to {after:.0f} MiB for {count})"


def floor_of_calls(callfloor: str, calls: int):
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        server = Server(callfloor, folder)
        try:
            http, sip, line = server.ports
            empty = server.memory()
            print(f"a server that has begun: {empty:.0f} MiB", flush=True)
            prepare(folder, server.password, server.ports, calls)
            logged_in = server.memory()
            print(f"operator with a registered telephone, logged in and Ready: {each(empty, logged_in, calls)}", flush=True)
            # Talking: everybody has somebody to talk with.
            telephones = Sipp(folder, "telephone", sip, line)
            talk = customers(folder, sip, calls, "091")
            wait_for(folder, talk, calls, "talk")
            talking = server.memory()
            print(f"talking call, the operator's leg included: {each(logged_in, talking, calls)}", flush=True)
            wait = customers(folder, sip, calls, "092")
            wait_for(folder, wait, calls, "wait")
            waiting = server.memory()
            print(f"waiting call with music: {each(talking, waiting, calls)}", flush=True)
            floor = Api(http)
            floor.sign_in("supervisor", server.password)
            print(f"the first queue says {json.dumps(floor.ask('GET', '/queues')[0])}", flush=True)
            for player in (talk, wait, telephones):
                player.stop()
        finally:
            server.stop()


def customers(folder: pathlib.Path, sip: int, calls: int, prefix: str) -> Sipp:
    more = ["-m", str(calls), "-r", "40", "-key", "prefix", f"{prefix}{time.monotonic_ns() // 1_000_000 % 10_000:04}"]
    return Sipp(folder, "waiter", sip, free_port(socket.SOCK_DGRAM), *more)


def wait_for(folder: pathlib.Path, player: Sipp, calls: int, what: str):
    begun = time.monotonic()
    while len(player.times("connected")) < calls:
        if time.monotonic() - begun > 120 or player.process.poll() is not None:
            sys.exit(f"only {len(player.times('connected'))} of {calls} customers {what}")
        time.sleep(0.5)
    time.sleep(2)


def floor_of_chats(callfloor: str, chats: int):
    limits = "[limits]\naddress_writes_per_second = 0\naddress_reads_per_second = 0\n[chat]\ngrace_ms = 4000000000\n"
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        server = Server(callfloor, folder, limits)
        try:
            script = folder / "chats.lua"
            script.write_text(CHATS)
            api = Api(server.ports[0])
            # Somebody is there for chats, and has no time for any.
            api.sign_in("admin", server.password)
            api.ask("GET", "/floor")
            operator = api.ask("GET", "/floor/operators/0")
            api.ask("PUT", "/floor/operators/0", operator | {"chat_limit": 0})
            api.sign_in("supervisor", server.password)
            api.ask("POST", "/operators/0/login")
            api.ask("PUT", "/operators/0/chat-status", {"status": "available"})
            empty = server.memory()
            opened, spent, refused = 0, 0.0, 0
            most = empty
            while opened < chats:
                play = subprocess.run(
                    ["wrk", "-t1", "-c64", "-d5s", "-s", str(script), f"http://127.0.0.1:{server.ports[0]}"],
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
                found = re.search(r"answers (\d+) refused (\d+) seconds ([\d.]+)", play.stdout)
                answers, failed, seconds = int(found[1]), int(found[2]), float(found[3])
                if answers == failed:
                    api.ask("POST", "/customer/chats", {"queue": 1, "name": "customer", "text": "Where is my parcel?"})
                    sys.exit(f"every chat is refused: {play.stdout}")
                opened, refused, spent = opened + answers - failed, refused + failed, spent + seconds
                most = max(most, resident_mib(server.process.pid))
            waiting = server.memory()
            queues = api.ask("GET", "/queues")
            print(f"{opened} chats opened in {spent:.0f} s ({opened / spent:.0f} a second, {refused} refused); its queue says {json.dumps(queues[1])}")
            print(f"waiting chat: {each(empty, waiting, opened)}; at most {most:.0f} MiB", flush=True)
        finally:
            server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("callfloor", nargs="?", default="target/release/callfloor")
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--chats", type=int, default=100_000)
    asked = parser.parse_args()
    assert HERE.is_dir()
    if asked.calls:
        floor_of_calls(asked.callfloor, asked.calls)
    if asked.chats:
        floor_of_chats(asked.callfloor, asked.chats)


if __name__ == "__main__":
    main()
