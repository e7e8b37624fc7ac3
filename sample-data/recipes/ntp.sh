#!/bin/bash
# ntp.pcap: chronyd as a stratum 2 server, chronyd and ntpdig as clients, a
# broadcasting server, a symmetric pair, and a request signed with a key.
# No clock is changed: servers run with -x, clients with -Q.
. "$(dirname "$0")/common.sh"
need chronyd ntpdig

ns sw
ns srv
ns peer
ns cli
bridge sw br0
port sw br0 srv eth0 02:00:00:00:7b:01 10.20.30.3/24
port sw br0 peer eth0 02:00:00:00:7b:02 10.20.30.4/24
port sw br0 cli eth0 02:00:00:00:7b:50 10.20.30.50/24

echo '7 SHA1 HEX:000102030405060708090A0B0C0D0E0F10111213' >"$T/keys"
chmod 600 "$T/keys"
common() { printf 'cmdport 0\npidfile %s/%s.pid\nbindcmdaddress /\nkeyfile %s/keys\n' "$T" "$1" "$T"; }
{ common srv; echo 'local stratum 2
allow 10.20.30.0/24
broadcast 16 10.20.30.255'; } >"$T/srv.conf"
{ common peer; echo 'local stratum 5
allow 10.20.30.0/24
peer 10.20.30.3 minpoll 1 maxpoll 1 iburst'; } >"$T/peer.conf"
{ common cli; echo 'server 10.20.30.3 iburst'; } >"$T/cli.conf"
{ common cli; echo 'server 10.20.30.3 iburst key 7'; } >"$T/auth.conf"
{ common cli; echo 'server 10.20.30.3 version 3 iburst'; } >"$T/v3.conf"
{ common cli; echo 'server 10.20.30.9 iburst'; } >"$T/gone.conf"

record sw br0 "$T/ntp.pcap" 'port 123'
bg srv chronyd -u root -x -d -f "$T/srv.conf"
wait_udp srv 123
bg peer chronyd -u root -x -d -f "$T/peer.conf"
for c in cli auth v3; do
    on cli chronyd -u root -Q -t 12 -f "$T/$c.conf" >>"$T/cli.log" 2>&1 || true
done
on cli ntpdig -t 2 10.20.30.3 >>"$T/cli.log" 2>&1 || true
# an address nobody has, with the ARP entry filled in: requests, no answers
ip -n sd-cli neigh replace 10.20.30.9 lladdr 02:00:00:00:7b:09 dev eth0
on cli chronyd -u root -Q -t 3 -f "$T/gone.conf" >>"$T/cli.log" 2>&1 || true
record_stop 2
[ -n "${DEBUG:-}" ] && cat "$T"/*.log
cp "$T/ntp.pcap" "$OUT/ntp.pcap"
