#!/bin/bash
# dhcp.pcap: dnsmasq as the DHCP server, dhclient and udhcpc as clients:
# a first lease, a renewal, a reserved address, a refused address (NAK),
# releases, and a client nobody answers.
. "$(dirname "$0")/common.sh"
need dnsmasq dhclient udhcpc

ns sw
ns srv
ns pc
ns cam
bridge sw br0
port sw br0 srv eth0 02:00:00:00:67:01 10.20.30.2/24
port sw br0 pc eth0 02:00:00:00:67:50
port sw br0 cam eth0 02:00:00:00:67:60

cat >"$T/apply" <<'S'
#!/bin/sh
# lease script for dhclient and udhcpc: set the address, nothing else
case "${reason:-$1}" in
BOUND|RENEW|REBIND|REBOOT) ip addr replace "$new_ip_address/24" dev "$interface" ;;
bound|renew) ip addr replace "$ip/24" dev "$interface" ;;
RELEASE|EXPIRE|STOP|deconfig) ip addr flush dev "$interface" ;;
esac
exit 0
S
chmod +x "$T/apply"
cat >"$T/dhclient.conf" <<'C'
send host-name "office-pc";
send vendor-class-identifier "plant-pc";
request subnet-mask, routers, domain-name, domain-name-servers, ntp-servers, interface-mtu;
timeout 3;
C
record sw br0 "$T/dhcp.pcap" 'arp or port 67 or port 68'

# nobody answers yet
on cam udhcpc -i eth0 -n -q -f -t 2 -T 1 -s "$T/apply" -x hostname:camera-1 >>"$T/log" 2>&1 || true

bg srv dnsmasq --no-daemon --conf-file=/dev/null --port=0 --no-ping --log-dhcp \
    --interface=eth0 --bind-interfaces --dhcp-leasefile="$T/leases" --dhcp-authoritative \
    --dhcp-range=10.20.30.100,10.20.30.150,255.255.255.0,2m --domain=plant.example \
    --dhcp-option=option:router,10.20.30.1 --dhcp-option=option:dns-server,10.20.30.2 \
    --dhcp-option=option:ntp-server,10.20.30.3 --dhcp-option=option:mtu,1500 \
    --dhcp-host=02:00:00:00:67:60,10.20.30.60,camera-1
wait_udp srv 67

dh() { on pc dhclient -4 -1 -cf "$T/dhclient.conf" -lf "$T/dhclient.leases" -pf "$T/dhclient.pid" -sf "$T/apply" "$@" eth0 >>"$T/log" 2>&1; }
# first lease (discover, offer, request, ack), then the same address again
dh
kill "$(cat "$T/dhclient.pid")"; sleep 0.5
dh                                  # init-reboot: request and ack only
kill "$(cat "$T/dhclient.pid")"; sleep 0.5
# the lease file now names an address of another network: NAK, start again
sed -i 's/fixed-address 10\.20\.30\.[0-9]*/fixed-address 10.99.0.7/' "$T/dhclient.leases"
dh
dh -r                               # release

# a reserved address; the client renews once on SIGUSR1 and releases on SIGUSR2
bg cam udhcpc -i eth0 -f -t 3 -T 1 -s "$T/apply" -x hostname:camera-1 -V plant-cam
sleep 2
kill -USR1 "$BG_PID"; sleep 2
kill -USR2 "$BG_PID"; sleep 1
record_stop
cp "$T/dhcp.pcap" "$OUT/dhcp.pcap"
