#!/bin/bash
# decrypt.pcapng: TLS whose keys are in the capture, in a decryption-secrets
# block. openssl s_server answers a file to openssl s_client with every kind of
# cipher suite from TLS 1.0 to 1.3; then a key update, early data, a hello retry
# request, HTTP/2, mail after STARTTLS, a client certificate, and one session
# whose keys are left out.
. "$(dirname "$0")/common.sh"
need nginx curl openssl editcap python3

pair srv 10.20.30.10/24 cli 10.20.30.50/24
export OPENSSL_CONF=/dev/null
mkdir -p "$T/www" "$T/tmp"
cd "$T"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj '/CN=plain.plant.example' \
    -addext 'subjectAltName=DNS:plain.plant.example' -days 3650 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout user.key -out user.pem -subj '/CN=jump-host' -days 3650 2>/dev/null
echo 'line 1 is running' >www/status.txt
cp www/status.txt .
python3 - >www/log.txt <<'P'
for hour in range(24):
    for minute in range(0, 60, 5):
        print(f"{hour:02}:{minute:02} line 1 pressure {4 + (hour * 7 + minute) % 9 / 10:.1f} bar")
P
cat >nginx.conf <<C
user root; worker_processes 1; daemon off; pid $T/nginx.pid; error_log $T/error.log;
events { worker_connections 64; }
http {
    access_log off; server_tokens off; root $T/www;
    client_body_temp_path $T/tmp; proxy_temp_path $T/tmp/p; fastcgi_temp_path $T/tmp/f;
    uwsgi_temp_path $T/tmp/u; scgi_temp_path $T/tmp/s;
    server { listen 10.20.30.10:443 ssl http2; server_name plain.plant.example; ssl_protocols TLSv1.3;
        ssl_certificate $T/cert.pem; ssl_certificate_key $T/key.pem; }
}
C
all='ALL:eNULL:@SECLEVEL=0'
all13=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256
bg srv nginx -c "$T/nginx.conf"
bg srv openssl s_server -accept 10.20.30.10:4433 -WWW -cert cert.pem -key key.pem -cipher "$all" -ciphersuites "$all13" -min_protocol TLSv1
# A server that reads its own input ends connections when that ends.
bg srv bash -c 'sleep 60 | openssl s_server -accept 10.20.30.10:4434 -quiet -early_data -cert cert.pem -key key.pem -tls1_3'
bg srv openssl s_server -accept 10.20.30.10:4437 -rev -cert cert.pem -key key.pem -tls1_3
bg srv openssl s_server -accept 10.20.30.10:4435 -WWW -cert cert.pem -key key.pem -tls1_3 -curves P-384
bg srv openssl s_server -accept 10.20.30.10:4436 -WWW -cert cert.pem -key key.pem -tls1_3 -Verify 1
bg srv python3 "$RECIPES/decrypt_mail.py" server 10.20.30.10 cert.pem key.pem
for p in 443 4433 4434 4435 4436 4437 587; do wait_tcp srv $p; done

record cli eth0 "$T/decrypt.pcap" tcp
# get PORT OPTION... : ask for the file
get() {
    local port=$1; shift
    { printf 'GET /status.txt HTTP/1.0\r\nHost: plain.plant.example\r\n\r\n'; sleep 0.3; } |
        on cli openssl s_client -connect "10.20.30.10:$port" -servername plain.plant.example -quiet \
            -keylogfile "${KEYS:-$T/keys.txt}" "$@" >/dev/null 2>>"$T/sclient.log" || true
}
for suite in ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305 AES128-CCM AES256-CCM8 \
    ECDHE-RSA-AES256-SHA384 AES128-SHA256 ECDHE-RSA-AES128-SHA; do
    get 4433 -tls1_2 -cipher "$suite:@SECLEVEL=0"
done
get 4433 -tls1_2 -cipher 'AES256-SHA:@SECLEVEL=0' -no_etm
get 4433 -tls1_2 -cipher 'NULL-SHA256:@SECLEVEL=0'
get 4433 -tls1_1 -cipher 'AES256-SHA:@SECLEVEL=0' -no_etm
get 4433 -tls1 -cipher 'AES128-SHA:@SECLEVEL=0'
get 4433 -tls1_2 -cipher 'CAMELLIA128-SHA:@SECLEVEL=0'       # keys, and a suite that nobody opens
for suite in ${all13//:/ }; do get 4433 -tls1_3 -ciphersuites "$suite"; done
get 4435 -curves X25519:P-384                                # hello retry request
get 4436 -cert user.pem -key user.key                        # client certificate
KEYS=$T/lost.txt get 4433 -tls1_3                            # its keys are left out
# lines SERVER_PORT OPTION... : standard input to the server, a line at a time, and a while for the answer
lines() {
    local port=$1; shift
    while read -r line; do sleep 0.3; echo "$line"; done |
        on cli openssl s_client -connect "10.20.30.10:$port" -servername plain.plant.example \
            -keylogfile "$T/keys.txt" "$@" >/dev/null 2>>"$T/sclient.log" || true
}
# a key update in both directions
printf '%s\n' 'before the update' K 'after the update' Q | lines 4437
# early data
printf '%s\n' 'first words' Q | lines 4434 -sess_out session.pem
printf 'early words\n' >early.txt
printf '%s\n' 'later words' Q | lines 4434 -sess_in session.pem -early_data early.txt
# HTTP/2
SSLKEYLOGFILE=$T/keys.txt on cli curl -sS -k -A 'plant-sample/1.0' --http2 --resolve '*:443:10.20.30.10' \
    -o /dev/null https://plain.plant.example/status.txt -o /dev/null https://plain.plant.example/log.txt 2>>"$T/curl.log"
# mail
on cli python3 "$RECIPES/decrypt_mail.py" client 10.20.30.10 "$T/keys.txt"
record_stop
cd - >/dev/null
editcap -F pcapng "$T/decrypt.pcap" "$T/decrypt.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/decrypt.pcapng" "$OUT/decrypt.pcapng" --comment 'TLS sample: keys in the capture' \
    --secrets "0x544c534b=$T/keys.txt"
[ -n "${DEBUG:-}" ] && cat "$T"/*.log
exit 0
