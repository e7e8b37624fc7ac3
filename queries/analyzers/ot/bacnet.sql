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
    array_slice(array_sort(array_agg(c.request_frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, CAST(min(c.ts) AS BIGINT) AS started
  FROM ot_commands c LEFT JOIN bacnet b ON b.capture_id = c.capture_id AND b.frame = c.request_frame AND b.is_request
  WHERE c.protocol = 'bacnet' AND c.class IN ('setpoint', 'write') AND c.outcome = 'ok' GROUP BY c.capture_id, c.src_ip, c.dst_ip) w
JOIN (SELECT capture_id, CAST(min(ts) AS BIGINT) AS capture_start FROM bacnet GROUP BY capture_id) s ON s.capture_id = w.capture_id
ORDER BY frame;

-- @finding bacnet_device_control severity=high confidence=high technique=T0816
SELECT CASE WHEN bool_and(outcome = 'refused') THEN 'medium' ELSE 'high' END AS severity, 'Devices were told to restart or restore' AS title, array_to_string(array_sort(array_agg(DISTINCT value)), ', ') || ': ' || array_to_string(array_sort(array_agg(DISTINCT coalesce(error, outcome))), ', ') AS details,
  src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND class = 'restart' AND value IN ('coldstart', 'warmstart', 'start_restore', 'end_restore') GROUP BY src_ip, capture ORDER BY frame;

-- @finding bacnet_comm_disable severity=high confidence=high technique=T0803,T0814
SELECT CASE WHEN bool_and(outcome = 'refused') THEN 'medium' ELSE 'high' END AS severity, 'Devices were told to be silent' AS title, array_to_string(array_sort(array_agg(DISTINCT value)), ', ') || ': ' || array_to_string(array_sort(array_agg(DISTINCT coalesce(error, outcome))), ', ') AS details,
  src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND class = 'comm_control' AND value LIKE 'disable%' GROUP BY src_ip, capture ORDER BY frame;

-- @finding bacnet_control_sweep severity=critical confidence=high technique=T0816,T0803
SELECT 'Many devices are told to restart or to be silent' AS title, CAST(count(DISTINCT coalesce(dst_ip, '') || coalesce(target_unit, '')) AS VARCHAR) || ' devices within 10 minutes' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ot_commands WHERE protocol = 'bacnet' AND ((class = 'restart' AND value NOT IN ('start_backup', 'end_backup')) OR (class = 'comm_control' AND value LIKE 'disable%'))
GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT coalesce(dst_ip, '') || coalesce(target_unit, '')) >= 3 ORDER BY frame;

-- @finding bacnet_password_guess severity=high confidence=high technique=T1110
SELECT 'Passwords of devices are guessed' AS title, CAST(count(*) AS VARCHAR) || ' answers that the password is wrong' AS details, dst_ip AS src_ip, min(src_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM bacnet WHERE error_code_value = 26 GROUP BY capture_id, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding bacnet_file_write severity=high confidence=high technique=T0843
SELECT 'Files of a device were written' AS title, array_to_string(array_sort(array_agg(DISTINCT point)), ', ') || ': ' || CAST(count(*) AS VARCHAR) || ' blocks' AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND command = 'atomic_write_file' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_object_lifecycle severity=high confidence=high technique=T0836
SELECT 'Objects of a device were created or deleted' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(point, ''))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND command IN ('create_object', 'delete_object') AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_bbmd_change severity=high confidence=high technique=T0830
WITH changes AS (SELECT capture, capture_id, bvlc_function, coalesce(': ' || array_to_string(bdt_entries, ', '), '') AS entries, src_ip, dst_ip, frame, ts, CAST(ts AS BIGINT) AS at FROM bacnet WHERE bvlc_function_code IN (1, 8)),
refused AS (SELECT c.capture_id, c.frame FROM changes c JOIN bacnet r ON r.capture_id = c.capture_id AND r.src_ip = c.dst_ip AND r.dst_ip = c.src_ip AND r.bvlc_function_code = 0 AND r.bvlc_result_code IN (16, 80) AND r.frame > c.frame AND CAST(r.ts AS BIGINT) - c.at <= 5000000000 GROUP BY c.capture_id, c.frame)
SELECT CASE WHEN bool_and(r.frame IS NOT NULL) THEN 'medium' ELSE 'high' END AS severity, 'The distribution of broadcasts was changed' AS title, c.bvlc_function || c.entries AS details, c.src_ip, c.dst_ip, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, c.capture
FROM changes c LEFT JOIN refused r ON r.capture_id = c.capture_id AND r.frame = c.frame GROUP BY c.bvlc_function, c.entries, c.src_ip, c.dst_ip, c.capture ORDER BY frame;

-- @finding bacnet_foreign_device severity=medium confidence=high technique=T0846,T0883
SELECT CASE WHEN bool_or(is_public(src_ip) OR foreign_ttl_s >= 21600) THEN 'high' ELSE 'medium' END AS severity, 'A host registered as foreign device' AS title, 'for ' || CAST(max(foreign_ttl_s) AS VARCHAR) || ' s' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
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
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM bacnet WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding bacnet_error_rate severity=medium confidence=high technique=T0846
SELECT 'Many requests of a client fail' AS title, CAST(failed AS VARCHAR) || ' of ' || CAST(n AS VARCHAR) || ' answers' AS details, client AS src_ip, server AS dst_ip, failed AS count, frame, frames, ts, end_ts, capture
FROM (SELECT min(capture) AS capture, capture_id, dst_ip AS client, min(src_ip) AS server, count(*) AS n, count(*) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort')) AS failed, min(frame) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort')) AS frame,
    array_slice(array_sort(array_agg(frame) FILTER (WHERE pdu_type IN ('error', 'reject', 'abort'))), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM bacnet WHERE NOT is_request GROUP BY capture_id, dst_ip) WHERE n >= 50 AND failed * 10 > n * 3 ORDER BY frame;

