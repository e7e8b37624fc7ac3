-- @analyzer tls
-- @group    it
-- @title    TLS ANALYSIS
-- @help     TLS versions, suites, server names, fingerprints

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE message = 'client_hello') AS client_hellos, count(*) FILTER (WHERE message = 'server_hello') AS server_hellos,
  array_to_string(array_sort(array_agg(DISTINCT version) FILTER (WHERE message = 'server_hello')), ', ') AS versions_agreed, count(*) FILTER (WHERE transport = 'dtls') AS dtls,
  count(*) FILTER (WHERE resumed) AS resumed, count(*) FILTER (WHERE alert_level = 2) AS fatal_alerts, count(DISTINCT server_name) AS server_names, count(DISTINCT ja4) AS client_fingerprints FROM tls;

-- @section "Server names" shape=table limit=15 "indicator=host:Server name"
SELECT server_name AS "Server name", count(*) AS hellos, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, array_to_string(array_sort(array_agg(DISTINCT array_to_string(alpn_offered, ' '))), ' | ') AS "ALPN offered"
FROM tls WHERE message = 'client_hello' GROUP BY server_name ORDER BY hellos DESC, server_name;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, dst_port AS port, server_name AS "Name", version, cipher, alpn, resumed FROM tls_sessions ORDER BY capture, frame;

-- @section "Session details" shape=table limit=25 verbose
SELECT frame, server_name AS "Name", curve AS "Group", client_hellos AS hellos, answer_ms, certificates AS certs, server_subject AS subject, array_to_string(alerts, ', ') AS alerts FROM tls_sessions ORDER BY capture, frame;

-- @section "Fingerprints" shape=table limit=15
SELECT ja4, ja3, count(*) AS hellos, count(DISTINCT src_ip) AS clients FROM tls WHERE message = 'client_hello' AND ja3 IS NOT NULL GROUP BY ja4, ja3 ORDER BY hellos DESC, ja4, ja3;

-- @section "Server fingerprints" shape=table limit=15
SELECT ja4s, ja3s, count(*) AS hellos, count(DISTINCT src_ip) AS servers FROM tls WHERE message = 'server_hello' AND ja3s IS NOT NULL GROUP BY ja4s, ja3s ORDER BY hellos DESC, ja4s, ja3s;

-- @section "Ciphers agreed" shape=table
SELECT cipher, version, count(*) AS sessions, count(DISTINCT src_ip) AS servers FROM tls WHERE message = 'server_hello' GROUP BY cipher, version ORDER BY sessions DESC, cipher, version;

-- @section "Alerts" shape=table limit=15
SELECT CASE alert_level WHEN 1 THEN 'warning' WHEN 2 THEN 'fatal' ELSE 'encrypted' END AS level, alert, src_ip AS "From", dst_ip AS "To", count(*) AS count FROM tls WHERE message = 'alert'
GROUP BY alert_level, alert, src_ip, dst_ip ORDER BY count DESC, level, alert, "From", "To";

-- @finding tls_legacy_version severity=low confidence=high technique=T1040
SELECT CASE WHEN version IN ('SSL2', 'SSL3') THEN 'high' ELSE 'low' END AS severity, 'An outdated version was agreed' AS title, version AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE message = 'server_hello' AND version IN ('SSL2', 'SSL3', 'TLS1.0', 'TLS1.1') GROUP BY version, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, version;

-- @finding tls_weak_cipher severity=medium confidence=high technique=T1040
SELECT 'A weak cipher suite was agreed' AS title, cipher AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE message = 'server_hello' AND regexp_like(CAST(cipher AS VARCHAR), '(_NULL_|EXPORT|_anon_|_RC4_|_DES_|_DES40_|_3DES_|_RC2_)') GROUP BY cipher, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, cipher;

-- @finding tls_weak_dh severity=medium confidence=high technique=T1040
SELECT 'Diffie-Hellman with a short prime' AS title, CAST(dh_prime_bits AS VARCHAR) || ' bits' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE dh_prime_bits < 2048 GROUP BY dh_prime_bits, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, dh_prime_bits;

