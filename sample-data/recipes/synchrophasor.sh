#!/bin/bash
# synchrophasor.pcap: a measuring unit is asked for its header and its
# configuration, switched on, sends for two seconds, and is switched off.
. "$(dirname "$0")/common.sh"
venv_python synchrophasor==1.0.0a0

pair srv 192.168.50.61/24 cli 192.168.50.60/24
bg_host srv pmu-7 "$PY" "$RECIPES/synchrophasor_pdc.py" unit 192.168.50.61
wait_tcp srv 4712
record cli eth0 "$T/all.pcap" tcp
on cli timeout 30 "$PY" "$RECIPES/synchrophasor_pdc.py" concentrator 192.168.50.61 >"$T/cli.log" 2>&1 || true
record_stop
[ -n "${DEBUG:-}" ] && tail -n 20 "$T"/*.log || true
cp "$T/all.pcap" "$OUT/synchrophasor.pcap"
