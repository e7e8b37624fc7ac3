#!/bin/bash
# icmp.pcapng: ping, traceroute and the errors routers and hosts send, in
# IPv4 and IPv6; neighbour discovery, router advertisements by radvd,
# duplicate address detection, multicast listener reports.
#
#   cli ---+--- r1 ----- r2 ----- srv        (the last link has an MTU of 1300)
#          +--- r3 (another way out, for the redirects)
. "$(dirname "$0")/common.sh"
need ping traceroute radvd rdisc6 ndisc6 nft editcap python3

for n in sw cli r1 r2 r3 srv; do ns $n; done
for n in cli r1 r2 r3 srv; do
    ipv6_on $n
    on $n sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
        net.ipv6.conf.default.dad_transmits=1 net.ipv6.conf.default.router_solicitation_delay=1 \
        net.ipv6.conf.default.addr_gen_mode=0
done
for n in r1 r2 r3; do on $n sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
bridge sw br0
record sw br0 "$T/icmp.pcap"
port sw br0 r1 eth0 02:00:00:00:1c:01 10.20.30.1/24
port sw br0 r3 eth0 02:00:00:00:1c:03 10.20.30.3/24
on r1 sysctl -qw net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.eth0.send_redirects=1
wire r1 eth1 r2 eth0
wire r2 eth1 srv eth0
ip -n sd-r2 link set eth1 mtu 1300
ip -n sd-srv link set eth0 mtu 1300
a4() { ip -n "sd-$1" addr add "$2" dev "$3"; }
a6() { ip -n "sd-$1" addr add "$2" dev "$3" nodad; }
a4 r1 10.20.40.1/24 eth1; a4 r2 10.20.40.2/24 eth0; a4 r2 192.168.50.1/24 eth1; a4 srv 192.168.50.10/24 eth0
a6 r1 2001:db8:20:30::1/64 eth0; a6 r3 2001:db8:20:30::3/64 eth0
a6 r1 2001:db8:20:40::1/64 eth1; a6 r2 2001:db8:20:40::2/64 eth0
a6 r2 2001:db8:50::1/64 eth1; a6 srv 2001:db8:50::10/64 eth0
sleep 2
ip -n sd-r1 route add 192.168.50.0/24 via 10.20.40.2
ip -n sd-r1 route add 192.168.60.0/24 via 10.20.30.3
ip -n sd-r1 -6 route add 2001:db8:50::/48 via 2001:db8:20:40::2
ip -n sd-r1 -6 route add 2001:db8:60::/48 via fe80::ff:fe00:1c03 dev eth0
ip -n sd-r2 route add 10.20.30.0/24 via 10.20.40.1
ip -n sd-r2 -6 route add 2001:db8:20:30::/64 via 2001:db8:20:40::1
ip -n sd-r3 addr add 192.168.60.10/24 dev lo
ip -n sd-r3 -6 addr add 2001:db8:60::10/64 dev lo
ip -n sd-srv route add default via 192.168.50.1
ip -n sd-srv -6 route add default via 2001:db8:50::1
printf 'table inet f {\nchain c {\ntype filter hook forward priority 0;\nip daddr 192.168.50.66 reject with icmp type admin-prohibited\nip6 daddr 2001:db8:50::66 reject with icmpv6 type admin-prohibited\n}\n}\n' | on r2 nft -f -

cat >"$T/radvd.conf" <<C
interface eth0 {
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 600;
    AdvCurHopLimit 64; AdvOtherConfigFlag on; AdvLinkMTU 1500;
    prefix 2001:db8:20:30::/64 { AdvOnLink on; AdvAutonomous on; AdvValidLifetime 3600; AdvPreferredLifetime 1800; };
    RDNSS 2001:db8:20:30::53 { AdvRDNSSLifetime 600; };
    DNSSL plant.example { AdvDNSSLLifetime 600; };
};
C
chmod 644 "$T/radvd.conf"
bg r1 radvd -n -C "$T/radvd.conf" -p "$T/radvd.pid" -m stderr
RADVD=$BG_PID
sleep 1
port sw br0 cli eth0 02:00:00:00:1c:50 10.20.30.50/24
ip -n sd-cli route add default via 10.20.30.1
sleep 4                                                       # DAD, RS, RA, the address

p() { on cli ping -q "$@" >/dev/null 2>&1 || true; }
p -c 3 -i 0.3 192.168.50.10
p -c 1 -W 1 -s 3000 10.20.30.1                                # fragments
p -c 1 -W 1 -M do -s 1400 192.168.50.10                       # fragmentation needed, MTU 1300
p -c 1 -W 1 172.16.9.9                                        # no route: net unreachable
p -c 1 -W 5 192.168.50.77                                     # nobody there: host unreachable
p -c 1 -W 1 192.168.50.66                                     # filtered: admin prohibited
p -c 2 -i 0.3 -W 1 192.168.60.10                              # redirect to r3
p -c 1 -W 1 -t 1 192.168.50.10                                # TTL exceeded
on cli traceroute -n -N 1 -q 1 -w 1 192.168.50.10 >/dev/null       # TTL exceeded twice, port unreachable
p -6 -c 3 -i 0.3 2001:db8:50::10
p -6 -c 1 -W 1 -M do -s 1400 2001:db8:50::10                  # packet too big, MTU 1300
p -6 -c 1 -W 1 2001:db8:99::9                                 # no route
p -6 -c 1 -W 5 2001:db8:50::77                                # address unreachable
p -6 -c 1 -W 1 2001:db8:50::66                                # admin prohibited
p -6 -c 2 -i 0.3 -W 1 2001:db8:60::10                         # redirect
on cli traceroute -6 -n -N 1 -q 1 -w 1 2001:db8:50::10 >/dev/null
on cli rdisc6 -q -1 eth0 >/dev/null || true
on cli ndisc6 -q -1 2001:db8:20:30::1 eth0 >/dev/null || true
p -6 -c 1 -W 1 ff02::1%eth0                                   # all nodes
# an address r1 already has: duplicate address detection answers
ip -n sd-cli -6 addr add 2001:db8:20:30::1/64 dev eth0
sleep 1.5
ip -n sd-cli -6 addr del 2001:db8:20:30::1/64 dev eth0
kill "$RADVD"                                                 # a last RA with lifetime 0
record_stop 1.5
editcap -F pcapng "$T/icmp.pcap" "$T/icmp.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/icmp.pcapng" "$OUT/icmp.pcapng" --comment 'ICMP sample: errors, neighbour discovery, router advertisements'
