-- @analyzer ssh
-- @group    it
-- @title    SSH ANALYSIS
-- @help     SSH versions, algorithms, fingerprints, logins

-- @section summary shape=facts
SELECT count(*) AS connections, count(*) FILTER (WHERE client IS NOT NULL AND server IS NOT NULL AND (orig_encrypted_bytes > 0 OR resp_encrypted_bytes > 0)) AS complete_handshakes, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers,
  array_to_string(array_sort(array_agg(DISTINCT version)), ', ') AS versions, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports,
  count(*) FILTER (WHERE auth_success) AS "logins that look accepted", count(*) FILTER (WHERE NOT auth_success) AS "logins that look refused" FROM ssh_sessions;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, dst_port AS port, version AS v, kex_alg AS kex, cipher_alg AS cipher, orig_encrypted_bytes AS up_bytes, resp_encrypted_bytes AS down_bytes,
  CASE WHEN auth_success THEN 'accepted?' WHEN NOT auth_success THEN 'refused?' ELSE 'unknown' END AS login FROM ssh_sessions ORDER BY capture, frame;

-- @section "Software and HASSH" shape=table limit=15
SELECT is_server AS server, hassh, software, count(*) AS sessions, count(DISTINCT ip) AS hosts FROM (
  SELECT false AS is_server, hassh, client AS software, src_ip AS ip FROM ssh_sessions WHERE client IS NOT NULL OR hassh IS NOT NULL
  UNION ALL SELECT true AS is_server, hassh_server AS hassh, server AS software, dst_ip AS ip FROM ssh_sessions WHERE server IS NOT NULL OR hassh_server IS NOT NULL)
GROUP BY is_server, hassh, software ORDER BY is_server, sessions DESC, software, hassh;

-- @section "Host keys" shape=table limit=15
SELECT host_key AS fingerprint, host_key_type AS type, count(*) AS sessions, array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 3), ', ') AS servers FROM ssh_sessions WHERE host_key IS NOT NULL GROUP BY host_key, host_key_type ORDER BY sessions DESC, fingerprint;

-- @section "Algorithms agreed" shape=table limit=15
SELECT kex_alg AS kex, host_key_alg AS "host key", cipher_alg AS cipher, mac_alg AS mac, count(*) AS sessions FROM ssh_sessions WHERE kex_alg IS NOT NULL GROUP BY kex_alg, host_key_alg, cipher_alg, mac_alg ORDER BY sessions DESC, kex, "host key", cipher, mac;

-- @section "Logins, estimated from sizes" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, count(*) AS sessions, count(*) FILTER (WHERE auth_success) AS accepted, count(*) FILTER (WHERE NOT auth_success) AS refused, count(*) FILTER (WHERE auth_success IS NULL) AS unknown
FROM ssh_sessions GROUP BY src_ip, dst_ip ORDER BY sessions DESC, client, server;

-- @section "Disconnects" shape=table limit=15
SELECT src_ip AS "From", dst_ip AS "To", disconnect_code AS code, disconnect_text AS text, count(*) AS count FROM ssh WHERE message = 'disconnect' GROUP BY src_ip, dst_ip, disconnect_code, disconnect_text ORDER BY count DESC, "From", "To", code, text;

-- @finding ssh_brute severity=high confidence=medium technique=T1110.001
SELECT 'SSH passwords are guessed' AS title, CAST(sum(failures) AS VARCHAR) || ' refused logins in ' || CAST(count(*) AS VARCHAR) || ' sessions within five minutes (estimated from sizes)' AS details, src_ip, dst_ip, dst_port, CAST(sum(failures) AS BIGINT) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM (SELECT *, CASE WHEN auth_success THEN CAST(auth_attempts AS BIGINT) - 2 ELSE CAST(auth_attempts AS BIGINT) - 1 END AS failures FROM ssh_sessions WHERE auth_success IS NOT NULL) WHERE failures > 0
GROUP BY src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 300000000000 HAVING sum(failures) >= 10 ORDER BY src_ip, dst_ip, dst_port, frame;

