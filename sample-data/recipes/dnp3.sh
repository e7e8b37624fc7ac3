#!/bin/bash
# dnp3.pcap: an outstation and a master by yadnp3 (OpenDNP3): integrity and
# event polls, unsolicited reports, the clock, direct operate, select and
# operate, a point that is locked and one that is not there, a freeze, cold
# and warm restart, a file.
. "$(dirname "$0")/common.sh"
need python3
venv_python yadnp3==3.2.1.4

pair rtu 192.168.50.100/24 scada 192.168.50.101/24
record scada eth0 "$T/dnp3.pcap" 'tcp port 20000'
bg rtu "$PY" "$RECIPES/dnp3_server.py" 192.168.50.100
wait_tcp rtu 20000
on scada timeout 60 "$PY" "$RECIPES/dnp3_client.py" 192.168.50.100
record_stop
cp "$T/dnp3.pcap" "$OUT/dnp3.pcap"
