-- @analyzer genisys
-- @group    ot
-- @title    GENISYS ANALYSIS
-- @help     Genisys railway code lines: polls, controls, indications

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE direction = 'request') AS "From the office", count(*) FILTER (WHERE direction = 'response') AS "From the field", count(*) FILTER (WHERE category IN ('control', 'execute')) AS controls, count(*) FILTER (WHERE NOT crc_ok) AS "Bad CRC", min(ts) AS first, max(ts) AS last FROM genisys;

-- @section "Locations" shape=table limit=15
SELECT server AS station, CASE WHEN direction = 'request' THEN dst_ip ELSE src_ip END AS host, count(*) FILTER (WHERE category = 'poll') AS polls, count(*) FILTER (WHERE direction = 'response') AS answers, count(*) FILTER (WHERE category = 'indication') AS indications, count(*) FILTER (WHERE category IN ('control', 'execute')) AS controls, count(DISTINCT CASE WHEN direction = 'request' THEN src_ip END) AS offices, round(median(response_time_ms), 1) AS median_ms
FROM genisys GROUP BY server, CASE WHEN direction = 'request' THEN dst_ip ELSE src_ip END ORDER BY host, station;

-- @section "Headers" shape=table limit=15
SELECT '0x' || to_hex(CAST(header_code AS BIGINT)) AS code, header, direction, count(*) AS count, count(*) FILTER (WHERE crc_present) AS "With CRC" FROM genisys GROUP BY header_code, header, direction ORDER BY count DESC, code;

-- @section "Controls" shape=table limit=15
SELECT ts, src_ip AS office, dst_ip AS host, server AS station, header, array_to_string(addresses, ', ') AS addresses, array_to_string(data, ', ') AS values, frame FROM genisys WHERE category IN ('control', 'execute', 'checkback') ORDER BY capture, frame;

-- @section "Indications that changed" shape=table limit=15
SELECT ts, src_ip AS host, server AS station, array_to_string(changed_bits, ', ') AS changed, frame FROM genisys WHERE changed_bits IS NOT NULL ORDER BY capture, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, header, server AS station, array_to_string(addresses, ', ') AS addresses, array_to_string(data, ', ') AS values, crc_ok FROM genisys ORDER BY capture, frame;

-- @finding genisys_control severity=medium confidence=high technique=T0855
SELECT CASE WHEN count(DISTINCT p.src_ip) FILTER (WHERE p.src_ip <> c.src_ip) > 0 AND count(DISTINCT p.src_ip) FILTER (WHERE p.src_ip = c.src_ip) = 0 THEN 'high' ELSE 'medium' END AS severity, 'Controls were sent to a field location' AS title, 'station ' || CAST(c.server AS VARCHAR) || ': ' || CAST(count(DISTINCT c.frame) AS VARCHAR) || ' messages' AS details, c.src_ip AS src_ip, c.dst_ip AS dst_ip, c.dst_port AS dst_port,
  count(DISTINCT c.frame) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, c.capture AS capture
FROM genisys AS c LEFT JOIN (SELECT DISTINCT capture_id, src_ip, dst_ip, server FROM genisys WHERE category = 'poll') AS p ON p.capture_id = c.capture_id AND p.dst_ip = c.dst_ip AND p.server = c.server
WHERE c.category = 'control' AND c.crc_ok GROUP BY c.capture, c.capture_id, c.src_ip, c.dst_ip, c.dst_port, c.server ORDER BY capture, frame;

-- @finding genisys_execute_without_control severity=high confidence=high technique=T0855
SELECT 'Controls were executed that nobody sent' AS title, 'station ' || CAST(e.server AS VARCHAR) AS details, e.src_ip AS src_ip, e.dst_ip AS dst_ip, e.dst_port AS dst_port, e.frame AS frame, e.ts AS ts, e.capture AS capture
FROM genisys AS e WHERE e.category = 'execute' AND e.crc_ok AND NOT EXISTS (SELECT 1 FROM genisys AS c WHERE c.capture_id = e.capture_id AND c.server = e.server AND c.dst_ip = e.dst_ip AND c.category = 'control' AND c.frame < e.frame AND CAST(e.ts AS BIGINT) - CAST(c.ts AS BIGINT) < 10000000000) ORDER BY capture, e.frame;

-- @finding genisys_second_office severity=high confidence=high technique=T0848,T0830
SELECT 'Two offices poll one location' AS title, 'station ' || CAST(server AS VARCHAR) || ': ' || array_to_string(array_sort(array_agg(DISTINCT src_ip)), ', ') AS details, dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM genisys WHERE category = 'poll' AND crc_ok GROUP BY capture, capture_id, dst_ip, server HAVING count(DISTINCT src_ip) > 1 ORDER BY capture, frame;

-- @finding genisys_crc_error severity=medium confidence=high technique=T0814
SELECT 'Messages with a wrong CRC' AS title, CAST(count(*) FILTER (WHERE NOT crc_ok) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) AS details, src_ip, dst_ip, count(*) FILTER (WHERE NOT crc_ok) AS count, min(frame) FILTER (WHERE NOT crc_ok) AS frame, min(ts) FILTER (WHERE NOT crc_ok) AS ts, max(ts) FILTER (WHERE NOT crc_ok) AS end_ts, capture
FROM genisys GROUP BY capture, capture_id, flow_id, src_ip, dst_ip HAVING count(*) FILTER (WHERE NOT crc_ok) >= 3 AND count(*) FILTER (WHERE crc_ok) > 0 ORDER BY capture, frame;

-- @finding genisys_location_silent severity=medium technique=T0814
WITH polls AS (SELECT capture, capture_id, dst_ip AS host, server, frame, ts FROM genisys WHERE direction = 'request' AND server IS NOT NULL), answers AS (SELECT capture_id, src_ip AS host, server, max(frame) AS last, count(*) AS n FROM genisys WHERE direction = 'response' GROUP BY capture_id, src_ip, server)
SELECT 'A location fell silent' AS title, 'station ' || CAST(p.server AS VARCHAR) || ': ' || CAST(count(*) AS VARCHAR) || ' polls without an answer' AS details, p.host AS dst_ip, count(*) AS count, min(p.frame) AS frame, min(p.ts) AS ts, max(p.ts) AS end_ts, p.capture AS capture
FROM polls AS p JOIN answers AS a ON a.capture_id = p.capture_id AND a.host = p.host AND a.server = p.server AND p.frame > a.last GROUP BY p.capture, p.capture_id, p.host, p.server HAVING count(*) >= 20 ORDER BY capture, frame;

-- @finding genisys_recall_storm severity=low confidence=high technique=T0814
SELECT 'Headers are recalled very often' AS title, CAST(max(n) AS VARCHAR) || ' within a minute' AS details, src_ip, dst_ip, max(n) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, count(*) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM genisys WHERE category = 'recall' GROUP BY capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000) WHERE n >= 20 GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;
