-- @analyzer df1
-- @group    ot
-- @title    DF1 ANALYSIS
-- @help     Allen-Bradley DF1 frames

-- @section summary shape=facts
SELECT count(*) AS frames, count(DISTINCT flow_id) AS lines, count(*) FILTER (WHERE symbol = 'data') AS "With data", count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE is_request = false) AS answers, count(*) FILTER (WHERE symbol = 'nak') AS "Not acknowledged", count(*) FILTER (WHERE check_ok = false) AS "Wrong checks",
  max(duplex) AS duplex, max(check_kind) AS "check", min(ts) AS first, max(ts) AS last FROM df1;

-- @section "Stations" shape=table limit=15
SELECT node, count(*) FILTER (WHERE role = 'destination' AND is_request) AS "Requests to it", count(*) FILTER (WHERE role = 'source' AND is_request) AS "Requests by it", count(*) FILTER (WHERE role = 'destination' AND symbol = 'poll') AS polls, count(*) FILTER (WHERE role = 'destination' AND is_request AND category = 'write') AS "Writes to it"
FROM (SELECT destination AS node, 'destination' AS role, is_request, symbol, category FROM df1 WHERE destination IS NOT NULL UNION ALL SELECT source, 'source', is_request, symbol, category FROM df1 WHERE source IS NOT NULL) GROUP BY node ORDER BY node;

-- @section "Commands" shape=table limit=30
SELECT function, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request AND status = 0) AS ok, count(*) FILTER (WHERE NOT is_request AND status <> 0) AS refused FROM df1 WHERE function IS NOT NULL GROUP BY function, category ORDER BY requests DESC, function;

-- @section "Writes and control" shape=table limit=15
SELECT ts, actor AS client, target, target_unit AS node, command, point, value, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'df1' ORDER BY capture, request_frame;

-- @section "Line" shape=table limit=15
SELECT src_ip AS sender, symbol, check_kind AS "check", count(*) AS frames, count(*) FILTER (WHERE check_ok = false) AS wrong FROM df1 GROUP BY src_ip, symbol, check_kind ORDER BY sender, frames DESC, symbol;

-- @section "Frames" shape=table verbose
SELECT ts, src_ip AS sender, symbol, source AS "From", destination AS "To", transaction, function, point, status, check_ok, frame FROM df1 ORDER BY capture, frame;

-- @finding df1_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN reads > 0 THEN 'medium' ELSE 'info' END AS severity, 'Data of a station was written' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture
FROM (SELECT o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, max(o.point) AS point, o.command || coalesce(' ' || o.point, '') || coalesce(' = ' || nullif(array_to_string(array_slice(array_sort(array_agg(DISTINCT o.value)), 1, 8), ', '), ''), '') || ': ' || o.outcome AS details, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, max(r.n) AS reads
  FROM ot_commands AS o
  -- A client that has long only read, and then writes.
  LEFT JOIN (SELECT t.capture_id, t.src_ip, t.dst_ip, count(*) AS n, min(w.first) AS first FROM df1 AS t LEFT JOIN (SELECT capture_id, src_ip, dst_ip, min(request_frame) AS first FROM ot_commands WHERE protocol = 'df1' GROUP BY capture_id, src_ip, dst_ip) AS w ON w.capture_id = t.capture_id AND w.src_ip = t.src_ip AND w.dst_ip = t.dst_ip
    WHERE t.is_request AND t.category = 'read' AND t.frame < w.first GROUP BY t.capture_id, t.src_ip, t.dst_ip HAVING count(*) >= 100) AS r ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip
  WHERE o.protocol = 'df1' AND o.class = 'write' AND o.outcome = 'ok' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.outcome) ORDER BY capture, frame;

-- @finding df1_mode_change severity=high confidence=high technique=T0858
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'high' END AS severity, 'The mode of a station was changed' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'df1' AND class = 'mode_change' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding df1_program_transfer severity=high confidence=high technique=T0843
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'high' END AS severity, 'A program was loaded into or read from a station' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'df1' AND class IN ('download', 'upload', 'delete') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding df1_nak_storm severity=low confidence=medium technique=T0814
SELECT 'Frames are refused again and again' AS title, CAST(count(*) AS VARCHAR) || ' within 10 s' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM df1 WHERE symbol = 'nak' GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 10000000000 HAVING count(*) >= 10 ORDER BY capture, frame;

-- @finding df1_two_masters severity=medium confidence=medium technique=T0848
SELECT 'Two ends poll one line' AS title, CAST(count(*) AS VARCHAR) || ' polls by ' || CAST(count(DISTINCT src_ip) AS VARCHAR) || ' ends within 10 s' AS details, min(src_ip) AS src_ip, max(src_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM df1 WHERE symbol = 'poll' GROUP BY capture, capture_id, flow_id, CAST(ts AS BIGINT) / 10000000000 HAVING count(DISTINCT src_ip) > 1 ORDER BY capture, frame;
