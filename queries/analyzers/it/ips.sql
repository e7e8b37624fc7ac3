-- @analyzer ips
-- @group    it
-- @title    IP ADDRESS ANALYSIS
-- @help     Addresses, how much they sent and to whom

-- @section summary shape=facts
SELECT count(*) AS addresses, count(*) FILTER (WHERE ip_version = 4) AS "IPv4", count(*) FILTER (WHERE ip_version = 6) AS "IPv6",
  count(*) FILTER (WHERE scope IN ('private', 'ula')) AS private, count(*) FILTER (WHERE scope = 'public') AS global, count(*) FILTER (WHERE scope IN ('multicast', 'broadcast')) AS multicast,
  count(*) FILTER (WHERE scope NOT IN ('private', 'ula', 'public', 'multicast', 'broadcast')) AS other_special, sum(bytes_sent) AS bytes
FROM hosts WHERE ip IS NOT NULL;

-- @section "Addresses" shape=table limit=25 only=country:geoip_city,asn:geoip_asn,operator:geoip_asn indicator=host:ip
SELECT ip, scope AS class, coalesce(mac, via_mac || ' (via)') AS mac, array_element(hostnames, 1) AS name, packets_sent AS packets, bytes_sent AS sent_bytes, bytes_received AS received_bytes, peers, flows_out AS opened, flows_in AS accepted, country(ip) AS country, asn(ip) AS asn, as_operator(ip) AS operator, ts AS first, end_ts AS last
FROM hosts WHERE ip IS NOT NULL AND scope NOT IN ('multicast', 'broadcast') ORDER BY bytes_sent + bytes_received DESC, ip;

-- @section "Conversations" shape=table limit=25
SELECT src_ip AS a, dst_ip AS b, coalesce(service, service_port_name || '?', transport) AS service, orig_packets + resp_packets AS packets, orig_wire_bytes AS sent_bytes, resp_wire_bytes AS received_bytes, ts AS start, duration_s, conn_state AS state
FROM flows ORDER BY orig_wire_bytes + resp_wire_bytes DESC, flow_id;

-- @section "External peers by country and ASN" shape=table limit=25 if=geoip only=country:geoip_city,asn:geoip_asn,operator:geoip_asn
SELECT country, asn, operator, count(DISTINCT ip) AS addresses, sum(flows_in) AS "Flows to", sum(flows_out) AS "Flows from", sum(bytes_received) AS "Bytes to", sum(bytes_sent) AS "Bytes from", min(ts) AS first, max(end_ts) AS last
FROM (SELECT country(ip) AS country, asn(ip) AS asn, as_operator(ip) AS operator, * FROM hosts WHERE is_public(ip)) GROUP BY country, asn, operator ORDER BY sum(bytes_received + bytes_sent) DESC, country, asn, operator;

-- @section "Fan-out" shape=table limit=15
SELECT src_ip AS ip, count(DISTINCT dst_ip) AS peers, count(DISTINCT dst_port) AS ports, count(*) AS flows, count(*) FILTER (WHERE conn_state IN ('S0', 'REJ')) AS failed FROM flows GROUP BY src_ip ORDER BY peers DESC, ip;

-- @section "Ports served and tried" shape=table limit=15
SELECT dst_ip AS ip, array_to_string(array_sort(array_agg(DISTINCT CASE WHEN resp_packets > 0 AND conn_state <> 'REJ' THEN dst_port END)), ', ') AS served,
  count(DISTINCT CASE WHEN resp_packets = 0 OR conn_state = 'REJ' THEN dst_port END) AS "Tried in vain"
FROM flows WHERE dst_port IS NOT NULL AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY dst_ip ORDER BY 3 DESC, ip;

-- @section "TLS fingerprints" shape=table limit=15
SELECT ja4, ja3, count(DISTINCT src_ip) AS clients, count(*) AS hellos, array_to_string(array_slice(array_sort(array_agg(DISTINCT server_name)), 1, 3), ', ') AS names FROM tls WHERE ja3 IS NOT NULL
GROUP BY ja4, ja3 ORDER BY hellos DESC, ja3;

-- @section "Subnets" shape=table limit=25
SELECT regexp_replace(src_ip, '[.][0-9]+$', '.0/24') AS "From", regexp_replace(dst_ip, '[.][0-9]+$', '.0/24') AS "To", count(*) AS flows, sum(orig_wire_bytes + resp_wire_bytes) AS bytes
FROM flows WHERE src_ip LIKE '%.%' GROUP BY 1, 2 ORDER BY bytes DESC, 1, 2;

-- @finding ip_spoofed_source severity=medium technique=T1498
SELECT 'A source address that cannot be' AS title, CASE WHEN src_ip = dst_ip THEN 'source equals destination' ELSE 'source is ' || ip_scope(src_ip) END AS details,
  src_ip, dst_ip, sum(orig_packets) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE (ip_scope(src_ip) IN ('multicast', 'broadcast') OR (src_ip = dst_ip AND ip_scope(src_ip) NOT IN ('loopback', 'unspecified'))
  OR (ip_scope(src_ip) = 'loopback' AND ip_scope(dst_ip) NOT IN ('loopback')))
GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding ip_lateral_movement severity=high technique=T1021
WITH spans AS (
  SELECT capture, capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 AS span, count(DISTINCT dst_ip) AS hosts, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports, count(*) AS n,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
  FROM flows f WHERE transport = 'tcp' AND dst_port IN (445, 135, 3389, 5985, 22) AND is_private(src_ip) AND is_private(dst_ip) AND resp_bytes > 0
    AND NOT EXISTS (SELECT 1 FROM flows d WHERE d.capture_id = f.capture_id AND d.dst_ip = f.src_ip AND d.transport = 'tcp' AND d.dst_port IN (88, 389, 636) AND d.resp_bytes > 0)
  GROUP BY capture, capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000)
