-- @analyzer modicon
-- @group    ot
-- @title    MODICON (UMAS) ANALYSIS
-- @help     Schneider Modicon UMAS: programs, start and stop

-- @section summary shape=facts
SELECT count(*) AS transactions, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS controllers, count(*) FILTER (WHERE status = 'ok') AS ok, count(*) FILTER (WHERE status = 'error') AS refused, count(*) FILTER (WHERE status = 'no_response') AS unanswered, count(DISTINCT session_key) AS keys, min(ts) AS first, max(ts) AS last FROM umas;

-- @section "Controllers" shape=table limit=15
SELECT dst_ip AS ip, unit_id AS unit, max(plc_name) AS device, max(project_name) AS project, count(DISTINCT src_ip) AS clients, count(*) AS transactions FROM umas GROUP BY dst_ip, unit_id ORDER BY ip, unit;

-- @section "Reservations" shape=table limit=15
SELECT t.ts AS taken, t.src_ip AS client, t.client_name AS name, t.dst_ip AS controller, t.status, min(r.ts) AS released, count(DISTINCT c.frame) AS "Transactions"
FROM umas AS t LEFT JOIN umas AS r ON r.capture_id = t.capture_id AND r.flow_id = t.flow_id AND r.umas_code = 17 AND r.frame > t.frame LEFT JOIN umas AS c ON c.capture_id = t.capture_id AND c.flow_id = t.flow_id AND c.frame > t.frame AND c.session_key > 0
WHERE t.umas_code = 16 GROUP BY t.ts, t.src_ip, t.client_name, t.dst_ip, t.status, t.capture, t.frame ORDER BY t.capture, t.frame;

-- @section "Program transfers" shape=table limit=15
SELECT f.ts, CASE WHEN f.direction = 'upload' THEN 'to the controller' ELSE 'from the controller' END AS direction, f.src_ip AS sender, f.dst_ip AS receiver, f.size_bytes, f.complete, f.sha256, f.frame FROM files AS f WHERE f.source = 'umas' ORDER BY f.capture, f.frame;

-- @section "State changes" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS controller, umas_function AS function, status, frame FROM umas WHERE umas_code IN (64, 65) ORDER BY capture, frame;

-- @section "Functions" shape=table limit=30
SELECT '0x' || lpad(to_hex(CAST(umas_code AS BIGINT)), 2, '0') AS code, umas_function AS function, category, count(*) AS requests, count(*) FILTER (WHERE status = 'ok') AS ok, count(*) FILTER (WHERE status = 'error') AS refused FROM umas WHERE umas_code IS NOT NULL GROUP BY umas_code, umas_function, category ORDER BY requests DESC, umas_code;

-- @section "Transactions" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS controller, session_key AS key, umas_function AS function, status, block_number AS block, memory_block AS memory, memory_offset AS offset, response_len AS response_bytes FROM umas ORDER BY capture, frame;

-- @finding umas_stop_plc severity=critical technique=T0858,T0816
SELECT CASE WHEN status = 'ok' THEN 'critical' ELSE 'medium' END AS severity, 'A controller was told to stop' AS title, 'function 0x41 (stop_plc): ' || status AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM umas WHERE umas_code = 65 ORDER BY capture, frame;

-- @finding umas_start_plc severity=high technique=T0858,T0816
SELECT CASE WHEN status = 'ok' THEN 'high' ELSE 'medium' END AS severity, 'A controller was told to start' AS title, 'function 0x40 (start_plc): ' || status AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM umas WHERE umas_code = 64 ORDER BY capture, frame;

