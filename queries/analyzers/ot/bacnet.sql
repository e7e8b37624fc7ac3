-- @analyzer bacnet
-- @group    ot
-- @title    BACNET ANALYSIS
-- @help     BACnet devices, objects, writes

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request AND pdu_type = 'confirmed_request') AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) * 1.0 / nullif(count(*) FILTER (WHERE pdu_type = 'confirmed_request'), 0) AS answered_share,
  count(*) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort')) AS refused, min(ts) AS first, max(ts) AS last, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports
FROM bacnet;

-- @section "Device inventory" shape=table limit=30
SELECT device_instance AS device, src_ip AS ip, CAST(snet AS VARCHAR) || ':' || coalesce(sadr, '') AS "Behind router", max(vendor_id) AS vendor, max(object_name) FILTER (WHERE object_type = 'device') AS name, count(*) AS announcements, max(ts) AS "Last seen"
FROM bacnet WHERE device_instance IS NOT NULL GROUP BY device_instance, src_ip, CAST(snet AS VARCHAR) || ':' || coalesce(sadr, '') ORDER BY device, ip, "Behind router";

-- @section "Services" shape=table limit=20
SELECT coalesce(pdu_service, network_message, bvlc_function) AS service, count(*) FILTER (WHERE coalesce(is_request, true)) AS requests, count(*) FILTER (WHERE pdu_type IN ('simple_ack', 'complex_ack')) AS acked, count(*) FILTER (WHERE pdu_type = 'error') AS errors,
  count(*) FILTER (WHERE pdu_type IN ('reject', 'abort')) AS "Rejected", count(DISTINCT CASE WHEN is_request THEN src_ip END) AS clients, count(DISTINCT CASE WHEN is_request THEN dst_ip END) AS servers, min(frame) AS frame
FROM bacnet GROUP BY coalesce(pdu_service, network_message, bvlc_function) ORDER BY requests DESC, service;

-- @section "Writes" shape=table limit=30
SELECT min(ts) AS first, src_ip AS client, dst_ip AS ip, target_unit AS "Behind router", point, count(*) AS writes, last_value(value ORDER BY request_frame) AS last, array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS outcome, array_to_string(array_sort(array_agg(DISTINCT error)), ', ') AS error
FROM ot_commands WHERE protocol = 'bacnet' AND class IN ('setpoint', 'write') GROUP BY src_ip, dst_ip, target_unit, point ORDER BY first, client, ip, point;

-- @section "Device control" shape=table limit=30
SELECT ts, src_ip AS client, dst_ip AS ip, target_unit AS "Behind router", command AS service, value AS state, outcome, error FROM ot_commands WHERE protocol = 'bacnet' AND class IN ('restart', 'comm_control', 'operate', 'delete', 'config') ORDER BY capture, record_frame, request_frame;

-- @section "Files" shape=table limit=15
SELECT pdu_service AS service, src_ip AS src, dst_ip AS dst, file_instance AS file, count(*) AS blocks, sum(file_bytes) AS octets FROM bacnet WHERE file_bytes IS NOT NULL GROUP BY pdu_service, src_ip, dst_ip, file_instance ORDER BY octets DESC, service, src, dst, file;

-- @section "Topology" shape=table limit=15
SELECT coalesce(network_message, bvlc_function) AS message, src_ip AS src, dst_ip AS dst, forwarded_ip AS origin, max(foreign_ttl_s) AS ttl_s, max(array_to_string(bdt_entries, ', ')) AS entries, count(*) AS count, min(frame) AS frame
FROM bacnet WHERE pdu_type IN ('npdu', 'bvlc') OR bvlc_function_code = 4 GROUP BY coalesce(network_message, bvlc_function), src_ip, dst_ip, forwarded_ip ORDER BY count DESC, message, src, dst, origin;

