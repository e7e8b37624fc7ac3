-- @analyzer modbus
-- @group    ot
-- @title    MODBUS ANALYSIS
-- @help     Modbus functions, units, registers, writes, exceptions

-- @section summary shape=facts
SELECT count(*) AS transactions, count(DISTINCT flow_id) AS flows, count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, min(ts) AS first, max(ts) AS last,
  count(*) FILTER (WHERE status IN ('ok', 'exception')) * 1.0 / nullif(count(*), 0) AS answered_share, count(*) FILTER (WHERE status = 'exception') AS exceptions,
  count(*) FILTER (WHERE is_write) AS writes, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports
FROM modbus;

-- @section "Devices" shape=table limit=15
SELECT dst_ip AS server, array_to_string(array_sort(array_agg(DISTINCT unit_id)), ', ') AS units, count(DISTINCT src_ip) AS clients, count(*) AS requests,
  count(*) FILTER (WHERE status = 'exception') AS exceptions, max(server_id) AS server_id, max(array_to_string(objects, '; ')) AS identity
FROM modbus GROUP BY dst_ip ORDER BY requests DESC, server;

-- @section "Clients" shape=table limit=15
SELECT src_ip AS client, count(DISTINCT dst_ip) AS servers, count(*) AS requests, count(*) FILTER (WHERE is_write) AS writes, count(*) FILTER (WHERE category = 'read') AS reads,
  count(*) FILTER (WHERE status <> 'ok') AS failures, min(ts) AS first
FROM modbus GROUP BY src_ip ORDER BY writes DESC, requests DESC, client;

-- @section "Operations" shape=table limit=15
SELECT func AS function, category AS class, count(*) AS requests, count(*) FILTER (WHERE status = 'ok') AS ok, count(*) FILTER (WHERE status = 'exception') AS refused,
  count(*) FILTER (WHERE status = 'no_response') AS unanswered, percentile_cont(0.5) WITHIN GROUP (ORDER BY response_time_ms) AS p50_ms,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS p95_ms
FROM modbus GROUP BY func, category
ORDER BY CASE category WHEN 'write' THEN 0 WHEN 'read_write' THEN 0 WHEN 'file' THEN 1 WHEN 'vendor' THEN 1 WHEN 'read' THEN 2 ELSE 3 END, requests DESC, function;

-- @section "Writes" shape=table limit=30
SELECT min(ts) AS first, src_ip AS client, dst_ip AS server, unit_id AS unit, point, count(*) AS writes, array_to_string(array_slice(array_sort(array_agg(DISTINCT array_to_string(write_values, ' '))), 1, 5), ', ') AS values,
  array_to_string(array_sort(array_agg(DISTINCT status)), ', ') AS outcome
FROM modbus WHERE is_write GROUP BY src_ip, dst_ip, unit_id, point, func ORDER BY first, client, server, unit, point;

-- @section "Register map" shape=table limit=15
SELECT dst_ip AS server, unit_id AS unit, split_part(point, ':', 1) AS area, min(address) AS "From", max(address + quantity - 1) AS "To", count(*) FILTER (WHERE NOT is_write) AS reads, count(*) FILTER (WHERE is_write) AS writes
FROM modbus WHERE point IS NOT NULL GROUP BY dst_ip, unit_id, split_part(point, ':', 1) ORDER BY writes DESC, server, unit, area;

-- @section "Exceptions" shape=table limit=15
SELECT dst_ip AS server, unit_id AS unit, func AS function, exception, count(*) AS count, min(ts) AS first, max(ts) AS last
FROM modbus WHERE exception_code IS NOT NULL GROUP BY dst_ip, unit_id, func, exception ORDER BY count DESC, server, unit, function, exception;

-- @section "Identity" shape=table limit=15
SELECT dst_ip AS server, unit_id AS unit, coalesce(array_to_string(objects, '; '), server_id) AS identity, min(frame) AS frame FROM modbus
WHERE objects IS NOT NULL OR server_id IS NOT NULL GROUP BY dst_ip, unit_id, coalesce(array_to_string(objects, '; '), server_id) ORDER BY server, unit, frame;

