#!/usr/bin/env python3
"""Many operators' consoles at once: `benches/consoles.py [CALLFLOOR] [--consoles 200] [--rate 20] [--seconds 60] [--chromium]`.

Each operator has an account, a telephone (SIPp's) and what their console opens: the event stream over WebSocket from where their desk
was read, and the desk read anew after events that concern them. SIPp's customers call; every call is answered by the next operator, lasts
for `--stay-ms` and ends. Measured at every console: the delay from an event's own time at the server to its arrival here, and from the
first event of one's own to the desk that shows it; what a console was not told though a supervisor's was, what came twice or out of
order; the server's processor time. The delays include what this program itself is late. With `--chromium` a real browser is one more
console of the first operator: from an event's time at the server to the frame that shows the status.

Needs SIPp (Debian: sip-tester) and `cargo build --release -p callfloor`; for `--chromium` Chromium, Node and what a run of
`cargo test -p callfloor-server --test console` has put under target/tmp/console.
"""
import argparse
import base64
import gc
import json
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from array import array
from concurrent.futures import ThreadPoolExecutor

from calls import HERE, PASSWORD, Api, Sipp, free_port, prepare, processor_s, resident_mib, serving

PONG_EVERY_S = 15


class Poll:
    """Sockets that may have something to say, each with its console."""

    def __init__(self):
        self.epoll, self.at = select.epoll(), {}

    def add(self, it, stream, desk):
        self.epoll.register(it.socket, select.EPOLLIN)
        self.at[it.socket.fileno()] = (it, stream, desk)

    def remove(self, it):
        self.epoll.unregister(it.socket)
        return self.at.pop(it.socket.fileno())

    def take(self, seconds: float):
        for file, _ in self.epoll.poll(seconds):
            it, stream, desk = self.at[file]
            it.readable(self)
            if desk:
                desk.ask(stream, self)


class Stream:
    """An event stream over WebSocket (RFC 6455), as the console opens it."""

    def __init__(self, name: str, port: int, token: str, after: int, own: bytes | None):
        self.name, self.buffer = name, b""
        self.numbers, self.delays, self.mine = array("q"), array("q"), []
        # Its own number in any field that names an operator.
        self.own = own and re.compile(b'"(?:operator|owner|from|supervisor)":' + own + b"[,}]|" + b'{"operator":' + own + b"}")
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /api/v1/events?after={after} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65_536)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 101"):
            sys.exit(f"{name}: {head.decode()}")
        self.socket.setblocking(False)

    def pong(self):
        """Shows that somebody is there (section 5.5.3: a pong may come unasked); a client's frame is masked."""
        self.socket.send(b"\x8a\x80\x00\x00\x00\x00")

    def readable(self, _: Poll):
        got = self.socket.recv(262_144)
        now_us = time.time_ns() // 1_000
        if not got:
            sys.exit(f"{self.name}: the server closed the stream")
        data = self.buffer + got
        at, end = 0, len(data)
        while end - at >= 2:
            length, begin = data[at + 1] & 0x7F, at + 2
            if length == 126:
                length, begin = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, begin = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if begin + length > end:
                break
            if data[at] & 0x0F == 8:
                sys.exit(f"{self.name}: the stream was closed: {data[begin + 2 : begin + length].decode()}")
            if data[at] & 0x0F == 1:
                self.hear(data[begin : begin + length], now_us)
            at = begin + length
        self.buffer = data[at:]

    def hear(self, text: bytes, now_us: int):
        if not text.startswith(b'{"number":'):
            return
        comma = text.index(b",")
        at_us = int(text[comma + 9 : text.index(b",", comma + 1)])
        self.numbers.append(int(text[10:comma]))
        self.delays.append(now_us - at_us)
        if self.own and self.own.search(text):
            self.mine.append(at_us)


