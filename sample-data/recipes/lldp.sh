#!/bin/bash
# lldp.pcap: lldpd as a plant switch, as a second switch and as a PLC with
# media (LLDP-MED) endpoint information. One of them goes away with a
# shutdown message. Recorded on the bridge between them, which is told to
# pass LLDP on.
. "$(dirname "$0")/common.sh"
need lldpd lldpcli unshare

ns sw
bridge sw br0
ip netns exec sd-sw sh -c 'echo 0x4000 >/sys/class/net/br0/bridge/group_fwd_mask'
for n in s1 s2 plc; do ns $n; done
port sw br0 s1 ge-0-1 02:00:00:00:cc:01 192.168.50.2/24
port sw br0 s2 ge-0-24 02:00:00:00:cc:02 192.168.50.3/24
port sw br0 plc eth0 02:00:00:00:cc:10 192.168.50.10/24

# station NAME HOSTNAME DESCRIPTION PORT PORT-DESCRIPTION [options]
station() {
    local n=$1 host=$2 desc=$3 port=$4 portdesc=$5
    shift 5
    cat >"$T/$n.conf" <<C
configure lldp tx-interval 2
configure lldp tx-hold 4
configure system hostname $host
configure system description "$desc"
configure system ip management pattern 192.168.50.*
configure ports $port lldp portidsubtype local $port description "$portdesc"
C
    cat "$T/$n.extra" >>"$T/$n.conf" 2>/dev/null || true
    chmod 644 "$T/$n.conf"
    bg "$n" unshare -u sh -c "hostname $host; mount -t tmpfs tmpfs /run; mkdir -p /run/lldpd; exec lldpd -d -O $T/$n.conf -I $port $*"
}
cat >"$T/s1.extra" <<'C'
configure system capabilities enabled bridge
configure lldp custom-tlv oui 02,00,5e subtype 1 oui-info 70,6c,61,6e,74
C
cat >"$T/s2.extra" <<'C'
configure system capabilities enabled bridge,router
C
cat >"$T/plc.extra" <<'C'
configure system capabilities enabled station
configure inventory software-revision 2.8.1
configure inventory manufacturer Plant-Example-Works
configure inventory model PX-200
configure inventory serial-number 000042
configure med location elin 1234567890
configure med policy application voice-signaling vlan 50 priority voice dscp 46
C
record sw br0 "$T/lldp.pcap" 'ether proto 0x88cc'
station s1 sw-plant-1 'Plant switch, 24 ports, release 3.2' ge-0-1 'to PLC 1'
station s2 sw-plant-2 'Plant switch, 24 ports, release 3.1' ge-0-24 'uplink to sw-plant-1'
station plc plc1 'PLC line 1, firmware 2.8' eth0 'plant network' -M 1
PLC=$BG_PID
sleep 7
kill "$PLC"                                    # time to live 0: gone
record_stop 3
[ -n "${DEBUG:-}" ] && cat "$T"/*.log
cp "$T/lldp.pcap" "$OUT/lldp.pcap"
