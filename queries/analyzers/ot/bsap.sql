-- @analyzer bsap
-- @group    ot
-- @title    BSAP ANALYSIS
-- @help     Bristol and Emerson BSAP stations, signals read and written

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE error_code <> 0) AS "With errors", count(*) FILTER (WHERE category = 'poll') AS polls,
  array_to_string(array_sort(array_agg(DISTINCT kind)), ', ') AS forms, min(ts) AS first, max(ts) AS last FROM bsap;

-- @section "Stations" shape=table limit=15
SELECT CASE WHEN is_request THEN dst_ip ELSE src_ip END AS ip, max(kind) AS form, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_request THEN coalesce(global_destination, CAST(local_address AS INTEGER)) END)), ', ') AS addresses, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE is_request AND category = 'write') AS writes, count(DISTINCT CASE WHEN is_request THEN src_ip ELSE dst_ip END) AS clients, max(node_status) AS status, min(message_sequence) AS "First sequence", max(message_sequence) AS "Last sequence"
FROM bsap WHERE is_request IS NOT NULL GROUP BY CASE WHEN is_request THEN dst_ip ELSE src_ip END ORDER BY requests DESC, ip;

-- @section "Functions" shape=table limit=15
SELECT function, category, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request) AS answered, count(*) FILTER (WHERE error_code <> 0) AS errors FROM bsap WHERE function IS NOT NULL GROUP BY function, category ORDER BY requests DESC, function;

-- @section "Message types" shape=table limit=15
SELECT kind AS form, coalesce(type_name, '-') AS type, type_code AS code, count(*) AS messages FROM bsap GROUP BY kind, type_name, type_code ORDER BY messages DESC, form, type, code;

-- @section "Signals" shape=table limit=30
SELECT point AS signal, device AS station, count(*) FILTER (WHERE direction = 'read') AS reads, count(*) FILTER (WHERE direction = 'write') AS writes, min(value) AS least, max(value) AS greatest, last_value(value ORDER BY ts, frame) AS last FROM process_values WHERE source_protocol = 'bsap' GROUP BY point, device ORDER BY writes DESC, reads DESC, signal, station;

-- @section "Writes and control" shape=table limit=15
SELECT ts, actor AS client, target AS station, target_unit AS address, command, point AS signal, value, outcome, request_frame AS frame FROM ot_commands WHERE protocol = 'bsap' ORDER BY capture, request_frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, type_name AS type, message_sequence AS sequence, function, array_to_string(variables, ' ') AS signals, array_to_string("values", ' ') AS "values", error_code AS error, frame FROM bsap ORDER BY capture, frame;

-- @finding bsap_write severity=info confidence=high technique=T0855,T0836
SELECT CASE WHEN reads > 0 THEN 'medium' ELSE 'info' END AS severity, 'Signals of a station were written' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture
FROM (SELECT o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, max(o.point) AS point, o.command || coalesce(' ' || o.point, '') || coalesce(' = ' || nullif(array_to_string(array_slice(array_sort(array_agg(DISTINCT o.value)), 1, 8), ', '), ''), '') || ': ' || o.outcome AS details, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, max(r.n) AS reads
  FROM ot_commands AS o
  -- A client that has long only read, and then writes.
  LEFT JOIN (SELECT t.capture_id, t.src_ip, t.dst_ip, count(*) AS n, min(w.first) AS first FROM bsap AS t LEFT JOIN (SELECT capture_id, src_ip, dst_ip, min(request_frame) AS first FROM ot_commands WHERE protocol = 'bsap' GROUP BY capture_id, src_ip, dst_ip) AS w ON w.capture_id = t.capture_id AND w.src_ip = t.src_ip AND w.dst_ip = t.dst_ip
    WHERE t.is_request AND t.category = 'read' AND t.frame < w.first GROUP BY t.capture_id, t.src_ip, t.dst_ip HAVING count(*) >= 100) AS r ON r.capture_id = o.capture_id AND r.src_ip = o.src_ip AND r.dst_ip = o.dst_ip
  WHERE o.protocol = 'bsap' AND o.class = 'write' AND o.outcome = 'ok' GROUP BY o.capture, o.capture_id, o.src_ip, o.dst_ip, o.dst_port, o.command, o.point, o.outcome) ORDER BY capture, frame;

-- @finding bsap_system_reset severity=high confidence=high technique=T0816
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'high' END AS severity, 'A station was reset' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bsap' AND class = 'restart' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding bsap_address_change severity=high confidence=high technique=T0836
SELECT CASE WHEN outcome = 'refused' THEN 'medium' ELSE 'high' END AS severity, 'The address of a station was changed' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bsap' AND command = 'change_node_address' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding bsap_clock_write severity=medium confidence=high technique=T0836
SELECT 'The clock of a station was set' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'bsap' AND class = 'time_set' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding bsap_signal_enumeration severity=medium confidence=medium technique=T0861
WITH names AS (SELECT b.capture, b.capture_id, b.src_ip, b.dst_ip, b.frame, b.ts, CAST(b.ts AS BIGINT) / 60000000000 AS slot, unnest(b.variables) AS name FROM bsap AS b WHERE b.is_request),
-- Who polls a list from the start of the capture on reads its own plant.
since AS (SELECT capture_id, min(CAST(ts AS BIGINT)) AS start FROM bsap GROUP BY capture_id),
first AS (SELECT capture_id, src_ip, min(CAST(ts AS BIGINT)) AS first FROM bsap WHERE is_request GROUP BY capture_id, src_ip)
SELECT 'Many signals are read by a new client' AS title, CAST(count(DISTINCT n.name) AS VARCHAR) || ' signals within a minute' AS details, n.src_ip, n.dst_ip, count(DISTINCT n.frame) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, n.capture
FROM names AS n JOIN since AS s ON s.capture_id = n.capture_id JOIN first AS f ON f.capture_id = n.capture_id AND f.src_ip = n.src_ip WHERE f.first > s.start + 60000000000 GROUP BY n.capture, n.capture_id, n.src_ip, n.dst_ip, n.slot HAVING count(DISTINCT n.name) >= 50 ORDER BY n.capture, frame;

-- @finding bsap_error severity=medium confidence=medium technique=T0846
SELECT 'A station answers with errors again and again' AS title, CAST(count(*) AS VARCHAR) || ' within 600 s' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM bsap WHERE error_code <> 0 GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(*) >= 10 ORDER BY capture, frame;

-- @finding bsap_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE category IN ('write', 'extension')) > 0 THEN 'critical' ELSE 'high' END AS severity, 'BSAP across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM bsap WHERE is_request AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding bsap_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'BSAP on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('bsap') AND src_port NOT IN (1234, 1235) AND dst_port NOT IN (1234, 1235) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding bsap_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'bsap' ORDER BY frame, src_ip, dst_ip;
