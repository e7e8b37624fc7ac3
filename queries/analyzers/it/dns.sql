-- @analyzer dns
-- @group    it
-- @title    DNS ANALYSIS
-- @help     DNS names, clients, answers, tunnelling, generated names

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE NOT is_response) AS queries, count(*) FILTER (WHERE is_response) AS responses,
  count(*) FILTER (WHERE transport = 'udp') AS udp, count(*) FILTER (WHERE transport = 'tcp') AS tcp, count(*) FILTER (WHERE protocol = 'mdns') AS mdns, count(*) FILTER (WHERE protocol = 'llmnr') AS llmnr,
  count(DISTINCT CASE WHEN NOT is_response THEN src_ip END) AS clients, count(DISTINCT CASE WHEN is_response AND protocol = 'dns' THEN src_ip END) AS servers,
  count(DISTINCT lower(query)) AS names, count(DISTINCT registered_domain) AS registered_domains,
  approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY rtt_ms) AS rtt_median_ms, approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY rtt_ms) AS rtt_p95_ms,
  count(*) FILTER (WHERE edns_do) * 1.0 / nullif(count(*), 0) AS dnssec_share, min(ts) AS first, max(ts) AS last
FROM dns;

-- @section "Query types" shape=table
SELECT qtype_name AS type, count(*) AS queries, count(DISTINCT lower(query)) AS names FROM dns WHERE NOT is_response AND qtype_name IS NOT NULL GROUP BY qtype_name ORDER BY queries DESC, type;

-- @section "Response codes" shape=table
SELECT rcode_name AS code, count(*) AS responses FROM dns WHERE is_response AND rcode_name IS NOT NULL GROUP BY rcode_name ORDER BY responses DESC, code;

-- @section "Top names" shape=table limit=12
SELECT q.name, q.type, q.queries, q.clients, array_to_string(array_slice(a.answers, 1, 3), ', ') AS answers, a.codes
FROM (SELECT lower(query) AS name, qtype_name AS type, count(*) AS queries, count(DISTINCT src_ip) AS clients FROM dns WHERE NOT is_response AND query IS NOT NULL GROUP BY lower(query), qtype_name) q
LEFT JOIN (SELECT lower(query) AS name, qtype_name AS type, first_value(answers ORDER BY array_length(answers) DESC NULLS LAST, frame) AS answers, array_to_string(array_sort(array_agg(DISTINCT rcode_name)), ', ') AS codes
  FROM dns WHERE is_response GROUP BY lower(query), qtype_name) a ON a.name = q.name AND a.type = q.type
ORDER BY q.queries DESC, q.name, q.type;

-- @section "Registered domains" shape=table limit=12
SELECT registered_domain AS domain, count(*) FILTER (WHERE NOT is_response) AS queries, count(DISTINCT lower(query)) AS names, count(DISTINCT CASE WHEN NOT is_response THEN src_ip END) AS clients,
  count(*) FILTER (WHERE rcode_name = 'NXDOMAIN') * 1.0 / nullif(count(*) FILTER (WHERE is_response), 0) AS nx_share, min(ts) AS first, max(ts) AS last
FROM dns WHERE registered_domain IS NOT NULL GROUP BY registered_domain ORDER BY queries DESC, domain;

-- @section "Clients" shape=table limit=12
SELECT q.client, q.queries, q.names, q.domains, r.nx * 1.0 / nullif(r.n, 0) AS nx_share, q.longest AS "Longest name", q.servers
FROM (SELECT src_ip AS client, count(*) AS queries, count(DISTINCT lower(query)) AS names, count(DISTINCT registered_domain) AS domains, max(query_length) AS longest, count(DISTINCT dst_ip) AS servers
  FROM dns WHERE NOT is_response GROUP BY src_ip) q
LEFT JOIN (SELECT dst_ip AS client, count(*) AS n, count(*) FILTER (WHERE rcode_name = 'NXDOMAIN') AS nx FROM dns WHERE is_response GROUP BY dst_ip) r ON r.client = q.client
ORDER BY q.queries DESC, q.client;

-- @section "Servers" shape=table limit=12
SELECT src_ip AS server, count(*) AS responses, count(DISTINCT dst_ip) AS clients, approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY rtt_ms) AS p50_ms, approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY rtt_ms) AS p95_ms,
  bool_or(ra) AS recursion, is_public(src_ip) AS public
FROM dns WHERE is_response AND protocol = 'dns' GROUP BY src_ip ORDER BY responses DESC, server;

-- @section "Passive DNS" shape=table limit=25
SELECT lower(name) AS name, type_name AS type, data, min(ttl) AS "TTL min", max(ttl) AS "TTL max", count(*) AS count, min(ts) AS first, max(ts) AS last
FROM dns_records WHERE section = 'answer' AND is_response AND type_name <> 'OPT' GROUP BY lower(name), type_name, data ORDER BY count DESC, name, type, data;

-- @section "Failures" shape=table limit=12
SELECT rcode_name AS code, coalesce(registered_domain, lower(query)) AS domain, count(*) AS responses, count(DISTINCT dst_ip) AS clients FROM dns
WHERE is_response AND rcode_name <> 'NOERROR' GROUP BY rcode_name, coalesce(registered_domain, lower(query)) ORDER BY responses DESC, code, domain;

