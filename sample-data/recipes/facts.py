#!/usr/bin/env python3
"""Measure the samples with tshark and write facts.json, or check it.

usage: facts.py [--check] [FILE...]     (needs tshark and openssl)

Counts are of frames unless a name says otherwise. Fields come from tshark
as they are; what takes more than counting is said at the function.
"""
import gzip
import json
import os
import re
import struct
import subprocess
import sys
from collections import Counter, defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.dirname(HERE)


def fields(path, query, names, first=False):
    """Rows of fields; each field a list of its occurrences."""
    cmd = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t",
           "-E", "occurrence=" + ("f" if first else "a"), "-E", "aggregator=\x1f"]
    if query:
        cmd += ["-Y", query]
    for n in names:
        cmd += ["-e", n]
    out = subprocess.run(cmd, check=True, capture_output=True, text=True).stdout
    rows = []
    for line in out.splitlines():
        cells = line.split("\t")
        rows.append([[v for v in c.split("\x1f")] if c else [] for c in cells])
    return rows


def one(cell, default=""):
    return cell[0] if cell else default


def count(path, query):
    return len(fields(path, query, ["frame.number"]))


def tally(values):
    """A dict of counts with a steady order of keys."""
    def key(k):
        return (0, int(k), "") if str(k).isdigit() else (1, 0, str(k))
    c = Counter(str(v) for v in values)
    return {k: c[k] for k in sorted(c, key=key)}


# ---- what every file says about itself ----

def container(path):
    with open(path, "rb") as f:
        head = f.read(2)
    squeezed = head == b"\x1f\x8b"
    with (gzip.open if squeezed else open)(path, "rb") as f:
        data = f.read()
    magic = data[:4]
    kind = {
        b"\xd4\xc3\xb2\xa1": "pcap, microseconds",
        b"\x4d\x3c\xb2\xa1": "pcap, nanoseconds",
        b"\x0a\x0d\x0d\x0a": "pcapng",
    }[magic]
    facts = {"format": kind + (", gzip" if squeezed else "")}
    if kind == "pcapng":
        facts["section_comments"], facts["interfaces"] = pcapng(data)
    return facts


