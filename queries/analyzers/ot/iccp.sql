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
  array_slice(array_agg(q.frame ORDER BY q.frame), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM iccp q JOIN iccp a ON a.capture_id = q.capture_id AND a.request_frame = q.frame AND a.mms_invoke_id = q.mms_invoke_id AND NOT a.is_request
WHERE q.operation = 'set_data_value' AND q.is_request AND a.error IS NULL GROUP BY q.capture_id, q.src_ip, q.dst_ip ORDER BY frame;

-- @finding iccp_access_denied severity=medium confidence=high technique=T0846
SELECT 'A centre asks for what it may not see' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT object_name)), 1, 8), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM iccp WHERE error = 'object_access_denied' GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 5 ORDER BY frame;

-- @finding iccp_features_mismatch severity=low confidence=high technique=T0888
SELECT 'A centre announces other features than before' AS title, array_to_string(array_sort(array_agg(DISTINCT supported_features)), ' / ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM iccp WHERE supported_features IS NOT NULL GROUP BY capture_id, src_ip, dst_ip HAVING count(DISTINCT supported_features) > 1 ORDER BY frame;
