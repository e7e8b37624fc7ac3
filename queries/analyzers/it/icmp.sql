-- @analyzer icmp
-- @group    it
-- @title    ICMP ANALYSIS
-- @help     ICMP types, tunnelling, sweeps, neighbour discovery

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE ip_version = 4) AS "ICMPv4", count(*) FILTER (WHERE ip_version = 6) AS "ICMPv6", count(DISTINCT src_ip) AS senders,
  count(*) FILTER (WHERE type_name = 'echo_request') AS echo_requests, count(*) FILTER (WHERE type_name = 'echo_reply') AS echo_replies, count(*) FILTER (WHERE quoted_dst_ip IS NOT NULL) AS errors,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY response_time_ms) AS reply_median_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS reply_p95_ms, min(ts) AS first, max(ts) AS last FROM icmp;

-- @section "Types" shape=table limit=30
SELECT ip_version AS "IP", type_name AS type, code_name AS code, count(*) AS messages, count(DISTINCT src_ip) AS sources, count(DISTINCT dst_ip) AS destinations FROM icmp GROUP BY ip_version, type_name, code_name ORDER BY messages DESC, "IP", type, code;

-- @section "Echo exchanges" shape=table limit=12
SELECT q.src, q.dst, q.identifier, q.requests, coalesce(a.replies, 0) AS replies, q.class AS "Payload", q.shortest AS "Min", q.longest AS "Max", a.rtt_ms
FROM (SELECT src_ip AS src, dst_ip AS dst, identifier, count(*) AS requests, max(payload_class) AS class, min(payload_len) AS shortest, max(payload_len) AS longest FROM icmp WHERE type_name = 'echo_request' GROUP BY src_ip, dst_ip, identifier) q
LEFT JOIN (SELECT dst_ip AS src, src_ip AS dst, identifier, count(*) AS replies, percentile_cont(0.5) WITHIN GROUP (ORDER BY response_time_ms) AS rtt_ms FROM icmp WHERE type_name = 'echo_reply' GROUP BY dst_ip, src_ip, identifier) a
  ON a.src = q.src AND a.dst = q.dst AND a.identifier = q.identifier ORDER BY q.requests DESC, q.src, q.dst, q.identifier;

-- @section "Errors" shape=table limit=20
SELECT src_ip AS reporter, coalesce(code_name, type_name) AS error, quoted_src_ip AS "From", quoted_dst_ip AS "To", quoted_dst_port AS port, quoted_proto AS proto, count(*) AS count, min(frame) AS frame
FROM icmp WHERE quoted_dst_ip IS NOT NULL GROUP BY src_ip, coalesce(code_name, type_name), quoted_src_ip, quoted_dst_ip, quoted_dst_port, quoted_proto ORDER BY count DESC, reporter, "To", port, frame;

-- @section "Neighbour discovery" shape=table limit=20
SELECT target AS address, target_lladdr AS mac, count(*) AS advertised, count(*) FILTER (WHERE na_solicited) AS solicited, bool_or(na_override) AS override, bool_or(na_router) AS router FROM icmp
WHERE type_name = 'neighbor_advertisement' GROUP BY target, target_lladdr ORDER BY advertised DESC, address, mac;

-- @section "Routers" shape=table limit=20
SELECT src_ip AS router, src_mac AS mac, max(ra_lifetime_s) AS lifetime_s, max(ra_preference) AS preference, max(array_to_string(prefixes, ', ')) AS prefixes, max(array_to_string(rdnss, ', ')) AS dns, count(*) AS advertisements FROM icmp
WHERE type_name = 'router_advertisement' GROUP BY src_ip, src_mac ORDER BY advertisements DESC, router, mac;

-- @section "Payloads" shape=table limit=12
SELECT payload_class AS class, payload_sha1 AS sha1, payload_len AS length, count(*) AS messages, count(DISTINCT src_ip) AS senders FROM icmp WHERE payload_sha1 IS NOT NULL AND type_name IN ('echo_request', 'echo_reply')
GROUP BY payload_class, payload_sha1, payload_len ORDER BY messages DESC, sha1;

