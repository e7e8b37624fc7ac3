-- @analyzer arp
-- @group    it
-- @title    ARP ANALYSIS
-- @help     ARP bindings, spoofing, sweeps

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE operation = 'request') AS requests, count(*) FILTER (WHERE operation = 'reply') AS replies,
  count(*) FILTER (WHERE kind IN ('gratuitous', 'announcement')) AS gratuitous, count(*) FILTER (WHERE kind = 'probe') AS probes, count(DISTINCT sender_mac) AS "MACs", count(DISTINCT sender_ip) AS "IPs",
  count(*) FILTER (WHERE solicited = false) AS unsolicited_replies, min(ts) AS first, max(ts) AS last FROM arp;

-- @section "Bindings" shape=table limit=25
SELECT sender_ip AS ip, sender_mac AS mac, vlan_id AS vlan, count(*) AS claims, min(ts) AS first, max(ts) AS last FROM arp
WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0' AND sender_mac IS NOT NULL GROUP BY sender_ip, sender_mac, vlan_id ORDER BY ip, first, mac;

-- @section "Changes" shape=table
SELECT ip, was AS "Old MAC", mac AS "New MAC", ts AS "When", frame, (CAST(ts AS BIGINT) - CAST(before AS BIGINT)) / 1e9 AS gap_s FROM (
  SELECT sender_ip AS ip, sender_mac AS mac, ts, frame, capture, lag(sender_mac) OVER w AS was, lag(ts) OVER w AS before FROM arp
  WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0' AND sender_mac IS NOT NULL WINDOW w AS (PARTITION BY capture_id, vlan_id, sender_ip ORDER BY frame))
WHERE was <> mac ORDER BY capture, frame;

-- @section "Askers" shape=table limit=15
SELECT sender_ip AS ip, sender_mac AS mac, count(*) AS requests, count(DISTINCT target_ip) AS targets,
  count(DISTINCT r.ip) * 1.0 / nullif(count(DISTINCT target_ip), 0) AS answered_share
FROM arp LEFT JOIN (SELECT DISTINCT sender_ip AS ip FROM arp WHERE operation = 'reply') r ON r.ip = target_ip
WHERE operation = 'request' AND kind NOT IN ('gratuitous', 'announcement') GROUP BY sender_ip, sender_mac ORDER BY targets DESC, requests DESC, ip, mac;

-- @section "Silent targets" shape=table limit=15
SELECT target_ip AS ip, count(DISTINCT sender_mac) AS askers, count(*) AS requests FROM arp WHERE operation = 'request' AND kind NOT IN ('gratuitous', 'announcement', 'probe')
  AND target_ip IS NOT NULL AND target_ip NOT IN (SELECT sender_ip FROM arp WHERE sender_ip IS NOT NULL) GROUP BY target_ip ORDER BY requests DESC, ip;

-- @section "Messages" shape=table verbose
SELECT ts, operation, kind, sender_ip, sender_mac, target_ip, target_mac, response_time_ms FROM arp ORDER BY capture, frame;

-- @finding arp_spoofing severity=high confidence=high technique=T1557.002,T0830
WITH claims AS (
  SELECT capture, capture_id, vlan_id, sender_ip AS ip, sender_mac AS mac, frame, ts,
    lag(sender_mac, 1) OVER w AS one_before, lag(sender_mac, 2) OVER w AS two_before, lag(ts, 2) OVER w AS since
  FROM (SELECT *, lag(sender_mac) OVER (PARTITION BY capture_id, vlan_id, sender_ip ORDER BY frame) AS previous FROM arp
    WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0' AND sender_mac IS NOT NULL AND (operation = 'reply' OR kind IN ('gratuitous', 'announcement', 'request'))
      AND sender_mac NOT LIKE '00:00:5e:00:0%' AND sender_mac NOT LIKE '00:00:0c:07:ac:%' AND sender_mac NOT LIKE '00:07:b4:%')
  WHERE previous IS NULL OR previous <> sender_mac WINDOW w AS (PARTITION BY capture_id, vlan_id, sender_ip ORDER BY frame))
SELECT 'Two stations claim one address in turn' AS title, ip || ' is claimed by ' || array_to_string(array_sort(array_agg(DISTINCT mac)), ' and by ') || CASE WHEN min(one_before) IS NOT NULL AND count(DISTINCT mac) = 1 THEN ' and by ' || min(one_before) ELSE '' END AS details,
  ip AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM claims WHERE mac = two_before AND CAST(ts AS BIGINT) - CAST(since AS BIGINT) <= 600000000000 GROUP BY capture_id, vlan_id, ip ORDER BY ip;

-- @finding arp_sweep severity=medium confidence=high technique=T1018,T0846
WITH asked AS (
  SELECT min(arp.capture) AS capture, arp.capture_id, sender_ip, sender_mac, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT target_ip) AS targets, count(*) AS n,
    count(DISTINCT r.ip) AS answered,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM arp LEFT JOIN (SELECT DISTINCT capture_id, sender_ip AS ip FROM arp WHERE operation = 'reply') r ON r.capture_id = arp.capture_id AND r.ip = target_ip
  WHERE operation = 'request' AND kind IN ('request', 'unicast_request') GROUP BY arp.capture_id, sender_ip, sender_mac, CAST(ts AS BIGINT) / 60000000000)
