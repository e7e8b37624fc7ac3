-- @analyzer http2
-- @group    it
-- @title    HTTP/2 ANALYSIS
-- @help     HTTP/2 connections and requests

-- @section summary shape=facts
SELECT f.connections, m.requests, m.responses, m."Prior knowledge", m."Upgraded (h2c)", f.frames, f.resets, m.body AS "Body bytes", m.lost AS "Blocks with lost fields", t.opaque AS "Opaque (TLS, ALPN h2)", f.first, f.last
FROM (SELECT count(DISTINCT capture_id || CAST(flow_id AS VARCHAR)) AS connections, count(*) AS frames, count(*) FILTER (WHERE type_name = 'RST_STREAM') AS resets, min(ts) AS first, max(ts) AS last FROM http2_frames) f
CROSS JOIN (SELECT count(*) FILTER (WHERE kind = 'request') AS requests, count(*) FILTER (WHERE kind = 'response') AS responses, sum(body_bytes) AS body, count(*) FILTER (WHERE hpack_lost) AS lost,
    count(DISTINCT CASE WHEN upgrade = 'prior_knowledge' THEN capture_id || CAST(flow_id AS VARCHAR) END) AS "Prior knowledge", count(DISTINCT CASE WHEN upgrade = 'h2c' THEN capture_id || CAST(flow_id AS VARCHAR) END) AS "Upgraded (h2c)" FROM http2) m
CROSS JOIN (SELECT count(DISTINCT capture_id || CAST(flow_id AS VARCHAR)) AS opaque FROM tls WHERE (message = 'server_hello' AND alpn = 'h2') OR (message = 'client_hello' AND array_has(alpn_offered, 'h2'))) t;

-- @section "Requests" shape=table limit=25 if=http2
SELECT q.ts, q.src_ip AS client, q.dst_ip AS server, q.stream_id AS stream, q.method, coalesce(q.authority, q.host) AS authority, q.path, r.status_code AS status, r.content_type AS type, q.body_bytes AS up_bytes, r.body_bytes AS down_bytes, r.response_time_ms AS took_ms
FROM http2 q LEFT JOIN http2 r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.stream_id = q.stream_id AND r.kind = 'response'
WHERE q.kind = 'request' ORDER BY q.capture, q.frame, q.stream_id;

-- @section "Hosts" shape=table limit=12 if=http2
SELECT coalesce(authority, host) AS host, count(DISTINCT dst_ip) AS servers, count(DISTINCT src_ip) AS clients, count(*) AS requests FROM http2 WHERE kind = 'request' GROUP BY coalesce(authority, host) ORDER BY requests DESC, host;

-- @section "User agents" shape=table limit=12 if=http2
SELECT user_agent AS agent, count(DISTINCT src_ip) AS clients, count(*) AS requests FROM http2 WHERE kind = 'request' AND user_agent IS NOT NULL GROUP BY user_agent ORDER BY requests DESC, agent;

-- @section "Status codes" shape=table limit=12 if=http2
SELECT status_code AS status, max(server) AS server, count(*) AS responses FROM http2 WHERE kind = 'response' GROUP BY status_code ORDER BY responses DESC, status;

-- @section "gRPC calls" shape=table limit=12 if=http2
SELECT grpc_service AS service, split_part(path, '/', 3) AS method, count(*) AS calls, count(DISTINCT src_ip) AS clients FROM http2 WHERE kind = 'request' AND grpc_service IS NOT NULL GROUP BY grpc_service, split_part(path, '/', 3) ORDER BY calls DESC, service, method;

-- @section "Settings" shape=table limit=12 if=http2_frames
SELECT src_ip AS host, src_port AS port, array_to_string(settings, ', ') AS settings, min(frame) AS frame FROM http2_frames WHERE settings IS NOT NULL GROUP BY src_ip, src_port, array_to_string(settings, ', ') ORDER BY frame, host, port, settings;

-- @section "Frames" shape=table limit=15 if=http2_frames
SELECT type_name AS type, error, count(*) AS frames, count(DISTINCT src_ip) AS senders, sum(length) AS bytes FROM http2_frames GROUP BY type_name, error ORDER BY frames DESC, type, error;

-- @section "Opaque HTTP/2 (in TLS)" shape=table limit=12 if=tls
SELECT c.server_name AS name, c.dst_ip AS server, count(DISTINCT c.capture_id || CAST(c.flow_id AS VARCHAR)) AS flows, sum(f.orig_bytes) AS up_bytes, sum(f.resp_bytes) AS down_bytes
FROM (SELECT DISTINCT capture_id, flow_id, server_name, dst_ip FROM tls WHERE message = 'client_hello' AND array_has(alpn_offered, 'h2')) c JOIN flows f ON f.capture_id = c.capture_id AND f.flow_id = c.flow_id
GROUP BY c.server_name, c.dst_ip ORDER BY flows DESC, name, server;

