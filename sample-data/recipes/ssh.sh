#!/bin/bash
# ssh.pcapng: SSH whose shared secrets are in the capture. asyncssh on both
# sides: every key exchange and cipher in use, compression, a refused password, a
# shell that changes its keys midway, and a MAC (UMAC) that pcapper cannot check.
. "$(dirname "$0")/common.sh"
need editcap python3
venv_python asyncssh==2.21.0

pair srv 10.20.30.10/24 cli 10.20.30.50/24
bg srv "$PY" "$RECIPES/ssh_keys.py" server 10.20.30.10
wait_tcp srv 22
record cli eth0 "$T/ssh.pcap" tcp
on cli "$PY" "$RECIPES/ssh_keys.py" clients 10.20.30.10 "$T/keys.txt"
record_stop
editcap -F pcapng "$T/ssh.pcap" "$T/ssh.pcapng"
python3 "$RECIPES/pcapng_tidy.py" "$T/ssh.pcapng" "$OUT/ssh.pcapng" --comment 'SSH sample: keys in the capture' --secrets "0x5353484b=$T/keys.txt"
exit 0
