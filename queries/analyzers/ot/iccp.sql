-- @analyzer iccp
-- @group    ot
-- @title    ICCP ANALYSIS
-- @help     ICCP/TASE.2 associations and operations

-- @section summary shape=facts
SELECT count(*) AS operations, count(DISTINCT flow_id) AS flows, count(DISTINCT src_ip) AS centres, count(DISTINCT domain) AS domains, count(DISTINCT transfer_set) AS "Transfer sets", count(*) FILTER (WHERE operation = 'transfer_report') AS reports,
  count(*) FILTER (WHERE error IS NOT NULL) AS errors, min(ts) AS first, max(ts) AS last
FROM iccp;

-- @section "Associations" shape=table limit=15
SELECT src_ip AS server, dst_ip AS client, bilateral_table_id AS "Bilateral table", tase2_version AS version, supported_features AS blocks, min(frame) AS frame FROM iccp WHERE bilateral_table_id IS NOT NULL OR tase2_version IS NOT NULL OR supported_features IS NOT NULL
GROUP BY src_ip, dst_ip, bilateral_table_id, tase2_version, supported_features ORDER BY frame, server;

-- @section "Domains and objects" shape=table limit=15
SELECT domain, object_name AS object, count(*) FILTER (WHERE service = 'read' AND is_request) AS reads, count(*) FILTER (WHERE service = 'write' AND is_request) AS writes, count(*) FILTER (WHERE operation = 'transfer_report') AS reports, min(frame) AS frame
FROM iccp WHERE object_name IS NOT NULL GROUP BY domain, object_name ORDER BY reports DESC, writes DESC, reads DESC, domain, object;

-- @section "Transfer sets" shape=table limit=15
SELECT transfer_set AS "Transfer set", max(dataset) AS "Data set", max(interval_s) AS interval_s, min(ts) FILTER (WHERE operation = 'write_transfer_set') AS written, count(*) FILTER (WHERE operation = 'transfer_report') AS reports, array_to_string(array_sort(array_agg(DISTINCT report_reason)), ', ') AS reasons
FROM iccp WHERE transfer_set IS NOT NULL GROUP BY transfer_set ORDER BY reports DESC, "Transfer set";

-- @section "Operations" shape=table limit=20
SELECT operation, service, src_ip AS src, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request) AS answers, count(*) FILTER (WHERE error IS NOT NULL) AS errors, min(frame) AS frame FROM iccp GROUP BY operation, service, src_ip ORDER BY requests DESC, operation, service, src;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, operation, domain, object_name AS object, transfer_set AS "Transfer set", report_reason AS reason, array_to_string("values", ', ') AS "Values", error FROM iccp ORDER BY capture, frame, mms_invoke_id;

-- @finding iccp_set_data_value severity=medium confidence=medium technique=T0836
SELECT 'A centre wrote to objects of the other' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(q.domain || '/', '') || q.object_name)), 1, 6), ', ') AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM iccp q JOIN iccp a ON a.capture_id = q.capture_id AND a.request_frame = q.frame AND a.mms_invoke_id = q.mms_invoke_id AND NOT a.is_request
WHERE q.operation = 'set_data_value' AND q.is_request AND a.error IS NULL GROUP BY q.capture_id, q.src_ip, q.dst_ip ORDER BY frame;

-- @finding iccp_access_denied severity=medium confidence=high technique=T0846
SELECT 'A centre asks for what it may not see' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT object_name)), 1, 8), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM iccp WHERE error = 'object_access_denied' GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding iccp_features_mismatch severity=low confidence=high technique=T0888
SELECT 'A centre announces other features than before' AS title, array_to_string(array_sort(array_agg(DISTINCT supported_features)), ' / ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM iccp WHERE supported_features IS NOT NULL GROUP BY capture_id, src_ip, dst_ip HAVING count(DISTINCT supported_features) > 1 ORDER BY frame;

-- @finding iccp_device_operate severity=high confidence=high technique=T0855,T0831
SELECT 'A device of another centre was operated' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(q.domain || '/', '') || q.object_name || ' = ' || coalesce(array_to_string(q."values", ', '), '?'))), 1, 6), ', ') AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM iccp q JOIN iccp a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.mms_invoke_id = q.mms_invoke_id AND NOT a.is_request AND a.error IS NULL
WHERE q.operation = 'operate_device' AND q.is_request GROUP BY q.capture_id, q.src_ip, q.dst_ip ORDER BY frame;

-- @finding iccp_direct_operate severity=high confidence=high technique=T0855
WITH orders AS (
  SELECT q.capture, q.capture_id, q.flow_id, q.src_ip, q.dst_ip, q.operation, coalesce(q.domain || '/', '') || regexp_replace(q.object_name, '_SBO$', '') AS device, q."values", q.frame, q.ts, CAST(q.ts AS BIGINT) AS at
  FROM iccp q JOIN iccp a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.mms_invoke_id = q.mms_invoke_id AND NOT a.is_request AND a.error IS NULL
  WHERE q.operation IN ('select_device', 'operate_device') AND q.is_request),
