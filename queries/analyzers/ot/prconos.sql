-- @analyzer prconos
-- @group    ot
-- @title    PROCONOS ANALYSIS
-- @help     KW ProConOS operations

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(*) FILTER (WHERE is_orig) AS requests, count(*) FILTER (WHERE NOT is_orig) AS answers, count(DISTINCT CASE WHEN is_orig THEN dst_ip END) AS controllers, count(DISTINCT CASE WHEN is_orig THEN src_ip END) AS clients, min(ts) AS first, max(ts) AS last FROM proconos;

-- @section "Controllers" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip, max(runtime) AS runtime, max(plc_type) AS type, max(project_name) AS project, max(boot_project) AS "Boot project", max(project_source) AS source, count(*) FILTER (WHERE is_orig) AS requests FROM proconos GROUP BY CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY requests DESC, ip;

-- @section "Commands" shape=table limit=30
SELECT coalesce(command, '0x' || lpad(to_hex(CAST(command_code AS BIGINT)), 2, '0')) AS command, is_orig AS "From client", confidence, count(*) AS messages, sum(payload_len) AS bytes FROM proconos GROUP BY 1, 2, 3 ORDER BY messages DESC, command, 2;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, command_code AS code, command, payload_len AS bytes, frame FROM proconos ORDER BY capture, frame;

-- @finding proconos_identify severity=low confidence=high technique=T0888
SELECT CASE WHEN count(DISTINCT src_ip) >= 3 THEN 'medium' ELSE 'low' END AS severity, 'Controllers told what they are' AS title, array_to_string(array_sort(array_agg(DISTINCT coalesce(runtime, '-') || coalesce(', project ' || project_name, ''))), '; ') AS details, dst_ip AS src_ip, CASE WHEN count(DISTINCT src_ip) = 1 THEN min(src_ip) END AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM proconos WHERE command = 'identify' AND NOT is_orig GROUP BY capture, capture_id, dst_ip ORDER BY capture, frame;

-- @finding proconos_engineering severity=medium confidence=low technique=T0843
SELECT 'Much is sent to a controller' AS title, CAST(sum(payload_len) AS VARCHAR) || ' octets to the controller in one connection' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM proconos WHERE is_orig GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, dst_port HAVING sum(payload_len) > 65536 ORDER BY capture, frame;

-- @finding proconos_public severity=high confidence=high technique=T0883
SELECT 'ProConOS across the internet' AS title, CAST(count(*) AS VARCHAR) || ' messages' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM proconos WHERE confidence = 'signature' AND (is_public(src_ip) OR is_public(dst_ip)) GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding proconos_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'ProConOS on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('proconos') AND src_port NOT IN (20547) AND dst_port NOT IN (20547) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
