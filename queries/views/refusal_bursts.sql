-- @kept
-- Servers that refuse a client again and again: twenty times within a minute, or more than three of ten of at least fifty requests.
-- One row a client, server and protocol; `severity` is low where one function is asked that the server never had, and
-- where most of what is asked is answered: who reads what a device has meets what it has not.
WITH answers AS (
  -- Exception 5 says that the answer takes longer.
  SELECT capture, capture_id, src_ip, dst_ip, 'modbus' AS protocol, CAST(func AS VARCHAR) AS what, status = 'exception' AND coalesce(exception_code, 0) <> 5 AS refused, frame, ts FROM modbus WHERE status IN ('ok', 'exception') AND func_code <> 90
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, 'umas', CAST(umas_function AS VARCHAR), status <> 'ok', frame, ts FROM umas WHERE status NOT IN ('no_response', 'response_only')
  UNION ALL SELECT a.capture, a.capture_id, a.dst_ip, a.src_ip, 'dnp3', CAST(q.function AS VARCHAR), (a.iin & 7) <> 0, a.frame, a.ts FROM dnp3 a JOIN dnp3 q ON q.capture_id = a.capture_id AND q.flow_id = a.flow_id AND q.frame = a.request_frame AND q.link_source = a.link_destination AND q.app_sequence = a.app_sequence AND q.is_request WHERE a.function_code = 129
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'iec104', CAST(type_id AS VARCHAR), coalesce(negative, false) OR cot_code BETWEEN 44 AND 47, frame, ts FROM iec104 WHERE cot_code IN (7, 9, 44, 45, 46, 47)
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 's7comm', CAST(coalesce(subfunction_name, function_name) AS VARCHAR), error IS NOT NULL, frame, ts FROM s7comm WHERE request_frame IS NOT NULL
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'mms', CAST(service AS VARCHAR), pdu_type = 'confirmed_error' OR access_errors IS NOT NULL, frame, ts FROM mms WHERE pdu_type IN ('confirmed_response', 'confirmed_error')
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'cip', coalesce(CAST(service AS VARCHAR), CAST(service_code AS VARCHAR)) || coalesce(' ' || path, ''), status_code NOT IN (0, 6), frame, ts FROM cip WHERE NOT is_request AND status_code IS NOT NULL
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'bacnet', coalesce(CAST(pdu_service AS VARCHAR), ''), pdu_type IN ('error', 'reject', 'abort'), frame, ts FROM bacnet WHERE pdu_type IN ('simple_ack', 'complex_ack', 'error', 'reject', 'abort')
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'opcua', CAST(service AS VARCHAR), service_result >= 2147483648, frame, ts FROM opcua WHERE NOT is_request AND service_result IS NOT NULL
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'fins', CAST(command AS VARCHAR), response_code <> 0, frame, ts FROM fins WHERE NOT is_request AND response_code IS NOT NULL
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'melsec', CAST(command AS VARCHAR), end_code <> 0, frame, ts FROM melsec WHERE NOT is_request AND end_code IS NOT NULL
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'srtp', CAST(service AS VARCHAR), status_code IS NOT NULL, frame, ts FROM srtp WHERE NOT is_orig AND request_frame IS NOT NULL
  -- Some response codes warn only.
  UNION ALL SELECT capture, capture_id, dst_ip, src_ip, 'hart_ip', CAST(command AS VARCHAR), response_code BETWEEN 1 AND 7 OR response_code BETWEEN 16 AND 19 OR response_code IN (32, 33, 35, 36, 64, 65, 66), frame, ts FROM hart_ip WHERE request_frame IS NOT NULL AND response_code IS NOT NULL),
refusals AS (SELECT *, CAST(ts AS BIGINT) - lag(CAST(ts AS BIGINT), 19) OVER (PARTITION BY capture_id, protocol, src_ip, dst_ip ORDER BY frame) AS span FROM answers WHERE refused),
bursts AS (SELECT capture_id, protocol, src_ip, dst_ip, min(span) AS span, count(*) AS n, count(DISTINCT what) AS kinds, array_to_string(array_slice(array_sort(array_agg(DISTINCT what)), 1, 4), ', ') AS whats, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM refusals GROUP BY capture_id, protocol, src_ip, dst_ip),
asked AS (SELECT min(capture) AS capture, capture_id, protocol, src_ip, dst_ip, count(*) AS n FROM answers GROUP BY capture_id, protocol, src_ip, dst_ip),
-- Functions that were answered as well.
known AS (SELECT r.capture_id, r.protocol, r.src_ip, r.dst_ip FROM (SELECT DISTINCT capture_id, protocol, src_ip, dst_ip, what FROM refusals) r JOIN (SELECT DISTINCT capture_id, protocol, src_ip, dst_ip, what FROM answers WHERE NOT refused) k ON k.capture_id = r.capture_id AND k.protocol = r.protocol AND k.src_ip = r.src_ip AND k.dst_ip = r.dst_ip AND k.what = r.what GROUP BY r.capture_id, r.protocol, r.src_ip, r.dst_ip)
SELECT a.capture, b.capture_id, b.protocol, b.src_ip, b.dst_ip, CASE WHEN b.kinds = 1 AND k.protocol IS NULL OR b.n * 10 <= a.n * 3 THEN 'low' ELSE 'medium' END AS severity,
  CAST(b.n AS VARCHAR) || ' of ' || CAST(a.n AS VARCHAR) || ' refused' || CASE WHEN b.span <= 60000000000 THEN ', 20 and more within a minute' ELSE '' END || coalesce(': ' || b.whats, '') AS details, b.n AS count, b.frame, b.frames, b.ts, b.end_ts
FROM bursts b JOIN asked a ON a.capture_id = b.capture_id AND a.protocol = b.protocol AND a.src_ip = b.src_ip AND a.dst_ip = b.dst_ip LEFT JOIN known k ON k.capture_id = b.capture_id AND k.protocol = b.protocol AND k.src_ip = b.src_ip AND k.dst_ip = b.dst_ip
WHERE b.span <= 60000000000 OR a.n >= 50 AND b.n * 10 > a.n * 3
