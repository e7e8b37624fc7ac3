-- @analyzer encrypted_dns
-- @group    it
-- @title    ENCRYPTED DNS ANALYSIS
-- @help     DNS over HTTPS, TLS and QUIC

-- @section summary shape=facts
SELECT count(*) AS flows, count(*) FILTER (WHERE e.certainty = 'certain') AS certain, count(*) FILTER (WHERE e.certainty = 'likely') AS likely, array_to_string(array_sort(array_agg(DISTINCT e.kind)), ', ') AS kinds, count(DISTINCT e.src_ip) AS clients, count(DISTINCT e.dst_ip) AS servers,
  array_to_string(array_sort(array_agg(DISTINCT e.provider)), ', ') AS providers, (SELECT count(DISTINCT capture_id || ' ' || CAST(flow_id AS VARCHAR)) FROM dns WHERE protocol = 'dns' AND transport IN ('udp', 'tcp') AND NOT starts_with(lower(query), '2.dnscrypt-cert.')) AS "Plain DNS flows" FROM encrypted_dns e;

-- @section "Kinds" shape=table
SELECT kind, certainty, evidence, count(*) AS flows, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers FROM encrypted_dns GROUP BY kind, certainty, evidence ORDER BY flows DESC, kind, certainty, evidence;

-- @section "Flows" shape=table limit=25
SELECT e.src_ip AS client, e.dst_ip || ' ' || CAST(e.dst_port AS VARCHAR) AS server, coalesce(e.name, '-') AS name, e.kind, e.certainty, f.duration_s, CASE WHEN e.src_port = f.src_port THEN f.orig_bytes ELSE f.resp_bytes END AS up_bytes, CASE WHEN e.src_port = f.src_port THEN f.resp_bytes ELSE f.orig_bytes END AS down_bytes, d.queries
FROM encrypted_dns e LEFT JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id
LEFT JOIN (SELECT capture_id, flow_id, count(*) FILTER (WHERE NOT is_response) AS queries FROM dns WHERE transport IN ('tls', 'https', 'quic') GROUP BY capture_id, flow_id) d ON d.capture_id = e.capture_id AND d.flow_id = e.flow_id
ORDER BY f.orig_bytes + f.resp_bytes DESC, e.capture, e.frame;

-- @section "Fingerprints" shape=table limit=15 verbose
SELECT ja4, kind, count(*) AS flows, count(DISTINCT src_ip) AS clients FROM encrypted_dns WHERE ja4 IS NOT NULL GROUP BY ja4, kind ORDER BY flows DESC, ja4, kind;

-- @section "Servers" shape=table limit=15
SELECT e.dst_ip AS server, coalesce(max(e.provider), 'unknown') AS provider, array_to_string(array_sort(array_agg(DISTINCT e.kind)), ', ') AS kinds, count(DISTINCT e.src_ip) AS clients, count(*) AS flows, sum(f.orig_bytes + f.resp_bytes) AS bytes
FROM encrypted_dns e LEFT JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id GROUP BY e.dst_ip ORDER BY flows DESC, server;

-- @section "Clients" shape=table limit=15
SELECT e.client, e.flows, e.servers, coalesce(p.before, 0) AS "Plain queries before", coalesce(p.after, 0) AS "Plain queries after"
FROM (SELECT src_ip AS client, count(*) AS flows, count(DISTINCT dst_ip) AS servers FROM encrypted_dns GROUP BY src_ip) e
LEFT JOIN (SELECT d.src_ip AS client, count(*) FILTER (WHERE d.ts < s.start) AS before, count(*) FILTER (WHERE d.ts >= s.start) AS after FROM dns d JOIN (SELECT capture_id, src_ip, min(ts) AS start FROM encrypted_dns GROUP BY capture_id, src_ip) s ON s.capture_id = d.capture_id AND s.src_ip = d.src_ip
  WHERE NOT d.is_response AND d.protocol = 'dns' AND d.transport IN ('udp', 'tcp') AND NOT starts_with(lower(d.query), '2.dnscrypt-cert.') GROUP BY d.src_ip) p ON p.client = e.client ORDER BY e.flows DESC, e.client;

-- @section "Names resolved inside" shape=table limit=15 if=dns
SELECT query AS name, qtype_name AS type, transport, count(*) FILTER (WHERE NOT is_response) AS queries, count(*) FILTER (WHERE is_response) AS answers, count(DISTINCT CASE WHEN is_response THEN dst_ip ELSE src_ip END) AS clients, min(frame) AS frame
FROM dns WHERE transport IN ('tls', 'https', 'quic') GROUP BY query, qtype_name, transport ORDER BY queries DESC, name, type;

