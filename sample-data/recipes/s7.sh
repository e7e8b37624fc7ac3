#!/bin/bash
# s7.pcap: an engineering station and two controllers, by Snap7 and by the
# server that python-snap7 3 has of its own: identity, lists of blocks, data
# read and written, the clock, a password, a block uploaded, stop and starts,
# and what each refuses.
. "$(dirname "$0")/common.sh"
need python3
VENV_PYTHON=${SNAP7_PYTHON:-} venv_python python-snap7==2.0.2
PY2=$PY
venv_python python-snap7==3.3.0

for n in sw plc plc2 eng; do ns $n; done
bridge sw br0
port sw br0 plc eth0 02:00:00:00:07:20 192.168.50.20/24
port sw br0 plc2 eth0 02:00:00:00:07:21 192.168.50.21/24
port sw br0 eng eth0 02:00:00:00:07:40 192.168.50.40/24
record sw br0 "$T/s7.pcap" 'tcp port 102'
bg plc "$PY2" "$RECIPES/s7_server.py"
bg plc2 "$PY" "$RECIPES/s7_server.py"
wait_tcp plc 102
wait_tcp plc2 102
on eng timeout 60 "$PY2" "$RECIPES/s7_client.py" 192.168.50.20 192.168.50.21
record_stop
cp "$T/s7.pcap" "$OUT/s7.pcap"
