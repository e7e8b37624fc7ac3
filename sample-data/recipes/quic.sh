#!/bin/bash
# quic.pcapng: HTTP/3 over QUIC 1 and 2: requests, early data, a retry, a
# version that nobody has; DNS over QUIC. The keys are inside, but for one
# connection.
. "$(dirname "$0")/common.sh"
need openssl editcap
venv_python aioquic==1.7.2

pair srv 10.20.30.10/24 cli 10.20.30.50/24
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -subj '/CN=web.plant.example' \
    -addext 'subjectAltName=DNS:web.plant.example' -days 3650 2>/dev/null
bg_host srv web "$PY" "$RECIPES/quic_talk.py" server 10.20.30.10 "$T/cert.pem" "$T/key.pem"
for p in 443 4433 853; do wait_udp srv $p; done
record cli eth0 "$T/all.pcap" udp
on cli "$PY" "$RECIPES/quic_talk.py" client 10.20.30.10 "$T/keys.txt"
record_stop
# The last connection's keys (DNS) are left out.
last=$(awk '/CLIENT_HANDSHAKE/ { r = $2 } END { print r }' "$T/keys.txt")
grep -v "$last" "$T/keys.txt" >"$T/most.txt"
editcap -F pcapng "$T/all.pcap" "$T/all.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/all.pcapng" "$OUT/quic.pcapng" --comment 'HTTP/3, its keys inside' --secrets "0x544c534b=$T/most.txt"
