#!/bin/bash
# ssdp.pcap: a media server announces itself, is looked for and described,
# and takes its leave; a search that nobody answers.
. "$(dirname "$0")/common.sh"
need minidlnad curl python3

pair srv 192.168.50.45/24 cli 192.168.50.30/24
for h in srv cli; do ip -n "sd-$h" route add 224.0.0.0/4 dev eth0; done
mkdir -p "$T/media" "$T/db"
cat >"$T/minidlna.conf" <<C
port=8200
network_interface=eth0
media_dir=V,$T/media
db_dir=$T/db
log_dir=$T
friendly_name=Training videos
model_name=Plant media
model_number=2
serial=7
uuid=01234567-89ab-cdef-0123-020000325045
notify_interval=5
inotify=no
C
record cli eth0 "$T/all.pcap" 'not arp'
bg_host srv media-1 minidlnad -S -f "$T/minidlna.conf" -P "$T/minidlna.pid"
MEDIA=$BG_PID
wait_tcp srv 8200
sleep 2
cat >"$T/search.py" <<'P'
import socket
import time

for wanted in "ssdp:all", "urn:schemas-upnp-org:device:InternetGatewayDevice:1":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("192.168.50.30", 0))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        for _ in range(2):
            s.sendto(f'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: {wanted}\r\n'
                     'USER-AGENT: Plant/1.0 UPnP/1.0 Viewer/1.0\r\n\r\n'.encode(), ("239.255.255.250", 1900))
            time.sleep(1)
P
on cli python3 "$T/search.py"
on cli curl -sS -A 'Plant viewer' -o /dev/null http://192.168.50.45:8200/rootDesc.xml
kill "$MEDIA"
record_stop 2
cp "$T/all.pcap" "$OUT/ssdp.pcap"
