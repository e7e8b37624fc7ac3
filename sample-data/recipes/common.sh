# Shared helpers for the capture recipes. Source it; do not run it.
#
# Every recipe builds its own small network out of network namespaces,
# veth pairs and bridges, runs ordinary programs in it, and records what
# they say. Nothing leaves the machine. Namespaces are named sd-* and are
# removed again when the recipe ends.

set -euo pipefail
export LC_ALL=C TZ=UTC PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

RECIPES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
OUT=${OUT:-$(dirname "$RECIPES")}
T=$(mktemp -d /tmp/sd.XXXXXX)
chmod 755 "$T"
SD_NS=()
SD_PIDS=()

cleanup() {
    local p n
    for p in "${SD_PIDS[@]:-}"; do [ -n "$p" ] && kill "$p" 2>/dev/null || true; done
    for n in "${SD_NS[@]:-}"; do
        [ -n "$n" ] || continue
        for p in $(ip netns pids "$n" 2>/dev/null); do kill "$p" 2>/dev/null || true; done
    done
    sleep 0.3
    for n in "${SD_NS[@]:-}"; do
        [ -n "$n" ] || continue
        for p in $(ip netns pids "$n" 2>/dev/null); do kill -9 "$p" 2>/dev/null || true; done
        ip netns del "$n" 2>/dev/null || true
    done
    if [ -z "${KEEP:-}" ]; then rm -rf "$T"; else echo "kept $T" >&2; fi
}
trap cleanup EXIT

[ "$(id -u)" = 0 ] || { echo "run this as root" >&2; exit 1; }

# need PROGRAM... : stop early when something is not installed
need() {
    local c
    for c in ip ethtool tcpdump tshark "$@"; do
        command -v "$c" >/dev/null || { echo "missing program: $c" >&2; exit 1; }
    done
}

# ns NAME : a new network namespace sd-NAME, loopback up, IPv6 off
ns() {
    ip netns add "sd-$1"
    SD_NS+=("sd-$1")
    ip -n "sd-$1" link set lo up
    on "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
}

# ipv6_on NAME : allow IPv6 again in a namespace
ipv6_on() {
    on "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
}

# on NAME COMMAND... : run a command in a namespace
on() {
    local n=$1
    shift
    ip netns exec "sd-$n" "$@"
}

# bg NAME COMMAND... : the same in the background, output to a log
bg() {
    local n=$1
    shift
    ip netns exec "sd-$n" "$@" >>"$T/$n.log" 2>&1 &
    BG_PID=$!
    SD_PIDS+=("$BG_PID")
}

# plain NAME IF : no offloads, so that frames look as they do on a wire
plain() {
    on "$1" ethtool -K "$2" rx off tx off sg off tso off gso off gro off >/dev/null 2>&1 || true
}

# wire A IFA B IFB : one cable between two namespaces
wire() {
    ip -n "sd-$1" link add "$2" type veth peer name "$4" netns "sd-$3"
    plain "$1" "$2"
    plain "$3" "$4"
    ip -n "sd-$1" link set "$2" up
    ip -n "sd-$3" link set "$4" up
}

# bridge NAME BR : a switch (no spanning tree, floods at once)
bridge() {
    ip -n "sd-$1" link add "$2" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip -n "sd-$1" link set "$2" up
}

# port SW BR HOST IF [MAC] [ADDR/LEN] : plug a host into a switch
port() {
    local sw=$1 br=$2 host=$3 if=$4 mac=${5:-} addr=${6:-} p
    p="p-$host"
    ip -n "sd-$sw" link add "$p" type veth peer name "$if" netns "sd-$host"
    [ -n "$mac" ] && ip -n "sd-$host" link set "$if" address "$mac"
    plain "$sw" "$p"
    plain "$host" "$if"
    ip -n "sd-$sw" link set "$p" master "$br"
    [ -n "$addr" ] && ip -n "sd-$host" addr add "$addr" dev "$if"
    ip -n "sd-$sw" link set "$p" up
    ip -n "sd-$host" link set "$if" up
}

# record NAME IF FILE [tcpdump options] : start recording
record() {
    local n=$1 if=$2 file=$3
    shift 3
    ip netns exec "sd-$n" tcpdump -i "$if" -n -U -s 0 -Z root -w "$file" "$@" >/dev/null 2>"$T/tcpdump.log" &
    REC_PID=$!
    SD_PIDS+=("$REC_PID")
    local i
    for i in $(seq 50); do
        grep -qs 'listening on' "$T/tcpdump.log" && return
        sleep 0.1
    done
    cat "$T/tcpdump.log" >&2
    exit 1
}

# record_stop : let the last frames arrive, then end the recording
record_stop() {
    sleep "${1:-1}"
    kill -INT "$REC_PID" 2>/dev/null || true
    wait "$REC_PID" 2>/dev/null || true
}

# wait_tcp NAME PORT : until something listens there
wait_tcp() {
    local i
    for i in $(seq 100); do
        on "$1" ss -Hltn "sport = :$2" | grep -q . && return
        sleep 0.1
    done
    echo "nothing listens on $2 in $1" >&2
    cat "$T/$1.log" >&2 || true
    exit 1
}
wait_udp() {
    local i
    for i in $(seq 100); do
        on "$1" ss -Hlun "sport = :$2" | grep -q . && return
        sleep 0.1
    done
    echo "nothing listens on udp $2 in $1" >&2
    cat "$T/$1.log" >&2 || true
    exit 1
}

# modbus_python : sets PY to a Python that has pymodbus 3.8
modbus_python() {
    PY=${PYMODBUS_PYTHON:-}
    if [ -z "$PY" ]; then
        python3 -m venv "$T/venv"
        "$T/venv/bin/pip" -q install 'pymodbus==3.8.6'
        PY=$T/venv/bin/python3
    fi
}

# venv_python PACKAGE... : sets PY to a Python that has these packages
# (VENV_PYTHON names one that has them already)
venv_python() {
    PY=${VENV_PYTHON:-}
    if [ -z "$PY" ]; then
        PY=$(mktemp -d "$T/venv.XXXX")/bin/python3
        python3 -m venv "${PY%/bin/*}"
        "$PY" -m pip -q install "$@"
    fi
}

# pair A ADDR/LEN B ADDR/LEN : two hosts with a cable, both ends eth0; the
# cards are 02:00:00:XX:XX:XX, from the last three bytes of the address
pair() {
    local h a m
    ns "$1"
    ns "$3"
    wire "$1" eth0 "$3" eth0
    for h in "$1 $2" "$3 $4"; do
        a=${h#* }
        m=$(echo "${a%/*}" | awk -F. '{ printf "02:00:00:%02x:%02x:%02x", $2, $3, $4 }')
        ip -n "sd-${h% *}" link set eth0 address "$m"
        ip -n "sd-${h% *}" addr add "$a" dev eth0
    done
}

# on_host NAME HOSTNAME COMMAND... and bg_host: the same for programs that
# tell others what their machine is called
on_host() {
    local n=$1 h=$2
    shift 2
    on "$n" unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "$h" "$@"
}
bg_host() {
    local n=$1 h=$2
    shift 2
    bg "$n" unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "$h" "$@"
}