-- @section "Designated resolver discovery" shape=table limit=15 if=dns
SELECT CASE WHEN is_response THEN dst_ip ELSE src_ip END AS client, query AS name, qtype_name AS type, array_to_string(answers, ' | ') AS answer, count(*) AS count, min(frame) AS frame
FROM dns WHERE starts_with(lower(query), '_dns.') AND qtype IN (64, 65) GROUP BY CASE WHEN is_response THEN dst_ip ELSE src_ip END, query, qtype_name, array_to_string(answers, ' | ') ORDER BY client, name, frame;

-- @finding encdns_external severity=low confidence=medium technique=T1071.004,T1572
WITH inside AS (SELECT DISTINCT capture_id, src_ip AS ip FROM dns WHERE is_response AND protocol = 'dns' AND transport IN ('udp', 'tcp') AND src_port = 53 AND is_private(src_ip)),
  has AS (SELECT DISTINCT capture_id FROM inside),
  plant AS (SELECT DISTINCT capture_id, ip FROM (SELECT capture_id, src_ip AS ip FROM flows WHERE service IN ('modbus', 's7comm', 'dnp3', 'iec104', 'mms', 'enip', 'bacnet') UNION SELECT capture_id, dst_ip AS ip FROM flows WHERE service IN ('modbus', 's7comm', 'dnp3', 'iec104', 'mms', 'enip', 'bacnet')))
