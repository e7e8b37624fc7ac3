#!/bin/bash
# iec61850.pcap: a bay controller and a station computer by libiec61850: MMS
# (model, values, a data set, reports, direct and selected commands, one
# without its selection, files), and the GOOSE messages and sampled values of
# the bay controller.
. "$(dirname "$0")/common.sh"
need python3
venv_python pyiec61850-ng==1.6.1.10

pair bay 192.168.50.120/24 sta 192.168.50.121/24
record sta eth0 "$T/iec61850.pcap" 'tcp port 102 or ether proto 0x88b8 or ether proto 0x88ba or vlan'
# started in a directory of its own: its files lie there
cd "$T"
bg bay "$PY" "$RECIPES/iec61850_server.py" eth0
wait_tcp bay 102
on sta timeout 60 "$PY" "$RECIPES/iec61850_client.py" 192.168.50.120
record_stop 2
cp "$T/iec61850.pcap" "$OUT/iec61850.pcap"
