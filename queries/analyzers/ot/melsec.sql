-- @analyzer melsec
-- @group    ot
-- @title    MELSEC ANALYSIS
-- @help     Mitsubishi MELSEC (MC protocol) commands

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request) AS answers, count(*) FILTER (WHERE end_code <> 0) AS "With end code", array_to_string(array_sort(array_agg(DISTINCT framing)), ', ') AS framings, count(DISTINCT CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM melsec;

-- @section "Controllers" shape=table limit=15
SELECT src_ip AS ip, max(cpu_model) AS model, array_to_string(array_sort(array_agg(DISTINCT framing)), ', ') AS framings, array_to_string(array_sort(array_agg(DISTINCT src_port)), ', ') AS ports, max(network) AS network, max(pc_number) AS "PC", count(*) AS answers, count(*) FILTER (WHERE end_code <> 0) AS errors, max(confidence) AS confidence FROM melsec WHERE NOT is_request GROUP BY src_ip ORDER BY answers DESC, ip;

-- @section "Commands" shape=table limit=30
SELECT command, subcommand AS sub, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE end_code = 0) AS ok, count(*) FILTER (WHERE end_code <> 0) AS refused FROM melsec WHERE framing IN ('3E', '4E') AND command IS NOT NULL GROUP BY command, subcommand, category ORDER BY requests DESC, command, sub;

-- @section "Devices" shape=table limit=30
SELECT point, device AS controller, count(*) FILTER (WHERE direction = 'read') AS reads, count(*) FILTER (WHERE direction = 'write') AS writes, min(value) AS least, max(value) AS greatest, last_value(value ORDER BY ts, frame) AS last FROM process_values WHERE source_protocol = 'melsec' GROUP BY point, device ORDER BY writes DESC, reads DESC, point, controller;

-- @section "CPU control and writes" shape=table limit=30
SELECT ts, actor AS client, target AS controller, class, command, point, value, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'melsec' ORDER BY capture, request_frame;

-- @section "Engineering" shape=table limit=15
SELECT src_ip AS sender, dst_ip AS receiver, CASE WHEN is_request THEN 'requests' ELSE 'answers' END AS kind, framing, count(*) AS messages, sum(length) AS octets, max(cpu_model) AS model, count(DISTINCT melsoft_command) AS "Message numbers" FROM melsec WHERE framing LIKE 'melsoft%' GROUP BY 1, 2, 3, 4 ORDER BY messages DESC, sender, receiver, kind, framing;

-- @section "Files" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS controller, command, file_name AS file, frame FROM melsec WHERE category = 'file' AND is_request ORDER BY capture, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, framing, is_request AS request, coalesce(command, '0x' || lpad(to_hex(CAST(melsoft_command AS BIGINT)), 4, '0')) AS command, point, points_count AS points, end_text AS answer, length AS bytes, frame FROM melsec ORDER BY capture, frame;

-- @finding melsec_cpu_stop severity=critical confidence=high technique=T0816,T0858
SELECT CASE WHEN outcome = 'refused' THEN 'medium' WHEN outcome = 'ok' THEN 'critical' ELSE 'high' END AS severity, 'A controller was told to stop, pause or reset' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'melsec' AND command IN ('remote_stop', 'remote_pause', 'remote_reset') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding melsec_cpu_run severity=high confidence=high technique=T0858
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'high' END AS severity, 'A controller was told to run, or its latched devices were cleared' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'melsec' AND command IN ('remote_run', 'remote_latch_clear') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding melsec_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN reads > 0 THEN 'medium' ELSE 'info' END AS severity, 'Devices of a controller were written' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture
FROM (SELECT o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, max(o.point) AS point, o.command || coalesce(' ' || o.point, '') || coalesce(' = ' || nullif(array_to_string(array_slice(array_sort(array_agg(DISTINCT o.value)), 1, 8), ', '), ''), '') || ': ' || o.outcome AS details, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, max(r.n) AS reads
  FROM ot_commands AS o
  -- A client that has long only read, and then writes.
  LEFT JOIN (SELECT t.capture_id, t.src_ip, t.dst_ip, count(*) AS n, min(w.first) AS first FROM melsec AS t LEFT JOIN (SELECT capture_id, src_ip, dst_ip, min(request_frame) AS first FROM ot_commands WHERE protocol = 'melsec' GROUP BY capture_id, src_ip, dst_ip) AS w ON w.capture_id = t.capture_id AND w.src_ip = t.src_ip AND w.dst_ip = t.dst_ip
    WHERE t.is_request AND t.category = 'read' AND t.frame < w.first GROUP BY t.capture_id, t.src_ip, t.dst_ip HAVING count(*) >= 100) AS r ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip
  WHERE o.protocol = 'melsec' AND o.class = 'write' AND o.outcome <> 'refused' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.outcome) ORDER BY capture, frame;

