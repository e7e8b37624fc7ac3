#!/bin/bash
# vlan.pcapng: Open vSwitch (in user space, no kernel module) as two access
# switches joined by an 802.1Q trunk, and two provider switches joined by a
# link where the customer's tags travel inside a service tag (QinQ).
# Recorded on both links: interface 0 is the trunk, interface 1 the provider.
#
#   a1 (vlan 10)  \                    / a2 (vlan 10)
#   v1 (vlan 20)  -- acc1 ==trunk== acc2 -- v2 (vlan 20, priority 5)
#   n1 (native)   /                    \ n2 (native)
#
#   c1 (tag 30 itself) -- prov1 ==provider== prov2 -- c2 (tag 30 itself)
#   c1 and c2 hang on customer switches that tag with 30; service tag 100.
. "$(dirname "$0")/common.sh"
need ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl ovs-ofctl dumpcap reordercap ping curl python3

ns sw
for h in a1 a2 v1 v2 n1 n2 c1 c2; do ns $h; done
plug() { # HOST MAC ADDR
    ip -n sd-sw link add "p-$1" type veth peer name eth0 netns "sd-$1"
    ip -n "sd-$1" link set eth0 address "$2"
    plain sw "p-$1"; plain "$1" eth0
    ip -n "sd-$1" addr add "$3" dev eth0
    ip -n "sd-$1" link set eth0 up; ip -n sd-sw link set "p-$1" up
}
plug a1 02:00:00:00:10:01 10.20.10.1/24; plug a2 02:00:00:00:10:02 10.20.10.2/24
plug v1 02:00:00:00:20:01 10.20.20.1/24; plug v2 02:00:00:00:20:02 10.20.20.2/24
plug n1 02:00:00:00:01:01 10.20.1.1/24;  plug n2 02:00:00:00:01:02 10.20.1.2/24
plug c1 02:00:00:00:30:01 10.20.33.1/24; plug c2 02:00:00:00:30:02 10.20.33.2/24
for l in trunk provider cust1 cust2; do
    ip -n sd-sw link add "$l" type veth peer name "$l-b"
    plain sw "$l"; plain sw "$l-b"
    ip -n sd-sw link set "$l" up; ip -n sd-sw link set "$l-b" up
done

export OVS_RUNDIR=$T/ovs OVS_LOGDIR=$T/ovs OVS_DBDIR=$T/ovs
mkdir -p "$T/ovs"
ovsdb-tool create "$T/ovs/conf.db" /usr/share/openvswitch/vswitch.ovsschema
bg sw ovsdb-server "$T/ovs/conf.db" --remote="punix:$T/ovs/db.sock"
sleep 0.5
V() { on sw ovs-vsctl --db="unix:$T/ovs/db.sock" "$@"; }
V --no-wait init
V --no-wait set Open_vSwitch . other_config:vlan-limit=2
bg sw ovs-vswitchd "unix:$T/ovs/db.sock" -vconsole:warn
V -t 10 add-br acc1 -- set bridge acc1 datapath_type=netdev \
  -- add-br acc2 -- set bridge acc2 datapath_type=netdev \
  -- add-br prov1 -- set bridge prov1 datapath_type=netdev \
  -- add-br prov2 -- set bridge prov2 datapath_type=netdev \
  -- add-br cu1 -- set bridge cu1 datapath_type=netdev \
  -- add-br cu2 -- set bridge cu2 datapath_type=netdev
V -t 10 add-port acc1 p-a1 tag=10 -- add-port acc1 p-v1 tag=20 -- add-port acc1 p-n1 tag=1 \
  -- add-port acc2 p-a2 tag=10 -- add-port acc2 p-v2 tag=20 -- add-port acc2 p-n2 tag=1 \
  -- add-port acc1 trunk vlan_mode=native-untagged tag=1 trunks=1,10,20 \
  -- add-port acc2 trunk-b vlan_mode=native-untagged tag=1 trunks=1,10,20
V -t 10 add-port cu1 p-c1 tag=30 -- add-port cu1 cust1 vlan_mode=trunk trunks=30 \
  -- add-port cu2 p-c2 tag=30 -- add-port cu2 cust2 vlan_mode=trunk trunks=30 \
  -- add-port prov1 cust1-b vlan_mode=dot1q-tunnel tag=100 other_config:qinq-ethtype=802.1ad \
  -- add-port prov2 cust2-b vlan_mode=dot1q-tunnel tag=100 other_config:qinq-ethtype=802.1ad \
  -- add-port prov1 provider vlan_mode=trunk trunks=100 \
  -- add-port prov2 provider-b vlan_mode=trunk trunks=100
# what v2 sends gets priority 5 on the trunk
on sw ovs-ofctl add-flow "unix:$T/ovs/acc2.mgmt" \
    'priority=100,in_port=p-v2,actions=mod_vlan_vid:20,mod_vlan_pcp:5,output:trunk-b'
sleep 1

ip netns exec sd-sw dumpcap -q -i trunk -i provider -f 'not ip6' -w "$T/vlan.pcapng" >/dev/null 2>"$T/dumpcap.log" &
REC_PID=$!
SD_PIDS+=("$REC_PID")
sleep 2
p() { on "$1" ping -q -c "$2" -i 0.3 -W 2 "$3" >/dev/null || true; }
p a1 3 10.20.10.2
p v1 3 10.20.20.2
p n1 2 10.20.1.2
p c1 3 10.20.33.2
# a small web page within vlan 10
echo 'vlan 10' >"$T/page.txt"
bg a2 python3 -m http.server -d "$T" -b 10.20.10.2 80
wait_tcp a2 80
on a1 curl -sS -o /dev/null http://10.20.10.2/page.txt
# vlan 20 cannot reach vlan 10: the request stays in vlan 20
ip -n sd-v1 addr add 10.20.10.9/24 dev eth0
p v1 1 10.20.10.2
record_stop
[ -n "${DEBUG:-}" ] && cat "$T/sw.log" "$T/dumpcap.log"
reordercap "$T/vlan.pcapng" "$T/sorted.pcapng" >/dev/null
python3 "$RECIPES/pcapng_tidy.py" "$T/sorted.pcapng" "$OUT/vlan.pcapng" \
    --comment 'VLAN sample: an 802.1Q trunk and a provider link' \
    --describe trunk='trunk between two access switches' \
    --describe provider='link between two provider switches (QinQ)'
