#!/bin/bash
# switches.pcap: three switches in a ring agree by spanning tree; one of them
# announces itself by CDP; the root goes away, and another takes its place;
# somebody without business there says that he is a better root.
. "$(dirname "$0")/common.sh"
need lldpd unshare python3

for s in 1 2 3; do
    ns s$s
    ip -n sd-s$s link add br0 address 02:00:00:00:5b:0$s type bridge stp_state 1 priority $((4096 * s)) forward_delay 400 hello_time 200 max_age 600 mcast_snooping 0
    ip -n sd-s$s link set br0 up
done
ns tap
# cable A B : two switches
cable() {
    wire s$1 to-s$2 s$2 to-s$1
    ip -n sd-s$1 link set to-s$2 address 02:00:00:00:$1$2:01
    ip -n sd-s$2 link set to-s$1 address 02:00:00:00:$2$1:01
    ip -n sd-s$1 link set to-s$2 master br0
    ip -n sd-s$2 link set to-s$1 master br0
}
port s2 br0 tap eth0 02:00:00:00:5b:66
ip -n sd-s2 link set p-tap address 02:00:00:00:5b:20
record tap eth0 "$T/all.pcap"
cable 1 2
cable 2 3
cable 1 3
cat >"$T/s2.conf" <<C
configure lldp tx-interval 3
configure system hostname sw-plant-2
configure system platform "Plant switch"
configure system description "Plant switch, 24 ports, release 3.1"
configure system capabilities enabled bridge
configure ports p-tap lldp portidsubtype local ge-0-7 description "hall 7"
C
bg s2 unshare -u sh -c "hostname sw-plant-2; mount -t tmpfs tmpfs /run; mkdir -p /run/lldpd; exec lldpd -d -ll -ccc -O $T/s2.conf -I p-tap"
sleep 14
ip -n sd-s1 link set br0 down
sleep 10
cat >"$T/root.py" <<'P'
import socket
import time

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
me = bytes.fromhex("020000005b66")
bpdu = bytes.fromhex("0000000000") + b"\0\0" + me + bytes(4) + b"\0\0" + me + bytes.fromhex("8001 0000 0600 0200 0400")
for _ in range(3):
    body = b"\x42\x42\x03" + bpdu
    s.send((bytes.fromhex("0180c2000000") + me + len(body).to_bytes(2, "big") + body).ljust(60, b"\0"))
    time.sleep(1)
P
on tap python3 "$T/root.py"
record_stop 3
[ -n "${DEBUG:-}" ] && tail -n 20 "$T"/*.log || true
cp "$T/all.pcap" "$OUT/switches.pcap"
