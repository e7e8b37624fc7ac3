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
WITH tries AS (SELECT capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS slot, min(capture) AS capture, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM dcerpc WHERE endpoint = 'netlogon' AND ptype = 0 AND opnum IN (15, 26) AND detail LIKE '%credential=0000000000000000' GROUP BY capture_id, src_ip, dst_ip, slot HAVING count(*) >= 2),
done AS (SELECT capture_id, dst_ip AS client, src_ip AS server, max(frame) AS frame FROM dcerpc WHERE endpoint = 'netlogon' AND ptype = 2 AND opnum = 30 AND return_code = 0 GROUP BY capture_id, dst_ip, src_ip)
SELECT 'Logins to a domain controller with a credential of zeros' AS title, CAST(t.n AS VARCHAR) || ' attempts within a minute' || CASE WHEN d.frame > t.frame THEN ', then a password was set' ELSE '' END AS details, t.src_ip, t.dst_ip, t.capture, t.n AS count, t.frame, t.frames, t.ts, t.end_ts
FROM tries t LEFT JOIN done d ON d.capture_id = t.capture_id AND d.client = t.src_ip AND d.server = t.dst_ip ORDER BY t.src_ip, t.dst_ip, t.frame;

-- @finding rpc_service_install severity=high confidence=high technique=T1569.002,T1543.003
SELECT 'A service is installed on another host' AS title, coalesce(max(detail), 'arguments not readable') AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND endpoint = 'svcctl' AND opnum IN (12, 24, 44, 45, 60) GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_task_create severity=high confidence=medium technique=T1053.005,T1053.002
SELECT 'A task is scheduled on another host' AS title, max(operation) AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND (endpoint = 'ITaskSchedulerService' AND opnum = 1 OR endpoint = 'atsvc' AND opnum = 0) GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_log_clear severity=high confidence=high technique=T1070.001
SELECT 'An event log is cleared from another host' AS title, max(operation) AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND endpoint = 'eventlog' AND opnum = 0 GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_bind_failures severity=low confidence=medium technique=T1046
SELECT 'Many binds are refused' AS title, CAST(count(*) AS VARCHAR) || ' within a minute' AS details, dst_ip AS src_ip, src_ip AS dst_ip, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 13 GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding rpc_dcsync severity=critical confidence=high technique=T1003.006
WITH asked AS (SELECT capture_id, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM dcerpc WHERE ptype = 0 AND endpoint = 'drsuapi' AND opnum = 3 GROUP BY capture_id, src_ip, dst_ip, dst_port),
-- A domain controller replicates too: it answers logins of its own.
controllers AS (SELECT DISTINCT capture_id, dst_ip AS ip FROM dcerpc WHERE ptype = 0 AND endpoint IN ('netlogon', 'drsuapi') UNION SELECT DISTINCT capture_id, src_ip FROM kerberos WHERE msg_type IN (11, 13))
SELECT 'Directory replication is asked for by a host that is no domain controller' AS title, CAST(a.n AS VARCHAR) || ' DRSGetNCChanges' AS details, a.src_ip, a.dst_ip, a.dst_port, a.capture, a.n AS count, a.frame, a.frames, a.ts, a.end_ts
FROM asked a LEFT JOIN controllers c ON c.capture_id = a.capture_id AND c.ip = a.src_ip WHERE c.ip IS NULL ORDER BY a.src_ip, a.dst_ip, a.frame;

-- @finding rpc_coercion severity=high confidence=medium technique=T1187
SELECT 'A host is asked to log in elsewhere by an operation known for it' AS title, array_to_string(array_sort(array_agg(DISTINCT d.endpoint || ' ' || coalesce(d.operation, 'operation ' || CAST(d.opnum AS VARCHAR)))), ', ') AS details, d.src_ip, d.dst_ip, d.dst_port, min(d.capture) AS capture, count(*) AS count, min(d.frame) AS frame, array_slice(array_sort(array_agg(d.frame)), 1, 20) AS frames, min(d.ts) AS ts, max(d.ts) AS end_ts
FROM dcerpc d
-- Print clients watch a printer that they opened and print on: theirs is no coercion.
LEFT JOIN (SELECT DISTINCT capture_id, flow_id FROM dcerpc WHERE ptype = 0 AND endpoint = 'spoolss' AND opnum IN (17, 19, 23)) p ON p.capture_id = d.capture_id AND p.flow_id = d.flow_id
WHERE d.ptype = 0 AND (d.endpoint = 'efsrpc' AND d.opnum IN (0, 4, 5, 6, 7, 12, 13) OR d.endpoint = 'spoolss' AND d.opnum = 65 AND p.flow_id IS NULL OR d.endpoint = 'netdfs' AND d.opnum IN (12, 13) OR d.endpoint = 'FileServerVssAgent' AND d.opnum IN (8, 9))
GROUP BY d.capture_id, d.src_ip, d.dst_ip, d.dst_port ORDER BY d.src_ip, d.dst_ip, d.dst_port;

