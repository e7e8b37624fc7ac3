-- @analyzer pcworx
-- @group    ot
-- @title    PC WORX ANALYSIS
-- @help     Phoenix Contact PC Worx operations

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE direction = 'request') AS requests, count(*) FILTER (WHERE direction = 'response') AS answers, count(DISTINCT CASE WHEN is_orig THEN dst_ip END) AS controllers, count(DISTINCT CASE WHEN is_orig THEN src_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM pcworx;

-- @section "Controllers" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip, max(plc_type) AS type, max(model_number) AS model, max(firmware_version) AS firmware, max(firmware_date) AS date, count(*) FILTER (WHERE is_orig) AS requests, count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients, max(confidence) AS confidence FROM pcworx GROUP BY CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY requests DESC, ip;

-- @section "Functions" shape=table limit=30
SELECT function, function_code AS code, confidence, count(*) FILTER (WHERE direction = 'request') AS requests, count(*) FILTER (WHERE direction = 'response') AS answers FROM pcworx GROUP BY 1, 2, 3 ORDER BY requests DESC, code;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, direction, function, session_id AS session, payload_len AS bytes, frame FROM pcworx ORDER BY capture, frame;

-- @finding pcworx_identify severity=low confidence=high technique=T0888
SELECT CASE WHEN count(DISTINCT src_ip) >= 3 OR bool_or(is_public(src_ip)) OR is_public(dst_ip) THEN 'medium' ELSE 'low' END AS severity, 'Controllers told what they are' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(plc_type, '-') || coalesce(' ' || firmware_version, ''))), ', ') AS details, dst_ip AS src_ip, CASE WHEN count(DISTINCT src_ip) = 1 THEN min(src_ip) END AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM pcworx WHERE function = 'read_info' AND direction = 'response' GROUP BY capture, capture_id, dst_ip ORDER BY capture, frame;

-- @finding pcworx_engineering severity=medium confidence=low technique=T0843
SELECT 'Much is sent to a controller' AS title, CAST(sum(payload_len) AS VARCHAR) || ' octets to the controller in one connection' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM pcworx WHERE is_orig GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, dst_port HAVING sum(payload_len) > 65536 ORDER BY capture, frame;

-- @finding pcworx_public severity=high confidence=high technique=T0883
SELECT 'PC Worx across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM pcworx WHERE confidence = 'signature' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding pcworx_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'PC Worx on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('pcworx') AND src_port NOT IN (1962) AND dst_port NOT IN (1962) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
