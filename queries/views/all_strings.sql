-- Strings that were kept, and what stands in typed columns: URLs of requests, lines that were typed.
SELECT s.capture, s.capture_id, s.frame, s.ts, s.flow_id, s.src_ip, s.dst_ip, s.dst_port, s.kind, s.value, s.encoding, s.context, s.stream_offset, s.filename, f.service FROM strings s LEFT JOIN (SELECT capture_id, flow_id, CAST(service AS VARCHAR) AS service FROM flows) f ON f.capture_id = s.capture_id AND f.flow_id = s.flow_id
UNION ALL
SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, dst_port, 'url', url, 'ascii', 'http', CAST(NULL AS BIGINT UNSIGNED), CAST(NULL AS VARCHAR), 'http' FROM http WHERE is_request AND url LIKE '%://%'
UNION ALL
SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, dst_port, 'text', text, 'ascii', 'telnet', CAST(NULL AS BIGINT UNSIGNED), CAST(NULL AS VARCHAR), 'telnet' FROM telnet WHERE event = 'line' AND direction = 'client' AND length(text) >= 6