-- @finding icmp_tunnel severity=high confidence=high technique=T1095,T1572
SELECT 'Traffic inside ICMP echo' AS title, CAST(count(*) FILTER (WHERE payload_class = 'ip_packet') AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' echo messages carry IP packets, ' || CAST(count(DISTINCT payload_len) AS VARCHAR) || ' different lengths' AS details,
  least(src_ip, dst_ip) AS src_ip, greatest(src_ip, dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE type_name IN ('echo_request', 'echo_reply') GROUP BY capture_id, least(src_ip, dst_ip), greatest(src_ip, dst_ip), identifier
HAVING count(*) FILTER (WHERE payload_class = 'ip_packet') >= 20 OR (count(*) >= 50 AND count(DISTINCT payload_len) >= 10 AND count(*) FILTER (WHERE payload_class IN ('random', 'other', 'text')) >= 0.5 * count(*)) ORDER BY src_ip, dst_ip, frame;

-- @finding icmp_reply_mismatch severity=medium confidence=high technique=T1095
SELECT 'Echo replies that do not echo' AS title, CAST(count(*) AS VARCHAR) || ' replies carry other data than their requests' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE payload_matches_request = false GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 10 ORDER BY src_ip, dst_ip;

-- @finding icmp_sweep severity=medium confidence=high technique=T1018
SELECT 'Ping sweep' AS title, CAST(count(DISTINCT dst_ip) AS VARCHAR) || ' addresses within a minute' AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE type_name IN ('echo_request', 'timestamp_request', 'address_mask_request') GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT dst_ip) >= 25 AND count(*) <= 3 * count(DISTINCT dst_ip) ORDER BY src_ip, frame;

-- @finding icmp_unreachable_scan severity=medium confidence=medium technique=T1046
SELECT 'Errors that betray a port scan' AS title, CAST(count(DISTINCT quoted_dst_port) AS VARCHAR) || ' ports of ' || quoted_dst_ip || ' answered with errors within a minute' AS details, quoted_src_ip AS src_ip, quoted_dst_ip AS dst_ip, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE code_name IN ('port_unreachable', 'admin_prohibited') AND coalesce(quoted_src_port, 0) <> 53 AND quoted_dst_port NOT BETWEEN 33434 AND 33534
GROUP BY capture_id, quoted_src_ip, quoted_dst_ip, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT quoted_dst_port) >= 20 ORDER BY src_ip, dst_ip, frame;

-- @finding icmp_flood severity=high confidence=high technique=T1498.001
SELECT 'ICMP flood' AS title, 'up to ' || CAST(max(n) AS VARCHAR) || ' messages a second for ' || CAST(count(*) AS VARCHAR) || ' seconds' AS details, dst_ip, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts FROM icmp GROUP BY capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000) WHERE n >= 1000 GROUP BY capture_id, dst_ip HAVING count(*) >= 2 ORDER BY dst_ip;

-- @finding icmp_redirect severity=medium confidence=high technique=T1557
SELECT 'A host was told to use another route' AS title, 'to reach ' || coalesce(redirect_destination, '-') || ' through ' || coalesce(gateway, '-') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM icmp WHERE type_name = 'redirect' GROUP BY src_ip, dst_ip, redirect_destination, gateway, capture ORDER BY src_ip, dst_ip, details;

-- @finding icmp_nd_spoof severity=high confidence=medium technique=T1557.002
SELECT 'Two stations advertise one address' AS title, target || ' at ' || array_to_string(array_sort(array_agg(DISTINCT target_lladdr)), ' and ') AS details, min(src_ip) AS src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE type_name = 'neighbor_advertisement' AND na_override AND target_lladdr NOT LIKE '00:00:5e:00:02:%' GROUP BY capture_id, target HAVING count(DISTINCT target_lladdr) > 1 ORDER BY details;

-- @finding icmp_bad_hop_limit severity=medium confidence=high technique=T1557
SELECT 'Neighbour discovery from beyond the link' AS title, type_name || ' with hop limit ' || CAST(ttl AS VARCHAR) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM icmp WHERE ip_version = 6 AND type BETWEEN 133 AND 137 AND ttl <> 255 GROUP BY type_name, ttl, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding icmp_unsolicited_replies severity=medium confidence=medium technique=T1095,T1498.002
WITH asked AS (SELECT DISTINCT capture_id, src_ip, dst_ip FROM icmp WHERE type_name = 'echo_request'), seen AS (SELECT DISTINCT capture_id FROM icmp WHERE type_name = 'echo_request')
SELECT 'Echo replies nobody asked for' AS title, CAST(count(*) AS VARCHAR) || ' replies to a host that sent no request' AS details, r.src_ip, r.dst_ip, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, min(r.capture) AS capture
FROM icmp r JOIN seen s ON s.capture_id = r.capture_id LEFT JOIN asked a ON a.capture_id = r.capture_id AND a.src_ip = r.dst_ip AND a.dst_ip = r.src_ip
WHERE r.type_name = 'echo_reply' AND a.capture_id IS NULL GROUP BY r.capture_id, r.src_ip, r.dst_ip HAVING count(*) >= 20 ORDER BY r.src_ip, r.dst_ip;

