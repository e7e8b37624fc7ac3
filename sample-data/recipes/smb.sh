#!/bin/bash
# smb.pcap: Samba and its clients: SMB 1, 2.0.2, 3.1.1 in clear, signed and
# encrypted; files put, got, renamed, deleted; a refused login, a refused
# share, an open share, a list of shares; NetBIOS names and sessions.
. "$(dirname "$0")/common.sh"
need smbd nmbd smbclient smbpasswd nmblookup

ns srv
ns cli
wire srv eth0 cli eth0
ip -n sd-srv link set eth0 address 02:00:00:00:d0:01
ip -n sd-cli link set eth0 address 02:00:00:00:d0:50
ip -n sd-srv addr add 10.20.30.10/24 broadcast 10.20.30.255 dev eth0
ip -n sd-cli addr add 10.20.30.50/24 broadcast 10.20.30.255 dev eth0

mkdir -p "$T/s/private" "$T/s/lock" "$T/s/state" "$T/s/cache" "$T/s/pid" "$T/s/rpc" "$T/plans" "$T/open"
chmod 777 "$T/plans" "$T/open"
cat >"$T/smb.conf" <<C
[global]
    workgroup = PLANT
    netbios name = FILES
    server string = Plant file server
    interfaces = 10.20.30.10/24
    bind interfaces only = yes
    private dir = $T/s/private
    lock directory = $T/s/lock
    state directory = $T/s/state
    cache directory = $T/s/cache
    pid directory = $T/s/pid
    ncalrpc dir = $T/s/rpc
    log file = $T/s/log
    server min protocol = NT1
    client min protocol = NT1
    map to guest = Bad User
    guest account = nobody
    load printers = no
    disable spoolss = yes
    local master = yes
    os level = 40
[plans]
    path = $T/plans
    read only = no
    force user = root
[open]
    path = $T/open
    guest ok = yes
C
cat >"$T/cli.conf" <<C
[global]
    workgroup = PLANT
    netbios name = PC7
    client min protocol = NT1
    name resolve order = bcast host
    private dir = $T/s/private
    lock directory = $T/s/lock
    state directory = $T/s/state
    cache directory = $T/s/cache
C
# The account is that of a Unix user who is always there; its password is made for the recording.
printf 'line-one\nline-one\n' | smbpasswd -c "$T/smb.conf" -s -a games >/dev/null
for i in $(seq 400); do echo "step $i: valve $((i * 7 % 40)) to $((i % 100)) percent"; done >"$T/plan.txt"
head -c 3000 /dev/zero >"$T/empty.bin"
echo 'all may read this' >"$T/open/notice.txt"

record cli eth0 "$T/smb.pcap" 'port 137 or port 138 or port 139 or port 445'
bg srv nmbd -F -s "$T/smb.conf"
bg srv smbd -F -s "$T/smb.conf"
wait_tcp srv 445
wait_tcp srv 139
sleep 2

# client OPTIONS... : an answer that refuses is as good as one that does not
client() { on cli smbclient -s "$T/cli.conf" "$@" >>"$T/cli.log" 2>&1 || true; sleep 0.2; }
on cli nmblookup -s "$T/cli.conf" -B 10.20.30.255 FILES >/dev/null || true
on cli nmblookup -s "$T/cli.conf" -B 10.20.30.255 WPAD >/dev/null || true
on cli nmblookup -s "$T/cli.conf" -A 10.20.30.10 >/dev/null || true
cd "$T"
client //10.20.30.10/plans -U games%line-one -m SMB3 -c 'put plan.txt; rename plan.txt plan-2.txt; get plan-2.txt got.txt; ls; del plan-2.txt'
client //10.20.30.10/plans -U games%line-one -m SMB3 --client-protection=encrypt -c 'put plan.txt secret.txt'
client //10.20.30.10/plans -U games%line-one -m SMB2_02 -c 'put empty.bin; get empty.bin again.bin'
client //FILES/plans -I 10.20.30.10 -U games%line-one -m NT1 -p 139 -c 'put plan.txt old.txt; get old.txt older.txt; del old.txt'
client //10.20.30.10/open -U nobody-known%x -m SMB3 -c 'get notice.txt'
client //10.20.30.10/plans -U games%wrong -m SMB3 -c ls
client //10.20.30.10/vault -U games%line-one -m SMB3 -c ls
client -L 10.20.30.10 -U games%line-one -m SMB3
record_stop
cp "$T/smb.pcap" "$OUT/smb.pcap"
