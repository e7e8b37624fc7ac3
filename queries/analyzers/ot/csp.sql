-- @analyzer csp
-- @group    ot
-- @title    ALLEN-BRADLEY CSP ANALYSIS
-- @help     Allen-Bradley CSP (AB/Ethernet, TCP 2222) commands

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE mode = 'request') AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE mode = 'response' AND status <> 0) AS refused,
  count(*) FILTER (WHERE has_pccc) AS "With PCCC", count(DISTINCT CASE WHEN mode = 'request' THEN dst_ip END) AS stations, count(DISTINCT CASE WHEN mode = 'request' THEN src_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM csp;

-- @section "Devices" shape=table limit=15
SELECT p.ip, max(p.model) AS model, max(p.requests) AS commands, max(p.clients) AS clients FROM (SELECT CASE WHEN is_request THEN dst_ip ELSE src_ip END AS ip, max(processor) AS model, count(*) FILTER (WHERE is_request) AS requests, count(DISTINCT CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS clients
FROM pccc WHERE carrier = 'cspv4' GROUP BY CASE WHEN is_request THEN dst_ip ELSE src_ip END) AS p GROUP BY p.ip ORDER BY commands DESC, p.ip;

-- @section "Sessions" shape=table limit=15
SELECT ts, dst_ip AS client, src_ip AS station, connection_handle AS connection, CASE WHEN status = 0 THEN 'accepted' ELSE 'refused' END AS outcome, status, confidence, frame FROM csp WHERE submode = 'connect' AND mode = 'response' ORDER BY capture, frame;

-- @section "Functions" shape=table limit=30
SELECT function, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request AND status = 0) AS ok, count(*) FILTER (WHERE NOT is_request AND status <> 0) AS refused
FROM pccc WHERE carrier = 'cspv4' AND function IS NOT NULL GROUP BY function, category ORDER BY requests DESC, function;

-- @section "Writes and control" shape=table limit=15
SELECT o.ts, o.actor AS client, o.target AS station, o.command, o.point, o.value, o.outcome, o.error, o.request_frame AS frame FROM ot_commands AS o JOIN (SELECT DISTINCT capture_id, flow_id FROM csp) AS c ON c.capture_id = o.capture_id AND c.flow_id = o.flow_id WHERE o.protocol = 'pccc' ORDER BY o.capture, o.request_frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, mode, submode, connection_handle AS connection, status, has_pccc AS "PCCC", length AS bytes, frame FROM csp ORDER BY capture, frame;

-- @finding csp_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN max(file_type_name) IN ('O', 'I') THEN 'high' ELSE 'info' END AS severity, 'Data of a station was written' AS title, function || coalesce(' ' || point, '') || CASE WHEN answer = 0 THEN ': ok' WHEN answer > 0 THEN ': refused' ELSE ': no answer' END AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT p.*, a.status AS answer FROM pccc AS p LEFT JOIN pccc AS a ON a.capture_id = p.capture_id AND a.flow_id = p.flow_id AND a.request_frame = p.frame AND a.transaction = p.transaction WHERE p.carrier = 'cspv4' AND p.is_request) WHERE category = 'write' AND answer = 0 GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, function, point, answer ORDER BY capture, frame;

-- @finding csp_mode_change severity=high confidence=high technique=T0858
SELECT CASE WHEN max(answer) > 0 THEN 'medium' ELSE 'high' END AS severity, 'The mode of a station was changed' AS title, function || coalesce(' ' || point, '') || CASE WHEN answer = 0 THEN ': ok' WHEN answer > 0 THEN ': refused' ELSE ': no answer' END AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT p.*, a.status AS answer FROM pccc AS p LEFT JOIN pccc AS a ON a.capture_id = p.capture_id AND a.flow_id = p.flow_id AND a.request_frame = p.frame AND a.transaction = p.transaction WHERE p.carrier = 'cspv4' AND p.is_request) WHERE function IN ('change_mode', 'set_cpu_mode') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, function, point, answer ORDER BY capture, frame;

-- @finding csp_program_transfer severity=high confidence=high technique=T0843,T0845
SELECT 'A program was loaded into or read from a station' AS title, function || coalesce(' ' || point, '') || CASE WHEN answer = 0 THEN ': ok' WHEN answer > 0 THEN ': refused' ELSE ': no answer' END AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT p.*, a.status AS answer FROM pccc AS p LEFT JOIN pccc AS a ON a.capture_id = p.capture_id AND a.flow_id = p.flow_id AND a.request_frame = p.frame AND a.transaction = p.transaction WHERE p.carrier = 'cspv4' AND p.is_request) WHERE category IN ('upload', 'download') OR function = 'initialize_memory' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, function, point, answer ORDER BY capture, frame;

-- @finding csp_diagnostic severity=low confidence=high technique=T0888
SELECT 'A station was asked what it is' AS title, function || coalesce(' ' || point, '') || CASE WHEN answer = 0 THEN ': ok' WHEN answer > 0 THEN ': refused' ELSE ': no answer' END AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT p.*, a.status AS answer FROM pccc AS p LEFT JOIN pccc AS a ON a.capture_id = p.capture_id AND a.flow_id = p.flow_id AND a.request_frame = p.frame AND a.transaction = p.transaction WHERE p.carrier = 'cspv4' AND p.is_request) WHERE function = 'diagnostic_status' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, function, point, answer ORDER BY capture, frame;

-- @finding csp_refused severity=medium confidence=medium technique=T0846
SELECT 'A station refuses again and again' AS title, CAST(count(*) AS VARCHAR) || ' within 600 s' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM csp WHERE mode = 'response' AND status <> 0 GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(*) >= 5 ORDER BY capture, frame;

-- @finding csp_public_peer severity=high confidence=high technique=T0883
SELECT 'CSP across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM csp WHERE mode = 'request' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding csp_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'CSPv4 on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('csp') AND src_port NOT IN (2222) AND dst_port NOT IN (2222) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
