#!/bin/bash
# http2.pcap: HTTP/2 in clear (h2c): by an upgrade and by prior knowledge,
# requests side by side, a body sent, a page that is not there, and one server
# that does not speak it.
. "$(dirname "$0")/common.sh"
need nghttpd nghttpx nghttp curl nginx

pair srv 10.20.30.10/24 cli 10.20.30.50/24
mkdir -p "$T/www/line-7" "$T/tmp"
echo '<html><body>line 7 is running</body></html>' >"$T/www/index.html"
for i in $(seq 60); do echo "step $i: valve $((i * 7 % 40)) to $((i % 100)) percent"; done >"$T/www/line-7/plan.txt"
touch -d '2026-03-01 12:00' "$T/www/index.html" "$T/www/line-7/plan.txt"
bg_host srv web-7 nghttpd --no-tls -a 10.20.30.10 -d "$T/www" --mime-types-file=/etc/mime.types 8080
cat >"$T/nginx.conf" <<C
user root; worker_processes 1; daemon off; pid $T/nginx.pid; error_log $T/error.log;
events { worker_connections 64; }
http { access_log off; server_tokens off; root $T/www;
    client_body_temp_path $T/tmp; proxy_temp_path $T/tmp/p; fastcgi_temp_path $T/tmp/f;
    uwsgi_temp_path $T/tmp/u; scgi_temp_path $T/tmp/s;
    server { listen 10.20.30.10:80; server_name old.plant.example; } }
C
bg srv nginx -c "$T/nginx.conf"
bg_host srv web-7 nghttpx -f'10.20.30.10,8081;no-tls' -b'10.20.30.10,80' --workers=1 --no-via --no-server-rewrite --errorlog-file="$T/x.log" --accesslog-file=/dev/null
wait_tcp srv 8080
wait_tcp srv 8081
wait_tcp srv 80
record cli eth0 "$T/all.pcap" tcp
cd "$T"
A=http://10.20.30.10:8080
H='-H:authority: web.plant.example:8080'
on cli curl -sS -o /dev/null --http2 -H 'Host: web.plant.example:8081' -A 'Plant browser/1.0' http://10.20.30.10:8081/index.html
on cli nghttp -n "$H" -H 'authorization: Basic b3BlcmF0b3I6bGluZS1vbmU=' $A/index.html $A/line-7/plan.txt $A/nothing.html
on cli curl -sS -o /dev/null --http2-prior-knowledge -H 'Host: web.plant.example:8080' -A 'Plant browser/1.0' -d 'speed=72.5&line=7' $A/index.html
on cli curl -sS -o /dev/null --http2 -H 'Host: old.plant.example' http://10.20.30.10/line-7/plan.txt
record_stop
cp "$T/all.pcap" "$OUT/http2.pcap"
