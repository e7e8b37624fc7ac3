#!/bin/bash
# ptp.pcap: linuxptp: a clock and its follower over Ethernet in domain 0, a
# better clock that takes over, with delays end to end; then over UDP in
# domain 24 with delays between peers; questions and a refused setting by pmc.
. "$(dirname "$0")/common.sh"
need ptp4l pmc

for n in sw gm old fol; do ns $n; done
bridge sw br0
port sw br0 gm eth0 02:00:00:00:58:01 192.168.50.111/24
port sw br0 old eth0 02:00:00:00:58:02 192.168.50.112/24
port sw br0 fol eth0 02:00:00:00:58:03 192.168.50.113/24
record sw br0 "$T/ptp.pcap" 'ether proto 0x88f7 or udp port 319 or udp port 320'

# ptp NAME PRIORITY OPTION... : one clock with sockets of its own
clocks=()
ptp() {
    local n=$1 priority=$2
    shift 2
    cat >"$T/$n.conf" <<C
[global]
time_stamping software
free_running 1
priority1 $priority
uds_address $T/$n.sock
logAnnounceInterval 0
logSyncInterval 0
logMinDelayReqInterval 0
logMinPdelayReqInterval 0
announceReceiptTimeout 3
$(printf '%s\n' "$@")
[eth0]
C
    bg "$n" ptp4l -f "$T/$n.conf"
    clocks+=("$BG_PID")
}
stop() { kill "${clocks[@]}" || true; wait "${clocks[@]}" 2>/dev/null || true; clocks=(); }

ptp old 120 'network_transport L2'
ptp fol 200 'network_transport L2' 'slaveOnly 1'
sleep 9
# a better clock takes over
ptp gm 100 'network_transport L2' 'clockClass 6' 'clockAccuracy 0x21'
sleep 6
on old pmc -2 -i eth0 -b 1 'GET DEFAULT_DATA_SET' 'GET PARENT_DATA_SET' 'SET PRIORITY1 90' >/dev/null
stop
# the same over UDP, with delays between peers, in another domain
udp=('network_transport UDPv4' 'delay_mechanism P2P' 'domainNumber 24' 'twoStepFlag 1')
ptp gm 100 "${udp[@]}"
ptp fol 200 "${udp[@]}" 'slaveOnly 1'
sleep 8
on old pmc -4 -i eth0 -b 1 -d 24 'GET TIME_STATUS_NP' 'GET CURRENT_DATA_SET' >/dev/null
stop
record_stop
cp "$T/ptp.pcap" "$OUT/ptp.pcap"