def pcapng(data):
    comments, interfaces, at = [], [], 0
    while at < len(data):
        kind, size = struct.unpack("<II", data[at:at + 8])
        body, at = data[at + 8:at + size - 4], at + size
        skip = {0x0A0D0D0A: 16, 1: 8}.get(kind)
        if skip is None:
            continue
        opts, rest = [], body[skip:]
        while len(rest) >= 4:
            code, n = struct.unpack("<HH", rest[:4])
            if code == 0:
                break
            opts.append((code, rest[4:4 + n]))
            rest = rest[4 + (n + 3) // 4 * 4:]
        if kind == 1:
            d = dict(opts)
            resolution = d.get(9, b"\x06")[0]
            interfaces.append({"name": d.get(2, b"").decode(), "description": d.get(3, b"").decode(),
                               "tsresol": resolution})
        else:
            comments += [v.decode() for code, v in opts if code == 1]
    return comments, interfaces


def general(path):
    rows = fields(path, "", ["frame.time_epoch", "frame.len", "frame.protocols", "frame.interface_id"], first=True)
    protocols = Counter()
    for r in rows:
        for p in set(one(r[2]).split(":")) - {"eth", "ethertype"}:
            protocols[p] += 1
    facts = {"packets": len(rows), "bytes": sum(int(one(r[1])) for r in rows)}
    facts.update(container(path))
    facts["first_time"] = one(rows[0][0])
    facts["last_time"] = one(rows[-1][0])
    if facts["format"] == "pcapng":
        facts["packets_by_interface"] = tally(one(r[3]) for r in rows)
        c = fields(path, "frame.comment", ["frame.number", "frame.comment"])
        facts["packet_comments"] = {one(r[0]): one(r[1]) for r in c}
    facts["frames_by_protocol"] = {k: protocols[k] for k in sorted(protocols)}
    bad = subprocess.run(
        ["tshark", "-n", "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
         "-o", "udp.check_checksum:TRUE", "-Y",
         "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0",
         "-T", "fields", "-e", "frame.number"], check=True, capture_output=True, text=True).stdout.split()
    facts["bad_checksums"] = len(bad)
    facts["malformed"] = count(path, "_ws.malformed")
    return facts


# ---- one function per protocol ----

RR = {"1": "A", "2": "NS", "5": "CNAME", "6": "SOA", "12": "PTR", "15": "MX", "16": "TXT", "28": "AAAA",
      "33": "SRV", "41": "OPT", "252": "AXFR", "257": "CAA"}
RCODE = {"0": "NOERROR", "1": "FORMERR", "2": "SERVFAIL", "3": "NXDOMAIN", "4": "NOTIMP", "5": "REFUSED"}


def dns(path):
    rows = fields(path, "dns", ["dns.flags.response", "dns.qry.name", "dns.qry.type", "dns.flags.rcode",
                                "dns.flags.truncated", "dns.flags.opcode", "dns.resp.type", "ip.proto",
                                "dns.id", "dns.flags.authoritative", "ip.src", "ip.dst", "dns.a"])
    q = [r for r in rows if one(r[0]) == "0"]
    a = [r for r in rows if one(r[0]) == "1"]
    answered = {(one(r[8]), one(r[11])) for r in a}
    return {
        "queries": len(q),
        "responses": len(a),
        "queries_by_type": tally(RR[one(r[2])] for r in q),
        "query_names": tally(one(r[1]) for r in q),
        "responses_by_rcode": tally(RCODE[one(r[3])] for r in a),
        "nxdomain_names": sorted({one(r[1]) for r in a if one(r[3]) == "3"}),
        "truncated_responses": sum(one(r[4]) == "1" for r in a),
        "authoritative_responses": sum(one(r[9]) == "1" for r in a),
        "messages_over_tcp": sum(one(r[7]) == "6" for r in rows),
        "status_opcode_queries": sum(one(r[5]) == "2" for r in q),
        "records_in_responses": tally(RR[t] for r in a for t in r[6]),
        "addresses_in_answers": sorted({x for r in a for x in r[12]}),
        "queries_without_response": sum((one(r[8]), one(r[10])) not in answered for r in q),
    }


DHCP = {"1": "discover", "2": "offer", "3": "request", "4": "decline", "5": "ack", "6": "nak", "7": "release", "8": "inform"}


def dhcp(path):
    rows = fields(path, "dhcp", ["dhcp.option.dhcp", "dhcp.hw.mac_addr", "dhcp.ip.your", "dhcp.option.hostname",
                                 "dhcp.id", "dhcp.option.dhcp_server_id", "dhcp.option.vendor_class_id",
                                 "dhcp.option.router", "dhcp.option.domain_name", "dhcp.option.ip_address_lease_time"])
    leases, hosts, classes = defaultdict(set), defaultdict(set), defaultdict(set)
    for r in rows:
        mac = one(r[1])
        if one(r[0]) == "5":
            leases[mac].add(one(r[2]))
        if one(r[0]) in "13":
            for x in r[3]:
                hosts[mac].add(x)
            for x in r[6]:
                classes[mac].add(x)
    acks = [r for r in rows if one(r[0]) == "5"]
    return {
        "messages": len(rows),
        "by_type": tally(DHCP[one(r[0])] for r in rows),
        "leases": {m: sorted(v) for m, v in sorted(leases.items())},
        "host_names": {m: sorted(v) for m, v in sorted(hosts.items())},
        "vendor_classes": {m: sorted(v) for m, v in sorted(classes.items())},
        "transaction_ids": len({one(r[4]) for r in rows}),
        "server_ids": sorted({one(r[5]) for r in acks}),
        "routers": sorted({x for r in acks for x in r[7]}),
        "domain_names": sorted({x for r in acks for x in r[8]}),
        "lease_seconds": sorted({int(x) for r in acks for x in r[9]}),
    }


NTP = {"1": "symmetric active", "2": "symmetric passive", "3": "client", "4": "server", "5": "broadcast"}


def ntp(path):
    rows = fields(path, "ntp", ["ntp.flags.mode", "ntp.flags.vn", "ntp.stratum", "ntp.keyid", "ip.src", "ip.dst",
                                "ntp.org", "ntp.xmt"], first=True)
    asked = [(one(r[4]), one(r[5])) for r in rows if one(r[0]) == "3"]
    told = Counter((one(r[5]), one(r[4])) for r in rows if one(r[0]) == "4")
    silent = Counter(asked) - told
    return {
        "messages": len(rows),
        "by_mode": tally(NTP[one(r[0])] for r in rows),
        "by_version": tally(one(r[1]) for r in rows),
        "with_key": tally(str(int(one(r[3]), 16)) for r in rows if r[3]),
        "server_strata": tally(int(one(r[2]), 0) for r in rows if one(r[0]) == "4"),
        "requests_without_response": sum(silent.values()),
        "silent_servers": sorted({d for _, d in silent}),
    }


def http(path):
    """One entry per message, also where several share a frame."""
    req = fields(path, "http.request", ["http.request.method", "http.request.uri", "http.host", "http.user_agent",
                                        "http.authbasic", "http.request.version", "tcp.stream"])
    rsp = fields(path, "http.response", ["http.response.code", "http.content_encoding", "http.transfer_encoding",
                                         "http.response.version", "http.content_type", "http.location", "http.server",
                                         "http.set_cookie", "http.www_authenticate"])
    lines = [(m, u) for r in req for m, u in zip(r[0], r[1])]
    return {
        "requests": len(lines),
        "responses": sum(len(r[0]) for r in rsp),
        "requests_by_method": tally(m for m, _ in lines),
        "responses_by_status": tally(c for r in rsp for c in r[0]),
        "request_lines": ["%s %s" % x for x in lines],
        "hosts": tally(h for r in req for h in r[2]),
        "user_agents": tally(x for r in req for x in r[3]),
        "basic_credentials": tally(x for r in req for x in r[4]),
        "requests_http_1_0": sum(x == "HTTP/1.0" for r in req for x in r[5]),
        "gzip_bodies": sum(x == "gzip" for r in rsp for x in r[1]),
        "chunked_responses": sum(x.strip() == "chunked" for r in rsp for x in r[2]),
        "locations": sorted({x for r in rsp for x in r[5]}),
        "servers": tally(x for r in rsp for x in r[6]),
        "cookies_set": sorted({x for r in rsp for x in r[7]}),
        "connections": len({one(r[6]) for r in req}),
        "requests_sharing_a_frame": sum(len(r[0]) for r in req if len(r[0]) > 1),
    }


def certificate(der):
    text = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-issuer", "-serial", "-startdate", "-enddate",
         "-fingerprint", "-sha256", "-nameopt", "RFC2253", "-dateopt", "iso_8601"],
        input=der, check=True, capture_output=True).stdout.decode()
    d = dict(line.split("=", 1) for line in text.splitlines())
    names = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-ext", "subjectAltName"],
                           input=der, capture_output=True).stdout.decode()
    return {
        "subject": d["subject"], "issuer": d["issuer"], "serial": d["serial"].lower(),
        "not_before": d["notBefore"], "not_after": d["notAfter"],
        "sha256": [v for k, v in d.items() if "ingerprint" in k][0].replace(":", "").lower(),
        "names": re.findall(r"(?:DNS|IP Address):([^,\s]+)", names),
    }


VERSION = {"0x0301": "1.0", "0x0302": "1.1", "0x0303": "1.2", "0x0304": "1.3"}


def tls(path):
    """One entry per connection; the version is the one the server chose."""
    ch = fields(path, "tls.handshake.type == 1", ["tcp.stream", "tls.handshake.extensions_server_name",
                "tls.handshake.extensions_alpn_str", "tls.handshake.ja3", "tcp.dstport"])
    sh = fields(path, "tls.handshake.type == 2", ["tcp.stream", "tls.handshake.version",
                "tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite",
                "tls.handshake.extensions_alpn_str", "tls.handshake.ja3s"])
    al = fields(path, "tls.alert_message.desc", ["tcp.stream", "ip.src", "tls.alert_message.level", "tls.alert_message.desc"])
    ce = fields(path, "tls.handshake.certificate", ["tcp.stream", "tls.handshake.certificate", "tcp.srcport"])
    conns = {}
    for r in ch:
        conns[one(r[0])] = {"port": int(one(r[4])), "sni": one(r[1], None), "alpn_offered": r[2], "ja3": one(r[3])}
    for r in sh:
        conns[one(r[0])].update(version=VERSION[one(r[2], one(r[1]))], cipher=one(r[3]),
                                alpn_chosen=one(r[4], None), ja3s=one(r[5]))
    certs, chains = {}, defaultdict(list)
    for r in ce:
        for h in r[1]:
            c = certificate(bytes.fromhex(h.replace(":", "")))
            certs[c["sha256"]] = c
        side = "server_chain" if int(one(r[2])) == conns[one(r[0])]["port"] else "client_chain"
        conns[one(r[0])][side] = [
            certificate(bytes.fromhex(h.replace(":", "")))["sha256"] for h in r[1]]
    for r in al:
        conns[one(r[0])].setdefault("alerts", []).extend(
            {"level": int(lv), "description": int(d)} for lv, d in zip(r[2], r[3]))
    done = list(conns.values())
    return {
        "client_hellos": len(ch),
        "server_hellos": len(sh),
        "sni": [c["sni"] for c in done],
        "hellos_by_sni": tally(c["sni"] or "" for c in done),
        "connections_by_version": tally(c.get("version", "none") for c in done),
        "ciphers": tally(c["cipher"] for c in done if "cipher" in c),
        "alpn_chosen_in_the_clear": tally(c["alpn_chosen"] for c in done if c.get("alpn_chosen")),
        "alerts_in_the_clear": tally(a["description"] for c in done for a in c.get("alerts", [])),
        "certificate_messages": len(ce),
        "certificates": sorted(certs.values(), key=lambda c: (c["subject"], c["serial"])),
        "connections": done,
    }


