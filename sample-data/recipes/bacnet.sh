#!/bin/bash
# bacnet.pcap: a controller of a building and a workstation by bacpypes3:
# devices looked for, properties read one by one and many at once, a valve and
# a fan commanded at several priorities, changes reported, clock, silence and
# restart with a wrong and a right password; then a foreign device.
. "$(dirname "$0")/common.sh"
need python3
venv_python bacpypes3==0.0.110

for n in sw ahu ws away; do ns $n; done
bridge sw br0
port sw br0 ahu eth0 02:00:00:00:ba:70 192.168.50.70/24
port sw br0 ws eth0 02:00:00:00:ba:71 192.168.50.71/24
port sw br0 away eth0 02:00:00:00:ba:72 192.168.50.72/24
record sw br0 "$T/bacnet.pcap" 'udp port 47808'
bg ahu "$PY" "$RECIPES/bacnet_server.py" 192.168.50.70/24
wait_udp ahu 47808
sleep 1
on ws timeout 60 "$PY" "$RECIPES/bacnet_client.py" 192.168.50.71/24 192.168.50.70
on away timeout 30 "$PY" "$RECIPES/bacnet_client.py" 192.168.50.72/24 192.168.50.70 foreign
record_stop
cp "$T/bacnet.pcap" "$OUT/bacnet.pcap"
