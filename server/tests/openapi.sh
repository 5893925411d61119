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

checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance
json() { python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
signs_in() {
    curl -fs "$base/api/v1/sessions" -H 'content-type: application/json' -d "{\"login\": \"$1\", \"password\": \"$password\"}" | json token
}
failed=0
run() {
    "$schemathesis" run "$base/api/openapi.json" --url "$base" --checks "$checks" --max-examples "$examples" \
        --phases examples,coverage,fuzzing --seed 1 --no-color --warnings off --continue-on-failure --request-timeout 20 "$@" || failed=1
    if grep -q panicked "$directory/err"; then
        echo "the server panicked:"
        grep -A5 panicked "$directory/err"
        failed=1
    fi
}

echo "== as a system of the customer's"
key=$(curl -fs "$base/api/v1/open-keys" -H "Authorization: Bearer $(signs_in admin)" -H 'content-type: application/json' \
    -d '{"name": "schemathesis", "grants": [{"service": 0, "scopes": ["content:read", "inquiries:read", "inquiries:write", "members:check"]}]}')
OPEN_KEY=$(json id <<< "$key") OPEN_SECRET=$(json secret <<< "$key")
export OPEN_KEY OPEN_SECRET
PYTHONPATH=server/tests SCHEMATHESIS_HOOKS=openapi_signed run --include-path-regex '^/open/v1'

# The administrator comes after those whose accounts they may disable.
for login in supervisor op1 admin server-admin; do
    echo "== as $login"
    token=$(signs_in "$login")
    # Left out: what would sign the tester out, what has no end, and a WAV file's upload, which it cannot make; organisations are
    # for who keeps the server alone.
    left_out='/(sessions|events|password|floor/audio$)'
    case $login in
        server-admin) run -H "Authorization: Bearer $token" --include-path-regex '/(organisations|certificates|accounts|metrics)' \
            --exclude-path-regex '/password' ;;
        *) run -H "Authorization: Bearer $token" --exclude-path-regex "$left_out" ;;
    esac
done
exit $failed
