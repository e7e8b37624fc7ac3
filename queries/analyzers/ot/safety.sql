-- @analyzer safety
-- @group    ot
-- @title    SAFETY CONTROLLERS
-- @help     Safety controllers and who talks to them

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE direction = 0) AS commands, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE direction = 1 AND (function_code = 100 OR function_code >= 200)) AS refused,
  count(*) FILTER (WHERE NOT crc_ok) AS "Wrong checks", count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS controllers, min(ts) AS first, max(ts) AS last FROM tristation;

-- @section "Safety controllers" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip, 'Triconex (TriStation)' AS kind, max(confidence) AS confidence, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END)), ', ') AS clients, count(*) FILTER (WHERE direction = 0) AS commands, max(program_name) AS project, min(ts) AS first, max(ts) AS last
FROM tristation GROUP BY CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY commands DESC, ip;

-- @section "Sessions" shape=table limit=15
SELECT CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS controller, (CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT)) / 1e9 AS duration_s, count(*) FILTER (WHERE direction = 0) AS commands, count(*) FILTER (WHERE direction = 1 AND (function_code = 100 OR function_code >= 200)) AS refused, count(*) FILTER (WHERE tcm_type = 1) AS connects,
  count(*) FILTER (WHERE direction = 0 AND function_code IN (0, 1)) AS downloads, count(*) FILTER (WHERE direction = 0 AND function_code IN (65, 66)) AS uploads
FROM tristation GROUP BY capture_id, flow_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY commands DESC, client, controller;

-- @section "Commands" shape=table limit=30
SELECT q.function, q.category, count(*) AS commands, min(q.frame) AS first, max(q.frame) AS last, array_to_string(array_sort(array_agg(DISTINCT a.function)), ', ') AS answers
FROM tristation AS q LEFT JOIN tristation AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame WHERE q.direction = 0 GROUP BY q.function, q.category ORDER BY commands DESC, q.function;

-- @section "Program activity" shape=table limit=30
SELECT ts, actor AS client, target AS controller, command, point AS project, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'tristation' AND class IN ('download', 'start', 'stop', 'write', 'force') ORDER BY capture, request_frame;

-- @section "Other traffic to the controllers" shape=table limit=15
SELECT f.service, CASE WHEN s.ip = f.dst_ip THEN f.src_ip ELSE f.dst_ip END AS peer, s.ip AS controller, count(*) AS flows, sum(f.orig_bytes + f.resp_bytes) AS bytes
FROM flows AS f JOIN (SELECT DISTINCT capture_id, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip FROM tristation) AS s ON s.capture_id = f.capture_id AND (s.ip = f.dst_ip OR s.ip = f.src_ip)
WHERE coalesce(f.service, '-') <> 'tristation' GROUP BY f.service, CASE WHEN s.ip = f.dst_ip THEN f.src_ip ELSE f.dst_ip END, s.ip ORDER BY flows DESC, peer, controller;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, tcm_type_name AS type, coalesce(function, '-') AS function, message_id AS sequence, data_len AS bytes, crc_ok, frame FROM tristation ORDER BY capture, frame;

-- @finding safety_program_download severity=critical confidence=high technique=T0843,T0821,T0880
SELECT CASE WHEN count(*) FILTER (WHERE q.function_code IN (0, 1, 55, 56) AND a.function_code IN (101, 102, 153, 154)) > 0 AND count(*) FILTER (WHERE q.function_code IN (10, 11)) > 0 THEN 'critical' ELSE 'high' END AS severity, 'The program of a safety controller was changed' AS title, array_to_string(array_sort(array_agg(DISTINCT q.function || ': ' || coalesce(a.function, 'no answer'))), ', ') AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, q.capture
FROM tristation AS q LEFT JOIN tristation AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame WHERE q.direction = 0 AND q.function_code IN (0, 1, 10, 11, 55, 56) GROUP BY q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port ORDER BY q.capture, frame;

-- @finding safety_run_or_halt severity=critical confidence=high technique=T0858,T0880
SELECT 'A safety controller was told to run or to halt' AS title, array_to_string(array_sort(array_agg(DISTINCT q.function || ': ' || coalesce(a.function, 'no answer'))), ', ') AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, q.capture
FROM tristation AS q LEFT JOIN tristation AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame WHERE q.direction = 0 AND q.function_code IN (20, 21, 22, 23) GROUP BY q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port ORDER BY q.capture, frame;

-- @finding safety_program_upload severity=high confidence=high technique=T0845
SELECT 'The program of a safety controller was read' AS title, array_to_string(array_sort(array_agg(DISTINCT q.function || ': ' || coalesce(a.function, 'no answer'))), ', ') AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, q.capture
FROM tristation AS q LEFT JOIN tristation AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame WHERE q.direction = 0 AND q.function_code IN (65, 66) GROUP BY q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port HAVING count(*) FILTER (WHERE a.function_code IN (162, 163)) > 3 ORDER BY q.capture, frame;

