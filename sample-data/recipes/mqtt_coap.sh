#!/bin/bash
# mqtt_coap.pcap: sensors and a station by Mosquitto (MQTT 3.1.1, 5 and 3.1):
# logins right, wrong and none, three qualities of service, a retained
# message, a will, a kept session, a topic that may not be written; and by
# aiocoap: GET, PUT, POST, DELETE, a late answer, blocks both ways, a
# resource observed, and what is not there.
. "$(dirname "$0")/common.sh"
need python3 mosquitto mosquitto_pub mosquitto_sub mosquitto_passwd
venv_python aiocoap==0.4.17

pair hub 192.168.50.90/24 iot 192.168.50.91/24
cat >"$T/mosquitto.conf" <<C
listener 1883 192.168.50.90
allow_anonymous false
password_file $T/passwords
acl_file $T/acl
sys_interval 0
C
touch "$T/passwords"
mosquitto_passwd -b "$T/passwords" sensor line-one
mosquitto_passwd -b "$T/passwords" operator line-two
cat >"$T/acl" <<C
user sensor
topic readwrite plant/#
user operator
topic read plant/#
topic write plant/line1/set
C
chmod 644 "$T/passwords" "$T/acl"
record iot eth0 "$T/mqtt_coap.pcap" 'tcp port 1883 or udp port 5683'
bg hub mosquitto -c "$T/mosquitto.conf"
bg hub "$PY" "$RECIPES/coap_server.py" 192.168.50.90
wait_tcp hub 1883
wait_udp hub 5683

pub() { on iot mosquitto_pub -h 192.168.50.90 "$@" || true; }
on iot mosquitto_sub -h 192.168.50.90 -i panel1 -u operator -P line-two -t 'plant/#' -q 2 -W 6 >/dev/null || true &
panel=$!
sleep 0.5
pub -i meter1 -u sensor -P line-one -t plant/line1/temperature -m 61.5
pub -i meter1 -u sensor -P line-one -t plant/line1/temperature -q 1 -m 62.0
pub -i meter1 -u sensor -P line-one -t plant/line1/level -q 2 -m 750
pub -i meter1 -u sensor -P line-one -t plant/line1/state -q 1 -r -m running
pub -i meter1 -u sensor -P wrong -t plant/line1/state -m stopped
pub -i meter1 -t plant/line1/state -m stopped
pub -i panel2 -u operator -P line-two -t plant/line1/set -q 1 -m 72.5
pub -i panel2 -u operator -P line-two -t plant/line1/temperature -q 1 -m 0
pub -i meter2 -u sensor -P line-one -V 5 -t plant/line2/temperature -q 1 -m 20.5 -D publish user-property unit C
pub -i meter3 -u sensor -P line-one -V 31 -t plant/line3/temperature -m 20.5
pub -i panel5 -u operator -P line-two -V 5 -t plant/line2/temperature -q 1 -m 0
# a meter that is gone without a word
bg iot mosquitto_sub -h 192.168.50.90 -i meter4 -u sensor -P line-one -t plant/line1/set -k 5 \
    --will-topic plant/line1/alarm --will-payload 'meter4 is gone' --will-qos 1 --will-retain
sleep 0.7
kill -9 "$BG_PID"
sleep 0.5
# what was retained
on iot mosquitto_sub -h 192.168.50.90 -i panel6 -u operator -P line-two -t 'plant/line1/+' -q 1 -C 2 >/dev/null || true
# a session that is kept, and what waited for it
on iot mosquitto_sub -h 192.168.50.90 -i logger -c -u sensor -P line-one -t plant/line1/level -q 1 -E || true
pub -i meter1 -u sensor -P line-one -t plant/line1/level -q 1 -m 760
on iot mosquitto_sub -h 192.168.50.90 -i logger -c -u sensor -P line-one -t plant/line1/level -q 1 -C 1 >/dev/null || true
wait "$panel" 2>/dev/null || true
on iot timeout 60 "$PY" "$RECIPES/coap_client.py" 192.168.50.90
record_stop
cp "$T/mqtt_coap.pcap" "$OUT/mqtt_coap.pcap"
