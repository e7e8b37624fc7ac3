#!/usr/bin/env python3
"""Writes ../http.eve.json: what an eve.json of Suricata would hold for http.pcap under three rules of our own.

Not the engine's work but written in its form (records `alert`, `flow`, `anomaly`, `stats`), so that tests need no engine. The
rules look for bytes in single packets; times, ports and `pcap_cnt` are those of the capture. Line 3 is damaged on purpose.
"""
import datetime
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent.parent
# sid, bytes, message, class, priority, technique
RULES = [
    (9000001, b"\r\nAuthorization: Basic ", "LOCAL Basic login without encryption", "Potential Corporate Privacy Violation", 1, "T1552"),
    (9000002, b"DELETE /", "LOCAL a file is deleted over HTTP", "Misc activity", 3, None),
    (9000003, b" HTTP/1.0\r\n", "LOCAL request in HTTP/1.0", "Misc activity", 3, None),
]


def packets(path):
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at, number = 24, 0
    while at < len(data):
        seconds, micros, length, _ = struct.unpack_from(order + "4I", data, at)
        number += 1
        yield number, seconds, micros, data[at + 16 : at + 16 + length]
        at += 16 + length


def tcp(frame):
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    head = 14 + (frame[14] & 15) * 4
    src, dst = struct.unpack_from(">2H", frame, head)
    payload = frame[head + (frame[head + 12] >> 4) * 4 : 14 + struct.unpack_from(">H", frame, 16)[0]]
    dotted = lambda at: ".".join(map(str, frame[at : at + 4]))
    return dotted(26), src, dotted(30), dst, payload


def main():
    lines, flows, last, count = [], set(), None, 0
    for number, seconds, micros, frame in packets(HERE / "http.pcap"):
        time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{micros:06}+0000"
        last, count = time, number
        talk = tcp(frame)
        if talk is None:
            continue
        src, sport, dst, dport, payload = talk
        common = {"timestamp": time, "flow_id": 1, "pcap_cnt": number, "src_ip": src, "src_port": sport, "dest_ip": dst, "dest_port": dport, "proto": "TCP"}
        for sid, wanted, message, name, priority, technique in RULES:
            if wanted in payload:
                rule = {"action": "allowed", "gid": 1, "signature_id": sid, "rev": 1, "signature": message, "category": name, "severity": priority}
                if technique:
                    rule["metadata"] = {"mitre_technique_id": [technique]}
                lines.append({**common, "event_type": "alert", "tx_id": 0, "alert": rule, "app_proto": "http"})
        if frozenset([(src, sport), (dst, dport)]) not in flows:
            flows.add(frozenset([(src, sport), (dst, dport)]))
            lines.append({**common, "event_type": "flow", "app_proto": "http", "flow": {"pkts_toserver": 1, "alerted": False}})
    # One of a host that the capture does not know, and what the engine says of itself.
    lines.append({"timestamp": last, "event_type": "alert", "src_ip": "203.0.113.9", "src_port": 4444, "dest_ip": "10.20.30.50", "dest_port": 80, "proto": "TCP",
                  "alert": {"action": "allowed", "gid": 1, "signature_id": 9000004, "rev": 2, "signature": "LOCAL from elsewhere", "category": "", "severity": 2}})
    lines.append({"timestamp": last, "event_type": "anomaly", "pcap_cnt": count, "anomaly": {"type": "stream", "event": "stream.pkt_broken_ack"}})
    lines.append({"timestamp": last, "event_type": "stats", "stats": {"uptime": 1, "decoder": {"pkts": count, "invalid": 0}, "tcp": {"reassembly_gap": 2},
                  "detect": {"engines": [{"id": 0, "rules_loaded": len(RULES) + 1}]}}})
    text = [json.dumps(line, separators=(",", ":")) for line in lines]
    text.insert(2, text[2][: len(text[2]) // 2])
    (HERE / "http.eve.json").write_text("\n".join(text) + "\n")


main()
