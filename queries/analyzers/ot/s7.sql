-- @analyzer s7
-- @group    ot
-- @title    S7 ANALYSIS
-- @help     Siemens S7comm jobs, blocks, program transfer, stop

-- @section summary shape=facts
SELECT count(*) AS "PDUs", count(*) FILTER (WHERE protocol = 's7comm') AS "S7comm", count(*) FILTER (WHERE protocol = 's7comm_plus') AS "S7comm-plus", count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients,
  count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS controllers, min(ts) AS first, max(ts) AS last, count(*) FILTER (WHERE error IS NOT NULL) AS refused, count(DISTINCT CASE WHEN encrypted THEN flow_id END) AS "Flows in TLS",
  array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_orig THEN dst_port ELSE src_port END)), ', ') AS ports
FROM s7comm;

-- @section "Controllers" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS controller, max(CAST(rack AS VARCHAR) || '/' || CAST(slot AS VARCHAR)) AS "Rack/slot", max(order_number) AS "Order number", max(module_name) AS module, max(plc_name) AS name, max(serial_number) AS serial, max(firmware) AS firmware,
  last_value(operating_mode ORDER BY frame) FILTER (WHERE operating_mode IS NOT NULL) AS mode,
  CASE WHEN bool_or(encrypted) THEN 'TLS' WHEN max(plus_version) FILTER (WHERE plus_version < 16) IS NOT NULL THEN 'plus v' || CAST(max(plus_version) FILTER (WHERE plus_version < 16) AS VARCHAR) ELSE 'classic' END AS generation
FROM s7comm GROUP BY CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY controller;

-- @section "Clients" shape=table limit=15
SELECT CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, max(tsap_src) AS "TSAP", count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS controllers, count(*) FILTER (WHERE rosctr_code = 1 OR userdata_type = 4 OR plus_opcode = 49) AS requests,
  count(*) FILTER (WHERE rosctr_code = 1 AND function_code = 5) AS writes, count(*) FILTER (WHERE rosctr_code = 1 AND function_code = 4) AS reads, count(*) FILTER (WHERE error IS NOT NULL) AS refused, min(ts) AS first
FROM s7comm GROUP BY CASE WHEN is_orig THEN src_ip ELSE dst_ip END ORDER BY writes DESC, requests DESC, client;

-- @section "Operations" shape=table limit=20
SELECT coalesce(function_name, function_group_name || ' / ' || coalesce(subfunction_name, CAST(subfunction_code AS VARCHAR)), 'function ' || CAST(function_code AS VARCHAR)) AS function, count(*) FILTER (WHERE rosctr_code = 1 OR userdata_type = 4) AS requests,
  count(*) FILTER (WHERE (rosctr_code IN (2, 3) OR userdata_type = 8) AND error IS NULL) AS ok, count(*) FILTER (WHERE error IS NOT NULL) AS refused, count(*) FILTER (WHERE userdata_type = 0) AS pushed, min(frame) AS frame
FROM s7comm WHERE protocol = 's7comm' GROUP BY function_code, function_name, function_group_name, subfunction_name, subfunction_code ORDER BY requests DESC, function;

-- @section "CPU and block events" shape=table limit=30
SELECT ts, src_ip AS client, dst_ip AS controller, class, command AS service, point AS argument, outcome, error FROM ot_commands WHERE protocol = 's7comm' AND class NOT IN ('write', 'time_set', 'auth') ORDER BY capture, record_frame, request_frame;

-- @section "Program transfers" shape=table limit=15
SELECT filename AS block, direction, CASE WHEN direction = 'upload' THEN src_ip ELSE dst_ip END AS client, CASE WHEN direction = 'upload' THEN dst_ip ELSE src_ip END AS controller, size_bytes, complete, frame, sha256 AS "SHA-256"
FROM files WHERE source = 's7comm' ORDER BY capture, frame;

-- @section "Variables" shape=table limit=15
SELECT dst_ip AS controller, point, count(*) FILTER (WHERE operation = 'read') AS reads, count(*) FILTER (WHERE operation = 'write') AS writes, max(length(encode(value, 'hex')) / 2) AS "Bytes", last_value(value_text ORDER BY frame, item) AS last, last_value(src_ip ORDER BY frame) FILTER (WHERE operation = 'write') AS "Last writer",
  array_to_string(array_sort(array_agg(DISTINCT return_name)), ', ') AS answers