-- @finding ssh_guess_succeeded severity=high confidence=medium technique=T1110
WITH failed AS (SELECT capture_id, src_ip, dst_ip, frame, CAST(ts AS BIGINT) AS at, ts FROM ssh_sessions WHERE NOT auth_success),
good AS (SELECT capture_id, src_ip, dst_ip, dst_port, frame, CAST(ts AS BIGINT) AS at, ts FROM ssh_sessions WHERE auth_success)
SELECT 'A login looks accepted after refused ones' AS title, CAST(count(*) AS VARCHAR) || ' refused sessions before it' AS details, g.src_ip, g.dst_ip, g.dst_port, g.frame, count(*) + 1 AS count, min(f.ts) AS ts, g.ts AS end_ts
FROM good g JOIN failed f ON f.capture_id = g.capture_id AND f.src_ip = g.src_ip AND f.dst_ip = g.dst_ip AND g.at - f.at BETWEEN 0 AND 1800000000000 GROUP BY g.src_ip, g.dst_ip, g.dst_port, g.frame, g.ts HAVING count(*) >= 5 ORDER BY g.src_ip, g.dst_ip, g.frame;

-- @finding ssh_terrapin severity=low confidence=high technique=T1557
SELECT 'Open to the Terrapin attack' AS title, cipher_alg || ' without strict key exchange' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM ssh_sessions WHERE terrapin_vulnerable GROUP BY src_ip, dst_ip, dst_port, cipher_alg ORDER BY src_ip, dst_ip, dst_port, cipher_alg;

-- @finding ssh_host_key_changed severity=high confidence=medium technique=T1557
SELECT 'A server shows two keys of one type' AS title, host_key_type || ': ' || array_to_string(array_sort(array_agg(DISTINCT host_key)), ', ') AS details, dst_ip AS src_ip, dst_port AS src_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM ssh_sessions WHERE host_key IS NOT NULL AND orig_encrypted_bytes > 0 GROUP BY dst_ip, dst_port, host_key_type HAVING count(DISTINCT host_key) > 1 ORDER BY dst_ip, dst_port, host_key_type;

-- @finding ssh_v1 severity=medium confidence=high technique=T1040
SELECT 'SSH version 1' AS title, coalesce(client, '-') || ' with ' || coalesce(server, '-') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM ssh_sessions WHERE version = 1 AND client IS NOT NULL AND server IS NOT NULL GROUP BY src_ip, dst_ip, dst_port, client, server ORDER BY src_ip, dst_ip, dst_port, client, server;

-- @finding ssh_weak_agreed severity=low confidence=high technique=T1600
SELECT 'Weak algorithms were agreed' AS title, weak AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM (SELECT *, array_to_string(array_sort(array_distinct(make_array(
    CASE WHEN regexp_like(cipher_alg, '^(arcfour|3des|none$)|-cbc') THEN cipher_alg END, CASE WHEN regexp_like(cipher_alg_server, '^(arcfour|3des|none$)|-cbc') THEN cipher_alg_server END,
    CASE WHEN regexp_like(mac_alg, '^(none$|hmac-md5|hmac-sha1-96)') THEN mac_alg END,
    CASE WHEN kex_alg IN ('diffie-hellman-group1-sha1', 'diffie-hellman-group-exchange-sha1') THEN kex_alg END, CASE WHEN host_key_alg IN ('ssh-dss', 'ssh-rsa') THEN host_key_alg END))), ', ') AS weak FROM ssh_sessions WHERE kex_alg IS NOT NULL)
WHERE weak <> '' GROUP BY src_ip, dst_ip, dst_port, weak ORDER BY src_ip, dst_ip, dst_port, weak;

-- @finding ssh_odd_port severity=low confidence=high technique=T1571
SELECT CASE WHEN is_public(dst_ip) THEN 'medium' ELSE 'low' END AS severity, 'SSH on another port' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM ssh_sessions WHERE dst_port NOT IN (22, 2222) AND src_port <> 22 AND client IS NOT NULL AND server IS NOT NULL GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding ssh_known_tool severity=medium confidence=medium technique=T1021.004
SELECT 'A library or scanner speaks SSH from outside' AS title, client AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM ssh_sessions WHERE is_public(src_ip) AND regexp_like(lower(client), '^ssh-[0-9.]+-(libssh|paramiko|go$|go |zgrab|masscan|ncrack|hydra|medusa|nmap|cobalt)') GROUP BY src_ip, dst_ip, dst_port, client ORDER BY src_ip, dst_ip, dst_port, client;
