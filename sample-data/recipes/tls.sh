#!/bin/bash
# tls.pcapng: nginx and openssl s_server with certificates of our own
# authority; curl and openssl s_client as clients. TLS 1.2 and 1.3, HTTP/2
# by ALPN, a name that does not fit, a self-signed and an expired
# certificate, a client certificate, resumption, no common version.
. "$(dirname "$0")/common.sh"
need nginx curl openssl editcap python3

ns srv
ns cli
wire srv eth0 cli eth0
ip -n sd-srv link set eth0 address 02:00:00:00:44:01
ip -n sd-cli link set eth0 address 02:00:00:00:44:50
ip -n sd-srv addr add 10.20.30.10/24 dev eth0
ip -n sd-cli addr add 10.20.30.50/24 dev eth0

# --- a root, an issuing authority, and what they sign (fixed dates) ---
mkdir -p "$T/ca" "$T/www" "$T/tmp"
cd "$T/ca"
: >index; : >index.attr; echo 1000 >serial
cat >ca.conf <<C
[ca]
default_ca = d
[d]
dir = $T/ca
database = $T/ca/index
serial = $T/ca/serial
new_certs_dir = $T/ca
default_md = sha256
policy = p
unique_subject = no
copy_extensions = copy
[p]
organizationName = optional
organizationalUnitName = optional
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[sub]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
C
key() { case $2 in
    rsa) openssl genrsa -out "$1.key" 2048 2>/dev/null ;;
    ec) openssl ecparam -genkey -name prime256v1 -noout -out "$1.key" ;;
    esac; }
# sign NAME SUBJECT EXT ISSUER START END [SAN]
sign() {
    openssl req -new -config ca.conf -key "$1.key" -subj "$2" ${7:+-addext "subjectAltName=$7"} -out "$1.csr"
    if [ "$4" = self ]; then set -- "$1" "$2" "$3" "$1" "$5" "$6" self; else set -- "$1" "$2" "$3" "$4" "$5" "$6" ""; fi
    openssl ca -batch -notext -config ca.conf -extensions "$3" -startdate "$5" -enddate "$6" \
        -keyfile "$4.key" $([ "$7" = self ] && echo -selfsign || echo "-cert $4.pem") \
        -in "$1.csr" -out "$1.pem" 2>>"$T/ca.log"
}
key root ec; sign root '/O=Plant Example/CN=Plant Example Root CA' root self 20250101000000Z 20450101000000Z
key sub ec; sign sub '/O=Plant Example/CN=Plant Example Issuing CA' sub root 20250101000000Z 20400101000000Z
key intranet rsa; sign intranet '/O=Plant Example/CN=intranet.plant.example' leaf sub 20260101000000Z 20350101000000Z DNS:intranet.plant.example,DNS:www.plant.example,IP:10.20.30.10
key files ec; sign files '/O=Plant Example/CN=files.plant.example' leaf sub 20260101000000Z 20350101000000Z DNS:files.plant.example
key old ec; sign old '/O=Plant Example/CN=old.plant.example' leaf sub 20240101000000Z 20250101000000Z DNS:old.plant.example
key device rsa; sign device '/O=Plant Example/OU=Devices/CN=plc1.plant.example' leaf self 20200101000000Z 20400101000000Z DNS:plc1.plant.example,IP:192.168.50.10
key user ec; sign user '/O=Plant Example/CN=jump-host' leaf sub 20260101000000Z 20350101000000Z
for n in intranet files old user; do cat $n.pem sub.pem >$n.chain; done
cd - >/dev/null

