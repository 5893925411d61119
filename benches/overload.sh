#!/usr/bin/env bash
# Ten times the rated load for two minutes: what is served, what is refused, what it costs, and whether it recovers.
#
#   benches/overload.sh [CALLFLOOR] [RATED_CALLS_PER_S] [OVERLOAD_S]
#
# SIPp's customers call, are answered by the flow, wait in the queue with music for a second, and hang up. Rated is what
# `[sip] calls_per_second` lets in. Needs SIPp (Debian: sip-tester) and `cargo build --release -p callfloor`.
set -euo pipefail
cd "$(dirname "$0")/.."
callfloor=$(realpath "${1:-target/release/callfloor}")
rated=${2:-100}
seconds=${3:-120}
directory=$(mktemp -d)
read -r http sip < <(python3 -c '
import socket
a, b = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
cat > "$directory/server.toml" <<TOML
[data]
directory = "$directory/data"
[http]
address = "127.0.0.1:$http"
[sip]
address = "127.0.0.1:$sip"
calls_per_second = $rated
[log]
level = "error"
TOML
"$callfloor" serve --config "$directory/server.toml" > "$directory/out" 2> "$directory/err" &
server=$!
trap 'kill $server 2> /dev/null || true; wait $server 2> /dev/null || true; rm -rf "$directory"' EXIT
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$http/healthz" > /dev/null && break; sleep 0.1; done
sed 's/PATIENCE_MS/1000/' server/tests/sipp/show_customer.xml > "$directory/customer.xml"

# stage NAME CALLS_PER_S SECONDS: prints what became of the calls, and the most memory meanwhile.
stage() {
    local name=$1 rate=$2 length=$3 most=0 rss
    (cd "$directory" && sipp "127.0.0.1:$sip" -sf customer.xml -i 127.0.0.1 -mi 127.0.0.1 -p $((RANDOM % 10000 + 40000)) \
        -m $((rate * length)) -r "$rate" -l 100000 -key prefix 0901 -nostdin -timeout $((length + 60)) \
        -trace_logs -log_file "$name.log" > /dev/null 2>&1; echo $? > "$name.status") &
    local customers=$!
    local begun=$(date +%s%N)
    while kill -0 $customers 2> /dev/null; do
        rss=$(awk '/VmRSS/ {print $2}' /proc/$server/status)
        ((rss > most)) && most=$rss
        sleep 0.5
    done
    local took=$((($(date +%s%N) - begun) / 1000000))
    awk -v name="$name" -v rss="$most" -v took="$took" -v status="$(cat "$directory/$name.status")" '
        $1 == "calls" {calls++; begun[$2] = $3}
        $1 == "connected" {connected++}
        $1 == "refused" {refused++; wait = $3 - begun[$2]; if (wait > longest) longest = wait}
        END {printf "%-9s %7d calls in %.1f s: %d served (%.1f/s), %d refused with Retry-After (the slowest after %d ms), %d neither; at most %.1f MiB; sipp ended with %s\n",
            name, calls, took / 1000, connected, connected / took * 1000, refused, longest, calls - connected - refused, rss / 1024, status}' "$directory/$name.log"
}

stage rated "$rated" 30
stage tenfold $((rated * 10)) "$seconds"
sleep 3
stage after "$rated" 30