-- @finding rpc_registry_remote severity=medium confidence=high technique=T1003.002,T1012
SELECT 'Registry keys are saved to a file from another host' AS title, CAST(count(*) AS VARCHAR) || ' BaseRegSaveKey' AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND endpoint = 'winreg' AND opnum IN (20, 31) GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_samr_enum severity=medium confidence=medium technique=T1087.002,T1069
WITH calls AS (SELECT capture_id, capture, src_ip, dst_ip, dst_port, endpoint, frame, ts,
    CASE WHEN endpoint = 'samr' AND opnum IN (13, 40, 48, 51) THEN 'list' WHEN endpoint = 'samr' AND opnum IN (17, 34) THEN 'one' WHEN endpoint = 'lsarpc' AND opnum IN (15, 57, 76) THEN 'sid' END AS what
  FROM dcerpc WHERE ptype = 0 AND endpoint IN ('samr', 'lsarpc'))
SELECT 'Accounts of a domain are listed' AS title, CAST(count(*) FILTER (WHERE what = 'list') AS VARCHAR) || ' lists, ' || CAST(count(*) FILTER (WHERE what = 'one') AS VARCHAR) || ' single accounts, ' || CAST(count(*) FILTER (WHERE what = 'sid') AS VARCHAR) || ' lookups of SIDs' AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM calls WHERE what IS NOT NULL GROUP BY capture_id, src_ip, dst_ip, dst_port
HAVING count(*) FILTER (WHERE what = 'list') > 0 OR count(*) FILTER (WHERE what = 'one') >= 20 OR count(*) FILTER (WHERE what = 'sid') >= 50 ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_session_enum severity=medium confidence=medium technique=T1033,T1049,T1135
SELECT 'Sessions, users or shares of many hosts are listed' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within ten minutes' AS details, src_ip, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND (endpoint = 'srvsvc' AND opnum IN (12, 15, 36) OR endpoint = 'wkssvc' AND opnum = 2) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;

-- @finding rpc_epm_scan severity=medium confidence=medium technique=T1046
WITH calls AS (SELECT capture_id, capture, src_ip, dst_ip, opnum, frame, ts, CAST(ts AS BIGINT) / 60000000000 AS slot FROM dcerpc WHERE ptype = 0 AND endpoint = 'epmapper' AND opnum IN (2, 3))
SELECT 'The endpoint mappers of many hosts are asked' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within a minute' AS details, src_ip, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM calls GROUP BY capture_id, src_ip, slot HAVING count(DISTINCT dst_ip) >= 10
UNION ALL SELECT 'A host is asked for all its endpoints' AS title, CAST(count(*) AS VARCHAR) || ' ept_lookup' AS details, src_ip, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM calls WHERE opnum = 2 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 3 ORDER BY src_ip, frame;

-- @finding rpc_wmi_exec severity=high confidence=medium technique=T1047
SELECT 'A method is executed over WMI on another host' AS title, CAST(count(*) AS VARCHAR) || ' ExecMethod' AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND endpoint = 'IWbemServices' AND opnum IN (24, 25) GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_weak_auth severity=low confidence=medium technique=T1557
SELECT 'Accounts, services or logins are managed without protection of what is sent' AS title, array_to_string(array_sort(array_agg(DISTINCT endpoint)), ', ') AS details, src_ip, dst_ip, dst_port, min(capture) AS capture, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dcerpc WHERE ptype = 0 AND carrier = 'tcp' AND endpoint IN ('samr', 'svcctl') AND coalesce(auth_level, 1) <= 2 GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;

-- @finding rpc_dcom_lateral severity=high confidence=high technique=T1021.003
SELECT 'A class that runs programs is activated on another host' AS title, array_to_string(array_sort(array_agg(DISTINCT class_name)), ', ') AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dcom WHERE event = 'activation_request' AND class_name IN ('MMC20.Application', 'ShellWindows', 'ShellBrowserWindow', 'Excel.Application') AND src_ip <> dst_ip GROUP BY capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip, frame;

-- @finding rpc_printnightmare severity=critical confidence=high technique=T1068
-- A driver whose files lie on another host. Drivers are added from the print server's own folders else.
SELECT 'A print server is told to load a driver from elsewhere' AS title, detail AS details, src_ip, dst_ip, max(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dcerpc WHERE ptype = 0 AND endpoint = 'spoolss' AND opnum = 89 AND regexp_like(detail, '=(\\\\|//|\\[?][?]\\UNC\\)[^\\/ ]') GROUP BY capture_id, detail, src_ip, dst_ip ORDER BY src_ip, dst_ip, frame;
