-- @analyzer snmp
-- @group    it
-- @title    SNMP ANALYSIS
-- @help     SNMP agents, managers and objects

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE version = '1') AS version_1, count(*) FILTER (WHERE version = '2c') AS version_2c, count(*) FILTER (WHERE version = '3') AS version_3, count(*) FILTER (WHERE encrypted) AS encrypted,
  count(*) FILTER (WHERE pdu = 'set-request') AS sets, count(*) FILTER (WHERE pdu IN ('trap', 'snmpv2-trap', 'inform-request')) AS traps, count(DISTINCT CASE WHEN pdu = 'response' THEN src_ip END) AS agents,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY response_time_ms) AS response_median_ms, min(ts) AS first, max(ts) AS last FROM snmp;

-- @section "Messages by kind" shape=table
SELECT version, coalesce(pdu, 'encrypted') AS pdu, security_level AS security, count(*) AS messages FROM snmp GROUP BY version, pdu, security_level ORDER BY messages DESC, version, pdu, security;

-- @section "Agents" shape=table limit=15
WITH told AS (SELECT src_ip, unnest(oid_names) AS object, unnest("values") AS value FROM snmp WHERE pdu = 'response' AND oid_names IS NOT NULL)
SELECT a.agent, a.managers, a.messages, max(CASE WHEN t.object = 'sysName.0' THEN t.value END) AS name, max(CASE WHEN t.object = 'sysDescr.0' THEN t.value END) AS description, a.engine
FROM (SELECT src_ip AS agent, count(DISTINCT dst_ip) AS managers, count(*) AS messages, max(engine_id) AS engine FROM snmp WHERE pdu = 'response' OR (encrypted AND src_port = 161) GROUP BY src_ip) a
LEFT JOIN told t ON t.src_ip = a.agent GROUP BY a.agent, a.managers, a.messages, a.engine ORDER BY a.messages DESC, a.agent;

-- @section "Managers" shape=table limit=15
SELECT src_ip AS manager, count(DISTINCT dst_ip) AS agents, array_to_string(array_sort(array_agg(DISTINCT version)), ', ') AS versions, count(DISTINCT community) AS communities, array_to_string(array_sort(array_agg(DISTINCT username)), ', ') AS users, count(*) AS requests
FROM snmp WHERE pdu IN ('get-request', 'get-next-request', 'get-bulk-request', 'set-request') OR (encrypted AND dst_port = 161) GROUP BY src_ip ORDER BY requests DESC, manager;

-- @section "Objects" shape=table limit=15
SELECT coalesce(name, oid) AS object, count(*) AS messages, count(*) FILTER (WHERE pdu IN ('get-request', 'get-next-request', 'get-bulk-request')) AS requested, count(*) FILTER (WHERE pdu = 'set-request') AS "Set"
FROM (SELECT pdu, unnest(oid_names) AS name, unnest(oids) AS oid FROM snmp WHERE oids IS NOT NULL) GROUP BY coalesce(name, oid) ORDER BY messages DESC, object;

-- @section "Writes" shape=table limit=15
SELECT q.ts, q.src_ip AS manager, q.dst_ip AS agent, CASE WHEN array_to_string(q.oid_names, ' ', '?') LIKE '%?%' THEN array_to_string(q.oids, ', ') ELSE array_to_string(q.oid_names, ', ') END AS object, array_to_string(q."values", ', ', 'null') AS value, coalesce(r.error, 'no answer') AS result, q.frame
FROM snmp q LEFT JOIN snmp r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.request_id = q.request_id AND r.pdu = 'response' WHERE q.pdu = 'set-request' ORDER BY q.capture, q.frame;

-- @section "Traps and informs" shape=table limit=15
SELECT src_ip AS sender, dst_ip AS receiver, pdu, coalesce(trap_oid, enterprise) AS trap, generic_trap AS generic, specific_trap AS specific, count(*) AS messages FROM snmp WHERE pdu IN ('trap', 'snmpv2-trap', 'inform-request')
GROUP BY src_ip, dst_ip, pdu, coalesce(trap_oid, enterprise), generic_trap, specific_trap ORDER BY messages DESC, sender, receiver, trap, generic, specific;

-- @section "Errors" shape=table
SELECT error, count(*) AS responses, count(DISTINCT src_ip) AS agents FROM snmp WHERE error_status > 0 GROUP BY error ORDER BY responses DESC, error;

-- @section "Users and engines" shape=table limit=15
SELECT username AS "user", engine_id AS engine, array_to_string(array_sort(array_agg(DISTINCT security_level)), ', ') AS security, count(*) AS messages FROM snmp WHERE version = '3' AND (username IS NOT NULL OR engine_id IS NOT NULL) GROUP BY username, engine_id ORDER BY messages DESC, "user", engine;

-- @section "Bindings" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, pdu, CASE WHEN array_to_string(oid_names, ' ', '?') LIKE '%?%' THEN array_to_string(oids, ', ') ELSE array_to_string(oid_names, ', ') END AS objects, array_to_string("values", ', ', 'null') AS "values" FROM snmp ORDER BY capture, frame;