-- @section "Transactions" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, unit_id AS unit, tid, func AS function, point, quantity, "values", write_values, status, response_time_ms FROM modbus ORDER BY capture, frame, tid;

-- @finding modbus_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN started > capture_start + 600000000000 THEN 'medium' ELSE 'info' END AS severity,
  'Values were written' AS title, CAST(n AS VARCHAR) || ' x ' || func || ' to unit ' || CAST(unit_id AS VARCHAR) || ': ' || points AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, unit_id, func, count(*) AS n, array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS points, min(frame) AS frame,
    array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, CAST(min(ts) AS BIGINT) AS started
  FROM modbus WHERE is_write AND status = 'ok' GROUP BY capture_id, src_ip, dst_ip, unit_id, func) w
JOIN (SELECT capture_id, CAST(min(ts) AS BIGINT) AS capture_start FROM modbus GROUP BY capture_id) s ON s.capture_id = w.capture_id
ORDER BY frame, func;

-- @finding modbus_force_listen_only severity=high confidence=high technique=T0814
SELECT 'A device was told to listen only' AS title, 'function 8, sub-function 4' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE func_code = 8 AND subfunction = 4 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding modbus_restart_comm severity=high confidence=high technique=T0816
SELECT 'A device was told to restart its communications' AS title, 'function 8, sub-function 1' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE func_code = 8 AND subfunction = 1 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding modbus_identity_read severity=low confidence=high technique=T0888
SELECT CASE WHEN servers >= 3 THEN 'medium' ELSE 'low' END AS severity, 'A client read the identity of devices' AS title, CASE WHEN servers = 1 THEN '1 server was asked for its identity' ELSE CAST(servers AS VARCHAR) || ' servers were asked for their identity' END AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, min(dst_ip) AS dst_ip, count(DISTINCT dst_ip) AS servers, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM modbus WHERE func_code = 17 OR (func_code = 43 AND subfunction = 14) GROUP BY capture_id, src_ip) ORDER BY src_ip;

-- @finding modbus_function_scan severity=medium confidence=high technique=T0846
WITH tried AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 AS span, count(DISTINCT func_code) AS codes, count(*) AS n, count(*) FILTER (WHERE exception_code = 1) AS refused,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM modbus GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000)
SELECT 'A client tries function after function' AS title, CAST(max(codes) AS VARCHAR) || ' function codes within 5 minutes, ' || CAST(sum(refused) AS VARCHAR) || ' of ' || CAST(sum(n) AS VARCHAR) || ' refused as illegal' AS details,
  src_ip, dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM tried WHERE codes >= 10 AND refused >= 0.5 * n GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding modbus_address_scan severity=medium confidence=high technique=T0846
WITH tried AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, unit_id, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT address) AS addresses, count(*) AS n, count(*) FILTER (WHERE exception_code = 2) AS refused,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM modbus WHERE address IS NOT NULL GROUP BY capture_id, src_ip, dst_ip, unit_id, CAST(ts AS BIGINT) / 60000000000)
SELECT 'A client tries address after address' AS title, CAST(max(addresses) AS VARCHAR) || ' start addresses within a minute, ' || CAST(sum(refused) AS VARCHAR) || ' refused' AS details,
  src_ip, dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM tried WHERE addresses >= 20 AND refused >= 0.5 * n GROUP BY capture_id, src_ip, dst_ip, unit_id ORDER BY src_ip, dst_ip, unit_id;

-- @finding modbus_write_denied severity=medium confidence=high technique=T0855
SELECT 'Writes were refused' AS title, CAST(count(*) AS VARCHAR) || ' writes refused: ' || array_to_string(array_sort(array_agg(DISTINCT exception)), ', ') AS details, src_ip, dst_ip, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM modbus WHERE is_write AND exception_code IN (1, 2, 3) GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY src_ip, dst_ip;

