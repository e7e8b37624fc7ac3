-- @analyzer scan
-- @group    it
-- @title    SCANS
-- @help     Scans, by kind and source

-- @section summary shape=facts
WITH tries AS (SELECT src_ip, dst_ip, dst_port, count(*) AS n, count(*) FILTER (WHERE conn_state IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH')) AS failed FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY src_ip, dst_ip, dst_port)
SELECT count(DISTINCT src_ip) AS hosts_that_connect, sum(n) AS tcp_attempts, sum(failed) AS refused_or_unanswered, sum(failed) * 1.0 / nullif(sum(n), 0) AS failed_share,
  (SELECT count(*) FROM icmp WHERE type_name = 'echo_request') AS echo_requests, (SELECT count(*) FROM arp WHERE operation = 'request') AS arp_requests FROM tries;

-- @section "Port scans of one host" shape=table limit=15
SELECT src_ip AS scanner, dst_ip AS target, count(DISTINCT dst_port) AS ports, count(*) AS tries, count(*) FILTER (WHERE conn_state IN ('REJ', 'RSTRH', 'RSTOS0', 'S0', 'SH')) * 1.0 / count(*) AS failed_share,
  array_to_string(array_slice(array_sort(array_agg(DISTINCT CASE WHEN resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') THEN dst_port END)), 1, 8), ', ') AS "Open ports", min(ts) AS first, max(end_ts) AS last
FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY src_ip, dst_ip HAVING count(DISTINCT dst_port) >= 20 ORDER BY ports DESC, scanner, target;

-- @section "Sweeps of one port" shape=table limit=15
SELECT src_ip AS scanner, transport, dst_port AS port, count(DISTINCT dst_ip) AS hosts, count(*) AS tries, count(DISTINCT CASE WHEN resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') THEN dst_ip END) AS answered, min(ts) AS first, max(end_ts) AS last
FROM flows WHERE transport IN ('tcp', 'udp') AND dst_port IS NOT NULL AND (transport = 'udp' OR history LIKE 'S%') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY src_ip, transport, dst_port HAVING count(DISTINCT dst_ip) >= 15 ORDER BY hosts DESC, scanner, transport, port;

-- @section "Address searches" shape=table limit=15
SELECT kind, scanner, targets, requests, first, last FROM (
  SELECT 'ARP' AS kind, coalesce(sender_ip, sender_mac) AS scanner, count(DISTINCT target_ip) AS targets, count(*) AS requests, min(ts) AS first, max(ts) AS last FROM arp WHERE operation = 'request' GROUP BY coalesce(sender_ip, sender_mac) HAVING count(DISTINCT target_ip) >= 15
  UNION ALL
  SELECT 'ICMP' AS kind, src_ip AS scanner, count(DISTINCT dst_ip) AS targets, count(*) AS requests, min(ts) AS first, max(ts) AS last FROM icmp WHERE type_name IN ('echo_request', 'timestamp_request', 'address_mask_request') GROUP BY src_ip HAVING count(DISTINCT dst_ip) >= 15)
ORDER BY targets DESC, kind, scanner;

-- @section "What the scanner learned" shape=table limit=15
WITH scanners AS (SELECT capture_id, src_ip FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY capture_id, src_ip, dst_ip HAVING count(DISTINCT dst_port) >= 20
  UNION SELECT capture_id, src_ip FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY capture_id, src_ip, dst_port HAVING count(DISTINCT dst_ip) >= 15)
SELECT f.src_ip AS scanner, f.dst_ip AS host, f.dst_port AS port, max(coalesce(f.service, f.service_port_name)) AS service, count(*) AS connections, sum(f.resp_bytes) AS resp_bytes
FROM flows f JOIN scanners s ON s.capture_id = f.capture_id AND s.src_ip = f.src_ip
WHERE f.transport = 'tcp' AND f.resp_packets > 0 AND f.conn_state NOT IN ('REJ', 'RSTRH', 'S0', 'SH') GROUP BY f.src_ip, f.dst_ip, f.dst_port ORDER BY resp_bytes DESC, scanner, host, port;

-- @section "Industrial identity requests" shape=table limit=15 if=modbus
SELECT src_ip AS client, count(DISTINCT dst_ip) AS devices, count(*) AS requests, array_to_string(array_sort(array_agg(DISTINCT func)), ', ') AS functions, min(ts) AS first, max(ts) AS last
FROM modbus WHERE func_code IN (17, 43) GROUP BY src_ip ORDER BY devices DESC, client;

-- @finding ot_scan severity=high confidence=high technique=T0846
SELECT 'Controllers were searched for' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' devices were asked for their identity within 5 minutes' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM modbus WHERE func_code IN (17, 43) GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 300000000000 HAVING count(DISTINCT dst_ip) >= 5 ORDER BY src_ip, frame;

-- @finding scan_slow severity=medium confidence=medium technique=T1046
SELECT 'A slow scan' AS title, CAST(count(*) AS VARCHAR) || ' targets within ' || CAST(round((max(t) - min(t)) / 3600000000000.0, 1) AS VARCHAR) || ' hours, at most one a minute' AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, dst_port, min(frame) AS frame, min(ts) AS ts, CAST(min(ts) AS BIGINT) AS t, count(*) FILTER (WHERE conn_state NOT IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH')) AS good
  FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' GROUP BY capture_id, src_ip, dst_ip, dst_port)
WHERE good = 0 GROUP BY capture_id, src_ip HAVING count(*) >= 50 AND max(t) - min(t) > 3600000000000 AND count(*) <= (max(t) - min(t)) / 60000000000 ORDER BY src_ip;

-- @finding scan_success severity=high confidence=medium technique=T1046
WITH scanned AS (
  SELECT capture_id, src_ip, dst_ip, min(frame) AS frame, max(CAST(ts AS BIGINT)) AS until, count(DISTINCT dst_port) AS ports FROM flows WHERE transport = 'tcp' AND history LIKE 'S%' AND conn_state IN ('S0', 'REJ', 'SH', 'RSTOS0', 'RSTRH')
  GROUP BY capture_id, src_ip, dst_ip HAVING count(DISTINCT dst_port) >= 20)
SELECT 'The scanner came back and talked to what it found' AS title, coalesce(max(f.service), 'data') || ' on port ' || CAST(f.dst_port AS VARCHAR) || ', ' || CAST(sum(f.orig_bytes) AS VARCHAR) || ' bytes out and ' || CAST(sum(f.resp_bytes) AS VARCHAR) || ' in, after ' || CAST(max(s.ports) AS VARCHAR) || ' ports were tried' AS details,
  f.src_ip, f.dst_ip, f.dst_port, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM flows f JOIN scanned s ON s.capture_id = f.capture_id AND s.src_ip = f.src_ip AND s.dst_ip = f.dst_ip
WHERE f.transport = 'tcp' AND CAST(f.ts AS BIGINT) > s.until AND f.orig_bytes > 0 AND f.resp_bytes > 0 GROUP BY f.capture_id, f.src_ip, f.dst_ip, f.dst_port ORDER BY f.src_ip, f.dst_ip, f.dst_port;
