#!/bin/bash
# iec104.pcap: a control centre and a substation, both by c104 (lib60870):
# interrogations, values that change by themselves, clock, commands direct
# and by select and execute, setpoints, a refused command, an object and a
# station that are not there.
. "$(dirname "$0")/common.sh"
need python3
venv_python c104==2.2.1

pair rtu 192.168.50.47/24 scada 192.168.50.12/24
record scada eth0 "$T/iec104.pcap" 'tcp port 2404'
bg rtu "$PY" "$RECIPES/iec104_server.py" 192.168.50.47
wait_tcp rtu 2404
on scada timeout 60 "$PY" "$RECIPES/iec104_client.py" 192.168.50.47
record_stop
cp "$T/iec104.pcap" "$OUT/iec104.pcap"