-- @finding tls_heartbleed severity=high confidence=high technique=T1190
SELECT CASE WHEN a.frame IS NOT NULL THEN 'critical' ELSE 'high' END AS severity, CASE WHEN a.frame IS NOT NULL THEN 'Heartbleed: a server gave away memory' ELSE 'Heartbleed tried' END AS title,
  'the request claims ' || CAST(q.heartbeat_payload_length AS VARCHAR) || ' bytes in a record of ' || CAST(q.heartbeat_record_length AS VARCHAR) || CASE WHEN a.frame IS NOT NULL THEN '; the answer has ' || CAST(a.heartbeat_record_length AS VARCHAR) ELSE '' END AS details,
  q.src_ip, q.dst_ip, q.dst_port, q.frame, CASE WHEN a.frame IS NOT NULL THEN make_array(q.frame, a.frame) ELSE make_array(q.frame) END AS frames, q.ts, coalesce(a.ts, q.ts) AS end_ts, q.capture
FROM tls q LEFT JOIN (SELECT capture_id, flow_id, min(frame) AS frame, min(ts) AS ts, max(heartbeat_record_length) AS heartbeat_record_length FROM tls WHERE message = 'heartbeat_response' GROUP BY capture_id, flow_id) a
  ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.frame > q.frame AND a.heartbeat_record_length > q.heartbeat_record_length
WHERE q.message = 'heartbeat_request' AND CAST(q.heartbeat_payload_length AS BIGINT) > CAST(q.heartbeat_record_length AS BIGINT) - 19 ORDER BY q.capture, q.frame;

-- @finding tls_handshake_failures severity=low technique=T1573
WITH failures AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000 AS span, count(*) AS n, array_to_string(array_sort(array_agg(DISTINCT alert)), ', ') AS names, min(frame) AS frame,
    array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM tls WHERE message = 'alert' AND alert_level = 2 AND alert NOT IN ('close_notify', 'user_canceled') GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 600000000000)
SELECT 'Handshakes fail again and again' AS title, CAST(n AS VARCHAR) || ' fatal alerts within 10 minutes: ' || names AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture FROM failures WHERE n >= 10 ORDER BY src_ip, dst_ip, ts;

-- @finding tls_ech severity=info confidence=medium technique=T1573
SELECT 'Encrypted client hello' AS title, CASE ech WHEN 2 THEN 'old ESNI' ELSE 'ECH (or GREASE, which looks alike), outer name ' || coalesce(ech_outer_name, '-') END AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE message = 'client_hello' AND ech > 0 GROUP BY ech, ech_outer_name, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding tls_no_sni_public severity=low confidence=medium technique=T1071.001
SELECT 'A client hides which host it asks for' AS title, 'no server name in ' || CAST(count(*) AS VARCHAR) || ' hellos' AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tls WHERE is_client AND message = 'client_hello' AND transport = 'tls' AND server_name IS NULL AND coalesce(ech, 0) = 0 AND starttls IS NULL AND dst_port IN (443, 8443, 80) AND is_public(dst_ip) AND dst_ip NOT IN (SELECT "value" FROM encrypted_resolvers WHERE kind = 'address') GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding tls_odd_port severity=low confidence=high technique=T1571
SELECT CASE WHEN is_public(dst_ip) THEN 'medium' ELSE 'low' END AS severity, 'TLS on an unusual port' AS title, coalesce('to ' || max(server_name), 'without a server name') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tls WHERE is_client AND message = 'client_hello' AND transport = 'tls' AND starttls IS NULL AND dst_port NOT IN (443, 3128, 8080, 465, 587, 636, 853, 990, 993, 995, 2083, 3269, 3389, 4443, 5061, 5671, 6514, 8443, 8883, 9443, 25, 21, 110, 143, 389, 5222, 5269, 5986, 1433, 5432, 3306, 8089, 8006, 10443, 2376, 6443, 4840, 4843)
  -- The control channel of OpenVPN is TLS by its nature.
  AND NOT EXISTS (SELECT 1 FROM vpn AS v WHERE v.kind = 'openvpn' AND v.capture_id = tls.capture_id AND v.flow_id = tls.flow_id)
GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding tls_renegotiation_flood severity=medium confidence=high technique=T1499.003
SELECT 'A client starts over and over on one connection' AS title, CAST(count(*) AS VARCHAR) || ' client hellos within a minute' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tls WHERE message = 'client_hello' AND transport = 'tls' GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding tls_doh severity=info confidence=high technique=T1071.004
SELECT 'Names are resolved over HTTPS' AS title, server_name AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tls WHERE message = 'client_hello' AND server_name IN (SELECT "value" FROM encrypted_resolvers WHERE kind = 'name')
GROUP BY capture_id, server_name, src_ip, dst_ip ORDER BY src_ip, dst_ip, details;