-- @finding snmp_default_community severity=medium confidence=high technique=T1078.001,T0812
SELECT CASE WHEN bool_or(pdu = 'response') THEN 'high' ELSE 'low' END AS severity, 'A community that everybody tries first' AS title, CASE WHEN bool_or(pdu = 'response') THEN 'the agent answered ' ELSE 'unanswered, ' END || CAST(count(*) AS VARCHAR) || ' messages' AS details,
  agent AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, CASE WHEN pdu = 'response' THEN src_ip ELSE dst_ip END AS agent FROM snmp WHERE community IN (secret('public'), secret('private'), secret('snmp'), secret('cisco'), secret('manager'), secret('admin'), secret('ilmi'), secret('ILMI'), secret('cable-docsis'), secret('internal'), secret('snmpd'), secret('secret'), secret('default'))) GROUP BY capture_id, agent ORDER BY agent;

-- @finding snmp_community_guess severity=high confidence=high technique=T1110.001
SELECT 'Communities are being guessed' AS title, CAST(count(DISTINCT community) AS VARCHAR) || ' communities within 5 minutes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM snmp WHERE pdu IN ('get-request', 'get-next-request', 'get-bulk-request', 'set-request') GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT community) >= 5 ORDER BY src_ip, dst_ip, frame;

-- @finding snmp_set severity=medium confidence=high technique=T1565.001,T1601,T0836
SELECT CASE WHEN bool_or(array_to_string(q.oid_names, ' ') LIKE '%ifAdminStatus%' OR array_to_string(q.oid_names, ' ') LIKE '%ccCopyEntry%' OR array_to_string(q.oid_names, ' ') LIKE '%usmUser%') THEN 'high' ELSE 'medium' END AS severity,
  'A device was changed by SNMP' AS title, CASE WHEN array_to_string(q.oid_names, ' ', '?') LIKE '%?%' THEN array_to_string(q.oids, ', ') ELSE array_to_string(q.oid_names, ', ') END || ' = ' || array_to_string(q."values", ', ', 'null') AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM snmp q JOIN snmp r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.request_id = q.request_id AND r.pdu = 'response' AND r.error_status = 0 WHERE q.pdu = 'set-request' GROUP BY q.capture_id, q.oid_names, q.oids, q."values", q.src_ip, q.dst_ip ORDER BY q.src_ip, q.dst_ip, details;

-- @finding snmp_config_copy severity=high confidence=high technique=T1602.002
SELECT 'A device was told to copy its configuration' AS title, CASE WHEN array_to_string(oid_names, ' ', '?') LIKE '%?%' THEN array_to_string(oids, ', ') ELSE array_to_string(oid_names, ', ') END || ' = ' || array_to_string("values", ', ', 'null') AS details, src_ip, dst_ip, frame, ts, capture FROM snmp
WHERE pdu = 'set-request' AND (array_to_string(oids, ' ') LIKE '%1.3.6.1.4.1.9.9.96.%' OR array_to_string(oids, ' ') LIKE '%1.3.6.1.4.1.9.2.1.5%') ORDER BY capture, frame;

-- @finding snmp_clear severity=low confidence=high technique=T1040
SELECT 'Managed in clear' AS title, 'version ' || version || coalesce(', ' || security_level, '') || ', ' || CAST(count(*) AS VARCHAR) || ' answers' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM snmp WHERE pdu = 'response' AND (version IN ('1', '2c') OR security_level = 'noAuthNoPriv') GROUP BY src_ip, version, security_level, capture ORDER BY src_ip, version;

-- @finding snmp_v3_guess severity=medium confidence=high technique=T1110
SELECT 'SNMP users or keys are being guessed' AS title, CAST(count(*) AS VARCHAR) || ' reports of unknown users, wrong digests or failed decryption' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM snmp WHERE pdu = 'report' AND regexp_like(array_to_string(oid_names, ' '), 'usmStats(UnknownUserNames|WrongDigests|DecryptionErrors)') GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 10 ORDER BY src_ip, dst_ip;

-- @finding snmp_public severity=medium confidence=high technique=T1602
SELECT 'SNMP across the border' AS title, 'version ' || array_to_string(array_sort(array_agg(DISTINCT version)), ', ') || ', ' || CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM snmp WHERE (is_public(src_ip) AND is_private(dst_ip)) OR (is_private(src_ip) AND is_public(dst_ip)) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding snmp_malformed severity=low confidence=high technique=T1499
SELECT 'SNMP messages that break the encoding' AS title, kind || ': ' || min(detail) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM anomalies WHERE protocol = 'snmp' AND kind <> 'decoder_fault' GROUP BY kind, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding snmp_sweep severity=medium confidence=high technique=T1046,T0846
SELECT 'Agents were searched for' AS title, CAST(count(*) AS VARCHAR) || ' hosts asked, ' || CAST(count(answered) AS VARCHAR) || ' answered' AS details, src_ip, sum(n) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(q.capture) AS capture, q.capture_id, q.src_ip, q.dst_ip, count(*) AS n, min(q.frame) AS frame, min(q.ts) AS ts, max(q.ts) AS end_ts, max(r.agent) AS answered
  FROM snmp q LEFT JOIN (SELECT DISTINCT capture_id, src_ip AS agent, dst_ip AS manager FROM snmp WHERE pdu IN ('response', 'report')) r ON r.capture_id = q.capture_id AND r.agent = q.dst_ip AND r.manager = q.src_ip
  WHERE q.pdu IN ('get-request', 'get-next-request', 'get-bulk-request') GROUP BY q.capture_id, q.src_ip, q.dst_ip)
