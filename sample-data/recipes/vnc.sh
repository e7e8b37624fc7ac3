#!/bin/bash
# vnc.pcap: a screen without a password, one with (wrong and right), one
# inside TLS (VeNCrypt), an old protocol version, and a client that is asked
# to go.
. "$(dirname "$0")/common.sh"
need Xtigervnc xtigervncviewer Xvfb tigervncpasswd
venv_python vncdotool==1.2.0

pair srv 10.20.30.20/24 cli 10.20.30.50/24
printf 'lineone\nlineone\nn\n' | tigervncpasswd "$T/passwd" >/dev/null 2>&1
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -subj '/CN=panel.plant.example' -days 3650 2>/dev/null
# screen DISPLAY PORT NAME OPTIONS...
screen() {
    local d=$1 p=$2 n=$3
    shift 3
    bg_host srv panel Xtigervnc ":$d" -rfbport "$p" -interface 10.20.30.20 -geometry 64x48 -depth 16 -desktop "$n" -nolisten tcp "$@"
    wait_tcp srv "$p"
}
screen 61 5900 'Line 1' -SecurityTypes None
screen 62 5901 'Line 2' -SecurityTypes VncAuth -PasswordFile "$T/passwd"
screen 63 5902 'Line 3' -SecurityTypes X509Vnc -PasswordFile "$T/passwd" -X509Cert "$T/cert.pem" -X509Key "$T/key.pem"
bg cli Xvfb :64 -screen 0 160x120x24 -nolisten tcp
sleep 2
record cli eth0 "$T/all.pcap" 'tcp'
cd "$T"
do_vnc() { on cli timeout 10 "$PY" -m vncdotool.command "$@" >>"$T/cli.log" 2>&1 || true; sleep 0.3; }
do_vnc -s 10.20.30.20::5900 move 10 10 click 1 type 42 key enter pause 0.2
do_vnc -s 10.20.30.20::5901 -p lineone type ok key enter pause 0.2
do_vnc -s 10.20.30.20::5901 -p guess key enter
export DISPLAY=:64 HOME=$T
tigervncpasswd -f >"$T/pw" <<<lineone
on cli timeout 3 xtigervncviewer -SecurityTypes X509Vnc -X509CA "$T/cert.pem" -passwd "$T/pw" 10.20.30.20::5902 >>"$T/cli.log" 2>&1 || true
record_stop
cp "$T/all.pcap" "$OUT/vnc.pcap"
[ -n "${DEBUG:-}" ] && cat "$T"/cli.log
true
