-- @analyzer vnc
-- @group    it
-- @title    VNC ANALYSIS
-- @help     VNC sessions and authentication

-- @section summary shape=facts
SELECT count(*) AS sessions, count(*) FILTER (WHERE auth_success) AS accepted, count(*) FILTER (WHERE auth_success = false) AS refused, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers,
  array_to_string(array_sort(array_agg(DISTINCT server_version)), ', ') AS versions, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports, min(ts) AS first, max(ts) AS last FROM vnc;

-- @section "Sessions" shape=table limit=20
SELECT v.ts, v.src_ip AS client, v.dst_ip || ':' || CAST(v.dst_port AS VARCHAR) AS server, v.server_version AS version, v.security_type AS security, CASE WHEN v.auth_success THEN 'accepted' WHEN v.auth_success = false THEN 'refused' ELSE '-' END AS login,
  v.desktop_name AS desktop, CAST(v.width AS VARCHAR) || 'x' || CAST(v.height AS VARCHAR) AS size, v.key_events AS "Keys", f.duration_s
FROM vnc v JOIN flows f ON f.capture_id = v.capture_id AND f.flow_id = v.flow_id ORDER BY v.capture, v.frame;

-- @section "Security offered" shape=table limit=15
SELECT dst_ip AS server, array_to_string(security_types, ', ') AS "Types offered", security_type AS agreed, count(*) AS sessions FROM vnc GROUP BY dst_ip, array_to_string(security_types, ', '), security_type ORDER BY sessions DESC, server, agreed;

-- @section "Refusals" shape=table limit=15
SELECT dst_ip AS server, coalesce(failure_reason, 'no reason given') AS reason, count(*) AS sessions FROM vnc WHERE auth_success = false GROUP BY dst_ip, failure_reason ORDER BY sessions DESC, server, reason;

-- @section "Typed" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, typed_text AS text FROM vnc WHERE typed_text IS NOT NULL ORDER BY capture, frame;

-- @finding vnc_no_auth severity=high confidence=high technique=T1021.005
SELECT CASE WHEN bool_or(security_type_code = 1 AND width IS NOT NULL) THEN 'high' ELSE 'medium' END AS severity, 'A desktop without a password' AS title, coalesce(max(desktop_name), 'type none ' || CASE WHEN bool_or(security_type_code = 1) THEN 'agreed' ELSE 'offered' END) AS details, min(src_ip) AS src_ip, dst_ip, max(dst_port) AS dst_port,
  count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM vnc WHERE security_type_code = 1 OR array_has(security_types, 1) GROUP BY dst_ip, capture ORDER BY dst_ip;

-- @finding vnc_weak_auth severity=low confidence=high technique=T1040
SELECT 'A login that can be cracked' AS title, 'challenge and response of VNC authentication (DES, 8 characters at most)' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM vnc WHERE security_type_code = 2 AND response IS NOT NULL GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding vnc_brute severity=high confidence=high technique=T1110.001
SELECT 'Passwords are being guessed' AS title, CAST(count(*) AS VARCHAR) || ' refused logins within 5 minutes' || coalesce(': ' || max(failure_reason), '') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM vnc WHERE auth_success = false GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) >= 10 OR bool_or(failure_reason LIKE 'Too many %') ORDER BY src_ip, dst_ip, frame;

-- @finding vnc_guess_succeeded severity=high confidence=high technique=T1110
SELECT 'A login was accepted after many refused' AS title, CAST(max(f.n) AS VARCHAR) || ' refused before' AS details, s.src_ip, s.dst_ip, max(s.dst_port) AS dst_port, count(*) AS count, min(s.frame) AS frame, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
FROM vnc s JOIN (SELECT capture_id, src_ip, dst_ip, count(*) AS n, max(ts) AS until FROM vnc WHERE auth_success = false GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5) f ON f.capture_id = s.capture_id AND f.src_ip = s.src_ip AND f.dst_ip = s.dst_ip
WHERE s.auth_success AND CAST(s.ts AS BIGINT) - CAST(f.until AS BIGINT) BETWEEN 0 AND 600000000000 GROUP BY s.capture_id, s.src_ip, s.dst_ip ORDER BY s.src_ip, s.dst_ip;

-- @finding vnc_sweep severity=medium confidence=high technique=T1046
SELECT 'One client tries desktop after desktop' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' servers within 5 minutes' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM flows WHERE dst_port BETWEEN 5900 AND 5909 AND transport = 'tcp' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT dst_ip) >= 15 ORDER BY src_ip, frame;

-- @finding vnc_public severity=high confidence=high technique=T1133
SELECT 'A desktop across the border' AS title, coalesce(max(desktop_name), 'security ' || max(security_type), 'no login') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM vnc WHERE (is_public(src_ip) AND is_private(dst_ip)) OR (is_private(src_ip) AND is_public(dst_ip)) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding vnc_odd_port severity=low confidence=high technique=T1571
SELECT 'VNC on an unusual port' AS title, 'version ' || coalesce(max(server_version), 'unknown') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM vnc WHERE dst_port NOT BETWEEN 5900 AND 5999 AND dst_port NOT BETWEEN 5800 AND 5899 AND dst_port <> 5500 AND src_port <> 5500 GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding vnc_reverse severity=medium confidence=high technique=T1219
SELECT 'A server connected to its viewer' AS title, 'the desktop of ' || v.dst_ip || ' was brought to ' || v.src_ip AS details, v.src_ip, v.dst_ip, v.frame, v.ts, v.capture FROM vnc v JOIN flows f ON f.capture_id = v.capture_id AND f.flow_id = v.flow_id WHERE f.src_ip = v.dst_ip AND f.src_ip <> f.dst_ip ORDER BY v.capture, v.frame;

-- @finding vnc_ot severity=medium confidence=medium technique=T0823,T0886
SELECT 'The desktop of an industrial station is shared' AS title, coalesce('desktop ' || max(v.desktop_name) || ', ', '') || v.dst_ip || ' is ' || min(o.kind) AS details, v.src_ip, v.dst_ip, max(v.dst_port) AS dst_port, count(DISTINCT v.frame) AS count, min(v.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT v.frame)), 1, 20) AS frames, min(v.ts) AS ts, max(v.ts) AS end_ts, min(v.capture) AS capture
FROM vnc v JOIN ot_assets o ON o.capture_id = v.capture_id AND o.ip = v.dst_ip GROUP BY v.capture_id, v.src_ip, v.dst_ip ORDER BY v.src_ip, v.dst_ip;
