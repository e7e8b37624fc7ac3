-- @analyzer vnc
-- @group    it
-- @title    VNC ANALYSIS
-- @help     VNC sessions and authentication

-- @section summary shape=facts
SELECT count(*) AS sessions, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, array_to_string(array_sort(array_agg(DISTINCT server_version)), ', ') AS server_versions, array_to_string(array_sort(array_agg(DISTINCT client_version)), ', ') AS client_versions,
  array_to_string(array_sort(array_agg(DISTINCT coalesce(security_type, CAST(security_type_code AS VARCHAR)))), ', ') AS security_agreed, count(*) FILTER (WHERE auth_success) AS accepted, count(*) FILTER (WHERE NOT auth_success) AS refused,
  array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports FROM vnc;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, dst_port AS port, client_version AS version, coalesce(security_type, CAST(security_type_code AS VARCHAR)) AS security, CASE WHEN auth_success THEN 'accepted' WHEN NOT auth_success THEN 'refused' END AS result,
  substr(desktop_name, 1, 24) AS desktop, CAST(width AS VARCHAR) || 'x' || CAST(height AS VARCHAR) AS size, key_events AS keys FROM vnc ORDER BY capture, frame;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, dst_port AS port, server_version AS version, substr(min(desktop_name), 1, 32) AS desktop, count(*) AS sessions, count(DISTINCT src_ip) AS clients FROM vnc GROUP BY dst_ip, dst_port, server_version ORDER BY sessions DESC, server, port, version;

-- @section "Security offered" shape=table limit=15 if=vnc
SELECT type AS code, CASE type WHEN 1 THEN 'none' WHEN 2 THEN 'vnc_auth' WHEN 5 THEN 'ra2' WHEN 6 THEN 'ra2ne' WHEN 16 THEN 'tight' WHEN 17 THEN 'ultra' WHEN 18 THEN 'tls' WHEN 19 THEN 'vencrypt' WHEN 20 THEN 'sasl' WHEN 30 THEN 'apple_ard' END AS name, count(DISTINCT dst_ip) AS servers, count(*) AS offers
FROM (SELECT dst_ip, unnest(security_types) AS type FROM vnc) GROUP BY type ORDER BY offers DESC, code;

-- @section "Refusals" shape=table limit=15
SELECT dst_ip AS server, src_ip AS client, failure_reason AS reason, count(*) AS count FROM vnc WHERE failure_reason IS NOT NULL GROUP BY dst_ip, src_ip, failure_reason ORDER BY count DESC, server, client, reason;

-- @section "Encodings and typed text" shape=table verbose
SELECT src_ip AS client, dst_ip AS server, array_to_string(encodings, ' ') AS encodings, pointer_events AS pointers, client_cut_bytes AS clipboard_bytes, typed_text AS typed FROM vnc ORDER BY capture, frame;

-- @finding vnc_no_auth severity=high confidence=high technique=T1021.005
SELECT CASE WHEN max(CASE WHEN security_type_code = 1 THEN 1 ELSE 0 END) = 1 THEN 'high' ELSE 'medium' END AS severity, CASE WHEN max(CASE WHEN security_type_code = 1 THEN 1 ELSE 0 END) = 1 THEN 'A desktop without a password' ELSE 'A desktop offers access without a password' END AS title,
  coalesce(min(desktop_name), 'no name seen') AS details, dst_ip AS src_ip, dst_port AS src_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM vnc WHERE security_type_code = 1 AND width IS NOT NULL OR array_has(security_types, 1) GROUP BY dst_ip, dst_port ORDER BY dst_ip, dst_port;

-- @finding vnc_weak_auth severity=low confidence=high technique=T1040
SELECT 'A login that can be cracked offline' AS title, 'challenge and response with DES' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM vnc WHERE security_type_code = 2 AND response IS NOT NULL GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding vnc_brute severity=high confidence=high technique=T1110.001
SELECT 'VNC passwords are guessed' AS title, CASE WHEN count(*) >= 10 THEN CAST(count(*) AS VARCHAR) || ' refused logins within five minutes' ELSE max(failure_reason) END AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM vnc WHERE NOT auth_success OR lower(failure_reason) LIKE '%too many%fail%' GROUP BY src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 300000000000
HAVING count(*) >= 10 OR max(CASE WHEN lower(failure_reason) LIKE '%too many%fail%' THEN 1 ELSE 0 END) = 1 ORDER BY src_ip, dst_ip, dst_port, frame;

-- @finding vnc_guess_succeeded severity=high confidence=medium technique=T1110
WITH failed AS (SELECT capture_id, src_ip, dst_ip, frame, CAST(ts AS BIGINT) AS at, ts FROM vnc WHERE NOT auth_success),
good AS (SELECT capture_id, src_ip, dst_ip, dst_port, frame, CAST(ts AS BIGINT) AS at, ts FROM vnc WHERE auth_success)
SELECT 'A login succeeded after many refused ones' AS title, CAST(count(*) AS VARCHAR) || ' refused before it' AS details, g.src_ip, g.dst_ip, g.dst_port, g.frame, count(*) + 1 AS count, min(f.ts) AS ts, g.ts AS end_ts
FROM good g JOIN failed f ON f.capture_id = g.capture_id AND f.src_ip = g.src_ip AND f.dst_ip = g.dst_ip AND g.at - f.at BETWEEN 0 AND 600000000000 GROUP BY g.src_ip, g.dst_ip, g.dst_port, g.frame, g.ts HAVING count(*) >= 10 ORDER BY g.src_ip, g.dst_ip, g.frame;

-- @finding vnc_public severity=high confidence=high technique=T1133
SELECT 'A desktop is controlled across the border' AS title, CAST(count(*) AS VARCHAR) || ' sessions' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM vnc WHERE is_private(src_ip) AND is_public(dst_ip) OR is_public(src_ip) AND is_private(dst_ip) GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding vnc_odd_port severity=low confidence=high technique=T1571
SELECT CASE WHEN is_public(dst_ip) THEN 'medium' ELSE 'low' END AS severity, 'VNC on another port' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM vnc WHERE dst_port NOT BETWEEN 5900 AND 5999 AND dst_port NOT BETWEEN 5800 AND 5899 AND dst_port <> 5500 AND src_port <> 5500 GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;