FROM s7comm_items GROUP BY dst_ip, point ORDER BY writes DESC, reads DESC, controller, point;

-- @section "SZL reads" shape=table limit=15
SELECT '0x' || lpad(upper(to_hex(szl_id)), 4, '0') AS id, szl_id_name AS name, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, count(*) FILTER (WHERE userdata_type = 4) AS reads, count(*) FILTER (WHERE userdata_type = 8 AND error IS NULL) AS answered, min(frame) AS frame
FROM s7comm WHERE szl_id IS NOT NULL GROUP BY szl_id, szl_id_name, CASE WHEN is_orig THEN src_ip ELSE dst_ip END ORDER BY reads DESC, id, client;

-- @section "Clock" shape=table limit=15
SELECT ts, src_ip AS src, dst_ip AS dst, subfunction_name AS function, clock, (CAST(clock AS BIGINT) - CAST(ts AS BIGINT)) / 1000000000 AS ahead_of_capture_s FROM s7comm WHERE clock IS NOT NULL ORDER BY capture, frame;

-- @section "Security" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS controller, command AS request, outcome, error FROM ot_commands WHERE protocol = 's7comm' AND class = 'auth' ORDER BY capture, record_frame;

-- @section "S7comm-plus" shape=table limit=15
SELECT coalesce(plus_function_name, '0x' || lpad(upper(to_hex(plus_function)), 4, '0')) AS function, 'v' || CAST(plus_version AS VARCHAR) AS version, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, count(*) FILTER (WHERE plus_opcode = 49) AS requests, count(*) FILTER (WHERE plus_opcode = 50) AS answers
FROM s7comm WHERE plus_function IS NOT NULL GROUP BY plus_function, plus_function_name, plus_version, CASE WHEN is_orig THEN src_ip ELSE dst_ip END ORDER BY requests DESC, function, version, client;

-- @section "PDUs" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, coalesce(rosctr_name, plus_opcode_name) AS kind, coalesce(pdu_reference, plus_sequence) AS reference, coalesce(function_name, subfunction_name, plus_function_name) AS function, item_count AS items, error FROM s7comm ORDER BY capture, frame, pdu_reference;

-- @finding s7_plc_stop severity=critical confidence=high technique=T0858,T0816
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'critical' END AS severity, CASE WHEN outcome = 'refused' THEN 'A controller refused to be stopped' ELSE 'A controller was told to stop' END AS title, command || ' ' || coalesce(point, '') || ': ' || outcome AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 's7comm' AND class = 'stop' AND outcome <> 'no_response' GROUP BY src_ip, dst_ip, command, point, outcome, capture ORDER BY frame;

-- @finding s7_plc_start severity=high confidence=high technique=T0858
SELECT 'A controller was started' AS title, CASE WHEN point = 'C' THEN 'cold restart' ELSE 'warm or hot restart' END AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 's7comm' AND class = 'start' AND outcome = 'ok' GROUP BY src_ip, dst_ip, point, capture ORDER BY frame;