-- @finding safety_key_refused severity=high confidence=high technique=T0858
SELECT 'A safety controller refused because of its key' AS title, array_to_string(array_sort(array_agg(DISTINCT function || ' ' || CAST(function_code AS VARCHAR))), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tristation WHERE direction = 1 AND function_code IN (212, 241) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding safety_status_poll severity=info confidence=high technique=T0868
WITH since AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM packets GROUP BY capture_id)
SELECT CASE WHEN count(*) > 60 AND CAST(min(t.ts) AS BIGINT) > max(s.start) + 600000000000 THEN 'medium' ELSE 'info' END AS severity, 'The state of a safety controller is asked for' AS title, CAST(count(*) AS VARCHAR) || ' times' AS details, t.src_ip, t.dst_ip, t.dst_port, count(*) AS count, min(t.frame) AS frame, array_slice(array_sort(array_agg(t.frame)), 1, 20) AS frames, min(t.ts) AS ts, max(t.ts) AS end_ts, t.capture
FROM tristation AS t JOIN since AS s ON s.capture_id = t.capture_id WHERE t.direction = 0 AND t.function_code = 19 GROUP BY t.capture, t.capture_id, t.src_ip, t.dst_ip, t.dst_port ORDER BY t.capture, frame;

-- @finding safety_force_or_disable severity=high confidence=high technique=T0878,T0836
SELECT 'Points of a safety controller were set, forced or disabled' AS title, array_to_string(array_sort(array_agg(DISTINCT q.function || ': ' || coalesce(a.function, 'no answer'))), ', ') AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, q.capture
FROM tristation AS q LEFT JOIN tristation AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame WHERE q.direction = 0 AND q.function_code IN (16, 17, 27, 62) GROUP BY q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port ORDER BY q.capture, frame;

-- @finding safety_malformed_or_scripted severity=medium confidence=medium technique=T0880
SELECT 'Messages to a safety controller have wrong checks' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tristation WHERE is_orig AND NOT crc_ok GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding safety_other_protocol severity=medium confidence=medium technique=T0855,T0880
SELECT 'A safety controller is commanded by another protocol' AS title, o.protocol || ': ' || array_to_string(array_sort(array_agg(DISTINCT o.command)), ', ') AS details, o.src_ip, o.dst_ip, o.dst_port, count(*) AS count, min(o.request_frame) AS frame, array_slice(array_sort(array_agg(o.request_frame)), 1, 20) AS frames, min(o.ts) AS ts, max(o.ts) AS end_ts, o.capture
FROM ot_commands AS o JOIN (SELECT DISTINCT capture_id, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip FROM tristation) AS s ON s.capture_id = o.capture_id AND s.ip = o.dst_ip
WHERE o.protocol <> 'tristation' AND o.class IN ('operate', 'write', 'force', 'stop', 'start', 'mode_change', 'download', 'restart') GROUP BY o.capture, o.capture_id, o.protocol, o.src_ip, o.dst_ip, o.dst_port ORDER BY o.capture, frame;

-- @finding safety_public severity=critical confidence=high technique=T0883
SELECT 'A safety controller is reached across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tristation WHERE crc_ok AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding safety_new_client severity=high confidence=medium technique=T0886
WITH spans AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start, CAST(max(ts) AS BIGINT) AS stop FROM packets GROUP BY capture_id),
clients AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS n, min(frame) FILTER (WHERE tcm_type = 1) AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE tcm_type = 1)), 1, 20) AS frames, CAST(min(ts) AS BIGINT) AS since, min(ts) AS ts, max(ts) AS end_ts
  FROM tristation WHERE is_orig AND crc_ok GROUP BY capture_id, src_ip, dst_ip)
SELECT 'A client that was not there before connects to a safety controller' AS title, 'first heard ' || CAST((c.since - s.start) / 1000000000 AS VARCHAR) || ' s into the capture' || coalesce('; served by ' || n.regulars, '') AS details, c.src_ip, c.dst_ip, c.dst_port, c.n AS count, c.frame, c.frames, c.ts, c.end_ts, c.capture
FROM clients c JOIN spans s ON s.capture_id = c.capture_id LEFT JOIN (SELECT capture_id, station, device, min(regulars) AS regulars FROM ot_newcomers GROUP BY capture_id, station, device) n ON n.capture_id = c.capture_id AND n.station = c.src_ip AND n.device = c.dst_ip
-- Known is who was heard in the first half of a capture that is long enough to know, or who was there before the others.
WHERE c.frame IS NOT NULL AND (n.station IS NOT NULL OR s.stop - s.start >= 600000000000 AND c.since > s.start + (s.stop - s.start) / 2) ORDER BY c.frame;