-- @section "Header blocks" shape=table verbose if=http2
SELECT ts, src_ip AS src, dst_ip AS dst, stream_id AS stream, kind, method, path, status_code AS status, body_bytes AS bytes, array_to_string(header_names, ' ') AS names FROM http2 ORDER BY capture, frame, stream_id;

-- @finding http2_rapid_reset severity=high confidence=high technique=T1499.003
SELECT 'Requests are opened and cancelled at once' AS title, CAST(count(*) AS VARCHAR) || ' streams cancelled within a second of their request' AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(r.ts) AS end_ts, min(q.capture) AS capture
FROM http2 q JOIN http2_frames r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.stream_id = q.stream_id AND r.src_ip = q.src_ip AND r.src_port = q.src_port AND r.type_name = 'RST_STREAM' AND r.error_code = 8
WHERE q.kind = 'request' AND CAST(r.ts AS BIGINT) - CAST(q.ts AS BIGINT) BETWEEN 0 AND 1000000000 GROUP BY q.capture_id, q.src_ip, q.dst_ip, q.dst_port, CAST(q.ts AS BIGINT) / 10000000000 HAVING count(*) >= 100 ORDER BY q.src_ip, q.dst_ip, frame;

-- @finding http2_continuation_flood severity=high confidence=high technique=T1499
SELECT 'A header block without end' AS title, CAST(count(*) AS VARCHAR) || ' CONTINUATION frames with ' || CAST(sum(length) AS VARCHAR) || ' bytes on stream ' || CAST(stream_id AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(DISTINCT frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM http2_frames WHERE type_name = 'CONTINUATION' GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, stream_id HAVING count(*) >= 64 OR sum(length) >= 262144 ORDER BY src_ip, dst_ip, frame;

-- @finding http2_settings_flood severity=medium confidence=high technique=T1499
SELECT 'Settings flood a connection' AS title, CAST(sum(n) AS VARCHAR) || ' SETTINGS frames in ' || CAST(count(*) AS VARCHAR) || ' seconds' AS details, src_ip, dst_ip, dst_port, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM http2_frames WHERE type_name = 'SETTINGS' AND NOT ack GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 100)
GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port HAVING count(*) >= 5 ORDER BY src_ip, dst_ip, frame;

-- @finding http2_ping_flood severity=medium confidence=high technique=T1499
SELECT 'Pings flood a connection' AS title, CAST(sum(n) AS VARCHAR) || ' PING frames in ' || CAST(count(*) AS VARCHAR) || ' seconds' AS details, src_ip, dst_ip, dst_port, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM http2_frames WHERE type_name = 'PING' AND NOT ack GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 100)
GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port HAVING count(*) >= 5 ORDER BY src_ip, dst_ip, frame;

-- @finding http2_reset_flood severity=medium confidence=high technique=T1499
SELECT 'Resets flood a connection' AS title, CAST(sum(n) AS VARCHAR) || ' RST_STREAM frames in ' || CAST(count(*) AS VARCHAR) || ' seconds' AS details, src_ip, dst_ip, dst_port, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM http2_frames WHERE type_name = 'RST_STREAM' GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 100)
GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port HAVING count(*) >= 5 ORDER BY src_ip, dst_ip, frame;

-- @finding http2_empty_data_flood severity=medium confidence=high technique=T1499
SELECT 'Frames without data flood a connection' AS title, CAST(sum(n) AS VARCHAR) || ' empty DATA frames in ' || CAST(count(*) AS VARCHAR) || ' seconds' AS details, src_ip, dst_ip, dst_port, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM http2_frames WHERE type_name = 'DATA' AND length = 0 AND NOT end_stream GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 1000000000 HAVING count(*) >= 100)
GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port HAVING count(*) >= 5 ORDER BY src_ip, dst_ip, frame;

-- @finding http2_hpack_bomb severity=medium confidence=high technique=T1499
SELECT 'A small header block that unpacks to much' AS title, CAST(block_bytes AS VARCHAR) || ' bytes became ' || CAST(header_bytes AS VARCHAR) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM http2 WHERE header_bytes >= 1048576 AND header_bytes >= 64 * CAST(block_bytes AS BIGINT) ORDER BY capture, frame;

-- @finding http2_authority_mismatch severity=medium confidence=high technique=T1090.004
SELECT 'Two names for one request' AS title, CASE WHEN position('@' IN authority) > 0 THEN ':authority with user information: ' || authority ELSE ':authority ' || authority || ', host ' || host END AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM http2 WHERE kind = 'request' AND (position('@' IN authority) > 0 OR lower(host) <> lower(authority)) ORDER BY capture, frame;

