#!/bin/bash
# telnet.pcap: a login refused, one that works and its commands, and a device
# that asks without any negotiation.
. "$(dirname "$0")/common.sh"
need telnetd inetd telnet nc

pair srv 10.20.30.10/24 cli 10.20.30.50/24
cp "$RECIPES/telnet_login.sh" "$T/login"
chmod 755 "$T/login"
cat >"$T/inetd.conf" <<C
10.20.30.10:23 stream tcp nowait root /usr/sbin/telnetd telnetd -h -E $T/login
C
bg_host srv sw-plant-9 inetd -i "$T/inetd.conf"
wait_tcp srv 23
record cli eth0 "$T/all.pcap" 'tcp port 23 or tcp port 2323'
on cli python3 "$RECIPES/telnet_client.py" 10.20.30.10 23 login: operator Password: guess
on cli python3 "$RECIPES/telnet_client.py" 10.20.30.10 23 login: operator Password: line-one '> ' 'show version' '> ' 'show users' '> ' reload '> ' exit
cat >"$T/plain.py" <<'P'
import socket

with socket.create_server(("10.20.30.10", 2323)) as door:
    talk, _ = door.accept()
    with talk:
        talk.sendall(b"Meter 12\r\nUser: ")
        talk.recv(100)
        talk.sendall(b"Password: ")
        talk.recv(100)
        talk.sendall(b"\r\nMeter 12 # ")
        talk.recv(100)
        talk.sendall(b"4711 kWh\r\n")
P
bg srv python3 "$T/plain.py"
wait_tcp srv 2323
on cli bash -c '{ sleep 0.3; printf "reader\r\n"; sleep 0.3; printf "line-two\r\n"; sleep 0.3; printf "show energy\r\n"; sleep 0.5; } | nc -w2 10.20.30.10 2323' >/dev/null || true
record_stop
cp "$T/all.pcap" "$OUT/telnet.pcap"