-- @finding bacnet_list_change severity=medium confidence=high technique=T0878
SELECT 'Who hears of alarms was changed' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(point, '') || coalesce(' ' || value, ''))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bacnet' AND command IN ('add_list_element', 'remove_list_element') AND outcome = 'ok' AND (point LIKE '% recipient_list%' OR point LIKE 'notification_class,%') GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding bacnet_alarm_suppression severity=high confidence=high technique=T0878,T0838
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'Alarms of a device were kept from being raised' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' = ' || coalesce(value, '?'))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
    array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
  -- Bits that are cleared suppress; those that are set do not.
  FROM ot_commands WHERE protocol = 'bacnet' AND command LIKE 'write_property%' AND outcome = 'ok' AND (regexp_like(point, ' (event_enable|limit_enable)$') AND value LIKE '%0%' OR point LIKE '% out_of_service' AND value = 'true' OR point LIKE '% recipient_list%') GROUP BY capture_id, src_ip, dst_ip
  UNION ALL
  SELECT 'Many alarms are acknowledged at once', CAST(count(DISTINCT frame) AS VARCHAR) || ' within a minute', src_ip, min(dst_ip), count(DISTINCT frame), min(frame), array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20), min(ts), max(ts), min(capture)
  FROM bacnet WHERE is_request AND pdu_service = 'acknowledge_alarm' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT frame) >= 10)
ORDER BY frame, title;

-- @finding bacnet_time_change severity=medium confidence=high technique=T0836
WITH told AS (
  SELECT capture, capture_id, coalesce('network ' || CAST(snet AS VARCHAR) || ', ' || sadr, forwarded_ip, src_ip, 'a station without address') AS master, src_ip, dst_ip, pdu_service, frame, ts, CAST(ts AS BIGINT) AS at, CAST(TRY_CAST(value AS TIMESTAMP) AS BIGINT) - CAST(ts AS BIGINT) AS off
  FROM bacnet WHERE pdu_service IN ('time_synchronization', 'utc_time_synchronization') AND is_request),
steps AS (SELECT *, lag(off) OVER (PARTITION BY capture_id, pdu_service ORDER BY frame) AS before, min(at) OVER (PARTITION BY capture_id, master) AS since, first_value(master) OVER (PARTITION BY capture_id ORDER BY frame) AS one, min(at) OVER (PARTITION BY capture_id) AS start, at - lag(at) OVER (PARTITION BY capture_id ORDER BY frame) AS pause FROM told),
judged AS (
  SELECT *, CASE WHEN abs(off - before) > 60000000000 THEN 'changed by ' || CAST(CAST((off - before) / 1000000000 AS BIGINT) AS VARCHAR) || ' s'
    -- Local time: whole quarters of an hour up to 14 hours are a zone, no fault.
    WHEN abs(off) > 60000000000 AND (pdu_service = 'utc_time_synchronization' OR abs(off) > 50460000000000 OR (abs(off) % 900000000000 > 60000000000 AND abs(off) % 900000000000 < 840000000000)) THEN 'off by ' || CAST(CAST(off / 1000000000 AS BIGINT) AS VARCHAR) || ' s'
    -- The same message may come by a router too: that is at once.
    WHEN master <> one AND since > start + 60000000000 AND pause > 1000000000 THEN 'a second master beside ' || one END AS what
  FROM steps)
