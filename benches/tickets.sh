#!/usr/bin/env bash
# Open tickets made through the API, each acknowledged after its commit: how many a second, how much memory they take, and how soon a
# killed server is ready again with all of them.
#
#   benches/tickets.sh [CALLFLOOR] [SECONDS] [CONNECTIONS]
#
# Needs wrk and `cargo build --release -p callfloor`.
set -euo pipefail
cd "$(dirname "$0")/.."
callfloor=$(realpath "${1:-target/release/callfloor}")
seconds=${2:-30}
connections=${3:-64}
directory=$(mktemp -d)
http=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > "$directory/server.toml" <<TOML
[data]
directory = "$directory/data"
[http]
address = "127.0.0.1:$http"
[sip]
address = "127.0.0.1:0"
[limits]
writes_per_second = 0
address_writes_per_second = 0
[log]
level = "error"
TOML
server=
trap 'kill -9 $server 2> /dev/null || true; rm -rf "$directory"' EXIT

# Starts the server; prints after how many milliseconds it serves.
start() {
    local begun=$(date +%s%N)
    "$callfloor" serve --config "$directory/server.toml" > "$directory/out" 2> "$directory/err" &
    server=$!
    until curl -fs "http://127.0.0.1:$http/readyz" > /dev/null; do
        kill -0 "$server" 2> /dev/null || { cat "$directory/err"; exit 1; }
        sleep 0.02
    done
    echo "ready after $((($(date +%s%N) - begun) / 1000000)) ms, $(awk '/VmRSS/ {printf "%.0f MiB", $2 / 1024}' /proc/$server/status)"
}

start
password=$(grep -o 'password [^ ]*' "$directory/out" | cut -d' ' -f2)
token=$(curl -fs "http://127.0.0.1:$http/api/v1/sessions" -H 'content-type: application/json' \
    -d "{\"login\": \"supervisor\", \"password\": \"$password\"}" | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
cat > "$directory/tickets.lua" <<LUA
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer $token"
wrk.body = '{"service": 0, "queue": 2, "subject": "Where is my parcel?", "description": "It was sent a week ago and has not come."}'
function done(summary, latency)
    local made = summary.requests - summary.errors.status
    print(string.format("made %d tickets: %.0f a second; ms to the answer: median %.1f, p99 %.1f, most %.1f; %d refused",
        made, made / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
        summary.errors.status))
end
LUA
before=$(awk '/VmRSS/ {print $2}' /proc/$server/status)
wrk -t1 -c"$connections" -d"${seconds}s" -s "$directory/tickets.lua" "http://127.0.0.1:$http/api/v1/tickets" \
    | grep '^made' | tee "$directory/made"
made=$(cut -d' ' -f2 "$directory/made")
sleep 2
after=$(awk '/VmRSS/ {print $2}' /proc/$server/status)
echo "memory $((before / 1024)) MiB before, $((after / 1024)) MiB after: $(((after - before) * 1024 / made)) bytes a ticket; $(du -sm "$directory/data" | cut -f1) MB on disk"
kill -9 $server
wait $server 2> /dev/null || true
echo "killed and started again: $(start)"