-- @finding modbus_file_write severity=high confidence=high technique=T0843
SELECT 'A file record was written' AS title, CAST(count(*) AS VARCHAR) || ' writes of file records (function 21)' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE func_code = 21 AND status = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding modbus_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN bool_or(is_write AND status = 'ok') THEN 'critical' ELSE 'high' END AS severity, 'Modbus with a public address' AS title, CAST(count(*) AS VARCHAR) || ' transactions' AS details, src_ip, dst_ip, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding modbus_broadcast_write severity=high confidence=high technique=T0855
SELECT 'A write to every unit' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT w.func || coalesce(' ' || w.point, ''))), 1, 6), ', ') AS details, w.src_ip, w.dst_ip, count(*) AS count, min(w.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT w.frame)), 1, 20) AS frames, min(w.ts) AS ts, max(w.ts) AS end_ts, min(w.capture) AS capture
FROM modbus w LEFT JOIN (SELECT capture_id, dst_ip, count(DISTINCT unit_id) AS units FROM modbus WHERE status IN ('ok', 'exception') AND unit_id <> 0 GROUP BY capture_id, dst_ip) g ON g.capture_id = w.capture_id AND g.dst_ip = w.dst_ip
WHERE w.is_write AND w.unit_id = 0 AND (w.framing LIKE 'rtu%' OR coalesce(g.units, 0) >= 1) GROUP BY w.capture_id, w.src_ip, w.dst_ip ORDER BY w.src_ip, w.dst_ip;

-- @finding modbus_clear_counters severity=medium confidence=high technique=T0872
SELECT 'Diagnostic counters were cleared' AS title, coalesce(max(subfunction_name), 'function 8') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE func_code = 8 AND subfunction IN (10, 20) AND status = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding modbus_diagnostic severity=low confidence=high technique=T0888
SELECT 'Diagnostics were run' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(subfunction_name, func))), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE func_code IN (7, 8, 11, 12) AND NOT (func_code = 8 AND subfunction IN (1, 4, 10, 20)) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding modbus_unit_scan severity=medium confidence=high technique=T0846
SELECT 'A client tries unit after unit' AS title, CAST(count(*) AS VARCHAR) || ' unit ids within 5 minutes, ' || CAST(count(*) FILTER (WHERE answered = 0) AS VARCHAR) || ' without a device' AS details, src_ip, dst_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, unit_id, CAST(ts AS BIGINT) / 300000000000 AS span, count(*) AS n, count(*) FILTER (WHERE status = 'ok' OR (status = 'exception' AND exception_code NOT IN (10, 11))) AS answered, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM modbus WHERE unit_id IS NOT NULL GROUP BY capture_id, src_ip, dst_ip, unit_id, CAST(ts AS BIGINT) / 300000000000)
GROUP BY capture_id, src_ip, dst_ip, span HAVING count(*) >= 10 AND count(*) FILTER (WHERE answered = 0) > 0.5 * count(*) ORDER BY src_ip, dst_ip, frame;

