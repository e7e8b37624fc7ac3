#!/bin/bash
# arp.pcap: address resolution by the kernel, probes and announcements by
# arping, an address nobody has, an address that moves to another card, and
# two stations that claim one address.
. "$(dirname "$0")/common.sh"
need arping ping

ns sw
ns a
ns b
ns c
bridge sw br0
port sw br0 a eth0 02:00:00:00:0a:01 192.168.50.21/24
port sw br0 b eth0 02:00:00:00:0a:02 192.168.50.22/24
port sw br0 c eth0 02:00:00:00:0a:03 192.168.50.23/24
sleep 0.5
record sw br0 "$T/arp.pcap" 'arp or icmp'

on a ping -q -c 1 -W 1 192.168.50.22 >/dev/null           # resolve, then talk
on c ping -q -c 1 -W 1 192.168.50.21 >/dev/null
on a ping -q -c 1 -W 4 192.168.50.99 >/dev/null || true   # nobody there: three requests
on b arping -q -D -c 2 -w 3 -I eth0 192.168.50.30 || true # free? (probe, sender 0.0.0.0)
on b arping -q -U -c 1 -I eth0 -s 192.168.50.22 192.168.50.22 || true # announcement, as a request
on b arping -q -A -c 1 -I eth0 -s 192.168.50.22 192.168.50.22 || true # announcement, as a reply
on c arping -q -D -c 1 -w 2 -I eth0 192.168.50.21 || true # taken: the owner answers
# station c takes the address of b as well, and both answer the next question
ip -n sd-c addr add 192.168.50.22/24 dev eth0
on c arping -q -U -c 1 -I eth0 -s 192.168.50.22 192.168.50.22 || true
ip -n sd-a neigh flush dev eth0
on a ping -q -c 1 -W 1 192.168.50.22 >/dev/null || true
# the address of a moves to a new card
ip -n sd-a link set eth0 down
ip -n sd-a link set eth0 address 02:00:00:00:0a:11
ip -n sd-a link set eth0 up
sleep 0.3
on a arping -q -U -c 1 -I eth0 -s 192.168.50.21 192.168.50.21 || true
record_stop
cp "$T/arp.pcap" "$OUT/arp.pcap"
