#!/usr/bin/env bash
# Schemathesis against the API's own document: no 5xx, no status, type or body that the document does not know.
#
#   server/tests/openapi.sh [CALLFLOOR] [EXAMPLES]
#
# CALLFLOOR is the program (target/release/callfloor), EXAMPLES how many requests for each operation and role (50).
# Needs schemathesis (`pip install schemathesis`); `SCHEMATHESIS` names another place of it.
set -euo pipefail
cd "$(dirname "$0")/../.."
callfloor=${1:-target/release/callfloor}
examples=${2:-50}
schemathesis=${SCHEMATHESIS:-schemathesis}
command -v "$schemathesis" > /dev/null || { echo "skipped: no schemathesis in PATH (pip install schemathesis)"; exit 0; }

directory=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port
# Nobody is told to wait: what is behind the limits is looked at.
export CALLFLOOR_LIMITS_READS_PER_SECOND=0 CALLFLOOR_LIMITS_WRITES_PER_SECOND=0
"$callfloor" serve --data "$directory/data" --http "127.0.0.1:$port" --no-sip > "$directory/out" 2> "$directory/err" &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$directory"' EXIT
for _ in $(seq 100); do
    curl -fs "$base/healthz" > /dev/null && break
    sleep 0.1
done
password=$(sed -n 's/.*; password \([^ ]*\) .*/\1/p' "$directory/out")

failed=0
for login in admin supervisor op1; do
    echo "== as $login"
    token=$(curl -fs "$base/api/v1/sessions" -H 'content-type: application/json' \
        -d "{\"login\": \"$login\", \"password\": \"$password\"}" | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
    # Left out: what would sign the tester out, what has no end, and a WAV file's upload, which it cannot make.
    "$schemathesis" run "$base/api/openapi.json" --url "$base" -H "Authorization: Bearer $token" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance \
        --exclude-path-regex '/(sessions|events|password|floor/audio$)' \
        --max-examples "$examples" --phases examples,coverage,fuzzing --seed 1 --no-color --warnings off \
        --continue-on-failure --request-timeout 20 || failed=1
    if grep -q panicked "$directory/err"; then
        echo "the server panicked:"
        grep -A5 panicked "$directory/err"
        failed=1
    fi
done
exit $failed
