#!/bin/bash
# snmp.pcap: a switch and who asks it: versions 1, 2c and 3 (without keys,
# signed, encrypted), values set and refused, a wrong community and a wrong
# password, traps of all versions and an inform.
. "$(dirname "$0")/common.sh"
need snmpd snmptrapd snmpget snmpwalk snmpset snmptrap snmpinform snmpbulkget

pair srv 192.168.50.40/24 cli 192.168.50.20/24

export SNMP_PERSISTENT_DIR=$T MIBS=
cat >"$T/snmpd.conf" <<C
agentaddress udp:192.168.50.40:161
engineID sw-plant-7
sysDescr Plant switch, 8 ports
sysName sw-plant-7.plant.example
sysContact operator@plant.example
sysLocation hall 7
view some included .1.3.6.1.2.1.1
view some included .1.3.6.1.2.1.2
rocommunity plant-read 192.168.50.0/24 -V some
rwcommunity plant-write 192.168.50.0/24 -V some
createUser watcher SHA line-one-signs AES line-one-hides
createUser signer MD5 line-two-signs
createUser passer
rouser watcher priv -V some
rouser signer auth -V some
rouser passer noauth -V some
C
cat >"$T/snmptrapd.conf" <<C
engineID hmi-plant
createUser -e 0x8000000001020304 teller SHA line-three-signs AES line-three-hides
disableAuthorization yes
C
mkdir -p "$T/agent" "$T/receiver"
record cli eth0 "$T/snmp.pcap" 'udp'
SNMP_PERSISTENT_DIR=$T/agent bg_host srv sw-plant-7 snmpd -f -C -c "$T/snmpd.conf" -Lf "$T/snmpd.log" -p "$T/snmpd.pid"
SNMP_PERSISTENT_DIR=$T/receiver bg_host cli hmi snmptrapd -f -C -c "$T/snmptrapd.conf" -Lf "$T/trapd.log" -p "$T/trapd.pid" udp:192.168.50.20:162
wait_udp srv 161
wait_udp cli 162

# ask COMMAND... : an answer that refuses is as good as one that does not
ask() { on cli "$@" >>"$T/cli.log" 2>&1 || true; sleep 0.1; }
S=1.3.6.1.2.1.1
ask snmpget -v1 -c plant-read 192.168.50.40 $S.1.0 $S.5.0
ask snmpget -v1 -c plant-read 192.168.50.40 1.3.6.1.2.1.99.0
ask snmpget -v1 -c public -r 1 -t 1 192.168.50.40 $S.1.0
ask snmpget -v2c -c plant-read 192.168.50.40 $S.6.0 1.3.6.1.2.1.99.0
ask snmpbulkget -v2c -c plant-read -Cn1 -Cr4 192.168.50.40 $S.3 1.3.6.1.2.1.2.2.1.2
ask snmpwalk -v2c -c plant-read 192.168.50.40 1.3.6.1.2.1.2.2.1.6
ask snmpset -v2c -c plant-read 192.168.50.40 $S.6.0 s 'hall 9'
ask snmpset -v2c -c plant-write 192.168.50.40 1.3.6.1.2.1.2.2.1.7.2 i 1
ask snmpset -v2c -c plant-write 192.168.50.40 $S.1.0 s 'something else'
ask snmpget -v3 -l noAuthNoPriv -u passer 192.168.50.40 $S.5.0
ask snmpget -v3 -l authNoPriv -u signer -a MD5 -A line-two-signs 192.168.50.40 $S.5.0
ask snmpget -v3 -l authPriv -u watcher -a SHA -A line-one-signs -x AES -X line-one-hides 192.168.50.40 $S.1.0 $S.6.0
ask snmpget -v3 -l authNoPriv -u signer -a MD5 -A not-the-password -r 0 -t 1 192.168.50.40 $S.5.0
ask snmpget -v3 -l noAuthNoPriv -u nobody -r 0 -t 1 192.168.50.40 $S.5.0

# tell COMMAND... : the switch reports
tell() { on_host srv sw-plant-7 "$@" >>"$T/srv.log" 2>&1 || true; sleep 0.1; }
tell snmptrap -v1 -c plant-trap 192.168.50.20 1.3.6.1.4.1.32473.7 192.168.50.40 0 0 4711
tell snmptrap -v1 -c plant-trap 192.168.50.20 1.3.6.1.4.1.32473.7 192.168.50.40 6 42 4811 1.3.6.1.4.1.32473.7.1 s 'door of hall 7 open'
tell snmptrap -v2c -c plant-trap 192.168.50.20 4911 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7
tell snmpinform -v2c -c plant-trap 192.168.50.20 5011 1.3.6.1.6.3.1.1.5.4 1.3.6.1.2.1.2.2.1.1.7 i 7
tell snmptrap -v3 -e 0x8000000001020304 -l authPriv -u teller -a SHA -A line-three-signs -x AES -X line-three-hides 192.168.50.20 5111 1.3.6.1.6.3.1.1.5.5
record_stop
cp "$T/snmp.pcap" "$OUT/snmp.pcap"