alone AS (
  -- Any select before shows how this association works; one of the device makes the order whole.
  SELECT min(o.capture) AS capture, o.capture_id, o.src_ip, o.dst_ip, o.device, o.frame, min(o.ts) AS ts, min(array_to_string(o."values", ', ')) AS value
  FROM orders o JOIN orders s ON s.capture_id = o.capture_id AND s.flow_id = o.flow_id AND s.operation = 'select_device' AND s.frame < o.frame
  WHERE o.operation = 'operate_device' GROUP BY o.capture_id, o.src_ip, o.dst_ip, o.device, o.frame HAVING count(*) FILTER (WHERE s.device = o.device AND s.at > o.at - 300000000000) = 0)
SELECT 'A device was operated without being selected' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT device || coalesce(' = ' || value, ''))), 1, 6), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM alone GROUP BY capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding iccp_transfer_set_stopped severity=medium confidence=high technique=T0814,T0804
WITH written AS (
  SELECT q.capture, q.capture_id, q.flow_id, q.src_ip, q.dst_ip, q.transfer_set, q.interval_s, q.frame, q.ts,
    -- Status is the last yes or no of the structure, before the code of an event; what stands before it differs between editions.
    CASE WHEN regexp_like(q."values"[1], 'true, [0-9]+\}$') THEN 'true' WHEN regexp_like(q."values"[1], 'false, [0-9]+\}$') THEN 'false' END AS status
  FROM iccp q JOIN iccp a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.mms_invoke_id = q.mms_invoke_id AND NOT a.is_request AND a.error IS NULL
  WHERE q.operation = 'write_transfer_set' AND q.is_request),
intervals AS (SELECT capture_id, flow_id, transfer_set, max(interval_s) AS interval_s FROM written WHERE status = 'true' AND interval_s > 0 GROUP BY capture_id, flow_id, transfer_set),
reports AS (
  SELECT r.capture, r.capture_id, r.flow_id, r.src_ip, r.dst_ip, r.transfer_set, r.frame, r.ts, CAST(r.ts AS BIGINT) AS at, lead(CAST(r.ts AS BIGINT)) OVER w AS next, count(*) FILTER (WHERE r.report_reason = 'interval_timeout') OVER (PARTITION BY r.capture_id, r.flow_id, r.transfer_set ORDER BY r.frame ROWS UNBOUNDED PRECEDING) AS regular
  FROM iccp r WHERE r.operation = 'transfer_report' AND r.transfer_set IS NOT NULL WINDOW w AS (PARTITION BY r.capture_id, r.flow_id, r.transfer_set ORDER BY r.frame)),
-- What was stopped by order is told once; the end of the association ends its reports.
stopped AS (SELECT capture_id, flow_id, transfer_set, min(frame) AS frame FROM written WHERE status = 'false' GROUP BY capture_id, flow_id, transfer_set)
SELECT title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM (
  SELECT 'A transfer set was stopped' AS title, transfer_set || ' was written with status disabled' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
  FROM written WHERE status = 'false' GROUP BY capture_id, src_ip, dst_ip, transfer_set
  UNION ALL
  SELECT 'Reports of a transfer set stopped', r.transfer_set || ': no report for ' || CAST(CAST((max(coalesce(r.next, CAST(f.end_ts AS BIGINT)) - r.at)) / 1000000000 AS BIGINT) AS VARCHAR) || ' s, one each ' || CAST(max(i.interval_s) AS VARCHAR) || ' s was ordered', r.src_ip, r.dst_ip, count(*), min(r.frame), array_slice(array_sort(array_agg(r.frame)), 1, 20), min(r.ts), max(r.ts), min(r.capture)
  FROM reports r JOIN intervals i ON i.capture_id = r.capture_id AND i.flow_id = r.flow_id AND i.transfer_set = r.transfer_set JOIN flows f ON f.capture_id = r.capture_id AND f.flow_id = r.flow_id LEFT JOIN stopped s ON s.capture_id = r.capture_id AND s.flow_id = r.flow_id AND s.transfer_set = r.transfer_set AND s.frame > r.frame
  WHERE r.regular >= 3 AND s.frame IS NULL AND coalesce(r.next, CAST(f.end_ts AS BIGINT)) - r.at > CAST(i.interval_s AS BIGINT) * 5000000000 GROUP BY r.capture_id, r.src_ip, r.dst_ip, r.transfer_set)
ORDER BY frame, title, details;