SELECT 'Administrative sessions to many internal hosts' AS title, 'ports ' || min(ports) || ' on at most ' || CAST(max(hosts) AS VARCHAR) || ' hosts within 10 minutes' AS details, src_ip, sum(n) AS count, min(frame) AS frame,
  first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM spans WHERE hosts >= 5 GROUP BY capture, capture_id, src_ip ORDER BY src_ip;

-- @finding ip_fan_out severity=low technique=T1021
WITH spans AS (
  SELECT min(capture) AS capture, capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 AS span, count(DISTINCT dst_ip) AS hosts, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts FROM flows
  WHERE is_private(src_ip) AND is_private(dst_ip) AND orig_bytes > 0 AND resp_bytes > 0 GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000)
SELECT 'One host talks with many internal hosts' AS title, CAST(max(hosts) AS VARCHAR) || ' hosts within 10 minutes' AS details, src_ip, max(hosts) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM spans WHERE hosts >= 100 GROUP BY capture_id, src_ip ORDER BY src_ip;

-- @finding ip_bandwidth_outlier severity=low technique=T1048
SELECT 'One source sends most of the bytes' AS title, CAST(round(100.0 * sent / total) AS VARCHAR) || '% of all bytes' AS details, src_ip, capture
FROM (SELECT capture, ip AS src_ip, bytes_sent AS sent, sum(bytes_sent) OVER (PARTITION BY capture_id) AS total FROM hosts WHERE ip IS NOT NULL) WHERE sent >= 0.8 * total AND sent >= 100000000 ORDER BY src_ip;

-- @finding ip_ot_external severity=high technique=T0883,T0885
SELECT 'An industrial protocol crosses the border' AS title, service || ' between ' || src_ip || ' and ' || dst_ip AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN (SELECT service FROM ot_services) AND (is_public(src_ip) OR is_public(dst_ip)) AND resp_bytes > 0
GROUP BY service, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip;

-- @finding ip_new_country severity=info if=geoip_city
-- Countries of interest are the analyst's: `[geoip] countries` of the settings.
WITH ends AS (
  SELECT dst_ip AS peer, src_ip AS host, frame, ts, end_ts, capture FROM flows WHERE is_public(dst_ip)
  UNION ALL SELECT src_ip AS peer, dst_ip AS host, frame, ts, end_ts, capture FROM flows WHERE is_public(src_ip)),
watched AS (SELECT p.peer, p.country FROM (SELECT peer, country(peer) AS country FROM (SELECT DISTINCT peer FROM ends)) p JOIN settings s ON s.name = 'geoip_country' AND s.value = p.country)
SELECT 'A peer in a country of interest' AS title, w.country || ': ' || CAST(count(DISTINCT e.peer) AS VARCHAR) || ' addresses, such as ' || min(e.peer) AS details, e.host AS src_ip, min(e.peer) AS dst_ip, count(*) AS count, min(e.frame) AS frame,
  array_slice(array_sort(array_agg(e.frame)), 1, 20) AS frames, min(e.ts) AS ts, max(e.end_ts) AS end_ts, e.capture
FROM ends e JOIN watched w ON w.peer = e.peer GROUP BY w.country, e.host, e.capture ORDER BY e.host, w.country;

-- @finding ip_dga_sni severity=low confidence=low technique=T1568.002
WITH asked AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, lower(server_name) AS name, registered_domain(lower(server_name)) AS domain FROM tls WHERE is_client AND message = 'client_hello' AND server_name IS NOT NULL),
-- Only of a client whose questions are in the capture can it be said that it never asked.
resolved AS (SELECT DISTINCT capture_id, lower(query) AS name FROM dns WHERE is_response AND query IS NOT NULL AND answers IS NOT NULL), known AS (SELECT DISTINCT capture_id, dst_ip AS client FROM dns WHERE is_response AND answers IS NOT NULL AND protocol = 'dns')
SELECT 'A generated name that nobody resolved' AS title, a.name || ' at ' || min(a.dst_ip) AS details, a.src_ip, min(a.dst_ip) AS dst_ip, count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(a.capture) AS capture
FROM asked a JOIN known k ON k.capture_id = a.capture_id AND k.client = a.src_ip LEFT JOIN resolved r ON r.capture_id = a.capture_id AND r.name = a.name
WHERE r.name IS NULL AND dga_score(a.domain) >= 0.8 AND length(split_part(a.domain, '.', 1)) >= 8 AND NOT regexp_like(a.domain, '(cloudfront|akamai[a-z]*|edgekey|edgesuite|fastly[a-z]*|fbcdn|gstatic|gvt[0-9]|ggpht|ytimg|twimg|nflx[a-z]*|msedge|azureedge|trafficmanager|llnwd|hwcdn|kxcdn|[a-z0-9-]*cdn[a-z0-9-]*)[.][a-z.]+$') GROUP BY a.capture_id, a.name, a.src_ip ORDER BY a.src_ip, a.name;

-- @finding ip_ja_reputation severity=high confidence=medium technique=T1071.001 if=indicators
SELECT 'An address with a fingerprint of the list' AS title, upper(type) || ' ' || indicator || coalesce(' (' || coalesce(array_to_string(tags, ', '), feed) || ')', '') AS details, host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type IN ('ja3', 'ja3s', 'ja4', 'ja4s') AND NOT is_local AND NOT expired ORDER BY host, indicator;
