-- @analyzer mms
-- @group    ot
-- @title    MMS ANALYSIS
-- @help     IEC 61850 MMS services and variables

-- @section summary shape=facts
SELECT count(*) AS "PDUs", count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients, count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS servers, min(ts) AS first, max(ts) AS last,
  count(request_frame) * 1.0 / nullif(count(*) FILTER (WHERE pdu_type = 'confirmed_request'), 0) AS answered_share,
  count(*) FILTER (WHERE pdu_type = 'confirmed_error' OR access_errors IS NOT NULL) AS errors, count(*) FILTER (WHERE pdu_type = 'unconfirmed') AS reports, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN is_orig THEN dst_port ELSE src_port END)), ', ') AS ports
FROM mms;

-- @section "Servers" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS server, max(vendor) AS vendor, max(model) AS model, max(revision) AS revision, array_to_string(array_slice(array_sort(array_agg(DISTINCT domain)), 1, 5), ', ') AS domains,
  max(ap_title) FILTER (WHERE NOT is_orig) AS "AP title", count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients
FROM mms GROUP BY CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY server;

-- @section "Associations" shape=table limit=15
SELECT min(ts) AS start, max(ts) AS end, min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS client, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS server, CASE WHEN bool_or(auth_present) THEN 'yes' WHEN bool_or(auth_present IS NOT NULL) THEN 'no' ELSE 'not seen' END AS authentication,
  min(max_pdu) AS "PDU size", count(*) FILTER (WHERE pdu_type = 'confirmed_request') AS requests, CASE WHEN bool_or(pdu_type = 'conclude_response') THEN 'concluded' ELSE 'open or cut' END AS ended
FROM mms GROUP BY flow_id ORDER BY start, client;

-- @section "Controls" shape=table limit=30
SELECT ts, src_ip AS client, dst_ip AS server, point AS object, command AS action, value, outcome, error FROM ot_commands WHERE protocol = 'mms' AND class IN ('select', 'operate', 'cancel') ORDER BY capture, record_frame, request_frame, point;

-- @section "Writes" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS server, class, point AS object, value, outcome, error FROM ot_commands WHERE protocol = 'mms' AND class IN ('setpoint', 'write', 'subscribe') ORDER BY CASE class WHEN 'setpoint' THEN 0 WHEN 'write' THEN 1 ELSE 2 END, capture, record_frame, point;

-- @section "Programs and files" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS server, class, command AS service, point AS object, outcome, error FROM ot_commands WHERE protocol = 'mms' AND class NOT IN ('select', 'operate', 'cancel', 'setpoint', 'write', 'subscribe') ORDER BY capture, record_frame, request_frame;

-- @section "Reports" shape=table limit=15
SELECT src_ip AS server, dst_ip AS client, coalesce(report_id, item) AS report, max(report_dataset) AS "Data set", count(*) AS reports, min(report_sequence) AS "From", max(report_sequence) AS "To" FROM mms WHERE pdu_type = 'unconfirmed' GROUP BY src_ip, dst_ip, coalesce(report_id, item) ORDER BY reports DESC, server, report;

-- @section "Services" shape=table limit=20
SELECT coalesce(service, 'service ' || CAST(service_code AS VARCHAR)) AS service, category AS class, count(*) FILTER (WHERE pdu_type = 'confirmed_request') AS requests, count(*) FILTER (WHERE pdu_type = 'confirmed_response' AND access_errors IS NULL) AS ok,
  count(*) FILTER (WHERE access_errors IS NOT NULL OR pdu_type IN ('confirmed_error', 'reject')) AS refused, min(frame) AS frame
FROM mms WHERE service_code IS NOT NULL GROUP BY service_code, service, category ORDER BY requests DESC, service, class;

-- @section "Errors" shape=table limit=15
SELECT src_ip AS server, service, coalesce(error_class || ' ' || coalesce(error, CAST(error_code AS VARCHAR)), reject_reason, array_to_string(access_errors, ', ')) AS error, count(*) AS count, min(frame) AS frame
FROM mms WHERE pdu_type IN ('confirmed_error', 'reject') OR access_errors IS NOT NULL GROUP BY src_ip, service, coalesce(error_class || ' ' || coalesce(error, CAST(error_code AS VARCHAR)), reject_reason, array_to_string(access_errors, ', ')) ORDER BY count DESC, server, service, error;

-- @section "Directory" shape=table limit=15
SELECT CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, service, object_class AS class, domain, count(*) AS requests, min(frame) AS frame FROM mms WHERE category = 'directory' AND pdu_type = 'confirmed_request' GROUP BY CASE WHEN is_orig THEN src_ip ELSE dst_ip END, service, object_class, domain ORDER BY requests DESC, client, service, class, domain;

-- @section "PDUs" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, pdu_type AS kind, invoke_id AS id, service, coalesce(domain || '/' || item, item) AS name, array_to_string("values", ', ') AS "Values" FROM mms ORDER BY capture, frame, invoke_id;