-- @section "Errors" shape=table limit=15
SELECT src_ip AS device, pdu_service AS service, pdu_type AS kind, coalesce(error_class || ' / ', '') || coalesce(result_code, CAST(error_code_value AS VARCHAR)) AS error, count(*) AS count, min(frame) AS frame
FROM bacnet WHERE pdu_type IN ('error', 'reject', 'abort') GROUP BY src_ip, pdu_service, pdu_type, coalesce(error_class || ' / ', '') || coalesce(result_code, CAST(error_code_value AS VARCHAR)) ORDER BY count DESC, device, service, error;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, coalesce(pdu_type, bvlc_function) AS kind, coalesce(pdu_service, network_message) AS service, invoke_id AS id, array_to_string(points, ', ') AS points, value, result_code AS result FROM bacnet ORDER BY capture, frame;

-- @finding bacnet_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN n_life > 0 THEN 'high' WHEN started > capture_start + 600000000000 THEN 'medium' ELSE 'info' END AS severity, 'Properties were written' AS title, CAST(n AS VARCHAR) || ' writes: ' || points AS details, src_ip, dst_ip, n AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(c.capture) AS capture, c.capture_id, c.src_ip, c.dst_ip, count(*) AS n, count(*) FILTER (WHERE b.write_priority <= 2) AS n_life, array_to_string(array_slice(array_sort(array_agg(DISTINCT c.point || ' = ' || coalesce(c.value, '?'))), 1, 5), ', ') AS points, min(c.request_frame) AS frame,
    array_slice(array_agg(c.request_frame ORDER BY c.request_frame), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, CAST(min(c.ts) AS BIGINT) AS started
  FROM ot_commands c LEFT JOIN bacnet b ON b.capture_id = c.capture_id AND b.frame = c.request_frame AND b.is_request
  WHERE c.protocol = 'bacnet' AND c.class IN ('setpoint', 'write') AND c.outcome = 'ok' GROUP BY c.capture_id, c.src_ip, c.dst_ip) w
JOIN (SELECT capture_id, CAST(min(ts) AS BIGINT) AS capture_start FROM bacnet GROUP BY capture_id) s ON s.capture_id = w.capture_id
ORDER BY frame;