SELECT 'The clocks of devices were set anew' AS title, master || ': ' || first_value(what ORDER BY frame) || CASE WHEN count(*) > 1 THEN ', and ' || CAST(count(*) - 1 AS VARCHAR) || ' more' ELSE '' END AS details, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM judged WHERE what IS NOT NULL GROUP BY capture_id, master ORDER BY frame, master;

-- @finding bacnet_duplicate_router severity=medium confidence=high technique=T0830
WITH announced AS (SELECT capture, capture_id, coalesce(forwarded_ip, src_ip) || coalesce(' ' || CAST(snet AS VARCHAR) || ':' || sadr, '') AS router, src_ip, frame, ts, unnest("values") AS network FROM bacnet WHERE network_message_code = 1 AND src_ip NOT LIKE '%.255'),
routers AS (SELECT min(capture) AS capture, capture_id, network, router, min(src_ip) AS src_ip, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM announced GROUP BY capture_id, network, router)
-- Redundant routers are both there from the start.
SELECT CASE WHEN CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) > 60000000000 THEN 'medium' ELSE 'low' END AS severity, 'Two routers announce one network' AS title, 'network ' || network || ': ' || array_to_string(array_sort(array_agg(router)), ', ') AS details,
  last_value(src_ip ORDER BY frame) AS src_ip, sum(n) AS count, max(frame) AS frame, array_sort(array_agg(frame)) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM routers GROUP BY capture_id, network HAVING count(*) > 1 ORDER BY frame, network;

-- @finding bacnet_duplicate_instance severity=medium confidence=high technique=T0849
WITH claims AS (
  SELECT capture, capture_id, device_instance, vendor_id, coalesce(forwarded_ip, src_ip) || coalesce(':' || CAST(coalesce(forwarded_port, src_port) AS VARCHAR), '') AS ip, coalesce(CAST(snet AS VARCHAR) || ':' || sadr, '') AS behind, src_ip, frame, ts
  FROM bacnet WHERE pdu_service = 'i_am' AND device_instance IS NOT NULL AND device_instance < 4194303 AND src_ip NOT LIKE '%.255'),
-- Behind a router the address is that on its network, whichever way it came.
stations AS (SELECT min(capture) AS capture, capture_id, device_instance, behind, CASE WHEN behind = '' THEN ip ELSE '' END AS address, min(ip) AS ip, min(src_ip) AS src_ip, min(vendor_id) AS vendor_id, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n FROM claims GROUP BY capture_id, device_instance, behind, CASE WHEN behind = '' THEN ip ELSE '' END)
SELECT 'Two stations claim one device instance' AS title, 'device ' || CAST(a.device_instance AS VARCHAR) || ': ' || CASE WHEN a.behind = '' THEN a.ip ELSE a.behind END || ' and ' || CASE WHEN b.behind = '' THEN b.ip ELSE b.behind END || CASE WHEN a.vendor_id <> b.vendor_id THEN ', of different vendors' ELSE '' END AS details,
  b.src_ip, a.n + b.n AS count, b.frame, make_array(a.frame, b.frame) AS frames, a.ts, greatest(a.end_ts, b.end_ts) AS end_ts, a.capture
-- One that is met both directly and through a router is one device.
FROM stations a JOIN stations b ON b.capture_id = a.capture_id AND b.device_instance = a.device_instance AND (a.behind = '') = (b.behind = '') AND a.frame < b.frame
WHERE CAST(b.ts AS BIGINT) - CAST(a.end_ts AS BIGINT) <= 600000000000 ORDER BY b.frame, a.frame;

-- @finding bacnet_property_enumeration severity=medium confidence=high technique=T0888,T0861
WITH asked AS (
  SELECT capture, capture_id, src_ip, dst_ip, coalesce(CAST(dnet AS VARCHAR), '') || ':' || coalesce(dadr, '') AS station, frame, ts, CAST(ts AS BIGINT) AS at, property_id, unnest(points) AS point
  FROM bacnet WHERE pdu_type = 'confirmed_request' AND service_code IN (12, 14) AND src_ip IS NOT NULL),
