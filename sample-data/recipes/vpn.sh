#!/bin/bash
# vpn.pcap: WireGuard; IKEv2 with a shared key and with a wrong one, and ESP in
# UDP; OpenVPN with TLS over UDP and TCP and with a static key; L2TP and PPTP
# with logins by PPP; VXLAN with pings inside. Where the kernel has no such tunnel, the programs'
# own implementations carry the data (wireguard-go, libipsec), and
# recipes/ppp_talk.py speaks PPP.
. "$(dirname "$0")/common.sh"
need ping wireguard-go wg /usr/lib/ipsec/charon swanctl openvpn xl2tpd pptpd pptp openssl

pair srv 10.20.30.10/24 cli 10.20.30.50/24
umask 077
cd "$T"
record cli eth0 "$T/all.pcap" 'not arp'
dev() { # namespaces share no devices, only the names of sockets in /var/run: each side gets its own
    bg_host "$1" "gw-$1" unshare --mount sh -c 'mount -t tmpfs tmpfs /var/run; exec "$@"' sh "${@:2}"
}

# WireGuard: a wrong key first, then the right one, and pings.
mkdir -p "$T/run"
for h in srv cli; do wg genkey >"$T/$h.key"; wg pubkey <"$T/$h.key" >"$T/$h.pub"; done
wg genkey >"$T/other.key"
for h in srv cli; do
    bg_host $h gw-$h env LOG_LEVEL=error WG_PROCESS_FOREGROUND=1 wireguard-go -f wg-$h
    sleep 0.7
done
on srv wg set wg-srv listen-port 51820 private-key "$T/srv.key" peer "$(cat "$T/cli.pub")" allowed-ips 10.20.50.50/32
on cli wg set wg-cli private-key "$T/other.key" peer "$(cat "$T/srv.pub")" allowed-ips 10.20.50.10/32 endpoint 10.20.30.10:51820
ip -n sd-srv addr add 10.20.50.10/24 dev wg-srv; ip -n sd-srv link set wg-srv up
ip -n sd-cli addr add 10.20.50.50/24 dev wg-cli; ip -n sd-cli link set wg-cli up
on cli ping -q -c 1 -W 1 10.20.50.10 >/dev/null || true
on cli wg set wg-cli private-key "$T/cli.key"
sleep 5
on cli ping -q -c 3 -i 0.3 10.20.50.10 >/dev/null || true
ip -n sd-srv link del wg-srv; ip -n sd-cli link del wg-cli

# IKEv2.
for h in srv cli; do
    mkdir -p "$T/$h/swanctl" "$T/$h/run"
    cat >"$T/$h/strongswan.conf" <<C