-- @finding http2_header_injection severity=medium confidence=medium technique=T1190
SELECT 'Header names that HTTP/2 forbids' AS title, array_to_string(array_slice(names, 1, 5), ', ') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM (SELECT capture, src_ip, dst_ip, dst_port, frame, ts, stream_id, array_sort(array_agg(name)) AS names FROM (SELECT capture, src_ip, dst_ip, dst_port, frame, ts, stream_id, unnest(header_names) AS name FROM http2)
  WHERE regexp_like(name, '[A-Z\r\n\x00]') OR (name LIKE ':%' AND name NOT IN (':method', ':scheme', ':authority', ':path', ':status', ':protocol')) GROUP BY capture, src_ip, dst_ip, dst_port, frame, ts, stream_id) ORDER BY capture, frame, stream_id;

-- @finding http2_downgrade_smuggling severity=high confidence=medium technique=T1190
SELECT 'A length that a proxy may read otherwise' AS title, CASE WHEN array_has(header_names, 'transfer-encoding') THEN 'transfer-encoding in HTTP/2' WHEN array_has(header_names, 'connection') THEN 'connection header in HTTP/2'
    ELSE 'content-length ' || CAST(content_length AS VARCHAR) || ', body of ' || CAST(body_bytes AS VARCHAR) || ' bytes' END AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM http2 WHERE kind = 'request' AND (array_has(header_names, 'transfer-encoding') OR array_has(header_names, 'connection') OR (body_complete AND content_length <> body_bytes)) ORDER BY capture, frame;

-- @finding http2_cleartext_public severity=low confidence=high technique=T1040
SELECT 'HTTP/2 without encryption to the internet' AS title, CAST(count(*) AS VARCHAR) || ' requests, such as ' || min(coalesce(authority, '') || coalesce(path, '')) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(DISTINCT frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http2 WHERE kind = 'request' AND version = '2' AND is_public(dst_ip) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding http2_protocol_error severity=low confidence=high
SELECT 'An end complained about the protocol' AS title, type_name || ' ' || error || coalesce(': ' || max(debug_data), '') AS details, src_ip, dst_ip, src_port, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(DISTINCT frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http2_frames WHERE error IN ('PROTOCOL_ERROR', 'COMPRESSION_ERROR', 'FLOW_CONTROL_ERROR', 'FRAME_SIZE_ERROR') GROUP BY src_ip, dst_ip, src_port, dst_port, type_name, error, capture ORDER BY src_ip, dst_ip, frame;

-- @finding http2_window_abuse severity=medium confidence=medium technique=T1499.003
WITH narrow AS (SELECT capture, capture_id, flow_id, src_ip, dst_ip, dst_port, frame, ts, CASE WHEN type_name = 'WINDOW_UPDATE' THEN window_increment ELSE CAST(array_element(regexp_match(array_to_string(settings, ' '), '(?:^| )4=([0-9]{1,6})(?: |$)'), 1) AS BIGINT) END AS octets FROM http2_frames WHERE type_name = 'WINDOW_UPDATE' OR type_name = 'SETTINGS' AND settings IS NOT NULL),
small AS (SELECT min(capture) AS capture, capture_id, flow_id, src_ip, dst_ip, dst_port, min(octets) AS low, max(octets) AS high, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM narrow WHERE octets BETWEEN 1 AND 16 GROUP BY capture_id, flow_id, src_ip, dst_ip, dst_port),
-- Streams that this end opened and the other never ended.
opened AS (SELECT capture_id, flow_id, src_ip, stream_id FROM http2_frames WHERE type_name = 'HEADERS' AND stream_id > 0 GROUP BY capture_id, flow_id, src_ip, stream_id),
ended AS (SELECT DISTINCT capture_id, flow_id, src_ip, stream_id FROM http2_frames WHERE end_stream OR type_name = 'RST_STREAM'),
waiting AS (SELECT o.capture_id, o.flow_id, o.src_ip, count(DISTINCT o.stream_id) AS streams FROM opened o LEFT JOIN ended e ON e.capture_id = o.capture_id AND e.flow_id = o.flow_id AND e.stream_id = o.stream_id AND e.src_ip <> o.src_ip WHERE e.stream_id IS NULL GROUP BY o.capture_id, o.flow_id, o.src_ip)
SELECT 'A receiver takes a few octets at a time' AS title, 'windows of ' || CAST(s.low AS VARCHAR) || ' to ' || CAST(s.high AS VARCHAR) || ' octets, ' || CAST(w.streams AS VARCHAR) || ' streams wait' AS details, s.src_ip, s.dst_ip, s.dst_port, s.n AS count, s.frame, s.frames, s.ts, s.end_ts, s.capture
FROM small s JOIN waiting w ON w.capture_id = s.capture_id AND w.flow_id = s.flow_id AND w.src_ip = s.src_ip WHERE w.streams >= 50 ORDER BY s.src_ip, s.dst_ip, s.frame;