listed AS (SELECT capture_id, src_ip, dst_ip, station, min(at) AS since FROM asked WHERE point LIKE '% object_list%' GROUP BY capture_id, src_ip, dst_ip, station),
walked AS (
  SELECT min(a.capture) AS capture, a.capture_id, a.src_ip, a.dst_ip, a.station, count(DISTINCT split_part(a.point, ' ', 1)) AS objects, count(DISTINCT a.frame) AS n, min(a.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts
  FROM asked a JOIN listed l ON l.capture_id = a.capture_id AND l.src_ip = a.src_ip AND l.dst_ip = a.dst_ip AND l.station = a.station AND a.at BETWEEN l.since AND l.since + 300000000000
  GROUP BY a.capture_id, a.src_ip, a.dst_ip, a.station HAVING count(DISTINCT split_part(a.point, ' ', 1)) >= 20),
-- A supervisor that starts reads all and subscribes to it.
supervisors AS (SELECT DISTINCT capture_id, src_ip, dst_ip FROM bacnet WHERE is_request AND pdu_service LIKE 'subscribe_cov%')
SELECT severity, title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT CASE WHEN bool_and(s.src_ip IS NOT NULL) THEN 'info' ELSE 'medium' END AS severity, 'The objects of devices are read one after the other' AS title, CAST(count(*) AS VARCHAR) || CASE WHEN count(*) = 1 THEN ' device, ' ELSE ' devices, up to ' END || CAST(max(w.objects) AS VARCHAR) || ' objects within 5 minutes of its list' AS details, w.src_ip, min(w.dst_ip) AS dst_ip, sum(w.n) AS count,
    min(w.frame) AS frame, first_value(w.frames ORDER BY w.frame) AS frames, min(w.ts) AS ts, max(w.end_ts) AS end_ts, min(w.capture) AS capture
  FROM walked w LEFT JOIN supervisors s ON s.capture_id = w.capture_id AND s.src_ip = w.src_ip AND s.dst_ip = w.dst_ip GROUP BY w.capture_id, w.src_ip
  UNION ALL
  SELECT CASE WHEN bool_and(s.src_ip IS NOT NULL) THEN 'info' ELSE 'medium' END, 'Devices are asked what they can do', CAST(count(DISTINCT a.dst_ip || a.station) AS VARCHAR) || ' devices: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT split_part(a.point, ' ', 2))), 1, 4), ', '), a.src_ip, min(a.dst_ip), count(DISTINCT a.frame), min(a.frame), array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20), min(a.ts), max(a.ts), min(a.capture)
  FROM asked a LEFT JOIN supervisors s ON s.capture_id = a.capture_id AND s.src_ip = a.src_ip AND s.dst_ip = a.dst_ip
  WHERE a.point LIKE '% protocol_services_supported%' OR a.property_id >= 512 GROUP BY a.capture_id, a.src_ip HAVING count(DISTINCT a.dst_ip || a.station) >= 3)
ORDER BY frame, title;

-- @finding bacnet_private_transfer severity=low confidence=high technique=T0885
WITH devices AS (SELECT capture_id, coalesce(forwarded_ip, src_ip) AS ip, coalesce(CAST(snet AS VARCHAR), '') || ':' || coalesce(sadr, '') AS station, min(vendor_id) AS vendor_id FROM bacnet WHERE pdu_service = 'i_am' AND vendor_id IS NOT NULL GROUP BY capture_id, coalesce(forwarded_ip, src_ip), coalesce(CAST(snet AS VARCHAR), '') || ':' || coalesce(sadr, '') HAVING count(DISTINCT vendor_id) = 1)
SELECT 'A service of another vendor than the device''s' AS title, 'private transfer of vendor ' || CAST(q.vendor_id AS VARCHAR) || ', the device is of vendor ' || CAST(d.vendor_id AS VARCHAR) AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM bacnet q JOIN devices d ON d.capture_id = q.capture_id AND d.ip = q.dst_ip AND d.station = coalesce(CAST(q.dnet AS VARCHAR), '') || ':' || coalesce(q.dadr, '')
WHERE q.is_request AND q.pdu_service LIKE '%private_transfer' AND q.vendor_id <> d.vendor_id GROUP BY q.capture_id, q.src_ip, q.dst_ip, q.vendor_id, d.vendor_id ORDER BY frame;

-- @finding bacnet_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'BACnet on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('bacnet') AND src_port NOT IN (47808, 47809, 47810, 47811, 47812, 47813, 47814, 47815, 47816, 47817, 47818, 47819, 47820, 47821, 47822, 47823) AND dst_port NOT IN (47808, 47809, 47810, 47811, 47812, 47813, 47814, 47815, 47816, 47817, 47818, 47819, 47820, 47821, 47822, 47823) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding bacnet_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'bacnet' ORDER BY frame, src_ip, dst_ip;

-- @finding bacnet_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'bacnet' ORDER BY frame, src_ip, dst_ip;

-- @finding bacnet_cleartext_credential severity=high confidence=high technique=T0859,T1040
SELECT 'A password travels in clear' AS title, 'in commands to ' || CAST(count(DISTINCT dst_ip) AS VARCHAR) || CASE WHEN count(DISTINCT dst_ip) = 1 THEN ' device: ' ELSE ' devices: ' END || array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'bacnet' AND NOT encrypted GROUP BY src_ip, capture ORDER BY frame, details;
