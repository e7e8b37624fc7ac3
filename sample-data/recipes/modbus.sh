#!/bin/bash
# modbus.pcap: a pymodbus client asks a pymodbus device: reads, single and
# multiple writes, mask write, read and write in one, diagnostics,
# identification, an illegal address. Then it asks a second, simple device
# (modbus_edge.py) with plain bytes: exceptions 1, 2, 3 and 6, two requests
# in one segment, one request in two, a unit that does not answer.
. "$(dirname "$0")/common.sh"
need python3
modbus_python

for n in sw plc plc2 hmi; do ns $n; done
bridge sw br0
port sw br0 plc eth0 02:00:00:00:02:10 192.168.50.10/24
port sw br0 plc2 eth0 02:00:00:00:02:11 192.168.50.11/24
port sw br0 hmi eth0 02:00:00:00:02:30 192.168.50.30/24
bg plc "$PY" "$RECIPES/modbus_server.py" 192.168.50.10
bg plc2 python3 "$RECIPES/modbus_edge.py" 192.168.50.11
wait_tcp plc 502
wait_tcp plc2 502
record sw br0 "$T/modbus.pcap" 'tcp port 502'
on hmi "$PY" "$RECIPES/modbus_client.py" 192.168.50.10 192.168.50.11
record_stop
cp "$T/modbus.pcap" "$OUT/modbus.pcap"
