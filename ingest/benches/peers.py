#!/usr/bin/env python3
"""Times pcapper beside its peers on one capture, whole processes in turn, and prints medians, memory and ratios.

    cargo build --release && python3 ingest/benches/peers.py CAPTURE [RUNS]

Peers are asked where they are installed: tcpdump (rewrites the capture), ndpiReader (Debian's libndpi-bin; classifies it), tshark
(prints five fields). The first run of each is a warm-up and does not count.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
PCAPPER = os.environ.get("PCAPPER_BIN", os.path.join(TARGET, "release", "pcapper"))
FIELDS = ["frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.dstport"]


def run(command):
    """Wall seconds and peak resident MiB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, process.returncode


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    capture = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as scratch:
        lake = os.path.join(scratch, "lake")
        flag = [PCAPPER, capture, "--lake", lake, "--no-status"]
        decode = [PCAPPER, capture, "--no-cache", "--no-status", "--sql", "SELECT packets FROM captures"]
        commands = {
            "pcapper: decode into a lake": decode,
            "pcapper: asked again, --protocols": flag + ["--protocols"],
            "pcapper: asked again, --sizes": flag + ["--sizes"],
            "tcpdump: rewrite": ["tcpdump", "-r", capture, "-w", os.path.join(scratch, "copy.pcap")],
            "ndpiReader: classify": ["ndpiReader", "-q", "-i", capture],
            "tshark: five fields": ["tshark", "-n", "-r", capture, "-T", "fields"] + [word for f in FIELDS for word in ("-e", f)],
        }
        results = {}
        for name, command in commands.items():
            if shutil.which(command[0]) is None:
                print(f"{name}: {command[0]} is not installed: left out", file=sys.stderr)
                continue
            few = 1 if name.startswith("tshark") else runs
            timed = [run(command) for _ in range(few + 1)][1:]
            if any(status for _, _, status in timed):
                print(f"{name}: failed with status {timed[-1][2]}", file=sys.stderr)
                continue
            results[name] = (statistics.median(seconds for seconds, _, _ in timed), max(memory for _, memory, _ in timed))
    ours = results.get("pcapper: decode into a lake")
    size = os.path.getsize(capture) / 1e6
    print(f"{os.path.basename(capture)}: {size:.0f} MB, {runs} runs, {os.cpu_count()} processors")
    print(f"{'':36} {'seconds':>8} {'MB/s':>7} {'MiB':>6}  against our decode")
    for name, (seconds, memory) in results.items():
        ratio = f"{seconds / ours[0]:.2f}" if ours else "-"
        print(f"{name:36} {seconds:8.2f} {size / seconds:7.0f} {memory:6.0f}  {ratio}")


if __name__ == "__main__":
    main()
