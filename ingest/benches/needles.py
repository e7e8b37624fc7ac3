#!/usr/bin/env python3
"""Times the search for one value in all captures of a lake, whole processes, and prints medians and memory.

    pcapper --lake LAKE lake add -r CAPTURES... && python3 ingest/benches/needles.py LAKE [RUNS]

Needles are an address that many captures have, one that few have, one that none has, a hash and a name. Each question is asked once
without the lake's index of Bloom filters, which it then makes, and RUNS times (5) with it.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
PCAPPER = os.environ.get("PCAPPER_BIN", os.path.join(TARGET, "release", "pcapper"))


def ask(lake, query):
    """Rows, wall seconds and peak resident MiB of one question."""
    command = [PCAPPER, "--lake", lake, "--no-status", "--sql", query, "--format", "jsonl"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"failed with status {process.returncode}: {query}")
    return [json.loads(line) for line in out.splitlines()], time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    lake, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    counts = "SELECT src_ip, count(DISTINCT capture_id) AS n FROM flows WHERE src_ip IS NOT NULL GROUP BY src_ip ORDER BY n DESC, src_ip"
    addresses = ask(lake, counts)[0]
    common, rare = addresses[0]["src_ip"], addresses[-1]["src_ip"]
    sha256 = ask(lake, "SELECT sha256 FROM files WHERE complete ORDER BY sha256 LIMIT 1")[0][0]["sha256"]
    name = ask(lake, "SELECT query FROM dns WHERE query IS NOT NULL GROUP BY query ORDER BY count(*), query LIMIT 1")[0][0]["query"]
    found = "SELECT count(*) AS rows, count(DISTINCT capture_id) AS captures FROM"
    needles = {
        "address, in many captures": f"{found} flows WHERE src_ip = '{common}'",
        "address, in few": f"{found} flows WHERE src_ip = '{rare}'",
        "address, in none": f"{found} flows WHERE src_ip = '203.0.113.77'",
        "address, in packets": f"{found} packets WHERE dst_ip = '{rare}'",
        "hash of a file": f"{found} files WHERE sha256 = '{sha256}'",
        "name in DNS": f"{found} dns WHERE query = '{name.replace(chr(39), chr(39) * 2)}'",
    }
    captures = ask(lake, "SELECT count(*) AS n FROM captures")[0][0]["n"]
    print(f"{captures} captures, {runs} runs, {os.cpu_count()} processors")
    print(f"{'':28} {'first':>7} {'again':>7} {'MiB':>6}  rows in captures")
    for what, query in needles.items():
        shutil.rmtree(os.path.join(lake, ".index"), ignore_errors=True)
        _, first, _ = ask(lake, query)
        timed = [ask(lake, query) for _ in range(runs)]
        rows = timed[0][0][0]
        again, memory = statistics.median(seconds for _, seconds, _ in timed), max(memory for _, _, memory in timed)
        print(f"{what:28} {first:7.2f} {again:7.2f} {memory:6.0f}  {rows['rows']} in {rows['captures']}")


if __name__ == "__main__":
    main()
