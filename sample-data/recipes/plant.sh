#!/bin/bash
# plant.pcapng: a minute in a small plant, recorded on two switches at once
# (interface "office" and interface "plant").
#
#   office 10.20.30.0/24                 plant 192.168.50.0/24
#     pc     by DHCP      --+              +-- plc1    .10  Modbus device
#     infra  .2 DHCP,DNS,NTP+---- gw ------+-- jump    .20  jump host (SSH)
#     web    .10 HTTP, HTTPS+  .1     .1   +-- hmi     .30  operator panel
#                                          +-- switch  .2   speaks LLDP
#
# The panel polls the controller every second. In the office a PC gets an
# address, resolves names, asks for the time and reads web pages. Then its
# user logs in to the jump host, which never spoke Modbus before: it reads
# the identification of the controller, writes register 0 from 1500 to 2900
# and switches coil 1 on. The panel shows the new values from then on.
. "$(dirname "$0")/common.sh"
need dnsmasq dhclient chronyd ntpdig nginx curl openssl sshd ssh ssh-keygen lldpd dumpcap editcap reordercap unshare python3
modbus_python

for n in sw gw pc infra web plc jump hmi ls; do ns $n; done
bridge sw office
bridge sw plant
ip netns exec sd-sw sh -c 'echo 0x4000 >/sys/class/net/plant/bridge/group_fwd_mask'
ip -n sd-sw link add p-gw0 type veth peer name eth0 netns sd-gw
ip -n sd-sw link add p-gw1 type veth peer name eth1 netns sd-gw
for i in 0 1; do
    ip -n sd-gw link set eth$i address 02:00:00:00:50:f$i
    plain sw p-gw$i; plain gw eth$i
    ip -n sd-sw link set p-gw$i up; ip -n sd-gw link set eth$i up
done
ip -n sd-sw link set p-gw0 master office
ip -n sd-sw link set p-gw1 master plant
ip -n sd-gw addr add 10.20.30.1/24 dev eth0
ip -n sd-gw addr add 192.168.50.1/24 dev eth1
on gw sysctl -qw net.ipv4.ip_forward=1
port sw office pc eth0 02:00:00:00:50:64
port sw office infra eth0 02:00:00:00:50:02 10.20.30.2/24
port sw office web eth0 02:00:00:00:50:0a 10.20.30.10/24
port sw plant plc eth0 02:00:00:00:50:10 192.168.50.10/24
port sw plant jump eth0 02:00:00:00:50:20 192.168.50.20/24
port sw plant hmi eth0 02:00:00:00:50:30 192.168.50.30/24
port sw plant ls ge-0-1 02:00:00:00:50:52 192.168.50.2/24
for n in infra web; do ip -n sd-$n route add default via 10.20.30.1; done
for n in plc jump hmi; do ip -n sd-$n route add default via 192.168.50.1; done

# --- certificates ---
cd "$T"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout ca.key -out ca.pem \
    -subj '/O=Plant Example/CN=Plant Example CA' 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -out web.csr \
    -subj '/O=Plant Example/CN=intranet.plant.example' 2>/dev/null
printf 'subjectAltName=DNS:intranet.plant.example,DNS:files.plant.example\nextendedKeyUsage=serverAuth\n' >web.ext
openssl x509 -req -in web.csr -CA ca.pem -CAkey ca.key -set_serial 0x50001 -days 1825 -extfile web.ext -out web.pem 2>/dev/null
cat ca.pem >>web.pem
ssh-keygen -q -t ed25519 -N '' -C host -f host.key
ssh-keygen -q -t ed25519 -N '' -C user -f user.key
cd - >/dev/null

# --- servers ---
mkdir -p "$T/www" "$T/tmp" /run/sshd
echo '<html><head><title>Plant intranet</title></head><body><h1>Plant intranet</h1><p><a href="/shifts.txt">shifts</a></p></body></html>' >"$T/www/index.html"
for i in $(seq 60); do echo "shift $i: $((i * 7 % 1000)) parts, $((i % 9)) rejects"; done >"$T/www/shifts.txt"
cat >"$T/nginx.conf" <<C
user root; worker_processes 1; daemon off; pid $T/nginx.pid; error_log $T/error.log;
events { worker_connections 64; }
http {
    types { text/html html; text/plain txt; }
    access_log off; server_tokens off; root $T/www;
    client_body_temp_path $T/tmp; proxy_temp_path $T/tmp/p; fastcgi_temp_path $T/tmp/f;
    uwsgi_temp_path $T/tmp/u; scgi_temp_path $T/tmp/s;
    server { listen 10.20.30.10:80; location = /start { return 302 /index.html; } }
    server { listen 10.20.30.10:443 ssl http2; ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $T/web.pem; ssl_certificate_key $T/web.key; }
}
C
bg web nginx -c "$T/nginx.conf"
bg infra dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --no-ping \
    --interface=eth0 --bind-interfaces --dhcp-leasefile="$T/leases" --dhcp-authoritative \
    --dhcp-range=10.20.30.100,10.20.30.150,255.255.255.0,2h --domain=plant.example --local=/plant.example/ \
    --dhcp-option=option:router,10.20.30.1 --dhcp-option=option:ntp-server,10.20.30.2 \
    --dhcp-host=02:00:00:00:50:64,10.20.30.100 \
    --host-record=intranet.plant.example,files.plant.example,10.20.30.10 \
    --host-record=time.plant.example,10.20.30.2 --host-record=jump.plant.example,192.168.50.20 \
    --host-record=plc1.plant.example,192.168.50.10 --host-record=hmi.plant.example,192.168.50.30 \
    --cname=www.plant.example,intranet.plant.example