-- @finding bacnet_device_control severity=high confidence=high technique=T0816
SELECT CASE WHEN bool_and(outcome = 'refused') THEN 'medium' ELSE 'high' END AS severity, 'Devices were told to restart or restore' AS title, array_to_string(array_sort(array_agg(DISTINCT value)), ', ') || ': ' || array_to_string(array_sort(array_agg(DISTINCT coalesce(error, outcome))), ', ') AS details,
  src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_agg(request_frame ORDER BY request_frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND class = 'restart' AND value IN ('coldstart', 'warmstart', 'start_restore', 'end_restore') GROUP BY src_ip, capture ORDER BY frame;

-- @finding bacnet_comm_disable severity=high confidence=high technique=T0803,T0814
SELECT CASE WHEN bool_and(outcome = 'refused') THEN 'medium' ELSE 'high' END AS severity, 'Devices were told to be silent' AS title, array_to_string(array_sort(array_agg(DISTINCT value)), ', ') || ': ' || array_to_string(array_sort(array_agg(DISTINCT coalesce(error, outcome))), ', ') AS details,
  src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_agg(request_frame ORDER BY request_frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND class = 'comm_control' AND value LIKE 'disable%' GROUP BY src_ip, capture ORDER BY frame;

-- @finding bacnet_control_sweep severity=critical confidence=high technique=T0816,T0803
SELECT 'Many devices are told to restart or to be silent' AS title, CAST(count(DISTINCT coalesce(dst_ip, '') || coalesce(target_unit, '')) AS VARCHAR) || ' devices within 10 minutes' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_agg(request_frame ORDER BY request_frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ot_commands WHERE protocol = 'bacnet' AND ((class = 'restart' AND value NOT IN ('start_backup', 'end_backup')) OR (class = 'comm_control' AND value LIKE 'disable%'))
GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT coalesce(dst_ip, '') || coalesce(target_unit, '')) >= 3 ORDER BY frame;

-- @finding bacnet_password_guess severity=high confidence=high technique=T1110
SELECT 'Passwords of devices are guessed' AS title, CAST(count(*) AS VARCHAR) || ' answers that the password is wrong' AS details, dst_ip AS src_ip, min(src_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM bacnet WHERE error_code_value = 26 GROUP BY capture_id, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding bacnet_file_write severity=high confidence=high technique=T0843
SELECT 'Files of a device were written' AS title, array_to_string(array_sort(array_agg(DISTINCT point)), ', ') || ': ' || CAST(count(*) AS VARCHAR) || ' blocks' AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_agg(request_frame ORDER BY request_frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND command = 'atomic_write_file' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_object_lifecycle severity=high confidence=high technique=T0836
SELECT 'Objects of a device were created or deleted' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(point, ''))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND command IN ('create_object', 'delete_object') AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_bbmd_change severity=high confidence=high technique=T0830
SELECT 'The distribution of broadcasts was changed' AS title, bvlc_function || coalesce(': ' || array_to_string(bdt_entries, ', '), '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM bacnet WHERE bvlc_function_code IN (1, 8) GROUP BY bvlc_function, bdt_entries, src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_foreign_device severity=medium confidence=high technique=T0846,T0883
SELECT CASE WHEN bool_or(is_public(src_ip) OR foreign_ttl_s >= 21600) THEN 'high' ELSE 'medium' END AS severity, 'A host registered as foreign device' AS title, 'for ' || CAST(max(foreign_ttl_s) AS VARCHAR) || ' s' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM bacnet WHERE bvlc_function_code = 5 GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_forwarded_public severity=high confidence=high technique=T0883
SELECT 'A message was forwarded from a public address' AS title, forwarded_ip AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture FROM bacnet WHERE is_public(forwarded_ip) GROUP BY forwarded_ip, src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_routing_change severity=high confidence=high technique=T0814,T0830
SELECT 'Routing between networks was changed' AS title, array_to_string(array_sort(array_agg(DISTINCT network_message)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture FROM bacnet WHERE network_message_code IN (6, 9) GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_life_safety_operation severity=high confidence=high technique=T0878
SELECT 'Alarms of life safety were silenced or reset' AS title, coalesce(min(point), '?') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture FROM ot_commands WHERE protocol = 'bacnet' AND class = 'operate' AND outcome <> 'refused' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_discovery_sweep severity=low confidence=high technique=T0846
SELECT title, details, src_ip, dst_ip, count, frame, ts, end_ts, capture FROM (
  SELECT min(capture) AS capture, capture_id, 'A host asks again and again who is there' AS title, 'Who-Is for 1000 or more instances' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
  FROM bacnet WHERE pdu_service = 'who_is' AND coalesce(who_is_high - who_is_low, 4194303) >= 1000 GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 5
  UNION ALL
  SELECT min(capture) AS capture, capture_id, 'Hosts are surveyed with the wildcard instance' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts
  FROM bacnet WHERE is_request AND service_code = 12 AND instance_number = 4194303 GROUP BY capture_id, src_ip HAVING count(DISTINCT dst_ip) >= 10)
ORDER BY frame, title;

-- @finding bacnet_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN bool_or(category IN ('write', 'control', 'file_write')) THEN 'critical' ELSE 'high' END AS severity, 'BACnet with a public address' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM bacnet WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding bacnet_error_rate severity=medium confidence=high technique=T0846
SELECT 'Many requests of a client fail' AS title, CAST(failed AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' answers' AS details, client AS src_ip, server AS dst_ip, failed AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, dst_ip AS client, min(src_ip) AS server, count(*) AS n, count(*) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort')) AS failed, min(frame) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort')) AS frame,
    array_slice(array_agg(frame ORDER BY frame) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort')), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM bacnet WHERE NOT is_request GROUP BY capture_id, dst_ip) WHERE n >= 50 AND failed * 10 > n * 3 ORDER BY frame;
