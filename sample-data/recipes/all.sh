#!/bin/bash
# Run every recipe, then write facts.json. As root, on Debian 12:
#
#   apt-get install --no-install-recommends bind9 bind9-dnsutils dnsmasq-base \
#       isc-dhcp-client udhcpc chrony ntpsec-ntpdate nginx-light curl openssl \
#       iputils-ping iputils-arping traceroute ndisc6 radvd nftables ethtool \
#       lldpd openvswitch-switch openssh-server openssh-client tcpdump tshark \
#       netcat-openbsd python3-venv slapd ldap-utils libsasl2-modules-gssapi-mit \
#       krb5-kdc krb5-admin-server krb5-user squid samba smbclient \
#       dovecot-imapd dovecot-pop3d dovecot-lmtpd python3-aiosmtpd \
#       rpcbind nfs-ganesha nfs-ganesha-vfs libnfs-utils
#
# pymodbus 3.8.6 is installed into a temporary environment, unless
# PYMODBUS_PYTHON names a Python that has it; so is nfs-rs 0.8.7 (NFS_PYTHON).
set -eu
cd "$(dirname "$0")"
for r in ${*:-arp dhcp dns http icmp lldp logins mail modbus nfs ntp plant smb tcp tls udp vlan}; do
    echo "== $r"
    bash "$r.sh"
done
python3 goose.py
python3 industrial.py
python3 facts.py
