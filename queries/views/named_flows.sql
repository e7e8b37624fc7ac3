-- Conversations under the name by which the client called its server (TLS server name, HTTP host), else its address.
WITH called AS (
  SELECT capture_id, flow_id, min(name) AS name FROM (
    SELECT capture_id, flow_id, lower(server_name) AS name FROM tls WHERE message = 'client_hello' AND server_name IS NOT NULL
    UNION ALL SELECT capture_id, flow_id, lower(split_part(host, ':', 1)) AS name FROM http WHERE is_request AND host IS NOT NULL
    UNION ALL SELECT capture_id, flow_id, lower(server_name) AS name FROM quic WHERE server_name IS NOT NULL)
  GROUP BY capture_id, flow_id)
SELECT f.capture, f.capture_id, f.frame, f.ts, f.end_ts, f.flow_id, f.src_ip, f.dst_ip, f.src_port, f.dst_port, f.transport, coalesce(f.service, 'unknown') AS service, f.service_port_name, c.name AS server_name,
  coalesce(c.name, f.dst_ip) AS server, f.conn_state, f.history, f.duration_s, f.orig_packets, f.resp_packets, f.orig_bytes, f.resp_bytes, f.missed_bytes, f.orig_entropy
FROM flows f LEFT JOIN called c ON c.capture_id = f.capture_id AND c.flow_id = f.flow_id
