-- @analyzer pccc
-- @group    ot
-- @title    PCCC ANALYSIS
-- @help     PCCC commands to PLC-5 and SLC 500

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE NOT is_request AND status <> 0) AS refused,
  array_to_string(array_sort(array_agg(DISTINCT carrier)), ', ') AS carriers, count(DISTINCT CASE WHEN is_request THEN dst_ip END) AS processors, count(DISTINCT CASE WHEN is_request THEN src_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM pccc;

-- @section "Processors" shape=table limit=15
SELECT CASE WHEN is_request THEN dst_ip ELSE src_ip END AS ip, max(processor) AS model, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE is_request AND category = 'write') AS writes, count(*) FILTER (WHERE NOT is_request AND status <> 0) AS refused, count(DISTINCT CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS clients
FROM pccc GROUP BY CASE WHEN is_request THEN dst_ip ELSE src_ip END ORDER BY requests DESC, ip;

-- @section "Functions" shape=table limit=30
SELECT function, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request AND status = 0) AS ok, count(*) FILTER (WHERE NOT is_request AND status <> 0) AS refused
FROM pccc WHERE function IS NOT NULL GROUP BY function, category ORDER BY requests DESC, function;

-- @section "Files" shape=table limit=15
SELECT coalesce(file_type_name, '0x' || lpad(to_hex(CAST(file_type AS BIGINT)), 2, '0') || ' ') || CAST(file_number AS VARCHAR) AS file, dst_ip AS processor, min(element) AS least, max(element) AS greatest, count(*) FILTER (WHERE category = 'read') AS reads, count(*) FILTER (WHERE category = 'write') AS writes, max(CASE WHEN category = 'write' THEN src_ip END) AS writer
FROM pccc WHERE is_request AND file_type IS NOT NULL GROUP BY file_type_name, file_type, file_number, dst_ip ORDER BY writes DESC, reads DESC, file;

-- @section "Writes and control" shape=table limit=15
SELECT ts, actor AS client, target, command, point, value, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'pccc' ORDER BY capture, request_frame;

-- @section "Errors" shape=table limit=15
SELECT src_ip AS processor, dst_ip AS client, function, error, status, extended_status, count(*) AS count, min(frame) AS frame FROM pccc WHERE NOT is_request AND status <> 0 GROUP BY src_ip, dst_ip, function, error, status, extended_status ORDER BY count DESC, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, transaction, function, point, cpu_mode_name AS mode, byte_size AS bytes, error, frame FROM pccc ORDER BY capture, frame;

-- @finding pccc_cpu_mode_change severity=critical confidence=high technique=T0858
SELECT CASE WHEN outcome = 'refused' THEN 'medium' WHEN value = 'remote_run' THEN 'high' ELSE 'critical' END AS severity, 'The mode of a processor was changed' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'pccc' AND class = 'mode_change' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding pccc_download severity=critical confidence=high technique=T0843
SELECT 'A program was loaded into a processor' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'pccc' AND class = 'download' AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding pccc_upload severity=high confidence=high technique=T0845
SELECT 'A program was read from a processor' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'pccc' AND class = 'upload' AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding pccc_write severity=info confidence=high technique=T0836,T0855
SELECT CASE WHEN point LIKE 'O%' THEN 'medium' WHEN reads > 0 THEN 'medium' ELSE 'info' END AS severity, 'Data of a processor was written' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture
FROM (SELECT o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, max(o.point) AS point, o.command || coalesce(' ' || o.point, '') || coalesce(' = ' || nullif(array_to_string(array_slice(array_sort(array_agg(DISTINCT o.value)), 1, 8), ', '), ''), '') || ': ' || o.outcome AS details, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, max(r.n) AS reads
  FROM ot_commands AS o
  -- A client that has long only read, and then writes.
  LEFT JOIN (SELECT t.capture_id, t.src_ip, t.dst_ip, count(*) AS n, min(w.first) AS first FROM pccc AS t LEFT JOIN (SELECT capture_id, src_ip, dst_ip, min(request_frame) AS first FROM ot_commands WHERE protocol = 'pccc' GROUP BY capture_id, src_ip, dst_ip) AS w ON w.capture_id = t.capture_id AND w.src_ip = t.src_ip AND w.dst_ip = t.dst_ip
    WHERE t.is_request AND t.category = 'read' AND t.frame < w.first GROUP BY t.capture_id, t.src_ip, t.dst_ip HAVING count(*) >= 100) AS r ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip
  WHERE o.protocol = 'pccc' AND o.class = 'write' AND o.outcome = 'ok' AND o.command <> 'masked_write_3' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.outcome) ORDER BY capture, frame;

-- @finding pccc_masked_write severity=medium confidence=high technique=T0835
SELECT 'Bits of inputs or outputs were written under a mask' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'pccc' AND command = 'masked_write_3' AND regexp_like(point, '^[IO][0-9]') AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding pccc_forces_disabled severity=high confidence=high technique=T0835
SELECT 'Forces were disabled' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'pccc' AND command = 'disable_forces' AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding pccc_reset_or_shutdown severity=high confidence=high technique=T0809,T0816
SELECT 'A processor was shut down, restarted or cleared' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'pccc' AND command IN ('initialize_memory', 'shutdown', 'restart_request') AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding pccc_error_burst severity=low confidence=medium technique=T0846
SELECT 'Commands are refused again and again' AS title, CAST(count(*) AS VARCHAR) || ' within 60 s' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM pccc WHERE NOT is_request AND status <> 0 GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY capture, frame;

-- @finding pccc_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE category IN ('write', 'mode', 'download', 'upload')) > 0 THEN 'critical' ELSE 'high' END AS severity, 'PCCC across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM pccc WHERE is_request AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding pccc_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'pccc' ORDER BY frame, src_ip, dst_ip;
