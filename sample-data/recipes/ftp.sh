#!/bin/bash
# ftp.pcap: logins right, wrong and anonymous; lists; files put and got in
# passive, extended passive and active mode, resumed, renamed, removed; one
# that is not there; a session behind AUTH TLS.
. "$(dirname "$0")/common.sh"
need curl lftp openssl
venv_python pyftpdlib==1.5.10 pyOpenSSL==24.0.0 cryptography==42.0.8

pair srv 10.20.30.10/24 cli 10.20.30.50/24
mkdir -p "$T/files"
for i in $(seq 200); do echo "step $i: valve $((i * 7 % 40)) to $((i % 100)) percent"; done >"$T/files/plan.txt"
echo 'all may read this' >"$T/files/notice.txt"
echo 'ladder of line 7' >"$T/ladder.txt"
touch -d '2026-03-01 12:00' "$T"/files/*
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -subj '/CN=files.plant.example' -days 3650 2>/dev/null
cat "$T/key.pem" "$T/cert.pem" >"$T/both.pem"
bg_host srv files "$PY" "$RECIPES/ftp_server.py" 10.20.30.10 "$T/files" "$T/both.pem"
wait_tcp srv 21
wait_tcp srv 2121
record cli eth0 "$T/all.pcap" tcp
cd "$T"
U=ftp://10.20.30.10
get() { on cli curl -sS "$@" >>"$T/cli.log" 2>&1 || true; sleep 0.2; }
get -o got.txt "$U/notice.txt"                                       # anonymous, EPSV
get -u operator:line-one --disable-epsv -o got.txt "$U/plan.txt"      # PASV
get -u operator:line-one -P - --disable-eprt -o got.txt "$U/plan.txt" # PORT
get -u operator:line-one -P - -T ladder.txt "$U/ladder.txt"           # EPRT
get -u operator:line-one -C 5000 -o rest.txt "$U/plan.txt"            # REST
get -u operator:line-one "$U/"
get -u operator:line-one -Q 'RNFR ladder.txt' -Q 'RNTO ladder.old' -Q 'DELE ladder.old' -I "$U/notice.txt"
get -u operator:line-one -o none.txt "$U/nothing.txt"
for word in guess guess2 guess3; do get -u "operator:$word" "$U/"; done
get -k --ssl-reqd -u operator:line-one -o got.txt ftp://10.20.30.10:2121/plan.txt
on cli env HOME="$T" lftp -u operator,line-one -e 'set ftp:ssl-allow no; set net:max-retries 1; mkdir line-7; cd line-7; put ladder.txt; cd ..; ls; mdtm plan.txt; quit' "$U" >>"$T/cli.log" 2>&1 || true
record_stop
[ -n "${DEBUG:-}" ] && cat "$T"/*.log
cp "$T/all.pcap" "$OUT/ftp.pcap"