-- @finding modbus_device_failure severity=medium confidence=high technique=T0814
SELECT 'A device reports a failure of its own' AS title, exception || ' to ' || array_to_string(array_sort(array_agg(DISTINCT func)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM modbus WHERE exception_code IN (4, 8) GROUP BY exception, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding modbus_write_burst severity=high confidence=medium technique=T0806
WITH spans AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM packets GROUP BY capture_id),
writes AS (SELECT w.capture, w.capture_id, w.src_ip, w.dst_ip, w.unit_id, w.point, array_to_string(w.write_values, ' ') AS written, coalesce(w.request_frame, w.frame) AS frame, w.ts, CAST(w.ts AS BIGINT) - s.start AS at FROM modbus w JOIN spans s ON s.capture_id = w.capture_id WHERE w.is_write),
seconds AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, unit_id, point, at / 1000000000 AS second, count(DISTINCT written) AS vals, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM writes WHERE point IS NOT NULL AND written <> '' GROUP BY capture_id, src_ip, dst_ip, unit_id, point, at / 1000000000 HAVING count(DISTINCT written) >= 3),
minutes AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, unit_id, at / 60000000000 AS minute, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM writes GROUP BY capture_id, src_ip, dst_ip, unit_id, at / 60000000000),
-- The first ten minutes are the base; minutes without a write count as none.
usual AS (SELECT capture_id, src_ip, dst_ip, unit_id, CASE WHEN count(*) > 5 THEN median(n) ELSE 0 END AS n FROM minutes WHERE minute < 10 GROUP BY capture_id, src_ip, dst_ip, unit_id)
SELECT severity, title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  -- Who writes so from the first minute on always does.
  SELECT CASE WHEN min(second) < 60 THEN 'info' ELSE 'high' END AS severity, 'One point is written with changing values without pause' AS title, point || ' of unit ' || CAST(unit_id AS VARCHAR) || ': up to ' || CAST(max(vals) AS VARCHAR) || ' values within a second' AS details, src_ip, dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
  FROM seconds GROUP BY capture_id, src_ip, dst_ip, unit_id, point
  UNION ALL
  SELECT 'high', 'A client writes far more often than before', 'unit ' || CAST(m.unit_id AS VARCHAR) || ': up to ' || CAST(max(m.n) AS VARCHAR) || ' writes a minute, ' || CAST(CAST(coalesce(max(u.n), 0) AS BIGINT) AS VARCHAR) || ' before', m.src_ip, m.dst_ip, sum(m.n), min(m.frame), first_value(m.frames ORDER BY m.frame), min(m.ts), max(m.end_ts), min(m.capture)
  FROM minutes m LEFT JOIN usual u ON u.capture_id = m.capture_id AND u.src_ip = m.src_ip AND u.dst_ip = m.dst_ip AND u.unit_id = m.unit_id WHERE m.minute >= 10 AND m.n > 60 AND m.n > 3 * coalesce(u.n, 0) GROUP BY m.capture_id, m.src_ip, m.dst_ip, m.unit_id)
ORDER BY src_ip, dst_ip, frame, details;

-- @finding modbus_enumeration severity=high confidence=high technique=T0846,T0888,T0861
-- Identity, the limits of the address space and table after table within a minute, and nothing of it again: who polls knows the
-- map.
WITH asked AS (
  SELECT capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, func_code, exception_code, coalesce(request_frame, frame) AS frame, ts, lag(CAST(ts AS BIGINT)) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY ts, frame) AS before FROM modbus WHERE src_ip IS NOT NULL AND NOT coalesce(is_write, false)),
bouts AS (SELECT *, sum(CASE WHEN before IS NULL OR CAST(ts AS BIGINT) - before > 60000000000 THEN 1 ELSE 0 END) OVER (PARTITION BY capture_id, src_ip, dst_ip ORDER BY ts, frame) AS bout FROM asked),
probes AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, bout, count(*) AS n, count(*) FILTER (WHERE func_code IN (17, 43)) AS identity, count(*) FILTER (WHERE exception_code IN (1, 2)) AS refused, count(DISTINCT func_code) FILTER (WHERE func_code BETWEEN 1 AND 4 AND exception_code IS NULL) AS tables, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM bouts GROUP BY capture_id, src_ip, dst_ip, bout HAVING count(*) <= 2000)
SELECT CASE WHEN bool_or(refused > 0) THEN 'high' ELSE 'medium' END AS severity, 'A station explores controllers' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' devices (' || array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 5), ', ') || '): identity, ' || CAST(sum(refused) AS VARCHAR) || ' requests beyond what exists, up to ' || CAST(max(tables) AS VARCHAR) || ' tables read' AS details,
  src_ip, min(dst_ip) AS dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM probes WHERE identity > 0 AND tables >= 2 AND (refused > 0 OR tables >= 4) AND n <= 50 * (identity + refused) GROUP BY capture_id, src_ip ORDER BY frame;

