-- @analyzer rpc
-- @group    it
-- @title    REMOTE PROCEDURE CALLS
-- @help     DCE/RPC interfaces and operations

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE ptype = 0) AS requests, count(*) FILTER (WHERE ptype = 2) AS responses, count(*) FILTER (WHERE ptype = 3) AS faults, count(*) FILTER (WHERE ptype IN (11, 14)) AS binds,
  array_to_string(array_sort(array_agg(DISTINCT carrier)), ', ') AS carriers, count(DISTINCT src_ip) FILTER (WHERE ptype IN (0, 11, 14)) AS clients, count(DISTINCT dst_ip) FILTER (WHERE ptype IN (0, 11, 14)) AS servers,
  avg(CASE WHEN encrypted THEN 1.0 ELSE 0.0 END) FILTER (WHERE ptype = 0) AS sealed_share, min(ts) AS first, max(ts) AS last FROM dcerpc;

-- @section "Interfaces" shape=table limit=30
SELECT coalesce(endpoint, interface_uuid) AS interface, interface_version AS version, dst_ip AS server, coalesce(named_pipe, CAST(dst_port AS VARCHAR)) AS at, count(*) FILTER (WHERE ptype IN (11, 14)) AS binds, count(*) FILTER (WHERE ptype = 0) AS calls, count(DISTINCT src_ip) AS clients, max(auth_type_name) AS auth, max(auth_level_name) AS level
FROM dcerpc WHERE ptype IN (0, 11, 14) AND interface_uuid IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY calls DESC, binds DESC, interface, version, server, at;

-- @section "Operations" shape=table limit=40
SELECT coalesce(endpoint, interface_uuid, '?') AS interface, coalesce(operation, 'operation ' || CAST(opnum AS VARCHAR)) AS operation, CASE WHEN ptype = 0 THEN src_ip ELSE dst_ip END AS client, CASE WHEN ptype = 0 THEN dst_ip ELSE src_ip END AS server,
  count(*) FILTER (WHERE ptype = 0) AS calls, count(*) FILTER (WHERE ptype = 3) AS faults, count(*) FILTER (WHERE return_code <> 0) AS errors, max(detail) AS detail
FROM dcerpc WHERE ptype IN (0, 2, 3) AND opnum IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY calls, interface, operation, client, server;

-- @section "Endpoint map" shape=table limit=30
SELECT coalesce(endpoint, interface_uuid) AS interface, interface_version AS version, protocol_sequence AS sequence, address, coalesce(named_pipe, CAST(port AS VARCHAR)) AS at, source, count(*) AS count
FROM dcerpc_endpoints GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY count DESC, interface, version, sequence, address, at, source;

-- @section "Refused" shape=table limit=25
SELECT src_ip AS server, dst_ip AS client, ptype_name AS message, coalesce(endpoint, interface_uuid) AS interface, coalesce(operation, CAST(opnum AS VARCHAR)) AS operation, coalesce(CAST(status AS BIGINT), bind_nak_reason) AS code, count(*) AS count
FROM dcerpc WHERE ptype IN (3, 13) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY count DESC, server, client, message, interface, operation, code;

-- @section "Calls" shape=table limit=500 verbose
SELECT ts, src_ip AS client, dst_ip AS server, coalesce(endpoint, interface_uuid) AS interface, coalesce(operation, CAST(opnum AS VARCHAR)) AS operation, stub_len AS bytes, detail FROM dcerpc WHERE ptype = 0 ORDER BY capture, frame, call_id;

-- @finding rpc_zerologon severity=critical confidence=high technique=T1210,T1068
WITH tries AS (SELECT capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS slot, count(*) AS n, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM dcerpc WHERE endpoint = 'netlogon' AND ptype = 0 AND opnum IN (15, 26) AND detail LIKE '%credential=0000000000000000' GROUP BY capture_id, src_ip, dst_ip, slot HAVING count(*) >= 2),
done AS (SELECT capture_id, dst_ip AS client, src_ip AS server, max(frame) AS frame FROM dcerpc WHERE endpoint = 'netlogon' AND ptype = 2 AND opnum = 30 AND return_code = 0 GROUP BY capture_id, dst_ip, src_ip)
SELECT 'Logins to a domain controller with a credential of zeros' AS title, CAST(t.n AS VARCHAR) || ' attempts within a minute' || CASE WHEN d.frame > t.frame THEN ', then a password was set' ELSE '' END AS details, t.src_ip, t.dst_ip, t.n AS count, t.frame, t.frames, t.ts, t.end_ts
FROM tries t LEFT JOIN done d ON d.capture_id = t.capture_id AND d.client = t.src_ip AND d.server = t.dst_ip ORDER BY t.src_ip, t.dst_ip, t.frame;

-- @finding rpc_service_install severity=high confidence=high technique=T1569.002,T1543.003
SELECT 'A service is installed on another host' AS title, coalesce(max(detail), 'arguments not readable') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND endpoint = 'svcctl' AND opnum IN (12, 24, 44, 45, 60) GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_task_create severity=high confidence=medium technique=T1053.005,T1053.002
SELECT 'A task is scheduled on another host' AS title, max(operation) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND (endpoint = 'ITaskSchedulerService' AND opnum = 1 OR endpoint = 'atsvc' AND opnum = 0) GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_log_clear severity=high confidence=high technique=T1070.001
SELECT 'An event log is cleared from another host' AS title, max(operation) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND endpoint = 'eventlog' AND opnum = 0 GROUP BY src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_bind_failures severity=low confidence=medium technique=T1046
SELECT 'Many binds are refused' AS title, CAST(count(*) AS VARCHAR) || ' within a minute' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 13 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY src_ip, dst_ip, frame;
