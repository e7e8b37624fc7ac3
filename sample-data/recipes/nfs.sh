#!/bin/bash
# nfs.pcap: NFS-Ganesha and its clients: portmap asked and listed, exports,
# mounts, versions 3, 4.0 and 4.1; files written, read, renamed, linked,
# removed; one who tries user after user; files of a TFTP server.
. "$(dirname "$0")/common.sh"
need rpcbind rpcinfo ganesha.nfsd nfs-cp nfs-cat nfs-ls dnsmasq curl

# nfs-rs speaks version 4.1 without the kernel.
PY=${NFS_PYTHON:-}
if [ -z "$PY" ]; then
    python3 -m venv "$T/venv"
    "$T/venv/bin/pip" -q install 'nfs-rs==0.8.7'
    PY=$T/venv/bin/python3
fi

ns sw
ns srv
ns cli
ns odd
bridge sw br0
port sw br0 srv eth0 02:00:00:00:e0:01 10.20.30.10/24
port sw br0 cli eth0 02:00:00:00:e0:50 10.20.30.50/24
port sw br0 odd eth0 02:00:00:00:e0:66 10.20.30.66/24

mkdir -p "$T/plans" "$T/recovery" "$T/boot" /run/rpcbind
chmod 755 "$T/plans"
echo 'only root may read this' >"$T/plans/wages.txt"
chmod 600 "$T/plans/wages.txt"
cat >"$T/ganesha.conf" <<C
NFS_CORE_PARAM { Enable_NLM = false; Enable_RQUOTA = false; Protocols = 3, 4; MNT_Port = 20048;
                 Mount_Path_Pseudo = true; }
NFSV4 { Graceless = true; Only_Numeric_Owners = true; UseGetpwnam = true; DomainName = "plant.example";
        RecoveryBackend = fs; RecoveryRoot = "$T/recovery"; }
EXPORT { Export_Id = 1; Path = $T/plans; Pseudo = /plans; Access_Type = RW; Squash = No_Root_Squash;
         SecType = sys; FSAL { Name = VFS; } }
LOG { Default_Log_Level = EVENT; }
C
for i in $(seq 400); do echo "step $i: valve $((i * 7 % 40)) to $((i % 100)) percent"; done >"$T/plan.txt"
echo 'valve 7 sticks' >"$T/note.txt"
cp "$T/plan.txt" "$T/boot/switch.cfg"
head -c 1024 "$T/plan.txt" >"$T/boot/two-blocks.cfg"

record srv eth0 "$T/nfs.pcap"
bg srv rpcbind -f -w
wait_tcp srv 111
bg srv ganesha.nfsd -F -f "$T/ganesha.conf" -L "$T/ganesha.log" -p "$T/ganesha.pid"
wait_tcp srv 2049
bg srv dnsmasq -k -p 0 --enable-tftp --tftp-root="$T/boot" --pid-file="$T/dnsmasq.pid" --tftp-port-range=40000,40099
wait_udp srv 69
sleep 6

# said HOST COMMAND... : an answer that refuses is as good as one that does not
said() { on "$@" >>"$T/said.log" 2>&1 || true; sleep 0.2; }
cd "$T"
said cli rpcinfo -p 10.20.30.10
said cli rpcinfo -u 10.20.30.10 100005 3
U=nfs://10.20.30.10/plans
said cli nfs-cp plan.txt "$U/plan.txt?version=3"
said cli nfs-cat "$U/plan.txt?version=3"
said cli nfs-cat "$U/nothing.txt?version=3"
said cli nfs-cp note.txt "$U/note.txt?version=4"
said cli nfs-cat "$U/note.txt?version=4"
cat >"$T/later.py" <<'P'
import sys
import nfs_rs

with nfs_rs.Client.connect("nfs://10.20.30.10/plans?version=4.1&uid=0&gid=0&noresvport=true") as client:
    client.mkdir("line-7")
    with open(sys.argv[1], "rb") as plan, client.open("line-7/plan.txt", "wb") as copy:
        copy.write(plan.read())
    with client.open("line-7/plan.txt", "rb") as copy:
        copy.read()
    client.chmod("line-7/plan.txt", 0o640)
    client.rename("line-7/plan.txt", "line-7/plan.old")
    client.symlink("plan.old", "line-7/plan.now")
    client.listdir("line-7")
    client.remove("line-7/plan.old")
    try:
        client.remove("line-7/plan.old")
    except nfs_rs.NfsNotFoundError:
        pass
P
said cli "$PY" "$T/later.py" "$T/plan.txt"
said odd "$PY" -c 'import nfs_rs; print(nfs_rs.list_exports("10.20.30.10"))'
for user in 1001 1002 1003 1004 1005; do
    said odd nfs-cat "$U/wages.txt?version=4&uid=$user&gid=$user"
done
said cli curl -s -o got.cfg tftp://10.20.30.10/switch.cfg
said cli curl -s -o got.cfg --tftp-blksize 1024 tftp://10.20.30.10/switch.cfg
said cli curl -s -o got.cfg tftp://10.20.30.10/two-blocks.cfg
said cli curl -s -o got.cfg tftp://10.20.30.10/nothing.cfg
record_stop
cp "$T/nfs.pcap" "$OUT/nfs.pcap"
