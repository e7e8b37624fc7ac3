-- @analyzer srtp
-- @group    ot
-- @title    GE SRTP ANALYSIS
-- @help     GE SRTP requests

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE srtp_type = 'request') AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE message_type = 'nack') AS refused, count(DISTINCT CASE WHEN srtp_type = 'request' THEN dst_ip END) AS controllers, count(DISTINCT CASE WHEN srtp_type = 'request' THEN src_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM srtp;

-- @section "Controllers" shape=table limit=15
SELECT src_ip AS ip, last_value(plc_state ORDER BY ts, frame) AS state, array_to_string(array_sort(array_agg(DISTINCT privilege_level)), ', ') AS "Privilege levels", bool_or(plc_fault_present) AS "Fault", bool_or(io_fault_present) AS "I/O fault", bool_or(programmer_attached) AS programmer, count(*) AS answers, count(DISTINCT dst_ip) AS clients FROM srtp WHERE srtp_type = 'reply' AND message_type <> 'nack' GROUP BY src_ip ORDER BY answers DESC, ip;

-- @section "Services" shape=table limit=30
SELECT coalesce(service, CAST(service_code AS VARCHAR), 'not read') AS service, count(*) FILTER (WHERE srtp_type = 'request') AS requests, count(*) FILTER (WHERE message_type IN ('ack', 'ack_with_text')) AS ok, count(*) FILTER (WHERE message_type = 'nack') AS refused FROM srtp WHERE srtp_type IN ('request', 'reply') GROUP BY 1 ORDER BY requests DESC, service;

-- @section "Memory" shape=table limit=30
SELECT point, device AS controller, count(*) FILTER (WHERE direction = 'read') AS reads, count(*) FILTER (WHERE direction = 'write') AS writes, last_value(value ORDER BY ts, frame) AS last FROM process_values WHERE source_protocol = 'srtp' GROUP BY point, device ORDER BY writes DESC, reads DESC, point, controller;

-- @section "Commands" shape=table limit=30
SELECT ts, actor AS client, target AS controller, command, point, value, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'srtp' ORDER BY capture, request_frame;

-- @section "Errors" shape=table limit=15
SELECT src_ip AS controller, dst_ip AS client, service, error, status_code AS status, minor_status_code AS minor, count(*) AS count, min(frame) AS frame FROM srtp WHERE message_type = 'nack' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY count DESC, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, srtp_type AS type, message_type AS message, sequence_number AS sequence, service, point, plc_state AS state, error, frame FROM srtp ORDER BY capture, frame;

-- @finding srtp_run_stop severity=critical confidence=high technique=T0858
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'critical' END AS severity, 'A controller was told to run or to stop' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND class = 'mode_change' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding srtp_program_load severity=critical confidence=high technique=T0843
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'critical' END AS severity, 'A program was loaded into a controller' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND class = 'download' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding srtp_program_store severity=high confidence=high technique=T0845
SELECT 'A program was read from a controller' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND class = 'upload' AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding srtp_memory_write severity=info confidence=high technique=T0836
SELECT CASE WHEN regexp_like(point, '^%A?Q') OR details LIKE 'write_program_block%' THEN 'high' WHEN reads > 0 THEN 'medium' ELSE 'info' END AS severity, 'Memory of a controller was written' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture
FROM (SELECT o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, max(o.point) AS point, o.command || coalesce(' ' || o.point, '') || coalesce(' = ' || nullif(array_to_string(array_slice(array_sort(array_agg(DISTINCT o.value)), 1, 8), ', '), ''), '') || ': ' || o.outcome AS details, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, max(r.n) AS reads
  FROM ot_commands AS o
  -- A client that has long only read, and then writes.
  LEFT JOIN (SELECT t.capture_id, t.src_ip, t.dst_ip, count(*) AS n, min(w.first) AS first FROM srtp AS t LEFT JOIN (SELECT capture_id, src_ip, dst_ip, min(request_frame) AS first FROM ot_commands WHERE protocol = 'srtp' GROUP BY capture_id, src_ip, dst_ip) AS w ON w.capture_id = t.capture_id AND w.src_ip = t.src_ip AND w.dst_ip = t.dst_ip
    WHERE t.srtp_type = 'request' AND t.service LIKE 'read_%' AND t.frame < w.first GROUP BY t.capture_id, t.src_ip, t.dst_ip HAVING count(*) >= 100) AS r ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip
  WHERE o.protocol = 'srtp' AND o.class = 'write' AND o.outcome = 'ok' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.outcome) ORDER BY capture, frame;

-- @finding srtp_force severity=high confidence=high technique=T0835
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'high' END AS severity, 'A point was forced' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND class = 'force' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding srtp_privilege_change severity=medium confidence=high technique=T0859
SELECT CASE WHEN count(*) FILTER (WHERE outcome = 'refused') >= 5 THEN 'high' ELSE 'medium' END AS severity, 'Another level of privilege was asked for' AS title, array_to_string(array_sort(array_agg(DISTINCT command || ': ' || outcome)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND class = 'auth' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 60000000000 ORDER BY capture, frame;

-- @finding srtp_clear_faults severity=medium confidence=high technique=T0872
SELECT 'The fault table was cleared' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND command = 'clear_fault_table' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding srtp_time_set severity=medium confidence=high technique=T0836
SELECT 'The clock of a controller was set' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'srtp' AND class = 'time_set' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding srtp_identify severity=low confidence=high technique=T0888
SELECT 'A controller was asked what it is' AS title, array_to_string(array_sort(array_agg(DISTINCT service)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM srtp WHERE srtp_type = 'request' AND service = 'return_controller_type' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding srtp_public severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE service LIKE 'write_%' OR service IN ('set_plc_run_stop', 'program_load_to_plc')) > 0 THEN 'critical' ELSE 'high' END AS severity, 'SRTP across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM srtp WHERE srtp_type = 'request' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding srtp_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'SRTP on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('srtp') AND src_port NOT IN (18245, 18246) AND dst_port NOT IN (18245, 18246) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding srtp_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'srtp' ORDER BY frame, src_ip, dst_ip;

-- @finding srtp_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'srtp' ORDER BY frame, src_ip, dst_ip;