-- @finding modbus_explored_then_written severity=high confidence=high technique=T0855,T0836
WITH probed AS (SELECT capture_id, src_ip, dst_ip, min(CAST(ts AS BIGINT)) AS since FROM modbus GROUP BY capture_id, src_ip, dst_ip HAVING count(*) FILTER (WHERE func_code IN (17, 43)) > 0 AND count(*) FILTER (WHERE exception_code IN (1, 2)) > 0)
SELECT 'A controller was explored, then written' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT w.func || ' ' || coalesce(w.point, '') || coalesce(' = ' || array_to_string(w.write_values, ' '), ''))), 1, 6), ', ') || '; identity and limits of the address space were tried before' AS details,
  w.src_ip, w.dst_ip, min(w.dst_port) AS dst_port, count(*) AS count, min(coalesce(w.request_frame, w.frame)) AS frame, array_slice(array_agg(coalesce(w.request_frame, w.frame) ORDER BY w.frame), 1, 20) AS frames, min(w.ts) AS ts, max(w.ts) AS end_ts, min(w.capture) AS capture
FROM modbus w JOIN probed p ON p.capture_id = w.capture_id AND p.src_ip = w.src_ip AND p.dst_ip = w.dst_ip
WHERE w.is_write AND w.status = 'ok' AND CAST(w.ts AS BIGINT) > p.since GROUP BY w.capture_id, w.src_ip, w.dst_ip HAVING count(*) <= 200 ORDER BY frame;

-- @finding modbus_vendor_program severity=high confidence=high technique=T0843,T0858
SELECT 'The program or state of a controller was changed by function 90' AS title, array_to_string(array_sort(array_agg(DISTINCT umas_function)), ', ') AS details, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(coalesce(request_frame, frame)) AS frame,
  array_slice(array_agg(coalesce(request_frame, frame) ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM umas WHERE category IN ('download', 'start', 'stop') AND status = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding modbus_duplicate_response severity=high confidence=medium technique=T0830,T0856
WITH second AS (SELECT *, CAST(ts AS BIGINT) AS at FROM modbus WHERE status = 'response_only' AND tid IS NOT NULL AND malformed IS NULL),
pairs AS (
  SELECT s.capture, s.capture_id, s.flow_id, s.src_ip, s.dst_ip, s.unit_id, s.tid, s.func, f.response_frame AS one, s.frame AS other, s.ts
  FROM second s JOIN modbus f ON f.capture_id = s.capture_id AND f.flow_id = s.flow_id AND f.tid = s.tid AND f.func_code = s.func_code AND f.unit_id = s.unit_id AND f.status IN ('ok', 'exception') AND f.frame < s.frame AND s.at - CAST(f.ts AS BIGINT) <= 5000000000
  -- Bits are padded to octets where nobody asked for a number of them.
  WHERE coalesce(f.exception_code, 0) <> coalesce(s.exception_code, 0) OR (f.exception_code IS NULL AND s.exception_code IS NULL AND (array_slice(s."values", 1, CAST(array_length(f."values") AS BIGINT)) <> f."values" OR s.write_values <> f.write_values OR s.response_data <> f.response_data))),
-- A request that was given up and asked again under the same number has two answers to come.
repeated AS (SELECT p.capture_id, p.other FROM pairs p JOIN modbus q ON q.capture_id = p.capture_id AND q.flow_id = p.flow_id AND q.tid = p.tid AND q.status = 'no_response' AND q.frame < p.other AND CAST(p.ts AS BIGINT) - CAST(q.ts AS BIGINT) <= 30000000000 GROUP BY p.capture_id, p.other)
SELECT 'Two different answers to one request' AS title, p.func || ' of unit ' || CAST(p.unit_id AS VARCHAR) || ', transaction ' || CAST(first_value(p.tid ORDER BY p.other) AS VARCHAR) || CASE WHEN count(DISTINCT p.other) > 1 THEN ' and ' || CAST(count(DISTINCT p.other) - 1 AS VARCHAR) || ' more' ELSE '' END AS details, p.src_ip, p.dst_ip, count(DISTINCT p.other) AS count, min(p.other) AS frame,
  array_slice(array_sort(array_concat(array_agg(DISTINCT p.one), array_agg(DISTINCT p.other))), 1, 20) AS frames, min(p.ts) AS ts, max(p.ts) AS end_ts, min(p.capture) AS capture
FROM pairs p LEFT JOIN repeated r ON r.capture_id = p.capture_id AND r.other = p.other WHERE r.other IS NULL GROUP BY p.capture_id, p.src_ip, p.dst_ip, p.unit_id, p.func ORDER BY frame;

-- @finding modbus_response_mismatch severity=high confidence=medium technique=T0830,T0856
SELECT 'Answers do not fit their requests' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT what)), 1, 4), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (
  SELECT a.capture, a.capture_id, a.src_ip, a.dst_ip, a.frame, a.ts, q.func || ' asked, ' || a.func || ' answered' AS what
  FROM modbus a JOIN modbus q ON q.capture_id = a.capture_id AND q.flow_id = a.flow_id AND q.tid = a.tid AND q.unit_id = a.unit_id AND q.status = 'no_response' AND q.request_frame < a.frame AND CAST(a.ts AS BIGINT) - CAST(q.ts AS BIGINT) <= 2000000000
  WHERE a.status = 'response_only' AND a.func_code <> q.func_code AND a.malformed IS NULL
  UNION ALL
  SELECT capture, capture_id, src_ip, dst_ip, frame, ts, 'other number of bytes than ' || func || ' asked for' FROM modbus WHERE status = 'ok' AND func_code BETWEEN 1 AND 4 AND malformed = 'bad_byte_count')