-- @finding mms_control_operate severity=medium confidence=high technique=T0855,T0831
SELECT CASE WHEN bool_and(coalesce(r.test, false)) THEN 'low' WHEN bool_or(n.station IS NOT NULL AND coalesce(r.originator_category, 0) IN (0, 3)) THEN 'high' ELSE 'medium' END AS severity, 'Equipment was operated' AS title, CAST(count(*) AS VARCHAR) || ' operations: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT c.point || ' = ' || coalesce(c.value, '?'))), 1, 5), ', ') AS details,
  c.src_ip, c.dst_ip, count(*) AS count, min(c.request_frame) AS frame, array_slice(array_sort(array_agg(c.request_frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, min(c.capture) AS capture
FROM ot_commands c LEFT JOIN mms r ON r.capture_id = c.capture_id AND r.frame = c.request_frame AND r.flow_id = c.flow_id AND r.control_action = 'operate'
-- A client that was there all along may operate when it likes; one that came when others had long been served, by remote or unknown order, may not.
LEFT JOIN (SELECT DISTINCT capture_id, station, device FROM ot_newcomers) n ON n.capture_id = c.capture_id AND n.station = c.src_ip AND n.device = c.dst_ip
WHERE c.protocol = 'mms' AND c.class = 'operate' AND c.outcome = 'ok' GROUP BY c.capture_id, c.src_ip, c.dst_ip ORDER BY frame;

-- @finding mms_control_refused severity=medium confidence=high technique=T0855
SELECT 'Operations were refused' AS title, CAST(count(*) AS VARCHAR) || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' (' || coalesce(error, '?') || ')')), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'mms' AND class = 'operate' AND outcome = 'refused' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_setting_write severity=medium confidence=high technique=T0836
SELECT 'Settings were written' AS title, CAST(count(*) AS VARCHAR) || ': ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point || ' = ' || coalesce(value, '?'))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count,
  min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'mms' AND class = 'setpoint' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_program_control severity=high confidence=high technique=T0858,T0843
SELECT 'Programs or domains of a server were steered' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(point, ''))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame,
  array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'mms' AND command IN ('start', 'stop', 'resume', 'reset', 'kill', 'delete_program_invocation', 'initiate_download_sequence', 'delete_domain') AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_file_delete severity=high confidence=high technique=T0809
SELECT 'Files of a server were deleted or renamed' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT command || ' ' || coalesce(point, ''))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'mms' AND command IN ('file_delete', 'file_rename') AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_file_write severity=high confidence=high technique=T0867
SELECT 'A server was told to fetch a file' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(point, '?'))), 1, 5), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'mms' AND command = 'obtain_file' AND outcome = 'ok' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_file_read severity=low confidence=high technique=T0811,T0845
SELECT CASE WHEN sum(size_bytes) > 1048576 THEN 'medium' ELSE 'low' END AS severity, 'Files of a server were read' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT filename)), 1, 5), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM files WHERE source = 'mms' GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_model_enumeration severity=low confidence=high technique=T0861,T0888
SELECT CASE WHEN count(DISTINCT server) >= 3 THEN 'medium' ELSE 'low' END AS severity, 'A client reads the model of servers' AS title, 'up to ' || CAST(max(n) AS VARCHAR) || ' directory requests a minute to ' || CAST(count(DISTINCT server) AS VARCHAR) || ' servers' AS details,
  client AS src_ip, min(server) AS dst_ip, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, flow_id, src_ip AS client, dst_ip AS server, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM mms WHERE pdu_type = 'confirmed_request' AND service_code IN (1, 6) GROUP BY capture_id, flow_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000) m
-- A client that subscribes to reports learns first what there is.
LEFT JOIN (SELECT capture_id AS id, flow_id AS subscribed, max(frame) AS last FROM mms WHERE pdu_type = 'confirmed_request' AND service_code = 5 AND array_to_string(points, ' ') LIKE '%$RptEna%' GROUP BY capture_id, flow_id) s ON s.id = m.capture_id AND s.subscribed = m.flow_id AND s.last > m.frame
WHERE n >= 20 AND s.id IS NULL GROUP BY capture_id, client ORDER BY frame;

-- @finding mms_no_authentication severity=info confidence=high technique=T0859
SELECT 'Associations without authentication' AS title, CAST(count(*) AS VARCHAR) || ' associations' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM mms WHERE pdu_type = 'initiate_request' AND NOT auth_present GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_cleartext_password severity=high confidence=high technique=T0859
SELECT 'A password is readable in an association' AS title, CAST(count(*) AS VARCHAR) || ' associations' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM mms WHERE pdu_type = 'initiate_request' AND auth_present GROUP BY src_ip, dst_ip, capture ORDER BY frame;

-- @finding mms_abort_storm severity=medium confidence=high technique=T0814
SELECT 'Many requests are rejected' AS title, CAST(count(*) AS VARCHAR) || ' rejects or failed associations within a minute' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM mms WHERE pdu_type IN ('reject', 'initiate_error', 'conclude_error', 'cancel_error') GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 10 ORDER BY frame;

