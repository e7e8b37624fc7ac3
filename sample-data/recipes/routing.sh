#!/bin/bash
# routing.pcap: routers that find each other, learn routes, lose one: FRR with
# OSPF (signed with MD5), OSPFv3, BGP (and a session with the wrong system
# number), IS-IS, RIP, EIGRP and PIM; two keepalived with VRRP, of which the
# first goes away; hosts that join a group by IGMP 2 and 3, and by MLD.
. "$(dirname "$0")/common.sh"
F=/usr/lib/frr
need $F/zebra keepalived python3

ns sw
bridge sw br0
for r in 1 2; do
    ns r$r
    port sw br0 r$r eth0 02:00:00:00:c1:0$r 10.20.40.$r/24
    ipv6_on r$r
    ip -n sd-r$r addr add fd00:40::$r/64 dev eth0 nodad
    ip -n sd-r$r addr add 192.168.10$r.1/24 dev lo
    on r$r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
done
ns host
ipv6_on host
port sw br0 host eth0 02:00:00:00:c1:50 10.20.40.50/24

mkdir -p /var/run/frr
chown frr:frr /var/run/frr
for r in 1 2; do
    mkdir -p "$T/r$r"
    other=$((3 - r))
    cat >"$T/r$r/ospfd" <<C
interface eth0
 ip ospf authentication message-digest
 ip ospf message-digest-key 1 md5 line-one
 ip ospf hello-interval 2
 ip ospf dead-interval 6
 ip ospf priority $((10 * r))
router ospf
 ospf router-id 10.20.40.$r
 network 10.20.40.0/24 area 0
 redistribute connected
C
    cat >"$T/r$r/ospf6d" <<C
interface eth0
 ipv6 ospf6 area 0.0.0.0
 ipv6 ospf6 hello-interval 2
 ipv6 ospf6 dead-interval 6
router ospf6
 ospf6 router-id 10.20.40.$r
C
    cat >"$T/r$r/ripd" <<C
key chain plant
 key 1
  key-string line-two
interface eth0
 ip rip authentication mode text
 ip rip authentication key-chain plant
router rip
 network 10.20.40.0/24
 redistribute connected
 timers basic 5 15 10
C
    cat >"$T/r$r/eigrpd" <<C
interface eth0
router eigrp 77
 network 10.20.40.0/24
 network 192.168.10$r.0/24
C
    cat >"$T/r$r/isisd" <<C
interface eth0
 ip router isis PLANT
 isis circuit-type level-2-only
 isis hello-interval 2
 isis password clear line-three
router isis PLANT
 net 49.0001.0000.0000.000$r.00
 is-type level-2-only
 hostname dynamic
C
    cat >"$T/r$r/pimd" <<C
ip pim rp 10.20.40.2 239.1.0.0/16
interface eth0
 ip pim
 ip pim hello 3
 ip igmp
C
    cat >"$T/r$r/bgpd" <<C
router bgp 6450$r
 bgp router-id 10.20.40.$r
 no bgp ebgp-requires-policy
 timers bgp 3 9
 neighbor 10.20.40.$other remote-as 6450$other
 neighbor 10.20.40.$other timers connect 2
 address-family ipv4 unicast
  redistribute connected
  aggregate-address 192.168.0.0/16
 exit-address-family
C
done
# Router 1 expects another system number of this one.
ns r3
port sw br0 r3 eth0 02:00:00:00:c1:03 10.20.40.3/24
mkdir -p "$T/r3"
cat >"$T/r3/bgpd" <<C
router bgp 64599
 bgp router-id 10.20.40.3
 neighbor 10.20.40.1 remote-as 64501
 neighbor 10.20.40.1 timers connect 60
C
sed -i '/bgp router-id/a\ neighbor 10.20.40.3 remote-as 64503\n neighbor 10.20.40.3 passive' "$T/r1/bgpd"

# daemon ROUTER NAME OPTIONS... : each router has a directory of its own
daemon() {
    local r=$1 d=$2
    shift 2
    mkdir -p "$T/$r/run"
    touch "$T/$r/$d"
    chown -R frr:frr "$T/$r"
    bg "$r" unshare --uts --mount sh -c 'hostname "$1"; mount --bind "$2" /var/run/frr; shift 2; exec "$@"' sh "router-${r#r}" "$T/$r/run" \
        $F/"$d" -f "$T/$r/$d" -i "/var/run/frr/$d.pid" -z /var/run/frr/zserv.api --vty_socket /var/run/frr -A 127.0.0.1 -P 0 "$@"
    LAST=$BG_PID
}
record sw br0 "$T/all.pcap" 'not arp'
for r in r1 r2 r3; do daemon $r zebra; done
sleep 1.5
for r in r1 r2; do for d in ospfd ospf6d ripd isisd pimd eigrpd; do daemon $r $d; done; done
daemon r3 bgpd
R3=$LAST
daemon r2 bgpd
daemon r1 bgpd
BGP=$LAST
cat >"$T/join.py" <<'P'
import socket
import sys
import time

where, seconds = sys.argv[1], float(sys.argv[2])
groups = []
for group in sys.argv[3:]:
    six = ":" in group
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    if six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                     socket.inet_pton(socket.AF_INET6, group) + socket.if_nametoindex("eth0").to_bytes(4, sys.byteorder))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(where))
    groups.append(s)
time.sleep(seconds)
P
on host sysctl -qw net.ipv4.conf.eth0.force_igmp_version=2
on host python3 "$T/join.py" 10.20.40.50 2 239.1.7.7
on host sysctl -qw net.ipv4.conf.eth0.force_igmp_version=3
on host python3 "$T/join.py" 10.20.40.50 2 239.1.7.8 ff15::77

# Two that share an address; the one that holds it stops.
for r in 1 2; do
    cat >"$T/keepalived-$r.conf" <<C
global_defs { router_id router-$r; vrrp_version 2; }
vrrp_instance PLANT { state BACKUP; interface eth0; virtual_router_id 51; priority $((200 - 50 * r)); advert_int 1
    authentication { auth_type PASS; auth_pass line-4; }
    virtual_ipaddress { 10.20.40.254/24; } }
vrrp_instance NEWER { version 3; state BACKUP; interface eth0; virtual_router_id 52; priority $((80 + 10 * r)); advert_int 1
    virtual_ipaddress { 10.20.40.253/24; } }
C
    sed -i 's/; /\n/g; s/ { /{\n/g; s/{\n*/{\n/g; s/ }/\n}/g; s/;$//' "$T/keepalived-$r.conf"
    bg r$r keepalived -n -l -P -f "$T/keepalived-$r.conf" -p "$T/ka$r.pid" -r "$T/kv$r.pid"
    [ $r = 1 ] && KA=$BG_PID
done
sleep 7
kill "$KA"
kill "$R3"
sleep 1
kill "$BGP"
sleep 4
record_stop
[ -n "${DEBUG:-}" ] && tail -n 30 "$T"/*.log
cp "$T/all.pcap" "$OUT/routing.pcap"
