-- @analyzer wmic
-- @group    it
-- @title    REMOTE WMI
-- @help     WMI use: interfaces, commands, hosts

-- @section summary shape=facts
SELECT (SELECT count(*) FROM wmi) AS calls, count(*) FILTER (WHERE event = 'activation_request') AS activations, count(*) FILTER (WHERE class_name = 'WbemLevel1Login' AND event = 'activation_request') AS "Of WMI", count(DISTINCT dst_ip) FILTER (WHERE event = 'activation_request') AS hosts, min(ts) AS first, max(ts) AS last FROM dcom;

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS host, count(*) AS calls, count(*) FILTER (WHERE operation IN ('ExecMethod', 'ExecMethodAsync')) AS methods, count(*) FILTER (WHERE operation LIKE 'ExecQuery%') AS queries, max(auth_level) AS protection, bool_and(encrypted) AS "Not readable", sum(request_bytes) AS sent, sum(response_bytes) AS got, min(ts) AS first, max(ts) AS last
FROM wmi GROUP BY src_ip, dst_ip ORDER BY calls DESC, client, host;

-- @section "Operations" shape=table limit=30
SELECT interface, operation, src_ip AS client, dst_ip AS host, count(*) AS calls, count(*) FILTER (WHERE return_code <> 0) AS failed, sum(request_bytes) AS sent, min(frame) AS frame FROM wmi GROUP BY interface, operation, src_ip, dst_ip ORDER BY frame, interface, operation;

-- @section "Activations" shape=table limit=20
SELECT ts, src_ip AS source, dst_ip AS destination, event, coalesce(class_name, clsid) AS class, array_to_string(interface_names, ' ') AS interfaces, hresult AS result, frame FROM dcom ORDER BY capture, frame;

-- @finding wmi_activation severity=medium confidence=high technique=T1047
SELECT 'WMI is used on another host' AS title, CAST(count(*) AS VARCHAR) || ' activations' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dcom WHERE event = 'activation_request' AND class_name = 'WbemLevel1Login' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding wmi_exec_pattern severity=high confidence=medium technique=T1047,T1021.002
WITH run AS (SELECT capture, capture_id, src_ip, dst_ip, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, count(*) AS n FROM wmi WHERE operation IN ('ExecMethod', 'ExecMethodAsync') GROUP BY capture, capture_id, src_ip, dst_ip)
-- What a shell over WMI leaves: its output in a file of this name, usually on the administrative share.
SELECT 'A shell over WMI' AS title, 'ExecMethod, and the file ' || min(f.path) || coalesce(' on ' || min(f.share), ', share unknown') AS details, r.src_ip, r.dst_ip, min(r.n) AS count, r.frame, r.frames, r.ts, r.end_ts, r.capture
FROM run AS r JOIN smb_files AS f ON f.capture_id = r.capture_id AND f.src_ip = r.src_ip AND f.dst_ip = r.dst_ip AND regexp_like(CAST(f.path AS VARCHAR), '(^|[\\/])__[0-9]+([.][0-9]+)?$') GROUP BY r.src_ip, r.dst_ip, r.frame, r.frames, r.ts, r.end_ts, r.capture ORDER BY r.capture, r.frame;

-- @finding wmi_recon severity=low confidence=low technique=T1082,T1087
SELECT 'Many queries over WMI' AS title, CAST(count(*) AS VARCHAR) || ' queries within ten minutes' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM wmi WHERE operation IN ('ExecQuery', 'ExecQueryAsync') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 600000000000 HAVING count(*) >= 5 ORDER BY capture, frame;

-- @finding wmi_auth_failures severity=medium confidence=medium technique=T1110
SELECT 'Access over WMI is denied again and again' AS title, CAST(count(*) AS VARCHAR) || ' answers' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM wmi WHERE return_code IN (2147942405, 2147749891) GROUP BY capture, capture_id, src_ip, dst_ip, dst_port HAVING count(*) >= 5 ORDER BY capture, frame;

-- @finding dcom_lateral severity=high confidence=high technique=T1021.003
SELECT 'A program is made to run on another host by DCOM' AS title, array_to_string(array_sort(array_agg(DISTINCT d.class_name)), ', ') || ', then ' || CAST(max(i.n) AS VARCHAR) || ' calls of IDispatch' AS details, d.src_ip, d.dst_ip, d.dst_port, count(*) AS count, min(d.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT d.frame)), 1, 20) AS frames, min(d.ts) AS ts, max(d.ts) AS end_ts, d.capture
FROM dcom AS d JOIN (SELECT capture_id, src_ip, dst_ip, count(*) AS n, max(frame) AS last FROM dcerpc WHERE endpoint = 'IDispatch' AND ptype = 0 GROUP BY capture_id, src_ip, dst_ip) AS i ON i.capture_id = d.capture_id AND i.src_ip = d.src_ip AND i.dst_ip = d.dst_ip AND i.last > d.frame
WHERE d.event = 'activation_request' AND d.class_name IN ('MMC20.Application', 'ShellWindows', 'ShellBrowserWindow', 'Excel.Application') GROUP BY d.capture, d.capture_id, d.src_ip, d.dst_ip, d.dst_port ORDER BY d.capture, frame;

-- @finding wmi_fanout severity=medium confidence=medium technique=T1047
SELECT CASE WHEN count(DISTINCT dst_ip) >= 15 THEN 'high' ELSE 'medium' END AS severity, 'One host uses WMI on many' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts within an hour: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT dst_ip)), 1, 8), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
-- A call that was answered came through the login.
FROM wmi WHERE operation <> 'activation' AND response_bytes IS NOT NULL AND coalesce(return_code, 0) NOT IN (5, 2147942405, 2147749891) AND is_private(src_ip) AND is_private(dst_ip) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 3600000000000 HAVING count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;
