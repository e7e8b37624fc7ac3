#!/bin/bash
# udp.pcap: datagrams over IPv4 and IPv6: question and answer, an empty
# one, one without checksum, one in fragments, a closed port, broadcast,
# multicast, a stream in one direction (syslog-like lines).
. "$(dirname "$0")/common.sh"
need python3

ns sw
ns cli
ns srv
ipv6_on cli
ipv6_on srv
bridge sw br0
port sw br0 cli eth0 02:00:00:00:11:50 10.20.30.50/24
port sw br0 srv eth0 02:00:00:00:11:01 10.20.30.10/24
ip -n sd-cli addr add 2001:db8:20:30::50/64 dev eth0 nodad
ip -n sd-srv addr add 2001:db8:20:30::10/64 dev eth0 nodad
sleep 2
record sw br0 "$T/udp.pcap" 'not arp'
cat >"$T/peer.py" <<'P'
import select
import socket
import sys
import time

V4, V6 = "10.20.30.10", "2001:db8:20:30::10"


def server():
    socks = []
    for family, host, port in [(socket.AF_INET, "0.0.0.0", 9001), (socket.AF_INET6, V6, 9001), (socket.AF_INET, "0.0.0.0", 9514)]:
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((host, port))
        socks.append(s)
    group = socket.inet_aton("239.20.30.40") + socket.inet_aton(V4)
    socks[0].setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    while True:
        for s in select.select(socks, [], [])[0]:
            data, who = s.recvfrom(65535)
            if s is not socks[2]:
                s.sendto(b"re: " + data, who)


def client():
    def sock(family, port):
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("", port))
        s.settimeout(1)
        return s

    def ask(s, data, where, answers=1):
        s.sendto(data, where)
        for _ in range(answers):
            try:
                s.recvfrom(65535)
            except OSError:
                pass

    s4, s6 = sock(socket.AF_INET, 41001), sock(socket.AF_INET6, 41001)
    for i in range(3):
        ask(s4, b"temperature %d?" % i, (V4, 9001))
        ask(s6, b"pressure %d?" % i, (V6, 9001))
    ask(s4, b"", (V4, 9001))  # empty
    s = sock(socket.AF_INET, 41002)
    s.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK: checksum 0
    ask(s, b"no checksum", (V4, 9001))
    ask(s4, b"A" * 4000, (V4, 9001))  # fragments, both ways
    ask(s6, b"B" * 4000, (V6, 9001))
    for fam, host in [(socket.AF_INET, V4), (socket.AF_INET6, V6)]:  # nobody listens
        s = sock(fam, 41003)
        s.connect((host, 9009))
        s.send(b"anyone?")
        time.sleep(0.1)
        s.close()
    s4.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    ask(s4, b"who is there?", ("10.20.30.255", 9001))
    s4.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.20.30.50"))
    s4.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    ask(s4, b"group?", ("239.20.30.40", 9001))
    s = sock(socket.AF_INET, 41514)
    for i in range(20):  # one way
        s.sendto(b"<134>line1: part %d done" % i, (V4, 9514))
        time.sleep(0.05)


client() if sys.argv[1] == "client" else server()
P
bg srv python3 "$T/peer.py" server
wait_udp srv 9514
on cli python3 "$T/peer.py" client
record_stop
cp "$T/udp.pcap" "$OUT/udp.pcap"
