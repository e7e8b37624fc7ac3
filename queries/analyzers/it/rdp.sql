-- @analyzer rdp
-- @group    it
-- @title    RDP ANALYSIS
-- @help     Remote Desktop sessions, users, brute force

-- @section summary shape=facts
SELECT count(*) AS attempts, count(*) FILTER (WHERE result IN ('encrypted', 'Success') OR connected) AS negotiated, count(*) FILTER (WHERE transport <> 'tcp') AS "Over UDP", count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers,
  array_to_string(array_sort(array_agg(DISTINCT security_protocol)), ', ') AS security, min(ts) AS first, max(ts) AS last FROM rdp;

-- @section "Sessions" shape=table limit=25
SELECT r.ts, r.src_ip AS client, r.dst_ip || ':' || CAST(r.dst_port AS VARCHAR) AS server, r.cookie, r.client_name AS name, r.client_build AS build, r.security_protocol AS security, r.result, f.orig_bytes AS sent_bytes, f.resp_bytes AS received_bytes, f.duration_s
FROM rdp r JOIN flows f ON f.capture_id = r.capture_id AND f.flow_id = r.flow_id ORDER BY r.capture, r.frame;

-- @section "Servers" shape=table limit=15
SELECT r.dst_ip AS server, r.dst_port AS port, array_to_string(array_sort(array_agg(DISTINCT r.security_protocol)), ', ') AS security, max(r.encryption_method_name) AS encryption, max(r.encryption_level_name) AS level, max(x.subject) AS certificate, bool_or(x.self_signed) AS "Self-signed", count(DISTINCT r.src_ip) AS clients
FROM rdp r LEFT JOIN x509 x ON x.capture_id = r.capture_id AND x.flow_id = r.flow_id AND x.chain_index = 0 GROUP BY r.dst_ip, r.dst_port ORDER BY clients DESC, server, port;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, array_to_string(array_sort(array_agg(DISTINCT client_name)), ', ') AS names, array_to_string(array_sort(array_agg(DISTINCT cookie)), ', ') AS users, max(client_version) AS version, max(keyboard_layout_name) AS keyboard, max(CAST(desktop_width AS VARCHAR) || 'x' || CAST(desktop_height AS VARCHAR)) AS desktop, count(*) AS attempts
FROM rdp GROUP BY src_ip ORDER BY attempts DESC, client;

-- @section "Channels" shape=table limit=15
SELECT channel, count(*) AS sessions FROM (SELECT unnest(client_channels) AS channel FROM rdp WHERE client_channels IS NOT NULL) GROUP BY channel ORDER BY sessions DESC, channel;

-- @section "Failures" shape=table limit=15
SELECT result AS failure, count(*) AS attempts, count(DISTINCT src_ip) AS clients FROM rdp WHERE failure_code IS NOT NULL GROUP BY result ORDER BY attempts DESC, failure;

-- @finding rdp_exposed severity=high confidence=high technique=T1133,T1021.001
SELECT CASE WHEN bool_or(result IN ('encrypted', 'Success')) THEN 'high' ELSE 'medium' END AS severity, 'A desktop is open to the internet' AS title, CAST(count(*) AS VARCHAR) || ' attempts' || coalesce(', user ' || max(cookie), '') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM rdp WHERE is_public(src_ip) AND is_private(dst_ip) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding rdp_brute_force severity=high confidence=medium technique=T1110.001
WITH tries AS (SELECT r.capture, r.capture_id, r.src_ip, r.dst_ip, r.dst_port, r.frame, r.ts, coalesce(f.duration_s, 0) < 30 AND f.orig_bytes + f.resp_bytes < 20000 AS short, coalesce(f.duration_s, 0) > 60 AS long FROM rdp r JOIN flows f ON f.capture_id = r.capture_id AND f.flow_id = r.flow_id WHERE r.transport = 'tcp')
SELECT CASE WHEN bool_or(long) THEN 'critical' ELSE 'high' END AS severity, 'Logins are being guessed' AS title, CAST(count(*) FILTER (WHERE short) AS VARCHAR) || ' short connections within 5 minutes' || CASE WHEN bool_or(long) THEN ', then a long one' ELSE '' END AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture FROM tries GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) FILTER (WHERE short) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding rdp_cookie_spray severity=high confidence=high technique=T1110.003
SELECT 'One client tries many accounts' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT cookie)), 1, 8), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM rdp WHERE cookie IS NOT NULL GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT cookie) >= 5 ORDER BY src_ip, frame;

-- @finding rdp_scan severity=medium confidence=high technique=T1046
SELECT 'One client tries desktop after desktop' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers within a minute' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM flows WHERE dst_port = 3389 AND transport = 'tcp' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT dst_ip) >= 10 ORDER BY src_ip, frame;

