-- @analyzer qos
-- @group    it
-- @title    QUALITY OF SERVICE
-- @help     Traffic classes and their markings

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE ip_dscp IS NOT NULL) AS ip_packets, count(*) FILTER (WHERE ip_dscp > 0) AS marked, count(DISTINCT ip_dscp) AS classes,
  count(*) FILTER (WHERE ip_ecn IN (1, 2)) AS ecn_capable, count(*) FILTER (WHERE ip_ecn = 3) AS congestion_marked,
  count(*) FILTER (WHERE vlan_priority IS NOT NULL) AS vlan_tagged, count(*) FILTER (WHERE vlan_priority > 0) AS vlan_priority_marked
FROM packets;

-- @section "DSCP classes" shape=table
SELECT CASE ip_dscp WHEN 0 THEN 'CS0 (default)' WHEN 1 THEN 'LE' WHEN 8 THEN 'CS1' WHEN 10 THEN 'AF11' WHEN 12 THEN 'AF12' WHEN 14 THEN 'AF13' WHEN 16 THEN 'CS2' WHEN 18 THEN 'AF21' WHEN 20 THEN 'AF22' WHEN 22 THEN 'AF23'
    WHEN 24 THEN 'CS3' WHEN 26 THEN 'AF31' WHEN 28 THEN 'AF32' WHEN 30 THEN 'AF33' WHEN 32 THEN 'CS4' WHEN 34 THEN 'AF41' WHEN 36 THEN 'AF42' WHEN 38 THEN 'AF43' WHEN 40 THEN 'CS5' WHEN 44 THEN 'VA' WHEN 46 THEN 'EF' WHEN 48 THEN 'CS6' WHEN 56 THEN 'CS7' ELSE 'unassigned' END AS class,
  ip_dscp AS dscp, count(*) AS packets, sum(frame_len) AS wire_bytes, count(DISTINCT src_ip) AS senders, array_to_string(array_slice(array_sort(array_agg(DISTINCT protocol)), 1, 5), ', ') AS protocols
FROM packets WHERE ip_dscp IS NOT NULL GROUP BY ip_dscp ORDER BY packets DESC, dscp;

-- @section "ECN" shape=table
SELECT CASE ip_ecn WHEN 0 THEN 'not capable' WHEN 1 THEN 'ECT(1)' WHEN 2 THEN 'ECT(0)' ELSE 'congestion experienced' END AS mark, count(*) AS packets, count(DISTINCT flow_id) AS flows FROM packets WHERE ip_ecn IS NOT NULL GROUP BY ip_ecn ORDER BY packets DESC, mark;

-- @section "VLAN priorities" shape=table
SELECT vlan_priority AS priority, coalesce(CAST(vlan_id AS VARCHAR), '-') AS vlan, count(*) AS packets, array_to_string(array_slice(array_sort(array_agg(DISTINCT protocol)), 1, 5), ', ') AS protocols
FROM packets WHERE vlan_priority IS NOT NULL GROUP BY vlan_priority, vlan_id ORDER BY packets DESC, priority, vlan;

-- @section "Industrial classes" shape=table
SELECT protocol, coalesce(CAST(vlan_priority AS VARCHAR), 'untagged') AS priority, count(*) AS packets, count(DISTINCT src_mac) AS senders FROM packets WHERE protocol IN ('goose', 'sv', 'ptp', 'profinet_rt', 'ethercat') GROUP BY protocol, vlan_priority ORDER BY packets DESC, protocol, priority;

-- @section "Marking senders" shape=table limit=12
SELECT src_ip AS host, ip_dscp AS dscp, count(*) AS packets, sum(frame_len) AS wire_bytes FROM packets WHERE ip_dscp > 0 GROUP BY src_ip, ip_dscp ORDER BY packets DESC, host, dscp;

-- @section "Flows whose class changes" shape=table limit=12
SELECT src_ip AS src, src_port AS port, dst_ip AS dst, dst_port AS to_port, count(DISTINCT ip_dscp) AS classes, array_to_string(array_sort(array_agg(DISTINCT ip_dscp)), ', ') AS dscp, count(*) AS packets
FROM packets WHERE ip_dscp IS NOT NULL AND flow_id IS NOT NULL GROUP BY capture_id, flow_id, src_ip, src_port, dst_ip, dst_port HAVING count(DISTINCT ip_dscp) > 1 ORDER BY classes DESC, packets DESC, src, port, dst, to_port;

-- @finding qos_covert severity=low confidence=medium technique=T1001
SELECT 'The class field of one flow carries many values' AS title, CAST(count(*) AS VARCHAR) || ' different DSCP values in ' || CAST(sum(n) AS VARCHAR) || ' packets' AS details, src_ip, dst_ip, sum(n) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(p.capture) AS capture, p.capture_id, p.flow_id, p.src_ip, p.dst_ip, p.ip_dscp, count(*) AS n, min(p.frame) AS frame, min(p.ts) AS ts, max(p.ts) AS end_ts
  -- Eight values lie seven apart at least: few flows have such, and only their packets are told apart.
  FROM (SELECT capture_id, flow_id FROM packets WHERE ip_dscp IS NOT NULL AND flow_id IS NOT NULL GROUP BY capture_id, flow_id HAVING max(ip_dscp) - min(ip_dscp) >= 7) f
  JOIN packets p ON p.capture_id = f.capture_id AND p.flow_id = f.flow_id WHERE p.ip_dscp IS NOT NULL GROUP BY p.capture_id, p.flow_id, p.src_ip, p.dst_ip, p.ip_dscp)
GROUP BY capture_id, flow_id, src_ip, dst_ip HAVING count(*) >= 8 ORDER BY src_ip, dst_ip, frame;

-- @finding qos_ecn_congestion severity=info confidence=high
SELECT 'Congestion on the way' AS title, CAST(count(*) FILTER (WHERE ip_ecn = 3) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' ECN packets are marked' AS details, src_ip, dst_ip, count(*) FILTER (WHERE ip_ecn = 3) AS count,
  min(frame) FILTER (WHERE ip_ecn = 3) AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE ip_ecn = 3)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM packets WHERE ip_ecn > 0 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 100 AND count(*) FILTER (WHERE ip_ecn = 3) > 0.01 * count(*) ORDER BY src_ip, dst_ip;

-- @finding qos_goose_priority severity=low confidence=high
SELECT 'Substation events without priority' AS title, p.protocol || ' with VLAN priority ' || CAST(p.vlan_priority AS VARCHAR) || ', at least 4 is due' AS details, count(*) AS count, min(p.frame) AS frame,
  array_slice(array_sort(array_agg(p.frame)), 1, 20) AS frames, min(p.ts) AS ts, max(p.ts) AS end_ts, capture
FROM packets p WHERE p.protocol IN ('goose', 'sv') AND p.vlan_priority < 4 GROUP BY p.protocol, p.vlan_priority, capture ORDER BY details;