echo 'line 1 is running' >"$T/www/index.html"
cat >"$T/nginx.conf" <<C
user root; worker_processes 1; daemon off; pid $T/nginx.pid; error_log $T/error.log;
events { worker_connections 64; }
http {
    access_log off; server_tokens off; root $T/www;
    client_body_temp_path $T/tmp; proxy_temp_path $T/tmp/p; fastcgi_temp_path $T/tmp/f;
    uwsgi_temp_path $T/tmp/u; scgi_temp_path $T/tmp/s;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m; ssl_session_tickets on;
    server { listen 10.20.30.10:443 ssl http2 default_server; server_name intranet.plant.example;
        ssl_certificate $T/ca/intranet.chain; ssl_certificate_key $T/ca/intranet.key; }
    server { listen 10.20.30.10:443 ssl http2; server_name files.plant.example;
        ssl_certificate $T/ca/files.chain; ssl_certificate_key $T/ca/files.key; }
    server { listen 10.20.30.10:8444 ssl; server_name intranet.plant.example; ssl_protocols TLSv1.2;
        ssl_certificate $T/ca/intranet.chain; ssl_certificate_key $T/ca/intranet.key;
        ssl_client_certificate $T/ca/root.pem; ssl_verify_client on; ssl_verify_depth 3; }
    server { listen 10.20.30.10:8445 ssl; server_name intranet.plant.example; ssl_protocols TLSv1.3;
        ssl_certificate $T/ca/intranet.chain; ssl_certificate_key $T/ca/intranet.key; }
}
C
bg srv nginx -c "$T/nginx.conf"
bg srv openssl s_server -quiet -accept 10.20.30.10:8443 -www -tls1_2 -cert "$T/ca/device.pem" -key "$T/ca/device.key"
bg srv openssl s_server -quiet -accept 10.20.30.10:8446 -www -tls1_2 -cert "$T/ca/old.pem" -cert_chain "$T/ca/sub.pem" -key "$T/ca/old.key"
wait_tcp srv 8445; wait_tcp srv 8443; wait_tcp srv 8446

record cli eth0 "$T/tls.pcap" 'tcp portrange 443-8446'
c() {
    on cli curl -sS -o /dev/null --cacert "$T/ca/root.pem" -A 'plant-sample/1.0' \
        --resolve '*:443:10.20.30.10' --resolve '*:8443:10.20.30.10' --resolve '*:8444:10.20.30.10' \
        --resolve '*:8445:10.20.30.10' --resolve '*:8446:10.20.30.10' "$@" 2>>"$T/curl.log" || true
}
c --http1.1 --tls-max 1.2 https://intranet.plant.example/          # 1: TLS 1.2, RSA
c --http1.1 --tlsv1.3 https://intranet.plant.example/              # 2: TLS 1.3
c --http2 --tls-max 1.2 https://intranet.plant.example/            # 3: h2 chosen, visible in TLS 1.2
c --http2 --tlsv1.3 https://files.plant.example/                   # 4: h2 in TLS 1.3
c --no-alpn --tls-max 1.2 https://files.plant.example/             # 5: no ALPN, ECDSA
c --http1.1 --tls-max 1.2 https://hmi.plant.example/               # 6: the name does not fit
c --http1.1 --tls-max 1.2 https://plc1.plant.example:8443/         # 7: self-signed, refused
c --http1.1 --tls-max 1.2 -k https://plc1.plant.example:8443/      # 8: self-signed, accepted
c --http1.1 --tls-max 1.2 https://old.plant.example:8446/          # 9: expired, refused
c --http1.1 --cert "$T/ca/user.chain" --key "$T/ca/user.key" https://intranet.plant.example:8444/  # 10: client certificate
c --http1.1 --tls-max 1.2 https://intranet.plant.example:8445/     # 11: no common version
c --http1.1 --tls-max 1.2 -k https://10.20.30.10/                  # 12: by address, no SNI
# 13, 14: TLS 1.2 resumed; 15, 16: TLS 1.3 resumed
s() {
    { printf 'GET / HTTP/1.0\r\nHost: intranet.plant.example\r\n\r\n'; sleep 0.5; } |
        on cli openssl s_client -connect 10.20.30.10:443 -servername intranet.plant.example \
            -CAfile "$T/ca/root.pem" -quiet "$@" >/dev/null 2>>"$T/sclient.log" || true
}
s -tls1_2 -sess_out "$T/s12"
s -tls1_2 -sess_in "$T/s12"
s -tls1_3 -sess_out "$T/s13"
s -tls1_3 -sess_in "$T/s13"
record_stop
editcap -F pcapng "$T/tls.pcap" "$T/tls.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/tls.pcapng" "$OUT/tls.pcapng" --comment 'TLS sample: certificates, versions, failures'
[ -n "${DEBUG:-}" ] && cat "$T/curl.log"
exit 0
