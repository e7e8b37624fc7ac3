#!/bin/bash
# enip.pcap: a controller by cpppo, asked by cpppo and pycomm3: services,
# identity (also by broadcast) and interfaces listed; tags read and written one
# by one, many in one packet and in fragments, in a connection and without; a
# tag, an index, an attribute, an object and a service that are not there; an
# attribute set.
. "$(dirname "$0")/common.sh"
need python3
venv_python cpppo==5.2.5 pycomm3==1.2.16

pair plc 192.168.50.60/24 eng 192.168.50.61/24
record eng eth0 "$T/enip.pcap" 'port 44818'
# started in a directory of its own: cpppo writes a log there
cd "$T"
bg plc "$PY" -m cpppo.server.enip --no-print -a 192.168.50.60:44818 -u \
    SCADA=INT[100] Speed=REAL Pump=DINT[4] Name=SSTRING Limit@0x93/3/10=REAL
wait_tcp plc 44818
ask() { on eng timeout 20 "$PY" -m cpppo.server.enip.client -a 192.168.50.60:44818 "$@" >/dev/null 2>&1 || true; }
on eng timeout 20 "$PY" -m cpppo.server.enip.list_identity_simple 192.168.50.255 >/dev/null
ask -s -i -I 'SCADA[0-9]' 'Speed=(REAL)72.5' 'Speed'
ask 'SCADA[4]=1500' 'SCADA[4-5]' 'Pump[0-3]=(DINT)1,0,1,1' 'Pump[0-3]'
ask -m 'SCADA[1]' 'Pump[2]' 'Speed' 'SCADA[7]=(INT)7' 'Nothing'
ask -f 'SCADA[0-99]'
ask 'Nothing[1]'
ask 'SCADA[200]'
ask -c 'SCADA[4]=1750' 'SCADA[4]'
on eng timeout 20 "$PY" -m cpppo.server.enip.get_attribute -a 192.168.50.60:44818 '@1/1/1' '@1/1/7' '@0x93/3/10' >/dev/null 2>&1 || true
on eng timeout 30 "$PY" "$RECIPES/enip_client.py" 192.168.50.60
record_stop
cp "$T/enip.pcap" "$OUT/enip.pcap"