SELECT 'One station asks for address after address' AS title, sender_mac || ' asks for at most ' || CAST(max(targets) AS VARCHAR) || ' addresses a minute, ' || CAST(max(answered) AS VARCHAR) || ' of them answer' AS details,
  sender_ip AS src_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM asked WHERE targets >= 32 AND answered < 0.5 * targets GROUP BY capture_id, sender_ip, sender_mac ORDER BY src_ip;

-- @finding arp_mac_mismatch severity=medium confidence=high technique=T1557.002
SELECT 'The sender in the message is not the sender of the frame' AS title, src_mac || ' sends for ' || sender_mac AS details, sender_ip AS src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM arp WHERE sender_mac_matches_frame = false GROUP BY capture_id, src_mac, sender_mac, sender_ip HAVING count(*) >= 3 ORDER BY src_mac, sender_mac, src_ip;

-- @finding arp_bad_sender severity=medium confidence=high technique=T1557.002
SELECT 'A reply gives an address that no station has' AS title, sender_ip || ' is at ' || sender_mac AS details, sender_ip AS src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM arp WHERE operation = 'reply' AND (sender_mac = '00:00:00:00:00:00' OR (substr(sender_mac, 2, 1) IN ('1', '3', '5', '7', '9', 'b', 'd', 'f') AND sender_mac NOT LIKE '03:bf:%'))
GROUP BY sender_ip, sender_mac, capture ORDER BY src_ip;

