#!/bin/bash
# leaves_nothing.sh SIGNAL: a run of the command that is ended by SIGNAL while its agent works leaves no process, folder,
# cgroup or mount behind.
set -euo pipefail

mark=AIOPSLAB_TEST_MARK=$$-$RANDOM
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT

# Ours outside environments by a mark in their environment variables; pods, which do not inherit it, by their pid namespaces.
marked() { { grep -lzs -- "^$mark\$" /proc/[0-9]*/environ || true; } | wc -l; }
contained() {
    { find /proc/[0-9]*/ns/pid -prune -printf '%l\n' 2>/dev/null || true; } |
        awk -v own="$(readlink /proc/self/ns/pid)" '/^pid:/ && $0 != own' | wc -l
}
remains() { { find /sys/fs/cgroup /tmp -maxdepth 6 -type d \( -name 'aiopslab-env-*' -o -name 'aiopslab-run-*' \) || true; } 2>/dev/null | sort; }

before=$(remains)
contained_before=$(contained)
env "$mark" AIOPSLAB_STATE="$state" "$AIOPSLAB_BIN/aiopslab" run misconfig_app_hotel_res-detection-1 --agent heuristic \
    >"$state/out" 2>&1 &
command=$!
grep -q -m 1 'fault ' < <(timeout 60 tail -n +1 -F "$state/out" 2>/dev/null) || {
    cat "$state/out"
    echo "the fault was never put in"
    exit 1
}
running=$(marked)
contained_running=$(($(contained) - contained_before))
kill -s "$1" "$command"
wait "$command" || true
for ((i = 0; i < 150 && $(marked) > 0; i++)); do sleep 0.2; done

for ((i = 0; i < 50 && $(contained) > contained_before; i++)); do sleep 0.2; done

left=$(marked)
contained_left=$(($(contained) - contained_before))
after=$(remains)
echo "running: $running and $contained_running in environments; left: $left and $contained_left"
if [ "$running" -lt 8 ] || [ "$contained_running" -lt 18 ]; then
    echo "so few were not the whole system"
    exit 1
fi
if [ "$left" != 0 ] || [ "$contained_left" -gt 0 ]; then
    echo "processes are left"
    exit 1
fi
[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); exit 1; }
! grep aiopslab-run- /proc/mounts