class Desk:
    """Reads an operator's desk anew, one question at a time, as the widget does (server/console/js/phone/phone.js)."""

    def __init__(self, name: str, port: int, token: str, operator: int):
        self.name, self.port, self.buffer, self.asked_us, self.delays = name, port, b"", None, array("q")
        self.socket, self.again = None, 0
        self.request = (
            f"GET /api/v1/operators/{operator}/desk HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()

    def ask(self, stream: Stream, poll: Poll):
        if not stream.mine or self.asked_us is not None:
            return
        self.asked_us = stream.mine[0]
        stream.mine.clear()
        self.send(stream, poll)

    def send(self, stream: Stream, poll: Poll):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.setblocking(False)
            poll.add(self, stream, self)
        try:
            self.socket.send(self.request)
        except BrokenPipeError:
            pass  # The end of the connection is what is read next.

    def readable(self, poll: Poll):
        try:
            got = self.socket.recv(262_144)
        except ConnectionResetError:
            got = b""
        if not got:
            # The server closes a connection on which nothing was asked for a while; a question that crosses it is asked again.
            _, stream, _ = poll.remove(self)
            self.socket.close()
            self.socket, self.buffer = None, b""
            if self.asked_us is not None:
                self.again += 1
                self.send(stream, poll)
            return
        self.buffer += got
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < int(re.search(rb"(?i)content-length: (\d+)", head)[1]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"{self.name}: {self.buffer.decode()}")
        self.delays.append(time.time_ns() // 1_000 - self.asked_us)
        self.buffer, self.asked_us = b"", None


class Consoles:
    """All of them, and a supervisor's stream beside them."""

    def __init__(self, port: int, password: str, numbers: list[int]):
        admin = Api(port)
        admin.sign_in("admin", password)
        self.port, self.poll, self.streams, self.desks = port, Poll(), [], []
        with ThreadPoolExecutor(4) as people:
            tokens = list(people.map(lambda number: self.account(admin.token, number), numbers))
        for number, (token, after) in zip(numbers, tokens):
            stream = Stream(f"console {number}", port, token, after, str(number).encode())
            desk = Desk(f"console {number}", port, token, number)
            self.poll.add(stream, stream, desk)
            self.streams.append(stream)
            self.desks.append(desk)
        supervisor = Api(port)
        supervisor.sign_in("supervisor", password)
        self.supervisor = Stream("supervisor", port, supervisor.token, tokens[-1][1], None)
        self.poll.add(self.supervisor, self.supervisor, None)
        self.streams.append(self.supervisor)

    def account(self, admin: str, number: int) -> tuple[str, int]:
        keeper, operator = Api(self.port), Api(self.port)
        keeper.token = admin
        login = f"bench-{number}"
        keeper.ask("POST", "/accounts", {"login": login, "password": PASSWORD, "name": login, "role": "operator", "operator": number})
        operator.sign_in(login, PASSWORD)
        return operator.token, operator.ask("GET", f"/operators/{number}/desk")["as_of"]

    def follow(self, until):
        """Takes what comes until `until()`; that is asked ten times a second."""
        look = pong = time.monotonic()
        while True:
            self.poll.take(0.05)
            now = time.monotonic()
            if now - pong > PONG_EVERY_S:
                pong = now
                for stream in self.streams:
                    stream.pong()
            if now - look > 0.1:
                look = now
                if until():
                    return

    def quiet_for(self, seconds: float):
        """For `follow`: whether nothing has come for so long."""
        seen = [0, time.monotonic()]

        def until():
            count = sum(len(stream.numbers) for stream in self.streams)
            if count != seen[0]:
                seen[:] = [count, time.monotonic()]
            return time.monotonic() - seen[1] > seconds

        return until

    def forget(self):
        """What came so far is not measured; what is numbered up to here is known to all."""
        for stream in self.streams:
            stream.numbers, stream.delays, stream.mine = array("q"), array("q"), []
        for desk in self.desks:
            desk.delays = array("q")

    def missed(self) -> tuple[int, int]:
        """How many events were not told to a console, and how many came twice or out of order."""
        all_numbers = set(self.supervisor.numbers)
        missed = sum(len(all_numbers.difference(stream.numbers)) for stream in self.streams)
        wrong = sum(sum(b <= a for a, b in zip(stream.numbers, stream.numbers[1:])) for stream in self.streams)
        return missed, wrong


def milliseconds(delays_us) -> str:
    found = sorted(delays_us)
    at = lambda share: found[min(len(found) - 1, int(share * len(found)))] / 1_000
    return f"p50 {at(0.5):.1f} ms, p95 {at(0.95):.1f}, p99 {at(0.99):.1f}, most {found[-1] / 1_000:.1f} ({len(found):,})"


def browser(port: int, number: int, seconds: int) -> subprocess.Popen:
    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    modules = HERE.parent / "target" / "tmp" / "console"
    if chromium is None or not (modules / "node_modules").is_dir():
        sys.exit("no Chromium, or nothing in target/tmp/console: run the console's tests once")
    told = {
        "CONSOLE_URL": f"http://127.0.0.1:{port}", "CONSOLE_CHROMIUM": chromium, "CONSOLE_MODULES": str(modules),
        "CONSOLE_LOGIN": f"bench-{number}", "CONSOLE_PASSWORD": PASSWORD, "CONSOLE_OPERATOR": str(number), "CONSOLE_SECONDS": str(seconds),
    }  # fmt: skip
    process = subprocess.Popen(["node", str(HERE / "consoles" / "pixels.mjs")], env=os.environ | told, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        sys.exit("the browser's console did not open")
    return process


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("callfloor", nargs="?", default="target/release/callfloor")
    parser.add_argument("--consoles", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20, help="calls a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--stay-ms", type=int, default=5_000, help="how long a customer stays after the answer")
    parser.add_argument("--chromium", action="store_true", help="one console more in a real browser")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        with serving(folder, asked.callfloor) as (server, password, ports):
            measure(folder, server, password, ports, asked)


def measure(folder, server, password, ports, asked):
    http, sip, line = ports
    numbers = prepare(folder, password, ports, asked.consoles)
    consoles = Consoles(http, password, numbers)
    telephones = Sipp(folder, "telephone", sip, line)
    consoles.follow(consoles.quiet_for(1))
    print(f"{asked.consoles} consoles, their operators Ready; server {resident_mib(server):.0f} MiB", flush=True)
    page = browser(http, numbers[0], asked.seconds) if asked.chromium else None
    consoles.follow(consoles.quiet_for(1))
    consoles.forget()
    gc.disable()
    begun, before, own = time.monotonic(), processor_s(server), time.process_time()
    count = asked.rate * asked.seconds
    customers = Sipp(folder, "customer", sip, free_port(socket.SOCK_DGRAM), "-m", str(count), "-r", str(asked.rate),
                     "-d", str(asked.stay_ms), "-timeout", str(asked.seconds + 60), "-key", "prefix", "0901")  # fmt: skip
    consoles.follow(lambda: customers.process.poll() is not None)
    took, spent, own = time.monotonic() - begun, processor_s(server) - before, time.process_time() - own
    consoles.follow(consoles.quiet_for(2))
    gc.enable()
    telephones.stop()
    answered = len(customers.times("connected"))
    events = sum(len(stream.numbers) for stream in consoles.streams)
    missed, wrong = consoles.missed()
    print(
        f"{count} calls in {took:.1f} s, {answered} answered, SIPp ended with {customers.process.returncode}; "
        f"{len(consoles.supervisor.numbers) / took:,.0f} events a second, each told to {len(consoles.streams)}: {events / took:,.0f} messages a second"
    )
    print(f"event to console: {milliseconds(delay for stream in consoles.streams for delay in stream.delays)}")
    print(f"own event to the desk that shows it: {milliseconds(delay for desk in consoles.desks for delay in desk.delays)}")
    print(f"questions that crossed the end of their connection and were asked again: {sum(desk.again for desk in consoles.desks)}")
    print(f"missed {missed}, twice or out of order {wrong}")
    print(
        f"server {spent / took:.2f} cores, {spent / count * 1_000:.1f} ms a call, {spent / events * 1e6:.1f} µs a message with all else, "
        f"{resident_mib(server):.0f} MiB; these consoles {own / took:.2f} cores"
    )
    if page:
        told = json.loads(page.communicate(timeout=60)[0])
        print(f"event to pixels in Chromium: {milliseconds(told['delays_us'])}; statuses {told['statuses']}")
    if missed or wrong or answered < count or customers.process.returncode:
        sys.exit(1)


if __name__ == "__main__":
    main()