-- @finding rdp_weak_security severity=medium confidence=high technique=T1557
SELECT CASE WHEN bool_or(encryption_method IN (0, 1, 8)) THEN 'high' ELSE 'medium' END AS severity, 'A desktop without TLS' AS title, 'RDP''s own security, ' || coalesce(max(encryption_method_name), 'method unknown') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM rdp WHERE security_protocol = 'RDP' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding rdp_no_nla severity=low confidence=high technique=T1021.001
SELECT 'A server shows its desktop before the login' AS title, 'TLS selected, though the client offered network level authentication' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rdp WHERE security_protocol = 'SSL' AND (CAST(requested_protocols AS BIGINT) & 2) <> 0 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding rdp_bluekeep severity=critical confidence=high technique=T1210
SELECT 'A client asks for the channel that BlueKeep abuses' AS title, array_to_string(client_channels, ', ') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM rdp WHERE array_has(client_channels, 'MS_T120') ORDER BY capture, frame;

-- @finding rdp_scanner_client severity=medium confidence=medium technique=T1595
SELECT 'A client that is a tool, not a person' AS title, coalesce('cookie ' || cookie, 'name ' || client_name) AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rdp WHERE lower(cookie) IN ('hello', 'nmap', 'a') OR lower(client_name) IN ('kali', 'nmap') GROUP BY cookie, client_name, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding rdp_clear_credentials severity=high confidence=high technique=T1552
SELECT 'A password without encryption' AS title, 'user ' || coalesce(domain || '\', '') || username AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM rdp WHERE password IS NOT NULL ORDER BY capture, frame;

-- @finding rdp_nonstandard_port severity=low confidence=high technique=T1571
SELECT 'RDP on an unusual port' AS title, coalesce('user ' || max(cookie), 'no cookie') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rdp WHERE dst_port <> 3389 AND transport = 'tcp' GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding rdp_tunnel severity=medium confidence=high technique=T1572
SELECT 'RDP from the machine itself: a tunnel' AS title, coalesce('user ' || max(cookie), 'no cookie') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM rdp WHERE src_ip = '127.0.0.1' AND transport = 'tcp' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding rdp_lateral_chain severity=high confidence=medium technique=T1021.001
WITH sessions AS (SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts FROM rdp WHERE connected AND transport = 'tcp' AND src_ip <> dst_ip),
-- A jump host takes several in and leads on to several.
jumps AS (SELECT i.capture_id, i.ip FROM (SELECT capture_id, dst_ip AS ip, count(DISTINCT src_ip) AS clients FROM sessions GROUP BY capture_id, dst_ip) i JOIN (SELECT capture_id, src_ip AS ip, count(DISTINCT dst_ip) AS servers FROM sessions GROUP BY capture_id, src_ip) o ON o.capture_id = i.capture_id AND o.ip = i.ip WHERE i.clients >= 3 AND o.servers >= 3)
SELECT 'A desktop session leads on to a third host' AS title, a.src_ip || ' to ' || a.dst_ip || ', then on to ' || b.dst_ip AS details, b.src_ip, b.dst_ip, max(b.dst_port) AS dst_port, count(DISTINCT b.frame) AS count, min(b.frame) AS frame, array_slice(array_sort(array_distinct(array_concat(array_agg(a.frame), array_agg(b.frame)))), 1, 20) AS frames, min(a.ts) AS ts, max(b.ts) AS end_ts, min(b.capture) AS capture
FROM sessions a JOIN sessions b ON b.capture_id = a.capture_id AND b.src_ip = a.dst_ip AND b.dst_ip <> a.src_ip LEFT JOIN jumps j ON j.capture_id = a.capture_id AND j.ip = a.dst_ip
WHERE CAST(b.ts AS BIGINT) - CAST(a.ts AS BIGINT) BETWEEN 0 AND 600000000000 AND j.ip IS NULL GROUP BY a.capture_id, a.src_ip, a.dst_ip, b.src_ip, b.dst_ip ORDER BY b.src_ip, b.dst_ip, details;

-- @finding rdp_large_transfer severity=medium confidence=medium technique=T1048,T1115
SELECT 'Much went through a desktop session' AS title, CAST(sum(f.orig_bytes) AS VARCHAR) || ' bytes from the client, with ' || array_to_string(array_sort(array_agg(DISTINCT CASE WHEN array_has(r.client_channels, 'rdpdr') AND array_has(r.client_channels, 'cliprdr') THEN 'drives and clipboard' WHEN array_has(r.client_channels, 'rdpdr') THEN 'drives' ELSE 'clipboard' END)), ', ') || ' shared' AS details, r.src_ip, r.dst_ip, max(r.dst_port) AS dst_port, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(f.end_ts) AS end_ts, min(r.capture) AS capture
FROM rdp r JOIN flows f ON f.capture_id = r.capture_id AND f.flow_id = r.flow_id WHERE (array_has(r.client_channels, 'rdpdr') OR array_has(r.client_channels, 'cliprdr')) AND f.orig_bytes >= 50000000 GROUP BY r.capture_id, r.src_ip, r.dst_ip ORDER BY r.src_ip, r.dst_ip;