printf 'cmdport 0\npidfile %s/chrony.pid\nbindcmdaddress /\nlocal stratum 2\nallow all\n' "$T" >"$T/chrony.conf"
bg infra chronyd -u root -x -d -f "$T/chrony.conf"
cat >"$T/sshd.conf" <<C
ListenAddress 192.168.50.20
HostKey $T/host.key
PidFile $T/sshd.pid
AuthorizedKeysFile $T/user.key.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PrintMotd no
VersionAddendum none
DebianBanner no
C
bg jump "$(command -v sshd)" -D -e -f "$T/sshd.conf"
bg plc "$PY" "$RECIPES/modbus_server.py" 192.168.50.10
cat >"$T/lldp.conf" <<C
configure lldp tx-interval 15
configure system hostname sw-plant-1
configure system description "Plant switch, 24 ports, release 3.2"
configure system ip management pattern 192.168.50.*
configure system capabilities enabled bridge
configure ports ge-0-1 lldp portidsubtype local ge-0-1 description "to PLC 1"
C
chmod 644 "$T/lldp.conf"
wait_tcp web 443; wait_udp infra 53; wait_udp infra 123; wait_tcp jump 22; wait_tcp plc 502
printf 'nameserver 10.20.30.2\nsearch plant.example\n' >"$T/resolv.conf"
# with the office name server instead of the machine's own
named() {
    local n=$1
    shift
    on "$n" sh -c 'mount --bind "$0" /etc/resolv.conf; exec "$@"' "$T/resolv.conf" "$@"
}
cat >"$T/apply" <<'S'
#!/bin/sh
case "$reason" in
BOUND|RENEW) ip addr replace "$new_ip_address/24" dev "$interface"; ip route replace default via "$new_routers" ;;
esac
S
chmod +x "$T/apply"
printf 'send host-name "office-pc";\nrequest subnet-mask, routers, domain-name, domain-name-servers, ntp-servers;\n' >"$T/dhclient.conf"

# --- record ---
# what passes the router is recorded once, on the office side
ip netns exec sd-sw dumpcap -q -i office -i plant -f 'not net 10.20.30.0/24' -w "$T/raw.pcapng" >/dev/null 2>"$T/dumpcap.log" &
REC_PID=$!
SD_PIDS+=("$REC_PID")
sleep 2
bg hmi "$PY" "$RECIPES/plant_hmi.py" 192.168.50.10 90
bg ls unshare -u sh -c "hostname sw-plant-1; mount -t tmpfs tmpfs /run; mkdir -p /run/lldpd; exec lldpd -d -O $T/lldp.conf -I ge-0-1"
sleep 3
on pc dhclient -4 -1 -cf "$T/dhclient.conf" -lf "$T/dhclient.leases" -pf "$T/dhclient.pid" -sf "$T/apply" eth0 >>"$T/pc.log" 2>&1
SD_PIDS+=("$(cat "$T/dhclient.pid")")
sleep 2
named pc ntpdig -t 2 time.plant.example >>"$T/pc.log" 2>&1
named jump ntpdig -t 2 time.plant.example >>"$T/pc.log" 2>&1
sleep 2
web() { named pc curl -4 -sS -o /dev/null -A 'plant-sample/1.0' --cacert "$T/ca.pem" "$@" >>"$T/pc.log" 2>&1 || true; }
web -L http://intranet.plant.example/start
web http://www.plant.example/shifts.txt
web http://www.plant.example/menu.html
sleep 3
web https://intranet.plant.example/
web --http1.1 --tls-max 1.2 https://files.plant.example/shifts.txt
web http://nosuch.plant.example/
sleep 12
named pc ssh -4 -q -F none -i "$T/user.key" -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no \
    -o GSSAPIAuthentication=no root@jump.plant.example "sleep 2; $PY $RECIPES/plant_jump.py 192.168.50.10"
sleep 4
web http://intranet.plant.example/
sleep 24
record_stop 2
[ -n "${DEBUG:-}" ] && cat "$T"/*.log

reordercap "$T/raw.pcapng" "$T/sorted.pcapng" >/dev/null
write() { tshark -r "$T/sorted.pcapng" -Y "$1" -T fields -e frame.number 2>/dev/null | head -1; }
reg=$(write 'modbus.func_code == 6 && ip.src == 192.168.50.20')
coil=$(write 'modbus.func_code == 5 && ip.src == 192.168.50.20')
editcap -a "$reg:the jump host writes the setpoint: register 0 from 1500 to 2900" \
    -a "$coil:the jump host switches coil 1 on" "$T/sorted.pcapng" "$T/plant.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/plant.pcapng" "$OUT/plant.pcapng" \
    --comment 'A minute in a small plant: office and plant network' \
    --describe office='office switch, mirror port' --describe plant='plant switch, mirror port'
