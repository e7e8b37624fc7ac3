#!/bin/bash
# Run every recipe, then write facts.json. As root, on Debian 12:
#
#   apt-get install --no-install-recommends bind9 bind9-dnsutils dnsmasq-base \
#       isc-dhcp-client udhcpc chrony ntpsec-ntpdate nginx-light curl openssl \
#       iputils-ping iputils-arping traceroute ndisc6 radvd nftables ethtool \
#       lldpd openvswitch-switch openssh-server openssh-client tcpdump tshark \
#       netcat-openbsd python3-venv slapd ldap-utils libsasl2-modules-gssapi-mit \
#       krb5-kdc krb5-admin-server krb5-user squid samba smbclient \
#       dovecot-imapd dovecot-pop3d dovecot-lmtpd python3-aiosmtpd rpcbind \
#       nfs-ganesha nfs-ganesha-vfs libnfs-utils mosquitto mosquitto-clients \
#       linuxptp snmpd snmp snmptrapd rsyslog minidlna inetutils-telnetd \
#       inetutils-telnet openbsd-inetd tigervnc-standalone-server \
#       tigervnc-viewer tigervnc-tools xvfb xrdp rdesktop freerdp2-x11 lftp \
#       nghttp2-server nghttp2-proxy nghttp2-client unbound knot-dnsutils frr \
#       keepalived wireguard-go wireguard-tools strongswan strongswan-swanctl \
#       libcharon-extra-plugins libstrongswan-standard-plugins openvpn xl2tpd \
#       pptpd pptp-linux samba-ad-provision samba-dsdb-modules \
#       samba-vfs-modules python3-samba
#
# Python packages are installed into a temporary environment: pymodbus 3.8.6,
# unless PYMODBUS_PYTHON names a Python that has it; for the other industrial
# protocols and SSH, unless VENV_PYTHON names one that has these:
#
#   aiocoap==0.4.17 asyncssh==2.21.0 asyncua==2.1.0 bacpypes3==0.0.110 c104==2.2.1 cpppo==5.2.5 pycomm3==1.2.16
#   pyiec61850-ng==1.6.1.10 python-snap7==3.3.0 yadnp3==3.2.1.4
#
# and SNAP7_PYTHON one with python-snap7==2.0.2. domain, ftp, quic,
# synchrophasor and vnc name their packages themselves.
set -eu
cd "$(dirname "$0")"
for r in ${*:-arp bacnet decrypt dhcp dnp3 dns domain encrypted_dns enip ftp http http2 icmp iec104 iec61850 lldp logins mail modbus mqtt_coap nfs ntp opcua plant ptp quic rdp routing s7 smb snmp ssdp ssh switches synchrophasor syslog tcp telnet tls udp vlan vnc vpn}; do
    echo "== $r"
    bash "$r.sh"
done
for r in devices ethernet eve goose industrial texts windows winrm wlan; do
    python3 $r.py
done
python3 facts.py
