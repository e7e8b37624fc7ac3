-- @kept
-- Services that answered in the captures, as a baseline tells them. A high port that nobody knows may be a client's.
SELECT CAST(dst_ip AS VARCHAR) AS ip, dst_port AS port, CAST(transport AS VARCHAR) AS protocol, CAST(max(service) AS VARCHAR) AS service, array_sort(array_agg(DISTINCT CAST(src_ip AS VARCHAR))) AS clients,
  min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(src_ip) AS client, min(capture) AS capture
FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast')
  AND (transport <> 'tcp' OR history LIKE '%h%' OR service IS NOT NULL) AND NOT (service IS NULL AND dst_port >= 32768) GROUP BY dst_ip, dst_port, transport