-- @finding icmp_exfiltration severity=high confidence=medium technique=T1048.003
SELECT 'Much data in echo requests' AS title, CAST(sum(payload_len) AS VARCHAR) || ' bytes in ' || CAST(count(*) AS VARCHAR) || ' requests' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE type_name = 'echo_request' AND payload_class IN ('random', 'other', 'text', 'ip_packet') GROUP BY capture_id, src_ip, dst_ip HAVING sum(payload_len) >= 1000000 AND avg(CAST(payload_len AS DOUBLE)) >= 256 ORDER BY src_ip, dst_ip;

-- @finding icmp_smurf severity=high confidence=high technique=T1498.002
WITH called AS (SELECT capture_id, src_ip, identifier, min(frame) AS frame, min(ts) AS ts, min(dst_ip) AS dst_ip FROM icmp WHERE type_name = 'echo_request' AND (dst_ip = '255.255.255.255' OR dst_mac = 'ff:ff:ff:ff:ff:ff') GROUP BY capture_id, src_ip, identifier)
SELECT 'Echo request to everybody, answered by many' AS title, CAST(count(DISTINCT r.src_ip) AS VARCHAR) || ' hosts answered' AS details, c.src_ip, c.dst_ip, count(*) AS count, c.frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, c.ts, max(r.ts) AS end_ts, min(r.capture) AS capture
FROM called c JOIN icmp r ON r.capture_id = c.capture_id AND r.type_name = 'echo_reply' AND r.dst_ip = c.src_ip AND r.identifier = c.identifier AND r.frame > c.frame
GROUP BY r.capture_id, c.src_ip, c.dst_ip, c.frame, c.ts HAVING count(DISTINCT r.src_ip) >= 5 ORDER BY c.src_ip, c.frame;

-- @finding icmp_rogue_ra severity=high confidence=medium technique=T1557,T1565.002
WITH offers AS (
  SELECT capture, capture_id, src_mac, src_ip, array_to_string(coalesce(prefixes, make_array()), ' ') AS prefixes, array_to_string(coalesce(rdnss, make_array()), ' ') AS servers, ra_lifetime_s > 0 AS router, ttl, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, count(*) AS n
  FROM icmp WHERE type_name = 'router_advertisement' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
first AS (SELECT capture_id, first_value(src_mac ORDER BY frame) AS src_mac, first_value(prefixes ORDER BY frame) AS prefixes, first_value(servers ORDER BY frame) AS servers, min(frame) AS frame FROM offers GROUP BY capture_id)
SELECT CASE WHEN max(CASE WHEN o.ttl < 255 THEN 1 ELSE 0 END) = 1 THEN 'critical' ELSE 'high' END AS severity, 'A second router advertises itself' AS title,
  'prefixes ' || max(o.prefixes) || CASE WHEN max(o.servers) <> '' THEN ', name servers ' || max(o.servers) ELSE '' END || ', against ' || f.prefixes || ' of ' || f.src_mac AS details, o.src_ip, sum(o.n) AS count, min(o.frame) AS frame, make_array(f.frame, min(o.frame)) AS frames, min(o.ts) AS ts, max(o.end_ts) AS end_ts, min(o.capture) AS capture
FROM offers o JOIN first f ON f.capture_id = o.capture_id AND f.src_mac <> o.src_mac
WHERE (o.prefixes <> f.prefixes AND o.prefixes <> '' AND f.prefixes <> '') OR (o.servers <> f.servers AND o.servers <> '') GROUP BY o.capture_id, o.src_ip, o.src_mac, f.prefixes, f.src_mac, f.frame ORDER BY o.src_ip;

-- @finding icmp_timestamp_mask severity=low confidence=high technique=T1592,T1016
SELECT 'A host was asked for its clock or mask' AS title, array_to_string(array_sort(array_agg(DISTINCT type_name)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM icmp WHERE ip_version = 4 AND type IN (13, 15, 17) AND split_part(src_ip, '.', 1) || split_part(src_ip, '.', 2) || split_part(src_ip, '.', 3) <> split_part(dst_ip, '.', 1) || split_part(dst_ip, '.', 2) || split_part(dst_ip, '.', 3) AND src_ip <> '0.0.0.0'
GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding icmp_ping_of_death severity=high confidence=high technique=T1499.004
SELECT 'A ping larger than IP allows' AS title, 'the fragments make more than 65535 bytes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM anomalies WHERE protocol = 'ip' AND kind = 'bad_length' AND detail LIKE '%65535%' GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding icmp_large_payload severity=info confidence=high
SELECT 'Pings larger than a packet' AS title, 'up to ' || CAST(max(payload_len) AS VARCHAR) || ' bytes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM icmp WHERE type_name LIKE 'echo%' AND payload_len > 1472 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;
