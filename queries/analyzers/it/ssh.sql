-- @analyzer ssh
-- @group    it
-- @title    SSH ANALYSIS
-- @help     SSH versions, algorithms, fingerprints, logins

-- @section summary shape=facts
SELECT count(*) AS connections, count(*) FILTER (WHERE kex_alg IS NOT NULL AND host_key IS NOT NULL) AS "Handshakes complete", count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, count(*) FILTER (WHERE version = 1) AS "Version 1",
  count(*) FILTER (WHERE auth_success) AS "Logins, likely", count(*) FILTER (WHERE auth_success = false) AS "Refused, likely", array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports, min(ts) AS first, max(ts) AS last FROM ssh_sessions;

-- @section "Sessions" shape=table limit=20
SELECT f.ts AS start, s.src_ip AS client, s.dst_ip || ':' || CAST(s.dst_port AS VARCHAR) AS server, CASE WHEN s.auth_success THEN 'accepted' WHEN s.auth_success = false THEN 'refused' ELSE '-' END AS login, s.auth_attempts AS tries, s.auth_confidence AS sure,
  s.interactive, s.orig_encrypted_bytes AS sent_bytes, s.resp_encrypted_bytes AS received_bytes, f.duration_s
FROM ssh_sessions s JOIN flows f ON f.capture_id = s.capture_id AND f.flow_id = s.flow_id ORDER BY f.ts, f.frame;

-- @section "Agreed" shape=table limit=15
SELECT coalesce(kex_alg, '-') AS kex, coalesce(host_key_alg, '-') AS "Host key", coalesce(cipher_alg, '-') AS cipher, coalesce(mac_alg, '-') AS mac, count(*) AS connections FROM ssh_sessions GROUP BY kex_alg, host_key_alg, cipher_alg, mac_alg ORDER BY connections DESC, kex, "Host key", cipher, mac;

-- @section "Software" shape=table limit=15
SELECT CASE WHEN is_server THEN 'server' ELSE 'client' END AS side, coalesce(v.version_string, '-') AS version, h.hash AS hassh, count(*) AS connections, count(DISTINCT v.src_ip) AS hosts
FROM (SELECT capture_id, flow_id, src_ip, is_server, version_string FROM ssh WHERE message = 'version') v
LEFT JOIN (SELECT capture_id, flow_id, is_server AS server, min(coalesce(hassh, hassh_server)) AS hash FROM ssh WHERE message = 'kexinit' GROUP BY capture_id, flow_id, is_server) h ON h.capture_id = v.capture_id AND h.flow_id = v.flow_id AND h.server = v.is_server
GROUP BY is_server, v.version_string, h.hash ORDER BY connections DESC, side, version, hassh;

-- @section "Host keys" shape=table limit=15
SELECT host_key AS fingerprint, host_key_type AS type, array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 4), ', ') AS servers, count(*) AS connections FROM ssh_sessions WHERE host_key IS NOT NULL GROUP BY host_key, host_key_type ORDER BY connections DESC, fingerprint;

-- @section "Logins by pair" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, count(*) AS connections, count(*) FILTER (WHERE auth_success) AS accepted, count(*) FILTER (WHERE auth_success = false) AS refused, count(*) FILTER (WHERE auth_success IS NULL) AS unknown, sum(auth_attempts) AS tries FROM ssh_sessions GROUP BY src_ip, dst_ip ORDER BY connections DESC, client, server;

-- @section "Messages" shape=table verbose
SELECT ts, CASE WHEN is_server THEN 'server' ELSE 'client' END AS "from", message, coalesce(version_string, host_key_sha256, disconnect_text, array_to_string(array_slice(kex_algorithms, 1, 3), ', ')) AS text, frame FROM ssh ORDER BY capture, frame, "from";

-- @finding ssh_brute severity=high confidence=medium technique=T1110.001
SELECT 'Passwords are being guessed' AS title, CAST(sum(auth_attempts) AS VARCHAR) || ' refused tries in ' || CAST(count(*) AS VARCHAR) || ' connections within 5 minutes (judged by sizes)' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ssh_sessions WHERE auth_success = false GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING sum(auth_attempts) >= 10 ORDER BY src_ip, dst_ip, frame;

