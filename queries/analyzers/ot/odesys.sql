-- @analyzer odesys
-- @group    ot
-- @title    CODESYS ANALYSIS
-- @help     CODESYS programming traffic

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, array_to_string(array_sort(array_agg(DISTINCT generation)), ', ') AS generations, count(*) FILTER (WHERE generation = 3 AND service_group IS NOT NULL) AS "With a service", count(DISTINCT src_ip) AS senders, min(ts) AS first, max(ts) AS last FROM codesys;

-- @section "Runtimes" shape=table limit=15
SELECT src_ip AS ip, generation AS "V", max(os_name) AS os, max(os_version) AS version, max(product) AS product, max(node_name) AS node, max(device_name) AS device, max(vendor_name) AS vendor, max(firmware_version) AS firmware, count(*) AS messages FROM codesys WHERE is_response OR datagram_type IS NOT NULL AND is_response IS NULL GROUP BY src_ip, generation ORDER BY messages DESC, ip, 2;

-- @section "Talkers" shape=table limit=15
SELECT src_ip AS source, dst_ip AS destination, generation AS "V", datagram_type AS service, channel_type AS channel, confidence, count(*) AS messages, min(ts) AS first, max(ts) AS last FROM codesys GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY messages DESC, source, destination, service, channel;

-- @section "Service groups" shape=table limit=30
SELECT service_group_name AS component, service_name AS service, count(*) FILTER (WHERE NOT is_response) AS requests, count(*) FILTER (WHERE is_response) AS answers, confidence FROM codesys WHERE service_group IS NOT NULL GROUP BY 1, 2, 5 ORDER BY requests DESC, component, service;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, generation AS "V", datagram_type AS service, channel_type AS channel, service_group_name AS component, service_name, message_len AS bytes, frame FROM codesys ORDER BY capture, frame;

-- @finding codesys_identify severity=low confidence=high technique=T0888
SELECT CASE WHEN count(DISTINCT src_ip) >= 3 THEN 'medium' ELSE 'low' END AS severity, 'Runtimes told what they are' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(product, os_name) || coalesce(' ' || os_version, ''))), ', ') AS details, dst_ip AS src_ip, CASE WHEN count(DISTINCT src_ip) = 1 THEN min(src_ip) END AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM codesys WHERE os_name IS NOT NULL OR product IS NOT NULL GROUP BY capture, capture_id, dst_ip ORDER BY capture, frame;

-- @finding codesys_engineering_session severity=medium confidence=medium technique=T0843,T0859
WITH since AS (SELECT capture_id, CAST(min(ts) AS BIGINT) AS start FROM packets GROUP BY capture_id)
SELECT 'A programmer works on a runtime' AS title, array_to_string(array_sort(array_agg(DISTINCT c.service_group_name)), ', ') AS details, c.dst_ip AS src_ip, c.src_ip AS dst_ip, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, c.capture
FROM codesys AS c JOIN since AS s ON s.capture_id = c.capture_id WHERE c.is_response AND c.service_group IN (2, 8, 12, 17) GROUP BY c.capture, c.capture_id, c.dst_ip, c.src_ip HAVING CAST(min(c.ts) AS BIGINT) > max(s.start) + 60000000000 ORDER BY c.capture, frame;

-- @finding codesys_file_transfer severity=high confidence=medium technique=T0843,T0867
SELECT 'Files are sent to a runtime' AS title, CAST(sum(message_len) AS VARCHAR) || ' octets' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM codesys WHERE service_group = 8 AND NOT is_response GROUP BY capture, capture_id, src_ip, dst_ip, dst_port HAVING sum(message_len) > 16384 ORDER BY capture, frame;

-- @finding codesys_plc_shell severity=high confidence=medium technique=T0807,T0858
SELECT 'The shell of a runtime is used' AS title, CAST(count(*) AS VARCHAR) || ' requests' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM codesys WHERE service_group = 17 AND NOT is_response GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding codesys_public severity=high confidence=high technique=T0883
SELECT 'CODESYS across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM codesys WHERE confidence = 'signature' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding codesys_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'CODESYS on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('codesys') AND src_port NOT IN (1200, 1217, 2455, 1740, 1741, 1742, 1743, 11740, 11741, 11742, 11743) AND dst_port NOT IN (1200, 1217, 2455, 1740, 1741, 1742, 1743, 11740, 11741, 11742, 11743) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