-- @finding s7_block_download severity=critical confidence=high technique=T0843,T0889
WITH blocks AS (SELECT capture_id, flow_id, array_sort(array_agg(DISTINCT point)) AS activated FROM ot_commands WHERE protocol = 's7comm' AND command = '_INSE' AND outcome = 'ok' GROUP BY capture_id, flow_id)
SELECT CASE WHEN bool_or(point NOT LIKE 'DB%') THEN 'critical' ELSE 'high' END AS severity, 'Program blocks were loaded into a controller' AS title,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') || coalesce('; activated: ' || array_to_string(array_slice(array_sort(first_value(b.activated ORDER BY c.frame)), 1, 8), ', '), '') AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(c.capture) AS capture
FROM ot_commands c LEFT JOIN blocks b ON b.capture_id = c.capture_id AND b.flow_id = c.flow_id
WHERE protocol = 's7comm' AND command = 'request_download' AND outcome = 'ok' GROUP BY c.capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding s7_block_activate severity=high confidence=high technique=T0821
SELECT 'Blocks of a controller were activated' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(c.capture) AS capture
-- Where a download goes before it, that finding tells of it.
FROM ot_commands c LEFT JOIN (SELECT DISTINCT capture_id AS id, flow_id AS flow FROM ot_commands WHERE protocol = 's7comm' AND command = 'request_download' AND outcome = 'ok') d ON d.id = c.capture_id AND d.flow = c.flow_id
WHERE protocol = 's7comm' AND command = '_INSE' AND outcome = 'ok' AND d.flow IS NULL GROUP BY c.capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding s7_block_delete severity=critical confidence=high technique=T0809
SELECT 'Blocks of a controller were deleted' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 's7comm' AND command = '_DELE' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding s7_ram_to_rom severity=medium confidence=high technique=T0889
SELECT 'The memory of a controller was copied to its load memory' AS title, '_MODU' AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 's7comm' AND command = '_MODU' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding s7_block_upload severity=high confidence=high technique=T0845
SELECT 'Program blocks were copied out of a controller' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 's7comm' AND command = 'start_upload' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding s7_write_variable severity=info confidence=high technique=T0836,T0855
SELECT CASE WHEN started > capture_start + 600000000000 AND process THEN 'high' ELSE 'info' END AS severity, 'Variables of a controller were written' AS title, CAST(n AS VARCHAR) || ' items: ' || points AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(*) AS n, array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS points, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts,
    CAST(min(ts) AS BIGINT) AS started, bool_or(area IN (130, 132)) AS process
  FROM s7comm_items WHERE operation = 'write' AND return_code = 255 GROUP BY capture_id, src_ip, dst_ip) w
JOIN (SELECT capture_id, CAST(min(ts) AS BIGINT) AS capture_start FROM s7comm GROUP BY capture_id) s ON s.capture_id = w.capture_id
ORDER BY frame;

-- @finding s7_force_io severity=high confidence=high technique=T0835
SELECT 'Outputs of a controller were written directly' AS title, CAST(count(*) AS VARCHAR) || ' items: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 8), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM s7comm_items WHERE operation = 'write' AND return_code = 255 AND area IN (128, 130) GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding s7_clock_set severity=medium confidence=high technique=T0836
SELECT CASE WHEN abs(off) > 60 THEN 'high' ELSE 'medium' END AS severity, 'The clock of a controller was set' AS title, 'to ' || CAST(clock AS VARCHAR) || coalesce(', ' || CAST(off AS VARCHAR) || ' s from where it stood', '') AS details, src_ip, dst_ip, 1 AS count, frame, ts, ts AS end_ts, capture
FROM (SELECT min(s.capture) AS capture, s.src_ip, s.dst_ip, s.frame, s.ts, s.clock, min(s.clock_at) - min(s.at) AS from_capture, (min(s.clock_at) - min(s.at) - last_value(r.clock_at - r.at ORDER BY r.frame)) / 1000000000 AS off
  FROM (SELECT *, CAST(clock AS BIGINT) AS clock_at, CAST(ts AS BIGINT) AS at FROM s7comm WHERE function_group = 7 AND subfunction_code IN (2, 4) AND userdata_type = 4 AND clock IS NOT NULL) s
  JOIN (SELECT capture_id, request_frame, flow_id FROM ot_commands WHERE protocol = 's7comm' AND class = 'time_set' AND outcome = 'ok') c ON c.capture_id = s.capture_id AND c.request_frame = s.frame AND c.flow_id = s.flow_id
  LEFT JOIN (SELECT *, CAST(clock AS BIGINT) AS clock_at, CAST(ts AS BIGINT) AS at FROM s7comm WHERE userdata_type = 8 AND clock IS NOT NULL) r ON r.capture_id = s.capture_id AND r.src_ip = s.dst_ip AND r.frame < s.frame
  GROUP BY s.capture_id, s.src_ip, s.dst_ip, s.frame, s.ts, s.clock)
-- A station that sets the time it has itself is no news.
WHERE abs(from_capture) > 2000000000 ORDER BY frame;

-- @finding s7_password_attempt severity=medium confidence=high technique=T0859
SELECT CASE WHEN count(*) FILTER (WHERE outcome = 'refused') >= 3 THEN 'high' ELSE 'medium' END AS severity, 'Passwords of a controller were tried' AS title, CAST(count(*) AS VARCHAR) || ' attempts, ' || CAST(count(*) FILTER (WHERE outcome = 'refused') AS VARCHAR) || ' refused' AS details,
  src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 's7comm' AND class = 'auth' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding s7_identify severity=low confidence=high technique=T0888