-- @finding ssh_guess_succeeded severity=high confidence=medium technique=T1110
SELECT 'A login was accepted after many refused' AS title, CAST(max(f.n) AS VARCHAR) || ' refused connections before (judged by sizes)' AS details, s.src_ip, s.dst_ip, max(s.dst_port) AS dst_port, count(*) AS count, min(s.frame) AS frame, array_slice(array_sort(array_agg(s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
FROM ssh_sessions s JOIN (SELECT capture_id, src_ip, dst_ip, count(*) AS n, max(ts) AS until FROM ssh_sessions WHERE auth_success = false GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5) f ON f.capture_id = s.capture_id AND f.src_ip = s.src_ip AND f.dst_ip = s.dst_ip
WHERE s.auth_success AND CAST(s.ts AS BIGINT) - CAST(f.until AS BIGINT) BETWEEN 0 AND 1800000000000 GROUP BY s.capture_id, s.src_ip, s.dst_ip ORDER BY s.src_ip, s.dst_ip;

-- @finding ssh_sweep severity=medium confidence=high technique=T1046
SELECT 'One client tries server after server' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' SSH servers within 5 minutes' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM flows WHERE dst_port = 22 AND transport = 'tcp' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT dst_ip) >= 15 AND count(DISTINCT CASE WHEN service IS NULL THEN dst_ip END) >= 0.6 * count(DISTINCT dst_ip) ORDER BY src_ip, frame;

-- @finding ssh_terrapin severity=low confidence=high technique=T1557
SELECT 'A connection that the Terrapin attack can shorten' AS title, cipher_alg || coalesce(' with ' || mac_alg, '') || ', without strict key exchange' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssh_sessions WHERE terrapin_vulnerable GROUP BY cipher_alg, mac_alg, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding ssh_host_key_changed severity=high confidence=high technique=T1557
SELECT 'A server shows another key than before' AS title, array_to_string(array_sort(array_agg(DISTINCT host_key)), ' and ') AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ssh_sessions WHERE host_key IS NOT NULL AND orig_encrypted_bytes > 0 GROUP BY capture_id, dst_ip, dst_port, host_key_type HAVING count(DISTINCT host_key) > 1 ORDER BY dst_ip, dst_port;

-- @finding ssh_v1 severity=medium confidence=high technique=T1040
SELECT 'Version 1, whose encryption is broken' AS title, coalesce(server, client) AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssh_sessions WHERE version = 1 GROUP BY server, client, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding ssh_weak_agreed severity=low confidence=high technique=T1600
SELECT 'Weak algorithms were agreed on' AS title, concat_ws(', ', kex_alg, host_key_alg, cipher_alg, mac_alg) AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssh_sessions WHERE regexp_like(CAST(cipher_alg AS VARCHAR), 'arcfour|-cbc|^none') OR CAST(mac_alg AS VARCHAR) LIKE 'hmac-md5%' OR mac_alg = 'hmac-sha1-96' OR kex_alg IN ('diffie-hellman-group1-sha1', 'diffie-hellman-group-exchange-sha1') OR host_key_alg IN ('ssh-dss', 'ssh-rsa')
GROUP BY kex_alg, host_key_alg, cipher_alg, mac_alg, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding ssh_reverse_shell severity=high confidence=medium technique=T1572,T1059
SELECT 'Somebody types from the server''s side' AS title, 'keystroke-sized packets begin at the server and are answered by the client' AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM ssh_sessions WHERE reverse_forward ORDER BY capture, frame;

-- @finding ssh_odd_port severity=low confidence=high technique=T1571
SELECT CASE WHEN is_public(dst_ip) THEN 'medium' ELSE 'low' END AS severity, 'SSH on an unusual port' AS title, coalesce(max(server), 'no version seen') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssh_sessions WHERE dst_port NOT IN (22, 2222) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding ssh_exfil severity=medium confidence=medium technique=T1048.002
SELECT 'Much was sent out encrypted' AS title, CAST(sum(orig_encrypted_bytes) AS VARCHAR) || ' bytes sent, ' || CAST(sum(resp_encrypted_bytes) AS VARCHAR) || ' received' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ssh_sessions WHERE is_public(dst_ip) AND is_private(src_ip) GROUP BY capture_id, src_ip, dst_ip HAVING (sum(orig_encrypted_bytes) >= 10000000 AND sum(orig_encrypted_bytes) >= 4 * sum(resp_encrypted_bytes)) OR sum(orig_encrypted_bytes) >= 50000000 ORDER BY src_ip, dst_ip;

-- @finding ssh_known_tool severity=medium confidence=medium technique=T1021.004
SELECT 'A client that is a tool, not a person' AS title, client AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssh_sessions WHERE is_public(src_ip) AND regexp_like(CAST(client AS VARCHAR), '(?i)libssh[-_]0|paramiko|SSH-2.0-Go|zgrab|masscan|ncrack|hydra|nmap|medusa') GROUP BY client, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding ssh_tunnel severity=medium confidence=low technique=T1572
-- Nobody types, nothing is copied, and again and again the packets have the sizes of a TLS handshake inside: a hello, the answer with
-- its certificates, the end of the exchange and what follows it.
WITH long AS (
  SELECT s.capture, s.capture_id, s.flow_id, s.frame, s.ts, f.end_ts, f.duration_s, s.src_ip, s.src_port, s.dst_ip, s.dst_port, s.orig_encrypted_bytes AS sent, s.resp_encrypted_bytes AS received FROM ssh_sessions s JOIN flows f ON f.capture_id = s.capture_id AND f.flow_id = s.flow_id
  WHERE f.duration_s > 1800 AND s.interactive = false AND s.bulk_direction IS NULL AND s.orig_encrypted_bytes > 0 AND s.resp_encrypted_bytes > 0 AND (is_public(s.src_ip) OR is_public(s.dst_ip))),
data AS (SELECT p.capture_id, p.flow_id, p.frame, p.payload_len, p.src_ip = l.src_ip AND p.src_port = l.src_port AS up FROM packets p JOIN long l ON l.capture_id = p.capture_id AND l.flow_id = p.flow_id WHERE p.payload_len > 0 AND p.frame > l.frame),
begun AS (SELECT *, CASE WHEN lag(up) OVER (PARTITION BY capture_id, flow_id ORDER BY frame) = up THEN 0 ELSE 1 END AS begins FROM data),
numbered AS (SELECT *, sum(begins) OVER (PARTITION BY capture_id, flow_id ORDER BY frame) AS turn FROM begun),
turns AS (SELECT capture_id, flow_id, turn, bool_and(up) AS up, sum(payload_len) AS bytes, min(frame) AS frame FROM numbered GROUP BY capture_id, flow_id, turn),
rows AS (SELECT *, lead(bytes, 1) OVER w AS answer, lead(bytes, 2) OVER w AS finish, lead(bytes, 3) OVER w AS rest FROM turns WINDOW w AS (PARTITION BY capture_id, flow_id ORDER BY turn))
SELECT 'A connection carries others' AS title, CAST(count(*) AS VARCHAR) || ' exchanges of the size of a TLS handshake in ' || CAST(CAST(max(l.duration_s) / 60 AS BIGINT) AS VARCHAR) || ' minutes, ' || CAST(max(l.sent) AS VARCHAR) || ' bytes sent, ' || CAST(max(l.received) AS VARCHAR) || ' received' AS details, l.src_ip, l.dst_ip, max(l.dst_port) AS dst_port, count(*) AS count, min(l.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(l.ts) AS ts, max(l.end_ts) AS end_ts, min(l.capture) AS capture
FROM rows r JOIN long l ON l.capture_id = r.capture_id AND l.flow_id = r.flow_id WHERE r.up AND r.bytes BETWEEN 240 AND 1000 AND r.answer BETWEEN 1200 AND 8000 AND r.finish BETWEEN 80 AND 900 AND r.rest BETWEEN 80 AND 20000
GROUP BY l.capture_id, l.flow_id, l.src_ip, l.dst_ip HAVING count(*) >= 3 ORDER BY l.src_ip, l.dst_ip, frame;

-- @finding ssh_egress severity=medium confidence=medium technique=T1021.004,T1048 if=baseline
WITH hosted AS (SELECT DISTINCT capture_id, ip FROM host_names WHERE ip IS NOT NULL AND regexp_like(name, '(^|[.])(github[.]com|gitlab[.]com|bitbucket[.]org|codeberg[.]org|sourceforge[.]net|dev[.]azure[.]com|visualstudio[.]com|git[.]sr[.]ht|salsa[.]debian[.]org|git-codecommit[.][a-z0-9-]+[.]amazonaws[.]com)$'))
SELECT 'SSH to a server outside that was not used before' AS title, coalesce(max(s.server), 'no version seen') || ', ' || CAST(sum(coalesce(s.orig_encrypted_bytes, 0)) AS VARCHAR) || ' bytes sent' AS details, s.src_ip, s.dst_ip, max(s.dst_port) AS dst_port, count(*) AS count, min(s.frame) AS frame, array_slice(array_sort(array_agg(s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
FROM ssh_sessions s LEFT JOIN (SELECT DISTINCT src, dst FROM baseline_conversations WHERE service = 'ssh') b ON b.src = s.src_ip AND b.dst = s.dst_ip LEFT JOIN hosted h ON h.capture_id = s.capture_id AND h.ip = s.dst_ip
WHERE is_private(s.src_ip) AND is_public(s.dst_ip) AND b.src IS NULL AND h.ip IS NULL GROUP BY s.capture_id, s.src_ip, s.dst_ip ORDER BY s.src_ip, s.dst_ip;

-- @finding ssh_pre_banner severity=info confidence=medium
-- A server may send lines before its version, such as a notice; a client may not, and neither sends bytes that are no text.
SELECT 'Data before the version line' AS title, CASE WHEN of_client THEN 'the client begins with ' || orig ELSE 'the server begins with ' || resp END AS details, src_ip, dst_ip, dst_port, frame, ts, end_ts, capture
FROM (SELECT *, orig NOT LIKE '5353482d%' AS of_client, resp NOT LIKE '5353482d%' AND NOT regexp_like(resp, '^(09|0a|0d|[2-6][0-9a-f]|7[0-9a-e]|[89a-f][0-9a-f])+$') AS of_server
  FROM (SELECT *, encode(orig_first_bytes, 'hex') AS orig, encode(resp_first_bytes, 'hex') AS resp FROM flows WHERE service = 'ssh' AND transport = 'tcp' AND history LIKE 'S%' AND coalesce(missed_bytes, 0) = 0))
WHERE of_client OR of_server ORDER BY capture, frame;