-- @section "Transfers, updates, notifies" shape=table limit=12
SELECT coalesce(CASE WHEN qtype_name IN ('AXFR', 'IXFR') THEN qtype_name END, opcode_name) AS kind, src_ip AS src, dst_ip AS dst, query AS zone, is_response AS answer, rcode_name AS code, answers_count AS records, frame
FROM dns WHERE qtype_name IN ('AXFR', 'IXFR') OR opcode_name IN ('update', 'notify') ORDER BY capture, frame;

-- @section "Messages" shape=table verbose
SELECT ts, src_ip AS src, dst_ip AS dst, trans_id AS id, is_response AS answer, qtype_name AS type, query, rcode_name AS code, array_to_string(answers, ', ') AS answers FROM dns ORDER BY capture, frame, trans_id;

-- @finding dns_tunnel severity=high confidence=high technique=T1071.004,T1048.003
WITH asked AS (
  SELECT src_ip, dst_ip, coalesce(registered_domain, regexp_replace(lower(query), '^.*[.]([^.]+[.][^.]+)$', '\1')) AS domain, CAST(ts AS BIGINT) / 600000000000 AS span, count(*) AS n, count(DISTINCT lower(query)) AS names,
    avg(CAST(query_length AS DOUBLE)) AS mean_length, avg(entropy(lower(query))) AS mean_entropy,
    count(*) FILTER (WHERE qtype_name IN ('TXT', 'NULL', 'PRIVATE', 'KEY', 'CNAME', 'MX')) AS odd,
    min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM dns WHERE NOT is_response AND protocol = 'dns' AND query NOT LIKE '%.arpa' GROUP BY 1, 2, 3, 4)
SELECT CASE WHEN sum(n) >= 100 THEN 'critical' ELSE 'high' END AS severity, 'Data in DNS names' AS title,
  CAST(sum(names) AS VARCHAR) || ' different names of ' || domain || ', ' || CAST(round(max(mean_length)) AS VARCHAR) || ' bytes long on average, ' || CAST(sum(odd) AS VARCHAR) || ' of ' || CAST(sum(n) AS VARCHAR) || ' asked for types that carry data' AS details,
  src_ip, min(dst_ip) AS dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
FROM asked WHERE names >= 50 AND names >= 0.8 * n
  AND (CASE WHEN mean_length >= 40 THEN 1 ELSE 0 END) + (CASE WHEN mean_entropy >= 3.5 THEN 1 ELSE 0 END) + (CASE WHEN odd >= 0.3 * n THEN 1 ELSE 0 END) >= 2 AND odd >= 0.3 * n
GROUP BY src_ip, domain ORDER BY src_ip, domain;

-- @finding dns_zone_transfer severity=low confidence=high technique=T1590.002
SELECT CASE WHEN a.records > 0 THEN 'high' ELSE 'low' END AS severity, 'A whole zone was asked for' AS title,
  q.qtype_name || ' of ' || q.query || CASE WHEN a.records > 0 THEN ', answered with ' || CAST(a.records AS VARCHAR) || ' records' ELSE ', refused or unanswered' END AS details, q.src_ip, q.dst_ip, q.frame, q.ts
FROM dns q LEFT JOIN (SELECT flow_id, capture_id, trans_id, sum(answers_count) AS records FROM dns WHERE is_response GROUP BY flow_id, capture_id, trans_id) a
  ON a.flow_id = q.flow_id AND a.capture_id = q.capture_id AND a.trans_id = q.trans_id
WHERE NOT q.is_response AND q.qtype_name IN ('AXFR', 'IXFR') ORDER BY q.capture, q.frame;

-- @finding dns_spoofed_answer severity=high confidence=medium technique=T1557,T1584.002
SELECT 'Two different answers to one question' AS title, a.query || ': ' || array_to_string(a.answers, ', ') || ' and then ' || array_to_string(b.answers, ', ') AS details, a.src_ip, a.dst_ip, 2 AS count, a.frame, make_array(a.frame, b.frame) AS frames, a.ts, b.ts AS end_ts
FROM dns a JOIN dns b ON b.capture_id = a.capture_id AND b.flow_id = a.flow_id AND b.trans_id = a.trans_id AND b.frame > a.frame AND lower(b.query) = lower(a.query) AND b.qtype = a.qtype
WHERE a.is_response AND b.is_response AND a.protocol = 'dns' AND a.qtype_name IN ('A', 'AAAA') AND CAST(b.ts AS BIGINT) - CAST(a.ts AS BIGINT) < 5000000000 AND array_length(a.answers) > 0 AND array_length(b.answers) > 0
  AND NOT array_has_any(a.answers, b.answers) AND NOT b.tc AND NOT a.tc
ORDER BY a.capture, a.frame, b.frame;

-- @finding dns_oversized_trailer severity=medium confidence=high technique=T1001
SELECT 'Bytes behind the end of a DNS message' AS title, 'up to ' || CAST(max(trailing_bytes) AS VARCHAR) || ' bytes follow the last record' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dns WHERE trailing_bytes >= 8 GROUP BY src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding dns_llmnr_poison severity=high confidence=medium technique=T1557.001
SELECT 'One host answers for many names' AS title, CAST(count(DISTINCT lower(query)) AS VARCHAR) || ' unrelated names: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT lower(query))), 1, 5), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
FROM dns WHERE protocol = 'llmnr' AND is_response AND answers_count > 0 GROUP BY src_ip HAVING count(DISTINCT lower(query)) >= 3 ORDER BY src_ip;
