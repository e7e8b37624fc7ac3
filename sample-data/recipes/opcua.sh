#!/bin/bash
# opcua.pcap: a gateway and an operator's station by asyncua, without
# security: servers and endpoints asked for, an anonymous session, one refused
# for its password, one with name and password; browse, read, write, methods,
# a subscription, and what is refused.
. "$(dirname "$0")/common.sh"
need python3
venv_python asyncua==2.1.0

pair gw 192.168.50.80/24 ops 192.168.50.81/24
record ops eth0 "$T/opcua.pcap" 'tcp port 4840'
bg gw "$PY" "$RECIPES/opcua_server.py" 192.168.50.80
wait_tcp gw 4840
on ops timeout 60 "$PY" "$RECIPES/opcua_client.py" 192.168.50.80
record_stop
cp "$T/opcua.pcap" "$OUT/opcua.pcap"
