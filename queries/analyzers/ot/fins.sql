-- @analyzer fins
-- @group    ot
-- @title    OMRON FINS ANALYSIS
-- @help     Omron FINS commands, memory writes, mode changes

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE response_code > 0) AS "With end code",
  count(DISTINCT CASE WHEN is_request THEN dst_ip END) AS units, count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed, min(ts) AS first, max(ts) AS last FROM fins;

-- @section "Units" shape=table limit=15
SELECT CASE WHEN is_request THEN dst_ip ELSE src_ip END AS ip, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_request THEN destination_node ELSE source_node END)), ', ') AS nodes, max(controller_model) AS model, max(controller_version) AS version, max(controller_mode) AS mode, max(carrier) AS carrier,
  count(*) FILTER (WHERE is_request) AS requests, count(DISTINCT CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS clients
FROM fins WHERE command_code IS NOT NULL GROUP BY CASE WHEN is_request THEN dst_ip ELSE src_ip END ORDER BY requests DESC, ip;

-- @section "Commands" shape=table limit=30
SELECT coalesce(command, '0x' || lpad(to_hex(CAST(command_code AS BIGINT)), 4, '0')) AS command, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE response_code = 0) AS ok, count(*) FILTER (WHERE response_code > 0) AS refused, round(median(response_time_ms), 1) AS median_ms
FROM fins WHERE command_code IS NOT NULL GROUP BY command_code, command, category ORDER BY requests DESC, command_code;

-- @section "Memory" shape=table limit=15
SELECT memory_area AS area, min(point) AS "First point", min(address) AS least, max(address) AS greatest, count(*) FILTER (WHERE command = 'memory_area_read') AS reads, count(*) FILTER (WHERE category = 'write') AS writes, count(*) FILTER (WHERE category = 'force') AS forces
FROM fins WHERE is_request AND memory_area_code IS NOT NULL GROUP BY memory_area ORDER BY reads DESC, writes DESC, area;

-- @section "Writes and control" shape=table limit=15
SELECT ts, actor AS client, target AS unit, target_unit AS address, command, point, value, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'fins' ORDER BY capture, request_frame;

-- @section "Files" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS unit, command, file_name AS file, frame FROM fins WHERE category = 'file' AND is_request ORDER BY capture, frame;

-- @section "Requests" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, service_id AS "SID", coalesce(command, CAST(command_code AS VARCHAR)) AS command, is_request AS request, point, number_of_items AS items, response, malformed FROM fins ORDER BY capture, frame;

-- @finding fins_stop severity=critical confidence=high technique=T0816,T0858
SELECT CASE WHEN outcome = 'refused' THEN 'medium' WHEN outcome = 'ok' THEN 'critical' ELSE 'high' END AS severity, 'A controller was told to stop' AS title, 'unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, request_frame AS frame, ts, capture FROM ot_commands WHERE protocol = 'fins' AND command = 'stop' ORDER BY capture, request_frame;

-- @finding fins_run severity=high confidence=high technique=T0858,T0816
SELECT CASE WHEN outcome = 'refused' THEN 'low' ELSE 'high' END AS severity, 'A controller was told to run or to restart' AS title, command || coalesce(' ' || value, '') || ', unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_sort(array_agg(request_frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND command IN ('run', 'reset') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, value, target_unit, outcome ORDER BY capture, frame;

