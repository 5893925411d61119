#!/usr/bin/env bash
# `callfloor load` beside SIPp's UAC: the same flow against SIPp's UAS on loopback, in one sitting. What a call costs in processor
# time, and the highest rate that each keeps up.
#
#   benches/load-against-sipp.sh [CALLFLOOR]     default: target/release/callfloor
#
# INVITE, 180, 200, ACK, one second, BYE, 200; without audio, then with G.711 both ways (the UAS echoes it): a rate is kept up where
# 95 % of the packets went, by the system's count of all datagrams. The generator has the first processor, the UAS the last. Needs SIPp (Debian: sip-tester), Python and `cargo build --release`.
# RUNS (5): of which the medians are; RATE (100), RATE_AUDIO (20): at which a call's cost is taken; LENGTH (5): seconds of a run.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$(realpath "${1:-target/release/callfloor}")" <<'PYTHON'
import csv, os, resource, signal, socket, subprocess, sys, tempfile, time

callfloor = sys.argv[1]
setting = lambda name, default: int(os.environ.get(name, default))
RUNS, RATE, RATE_AUDIO, LENGTH = setting("RUNS", 5), setting("RATE", 100), setting("RATE_AUDIO", 20), setting("LENGTH", 5)
HOLD = 1
cores = sorted(os.sched_getaffinity(0))
work = tempfile.mkdtemp()
PLAN = f"""
name = "Calls"
[run]
from = "08:00"
to = "09:00"
[queue.line]
[customers.callers]
arrivals = {{ per_hour = 100 }}
handling = {{ talk = {{ kind = "constant", value_s = {HOLD} }} }}
[operators.team]
count = 1
"""
open(f"{work}/plan.toml", "w").write(PLAN)
open(f"{work}/voice.pcmu", "wb").write(bytes((n * 7) % 256 for n in range(160)) * 50 * 10)
UAC_AUDIO = f"""<?xml version="1.0" encoding="UTF-8"?>
<scenario name="uac with audio">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]
To: sut <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: sip:sipp@[local_ip]:[local_port]
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rtd="true"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]
To: sut <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Contact: sip:sipp@[local_ip]:[local_port]
Max-Forwards: 70
Content-Length: 0

]]></send>
<nop><action><exec rtp_stream="{work}/voice.pcmu,-1,0,PCMU/8000"/></action></nop>
<pause milliseconds="{HOLD * 1000}"/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]
To: sut <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""
open(f"{work}/uac.xml", "w").write(UAC_AUDIO)


def port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(core, *command, out=subprocess.DEVNULL):
    pin = lambda: os.sched_setaffinity(0, {core})
    return subprocess.Popen(command, stdout=out, stderr=out, cwd=work, preexec_fn=pin)


class Called:
    """SIPp's UAS."""

    def __init__(self, audio):
        self.port = port()
        echo = ["-rtp_echo", "-mp", str(port() & ~1)] if audio else []
        command = ["sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(self.port), "-nostdin", *echo]
        self.process = start(cores[-1], *command)
        time.sleep(0.5)

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def sipp(target, rate, audio):
    for old in ("sipp.csv",):
        if os.path.exists(f"{work}/{old}"):
            os.remove(f"{work}/{old}")
    flow = ["-sf", "uac.xml"] if audio else ["-sn", "uac", "-d", str(HOLD * 1000)]

    command = ["sipp", f"127.0.0.1:{target}", *flow, "-i", "127.0.0.1", "-p", str(port()), "-nostdin", "-r", str(rate)]
    command += ["-m", str(rate * LENGTH), "-l", "1000000", "-trace_stat", "-stf", "sipp.csv", "-timeout", str(LENGTH + HOLD + 20)]
    seconds, took, code, sent = measured(*command)
    try:
        last = list(csv.DictReader(open(f"{work}/sipp.csv"), delimiter=";"))[-1]
    except (OSError, IndexError):
        return seconds, False
    good = int(last["SuccessfulCall(C)"]) == rate * LENGTH and int(last["Retransmissions(C)"]) <= rate * LENGTH * 0.02
    return seconds, code == 0 and good and took < LENGTH + HOLD + 1.5 and speaks(rate, audio, sent)


def load(target, rate, audio):
    command = [callfloor, "load", "plan.toml", "--target", f"sip:service@127.0.0.1:{target}", "--rate", str(rate), "--for", f"{LENGTH}s"]
    command += ["--quiet", "--lag-limit", "100ms", "--threshold", "failed_share<=0", "--threshold", "begun_share>=1"]
    command += ["--threshold", "retransmission_share<=0.01"] + ([] if audio else ["--no-sound"])
    seconds, took, code, sent = measured(*command)
    return seconds, code == 0 and speaks(rate, audio, sent)


def speaks(rate, audio, sent):
    """Whether the calls' packets went out and came back."""
    return not audio or sent >= 0.95 * 2 * 50 * HOLD * rate * LENGTH


def datagrams():
    names, counts = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Udp:")]
    return int(counts[names.index("OutDatagrams")])


def measured(*command):
    before, began, sent = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), datagrams()
    code = start(cores[0], *command).wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.monotonic() - began, code, datagrams() - sent


def sustained(generator, audio):
    """The highest rate that one run keeps up, and another confirms, to 10 %."""
    def keeps(rate):
        with Called(audio) as target:
            return generator(target, rate, audio)[1]
    low, high = 0, 10 if audio else 100
    while keeps(high) or keeps(high):
        low, high = high, high * 2
    while low and high - low > max(low // 10, 1):
        middle = (low + high) // 2
        if keeps(middle) or keeps(middle):
            low = middle
        else:
            high = middle
    return low


median = lambda values: sorted(values)[len(values) // 2]
print(f"load average {os.getloadavg()[0]:.1f} on {len(cores)} processors; {RUNS} runs of {LENGTH} s", flush=True)
for audio, rate in ((False, RATE), (True, RATE_AUDIO)):
    what = "with audio" if audio else "without audio"
    costs = {"sipp": [], "callfloor": []}
    for _ in range(RUNS):
        for name, generator in (("sipp", sipp), ("callfloor", load)):
            with Called(audio) as target:
                seconds, good = generator(target, rate, audio)
            costs[name].append(seconds / (rate * LENGTH) * 1e6)
            if not good:
                print(f"{name} {what}: {rate} calls a second were not kept up", flush=True)
    for name, found in costs.items():
        print(f"{what}, {rate} calls/s: {name:<10} {median(found):9.0f} µs a call ({min(found):.0f} to {max(found):.0f})", flush=True)
    print(f"{what}: callfloor / sipp {median(costs['callfloor']) / median(costs['sipp']):.2f} of the processor time", flush=True)
    if not os.environ.get("COST_ONLY"):
        highest = {name: sustained(generator, audio) for name, generator in (("sipp", sipp), ("callfloor", load))}
        ratio = highest["callfloor"] / max(highest["sipp"], 1)
        print(f"{what}, highest rate kept up: sipp {highest['sipp']}, callfloor {highest['callfloor']}: {ratio:.2f}", flush=True)
PYTHON
