-- @analyzer ssdp
-- @group    it
-- @title    SSDP AND UPNP
-- @help     UPnP devices and what they announce

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE method = 'M-SEARCH') AS searches, count(*) FILTER (WHERE method = 'NOTIFY') AS announcements, count(*) FILTER (WHERE method = 'response') AS responses,
  count(DISTINCT CASE WHEN method <> 'M-SEARCH' THEN src_ip END) AS devices, count(DISTINCT uuid) AS uuids, min(ts) AS first, max(ts) AS last FROM ssdp;

-- @section "Devices" shape=table limit=15
SELECT src_ip AS device, max(server) AS server, max(location) AS description, count(DISTINCT uuid) AS uuids, max(max_age_s) AS lifetime_s, count(*) AS messages FROM ssdp WHERE method <> 'M-SEARCH' GROUP BY src_ip ORDER BY messages DESC, device;

-- @section "Types" shape=table limit=15
SELECT coalesce(nt, st) AS type, count(DISTINCT src_ip) AS devices, count(*) AS messages FROM ssdp WHERE method <> 'M-SEARCH' AND coalesce(nt, st) IS NOT NULL GROUP BY coalesce(nt, st) ORDER BY messages DESC, type;

-- @section "Searches" shape=table limit=15
SELECT src_ip AS source, dst_ip AS target, st AS wanted, max(user_agent) AS agent, count(*) AS searches FROM ssdp WHERE method = 'M-SEARCH' GROUP BY src_ip, dst_ip, st ORDER BY searches DESC, source, target, wanted;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, method, coalesce(nts, CAST(status_code AS VARCHAR)) AS event, coalesce(nt, st) AS type, usn, location FROM ssdp ORDER BY capture, frame;

-- @finding ssdp_amplification severity=high confidence=medium technique=T1498.002
WITH asked AS (SELECT DISTINCT capture_id, src_ip FROM ssdp WHERE method = 'M-SEARCH'),
sent AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, sum(message_bytes) AS bytes, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM ssdp WHERE method = 'response' GROUP BY capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 1000000000)
SELECT 'Discovery answers flood a host' AS title, 'up to ' || CAST(max(s.n) AS VARCHAR) || ' answers a second, ' || CAST(sum(s.bytes) AS VARCHAR) || ' bytes' || CASE WHEN max(CASE WHEN a.src_ip IS NULL THEN 1 ELSE 0 END) = 1 THEN ', to a host that did not search' ELSE '' END AS details, s.src_ip, s.dst_ip, sum(s.n) AS count, min(s.frame) AS frame,
  first_value(s.frames ORDER BY s.frame) AS frames, min(s.ts) AS ts, max(s.end_ts) AS end_ts, min(s.capture) AS capture
FROM sent s LEFT JOIN asked a ON a.capture_id = s.capture_id AND a.src_ip = s.dst_ip WHERE s.n >= 10 AND (is_public(s.dst_ip) OR a.src_ip IS NULL) GROUP BY s.capture_id, s.src_ip, s.dst_ip ORDER BY s.src_ip, s.dst_ip;

-- @finding ssdp_sweep severity=medium confidence=high technique=T1046
SELECT 'Devices were searched one by one' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' hosts were asked directly' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ssdp WHERE method = 'M-SEARCH' AND ip_scope(dst_ip) <> 'multicast' GROUP BY capture_id, src_ip HAVING count(DISTINCT dst_ip) >= 15 ORDER BY src_ip;

-- @finding ssdp_public severity=high confidence=high technique=T1498.002
SELECT 'Discovery across the border' AS title, array_to_string(array_sort(array_agg(DISTINCT method)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssdp WHERE (is_public(src_ip) AND is_private(dst_ip)) OR (is_private(src_ip) AND is_public(dst_ip)) GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ssdp_location_mismatch severity=medium confidence=medium technique=T1557
SELECT 'A device describes itself on another host' AS title, src_ip || ' announces ' || max(location) AS details, src_ip, location_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssdp WHERE location_ip IS NOT NULL AND location_ip <> src_ip AND location_ip <> '0.0.0.0' AND (position(':' IN location_ip) > 0) = (position(':' IN src_ip) > 0) GROUP BY src_ip, location_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ssdp_uuid_conflict severity=low confidence=medium technique=T1557
SELECT 'One device identity at two addresses' AS title, uuid || ' at ' || array_to_string(array_sort(array_agg(DISTINCT src_ip)), ', ') AS details, min(src_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ssdp WHERE method <> 'M-SEARCH' AND uuid IS NOT NULL AND position(':' IN src_ip) = 0 GROUP BY capture_id, uuid HAVING count(DISTINCT src_ip) > 1 AND CAST(max(ts) AS BIGINT) - CAST(min(ts) AS BIGINT) < 600000000000 ORDER BY details;

-- @finding ssdp_gateway severity=info confidence=high
SELECT 'An internet gateway takes orders by UPnP' AS title, coalesce(max(server), 'no server name') || coalesce(', ' || max(location), '') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ssdp WHERE method <> 'M-SEARCH' AND coalesce(nt, st, usn) LIKE '%InternetGatewayDevice%' GROUP BY src_ip, capture ORDER BY src_ip;

-- @finding ssdp_flood severity=low confidence=high technique=T1046
SELECT 'Searches without pause' AS title, CAST(count(*) AS VARCHAR) || ' searches within a minute' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ssdp WHERE method = 'M-SEARCH' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 60 ORDER BY src_ip, frame;
