-- @analyzer crimson
-- @group    ot
-- @title    RED LION CRIMSON ANALYSIS
-- @help     Red Lion Crimson HMI traffic

-- @section summary shape=facts
SELECT count(*) AS messages, count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS devices, count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients, sum(payload_len) AS total_bytes, min(ts) AS first, max(ts) AS last FROM crimson;

-- @section "Devices" shape=table limit=15
SELECT CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS ip, max(manufacturer) AS manufacturer, max(model) AS model, CASE WHEN count(*) FILTER (WHERE confidence = 'high') > 0 THEN 'high' WHEN count(*) FILTER (WHERE confidence = 'medium') > 0 THEN 'medium' ELSE 'low' END AS confidence,
  count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients, sum(CASE WHEN is_orig THEN payload_len END) AS to_device_bytes, sum(CASE WHEN NOT is_orig THEN payload_len END) AS from_device_bytes, min(frame) AS frame
FROM crimson GROUP BY CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY ip;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, payload_len AS bytes, '0x' || lpad(to_hex(CAST(register AS BIGINT)), 4, '0') AS register, text, substr(encode(data, 'hex'), 1, 32) AS "first octets", confidence FROM crimson ORDER BY capture, frame;

-- @finding crimson_identify severity=low confidence=high technique=T0888,T0846
SELECT CASE WHEN count(DISTINCT dst_ip) >= 3 OR max(CASE WHEN is_public(src_ip) OR is_public(dst_ip) THEN 1 ELSE 0 END) = 1 THEN 'medium' ELSE 'low' END AS severity, 'Devices were asked what they are' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' devices' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM crimson WHERE is_orig AND length = 4 AND (register = 299 AND operation = 6912 OR register = 298 AND operation = 6656) GROUP BY capture, capture_id, src_ip ORDER BY capture, src_ip;

-- @finding crimson_bulk_transfer severity=medium confidence=low technique=T0843
SELECT 'Much was sent to a device' AS title, CAST(sum(payload_len) AS VARCHAR) || ' bytes; what they are is not public' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM crimson AS c WHERE is_orig AND EXISTS (SELECT 1 FROM crimson AS i WHERE i.capture_id = c.capture_id AND i.flow_id = c.flow_id AND i.confidence = 'high') GROUP BY capture, capture_id, flow_id, src_ip, dst_ip, dst_port HAVING sum(payload_len) > 65536 ORDER BY capture, frame;

-- @finding crimson_public_peer severity=high confidence=high technique=T0883
SELECT CASE WHEN count(*) FILTER (WHERE confidence = 'high') > 0 THEN 'high' ELSE 'info' END AS severity, 'A device speaks across the internet' AS title, coalesce(max(model), 'not identified') AS details, CASE WHEN is_orig THEN src_ip ELSE dst_ip END AS src_ip, CASE WHEN is_orig THEN dst_ip ELSE src_ip END AS dst_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM crimson WHERE is_public(src_ip) OR is_public(dst_ip) GROUP BY capture, capture_id, CASE WHEN is_orig THEN src_ip ELSE dst_ip END, CASE WHEN is_orig THEN dst_ip ELSE src_ip END ORDER BY capture, frame;
