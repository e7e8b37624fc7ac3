-- @analyzer coap
-- @group    ot
-- @title    COAP ANALYSIS
-- @help     CoAP requests, resources, observers

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request AND NOT is_retransmission) AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered,
  count(DISTINCT CASE WHEN is_request THEN src_ip WHEN status IS NOT NULL THEN dst_ip END) AS clients, count(DISTINCT CASE WHEN is_request THEN dst_ip WHEN status IS NOT NULL THEN src_ip END) AS servers, count(*) FILTER (WHERE is_retransmission) AS retransmissions,
  count(*) FILTER (WHERE type = 'rst') AS resets, count(*) FILTER (WHERE oscore) AS "With OSCORE", min(ts) AS first, max(ts) AS last FROM coap;

-- @section "Resources" shape=table limit=30
SELECT r.dst_ip AS server, r.uri_path AS path, array_to_string(array_sort(array_agg(DISTINCT r.method)), ', ') AS methods, count(DISTINCT r.frame) AS requests, array_to_string(array_sort(array_agg(DISTINCT a.status)), ', ') AS statuses,
  max(coalesce(a.content_format_name, r.content_format_name)) AS format, count(DISTINCT CASE WHEN r.observe = 0 THEN r.src_ip END) AS observers
FROM coap AS r LEFT JOIN coap AS a ON a.capture_id = r.capture_id AND a.request_frame = r.frame WHERE r.is_request GROUP BY r.dst_ip, r.uri_path ORDER BY requests DESC, server, path;

-- @section "Servers" shape=table limit=15
SELECT dst_ip AS server, dst_port AS port, count(*) AS requests, count(DISTINCT src_ip) AS clients, count(DISTINCT uri_path) AS paths, count(*) FILTER (WHERE method IN ('post', 'put', 'delete', 'patch', 'ipatch')) AS writes
FROM coap WHERE is_request AND NOT is_retransmission GROUP BY dst_ip, dst_port ORDER BY requests DESC, server, port;

-- @section "Failures" shape=table limit=15
SELECT a.src_ip AS server, r.method, r.uri_path AS path, a.status, count(*) AS count, min(a.frame) AS frame FROM coap AS a LEFT JOIN coap AS r ON r.capture_id = a.capture_id AND r.frame = a.request_frame
WHERE a.code >= 128 AND a.code < 192 GROUP BY a.src_ip, r.method, r.uri_path, a.status ORDER BY count DESC, server, path, a.status;

-- @section "Block transfers" shape=table limit=15
SELECT filename AS name, src_ip AS sender, dst_ip AS receiver, size_bytes, mime AS type, sha256, frame FROM files WHERE source = 'coap' ORDER BY capture, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, type, code_text AS code, coalesce(method, status) AS meaning, uri_path AS path, message_id AS mid, encode(token, 'hex') AS token, payload_len AS payload_bytes, malformed FROM coap ORDER BY capture, frame;

-- @finding coap_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN regexp_like(r.uri_path, '(?i)^/3[0-9]*/|led|relay|actuator|valve|switch|motor') THEN 'medium' ELSE 'info' END AS severity, 'A resource was changed' AS title,
  upper(CAST(r.method AS VARCHAR)) || ' ' || coalesce(r.uri_path, '/') || ': ' || CAST(a.status AS VARCHAR) || coalesce(', ' || substr(max(r.payload_text), 1, 60), '') AS details, r.src_ip AS src_ip, r.dst_ip AS dst_ip, r.dst_port AS dst_port,
  count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, r.capture AS capture
FROM coap AS r JOIN coap AS a ON a.capture_id = r.capture_id AND a.request_frame = r.frame
WHERE r.is_request AND NOT r.is_retransmission AND r.method IN ('post', 'put', 'delete', 'patch', 'ipatch') AND a.code >= 64 AND a.code < 96
GROUP BY r.capture, r.capture_id, r.src_ip, r.dst_ip, r.dst_port, r.method, r.uri_path, a.status ORDER BY capture, frame;

-- @finding coap_write_refused severity=low confidence=high technique=T0855
SELECT 'A change was refused' AS title, upper(CAST(r.method AS VARCHAR)) || ' ' || coalesce(r.uri_path, '/') || ': ' || CAST(a.status AS VARCHAR) AS details, r.src_ip AS src_ip, r.dst_ip AS dst_ip, r.dst_port AS dst_port,
  count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, r.capture AS capture
FROM coap AS r JOIN coap AS a ON a.capture_id = r.capture_id AND a.request_frame = r.frame
WHERE r.is_request AND NOT r.is_retransmission AND r.method IN ('post', 'put', 'delete', 'patch', 'ipatch') AND a.code >= 128 AND a.code < 160
GROUP BY r.capture, r.capture_id, r.src_ip, r.dst_ip, r.dst_port, r.method, r.uri_path, a.status ORDER BY capture, frame;

-- @finding coap_discovery severity=low confidence=high technique=T0846,T0888
SELECT CASE WHEN count(DISTINCT dst_ip) >= 5 THEN 'medium' ELSE 'low' END AS severity, 'Resources were asked for' AS title, 'GET /.well-known/core to ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts' || CASE WHEN max(CASE WHEN is_multicast THEN 1 ELSE 0 END) = 1 THEN ', by multicast' ELSE '' END AS details,
  src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM coap WHERE method = 'get' AND uri_path = '/.well-known/core' GROUP BY capture, capture_id, src_ip ORDER BY capture, src_ip;