-- @finding mms_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN bool_or(service_code IN (5, 26, 36, 39, 40, 41, 42, 43, 44, 76) AND pdu_type = 'confirmed_response' AND access_errors IS NULL) THEN 'critical' ELSE 'high' END AS severity, 'MMS with a public address' AS title, CAST(count(*) AS VARCHAR) || ' PDUs' AS details,
  min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM mms WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY flow_id, capture ORDER BY frame;

-- @finding mms_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'MMS on another port than its own' AS title, 'port ' || CAST(CASE WHEN is_orig THEN dst_port ELSE src_port END AS VARCHAR) AS details, min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS src_ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM mms WHERE src_port NOT IN (102, 3782) AND dst_port NOT IN (102, 3782) GROUP BY CASE WHEN is_orig THEN dst_port ELSE src_port END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END, capture ORDER BY frame;

-- @finding mms_operate_without_select severity=high confidence=high technique=T0855
-- That a server wants an object selected first is told by a select that it granted, or by the control model read from it.
WITH orders AS (SELECT capture, capture_id, flow_id, src_ip, dst_ip, class, value, regexp_replace(point, '\$[^$]*$', '') AS object, request_frame, ts, CAST(ts AS BIGINT) AS at FROM ot_commands WHERE protocol = 'mms' AND class IN ('select', 'operate') AND outcome = 'ok'),
read AS (SELECT q.capture_id, q.dst_ip, unnest(q.points) AS point, unnest(a."values") AS value FROM mms q JOIN mms a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.invoke_id = q.invoke_id AND a.pdu_type = 'confirmed_response' WHERE q.pdu_type = 'confirmed_request' AND q.service_code = 4 AND array_to_string(q.points, ' ') LIKE '%$ctlModel%'),
guarded AS (SELECT capture_id, dst_ip, object FROM orders WHERE class = 'select' UNION SELECT capture_id, dst_ip, regexp_replace(replace(point, '$CF$', '$CO$'), '\$ctlModel$', '') FROM read WHERE point LIKE '%$ctlModel' AND value IN ('2', '4')),
alone AS (
  SELECT o.capture, o.capture_id, o.flow_id, o.src_ip, o.dst_ip, o.object, o.value, o.request_frame, o.ts
  FROM orders o JOIN guarded g ON g.capture_id = o.capture_id AND g.dst_ip = o.dst_ip AND g.object = o.object JOIN flows f ON f.capture_id = o.capture_id AND f.flow_id = o.flow_id
  LEFT JOIN orders s ON s.class = 'select' AND s.capture_id = o.capture_id AND s.flow_id = o.flow_id AND s.object = o.object AND s.request_frame < o.request_frame AND s.at > o.at - 60000000000
  -- In the first minute of an association whose beginning was not captured the select may lie before.
  WHERE o.class = 'operate' AND s.object IS NULL AND (f.history LIKE 'S%' OR o.at > CAST(f.ts AS BIGINT) + 60000000000))
SELECT 'Equipment that is selected first was operated without' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT object || coalesce(' = ' || value, ''))), 1, 5), ', ') || ': no select in the 60 s before' AS details,
  src_ip, dst_ip, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM alone GROUP BY capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding mms_report_hijack severity=medium confidence=high technique=T0803
WITH written AS (
  SELECT q.capture, q.capture_id, q.flow_id, q.src_ip, q.dst_ip, q.frame, q.ts, unnest(q.points) AS point, unnest(q."values") AS value
  FROM mms q JOIN mms a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.invoke_id = q.invoke_id AND a.pdu_type = 'confirmed_response' AND a.access_errors IS NULL
  WHERE q.pdu_type = 'confirmed_request' AND q.service_code = 5 AND array_to_string(q.points, ' ') LIKE '%$RptEna%'),
steps AS (SELECT *, lag(src_ip) OVER w AS owner, lag(flow_id) OVER w AS owner_flow, lag(value) OVER w AS before FROM written WHERE regexp_like(point, '\$(BR|RP)\$[^$]+\$RptEna$') WINDOW w AS (PARTITION BY capture_id, dst_ip, point ORDER BY frame))
SELECT CASE WHEN bool_or(s.value = 'true') THEN 'Two clients enable one report block' ELSE 'A client disables reports of another' END AS title,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT regexp_replace(s.point, '\$RptEna$', ''))), 1, 5), ', ') || ', enabled by ' || s.owner AS details,
  s.src_ip, s.dst_ip, count(*) AS count, min(s.frame) AS frame, array_slice(array_sort(array_agg(s.frame)), 1, 20) AS frames, min(s.ts) AS ts, max(s.ts) AS end_ts, min(s.capture) AS capture
-- The end of an association gives its report blocks back.
FROM steps s JOIN flows f ON f.capture_id = s.capture_id AND f.flow_id = s.owner_flow
WHERE s.before = 'true' AND s.owner <> s.src_ip AND f.end_ts > s.ts GROUP BY s.capture_id, s.src_ip, s.dst_ip, s.owner ORDER BY frame;

-- @finding mms_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'mms' ORDER BY frame, src_ip, dst_ip;

-- @finding mms_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'mms' ORDER BY frame, src_ip, dst_ip;