-- @finding umas_program_to_plc severity=critical technique=T0843,T0889
SELECT 'A program was written to a controller' AS title, CAST(count(*) FILTER (WHERE umas_code = 49) AS VARCHAR) || ' blocks (0x30 to 0x32)' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE umas_code BETWEEN 48 AND 50 AND status = 'ok' GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding umas_program_from_plc severity=high confidence=high technique=T0845
SELECT 'A program was read from a controller' AS title, CAST(count(*) FILTER (WHERE umas_code = 52) AS VARCHAR) || ' blocks (0x33 to 0x35)' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE umas_code BETWEEN 51 AND 53 AND status = 'ok' GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, dst_port HAVING count(*) FILTER (WHERE umas_code = 52) > 0 ORDER BY capture, frame;

-- @finding umas_write_memory severity=high technique=T0836,T0831
SELECT 'Memory of a controller was written' AS title, umas_function || ' (0x' || to_hex(CAST(umas_code AS BIGINT)) || '): ' || CAST(count(*) AS VARCHAR) || ' times' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE umas_code IN (35, 37, 113) AND status = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, umas_code, umas_function ORDER BY capture, frame;

-- @finding umas_reservation_taken severity=medium confidence=high technique=T0858
SELECT CASE WHEN count(DISTINCT o.src_ip) > 0 THEN 'high' ELSE 'medium' END AS severity, 'A controller was reserved' AS title, coalesce('by ' || t.client_name, 'key obtained') || CASE WHEN count(DISTINCT o.src_ip) > 0 THEN ', which another station holds or held' ELSE '' END AS details, t.src_ip AS src_ip, t.dst_ip AS dst_ip, t.dst_port AS dst_port, t.frame AS frame, t.ts AS ts, t.capture AS capture
FROM umas AS t LEFT JOIN umas AS o ON o.capture_id = t.capture_id AND o.dst_ip = t.dst_ip AND o.src_ip <> t.src_ip AND o.umas_code = 16 AND o.status = 'ok' AND o.frame < t.frame
WHERE t.umas_code = 16 AND t.status = 'ok' GROUP BY t.capture, t.frame, t.ts, t.src_ip, t.dst_ip, t.dst_port, t.client_name ORDER BY capture, frame;

-- @finding umas_command_without_reservation severity=high technique=T0858
SELECT 'A command was accepted without a reservation' AS title, umas_function || ' with key 0' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE session_key = 0 AND status = 'ok' AND umas_code IN (48, 49, 50, 64, 65) GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, umas_function ORDER BY capture, frame;

-- @finding umas_key_bruteforce severity=high technique=T0859
SELECT 'Keys are tried out' AS title, CAST(max(n) AS VARCHAR) || ' keys within a minute' AS details, src_ip, dst_ip, max(n) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT session_key) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM umas GROUP BY capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING 2 * count(*) FILTER (WHERE status = 'error') > count(*))
WHERE n >= 10 GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding umas_identify severity=low confidence=high technique=T0888
SELECT CASE WHEN count(DISTINCT dst_ip) >= 3 THEN 'medium' ELSE 'low' END AS severity, 'Controllers were asked what they are' AS title, array_to_string(array_sort(array_agg(DISTINCT umas_function)), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, u.capture AS capture
FROM umas AS u WHERE umas_code IN (2, 3, 4) AND NOT EXISTS (SELECT 1 FROM umas AS w WHERE w.capture_id = u.capture_id AND w.src_ip = u.src_ip AND w.umas_code = 16 AND w.status = 'ok') GROUP BY u.capture, u.capture_id, src_ip ORDER BY capture, src_ip;

-- @finding umas_memory_dump severity=medium technique=T0845
SELECT 'Much memory of a controller was read' AS title, CAST(sum(response_len) AS VARCHAR) || ' bytes' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE umas_code = 32 AND status = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port HAVING sum(response_len) > 65536 ORDER BY capture, frame;

-- @finding umas_unknown_function severity=low confidence=high
SELECT 'Functions that nobody has described' AS title, array_to_string(array_sort(array_agg(DISTINCT umas_function)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE category = 'unknown' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding umas_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'umas' ORDER BY frame, src_ip, dst_ip;

-- @finding umas_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'umas' ORDER BY frame, src_ip, dst_ip;