-- @finding fins_memory_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN exists_read > 0 THEN 'medium' ELSE 'info' END AS severity, 'Memory was written' AS title, command || ' ' || coalesce(point, '-') || coalesce(' = ' || value, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count AS count, frame, frames, ts, end_ts, capture
FROM (SELECT o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.value, o.outcome, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, max(r.n) AS exists_read
  FROM ot_commands AS o LEFT JOIN (SELECT capture_id, src_ip, dst_ip, count(*) AS n, min(frame) AS first FROM fins WHERE command = 'memory_area_read' AND is_request GROUP BY capture_id, src_ip, dst_ip) AS r ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip AND r.n >= 100 AND r.first < o.request_frame
  WHERE o.protocol = 'fins' AND o.class = 'write' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.value, o.outcome) ORDER BY capture, frame;

-- @finding fins_forced_set severity=high confidence=high technique=T0835,T0831
SELECT 'Bits were forced' AS title, command || ' ' || coalesce(point, '-') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_sort(array_agg(request_frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND class = 'force' AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, outcome ORDER BY capture, frame;

-- @finding fins_program_write severity=high confidence=high technique=T0843,T0809
SELECT CASE WHEN command = 'program_area_protect' THEN 'medium' ELSE 'high' END AS severity, 'A program was changed' AS title, command || ', unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_sort(array_agg(request_frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND command IN ('program_area_write', 'program_area_clear', 'program_area_protect', 'program_area_protect_clear', 'program_area_file_transfer') AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, target_unit, outcome ORDER BY capture, frame;

-- @finding fins_program_read severity=medium confidence=high technique=T0845
SELECT 'A program was read' AS title, 'unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND command = 'program_area_read' AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, target_unit, outcome ORDER BY capture, frame;

-- @finding fins_parameter_write severity=high confidence=high technique=T0836
SELECT 'Parameters were changed' AS title, command || ', unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_sort(array_agg(request_frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND command IN ('parameter_area_write', 'parameter_area_clear', 'data_link_table_write') AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, target_unit, outcome ORDER BY capture, frame;

-- @finding fins_file_change severity=high confidence=high technique=T0809,T0843
SELECT 'Files of a controller were changed' AS title, command || coalesce(' ' || value, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_sort(array_agg(request_frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND command IN ('single_file_write', 'file_delete', 'memory_card_format', 'file_copy', 'file_name_change') AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, value, outcome ORDER BY capture, frame;

-- @finding fins_error_clear severity=medium confidence=high technique=T0872
SELECT 'Errors or their log were cleared' AS title, command || ', unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_sort(array_agg(request_frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'fins' AND command IN ('error_clear', 'error_log_clear') AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, target_unit, outcome ORDER BY capture, frame;

-- @finding fins_access_forced severity=high confidence=high technique=T0848
SELECT 'The right of access was taken by force' AS title, 'unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, request_frame AS frame, ts, capture FROM ot_commands WHERE protocol = 'fins' AND command = 'access_right_forced_acquire' ORDER BY capture, request_frame;

-- @finding fins_name_change severity=medium confidence=high technique=T0849
SELECT 'The name of a unit was changed' AS title, command || ', unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, request_frame AS frame, ts, capture FROM ot_commands WHERE protocol = 'fins' AND command IN ('name_set', 'name_delete') ORDER BY capture, request_frame;

-- @finding fins_identify severity=low confidence=high technique=T0888
SELECT CASE WHEN count(DISTINCT dst_ip) >= 3 THEN 'medium' ELSE 'low' END AS severity, 'Controllers were asked what they are' AS title, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') || ' to ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' units' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM fins WHERE is_request AND command IN ('controller_data_read', 'connection_data_read') GROUP BY capture, capture_id, src_ip ORDER BY capture, src_ip;

-- @finding fins_clock_write severity=medium confidence=high technique=T0836
SELECT 'A clock was set' AS title, 'unit ' || target_unit || ': ' || outcome AS details, src_ip, dst_ip, dst_port, request_frame AS frame, ts, capture FROM ot_commands WHERE protocol = 'fins' AND class = 'time_set' AND outcome <> 'refused' ORDER BY capture, request_frame;

-- @finding fins_error_response severity=medium technique=T0846
SELECT 'Commands are refused again and again' AS title, CAST(count(*) AS VARCHAR) || ' end codes: ' || array_to_string(array_sort(array_agg(DISTINCT response)), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM fins WHERE NOT is_request AND ((response_code & 32512) >> 8) IN (16, 17, 32, 33, 34, 35, 36, 37, 38) GROUP BY capture, capture_id, dst_ip, src_ip HAVING count(*) >= 20 ORDER BY capture, frame;

-- @finding fins_protect_password severity=high confidence=high technique=T0859
SELECT 'A password travels in clear' AS title, 'program area protection' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_sort(array_agg(frame)) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM credentials WHERE protocol = 'fins' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding fins_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE category IN ('write', 'program', 'mode', 'force', 'file')) > 0 THEN 'critical' ELSE 'high' END AS severity, 'FINS across the internet' AS title, CAST(count(*) AS VARCHAR) || ' requests' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM fins WHERE is_request AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding fins_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'FINS on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('fins') AND src_port NOT IN (9600) AND dst_port NOT IN (9600) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding fins_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'fins' ORDER BY frame, src_ip, dst_ip;

-- @finding fins_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'fins' ORDER BY frame, src_ip, dst_ip;
