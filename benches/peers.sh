#!/usr/bin/env bash
# The same workload, M/M/50+M, through the product and through whatever peers are installed, in one sitting.
#
#   benches/peers.sh [FOLDER OF THE PEERS' PROGRAMS]     default: ../shared/peers beside the repository
#
# Each line is the processor time of a whole process (user + system), the median of five runs with their spread, and the
# ratio to the hand-written event loop `limit eager`. A program that is not installed is named and left out.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${1:-../shared/peers}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RUNS=${RUNS:-5}
CALLS=${CALLS:-3000000}
python=${PYTHON:-python3}

cargo build --release --quiet -p callfloor
callfloor=${CARGO_TARGET_DIR:-target}/release/callfloor
sed "s/^contacts = .*/contacts = $CALLS/" scenarios/mm50m.toml > "$work/mm50m.toml"

# Prints "seconds kibibytes" of one run: processor time, and peak memory as the kernel last told it.
once() {
    /usr/bin/env python3 - "$@" <<'PYTHON'
import os, resource, subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
peak = 0
while child.poll() is None:
    try:
        with open(f"/proc/{child.pid}/status") as status:
            peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
    except OSError:
        pass
    time.sleep(0.02)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
# 1 is a scenario whose thresholds were missed: it ran all the same.
sys.exit(child.returncode) if child.returncode not in (0, 1) else print(used.ru_utime + used.ru_stime, peak)
PYTHON
}

eager=
# measure NAME CALLS COMMAND...
measure() {
    local name=$1 calls=$2
    shift 2
    : > "$work/runs"
    for _ in $(seq "$RUNS"); do
        if ! once "$@" >> "$work/runs"; then
            echo "$name: does not run here"
            return 0
        fi
    done
    sort -g "$work/runs" > "$work/sorted"
    local middle rate
    middle=$(awk '{ s[NR] = $1 } END { print s[int((NR + 1) / 2)] }' "$work/sorted")
    rate=$(awk -v c="$calls" -v s="$middle" 'BEGIN { print c / s / 1e6 }')
    eager=${eager:-$rate}
    awk -v n="$name" -v c="$calls" -v e="$eager" '
        { s[NR] = $1; if ($2 > m) m = $2 }
        END {
            r = c / s[int((NR + 1) / 2)] / 1e6
            printf "%-34s %9.4f M calls/s (%.4f to %.4f)  %8.4f of eager  %7.1f MiB\n", n, r, c / s[NR] / 1e6, c / s[1] / 1e6, r / e, m / 1024
        }' "$work/sorted"
}

# built FOLDER: builds a peer's Rust program outside its folder and prints the path of the result.
built() {
    local target="$work/target-$(basename "$1")"
    CARGO_TARGET_DIR=$target cargo build --release --quiet --manifest-path "$1/Cargo.toml" >&2 || return 1
    find "$target/release" -maxdepth 1 -type f -perm -u+x ! -name '*.d' | head -n 1
}

if limit=$(built "$peers/limit"); then
    measure "limit eager (the ceiling)" $((CALLS * 5)) "$limit" eager $((CALLS * 5)) 1
else
    echo "limit: does not build here; ratios are to the product itself"
fi
measure "callfloor, one thread" "$CALLS" "$callfloor" simulate "$work/mm50m.toml" --threads 1
if nexosim=$(built "$peers/nexosim_mmcm" 2> "$work/nexosim"); then
    measure "NeXosim" "$CALLS" "$nexosim" "$CALLS" one 1
else
    echo "NeXosim: does not build here: $(tail -n 1 "$work/nexosim")"
fi
measure "Python, heapq" $((CALLS / 6)) "$python" "$peers/heapq_mmcm.py" $((CALLS / 6))
command -v pypy3 > /dev/null && measure "PyPy, heapq" "$CALLS" pypy3 "$peers/heapq_mmcm.py" "$CALLS"
for peer in simpy:30 ciw:60; do
    name=${peer%:*}
    calls=$((CALLS / ${peer#*:}))
    if "$python" -c "import $name" 2> /dev/null; then
        measure "$name" "$calls" "$python" "$peers/${name}_mmcm.py" "$calls"
    else
        echo "$name: not installed (pip install $name)"
    fi
done