SELECT CASE WHEN count(DISTINCT dst_ip) >= 3 THEN 'medium' ELSE 'low' END AS severity, 'A client read the identity of controllers' AS title, array_to_string(array_sort(array_agg(DISTINCT szl_id_name)), ', ') || ' of ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' controllers' AS details,
  src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM s7comm WHERE userdata_type = 4 AND szl_id IN (17, 28, 305) GROUP BY src_ip, capture ORDER BY frame;

-- @finding s7_block_list severity=low confidence=high technique=T0868
SELECT 'A client listed the blocks of a controller' AS title, array_to_string(array_sort(array_agg(DISTINCT subfunction_name)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM s7comm WHERE userdata_type = 4 AND function_group = 3 GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding s7_unexpected_tsap severity=medium confidence=high technique=T0846
SELECT 'A client tries racks and slots' AS title, CAST(count(DISTINCT tsap_dst) AS VARCHAR) || ' called TSAPs' AS details, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS src_ip, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS dst_ip, count(DISTINCT tsap_dst) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM s7comm WHERE rack IS NOT NULL GROUP BY capture_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END HAVING count(DISTINCT tsap_dst) >= 5 ORDER BY frame;

-- @finding s7_plus_program severity=high confidence=medium technique=T0843
SELECT 'Objects of a controller were written' AS title, CAST(sum(CAST(plus_length AS BIGINT)) AS VARCHAR) || ' octets with ' || array_to_string(array_sort(array_agg(DISTINCT plus_function_name)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM s7comm WHERE plus_opcode = 49 AND plus_function IN (1226, 1236) GROUP BY capture_id, src_ip, dst_ip, flow_id HAVING sum(CAST(plus_length AS BIGINT)) > 4096 ORDER BY frame;

-- @finding s7_protocol_downgrade severity=medium confidence=medium technique=T0830
SELECT 'A controller that can do better speaks an older protocol' AS title, 'version 3 or TLS with others, with this client ' || CASE WHEN p.classic THEN 'S7comm' ELSE 'S7comm-plus version 1' END AS details, p.client AS src_ip, p.controller AS dst_ip, p.n AS count, p.frame, p.ts, p.end_ts, p.capture
FROM (SELECT min(capture) AS capture, capture_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS controller, bool_and(coalesce(plus_version, 0) IN (0, 1) AND NOT encrypted) AS old, bool_or(protocol = 's7comm') AS classic, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
  FROM s7comm WHERE coalesce(plus_version, 0) < 16 GROUP BY capture_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END) p
JOIN (SELECT DISTINCT capture_id, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS controller FROM s7comm WHERE plus_version = 3 OR encrypted) m ON m.capture_id = p.capture_id AND m.controller = p.controller
WHERE p.old ORDER BY p.frame, p.client;

-- @finding s7_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN bool_or(function_code IN (5, 26, 27, 28, 29, 40, 41) AND rosctr_code = 3 AND error IS NULL) THEN 'critical' ELSE 'high' END AS severity, 'S7 with a public address' AS title, CAST(count(*) AS VARCHAR) || ' PDUs' AS details,
  min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM s7comm WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding s7_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'S7 on another port than its own' AS title, 'port ' || CAST(CASE WHEN is_orig THEN dst_port ELSE src_port END AS VARCHAR) AS details, min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM s7comm WHERE src_port <> 102 AND dst_port <> 102 GROUP BY CASE WHEN is_orig THEN dst_port ELSE src_port END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END, capture ORDER BY frame;

-- @finding s7_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 's7comm' ORDER BY frame, src_ip, dst_ip;

-- @finding s7_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 's7comm' ORDER BY frame, src_ip, dst_ip;

-- @finding s7_cleartext_credential severity=high confidence=high technique=T0859,T1040
SELECT 'A password travels in clear' AS title, 'of a controller, hidden by a fixed pattern only: ' || array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 's7comm' AND NOT encrypted GROUP BY src_ip, dst_ip, dst_port, field, capture ORDER BY frame, details;
