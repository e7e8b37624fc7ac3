#!/bin/bash
# encrypted_dns.pcapng: names asked for over TLS and over HTTPS (HTTP/2 by POST
# and GET), padded and not, several in one session; and once in clear. DNS over
# QUIC is in quic.pcapng.
. "$(dirname "$0")/common.sh"
need unbound kdig openssl editcap

pair srv 10.20.30.10/24 cli 10.20.30.50/24
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -subj '/CN=dns.plant.example' \
    -addext 'subjectAltName=DNS:dns.plant.example' -days 3650 2>/dev/null
cat >"$T/unbound.conf" <<C
server:
    interface: 10.20.30.10@53
    interface: 10.20.30.10@853
    interface: 10.20.30.10@443
    tls-service-key: "$T/key.pem"
    tls-service-pem: "$T/cert.pem"
    access-control: 10.20.30.0/24 allow
    username: ""
    chroot: ""
    directory: "$T"
    pidfile: "$T/unbound.pid"
    use-syslog: no
    do-ip6: no
    module-config: "iterator"
    hide-identity: yes
    hide-version: yes
    local-zone: "." static
    local-zone: "plant.example." static
    local-data: "web.plant.example. 300 IN A 10.20.30.10"
    local-data: "mail.plant.example. 300 IN A 10.20.30.11"
    local-data: "plant.example. 300 IN MX 10 mail.plant.example."
C
bg_host srv dns unbound -d -c "$T/unbound.conf"
wait_tcp srv 853
wait_tcp srv 443
wait_tcp srv 53
record cli eth0 "$T/all.pcap" 'not arp'
ask() { on cli kdig @10.20.30.10 "$@" >>"$T/cli.log" 2>&1 || true; sleep 0.3; }
ask web.plant.example A
ask +tls +tls-hostname=dns.plant.example +tls-ca="$T/cert.pem" +keepopen web.plant.example A plant.example MX nothing.plant.example A
ask +tls +tls-sni=dns.plant.example +padding=128 mail.plant.example A
export SSLKEYLOGFILE=$T/keys.txt
ask +https=dns.plant.example/dns-query +tls-ca="$T/cert.pem" +tls-hostname=dns.plant.example web.plant.example A
ask +https=dns.plant.example/dns-query +https-get +tls-ca="$T/cert.pem" +tls-hostname=dns.plant.example +keepopen mail.plant.example A web.plant.example AAAA
record_stop
[ -n "${DEBUG:-}" ] && tail -n 50 "$T"/*.log
editcap -F pcapng "$T/all.pcap" "$T/all.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/all.pcapng" "$OUT/encrypted_dns.pcapng" --comment 'DNS over TLS and HTTPS' --secrets "0x544c534b=$T/keys.txt"
