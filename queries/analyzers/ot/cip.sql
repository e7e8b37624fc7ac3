-- @analyzer cip
-- @group    ot
-- @title    CIP ANALYSIS
-- @help     CIP services on objects, writes, mode changes

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request) AS answers, count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN is_request THEN src_ip END) AS clients, count(DISTINCT CASE WHEN is_request THEN dst_ip END) AS servers, min(ts) AS first, max(ts) AS last,
  count(*) FILTER (WHERE status_code NOT IN (0, 6)) AS failed, count(*) FILTER (WHERE is_io) AS "I/O datagrams"
FROM cip;

-- @section "Service use" shape=table limit=20
SELECT coalesce(class_name, '0x' || lpad(upper(to_hex(class_id)), 2, '0'), CASE WHEN symbol IS NOT NULL THEN 'tag' END) AS class, coalesce(service, '0x' || lpad(upper(to_hex(service_code)), 2, '0')) AS service, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE status_code IN (0, 6)) AS ok,
  count(*) FILTER (WHERE status_code NOT IN (0, 6)) AS failed, min(frame) AS frame
FROM cip WHERE NOT is_io GROUP BY class_id, class_name, symbol IS NOT NULL, CASE WHEN symbol IS NOT NULL THEN 'tag' END, service, service_code, category
ORDER BY CASE category WHEN 'control' THEN 0 WHEN 'firmware' THEN 0 WHEN 'program' THEN 1 WHEN 'write' THEN 1 WHEN 'time' THEN 1 WHEN 'connection' THEN 2 ELSE 3 END, requests DESC, class, service;

-- @section "Objects" shape=table limit=15
SELECT coalesce(class_name, '0x' || lpad(upper(to_hex(class_id)), 2, '0')) AS class, count(DISTINCT instance_id) AS instances, count(DISTINCT attribute_id) AS attributes, count(*) FILTER (WHERE category IN ('read', 'identity')) AS reads, count(*) FILTER (WHERE category IN ('write', 'time')) AS writes
FROM cip WHERE is_request AND class_id IS NOT NULL GROUP BY class_id, class_name ORDER BY writes DESC, reads DESC, class;

-- @section "Tags" shape=table limit=30
SELECT CASE WHEN is_request THEN dst_ip ELSE src_ip END AS controller, symbol AS tag, max(data_type) AS type, count(*) FILTER (WHERE is_request AND category = 'read') AS reads, count(*) FILTER (WHERE is_request AND category = 'write') AS writes,
  array_to_string(last_value("values" ORDER BY frame, service_index) FILTER (WHERE "values" IS NOT NULL), ' ') AS last, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_request AND category = 'write' THEN src_ip END)), ', ') AS writers
FROM cip WHERE symbol IS NOT NULL GROUP BY CASE WHEN is_request THEN dst_ip ELSE src_ip END, symbol ORDER BY writes DESC, reads DESC, controller, tag;

-- @section "Control and program actions" shape=table limit=30
SELECT min(ts) AS first, src_ip AS client, dst_ip AS server, class, command AS action, point AS object, count(*) AS count, array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS outcome, array_to_string(array_sort(array_agg(DISTINCT error)), ', ') AS error
FROM ot_commands WHERE protocol = 'cip' AND class <> 'write' GROUP BY src_ip, dst_ip, class, command, point ORDER BY first, client, server, action, object;

-- @section "Errors" shape=table limit=15
SELECT src_ip AS server, coalesce(service, '0x' || lpad(upper(to_hex(service_code)), 2, '0')) AS service, class_name AS class, coalesce(status, CAST(status_code AS VARCHAR)) AS status, coalesce(extended_status, '0x' || lpad(upper(to_hex(extended_status_code)), 4, '0')) AS extended, count(*) AS count, min(frame) AS frame
FROM cip WHERE status_code NOT IN (0, 6) GROUP BY src_ip, service, service_code, class_name, status, status_code, extended_status, extended_status_code ORDER BY count DESC, server, service, class, status, extended;

-- @section "Services" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, direction, coalesce(service, '0x' || lpad(upper(to_hex(service_code)), 2, '0')) AS service, path, status, array_to_string("values", ' ') AS "Values", data_len AS "Octets" FROM cip WHERE NOT is_io ORDER BY capture, frame, service_index;

-- @finding cip_write_tag severity=info confidence=high technique=T0855,T0836
SELECT 'Tags of a controller were written' AS title, CAST(count(*) AS VARCHAR) || ' writes: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' = ' || coalesce(value, '?'))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'cip' AND class = 'write' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding cip_set_attribute severity=medium confidence=high technique=T0836
SELECT CASE WHEN bool_or(regexp_like(point, 'class 0x(F4|F5|F6|01|43|8B|5D|5E|5F)(/|$)')) THEN 'high' ELSE 'medium' END AS severity, 'Attributes of a device were set' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT point)), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'cip' AND class IN ('config', 'time_set') AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding cip_mode_change severity=high confidence=high technique=T0858,T0816
SELECT CASE WHEN bool_or(outcome = 'ok') THEN 'high' WHEN bool_or(outcome = 'refused') THEN 'medium' ELSE 'medium' END AS severity, 'A controller was told to start or stop' AS title,
  command || ' of ' || coalesce(point, '?') || ': ' || array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'cip' AND class IN ('start', 'stop') AND regexp_like(point, 'class 0x(01|68|8E)(/|$)') GROUP BY src_ip, dst_ip, command, point, capture ORDER BY frame;

