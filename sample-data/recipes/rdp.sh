#!/bin/bash
# rdp.pcap: an RDP server asked under its own encryption, under TLS, and for
# network level authentication, which it refuses; each client is given a few
# seconds of its login screen.
. "$(dirname "$0")/common.sh"
need xrdp xfreerdp rdesktop Xvfb openssl

pair srv 10.20.30.20/24 cli 10.20.30.50/24
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -subj '/CN=jump.plant.example' -days 3650 2>/dev/null
cat >"$T/xrdp.ini" <<C
[Globals]
ini_version=1
fork=true
port=tcp://10.20.30.20:3389
security_layer=negotiate
crypt_level=high
certificate=$T/cert.pem
key_file=$T/key.pem
ssl_protocols=TLSv1.2
bitmap_cache=true
bitmap_compression=true
max_bpp=8
autorun=
ls_title=Plant
[Logging]
LogFile=$T/xrdp.log
LogLevel=INFO
[Xorg]
name=Plant
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
C
bg_host srv jump xrdp -n -c "$T/xrdp.ini"
wait_tcp srv 3389
bg cli Xvfb :65 -screen 0 320x240x24 -nolisten tcp
sleep 2
export DISPLAY=:65 HOME=$T
record cli eth0 "$T/all.pcap" 'tcp'
# look SECONDS OPTIONS...
look() {
    local t=$1
    shift
    on_host cli pc-7 timeout "$t" xfreerdp /v:10.20.30.20 /cert:ignore /size:200x150 /bpp:8 /log-level:OFF -themes -wallpaper -fonts "$@" >>"$T/cli.log" 2>&1 || true
    sleep 0.5
}
on_host cli pc-7 timeout 4 rdesktop -u operator -g 200x150 -a 8 -4 10.20.30.20 </dev/null >>"$T/cli.log" 2>&1 || true
look 3 /sec:tls /u:'PLANT\anna' /p:line-one
look 3 /sec:nla /u:operator /p:line-one
record_stop
[ -n "${DEBUG:-}" ] && cat "$T"/*.log
cp "$T/all.pcap" "$OUT/rdp.pcap"