def decrypted(path):
    """What tshark reads with the keys in the file. It shows no HTTP response that only the end of TLS ends."""
    hellos = fields(path, "tls.handshake.type == 2", ["tcp.stream", "tls.handshake.version",
                    "tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite"])
    inside = Counter()
    inside["http requests"] = count(path, "http.request")
    for r in fields(path, "http2", ["http2.headers.method", "http2.headers.status"]):
        inside["http2 requests"] += len(r[0])
        inside["http2 responses"] += len(r[1])
    inside["smtp commands"] = count(path, "smtp.req && tls.record")
    kinds = Counter(t for r in fields(path, "tls.handshake.type", ["tls.handshake.type"]) for t in r[0])
    return {
        "connections_by_version": tally(VERSION[one(r[2], one(r[1]))] for r in
                                        {one(r[0]): r for r in hellos}.values()),
        "ciphers": tally(one(r[3]) for r in {one(r[0]): r for r in hellos}.values()),
        "inside": dict(sorted(inside.items())),
        "certificates": sum(len(r[1]) for r in fields(path, "tls.handshake.certificate", ["frame.number", "tls.handshake.certificate"])),
        "key_updates": kinds["24"],
        "ends_of_early_data": kinds["5"],
    }


def arp(path):
    rows = fields(path, "arp", ["arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.proto_ipv4",
                                "arp.isgratuitous", "frame.interface_name"])
    claims = defaultdict(set)
    for r in rows:
        if one(r[2]) != "0.0.0.0":
            claims[one(r[2])].add(one(r[1]))
    told = {one(r[2]) for r in rows if one(r[0]) == "2"}
    asked = [one(r[3]) for r in rows if one(r[0]) == "1" and not one(r[4]) in ("1", "True")]
    return {
        "requests": sum(one(r[0]) == "1" for r in rows),
        "replies": sum(one(r[0]) == "2" for r in rows),
        "gratuitous": sum(one(r[2]) == one(r[3]) for r in rows),
        "probes": sum(one(r[2]) == "0.0.0.0" for r in rows),
        "claims": {ip: sorted(m) for ip, m in sorted(claims.items())},
        "addresses_of_two_cards": sorted(ip for ip, m in claims.items() if len(m) > 1),
        "never_answered": sorted(set(asked) - told),
    }


def icmp(path):
    """Types and codes of the outer message (errors carry an inner one)."""
    v4 = fields(path, "icmp", ["icmp.type", "icmp.code", "ip.src", "icmp.mtu", "icmp.redir_gw"], first=True)
    v6 = fields(path, "icmpv6", ["icmpv6.type", "icmpv6.code"], first=True)
    ra = fields(path, "icmpv6.type == 134", ["icmpv6.nd.ra.router_lifetime", "icmpv6.opt.prefix", "icmpv6.opt.prefix.length",
                                             "icmpv6.opt.rdnss", "icmpv6.opt.mtu", "icmpv6.nd.ra.flag.o", "icmpv6.nd.ra.flag.m"])
    targets = fields(path, "icmpv6.type == 135", ["icmpv6.nd.ns.target_address", "ipv6.src"], first=True)
    facts = {
        "v4": len(v4),
        "v4_by_type_code": tally("%s/%s" % (one(r[0]), one(r[1])) for r in v4),
        "v6": len(v6),
        "v6_by_type_code": tally("%s/%s" % (one(r[0]), one(r[1])) for r in v6),
        "fragmentation_needed_mtu": sorted({int(one(r[3])) for r in v4 if one(r[0]) == "3" and one(r[1]) == "4"}),
        "packet_too_big_mtu": sorted({int(one(r[0])) for r in fields(path, "icmpv6.type == 2", ["icmpv6.mtu"], True)}),
        "redirect_gateways": sorted({one(r[4]) for r in v4 if one(r[0]) == "5"}),
    }
    if ra:
        facts["router_advertisements"] = {
            "lifetimes": [int(one(r[0])) for r in ra],
            "prefixes": sorted({p + "/" + n for r in ra for p, n in zip(r[1], r[2])}),
            "rdnss": sorted({x for r in ra for x in r[3]}),
            "mtu": sorted({int(x) for r in ra for x in r[4]}),
            "other_flag": tally(one(r[5]) for r in ra),
        }
        facts["duplicate_address_probes"] = sorted({one(r[0]) for r in targets if one(r[1]) == "::"})
    return facts


def vlan(path):
    rows = fields(path, "", ["eth.type", "vlan.id", "vlan.priority", "ieee8021ad.id", "ieee8021ad.priority",
                             "frame.interface_name", "frame.protocols"])
    return {
        "untagged": sum(one(r[0]) not in ("0x8100", "0x88a8", "0x00008100", "0x000088a8") for r in rows),
        "by_vlan_id": tally(x for r in rows for x in r[1]),
        "by_priority": tally(x for r in rows for x in r[2]),
        "id_and_priority": tally("%s/%s" % (one(r[1]), one(r[2])) for r in rows if r[1]),
        "by_service_vlan_id": tally(x for r in rows for x in r[3]),
        "stacked": sum(bool(r[3]) and bool(r[1]) for r in rows),
    }


def lldp(path):
    rows = fields(path, "lldp", ["lldp.chassis.id.mac", "lldp.port.id", "lldp.time_to_live", "lldp.tlv.system.name",
                                 "lldp.tlv.system.desc", "lldp.mgn.addr.ip4", "lldp.port.desc", "lldp.tlv.enable_system_cap"])
    st = {}
    for r in rows:
        s = st.setdefault(one(r[0]), {"messages": 0, "ttl": []})
        s["messages"] += 1
        s["ttl"].append(int(one(r[2])))
        for k, i in [("port", 1), ("system_name", 3), ("system_description", 4), ("management_address", 5),
                     ("port_description", 6), ("enabled_capabilities", 7)]:
            if r[i]:
                s[k] = one(r[i])
    for s in st.values():
        s["ttl"] = tally(s["ttl"])
    return {"messages": len(rows), "system_names": sorted({s["system_name"] for s in st.values() if "system_name" in s}),
            "shutdown_messages": sum(one(r[2]) == "0" for r in rows), "stations": dict(sorted(st.items()))}


