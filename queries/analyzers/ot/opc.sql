-- @analyzer opc
-- @group    ot
-- @title    OPC UA ANALYSIS
-- @help     OPC UA endpoints, security, services

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE request_frame IS NOT NULL) AS answered, count(*) FILTER (WHERE service_result >= 2147483648) AS faults, count(*) FILTER (WHERE encrypted AND msg_type = 'MSG') AS "Not readable", count(DISTINCT CASE WHEN is_orig THEN dst_ip END) AS servers, count(DISTINCT CASE WHEN is_orig THEN src_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM opcua;

-- @section "Servers" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip, CASE WHEN is_orig THEN dst_port ELSE src_port END AS port, max(application_name) FILTER (WHERE NOT is_orig) AS name, max(application_uri) FILTER (WHERE NOT is_orig) AS uri, max(product_uri) FILTER (WHERE NOT is_orig) AS product, count(DISTINCT CASE WHEN is_orig THEN src_ip END) AS clients, count(*) FILTER (WHERE is_request) AS requests FROM opcua GROUP BY 1, 2 ORDER BY requests DESC, ip, port;

-- @section "Endpoints offered" shape=table limit=20
SELECT DISTINCT src_ip AS server, endpoint FROM (SELECT src_ip, unnest(endpoints) AS endpoint FROM opcua WHERE endpoints IS NOT NULL) ORDER BY server, endpoint;

-- @section "Secure channels" shape=table limit=15
SELECT min(ts) AS opened, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS client, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS server, sec_channel_id AS channel, max(security_policy) AS policy, max(security_mode) AS mode, count(*) FILTER (WHERE msg_type = 'OPN' AND NOT is_orig) AS "Tokens", count(*) FILTER (WHERE msg_type = 'MSG') AS messages, count(*) FILTER (WHERE encrypted AND msg_type = 'MSG') AS "Not readable", sum(msg_size) AS bytes
FROM opcua WHERE sec_channel_id <> 0 GROUP BY capture_id, flow_id, 2, 3, sec_channel_id ORDER BY opened, client, server, channel;

-- @section "Sessions" shape=table limit=15
SELECT q.ts, q.src_ip AS client, q.dst_ip AS server, c.session_name AS session, c.application_name AS application, q.identity_type AS identity, q.username AS "user", CASE WHEN a.service_result IS NULL THEN '-' WHEN a.service_result < 2147483648 THEN 'ok' ELSE coalesce(a.error, 'refused') END AS result, q.frame
FROM opcua AS q LEFT JOIN opcua AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.request_id = q.request_id AND NOT a.is_request
LEFT JOIN (SELECT capture_id, flow_id, max(session_name) AS session_name, max(application_name) AS application_name FROM opcua WHERE service = 'CreateSession' AND is_request GROUP BY capture_id, flow_id) AS c ON c.capture_id = q.capture_id AND c.flow_id = q.flow_id
WHERE q.service = 'ActivateSession' AND q.is_request ORDER BY q.capture, q.frame;

-- @section "Services" shape=table limit=30
SELECT service, count(*) FILTER (WHERE is_request) AS requests, count(*) FILTER (WHERE NOT is_request AND service_result < 2147483648) AS ok, count(*) FILTER (WHERE NOT is_request AND service_result >= 2147483648) AS faults, sum(item_count) FILTER (WHERE is_request) AS items FROM opcua WHERE service IS NOT NULL GROUP BY service ORDER BY requests DESC, service;

-- @section "Writes and calls" shape=table limit=30
SELECT ts, actor AS client, target AS server, command AS service, point AS node, value, outcome, error, request_frame AS frame FROM ot_commands WHERE protocol = 'opcua' AND class <> 'auth' ORDER BY capture, request_frame, point;

-- @section "Browsing" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, count(*) AS requests, sum(item_count) AS nodes, min(ts) AS first, max(ts) AS last FROM opcua WHERE service IN ('Browse', 'BrowseNext') AND is_request GROUP BY src_ip, dst_ip ORDER BY nodes DESC, client, server;

-- @section "Subscriptions" shape=table limit=15
SELECT dst_ip AS client, src_ip AS server, subscription_id AS subscription, max(publishing_interval_ms) AS interval_ms, count(*) FILTER (WHERE service = 'Publish') AS publishes, sum(item_count) FILTER (WHERE service = 'Publish') AS "Values" FROM opcua WHERE NOT is_request AND subscription_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY publishes DESC, client, server, subscription;

-- @section "Errors" shape=table limit=15
SELECT src_ip AS sender, dst_ip AS receiver, coalesce(service, msg_type) AS message, error, coalesce(error_code, service_result) AS code, max(error_reason) AS reason, count(*) AS count, min(frame) AS frame FROM opcua WHERE error_code IS NOT NULL OR service_result >= 2147483648 GROUP BY 1, 2, 3, 4, 5 ORDER BY count DESC, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, msg_type AS type, service, request_id AS request, array_to_string(array_slice(node_ids, 1, 6), ' ') AS nodes, array_to_string(array_slice("values", 1, 6), ' ') AS "values", error, encrypted, frame FROM opcua ORDER BY capture, frame;

-- @finding opcua_no_security severity=medium confidence=high technique=T0830,T1557
SELECT CASE WHEN count(*) FILTER (WHERE service IN ('Write', 'Call') OR identity_type = 'username') > 0 THEN 'high' WHEN count(*) FILTER (WHERE service = 'CreateSession') > 0 THEN 'medium' ELSE 'info' END AS severity, 'OPC UA without security' AS title, array_to_string(array_sort(array_agg(DISTINCT service)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM opcua WHERE is_request AND msg_type = 'MSG' AND (security_policy = 'None' OR security_mode = 'none') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opcua_deprecated_policy severity=medium confidence=high technique=T1600
SELECT 'A withdrawn security policy is in use' AS title, array_to_string(array_sort(array_agg(DISTINCT security_policy)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM opcua WHERE is_orig AND msg_type IN ('OPN', 'MSG') AND security_policy IN ('Basic128Rsa15', 'Basic256') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opcua_anonymous_session severity=medium confidence=high technique=T0859
SELECT 'An anonymous session was let in' AS title, CAST(count(*) AS VARCHAR) || ' sessions' AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, q.capture
FROM opcua AS q JOIN opcua AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.request_id = q.request_id AND NOT a.is_request WHERE q.service = 'ActivateSession' AND q.is_request AND q.identity_type = 'anonymous' AND a.service_result < 2147483648 GROUP BY q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port ORDER BY q.capture, frame;

-- @finding opcua_cleartext_password severity=high confidence=high technique=T0859,T1040
SELECT 'A password travels in clear' AS title, 'user ' || array_to_string(array_sort(array_agg(DISTINCT username)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM opcua WHERE identity_type = 'username' AND password_encrypted = false GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opcua_auth_failure_burst severity=medium confidence=high technique=T0859,T1110
WITH tries AS (SELECT q.capture, q.capture_id, q.src_ip, q.dst_ip, q.dst_port, q.frame, q.ts, a.service_result, a.error FROM opcua AS q JOIN opcua AS a ON a.capture_id = q.capture_id AND a.flow_id = q.flow_id AND a.request_frame = q.frame AND a.request_id = q.request_id AND NOT a.is_request WHERE q.service = 'ActivateSession' AND q.is_request)
SELECT CASE WHEN count(*) FILTER (WHERE service_result < 2147483648) > 0 AND max(frame) FILTER (WHERE service_result < 2147483648) > min(frame) FILTER (WHERE service_result >= 2147483648) THEN 'high' ELSE 'medium' END AS severity, 'Logins are refused again and again' AS title, CAST(count(*) FILTER (WHERE service_result >= 2147483648) AS VARCHAR) || ' refused, ' || CAST(count(*) FILTER (WHERE service_result < 2147483648) AS VARCHAR) || ' let in' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM tries GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 300000000000 HAVING count(*) FILTER (WHERE error IN ('BadIdentityTokenRejected', 'BadUserAccessDenied', 'BadIdentityTokenInvalid')) >= 5 ORDER BY capture, frame;

-- @finding opcua_write severity=info confidence=high technique=T0836,T0855
SELECT CASE WHEN count(*) > 10 AND count(DISTINCT request_frame) = 1 OR count(*) FILTER (WHERE NOT starts_with(point, 'ns=')) > 0 THEN 'high' ELSE 'info' END AS severity, 'Nodes were written' AS title, CAST(count(*) AS VARCHAR) || ' items: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT point || coalesce(' = ' || value, ''))), 1, 6), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'opcua' AND class = 'write' AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opcua_call severity=medium confidence=high technique=T0871,T0858
SELECT CASE WHEN count(*) FILTER (WHERE regexp_like(point, '(?i)shutdown|restart|reset|download|delete|program')) > 0 THEN 'high' ELSE 'medium' END AS severity, 'Methods were called' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT point || coalesce('(' || value || ')', ''))), 1, 6), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
-- GetMonitoredItems and ResendData of the server object serve subscriptions.
FROM ot_commands WHERE protocol = 'opcua' AND command = 'Call' AND outcome = 'ok' AND coalesce(point, '') NOT IN ('i=11492', 'i=12873') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opcua_node_change severity=high confidence=high technique=T0836
SELECT 'The address space was changed' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'opcua' AND command IN ('AddNodes', 'DeleteNodes', 'AddReferences', 'DeleteReferences') AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding opcua_history_change severity=high confidence=high technique=T0836,T0872
SELECT 'Recorded history was changed' AS title, command || coalesce(' ' || point, '') || coalesce(' = ' || value, '') || coalesce(', unit ' || target_unit, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(request_frame) AS frame, array_slice(array_sort(array_agg(request_frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE protocol = 'opcua' AND command = 'HistoryUpdate' AND outcome = 'ok' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, command, point, value, target_unit, outcome ORDER BY capture, frame;

-- @finding opcua_browse_sweep severity=low confidence=medium technique=T0861
WITH browsed AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, item_count FROM opcua WHERE service IN ('Browse', 'BrowseNext') AND is_request)
SELECT CASE WHEN count(DISTINCT b.dst_ip) >= 3 OR sum(b.item_count) > 500 THEN 'medium' ELSE 'low' END AS severity, 'The address space is browsed' AS title, CAST(sum(b.item_count) AS VARCHAR) || ' nodes of ' || CAST(count(DISTINCT b.dst_ip) AS VARCHAR) || ' servers within 5 minutes' AS details, b.src_ip, CASE WHEN count(DISTINCT b.dst_ip) = 1 THEN min(b.dst_ip) END AS dst_ip, count(*) AS count, min(b.frame) AS frame, array_slice(array_sort(array_agg(b.frame)), 1, 20) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, b.capture
-- Who subscribes to what it found is a client at work.
FROM browsed AS b LEFT JOIN (SELECT DISTINCT capture_id, src_ip FROM opcua WHERE service = 'CreateMonitoredItems' AND is_request) AS m ON m.capture_id = b.capture_id AND m.src_ip = b.src_ip
WHERE m.src_ip IS NULL GROUP BY b.capture, b.capture_id, b.src_ip, CAST(b.ts AS BIGINT) / 300000000000 HAVING sum(b.item_count) >= 20 ORDER BY b.capture, frame;

-- @finding opcua_channel_dos severity=medium confidence=medium technique=T0814
SELECT 'Channels are opened without end' AS title, CAST(count(*) AS VARCHAR) || ' within 60 s' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT capture, capture_id, dst_ip AS src_ip, src_ip AS dst_ip, frame, ts, is_orig, msg_type FROM opcua) WHERE is_orig AND msg_type IN ('HEL', 'OPN') GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 50 ORDER BY capture, frame;

-- @finding opcua_certificate_problem severity=low confidence=high technique=T1553
SELECT 'A certificate was refused' AS title, array_to_string(array_sort(array_agg(DISTINCT error)), ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM opcua WHERE error LIKE 'BadCertificate%' GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding opcua_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE service IN ('Write', 'Call')) > 0 THEN 'critical' ELSE 'high' END AS severity, 'OPC UA across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM opcua WHERE is_orig AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding opcua_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'OPC UA on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('opcua') AND src_port NOT IN (4840, 4843, 12001, 48010, 49320, 53530) AND dst_port NOT IN (4840, 4843, 12001, 48010, 49320, 53530) GROUP BY dst_ip, dst_port, capture ORDER BY frame;

-- @finding opcua_new_client_writes severity=medium confidence=medium technique=T0855
SELECT severity, 'A client that was not there before writes' AS title, details, src_ip, dst_ip, dst_port, count, frame, frames, ts, end_ts, capture FROM late_writers WHERE protocol = 'opcua' ORDER BY frame, src_ip, dst_ip;

-- @finding opcua_error_burst severity=medium confidence=high technique=T0814,T0846
SELECT severity, 'A server refuses much of what a client asks' AS title, details, src_ip, dst_ip, count, frame, frames, ts, end_ts, capture FROM refusal_bursts WHERE protocol = 'opcua' ORDER BY frame, src_ip, dst_ip;
