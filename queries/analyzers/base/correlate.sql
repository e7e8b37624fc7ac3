-- What several captures have in common. Captures are told apart by content: one capture under two names counts once.
-- @analyzer correlate
-- @group    base
-- @title    CORRELATION (MULTI-PCAP)
-- @help     What recurs across several captures

-- @section summary shape=facts
SELECT c.captures AS "PCAPs", h.seen AS hosts_seen, h.repeated AS hosts_repeated, s.repeated AS services_repeated, c.span_s
FROM (SELECT count(DISTINCT capture_id) AS captures, date_part('epoch', max(end_ts) - min(ts)) AS span_s FROM captures) c,
  (SELECT count(*) AS seen, count(*) FILTER (WHERE captures >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min')) AS repeated FROM (SELECT ip, count(DISTINCT capture_id) AS captures FROM hosts WHERE ip IS NOT NULL AND scope NOT IN ('multicast', 'broadcast', 'unspecified') GROUP BY ip)) h,
  (SELECT count(*) FILTER (WHERE captures >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min')) AS repeated FROM (SELECT dst_ip, dst_port, transport, count(DISTINCT capture_id) AS captures FROM flows
    WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY dst_ip, dst_port, transport)) s;

-- @section "Repeated Hosts" shape=table limit=10
SELECT ip AS host, count(DISTINCT capture_id) AS "PCAPs", array_to_string(array_sort(array_agg(DISTINCT mac)), ', ') AS "MACs", max(array_to_string(hostnames, ', ')) AS hostnames, sum(packets_sent + packets_received) AS packets, min(ts) AS first_seen, max(end_ts) AS last_seen
FROM hosts WHERE ip IS NOT NULL AND scope NOT IN ('multicast', 'broadcast', 'unspecified') GROUP BY ip HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, host;

-- @section "Repeated Services" shape=table limit=10
SELECT CAST(dst_ip AS VARCHAR) || ':' || CAST(dst_port AS VARCHAR) || '/' || transport AS service_at, count(DISTINCT capture_id) AS "PCAPs", coalesce(max(service), max(service_port_name) || '?') AS service, count(DISTINCT src_ip) AS clients, min(ts) AS first_seen, max(end_ts) AS last_seen
FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast')
GROUP BY dst_ip, dst_port, transport HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, service_at;

-- @section "Repeated Domains" shape=table limit=10
SELECT domain, count(DISTINCT capture_id) AS "PCAPs", count(DISTINCT host) AS hosts, array_to_string(array_sort(array_agg(DISTINCT "table")), ', ') AS "seen in", min(ts) AS first_seen, max(ts) AS last_seen
FROM (SELECT registered_domain(value) AS domain, capture_id, host, "table", ts FROM observables WHERE kind = 'domain' AND "table" IN ('dns', 'tls', 'quic', 'http'))
WHERE domain IS NOT NULL GROUP BY domain HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, domain;

-- @section "Repeated Fingerprints" shape=table limit=10
SELECT kind, value, count(DISTINCT capture_id) AS "PCAPs", count(DISTINCT host) AS hosts, min(ts) AS first_seen, max(ts) AS last_seen
FROM (SELECT kind, value, capture_id, host, ts FROM observables WHERE kind IN ('ja4', 'hassh', 'cert_sha256')
  UNION ALL SELECT 'ssh_host_key', CAST(host_key_sha256 AS VARCHAR), capture_id, CAST(src_ip AS VARCHAR), ts FROM ssh WHERE host_key_sha256 IS NOT NULL)
GROUP BY kind, value HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, kind, value;

-- @section "Repeated Files" shape=table limit=10
SELECT sha256, count(DISTINCT capture_id) AS "PCAPs", min(filename) AS name, min(mime) AS type, max(size_bytes) AS size_bytes, count(*) AS transfers, min(ts) AS first_seen, max(ts) AS last_seen
FROM files WHERE sha256 IS NOT NULL AND complete AND size_bytes > 0 GROUP BY sha256 HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, sha256;

-- @section "Repeated Credentials" shape=table limit=10
SELECT username, count(DISTINCT capture_id) AS "PCAPs", array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols, count(DISTINCT secret_id) AS secrets, count(DISTINCT src_ip) AS hosts, min(ts) AS first_seen, max(ts) AS last_seen
FROM credentials WHERE username IS NOT NULL GROUP BY username HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, username;

-- @section "Same MAC, other IP" shape=table limit=10
SELECT mac, array_to_string(array_sort(array_agg(DISTINCT ip)), ', ') AS addresses, count(DISTINCT capture_id) AS "PCAPs", min(ts) AS first_seen, max(end_ts) AS last_seen
FROM hosts WHERE mac IS NOT NULL AND ip IS NOT NULL AND ip NOT LIKE '%:%' AND responded GROUP BY mac HAVING count(DISTINCT ip) > 1 AND count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, mac;

-- @section "Same IP, other MAC" shape=table limit=10
SELECT ip, array_to_string(array_sort(array_agg(DISTINCT mac)), ', ') AS "MACs", count(DISTINCT capture_id) AS "PCAPs", min(ts) AS first_seen, max(end_ts) AS last_seen
FROM hosts WHERE mac IS NOT NULL AND ip IS NOT NULL AND responded GROUP BY ip HAVING count(DISTINCT mac) > 1 AND count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, ip;

-- @section "Shared Findings" shape=table limit=10
SELECT detection, coalesce(dst_ip, src_ip) AS peer, count(DISTINCT capture) AS "PCAPs", min(severity) AS severity, sum(count) AS events, min(ts) AS first_seen, max(coalesce(end_ts, ts)) AS last_seen
FROM findings WHERE capture IS NOT NULL AND source <> 'correlate' AND severity <> 'info' GROUP BY detection, coalesce(dst_ip, src_ip) HAVING count(DISTINCT capture) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY "PCAPs" DESC, detection, peer;

-- @section "Hosts by capture" shape=table verbose
SELECT ip AS host, array_to_string(array_sort(array_agg(DISTINCT capture)), ', ') AS captures FROM hosts WHERE ip IS NOT NULL AND scope NOT IN ('multicast', 'broadcast', 'unspecified')
GROUP BY ip HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY count(DISTINCT capture_id) DESC, host;

-- Resolvers, time servers and what large content networks serve recur everywhere: only what was spoken with otherwise counts.
-- @finding corr_public_peer severity=medium confidence=low technique=T1071
SELECT 'A public address recurs across captures' AS title, CAST(f.dst_ip AS VARCHAR) || ' in ' || CAST(count(DISTINCT f.capture_id) AS VARCHAR) || ' captures, from ' || CAST(count(DISTINCT f.src_ip) AS VARCHAR) || ' hosts' AS details,
  min(f.src_ip) AS src_ip, f.dst_ip, count(*) AS count, min(f.ts) AS ts, max(f.end_ts) AS end_ts
FROM flows f LEFT JOIN (SELECT DISTINCT address FROM dns_records WHERE address IS NOT NULL AND is_response) n ON n.address = CAST(f.dst_ip AS VARCHAR)
WHERE is_public(f.dst_ip) AND is_private(f.src_ip) AND f.conn_state NOT IN ('S0', 'REJ') AND coalesce(f.service, '') NOT IN ('dns', 'ntp', 'icmp') AND coalesce(f.dst_port, 0) NOT IN (53, 123, 853) AND n.address IS NULL
GROUP BY f.dst_ip HAVING count(DISTINCT f.capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') AND (count(DISTINCT f.src_ip) >= 2 OR date_part('epoch', max(f.ts) - min(f.ts)) >= 86400) ORDER BY f.dst_ip;

-- @finding corr_same_file severity=medium confidence=medium technique=T1570
SELECT 'One file moved between different hosts' AS title, coalesce(min(filename), 'a file') || ', SHA-256 ' || sha256 || ', ' || CAST(max(size_bytes) AS VARCHAR) || ' bytes, in ' || CAST(count(DISTINCT capture_id) AS VARCHAR) || ' captures' AS details,
  CASE WHEN bool_or(mime IN ('application/x-dosexec', 'application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-elf', 'application/x-mach-binary')) THEN 'high' ELSE 'medium' END AS severity,
  min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(ts) AS ts, max(ts) AS end_ts
FROM files WHERE sha256 IS NOT NULL AND complete AND size_bytes >= 64 AND source <> 'http' GROUP BY sha256 HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') AND count(DISTINCT src_ip || dst_ip) >= 2 ORDER BY sha256;

-- @finding corr_host_key_reuse severity=low confidence=medium technique=T1552.004
SELECT 'One SSH host key at several addresses' AS title, 'SHA256 ' || CAST(host_key_sha256 AS VARCHAR) || ' at ' || array_to_string(array_sort(array_agg(DISTINCT CAST(src_ip AS VARCHAR))), ', ') AS details, min(src_ip) AS src_ip, count(*) AS count, min(ts) AS ts, max(ts) AS end_ts
FROM ssh WHERE host_key_sha256 IS NOT NULL AND is_server GROUP BY host_key_sha256 HAVING count(DISTINCT src_ip) >= 2 AND count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY host_key_sha256;

-- @finding corr_service_reuse severity=info confidence=high technique=T1046
SELECT 'A service recurs across captures' AS title, CAST(dst_ip AS VARCHAR) || ':' || CAST(dst_port AS VARCHAR) || '/' || transport || ' in ' || CAST(count(DISTINCT capture_id) AS VARCHAR) || ' captures' AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(ts) AS ts, max(end_ts) AS end_ts
FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY dst_ip, dst_port, transport HAVING count(DISTINCT capture_id) >= (SELECT coalesce(max(CAST(value AS BIGINT)), 2) FROM settings WHERE name = 'correlate_min') ORDER BY dst_ip, dst_port, transport;