-- @finding cip_reset severity=high confidence=high technique=T0816
SELECT 'A device was told to reset' AS title, 'type ' || coalesce(value, '0') || ': ' || array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'cip' AND class = 'restart' AND point LIKE 'class 0x01%' AND outcome <> 'refused' GROUP BY src_ip, dst_ip, value, capture ORDER BY frame;

-- @finding cip_firmware severity=high confidence=high technique=T0857,T0839
SELECT CASE WHEN bool_or(r.request_frame > f.request_frame) THEN 'critical' ELSE 'high' END AS severity, 'Firmware was sent to a device' AS title, CAST(count(DISTINCT f.request_frame) AS VARCHAR) || ' transfers' || CASE WHEN bool_or(r.request_frame > f.request_frame) THEN ', then a reset' ELSE '' END AS details,
  f.src_ip, f.dst_ip, count(DISTINCT f.request_frame) AS count, min(f.request_frame) AS frame, min(f.ts) AS ts, max(f.ts) AS end_ts, min(f.capture) AS capture
FROM ot_commands f LEFT JOIN (SELECT capture_id, src_ip, dst_ip, max(request_frame) AS request_frame FROM ot_commands WHERE protocol = 'cip' AND class = 'restart' GROUP BY capture_id, src_ip, dst_ip) r ON r.capture_id = f.capture_id AND r.src_ip = f.src_ip AND r.dst_ip = f.dst_ip
WHERE f.protocol = 'cip' AND f.class = 'firmware' GROUP BY f.capture_id, f.src_ip, f.dst_ip HAVING count(DISTINCT f.request_frame) >= 50 ORDER BY frame;

-- @finding cip_program_download severity=high confidence=high technique=T0843
SELECT 'Program objects of a controller were created or deleted' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(split_part(point, '/', 1), ''))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'cip' AND class IN ('download', 'delete') AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding cip_key_switch_attempt severity=high confidence=medium technique=T0859
SELECT 'A controller was locked or unlocked' AS title, 'service 0x' || upper(to_hex(service_code)) || ' of class 0x' || upper(to_hex(class_id)) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM cip WHERE is_request AND service_code IN (75, 76) AND class_id IN (142, 116) GROUP BY src_ip, dst_ip, service_code, class_id, capture ORDER BY frame;

-- @finding cip_safety_change severity=critical confidence=high technique=T0880,T0836
SELECT 'Safety objects were written' AS title, coalesce(q.service, CAST(q.service_code AS VARCHAR)) || ' of ' || coalesce(q.path, '?') AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM cip q JOIN cip a ON a.capture_id = q.capture_id AND a.request_frame = q.frame AND a.service_code = q.service_code AND a.status_code = 0
WHERE q.is_request AND q.is_safety AND q.category IN ('write', 'control') GROUP BY q.capture_id, coalesce(q.service, CAST(q.service_code AS VARCHAR)), coalesce(q.path, '?'), q.src_ip, q.dst_ip ORDER BY frame;

-- @finding cip_error_reconnaissance severity=medium confidence=high technique=T0846
SELECT 'A client tries what a server refuses' AS title, CAST(count(*) AS VARCHAR) || ' failures with ' || CAST(count(DISTINCT service_code) AS VARCHAR) || ' services' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM cip WHERE NOT is_request AND status_code NOT IN (0, 6) GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 20 AND count(DISTINCT service_code) >= 5 ORDER BY frame;