SELECT CASE WHEN bool_or(o.ip IS NOT NULL) THEN 'high' WHEN bool_or(h.capture_id IS NOT NULL) THEN 'medium' ELSE 'low' END AS severity, 'Names are resolved by a public resolver, encrypted' AS title,
  e.kind || coalesce(' by ' || max(e.provider), '') || ' (' || min(e.certainty) || ': ' || min(e.evidence) || ')' AS details, e.src_ip, e.dst_ip, max(e.dst_port) AS dst_port, count(*) AS count, min(e.frame) AS frame, array_slice(array_sort(array_agg(e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.ts) AS end_ts, min(e.capture) AS capture
FROM encrypted_dns e LEFT JOIN inside i ON i.capture_id = e.capture_id AND i.ip = e.src_ip LEFT JOIN has h ON h.capture_id = e.capture_id LEFT JOIN plant o ON o.capture_id = e.capture_id AND o.ip = e.src_ip
WHERE is_public(e.dst_ip) AND NOT is_public(e.src_ip) AND i.ip IS NULL GROUP BY e.capture_id, e.src_ip, e.dst_ip, e.kind ORDER BY e.src_ip, e.dst_ip, e.kind;

-- @finding encdns_unknown_provider severity=medium confidence=medium technique=T1071.004
SELECT 'Encrypted DNS to a server that is no known resolver' AS title, kind || coalesce(', ' || max(name), '') || ' (' || min(evidence) || ')' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encrypted_dns WHERE certainty = 'certain' AND provider IS NULL AND is_public(dst_ip) AND NOT is_public(src_ip) GROUP BY kind, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port, kind;

-- @finding encdns_tunnel severity=high confidence=medium technique=T1572,T1048.002
WITH volume AS (SELECT min(e.capture) AS capture, e.capture_id, e.src_ip, e.dst_ip, e.kind, max(e.dst_port) AS dst_port, sum(CASE WHEN e.src_port = f.src_port THEN f.orig_bytes ELSE f.resp_bytes END) AS up, sum(CASE WHEN e.src_port = f.src_port THEN f.resp_bytes ELSE f.orig_bytes END) AS down,
    (CAST(max(f.end_ts) AS BIGINT) - CAST(min(f.ts) AS BIGINT)) / 3.6e12 AS hours, min(e.frame) AS frame, array_slice(array_sort(array_agg(e.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts
  FROM encrypted_dns e JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id GROUP BY e.capture_id, e.src_ip, e.dst_ip, e.kind)
SELECT 'Far more is sent to a resolver than questions need' AS title, kind || ': ' || CAST(up / 1024 AS VARCHAR) || ' KiB up, ' || CAST(down / 1024 AS VARCHAR) || ' KiB down' AS details, src_ip, dst_ip, dst_port, frame, frames, ts, end_ts, capture
FROM volume WHERE up > 1048576 * greatest(hours, 1.0) AND up >= 0.8 * down ORDER BY src_ip, dst_ip, kind;

-- @finding encdns_beacon severity=high confidence=medium technique=T1071.004
WITH starts AS (SELECT e.capture, e.capture_id, e.src_ip, e.dst_ip, e.dst_port, f.frame, f.ts, f.end_ts, f.orig_bytes + f.resp_bytes AS bytes, (CAST(f.ts AS BIGINT) - lag(CAST(f.ts AS BIGINT)) OVER (PARTITION BY e.capture_id, e.src_ip, e.dst_ip, e.dst_port ORDER BY f.ts, f.frame)) / 1e9 AS gap
    FROM encrypted_dns e JOIN flows f ON f.capture_id = e.capture_id AND f.flow_id = e.flow_id WHERE is_public(e.dst_ip)),
  pace AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, dst_port, count(*) AS n, median(gap) AS middle, median(bytes) AS size, (CAST(max(end_ts) AS BIGINT) - CAST(min(ts) AS BIGINT)) / 1e9 AS span, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
    FROM starts GROUP BY capture_id, src_ip, dst_ip, dst_port HAVING count(*) >= 8),
  spread AS (SELECT s.capture_id, s.src_ip, s.dst_ip, s.dst_port, median(abs(s.gap - p.middle)) AS off, median(abs(s.bytes - p.size)) AS size_off FROM starts s JOIN pace p ON p.capture_id = s.capture_id AND p.src_ip = s.src_ip AND p.dst_ip = s.dst_ip AND p.dst_port = s.dst_port GROUP BY s.capture_id, s.src_ip, s.dst_ip, s.dst_port)
SELECT 'A client asks an encrypted resolver by the clock' AS title, CAST(p.n AS VARCHAR) || ' connections, one every ' || CAST(round(p.middle, 1) AS VARCHAR) || ' s' AS details, p.src_ip, p.dst_ip, p.dst_port, p.n AS count, p.frame, p.frames, p.ts, p.end_ts, p.capture
FROM pace p JOIN spread s ON s.capture_id = p.capture_id AND s.src_ip = p.src_ip AND s.dst_ip = p.dst_ip AND s.dst_port = p.dst_port WHERE p.span >= 600 AND p.middle >= 5 AND s.off <= 0.15 * p.middle AND s.size_off <= 0.2 * p.size ORDER BY p.src_ip, p.dst_ip, p.dst_port;

-- @finding encdns_bypass severity=medium confidence=medium technique=T1562.006
WITH given AS (SELECT DISTINCT capture_id, yiaddr AS ip FROM (SELECT capture_id, yiaddr, unnest(dns_servers) AS resolver FROM dhcp WHERE op = 2 AND dns_servers IS NOT NULL) WHERE is_private(resolver)),
  used AS (SELECT DISTINCT capture_id, src_ip AS ip, lower(server_name) AS name FROM tls WHERE message = 'client_hello' AND server_name IS NOT NULL UNION SELECT DISTINCT capture_id, src_ip AS ip, lower(regexp_replace(host, ':[0-9]+$', '')) AS name FROM http WHERE is_request AND host IS NOT NULL),
  asked AS (SELECT DISTINCT capture_id, src_ip AS ip, lower(query) AS name FROM dns WHERE NOT is_response AND transport IN ('udp', 'tcp') AND query IS NOT NULL),
  share AS (SELECT u.capture_id, u.ip, count(*) AS names, count(*) FILTER (WHERE a.name IS NULL) AS hidden FROM used u JOIN given g ON g.capture_id = u.capture_id AND g.ip = u.ip LEFT JOIN asked a ON a.capture_id = u.capture_id AND a.ip = u.ip AND a.name = u.name GROUP BY u.capture_id, u.ip)
SELECT 'A client avoids the resolver it was given' AS title, CAST(max(s.hidden) AS VARCHAR) || ' of ' || CAST(max(s.names) AS VARCHAR) || ' names it went to were never asked for in the clear' AS details, e.src_ip, e.dst_ip, max(e.dst_port) AS dst_port, count(*) AS count, min(e.frame) AS frame, min(e.ts) AS ts, max(e.ts) AS end_ts, min(e.capture) AS capture
FROM encrypted_dns e JOIN share s ON s.capture_id = e.capture_id AND s.ip = e.src_ip WHERE s.names >= 5 AND s.hidden >= 0.8 * s.names GROUP BY e.capture_id, e.src_ip, e.dst_ip ORDER BY e.src_ip, e.dst_ip;

-- @finding encdns_odd_port severity=low confidence=high technique=T1571
SELECT kind || ' on an unusual port' AS title, evidence AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM encrypted_dns WHERE kind IN ('DoT', 'DoQ') AND dst_port NOT IN (853, 784, 8853) GROUP BY kind, evidence, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port, kind;
