#!/bin/bash
# dns.pcap.gz: BIND as the authoritative server for plant.example, dig as
# the client. Answers of many types, errors, truncation with the retry over
# TCP, a zone transfer.
. "$(dirname "$0")/common.sh"
need named dig

ns srv
ns cli
wire srv eth0 cli eth0
ip -n sd-srv link set eth0 address 02:00:00:00:53:01
ip -n sd-cli link set eth0 address 02:00:00:00:53:02
ip -n sd-srv addr add 10.20.30.2/24 dev eth0
ip -n sd-cli addr add 10.20.30.50/24 dev eth0

cat >"$T/zone" <<'Z'
$TTL 300
@        IN SOA   ns1 hostmaster ( 2026010101 3600 600 86400 60 )
         IN NS    ns1
         IN MX    10 mail
         IN TXT   "v=spf1 mx -all"
         IN CAA   0 issue "ca.plant.example"
ns1      IN A     10.20.30.2
mail     IN A     10.20.30.25
intranet IN A     10.20.30.10
intranet IN AAAA  2001:db8:20:30::10
www      IN CNAME intranet
hmi      IN A     192.168.50.30
plc1     60 IN A  192.168.50.10
pool     IN A     10.20.30.61
pool     IN A     10.20.30.62
pool     IN A     10.20.30.63
_ntp._udp IN SRV  0 5 123 ns1
Z
for i in $(seq 12); do
    printf 'big IN TXT "part %02d %s"\n' "$i" "$(printf 'x%.0s' $(seq 80))" >>"$T/zone"
done
cat >"$T/rev" <<'Z'
$TTL 300
@  IN SOA ns1.plant.example. hostmaster.plant.example. ( 1 3600 600 86400 60 )
   IN NS  ns1.plant.example.
10 IN PTR plc1.plant.example.
Z
cat >"$T/named.conf" <<C
options {
    directory "$T"; pid-file none; session-keyfile none; dump-file "/dev/null";
    listen-on { 10.20.30.2; }; listen-on-v6 { none; };
    recursion no; dnssec-validation no; version "none"; minimal-responses yes;
    allow-transfer { 10.20.30.50; };
};
controls { };
zone "plant.example" { type primary; file "$T/zone"; };
zone "50.168.192.in-addr.arpa" { type primary; file "$T/rev"; };
C
chmod -R a+rX "$T"
bg srv named -g -n 1 -c "$T/named.conf"
wait_tcp srv 53

record cli eth0 "$T/dns.pcap" 'port 53'
q() { on cli dig @10.20.30.2 +tries=1 +timeout=2 +nocookie "$@" >>"$T/dig.out" || true; }
q intranet.plant.example A
q intranet.plant.example AAAA
q www.plant.example A
q pool.plant.example A
q plant.example MX
q plant.example TXT
q plant.example NS
q plant.example SOA
q plant.example CAA
q _ntp._udp.plant.example SRV
q -x 192.168.50.10
q nothere.plant.example A
q mail.plant.example AAAA
q outside.example A
q +noedns big.plant.example TXT
q +noedns +ignore big.plant.example TXT
q +tcp plc1.plant.example A
q +dnssec +bufsize=1232 hmi.plant.example A
q plant.example AXFR
q +norecurse +noedns PLC1.plant.example A
q version.bind CH TXT
q +opcode=STATUS plant.example A
# a stopped server: the question is asked twice and stays without an answer
kill -STOP "$BG_PID"
on cli dig @10.20.30.2 +nocookie +tries=2 +timeout=1 mail.plant.example MX >>"$T/dig.out" || true
record_stop
kill -KILL "$BG_PID"
wait "$BG_PID" 2>/dev/null || true
gzip -9nc "$T/dns.pcap" >"$OUT/dns.pcap.gz"