def modbus(path):
    """Transactions, rebuilt from the TCP payload of each frame.

    A frame may hold several messages and a message may be split; the ones
    in these samples are put together here by stream. tshark 4.0 does not
    see the request that is split after five bytes: its count is given, too.
    """
    rows = fields(path, "tcp.port == 502 && tcp.len > 0",
                  ["tcp.stream", "tcp.srcport", "tcp.payload", "ip.src", "ip.dst", "frame.number"], first=True)
    buf, open_, done = defaultdict(bytes), {}, []
    messages = 0
    for r in rows:
        server = one(r[1]) == "502"
        key = (one(r[0]), server)
        buf[key] += bytes.fromhex(one(r[2]).replace(":", ""))
        while len(buf[key]) >= 8:
            tid, _, n, unit = struct.unpack(">HHHB", buf[key][:7])
            if len(buf[key]) < 6 + n:
                break
            pdu, buf[key] = buf[key][7:6 + n], buf[key][6 + n:]
            messages += 1
            if not server:
                t = {"client": one(r[3]), "server": one(r[4]), "id": tid, "unit": unit, "function": pdu[0], "pdu": pdu}
                open_[one(r[0]), tid, unit] = t
                done.append(t)
            else:
                open_.pop((one(r[0]), tid, unit))["reply"] = pdu
    seen = sum(len(r[0]) for r in fields(path, "mbtcp", ["mbtcp.trans_id"]))
    by = Counter()
    writes, identity, values = [], defaultdict(dict), defaultdict(list)
    for t in done:
        by[t["client"], t["function"]] += 1
        p, a = t["pdu"], t.get("reply", b"")
        if p[0] in (5, 6):
            at, v = struct.unpack(">HH", p[1:5])
            writes.append([t["client"], t["server"], p[0], at, [v if p[0] == 6 else int(v == 0xFF00)], bool(a) and a[0] < 128])
        if p[0] == 15:
            at, n = struct.unpack(">HH", p[1:5])
            writes.append([t["client"], t["server"], 15, at, [p[6 + i // 8] >> i % 8 & 1 for i in range(n)], bool(a) and a[0] < 128])
        if p[0] == 16:
            at, n = struct.unpack(">HH", p[1:5])
            writes.append([t["client"], t["server"], 16, at, list(struct.unpack(">%dH" % n, p[6:6 + 2 * n])), bool(a) and a[0] < 128])
        if p[0] == 22:
            at, m, o = struct.unpack(">HHH", p[1:7])
            writes.append([t["client"], t["server"], 22, at, [m, o], bool(a) and a[0] < 128])
        if p[0] == 23:
            _, _, at, n = struct.unpack(">HHHH", p[1:9])
            writes.append([t["client"], t["server"], 23, at, list(struct.unpack(">%dH" % n, p[10:10 + 2 * n])), bool(a) and a[0] < 128])
        if p[0] == 3 and a and a[0] == 3 and p[1:3] == b"\0\0":
            v = struct.unpack(">H", a[2:4])[0]
            if not values[t["server"]] or values[t["server"]][-1] != v:
                values[t["server"]].append(v)
        if p[0] == 43 and a and a[0] == 43:
            at = 7
            for _ in range(a[6]):
                identity[t["server"]][str(a[at])] = a[at + 2:at + 2 + a[at + 1]].decode()
                at += 2 + a[at + 1]
    exc = [(t["reply"][0] & 127, t["reply"][1]) for t in done if t.get("reply", b"\0")[0] > 127]
    return {
        "messages": messages,
        "messages_seen_by_tshark": seen,
        "requests": len(done),
        "responses": sum("reply" in t for t in done),
        "requests_by_function": tally(t["function"] for t in done),
        "requests_by_client_and_function": {c: tally(t["function"] for t in done if t["client"] == c)
                                            for c in sorted({t["client"] for t in done})},
        "exceptions": len(exc),
        "exceptions_by_function_and_code": tally("%d/%d" % e for e in exc),
        "requests_without_response": [{"id": t["id"], "unit": t["unit"], "function": t["function"]}
                                      for t in done if "reply" not in t],
        "writes": [dict(zip(["client", "server", "function", "address", "values", "accepted"], w)) for w in writes],
        "device_identification": {k: v for k, v in sorted(identity.items())},
        "register_0_as_read": dict(values),
    }


def goose(path):
    rows = fields(path, "goose", ["goose.gocbRef", "goose.stNum", "goose.sqNum", "goose.simulation", "goose.appid",
                                  "vlan.id", "vlan.priority", "goose.datSet", "goose.goID", "goose.confRev",
                                  "goose.timeAllowedtoLive", "eth.src", "eth.dst"])
    streams = {}
    for r in rows:
        s = streams.setdefault(one(r[0]), {
            "appid": one(r[4]), "data_set": one(r[7]), "go_id": one(r[8]), "conf_rev": int(one(r[9])), "src": one(r[11]),
            "dst": one(r[12]), "messages": 0, "simulated": 0, "messages_by_stnum": Counter(), "sqnums_by_stnum": defaultdict(list)})
        sim = one(r[3]) in ("1", "True")
        s["messages"] += 1
        s["simulated"] += sim
        s["messages_by_stnum"][one(r[1])] += 1
        s["sqnums_by_stnum"][one(r[1])].append(int(one(r[2])))
    for s in streams.values():
        s["messages_by_stnum"] = dict(sorted(s["messages_by_stnum"].items()))
        s["sqnums_by_stnum"] = {k: [v[0], v[-1]] for k, v in sorted(s["sqnums_by_stnum"].items())}
    return {"messages": len(rows), "streams": streams, "vlan_ids": tally(one(r[5]) for r in rows),
            "priorities": tally(one(r[6]) for r in rows),
            "time_allowed_to_live": tally(one(r[10]) for r in rows)}


def tcp(path):
    rows = fields(path, "tcp", ["tcp.stream", "tcp.flags", "tcp.len", "tcp.srcport", "tcp.dstport", "ip.src", "ipv6.src",
                                "ip.dst", "ipv6.dst"], first=True)
    streams = {}
    for r in rows:
        s = streams.setdefault(one(r[0]), {
            "client": one(r[5]) or one(r[6]), "client_port": int(one(r[3])), "server": one(r[7]) or one(r[8]),
            "server_port": int(one(r[4])), "packets": 0, "payload_bytes": [0, 0], "syn": 0, "syn_ack": 0, "fin": 0, "rst": 0})
        f = int(one(r[1]), 16)
        s["packets"] += 1
        up = int(one(r[3])) == s["client_port"]
        s["payload_bytes"][0 if up else 1] += int(one(r[2]))
        s["syn"] += f & 0x12 == 2
        s["syn_ack"] += f & 0x12 == 0x12
        s["fin"] += bool(f & 1)
        s["rst"] += bool(f & 4)
    v = list(streams.values())
    facts = {
        "segments": len(rows), "streams": len(v),
        "refused": sum(s["rst"] > 0 and s["syn_ack"] == 0 for s in v),
        "unanswered": sum(s["rst"] == 0 and s["syn_ack"] == 0 and s["syn"] > 0 for s in v),
        "syn": sum(s["syn"] for s in v), "syn_ack": sum(s["syn_ack"] for s in v),
        "rst": sum(s["rst"] for s in v), "fin": sum(s["fin"] for s in v),
    }
    for name in ["retransmission", "fast_retransmission", "duplicate_ack", "zero_window", "window_full",
                 "keep_alive", "keep_alive_ack", "out_of_order", "lost_segment", "reused_ports"]:
        facts[name] = count(path, "tcp.analysis." + name)
    facts["per_stream"] = v
    return facts


def udp(path):
    rows = fields(path, "udp && !icmp && !icmpv6", ["udp.stream", "udp.srcport", "udp.dstport", "udp.length", "ip.dst", "udp.checksum",
                                                    "ipv6.src", "ip.src", "ipv6.dst"], first=True)
    streams = {}
    for r in rows:
        s = streams.setdefault(one(r[0]), {"a": "%s %s" % (one(r[7]) or one(r[6]), one(r[1])),
                                           "b": "%s %s" % (one(r[4]) or one(r[8]), one(r[2])),
                                           "datagrams": [0, 0], "payload_bytes": [0, 0]})
        i = 0 if s["a"].endswith(" " + one(r[1])) and s["a"].startswith((one(r[7]) or one(r[6])) + " ") else 1
        s["datagrams"][i] += 1
        s["payload_bytes"][i] += int(one(r[3])) - 8
    return {
        "datagrams": len(rows), "streams": len(streams),
        "empty": sum(int(one(r[3])) == 8 for r in rows),
        "without_checksum": sum(int(one(r[5]), 16) == 0 for r in rows),
        "over_ipv6": sum(bool(r[6]) for r in rows),
        "broadcast": sum(one(r[4]).endswith(".255") for r in rows),
        "multicast": sum(one(r[4]).startswith("239.") for r in rows),
        "ipv4_fragments": count(path, "(ip.flags.mf == 1 || ip.frag_offset > 0) && !icmp"),
        "ipv6_fragments": count(path, "ipv6.fraghdr.nxt && !icmpv6"),
        "port_unreachable": count(path, "(icmp.type == 3 && icmp.code == 3) || (icmpv6.type == 1 && icmpv6.code == 4)"),
        "per_stream": list(streams.values()),
    }


def ssh(path):
    rows = fields(path, "ssh", ["tcp.stream", "ssh.protocol"])
    return {"connections": len({one(r[0]) for r in rows}), "protocol_lines": sorted({x for r in rows for x in r[1]})}


def kerberos(path):
    """Messages by their outermost type; a TGS-REQ and a password change hold an AP-REQ too."""
    rows = fields(path, "kerberos", ["kerberos.msg_type", "kerberos.error_code", "kerberos.realm", "kpasswd.message_len"])
    return {
        "messages_by_type": tally(one(r[0]) for r in rows),
        "errors": tally(x for r in rows for x in r[1]),
        "realms": sorted({x for r in rows for x in r[2]}),
        "password_change_messages": sum(bool(r[3]) for r in rows),
    }


def ldap(path):
    rows = fields(path, "ldap", ["ldap.protocolOp", "ldap.resultCode", "ldap.name", "ldap.simple", "ldap.mechanism",
                                 "gss-api.OID", "ldap.requestName"])
    return {
        "operations": tally(x for r in rows for x in r[0]),
        "results": tally(x for r in rows for x in r[1]),
        "bind_names": tally(x for r in rows for x in r[2]),
        "passwords": sorted({x for r in rows for x in r[3]}),
        "mechanisms": tally(x for r in rows for x in r[4]),
        "extended": tally(x for r in rows for x in r[6]),
    }


def proxy(path):
    """Logins at a proxy: schemes offered and used."""
    rows = fields(path, "http", ["http.proxy_authenticate", "http.proxy_authorization", "http.response.code"])
    return {
        "offered": tally(x.split()[0] for r in rows for x in r[0]),
        "used": tally(x.split()[0] for r in rows for x in r[1]),
        "statuses": tally(x for r in rows for x in r[2]),
    }


def smb(path):
    """Commands of all versions, shares, accounts, what was refused; NetBIOS messages."""
    rows = fields(path, "smb || smb2", ["smb.cmd", "smb2.cmd", "smb2.tree", "smb2.nt_status", "ntlmssp.auth.username"])
    names = fields(path, "nbns || nbdgm || nbss.type == 0x81", ["nbns.flags.opcode", "nbdgm.type", "nbss.type"])
    return {
        "version_1_commands": tally(x for r in rows for x in r[0]),
        "version_2_commands": tally(x for r in rows for x in r[1]),
        "trees": sorted({x for r in rows for x in r[2]}),
        "statuses": tally(x for r in rows for x in r[3]),
        "accounts": tally(x for r in rows for x in r[4]),
        "name_operations": tally(x for r in names for x in r[0]),
        "datagrams": tally(x for r in names for x in r[1]),
        "session_requests": tally(x for r in names for x in r[2]),
    }


def nfs(path):
    """Calls of ONC RPC by program and version, operations and their results, users."""
    calls = fields(path, "rpc.msgtyp == 0", ["rpc.program", "rpc.programversion", "rpc.procedure", "rpc.auth.uid"])
    ops = fields(path, "nfs && rpc.msgtyp == 0", ["nfs.procedure_v3", "nfs.opcode", "nfs.minorversion"])
    results = fields(path, "nfs && rpc.msgtyp == 1", ["nfs.status"])
    return {
        "calls": tally(f"{p} v{v}" for r in calls for p, v in zip(r[0], r[1])),
        "users": tally(x for r in calls for x in r[3]),
        "version_3_procedures": tally(x for r in ops for x in r[0]),
        "version_4_operations": tally(x for r in ops for x in r[1]),
        "minor_versions": tally(x for r in ops for x in r[2]),
        "statuses": tally(x for r in results for x in r[0]),
    }


def tftp(path):
    """Files asked for, packets by kind, errors."""
    rows = fields(path, "tftp", ["tftp.opcode", "tftp.source_file", "tftp.error.code"])
    return {
        "packets": tally(x for r in rows for x in r[0]),
        "read": tally(x for r in rows if r[0] == ["1"] for x in r[1]),
        "errors": tally(x for r in rows for x in r[2]),
    }


def mail(path):
    """Commands and replies of SMTP (not of LMTP, which tshark does not look for on port 24), IMAP and POP3. Words of
    messages that tshark takes for commands of IMAP are left out."""
    words = {"APPEND", "AUTHENTICATE", "CAPABILITY", "CREATE", "EXAMINE", "FETCH", "LOGIN", "LOGOUT", "SELECT", "STARTTLS"}
    smtp = fields(path, "smtp", ["smtp.req.command", "smtp.response.code"])
    imap = fields(path, "imap", ["imap.request.command", "imap.response.status"])
    pop = fields(path, "pop", ["pop.request.command", "pop.response.indicator"])
    return {
        "smtp_commands": tally(x.upper() for r in smtp for x in r[0]),
        "smtp_replies": tally(x for r in smtp for x in r[1]),
        "imap_commands": tally(x.upper() for r in imap for x in r[0] if x.upper() in words),
        "imap_results": tally(x for r in imap for x in r[1] if x in ("OK", "NO", "BAD")),
        "pop_commands": tally(x.upper() for r in pop for x in r[0]),
        "pop_results": tally(x for r in pop for x in r[1]),
        "tls_hellos": count(path, "tls.handshake.type == 1"),
    }


def iec104(path):
    """Frames by type and cause; `refused` are negative confirmations."""
    rows = fields(path, "iec60870_asdu", ["iec60870_asdu.typeid", "iec60870_asdu.causetx", "iec60870_asdu.nega",
                                          "iec60870_asdu.addr", "iec60870_asdu.ioa"], first=True)
    refused = [r for r in rows if one(r[2]) in ("1", "True")]
    return {
        "messages": len(rows),
        "by_type": tally(one(r[0]) for r in rows),
        "by_cause": tally(one(r[1]) for r in rows),
        "refused": ["%s/%s of %s in %s" % (one(r[0]), one(r[1]), one(r[4]), one(r[3])) for r in refused],
        "unnumbered": tally(x for r in fields(path, "iec60870_104.utype", ["iec60870_104.utype"]) for x in r[0]),
    }


def s7(path):
    """Messages by kind, function and user data function; errors are in the
    header (class 0x81 to 0xd2) or in the items of an answer."""
    rows = fields(path, "s7comm", ["s7comm.header.rosctr", "s7comm.param.func", "s7comm.param.userdata.funcgroup",
                                   "s7comm.header.errcls", "s7comm.header.errcod", "s7comm.data.returncode",
                                   "s7comm.param.pistart.servicename", "ip.dst"])
    return {
        "messages": len(rows),
        "by_kind": tally(one(r[0]) for r in rows),
        "jobs_by_function": tally(one(r[1]) for r in rows if one(r[0]) == "1"),
        "requests_by_user_data_group": tally(one(r[2]) for r in rows if r[2]),
        "header_errors": tally(int(one(r[3]), 0) * 256 + int(one(r[4]), 0) for r in rows if r[3] and int(one(r[3]), 0)),
        "item_results": tally(x for r in rows for x in r[5]),
        "program_services": tally(x for r in rows for x in r[6]),
    }


def enip(path):
    """Encapsulated messages, and CIP services of requests and answers. tshark 4.0 names the services of
    tags only by number, and counts those inside an Unconnected Send or a Multiple Service Packet with them."""
    rows = fields(path, "enip", ["enip.command", "enip.status", "enip.session", "cip.sc", "cip.rr", "cip.genstat"])
    return {
        "messages": sum(len(r[0]) for r in rows),
        "by_command": tally(x for r in rows for x in r[0]),
        "by_status": tally(x for r in rows for x in r[1]),
        "cip_services": tally(x for r in rows for x in r[3]),
        "cip_status": tally(x for r in rows for x in r[5]),
        "requests_reset": count(path, "cip.sc == 0x05 && cip.rr == 0 && cip.class == 1"),
    }


def bacnet(path):
    """Messages by kind (0 confirmed request, 1 unconfirmed, 2 simple and 3 complex answer, 5 error, 6 reject)
    and service."""
    rows = fields(path, "bacapp", ["bacapp.type", "bacapp.confirmed_service", "bacapp.unconfirmed_service",
                                   "bacapp.error_code", "bacapp.reject_reason"])
    return {
        "messages": len(rows),
        "by_kind": tally(one(r[0]) for r in rows),
        "confirmed_requests": tally(one(r[1]) for r in rows if one(r[0]) == "0"),
        "unconfirmed_requests": tally(one(r[2]) for r in rows if one(r[0]) == "1"),
        "errors": tally(x for r in rows if one(r[0]) == "5" for x in r[3]),
        "rejects": tally(x for r in rows for x in r[4]),
        "bvlc": tally(one(r[0]) for r in fields(path, "bvlc", ["bvlc.function"])),
    }


def opcua(path):
    """Messages by transport kind and by the node of their service."""
    rows = fields(path, "opcua", ["opcua.transport.type", "opcua.servicenodeid.numeric", "opcua.ServiceResult",
                                  "opcua.UserName", "opcua.Password"])
    return {
        "messages": sum(len(r[0]) for r in rows),
        "by_transport": tally(x for r in rows for x in r[0]),
        "by_service": tally(x for r in rows for x in r[1]),
        "service_results": tally(x for r in rows for x in r[2]),
        "user_names": tally(x for r in rows for x in r[3]),
        "passwords": tally(bytes.fromhex(x.replace(":", "")).decode() for r in rows for x in r[4]),
    }


def mqtt(path):
    """Messages by type (1 connect, 2 its answer, 3 publish, 8 subscribe, 14 disconnect)."""
    rows = fields(path, "mqtt", ["mqtt.msgtype", "mqtt.ver", "mqtt.username", "mqtt.passwd", "mqtt.conack.val",
                                 "mqtt.topic", "mqtt.qos", "mqtt.retain", "mqtt.clientid", "mqtt.willtopic"])
    return {
        "messages": sum(len(r[0]) for r in rows),
        "by_type": tally(x for r in rows for x in r[0]),
        "connects_by_version": tally(x for r in rows if "1" in r[0] for x in r[1]),
        "logins": tally("%s:%s" % (one(r[2]), one(r[3])) for r in rows if r[2]),
        "connect_answers": tally(x for r in rows for x in r[4]),
        "published_by_topic": tally(x for r in rows if "3" in r[0] for x in r[5]),
        "published_by_quality": tally(one(r[6]) for r in rows if one(r[0]) == "3"),
        "retained": sum(one(r[7]) in ("1", "True") for r in rows if one(r[0]) == "3"),
        "clients": tally(x for r in rows for x in r[8]),
        "will_topics": tally(x for r in rows for x in r[9]),
    }


def coap(path):
    """Messages by type (0 with confirmation, 1 without, 2 confirmation, 3 reset) and code."""
    rows = fields(path, "coap", ["coap.type", "coap.code", "coap.opt.uri_path", "coap.opt.observe"])
    return {
        "messages": len(rows),
        "by_type": tally(one(r[0]) for r in rows),
        "by_code": tally(one(r[1]) for r in rows),
        "with_observe": sum(bool(r[3]) for r in rows),
    }


def dnp3(path):
    """Messages by function (1 read, 3 select, 4 operate, 129 response, 130 unsolicited), and the
    states of commands in responses.
    tshark 4.0 does not know group 50 variation 4, and calls what follows it malformed."""
    rows = fields(path, "dnp3", ["dnp3.al.func", "dnp3.ctl.prifunc", "dnp3.al.ctrlstatus", "dnp3.al.obj"])
    return {
        "link_frames": len(rows),
        "by_function": tally(x for r in rows for x in r[0]),
        "responses_by_command_status": tally(x for r in rows if one(r[0]) == "129" for x in r[2]),
        "objects": tally(x for r in rows for x in r[3]),
    }


def ptp(path):
    """Messages by domain, transport and type (0 sync, 8 follow-up, 11 announce, 13 management)."""
    rows = fields(path, "ptp", ["ptp.v2.domainnumber", "ip.proto", "ptp.v2.messagetype", "ptp.v2.an.grandmasterclockidentity",
                                "ptp.v2.mm.action", "ptp.v2.mm.tlvType"], first=True)
    return {
        "messages": len(rows),
        "by_domain_and_type": tally("%s, %s: %s" % (one(r[0]), "UDP" if r[1] else "Ethernet", int(one(r[2]), 16)) for r in rows),
        "announced_grandmasters": tally("%s: %s" % (one(r[0]), one(r[3])) for r in rows if r[3]),
        "management_actions": tally(one(r[4]) for r in rows if r[4]),
        "management_errors": sum(one(r[5]) == "2" for r in rows if r[4]),
    }


def iec61850(path):
    """MMS by service (0 status, 1 names, 2 identify, 4 read, 5 write, 72 to 77 files); GOOSE by state; sampled values."""
    rows = fields(path, "mms", ["mms.confirmedServiceRequest", "mms.confirmedServiceResponse", "mms.unconfirmedService",
                                "mms.itemId"])
    g = fields(path, "goose", ["goose.gocbRef", "goose.stNum"])
    sv = fields(path, "sv", ["sv.svID", "sv.smpCnt"])
    return {
        "mms_messages": len(rows),
        "mms_requests_by_service": tally(x for r in rows for x in r[0]),
        "mms_answers_by_service": tally(x for r in rows for x in r[1]),
        "mms_reports": sum(bool(r[2]) for r in rows),
        "mms_errors": count(path, "mms.confirmed_ErrorPDU_element"),
        "mms_controls": tally(x for r in rows if r[0] for x in r[3] if "$CO$" in x),
        "goose_by_state": tally("%s, %s" % (one(r[0]), one(r[1])) for r in g),
        "sampled_values_by_id": tally(one(r[0]) for r in sv),
        "sample_counts": "%s to %s" % (min(int(one(r[1])) for r in sv), max(int(one(r[1])) for r in sv)),
    }


def snmp(path):
    """Messages by version and PDU, communities, users, what was set, errors."""
    rows = fields(path, "snmp", ["snmp.version", "snmp.community", "snmp.data", "snmp.msgUserName", "snmp.error_status"])
    return {
        "messages": len(rows),
        "by_version": tally(one(r[0]) for r in rows),
        "by_pdu": tally(x for r in rows for x in r[2]),
        "communities": tally(x for r in rows for x in r[1]),
        "users": tally(x for r in rows for x in r[3]),
        "errors": tally(x for r in rows for x in r[4] if x != "0"),
    }


def syslog(path):
    """Datagrams by level (tshark takes TCP port 514 for a remote shell)."""
    rows = fields(path, "syslog", ["syslog.level", "syslog.facility"])
    return {"datagrams": len(rows), "by_level": tally(x for r in rows for x in r[0]), "by_facility": tally(x for r in rows for x in r[1])}


def ssdp(path):
    rows = fields(path, "ssdp", ["http.request.method", "http.response.code"])
    return {"messages": len(rows), "methods": tally(x for r in rows for x in r[0]), "answers": tally(x for r in rows for x in r[1])}


def telnet(path):
    rows = fields(path, "telnet", ["tcp.stream", "telnet.cmd"])
    return {"connections": len({one(r[0]) for r in rows}), "commands": tally(x for r in rows for x in r[1])}


def vnc(path):
    """Sessions by the security type that the client chose; results (0 is good); names of screens."""
    rows = fields(path, "vnc", ["vnc.client_security_type", "vnc.auth_result", "vnc.desktop_name", "vnc.vencrypt_auth_type"])
    return {
        "security": tally(x for r in rows for x in r[0]),
        "results": tally(x for r in rows for x in r[1]),
        "names": sorted({x for r in rows for x in r[2]}),
    }


def rdp(path):
    rows = fields(path, "rdp", ["rdp.rt_cookie", "rdp.negReq.requestedProtocols", "rdp.negReq.selectedProtocol", "rdp.encryptionMethod"])
    return {
        "cookies": tally(x for r in rows for x in r[0]),
        "requested": tally(x for r in rows for x in r[1]),
        "selected": tally(x for r in rows for x in r[2]),
    }


def ftp(path):
    rows = fields(path, "ftp", ["ftp.request.command", "ftp.response.code", "ftp.request.arg"])
    return {
        "commands": tally(x for r in rows for x in r[0]),
        "answers": tally(x for r in rows for x in r[1]),
        "passwords": tally(one(r[2]) for r in rows if one(r[0]) == "PASS"),
    }


def routing(path):
    """Messages of each protocol by their types, as far as tshark counts them."""
    of = lambda query, field: tally(x for r in fields(path, query, [field]) for x in r[0])
    return {
        "ospf": of("ospf", "ospf.msg"),
        "bgp": of("bgp", "bgp.type"),
        "isis": of("isis", "isis.type"),
        "rip": of("rip", "rip.command"),
        "eigrp": of("eigrp", "eigrp.opcode"),
        "pim": of("pim", "pim.type"),
        "vrrp_priorities": of("vrrp", "vrrp.prio"),
        "igmp": of("igmp && !icmp", "igmp.type"),
        "hsrp": of("hsrp", "hsrp.opcode"),
        "glbp": len(fields(path, "glbp", ["frame.number"])),
    }


def spanning_tree(path):
    return {"roots": tally("%s/%s" % (one(r[0]), one(r[1])) for r in fields(path, "stp.root.hw", ["stp.root.prio", "stp.root.hw"])),
            "by_type": tally(one(r[0]) for r in fields(path, "stp", ["stp.type"])),
            "cdp_devices": tally(one(r[0]) for r in fields(path, "cdp", ["cdp.deviceid"]))}


def vpn(path):
    of = lambda query, field: tally(x for r in fields(path, query, [field]) for x in r[0])
    return {
        "wireguard": of("wg", "wg.type"),
        "ike_exchanges": of("isakmp", "isakmp.exchangetype"),
        "esp": count(path, "esp"),
        "l2tp_messages": of("l2tp", "l2tp.avp.message_type"),
        "pptp_messages": of("pptp", "pptp.control_message_type"),
        "vxlan_networks": of("vxlan", "vxlan.vni"),
        "ppp_names": of("pap || chap", "pap.peer_id") | of("chap", "chap.name"),
    }


def http2(path):
    rows = fields(path, "http2", ["http2.type", "http2.headers.method", "http2.headers.status"])
    return {
        "frames": tally(x for r in rows for x in r[0]),
        "methods": tally(x for r in rows for x in r[1]),
        "statuses": tally(x for r in rows for x in r[2]),
    }


def quic(path):
    """Connections by version; packets with a long header by type (0 initial, 1 early, 2 handshake, 3 retry)."""
    rows = fields(path, "quic", ["quic.version", "quic.long.packet_type", "tls.handshake.extensions_server_name"])
    return {
        "versions": tally(x for r in rows for x in r[0]),
        "long_packets": tally(x for r in rows for x in r[1]),
        "http3_packets": count(path, "http3"),
    }


def synchrophasor(path):
    rows = fields(path, "synphasor", ["synphasor.frtype", "synphasor.command"])
    return {"by_type": tally(x for r in rows for x in r[0]), "commands": tally(x for r in rows for x in r[1])}


def dcerpc(path):
    """Requests by number, context names left out."""
    rows = fields(path, "dcerpc", ["dcerpc.pkt_type", "dcerpc.opnum"])
    return {"by_type": tally(x for r in rows for x in r[0]), "operations": tally(one(r[1]) for r in rows if "0" in r[0])}


def devices(path):
    of = lambda query, field: tally(x for r in fields(path, query, [field]) for x in r[0])
    return {
        "fins_commands": of("omron", "omron.command"),
        "hart_messages": of("hart_ip", "hart_ip.message_id"),
        "mms_requests": of("mms", "mms.confirmedServiceRequest"),
    }


def ethernet(path):
    of = lambda query, field: tally(x for r in fields(path, query, [field]) for x in r[0])
    return {
        "ethercat_commands": of("ecat", "ecat.cmd"),
        "profinet_frame_ids": of("pn_rt", "pn_rt.frame_id"),
        "dcp_services": of("pn_dcp", "pn_dcp.service_id"),
        "calls": of("dcerpc", "dcerpc.opnum"),
    }


def wlan(path):
    rows = fields(path, "wlan", ["wlan.fc.type_subtype", "wlan.ssid"])
    return {"by_subtype": tally(x for r in rows for x in r[0]), "keys": tally(one(r[0]) for r in fields(path, "eapol", ["wlan_rsna_eapol.keydes.msgnr"]))}


FILES = {
    "arp.pcap": [arp],
    "bacnet.pcap": [bacnet],
    "decrypt.pcapng": [decrypted],
    "devices.pcap": [devices],
    "dhcp.pcap": [dhcp],
    "dnp3.pcap": [dnp3],
    "dns.pcap.gz": [dns],
    "domain.pcap": [dcerpc, kerberos, ldap, smb],
    "encrypted_dns.pcapng": [dns],
    "enip.pcap": [enip],
    "ethernet.pcap": [ethernet, routing],
    "ftp.pcap": [ftp],
    "goose.pcap": [goose, vlan],
    "http.pcap": [http],
    "http2.pcap": [http2],
    "icmp.pcapng": [icmp],
    "iec104.pcap": [iec104],
    "iec61850.pcap": [iec61850],
    "industrial.pcap": [],
    "lldp.pcap": [lldp],
    "logins.pcap": [kerberos, ldap, proxy],
    "mail.pcap": [mail],
    "modbus.pcap": [modbus],
    "mqtt_coap.pcap": [mqtt, coap],
    "nfs.pcap": [nfs, tftp],
    "ntp.pcap": [ntp],
    "opcua.pcap": [opcua],
    "plant.pcapng": [arp, dhcp, dns, http, lldp, modbus, ntp, ssh, tls, tcp],
    "ptp.pcap": [ptp],
    "quic.pcapng": [quic],
    "rdp.pcap": [rdp],
    "routing.pcap": [routing],
    "s7.pcap": [s7],
    "smb.pcap": [smb],
    "snmp.pcap": [snmp],
    "ssdp.pcap": [ssdp],
    "ssh.pcapng": [ssh],
    "switches.pcap": [spanning_tree],
    "synchrophasor.pcap": [synchrophasor],
    "syslog.pcap": [syslog],
    "tcp.pcapng": [tcp],
    "telnet.pcap": [telnet],
    "tls.pcapng": [tls],
    "udp.pcap": [udp],
    "vlan.pcapng": [vlan, arp, icmp],
    "vnc.pcap": [vnc],
    "vpn.pcap": [vpn],
    "windows.pcap": [dcerpc],
    "winrm.pcap": [http],
    "wlan.pcap": [wlan],
}


def main():
    args = [a for a in sys.argv[1:] if a != "--check"]
    target = os.path.join(DATA, "facts.json")
    old = {}
    if os.path.exists(target):
        with open(target) as f:
            old = json.load(f)
    facts = {} if not args else dict(old)
    for name in args or sorted(FILES):
        path = os.path.join(DATA, name)
        facts[name] = general(path)
        for f in FILES[name]:
            facts[name][f.__name__] = f(path)
    if "--check" in sys.argv:
        wrong = [n for n in sorted(set(facts) | set(old)) if facts.get(n) != old.get(n)]
        print("different: " + ", ".join(wrong) if wrong else "all facts hold")
        sys.exit(bool(wrong))
    with open(target, "w") as f:
        json.dump(facts, f, indent=1, ensure_ascii=False)
        f.write("\n")


main()
