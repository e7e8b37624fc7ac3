#!/bin/bash
# http.pcap: nginx and curl: methods, status codes, compressed and chunked
# bodies, ranges, basic authentication, cookies, kept-alive and pipelined
# requests, HTTP/1.0, an upgrade, a broken request.
. "$(dirname "$0")/common.sh"
need nginx curl nc openssl

ns srv
ns cli
wire srv eth0 cli eth0
ip -n sd-srv link set eth0 address 02:00:00:00:80:01
ip -n sd-cli link set eth0 address 02:00:00:00:80:50
ip -n sd-srv addr add 10.20.30.10/24 dev eth0
ip -n sd-cli addr add 10.20.30.50/24 dev eth0

mkdir -p "$T/www/up" "$T/tmp"
echo '<html><head><title>Plant intranet</title></head><body><h1>Plant intranet</h1><p>Line 1 is running.</p></body></html>' >"$T/www/index.html"
for i in $(seq 400); do echo "shift $i: $((i * 7 % 1000)) parts, $((i % 9)) rejects"; done >"$T/www/report.txt"
echo '{"line":1,"state":"running","setpoint":1500}' >"$T/www/state.json"
openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2>/dev/null | head -c 20000 >"$T/www/firmware.bin" || true
printf 'operator:%s\n' "$(openssl passwd -apr1 -salt plantplt 'line-one')" >"$T/users"
cat >"$T/nginx.conf" <<C
user root; worker_processes 1; daemon off; pid $T/nginx.pid; error_log $T/error.log;
events { worker_connections 64; }
http {
    types { text/html html; text/plain txt; application/json json; application/octet-stream bin; }
    access_log off; server_tokens off; keepalive_timeout 30; sendfile off;
    client_body_temp_path $T/tmp; proxy_temp_path $T/tmp/p; fastcgi_temp_path $T/tmp/f;
    uwsgi_temp_path $T/tmp/u; scgi_temp_path $T/tmp/s;
    gzip on; gzip_types text/plain application/json; gzip_min_length 100;
    server {
        listen 10.20.30.10:80; server_name intranet.plant.example; root $T/www;
        location = /old { return 301 /index.html; }
        location = /tmp { return 302 http://intranet.plant.example/state.json; }
        location = /orders { return 201 "order accepted\n"; }
        location = /login { add_header Set-Cookie "session=4711; Path=/; HttpOnly"; return 204; }
        location = /broken { proxy_pass http://127.0.0.1:9; }
        location /private/ { auth_basic "Control room"; auth_basic_user_file $T/users; alias $T/www/; }
        location /forbidden { deny all; }
        location /up/ { dav_methods PUT DELETE; client_max_body_size 100k; }
    }
}
C
bg srv nginx -c "$T/nginx.conf"
wait_tcp srv 80

record cli eth0 "$T/http.pcap" 'tcp port 80'
B=http://intranet.plant.example
c() { on cli curl -sS -o /dev/null --resolve intranet.plant.example:80:10.20.30.10 -A 'plant-sample/1.0' "$@" || true; }
c $B/index.html
c -I $B/index.html
etag=$(on cli curl -sSI -A 'plant-sample/1.0' -H 'Host: intranet.plant.example' http://10.20.30.10/index.html | tr -d '\r' | sed -n 's/^ETag: //p')
c -H "If-None-Match: $etag" $B/index.html            # 304
c -H 'Accept-Encoding: gzip' $B/report.txt           # gzip and chunked
c -r 100-299 $B/firmware.bin                         # 206
c $B/firmware.bin                                    # a body of many segments
c $B/missing.html                                    # 404
c -L $B/old                                          # 301, then 200 on the same connection
c -L $B/tmp                                          # 302, then 200
c -d 'item=gasket&count=40' $B/orders                # POST with a form
c -H 'Content-Type: application/json' -d '{"item":"valve","count":2}' $B/orders
c -F 'note=checked' -F "file=@$T/www/state.json" $B/orders
c -H 'Transfer-Encoding: chunked' -d 'sent in chunks, length not announced' $B/orders
c -T "$T/www/state.json" $B/up/state.json            # PUT, 201
c -H 'Expect: 100-continue' -T "$T/www/firmware.bin" $B/up/firmware.bin
c -X DELETE $B/up/state.json                         # 204
c -X OPTIONS $B/index.html                           # 405
c $B/private/state.json                              # 401
c -u operator:line-one $B/private/state.json         # 200
c -u operator:wrong $B/private/state.json            # 401
c $B/forbidden                                       # 403
c $B/broken                                          # 502
c -c "$T/jar" $B/login                               # Set-Cookie
c -b "$T/jar" -e $B/login $B/state.json              # Cookie, Referer
c -0 $B/index.html                                   # HTTP/1.0
c -H 'Connection: Upgrade' -H 'Upgrade: websocket' $B/state.json
c $B/index.html -o /dev/null $B/state.json -o /dev/null $B/missing.json   # three on one connection
# two pipelined requests in one segment, the second closes
printf 'GET /state.json?n=1 HTTP/1.1\r\nHost: intranet.plant.example\r\n\r\nGET /state.json?n=2 HTTP/1.1\r\nHost: intranet.plant.example\r\nConnection: close\r\n\r\n' |
    on cli nc -w 3 10.20.30.10 80 >/dev/null
# not HTTP at all: 400
printf 'HELLO PLANT\r\n\r\n' | on cli nc -w 3 10.20.30.10 80 >/dev/null
record_stop
cp "$T/http.pcap" "$OUT/http.pcap"