-- @finding cip_multi_service_hidden severity=medium confidence=high technique=T0855
WITH packed AS (SELECT capture, capture_id, flow_id, src_ip, dst_ip, frame, ts, category, service, path, count(*) FILTER (WHERE category IN ('read', 'identity')) OVER (PARTITION BY capture_id, flow_id, frame) AS reads FROM cip WHERE is_request AND parent_service = 'multiple_service_packet')
SELECT 'A packet of services hides a control or write among reads' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(service, '?') || ' ' || coalesce(path, ''))), 1, 8), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packed WHERE reads > 0 AND category IN ('control', 'firmware', 'program', 'write') GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding cip_enumeration severity=medium confidence=high technique=T0888,T0861
SELECT 'The objects of a device are listed' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'instances of ' || CAST(count(DISTINCT class_id) AS VARCHAR) || ' classes asked for within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
  FROM cip WHERE is_request AND service IN ('get_instance_attribute_list', 'find_next_object_instance') GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT class_id) >= 5
  UNION ALL
  SELECT CAST(count(DISTINCT CAST(q.class_id AS VARCHAR) || '/' || coalesce(CAST(q.instance_id AS VARCHAR), '')) AS VARCHAR) || ' objects tried within 5 minutes, ' || CAST(count(*) FILTER (WHERE a.status_code IN (5, 8, 22)) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' are not there', q.src_ip, q.dst_ip, count(*), min(q.frame),
    array_slice(array_sort(array_agg(DISTINCT q.frame)), 1, 20), min(q.ts), max(q.ts), min(q.capture)
  FROM cip q JOIN cip a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.service_index = q.service_index AND NOT a.is_request
  WHERE q.is_request AND q.class_id IS NOT NULL GROUP BY q.capture_id, q.src_ip, q.dst_ip, CAST(q.ts AS BIGINT) / 300000000000
  HAVING count(DISTINCT CAST(q.class_id AS VARCHAR) || '/' || coalesce(CAST(q.instance_id AS VARCHAR), '')) >= 30 AND count(*) FILTER (WHERE a.status_code IN (5, 8, 22)) * 2 >= count(*))
ORDER BY frame, details;

-- @finding cip_unconnected_writes severity=low confidence=high technique=T0855
WITH connected AS (SELECT capture_id, src_ip, dst_ip FROM cip WHERE is_request AND enip_command = 'send_unit_data' GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 10)
SELECT 'A client writes without a connection' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT q.service || ' ' || coalesce(q.symbol, q.path, ''))), 1, 5), ', ') || '; connected: ' || min(c.clients) AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(DISTINCT q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM cip q JOIN cip a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.service_index = q.service_index AND NOT a.is_request AND a.status_code = 0
JOIN (SELECT w.capture_id, w.src_ip, w.dst_ip, array_to_string(array_slice(array_sort(array_agg(DISTINCT c.src_ip)), 1, 4), ', ') AS clients FROM (SELECT DISTINCT capture_id, src_ip, dst_ip FROM cip WHERE is_request AND category = 'write' AND enip_command = 'send_rr_data') w
  JOIN connected c ON c.capture_id = w.capture_id AND c.dst_ip = w.dst_ip AND c.src_ip <> w.src_ip GROUP BY w.capture_id, w.src_ip, w.dst_ip) c ON c.capture_id = q.capture_id AND c.src_ip = q.src_ip AND c.dst_ip = q.dst_ip
WHERE q.is_request AND q.category = 'write' AND q.enip_command = 'send_rr_data' GROUP BY q.capture_id, q.src_ip, q.dst_ip ORDER BY frame;

-- @finding cip_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'cip' ORDER BY frame, src_ip, dst_ip;

-- @finding cip_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'cip' ORDER BY frame, src_ip, dst_ip;

-- @finding cip_program_upload severity=medium confidence=medium technique=T0845
WITH asked AS (
  SELECT q.capture, q.capture_id, q.src_ip, q.dst_ip, q.class_id, q.instance_id, q.service, q.frame, q.ts, CAST(q.ts AS BIGINT) / 600000000000 AS span
  FROM cip q JOIN cip a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.service_index = q.service_index AND NOT a.is_request AND a.status_code IN (0, 6)
  WHERE q.is_request AND q.class_id IN (104, 107, 108, 109)),
heard AS (SELECT capture_id, src_ip, dst_ip, CAST(min(ts) AS BIGINT) AS since FROM cip WHERE is_request GROUP BY capture_id, src_ip, dst_ip),
-- Programs, symbols, templates and routines, all of them: who browses tags asks for two. What is created meanwhile is a program that is loaded.
readings AS (
  SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(*) AS n, count(DISTINCT CAST(class_id AS VARCHAR) || '/' || coalesce(CAST(instance_id AS VARCHAR), '')) AS objects, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM asked GROUP BY capture_id, src_ip, dst_ip, span HAVING count(DISTINCT class_id) = 4 AND count(DISTINCT CAST(class_id AS VARCHAR) || '/' || coalesce(CAST(instance_id AS VARCHAR), '')) >= 10 AND count(*) FILTER (WHERE service IN ('create', 'delete')) = 0)
SELECT CASE WHEN CAST(r.ts AS BIGINT) - h.since > 600000000000 THEN 'info' ELSE 'medium' END AS severity, 'The program of a controller was read' AS title, CAST(r.objects AS VARCHAR) || ' programs, symbols, templates and routines within 10 minutes' AS details, r.src_ip, r.dst_ip, r.n AS count, r.frame, r.frames, r.ts, r.end_ts, r.capture
-- A station that has worked with the controller for ten minutes is one that engineers it.
FROM readings r JOIN heard h ON h.capture_id = r.capture_id AND h.src_ip = r.src_ip AND h.dst_ip = r.dst_ip ORDER BY r.frame;