-- @finding coap_path_scan severity=medium technique=T0846
SELECT 'Paths were tried' AS title, CAST(count(DISTINCT r.uri_path) AS VARCHAR) || ' paths, ' || CAST(count(*) FILTER (WHERE a.code = 132) AS VARCHAR) || ' not found' AS details, r.src_ip AS src_ip, r.dst_ip AS dst_ip, count(*) AS count,
  min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, r.capture AS capture
FROM coap AS r JOIN coap AS a ON a.capture_id = r.capture_id AND a.request_frame = r.frame
GROUP BY r.capture, r.capture_id, r.src_ip, r.dst_ip, CAST(r.ts AS BIGINT) / 300000000000 HAVING count(DISTINCT r.uri_path) >= 20 AND 2 * count(*) FILTER (WHERE a.code = 132) >= count(*) ORDER BY capture, frame;

-- @finding coap_amplification severity=medium technique=T0814,T1498.002
SELECT 'A server sends far more than it is asked' AS title, CAST(sum(resp_bytes) AS VARCHAR) || ' octets for ' || CAST(sum(orig_bytes) AS VARCHAR) AS details, f.src_ip AS src_ip, f.dst_ip AS dst_ip, f.dst_port AS dst_port, sum(resp_bytes) AS count, min(f.frame) AS frame, min(f.ts) AS ts, max(f.end_ts) AS end_ts, f.capture AS capture
FROM flows AS f WHERE f.service = 'coap' AND NOT EXISTS (SELECT 1 FROM coap AS c WHERE c.capture_id = f.capture_id AND c.flow_id = f.flow_id AND c.block_number IS NOT NULL)
GROUP BY f.capture, f.capture_id, f.src_ip, f.dst_ip, f.dst_port, CAST(f.ts AS BIGINT) / 60000000000 HAVING sum(resp_bytes) >= 50000 AND sum(resp_bytes) >= 10 * sum(orig_bytes) ORDER BY capture, frame;

-- @finding coap_plain_sensitive severity=medium technique=T0859
SELECT 'A secret travels in clear' AS title, coalesce(upper(CAST(method AS VARCHAR)) || ' ' || coalesce(uri_path, '/'), code_text) || ' names a password or key' AS details, src_ip, dst_ip, src_port, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM coap WHERE NOT oscore AND (regexp_like(payload_text, '(?i)"(psk|password|passwd|secret|token)"\s*:\s*"[^"]') OR regexp_like(array_to_string(uri_query, '&'), '(?i)(^|&)(psk|password|passwd|secret|token)=[^&]'))
GROUP BY capture, capture_id, src_ip, dst_ip, src_port, dst_port, method, uri_path, code_text ORDER BY capture, frame;

-- @finding coap_firmware severity=high technique=T0857
SELECT 'Firmware was transferred' AS title, coalesce(f.filename, '-') || ', ' || CAST(f.size_bytes AS VARCHAR) || ' bytes, SHA-256 ' || coalesce(f.sha256, '-') AS details, f.src_ip AS src_ip, f.dst_ip AS dst_ip, f.size_bytes AS count, f.frame AS frame, f.ts AS ts, f.capture AS capture
FROM files AS f WHERE f.source = 'coap' AND f.size_bytes >= 32768
  AND EXISTS (SELECT 1 FROM coap AS c WHERE c.capture_id = f.capture_id AND c.flow_id = f.flow_id AND c.block_number IS NOT NULL AND regexp_like(c.uri_path, '(?i)^/5/|/fw|firmware|suit')) ORDER BY capture, frame;

-- @finding coap_spoofed_answer severity=high technique=T0830
SELECT 'Two different answers to one question' AS title, 'message ' || CAST(message_id AS VARCHAR) || ', token ' || encode(token, 'hex') AS details, src_ip, dst_ip, src_port, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM coap WHERE code >= 64 AND token IS NOT NULL GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, src_port, dst_port, message_id, token
HAVING count(DISTINCT code_text || coalesce(encode(payload, 'hex'), '')) > 1 AND CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) < 247000000000 ORDER BY capture, frame;

-- @finding coap_token_reuse severity=low confidence=high
WITH asked AS (SELECT r.capture, r.capture_id, r.flow_id, r.src_ip, r.dst_ip, r.token, r.frame, r.ts, a.frame AS answered FROM coap AS r LEFT JOIN (SELECT capture_id, request_frame, min(frame) AS frame FROM coap WHERE request_frame IS NOT NULL GROUP BY capture_id, request_frame) AS a ON a.capture_id = r.capture_id AND a.request_frame = r.frame WHERE r.is_request AND NOT r.is_retransmission AND r.token IS NOT NULL),
pairs AS (SELECT *, lead(frame) OVER (PARTITION BY capture_id, flow_id, token ORDER BY frame) AS next FROM asked)
SELECT 'A token was used again before its answer' AS title, 'token ' || encode(token, 'hex') AS details, src_ip, dst_ip, count(*) AS count, min(next) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM pairs WHERE answered > next GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, token ORDER BY capture, frame;

-- @finding coap_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'CoAP on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('coap') AND src_port NOT IN (5683, 5684) AND dst_port NOT IN (5683, 5684) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