-- @finding iccp_new_bilateral_peer severity=high confidence=medium technique=T0855
WITH spans AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM packets GROUP BY capture_id),
peers AS (SELECT min(capture) AS capture, capture_id, least(src_ip, dst_ip) AS one, greatest(src_ip, dst_ip) AS other, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n FROM iccp GROUP BY capture_id, least(src_ip, dst_ip), greatest(src_ip, dst_ip)),
tables AS (SELECT min(capture) AS capture, capture_id, bilateral_table_id AS id, first_value(src_ip ORDER BY frame) AS src_ip, first_value(dst_ip ORDER BY frame) AS dst_ip, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n FROM iccp WHERE bilateral_table_id IS NOT NULL GROUP BY capture_id, bilateral_table_id),
-- New is what comes after ten minutes, beside others that were there.
fresh AS (
  SELECT p.capture, p.capture_id, 'Two centres that did not talk before' AS title, 'between ' || p.one || ' and ' || p.other AS details, p.one AS src_ip, p.other AS dst_ip, p.frame, p.ts, p.end_ts, p.n FROM peers p JOIN spans s ON s.capture_id = p.capture_id WHERE CAST(p.ts AS BIGINT) > s.start + 600000000000
    AND EXISTS (SELECT 1 FROM peers e WHERE e.capture_id = p.capture_id AND e.frame < p.frame)
  UNION ALL
  SELECT t.capture, t.capture_id, 'A bilateral table that no association used before', t.id, t.dst_ip, t.src_ip, t.frame, t.ts, t.end_ts, t.n FROM tables t JOIN spans s ON s.capture_id = t.capture_id WHERE CAST(t.ts AS BIGINT) > s.start + 600000000000
    AND EXISTS (SELECT 1 FROM tables e WHERE e.capture_id = t.capture_id AND e.frame < t.frame))
SELECT title, details, src_ip, dst_ip, n AS count, frame, ts, end_ts, capture FROM fresh ORDER BY frame, title;

-- @finding iccp_enumeration severity=medium confidence=high technique=T0861
WITH met AS (SELECT capture_id, src_ip, dst_ip, min(CAST(ts AS BIGINT)) AS since, min(CAST(ts AS BIGINT)) FILTER (WHERE service = 'get_name_list') AS listed FROM iccp WHERE is_request AND service <> 'information_report' GROUP BY capture_id, src_ip, dst_ip)
SELECT 'A centre lists what the other has' AS title, CAST(count(*) AS VARCHAR) || ' lists of names' || coalesce(', domains ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT q.domain)), 1, 5), ', '), '') AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM iccp q JOIN met m ON m.capture_id = q.capture_id AND m.src_ip = q.src_ip AND m.dst_ip = q.dst_ip
-- Setting up begins with lists.
WHERE q.is_request AND q.service = 'get_name_list' AND m.listed > m.since + 60000000000 GROUP BY q.capture_id, q.src_ip, q.dst_ip HAVING count(*) >= 2 ORDER BY frame;

-- @finding iccp_program severity=high confidence=high technique=T0843
SELECT CASE WHEN bool_or(q.operation = 'program_control') THEN 'Programs of another centre were steered' ELSE 'Events of another centre were redefined' END AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT q.service || coalesce(' ' || q.object_name, ''))), 1, 6), ', ') AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM iccp q JOIN iccp a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.mms_invoke_id = q.mms_invoke_id AND NOT a.is_request AND a.error IS NULL
WHERE q.operation IN ('program_control', 'event') AND q.is_request GROUP BY q.capture_id, q.src_ip, q.dst_ip, q.operation ORDER BY frame;

-- @finding iccp_quality_bad severity=low confidence=high technique=T0856
WITH told AS (SELECT capture, capture_id, src_ip, dst_ip, coalesce(transfer_set, dataset) AS series, frame, ts, unnest(qualities) AS quality, unnest(range(1, CAST(array_length(qualities) AS BIGINT) + 1)) AS place FROM iccp WHERE operation = 'transfer_report' AND array_length(qualities) > 0),
points AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, series, place, count(*) AS n, count(*) FILTER (WHERE quality <> 'valid') AS bad, min(quality) FILTER (WHERE quality <> 'valid') AS quality, min(frame) FILTER (WHERE quality <> 'valid') AS frame, min(ts) AS ts, max(ts) AS end_ts FROM told GROUP BY capture_id, src_ip, dst_ip, series, place HAVING count(*) >= 10 AND count(*) FILTER (WHERE quality <> 'valid') * 5 > count(*))
SELECT 'Values of points are often not valid' AS title, CAST(count(*) AS VARCHAR) || ' points of ' || coalesce(series, '-') || ', the first ' || array_to_string(array_slice(array_sort(array_agg(place)), 1, 6), ', ') || ': ' || min(quality) AS details, src_ip, dst_ip, sum(bad) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM points GROUP BY capture_id, src_ip, dst_ip, series ORDER BY frame, details;