-- @finding melsec_file_write severity=high confidence=high technique=T0843,T0809
SELECT 'Files of a controller were changed' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'melsec' AND command IN ('file_new', 'file_write', 'file_delete') AND outcome <> 'refused' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding melsec_unlock severity=medium confidence=high technique=T1110
SELECT CASE WHEN count(*) FILTER (WHERE outcome = 'refused') >= 3 THEN 'high' ELSE 'medium' END AS severity, 'A controller was unlocked by its remote password' AS title, array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'melsec' AND command = 'unlock' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding melsec_ip_set severity=high confidence=high technique=T0830
SELECT CASE WHEN count(*) FILTER (WHERE command = 'ip_address_set') > 0 THEN 'high' ELSE 'low' END AS severity, CASE WHEN count(*) FILTER (WHERE command = 'ip_address_set') > 0 THEN 'The address of a controller was set' ELSE 'Controllers were searched for' END AS title, array_to_string(array_sort(array_agg(DISTINCT command)), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM melsec WHERE is_request AND category = 'discovery' AND framing IN ('3E', '4E') GROUP BY capture, capture_id, src_ip ORDER BY capture, frame;

-- @finding melsec_identify severity=low confidence=high technique=T0846,T0888
SELECT 'Controllers were asked what they are' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(command, framing))), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM melsec WHERE is_request AND (command = 'read_type_name' OR framing = 'melsoft_discovery') GROUP BY capture, capture_id, src_ip ORDER BY capture, frame;

-- @finding melsec_engineering_client severity=info confidence=medium technique=T0885
SELECT 'An engineering program talks to a controller' AS title, 'MELSOFT, model ' || max(cpu_model) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM melsec WHERE framing = 'melsoft' AND NOT is_request AND cpu_model IS NOT NULL GROUP BY capture, capture_id, src_ip ORDER BY capture, frame;

-- @finding melsec_bulk_transfer severity=medium confidence=low technique=T0843,T0845
SELECT 'Much passes between an engineering program and a controller' AS title, CAST(sum(length) AS VARCHAR) || ' octets in ' || CAST(count(*) AS VARCHAR) || ' messages of one direction, up to ' || CAST(max(length) AS VARCHAR) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM melsec WHERE framing = 'melsoft' GROUP BY capture, capture_id, src_ip, dst_ip, is_request HAVING sum(length) > 200000 AND max(length) > 4 * avg(length) ORDER BY capture, frame;

-- @finding melsec_error_codes severity=medium confidence=medium technique=T0846
SELECT 'A controller refuses again and again' AS title, CAST(count(*) AS VARCHAR) || ' within 600 s' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM melsec WHERE NOT is_request AND end_code <> 0 GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(*) >= 10 ORDER BY capture, frame;

-- @finding melsec_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE category IN ('write', 'mode', 'file')) > 0 THEN 'critical' ELSE 'high' END AS severity, 'MELSEC across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM melsec WHERE is_request AND framing IN ('3E', '4E') AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding melsec_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'MELSEC on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('melsec') AND src_port NOT IN (5000, 5001, 5002, 5006, 5007, 5008, 5010, 5560, 5562) AND dst_port NOT IN (5000, 5001, 5002, 5006, 5007, 5008, 5010, 5560, 5562) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding melsec_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'melsec' ORDER BY frame, src_ip, dst_ip;

-- @finding melsec_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'melsec' ORDER BY frame, src_ip, dst_ip;

-- @finding melsec_cleartext_credential severity=high confidence=high technique=T0859,T1040
SELECT 'A password travels in clear' AS title, coalesce(field, 'password') || ': ' || array_to_string(array_sort(array_agg(DISTINCT outcome)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'melsec' AND NOT encrypted GROUP BY src_ip, dst_ip, dst_port, field, capture ORDER BY frame, details;