-- @finding arp_malformed severity=low confidence=high
SELECT 'ARP with impossible lengths' AS title, 'hardware length ' || CAST(hardware_len AS VARCHAR) || ', protocol length ' || CAST(protocol_len AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM arp WHERE hardware_type = 1 AND protocol_type = 2048 AND (hardware_len <> 6 OR protocol_len <> 4) GROUP BY hardware_len, protocol_len, capture ORDER BY frame;

-- @finding arp_mitm severity=critical confidence=high technique=T1557.002,T0830
WITH claims AS (SELECT capture, capture_id, vlan_id, sender_ip AS ip, sender_mac AS mac, target_ip AS told, frame, ts FROM arp WHERE operation = 'reply' AND sender_ip IS NOT NULL AND target_ip IS NOT NULL AND sender_ip <> target_ip),
owners AS (SELECT capture_id, sender_ip AS ip, count(DISTINCT sender_mac) AS macs FROM arp WHERE sender_ip IS NOT NULL GROUP BY capture_id, sender_ip)
SELECT 'One station stands between two others' AS title, a.mac || ' claims ' || a.ip || ' to ' || a.told || ' and ' || b.ip || ' to ' || b.told AS details, a.ip AS src_ip, b.ip AS dst_ip, count(*) AS count, min(a.frame) AS frame,
  array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(b.ts) AS end_ts, min(a.capture) AS capture
FROM claims a JOIN claims b ON b.capture_id = a.capture_id AND b.mac = a.mac AND b.ip = a.told AND b.told = a.ip
  JOIN owners x ON x.capture_id = a.capture_id AND x.ip = a.ip JOIN owners y ON y.capture_id = b.capture_id AND y.ip = b.ip
WHERE a.ip < b.ip AND x.macs > 1 AND y.macs > 1 AND abs(CAST(a.ts AS BIGINT) - CAST(b.ts AS BIGINT)) <= 60000000000 GROUP BY a.capture_id, a.mac, a.ip, a.told, b.ip, b.told ORDER BY details;

-- @finding arp_duplicate_address severity=medium confidence=medium
SELECT 'An address was in use when a station asked for it' AS title, a.sender_ip || ' belongs to ' || array_to_string(array_sort(array_agg(DISTINCT a.sender_mac)), ', ') || ', ' || p.sender_mac || ' probed for it' AS details, a.sender_ip AS src_ip,
  count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(p.capture) AS capture
FROM arp p JOIN arp a ON a.capture_id = p.capture_id AND a.operation = 'reply' AND a.sender_ip = p.target_ip AND a.target_mac = p.sender_mac AND a.sender_mac <> p.sender_mac AND a.frame > p.frame
WHERE p.kind = 'probe' AND CAST(a.ts AS BIGINT) - CAST(p.ts AS BIGINT) <= 2000000000 GROUP BY p.capture_id, a.sender_ip, p.sender_mac ORDER BY src_ip;

-- @finding arp_many_ips severity=medium confidence=medium technique=T1557.002
SELECT 'One station answers for many addresses' AS title, mac || ' answers for ' || CAST(count(*) AS VARCHAR) || ' addresses: ' || array_to_string(array_slice(array_sort(array_agg(ip)), 1, 6), ', ') AS details, min(ip) AS src_ip, sum(n) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(since) AS ts, max(until) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, vlan_id, sender_mac AS mac, sender_ip AS ip, count(*) AS n, min(frame) AS frame, min(ts) AS since, max(ts) AS until FROM arp WHERE operation = 'reply' AND sender_ip IS NOT NULL AND sender_mac IS NOT NULL
  AND sender_mac NOT LIKE '00:00:5e:00:0%' GROUP BY capture_id, vlan_id, sender_mac, sender_ip)
GROUP BY capture_id, vlan_id, mac HAVING count(*) >= 8 AND CAST(max(until) AS BIGINT) - CAST(min(since) AS BIGINT) < 3600000000000 ORDER BY details;

-- @finding arp_flood severity=medium confidence=high technique=T1498
SELECT 'ARP without pause' AS title, sender_mac || ' sent ' || CAST(sum(n) AS VARCHAR) || ' messages within 10 seconds' AS details, min(ip) AS src_ip, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, sender_mac, CAST(ts AS BIGINT) / 10000000000 AS slot, min(sender_ip) AS ip, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM arp WHERE sender_mac IS NOT NULL GROUP BY capture_id, sender_mac, CAST(ts AS BIGINT) / 10000000000 HAVING count(*) > 1000)
GROUP BY capture_id, sender_mac, slot ORDER BY frame;

-- @finding arp_trailer_data severity=medium confidence=medium technique=T1048
-- Padding is zero, and a frame check sequence has four octets.
SELECT 'Data behind ARP messages' AS title, sender_mac || ' sent up to ' || CAST(max(trailer_bytes) AS VARCHAR) || ' octets behind the message, ' || CAST(sum(trailer_bytes) AS VARCHAR) || ' in all' AS details, min(sender_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM arp WHERE trailer_bytes >= 64 GROUP BY capture_id, sender_mac ORDER BY frame;