charon {
  load = random nonce aes sha1 sha2 hmac gmp curve25519 openssl pem pkcs1 pubkey x509 kdf kernel-libipsec kernel-netlink socket-default vici updown
  port = 500
  port_nat_t = 4500
  install_routes = yes
  plugins { vici { socket = unix://$T/$h/vici } }
  filelog { stderr { default = 1 } }
}
C
    bg_host $h gw-$h unshare --mount sh -c 'mount -t tmpfs tmpfs /var/run; export STRONGSWAN_CONF="$1"; exec /usr/lib/ipsec/charon' sh "$T/$h/strongswan.conf"
done
peer() { # HOST LOCAL REMOTE LOCAL-NET REMOTE-NET SECRET
    cat >"$T/$1/swanctl/swanctl.conf" <<C
connections { plant { version = 2; local_addrs = $2; remote_addrs = $3; encap = yes; proposals = aes256-sha256-modp2048
  local { auth = psk; id = gw-$1@plant.example }
  remote { auth = psk }
  children { net { local_ts = $4; remote_ts = $5; esp_proposals = aes128gcm16 } } } }
secrets { ike-1 { secret = "$6" } }
C
    sed -i 's/; /\n/g; s/ { /{\n/g; s/ }/\n}/g' "$T/$1/swanctl/swanctl.conf"
    on $1 env STRONGSWAN_CONF="$T/$1/strongswan.conf" SWANCTL_DIR="$T/$1/swanctl" swanctl --load-all --uri "unix://$T/$1/vici" >>"$T/$1.log" 2>&1
}
for i in $(seq 50); do [ -S "$T/cli/vici" ] && [ -S "$T/srv/vici" ] && break; sleep 0.1; done
ip -n sd-srv addr add 10.20.60.10/32 dev lo
ip -n sd-cli addr add 10.20.60.50/32 dev lo
peer srv 10.20.30.10 10.20.30.50 10.20.60.10/32 10.20.60.50/32 line-one
ike() { on cli swanctl "$@" --uri "unix://$T/cli/vici" >>"$T/cli.log" 2>&1 || true; }
peer cli 10.20.30.50 10.20.30.10 10.20.60.50/32 10.20.60.10/32 guess
ike --initiate --child net --timeout 5
peer cli 10.20.30.50 10.20.30.10 10.20.60.50/32 10.20.60.10/32 line-one
ike --initiate --child net --timeout 5
on cli ping -q -c 3 -i 0.3 -I 10.20.60.50 10.20.60.10 >/dev/null || true
ike --terminate --ike plant
sleep 0.5

# OpenVPN.
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj '/CN=Plant VPN CA' -days 3650 2>/dev/null
for h in vpn.plant.example laptop-7; do
    openssl req -newkey rsa:2048 -nodes -keyout $h.key.pem -out $h.csr -subj "/CN=$h" 2>/dev/null
    openssl x509 -req -in $h.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out $h.pem 2>/dev/null
done
openvpn --genkey secret static.key
ovpn() { bg_host "$1" "gw-$1" openvpn --dev "$2" --dev-type tun --verb 1 "${@:3}"; LAST=$BG_PID; }
own='--ca ca.pem --dh none --cipher AES-256-GCM --data-ciphers AES-256-GCM'
ends='--ifconfig 10.20.70.10 10.20.70.50'
ovpn srv tun1 --local 10.20.30.10 --port 1194 --proto udp --tls-server $own --cert vpn.plant.example.pem --key vpn.plant.example.key.pem --tls-auth static.key 0 $ends
A=$LAST
ovpn cli tun1 --remote 10.20.30.10 1194 --proto udp --nobind --tls-client --ca ca.pem --cert laptop-7.pem --key laptop-7.key.pem --tls-auth static.key 1 --data-ciphers AES-256-GCM --ifconfig 10.20.70.50 10.20.70.10
B=$LAST
sleep 3
on cli ping -q -c 3 -i 0.3 10.20.70.10 >/dev/null || true
kill $A $B || true
sleep 0.5
ovpn srv tun2 --local 10.20.30.10 --port 1195 --proto tcp-server --tls-server $own --cert vpn.plant.example.pem --key vpn.plant.example.key.pem $ends
A=$LAST
wait_tcp srv 1195
ovpn cli tun2 --remote 10.20.30.10 1195 --proto tcp-client --nobind --tls-client --ca ca.pem --cert laptop-7.pem --key laptop-7.key.pem --data-ciphers AES-256-GCM --ifconfig 10.20.70.50 10.20.70.10
B=$LAST
sleep 3
on cli ping -q -c 3 -i 0.3 10.20.70.10 >/dev/null || true
kill $A $B || true
sleep 0.5
ovpn srv tun3 --local 10.20.30.10 --remote 10.20.30.50 --port 1196 --secret static.key --cipher AES-256-CBC $ends
A=$LAST
ovpn cli tun3 --remote 10.20.30.10 --port 1196 --secret static.key --cipher AES-256-CBC --ifconfig 10.20.70.50 10.20.70.10
B=$LAST
sleep 1.5
on cli ping -q -c 3 -i 0.3 10.20.70.10 >/dev/null || true
kill $A $B || true
sleep 0.5

# L2TP: each side starts what it takes for pppd.
for h in srv cli; do
    role='server pap lns-1'
    [ $h = cli ] && role='client operator line-two pap'
    printf '#!/bin/sh\nexec python3 %s/ppp_talk.py %s -- "$@"\n' "$RECIPES" "$role" >"$T/$h.ppp"
    chmod 755 "$T/$h.ppp"
done
printf '[global]\nport = 1701\n[lns default]\nip range = 10.20.80.2-10.20.80.9\nlocal ip = 10.20.80.1\nhostname = lns-1\npppoptfile = /dev/null\n' >srv.l2tp
printf '[global]\nport = 1701\n[lac plant]\nlns = 10.20.30.10\nhostname = lac-7\npppoptfile = /dev/null\nautodial = yes\n' >cli.l2tp
for h in srv cli; do
    bg_host $h gw-$h unshare --mount sh -c 'mount --bind "$1" /usr/sbin/pppd; exec xl2tpd -D -c "$2" -p "$3" -C "$4" -s /dev/null' sh "$T/$h.ppp" "$T/$h.l2tp" "$T/$h.l2pid" "$T/$h.l2ctl"
    sleep 1
done
L2=$BG_PID
sleep 5
kill $L2 || true
sleep 1

# PPTP.
printf '#!/bin/sh\nexec python3 %s/ppp_talk.py server chap pac-1 -- "$@"\n' "$RECIPES" >pptp.ppp
chmod 755 pptp.ppp
printf 'ppp %s\noption /dev/null\nlisten 10.20.30.10\nlocalip 10.20.90.1\nremoteip 10.20.90.2-9\nnoipparam\n' "$T/pptp.ppp" >pptpd.conf
bg_host srv gw-srv pptpd -f -c "$T/pptpd.conf" -p "$T/pptpd.pid"
wait_tcp srv 1723
printf '#!/bin/sh\nexec python3 %s/ppp_talk.py client operator line-two\n' "$RECIPES" >pptp.cli
chmod 755 pptp.cli
cat >both.py <<'P'
import os, pty, subprocess, sys
a, b = pty.openpty()
import tty
tty.setraw(a); tty.setraw(b)
line = subprocess.Popen(["pptp", "10.20.30.10", "--nolaunchpppd"], stdin=b, stdout=b)
talk = subprocess.Popen([sys.argv[1]], stdin=a, stdout=a)
talk.wait()
line.terminate()
line.wait()
P
on_host cli gw-cli unshare --mount sh -c 'mount -t tmpfs tmpfs /var/run; exec timeout 10 python3 both.py "$1"' sh "$T/pptp.cli" >>"$T/cli.log" 2>&1 || true

# VXLAN.
for h in srv cli; do
    n=10; o=50; [ $h = cli ] && n=50 o=10
    ip -n sd-$h link add vx7 type vxlan id 7007 remote 10.20.30.$o local 10.20.30.$n dstport 4789 dev eth0
    ip -n sd-$h link set vx7 address 02:00:00:00:07:$n
    ip -n sd-$h addr add 10.20.95.$n/24 dev vx7
    ip -n sd-$h link set vx7 up
done
on cli ping -q -c 2 -i 0.3 10.20.95.10 >/dev/null || true
record_stop
[ -n "${DEBUG:-}" ] && tail -n 200 "$T"/*.log || true
umask 022
cp "$T/all.pcap" "$OUT/vpn.pcap"
