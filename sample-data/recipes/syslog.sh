#!/bin/bash
# syslog.pcap: log messages over UDP and TCP, in the old form and the new,
# each ended by a line feed or counted, to rsyslog; one relayed.
. "$(dirname "$0")/common.sh"
need rsyslogd logger nc

ns sw
ns srv
ns relay
ns cli
bridge sw br0
port sw br0 srv eth0 02:00:00:00:51:01 10.20.30.10/24
port sw br0 relay eth0 02:00:00:00:51:02 10.20.30.11/24
port sw br0 cli eth0 02:00:00:00:51:50 10.20.30.50/24

cat >"$T/srv.conf" <<C
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="10.20.30.10" port="514")
input(type="imtcp" address="10.20.30.10" port="514")
*.* action(type="omfile" file="$T/all.log")
C
cat >"$T/relay.conf" <<C
module(load="imudp")
input(type="imudp" address="10.20.30.11" port="514")
*.* action(type="omfwd" target="10.20.30.10" port="514" protocol="udp" template="RSYSLOG_SyslogProtocol23Format")
C
bg_host srv logs rsyslogd -n -f "$T/srv.conf" -i "$T/srv.pid"
bg_host relay relay-2 rsyslogd -n -f "$T/relay.conf" -i "$T/relay.pid"
wait_udp srv 514
wait_tcp srv 514
wait_udp relay 514
record srv eth0 "$T/all.pcap" 'port 514'

# say HOSTNAME OPTIONS... : the process numbers are ours
say() { local h=$1; shift; on_host cli "$h" logger "$@"; sleep 0.1; }
say plc-1 -n 10.20.30.10 -d --rfc3164 -p local0.warning -t plc[42] 'temperature 81 degrees, limit 80'
say plc-1 -n 10.20.30.10 -d --rfc3164 -p auth.notice -t sshd[811] 'Failed password for operator from 10.20.30.66 port 40022 ssh2'
say plc-1 -n 10.20.30.10 -d --rfc3164 -p auth.info -t sshd[811] 'Accepted password for operator from 10.20.30.66 port 40022 ssh2'
say fw-1 -n 10.20.30.10 -d --rfc5424=notq --id=77 -p kern.err -t firewall --msgid DROP --sd-id rule@32473 --sd-param 'name="plant-in"' --sd-param 'number="12"' 'dropped 203.0.113.7:51515 to 10.20.30.10:502'
say fw-1 -n 10.20.30.10 -d --rfc5424=notq --id=77 -p daemon.emerg -t power 'supply B failed'
say hmi-1 -n 10.20.30.10 -T -P 514 --rfc3164 -p user.info -t screen 'operator opened page 3'
say hmi-1 -n 10.20.30.10 -T -P 514 --octet-count --rfc5424=notq --id=90 -p local7.crit -t screen --msgid ALARM 'pump 2 stopped'
say hmi-1 -n 10.20.30.11 -d --rfc3164 -p local7.debug -t screen[90] 'a message that goes by the relay'
printf 'a line without a priority\n' | on cli nc -u -w1 10.20.30.10 514 || true
printf '<13>Mar  1 12:00:00 printer-3 lpd[5]: queue is empty\n<190>Mar  1 12:00:01 printer-3 lpd[5]: two in one segment\n' | on cli nc -N -w1 10.20.30.10 514 || true
record_stop
cp "$T/all.pcap" "$OUT/syslog.pcap"
