-- @analyzer opc_classic
-- @group    it
-- @title    OPC CLASSIC
-- @help     OPC Classic over DCOM

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE ptype = 0) AS calls, count(DISTINCT endpoint) AS interfaces, count(DISTINCT CASE WHEN ptype = 0 THEN src_ip END) AS clients, count(DISTINCT CASE WHEN ptype = 0 THEN dst_ip END) AS servers, count(*) FILTER (WHERE ptype = 3) AS faults, min(ts) AS first, max(ts) AS last FROM dcerpc WHERE endpoint LIKE 'IOPC%' OR endpoint = 'IEnumOPCItemAttributes';

-- @section "Sessions" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, dst_port AS port, count(*) AS calls, count(*) FILTER (WHERE operation IN ('AddItems', 'AddGroup')) AS "Items and groups", count(*) FILTER (WHERE operation IN ('Read', 'ReadMaxAge')) AS reads, count(*) FILTER (WHERE operation IN ('Write', 'WriteVQT')) AS writes, max(auth_level_name) AS protection, min(ts) AS first, max(ts) AS last
FROM dcerpc WHERE ptype = 0 AND endpoint LIKE 'IOPC%' GROUP BY src_ip, dst_ip, dst_port ORDER BY calls DESC, client, server, port;

-- @section "Interfaces" shape=table limit=30
SELECT endpoint AS interface, CASE WHEN endpoint LIKE 'IOPCHDA%' THEN 'Historical Data Access' WHEN endpoint LIKE 'IOPCEvent%' THEN 'Alarms and Events' WHEN endpoint IN ('IOPCCommon', 'IOPCShutdown', 'IOPCServerList', 'IOPCServerList2') THEN 'common' ELSE 'Data Access' END AS specification, operation, count(*) FILTER (WHERE ptype = 0) AS calls, count(*) FILTER (WHERE ptype = 3) AS faults
FROM dcerpc WHERE endpoint LIKE 'IOPC%' AND opnum IS NOT NULL GROUP BY 1, 2, 3 ORDER BY calls DESC, interface, operation;

-- @section "Discovery" shape=table limit=15
SELECT ts, src_ip AS client, dst_ip AS server, coalesce(class_name, clsid) AS class, hresult AS result, frame FROM dcom WHERE class_name = 'OpcEnum' ORDER BY capture, frame;

-- @section "Writes" shape=table limit=50
SELECT ts, src_ip AS client, dst_ip AS server, endpoint AS interface, operation, stub_len AS bytes, encrypted, frame FROM dcerpc WHERE ptype = 0 AND endpoint IN ('IOPCSyncIO', 'IOPCAsyncIO', 'IOPCAsyncIO2', 'IOPCSyncIO2', 'IOPCAsyncIO3', 'IOPCItemIO') AND operation IN ('Write', 'WriteVQT') ORDER BY capture, frame;

-- @finding opc_write severity=info confidence=high technique=T0855,T0836
WITH w AS (SELECT capture, capture_id, src_ip, dst_ip, dst_port, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM dcerpc WHERE ptype = 0 AND endpoint IN ('IOPCSyncIO', 'IOPCAsyncIO', 'IOPCAsyncIO2', 'IOPCSyncIO2', 'IOPCAsyncIO3', 'IOPCItemIO') AND operation IN ('Write', 'WriteVQT') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port),
r AS (SELECT d.capture_id, d.src_ip, d.dst_ip, count(*) AS n FROM dcerpc AS d JOIN w ON w.capture_id = d.capture_id AND w.src_ip = d.src_ip AND w.dst_ip = d.dst_ip AND d.frame < w.frame WHERE d.ptype = 0 AND d.operation = 'Read' AND d.endpoint LIKE 'IOPC%' GROUP BY d.capture_id, d.src_ip, d.dst_ip)
SELECT CASE WHEN r.n >= 100 THEN 'high' ELSE 'info' END AS severity, 'Items are written over OPC' AS title, CAST(w.n AS VARCHAR) || ' writes' AS details, w.src_ip, w.dst_ip, w.dst_port, w.n AS count, w.frame, w.frames, w.ts, w.end_ts, w.capture FROM w LEFT JOIN r ON r.capture_id = w.capture_id AND r.src_ip = w.src_ip AND r.dst_ip = w.dst_ip ORDER BY w.capture, w.frame;

-- @finding opc_enum severity=medium confidence=high technique=T0846,T0861
SELECT 'OPC servers are looked for' AS title, array_to_string(array_sort(array_agg(DISTINCT operation)), ', ') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dcerpc WHERE ptype = 0 AND endpoint IN ('IOPCServerList', 'IOPCServerList2') AND operation = 'EnumClassesOfCategories' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opc_weak_dcom severity=medium confidence=medium technique=T0859
SELECT 'OPC without protection of what is sent' AS title, 'level ' || coalesce(max(auth_level_name), 'none') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dcerpc WHERE ptype = 0 AND endpoint LIKE 'IOPC%' AND coalesce(auth_level_name, 'none') IN ('none', 'connect', 'call', 'packet') GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opc_external severity=high confidence=high technique=T0883
SELECT CASE WHEN is_public(src_ip) OR is_public(dst_ip) THEN 'OPC across the internet' ELSE 'OPC across the border of an industrial network' END AS title, CAST(count(*) AS VARCHAR) || ' calls' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture FROM dcerpc WHERE ptype = 0 AND endpoint LIKE 'IOPC%' AND (is_public(src_ip) OR is_public(dst_ip) OR is_ot(src_ip) <> is_ot(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding opc_fault_burst severity=low confidence=medium technique=T0814
SELECT 'Calls of OPC fail again and again' AS title, CAST(count(*) AS VARCHAR) || ' faults within a minute' AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture FROM dcerpc WHERE ptype = 3 AND endpoint LIKE 'IOPC%' GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 ORDER BY capture, frame;

-- @finding opc_bulk_browse_read severity=medium confidence=medium technique=T0802,T0888
-- An answer to AddItems has 24 octets for each item. A client is new that came after the capture had begun.
WITH added AS (SELECT a.capture, a.capture_id, a.dst_ip AS client, a.src_ip AS server, a.src_port AS port, a.frame, a.ts, (CAST(a.stub_len AS BIGINT) - 36) / 24 AS items FROM dcerpc a WHERE a.ptype = 2 AND a.endpoint = 'IOPCItemMgt' AND a.opnum = 3 AND a.stub_len > 60),
met AS (SELECT capture_id, src_ip AS client, dst_ip AS server, CAST(min(ts) AS BIGINT) AS since FROM dcerpc WHERE ptype = 0 GROUP BY capture_id, src_ip, dst_ip), begun AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM flows GROUP BY capture_id)
SELECT 'A newcomer reads all that an OPC server has' AS title, 'some ' || CAST(sum(a.items) AS VARCHAR) || ' items added' AS details, a.client AS src_ip, a.server AS dst_ip, max(a.port) AS dst_port, count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(a.capture) AS capture
FROM added a JOIN met m ON m.capture_id = a.capture_id AND m.client = a.client AND m.server = a.server JOIN begun b ON b.capture_id = a.capture_id WHERE m.since - b.start > 60000000000 GROUP BY a.capture_id, a.client, a.server HAVING sum(a.items) >= 1000 ORDER BY a.client, a.server;