GROUP BY capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding modbus_tid_reuse severity=low confidence=high
WITH numbered AS (SELECT capture, capture_id, flow_id, src_ip, dst_ip, tid, request_frame, response_frame, CAST(ts AS BIGINT) - CAST(coalesce(response_time_ms, 0) * 1e6 AS BIGINT) AS asked, lead(request_frame) OVER w AS next, lead(CAST(ts AS BIGINT) - CAST(coalesce(response_time_ms, 0) * 1e6 AS BIGINT)) OVER w AS next_asked, ts
  FROM modbus WHERE request_frame IS NOT NULL AND tid IS NOT NULL WINDOW w AS (PARTITION BY capture_id, flow_id, tid ORDER BY request_frame)),
-- Who numbers nothing has one number.
numbering AS (SELECT capture_id, flow_id FROM numbered GROUP BY capture_id, flow_id HAVING count(DISTINCT tid) > 1)
SELECT 'One transaction number stands for two requests at once' AS title, 'transaction ' || CAST(first_value(n.tid ORDER BY n.request_frame) AS VARCHAR) || CASE WHEN count(*) > 1 THEN ' and ' || CAST(count(*) - 1 AS VARCHAR) || ' more' ELSE '' END AS details, n.src_ip, n.dst_ip, count(*) AS count, min(n.next) AS frame,
  array_slice(array_sort(array_agg(n.next)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, min(n.capture) AS capture
FROM numbered n JOIN numbering u ON u.capture_id = n.capture_id AND u.flow_id = n.flow_id
-- What was not answered within a second is given up.
WHERE coalesce(n.response_frame, n.next + 1) > n.next AND n.next_asked - n.asked <= 1000000000 GROUP BY n.capture_id, n.src_ip, n.dst_ip ORDER BY frame;

-- @finding modbus_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'Modbus on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('modbus', 'umas') AND src_port NOT IN (502, 802) AND dst_port NOT IN (502, 802) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding modbus_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'modbus' ORDER BY frame, src_ip, dst_ip;

-- @finding modbus_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'modbus' ORDER BY frame, src_ip, dst_ip;