GROUP BY capture_id, src_ip HAVING count(*) >= 15 AND count(answered) < 0.8 * count(*) ORDER BY src_ip;

-- @finding snmp_amplification severity=medium confidence=medium technique=T1498.002
SELECT 'An agent multiplies what it is sent' AS title, CAST(q.bytes AS VARCHAR) || ' bytes asked, ' || CAST(r.bytes AS VARCHAR) || ' bytes answered' AS details, q.src_ip, q.dst_ip, r.n AS count, q.frame, q.frames, q.ts, r.end_ts, q.capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, sum(message_bytes) AS bytes, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts FROM snmp WHERE pdu = 'get-bulk-request' AND max_repetitions > 50 GROUP BY capture_id, src_ip, dst_ip) q
JOIN (SELECT capture_id, src_ip, dst_ip, sum(message_bytes) AS bytes, count(*) AS n, max(ts) AS end_ts FROM snmp WHERE pdu = 'response' GROUP BY capture_id, src_ip, dst_ip) r ON r.capture_id = q.capture_id AND r.src_ip = q.dst_ip AND r.dst_ip = q.src_ip
WHERE is_public(q.src_ip) AND r.bytes >= 10 * q.bytes AND r.n >= 20 ORDER BY q.src_ip, q.dst_ip;

-- @finding snmp_walk severity=low confidence=medium technique=T1602.001,T0888
WITH read AS (SELECT r.capture, r.capture_id, r.dst_ip AS manager, r.src_ip AS agent, r.frame, r.ts, unnest(r.oids) AS oid FROM snmp r JOIN (SELECT DISTINCT capture_id, src_ip, dst_ip, request_id FROM snmp WHERE pdu IN ('get-next-request', 'get-bulk-request')) q ON q.capture_id = r.capture_id AND q.src_ip = r.dst_ip AND q.dst_ip = r.src_ip AND q.request_id = r.request_id WHERE r.pdu = 'response'),
parts AS (SELECT *, CASE WHEN oid LIKE '1.3.6.1.2.1.4.21.%' OR oid LIKE '1.3.6.1.2.1.4.24.%' THEN 'routes' WHEN oid LIKE '1.3.6.1.2.1.2.2.%' THEN 'interfaces' WHEN oid LIKE '1.3.6.1.2.1.25.4.2.%' THEN 'running programs' WHEN oid LIKE '1.3.6.1.6.3.16.%' THEN 'access rights' WHEN oid LIKE '1.3.6.1.6.3.15.%' THEN 'users' END AS part FROM read),
-- A manager of the site polls: it has several agents, or was there before.
managers AS (SELECT capture_id, src_ip AS manager, count(DISTINCT dst_ip) AS agents FROM snmp WHERE pdu IN ('get-request', 'get-next-request', 'get-bulk-request') GROUP BY capture_id, src_ip),
pairs AS (SELECT capture_id, src_ip AS manager, dst_ip AS agent, CAST(min(ts) AS BIGINT) AS since FROM snmp WHERE pdu IN ('get-request', 'get-next-request', 'get-bulk-request') GROUP BY capture_id, src_ip, dst_ip)
SELECT 'The tables of a device are read through' AS title, CAST(count(DISTINCT p.oid) AS VARCHAR) || ' objects within a minute: ' || array_to_string(array_sort(array_agg(DISTINCT p.part)), ', ') AS details, p.manager AS src_ip, p.agent AS dst_ip, count(*) AS count, min(p.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT p.frame)), 1, 20) AS frames, min(p.ts) AS ts, max(p.ts) AS end_ts, min(p.capture) AS capture
FROM parts p JOIN managers m ON m.capture_id = p.capture_id AND m.manager = p.manager JOIN pairs s ON s.capture_id = p.capture_id AND s.manager = p.manager AND s.agent = p.agent WHERE p.part IS NOT NULL AND m.agents < 5
GROUP BY p.capture_id, p.manager, p.agent, CAST(p.ts AS BIGINT) / 60000000000 HAVING count(DISTINCT p.oid) >= 100 AND CAST(min(p.ts) AS BIGINT) - min(s.since) < 300000000000 ORDER BY p.manager, p.agent, frame;
