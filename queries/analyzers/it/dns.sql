-- @analyzer dns
-- @group    it
-- @title    DNS ANALYSIS
-- @help     DNS names, clients, answers, tunnelling, generated names

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE NOT is_response) AS queries, count(*) FILTER (WHERE is_response) AS responses,
  count(*) FILTER (WHERE transport = 'udp') AS udp, count(*) FILTER (WHERE transport = 'tcp') AS tcp, count(*) FILTER (WHERE protocol = 'mdns') AS mdns, count(*) FILTER (WHERE protocol = 'llmnr') AS llmnr,
  count(DISTINCT CASE WHEN NOT is_response THEN src_ip END) AS clients, count(DISTINCT CASE WHEN is_response AND protocol = 'dns' THEN src_ip END) AS servers,
  count(DISTINCT lower(query)) AS names, count(DISTINCT registered_domain) AS registered_domains,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY rtt_ms) AS rtt_median_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY rtt_ms) AS rtt_p95_ms,
  count(*) FILTER (WHERE edns_do) * 1.0 / nullif(count(*), 0) AS dnssec_share, min(ts) AS first, max(ts) AS last
FROM dns;

-- @section "Query types" shape=table
SELECT qtype_name AS type, count(*) AS queries, count(DISTINCT lower(query)) AS names FROM dns WHERE NOT is_response AND qtype_name IS NOT NULL GROUP BY qtype_name ORDER BY queries DESC, type;

-- @section "Response codes" shape=table
SELECT rcode_name AS code, count(*) AS responses FROM dns WHERE is_response AND rcode_name IS NOT NULL GROUP BY rcode_name ORDER BY responses DESC, code;

-- @section "Top names" shape=table limit=12 indicator=host:name
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
SELECT src_ip AS server, count(*) AS responses, count(DISTINCT dst_ip) AS clients, percentile_cont(0.5) WITHIN GROUP (ORDER BY rtt_ms) AS p50_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY rtt_ms) AS p95_ms,
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
  SELECT capture, capture_id, src_ip, dst_ip, coalesce(registered_domain, CASE WHEN length(regexp_replace(lower(query), '^.*[.]', '')) > 6 THEN split_part(lower(query), '.', 1) END, regexp_replace(lower(query), '^.*[.]([^.]+[.][^.]+)$', '\1')) AS domain, CAST(ts AS BIGINT) / 600000000000 AS span, count(*) AS n, count(DISTINCT lower(query)) AS names,
    avg(CAST(query_length AS DOUBLE)) AS mean_length, avg(entropy(lower(query))) AS mean_entropy,
    count(*) FILTER (WHERE qtype_name IN ('TXT', 'NULL', 'PRIVATE', 'KEY', 'CNAME', 'MX')) AS odd,
    min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM dns WHERE NOT is_response AND protocol = 'dns' AND query NOT LIKE '%.arpa' GROUP BY 1, 2, 3, 4, 5, 6)
SELECT CASE WHEN sum(n) >= 100 THEN 'critical' ELSE 'high' END AS severity, 'Data in DNS names' AS title,
  CAST(sum(names) AS VARCHAR) || ' different names of ' || domain || ', ' || CAST(round(max(mean_length)) AS VARCHAR) || ' bytes long on average, ' || CAST(sum(odd) AS VARCHAR) || ' of ' || CAST(sum(n) AS VARCHAR) || ' asked for types that carry data' AS details,
  src_ip, min(dst_ip) AS dst_ip, sum(n) AS count, min(frame) AS frame, first_value(frames ORDER BY frame) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM asked WHERE names >= 50 AND names >= 0.8 * n
  AND (CASE WHEN mean_length >= 40 THEN 1 ELSE 0 END) + (CASE WHEN mean_entropy >= 3.5 THEN 1 ELSE 0 END) + (CASE WHEN odd >= 0.3 * n THEN 1 ELSE 0 END) >= 2 AND odd >= 0.3 * n
GROUP BY capture, capture_id, src_ip, domain ORDER BY src_ip, domain;

-- @finding dns_zone_transfer severity=low confidence=high technique=T1590.002
SELECT CASE WHEN a.records > 0 THEN 'high' ELSE 'low' END AS severity, 'A whole zone was asked for' AS title,
  q.qtype_name || ' of ' || q.query || CASE WHEN a.records > 0 THEN ', answered with ' || CAST(a.records AS VARCHAR) || ' records' ELSE ', refused or unanswered' END AS details, q.src_ip, q.dst_ip, q.frame, q.ts, q.capture
FROM dns q LEFT JOIN (SELECT flow_id, capture_id, trans_id, sum(answers_count) AS records FROM dns WHERE is_response GROUP BY flow_id, capture_id, trans_id) a
  ON a.flow_id = q.flow_id AND a.capture_id = q.capture_id AND a.trans_id = q.trans_id
WHERE NOT q.is_response AND q.qtype_name IN ('AXFR', 'IXFR') ORDER BY q.capture, q.frame;

-- @finding dns_spoofed_answer severity=high confidence=medium technique=T1557,T1584.002
SELECT 'Two different answers to one question' AS title, a.query || ': ' || array_to_string(a.answers, ', ') || ' and then ' || array_to_string(b.answers, ', ') AS details, a.src_ip, a.dst_ip, 2 AS count, a.frame, make_array(a.frame, b.frame) AS frames, a.ts, b.ts AS end_ts, a.capture
FROM dns a JOIN dns b ON b.capture_id = a.capture_id AND b.flow_id = a.flow_id AND b.trans_id = a.trans_id AND b.frame > a.frame AND lower(b.query) = lower(a.query) AND b.qtype = a.qtype
WHERE a.is_response AND b.is_response AND a.protocol = 'dns' AND a.qtype_name IN ('A', 'AAAA') AND CAST(b.ts AS BIGINT) - CAST(a.ts AS BIGINT) < 5000000000 AND array_length(a.answers) > 0 AND array_length(b.answers) > 0
  AND NOT array_has_any(a.answers, b.answers) AND NOT b.tc AND NOT a.tc
ORDER BY a.capture, a.frame, b.frame;

-- @finding dns_oversized_trailer severity=medium confidence=high technique=T1001
SELECT 'Bytes behind the end of a DNS message' AS title, 'up to ' || CAST(max(trailing_bytes) AS VARCHAR) || ' bytes follow the last record' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns WHERE trailing_bytes >= 8 GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding dns_llmnr_poison severity=high confidence=medium technique=T1557.001
SELECT 'One host answers for many names' AS title, CAST(count(DISTINCT lower(query)) AS VARCHAR) || ' unrelated names: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT lower(query))), 1, 5), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dns WHERE protocol = 'llmnr' AND is_response AND answers_count > 0 GROUP BY capture_id, src_ip HAVING count(DISTINCT lower(query)) >= 3 ORDER BY src_ip;

-- @finding dns_dga severity=high confidence=medium technique=T1568.002
WITH failed AS (
  SELECT capture, capture_id, dst_ip AS client, registered_domain AS domain, split_part(registered_domain, '.', 1) AS label, frame, ts, CAST(ts AS BIGINT) / 600000000000 AS span, rcode_name
  FROM dns WHERE is_response AND protocol = 'dns' AND registered_domain IS NOT NULL),
scored AS (
  SELECT min(capture) AS capture, capture_id, client, span, count(*) AS n, count(*) FILTER (WHERE rcode_name = 'NXDOMAIN') AS nx, count(DISTINCT CASE WHEN rcode_name = 'NXDOMAIN' THEN domain END) AS domains, count(DISTINCT CASE WHEN rcode_name = 'NXDOMAIN' THEN label END) AS labels,
    count(*) FILTER (WHERE rcode_name = 'NXDOMAIN' AND length(label) >= 8 AND (entropy(label) >= 2.8 AND regexp_like(label, '[bcdfghjklmnpqrstvwxz]{4}|[0-9][a-z]+[0-9]|^[0-9a-f]{10,}$'))) AS random,
    min(frame) FILTER (WHERE rcode_name = 'NXDOMAIN') AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE rcode_name = 'NXDOMAIN')), 1, 20) AS frames,
    array_slice(array_sort(array_agg(DISTINCT domain) FILTER (WHERE rcode_name = 'NXDOMAIN')), 1, 3) AS examples, min(ts) AS ts, max(ts) AS end_ts
  FROM failed GROUP BY capture_id, client, span)
SELECT 'Generated domain names' AS title, CAST(sum(domains) AS VARCHAR) || ' domains that do not exist, such as ' || array_to_string(first_value(examples ORDER BY span), ', ') AS details, client AS src_ip, sum(nx) AS count,
  min(frame) AS frame, first_value(frames ORDER BY span) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM scored WHERE domains >= 20 AND nx >= 0.7 * n AND labels >= 0.9 * domains AND random >= 0.5 * nx GROUP BY capture_id, client ORDER BY client;

-- @finding dns_nxdomain_burst severity=low confidence=high technique=T1568
WITH spans AS (
  SELECT min(capture) AS capture, capture_id, dst_ip AS client, CAST(ts AS BIGINT) / 600000000000 AS span, count(*) AS n, count(*) FILTER (WHERE rcode_name = 'NXDOMAIN') AS nx,
    count(DISTINCT CASE WHEN rcode_name = 'NXDOMAIN' THEN split_part(lower(query), '.', 1) END) AS labels,
    min(frame) FILTER (WHERE rcode_name = 'NXDOMAIN') AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE rcode_name = 'NXDOMAIN')), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM dns WHERE is_response AND protocol = 'dns' AND query NOT LIKE '%.arpa' GROUP BY capture_id, dst_ip, CAST(ts AS BIGINT) / 600000000000)
SELECT 'Many names that do not exist' AS title, CAST(sum(nx) AS VARCHAR) || ' of ' || CAST(sum(n) AS VARCHAR) || ' answers within ten minutes: no such name' AS details, client AS src_ip, sum(nx) AS count, min(frame) AS frame,
  first_value(frames ORDER BY span) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM spans WHERE nx >= 100 AND nx >= 0.3 * n AND labels >= 0.5 * nx GROUP BY capture_id, client ORDER BY client;

-- @finding dns_rebinding severity=medium confidence=medium technique=T1557
WITH given AS (
  SELECT capture, capture_id, lower(name) AS name, address, is_public(address) AS public, is_private(address) AS private, dst_ip, src_ip, frame, ts, ttl FROM dns_records
  WHERE section = 'answer' AND is_response AND address IS NOT NULL AND dst_ip IS NOT NULL)
SELECT 'A public name turned into an inside address' AS title, a.name || ': first ' || min(a.address) || ', then ' || min(b.address) AS details, a.dst_ip AS src_ip, min(b.address) AS dst_ip, count(*) AS count, min(b.frame) AS frame,
  array_slice(array_sort(array_agg(DISTINCT b.frame)), 1, 20) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, min(a.capture) AS capture
FROM given a JOIN given b ON b.capture_id = a.capture_id AND b.name = a.name AND b.dst_ip = a.dst_ip AND b.frame > a.frame
WHERE a.public AND b.private AND CAST(b.ts AS BIGINT) - CAST(a.ts AS BIGINT) <= (a.ttl + 60) * 1000000000 GROUP BY a.capture_id, a.name, a.dst_ip ORDER BY a.name, a.dst_ip;

-- @finding dns_sinkhole severity=info confidence=medium technique=T1071.004
SELECT 'A name was sent nowhere' AS title, lower(name) || ' is ' || address AS details, dst_ip AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns_records WHERE section = 'answer' AND is_response AND (address IN ('0.0.0.0', '::', '::1') OR address LIKE '127.%') AND lower(name) NOT LIKE '%localhost' AND src_ip IS NOT NULL AND type_name IN ('A', 'AAAA') AND src_port = 53
GROUP BY lower(name), address, dst_ip, capture ORDER BY details, src_ip;

-- @finding dns_fast_flux severity=medium confidence=low technique=T1568.001
SELECT 'A name that moves from address to address' AS title, lower(name) || ': ' || CAST(count(DISTINCT address) AS VARCHAR) || ' addresses in ' || CAST(count(DISTINCT net) AS VARCHAR) || ' networks, kept ' || CAST(max(ttl) AS VARCHAR) || ' s at most' AS details,
  min(dst_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, name, address, ttl, dst_ip, frame, ts, split_part(address, '.', 1) || '.' || split_part(address, '.', 2) AS net FROM dns_records WHERE section = 'answer' AND is_response AND type_name = 'A' AND is_public(address) AND src_port = 53)
GROUP BY capture_id, lower(name), CAST(ts AS BIGINT) / 3600000000000
HAVING count(DISTINCT address) >= 10 AND count(DISTINCT net) >= 5 AND max(ttl) <= 300 AND count(DISTINCT frame) >= 3 ORDER BY details;

-- @finding dns_update severity=low confidence=high technique=T1584.002
SELECT 'A zone was changed' AS title, coalesce(q.query, 'a zone') || ' accepted ' || CAST(count(*) AS VARCHAR) || ' updates' AS details, q.dst_ip AS src_ip, q.src_ip AS dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, capture
FROM dns q WHERE q.opcode_name = 'update' AND q.is_response AND q.rcode_name = 'NOERROR' GROUP BY q.query, q.src_ip, q.dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding dns_flood severity=medium confidence=high technique=T1498
WITH seconds AS (SELECT min(capture) AS capture, capture_id, src_ip, CAST(ts AS BIGINT) / 10000000000 AS span, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(dst_ip) AS dst_ip FROM dns WHERE NOT is_response AND protocol = 'dns' GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 10000000000)
SELECT 'Flood of DNS queries' AS title, 'up to ' || CAST(max(n) / 10 AS VARCHAR) || ' queries a second over ten seconds' AS details, src_ip, min(dst_ip) AS dst_ip, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM seconds WHERE n > 5000 GROUP BY capture_id, src_ip ORDER BY src_ip;

-- @finding dns_amplification severity=high confidence=medium technique=T1498.002
WITH sent AS (
  SELECT min(capture) AS capture, capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, count(*) FILTER (WHERE unsolicited) AS alone, avg(CAST(message_bytes AS DOUBLE)) AS bytes, avg(CAST(query_length AS DOUBLE)) AS name, count(*) FILTER (WHERE qtype_name IN ('ANY', 'TXT', 'DNSKEY')) AS fat,
    count(DISTINCT src_ip) AS reflectors, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM dns WHERE is_response AND protocol = 'dns' AND transport = 'udp' GROUP BY capture_id, dst_ip, CAST(ts AS BIGINT) / 1000000000)
SELECT 'Reflected DNS answers' AS title, CAST(sum(n) AS VARCHAR) || ' answers of ' || CAST(round(avg(bytes)) AS VARCHAR) || ' bytes from up to ' || CAST(max(reflectors) AS VARCHAR) || ' servers, to questions that the host did not ask' AS details, dst_ip, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM sent WHERE n > 100 AND alone >= 0.9 * n AND fat >= 0.5 * n AND bytes >= 5 * (name + 18) GROUP BY capture_id, dst_ip ORDER BY dst_ip;

-- @finding dns_any severity=info confidence=high technique=T1590.002
SELECT 'Questions for every record' AS title, CAST(count(*) AS VARCHAR) || ' questions of type ANY, such as ' || coalesce(min(query), 'the root') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dns WHERE NOT is_response AND protocol = 'dns' AND qtype = 255 GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 10 ORDER BY src_ip, dst_ip;

-- @finding dns_external_resolver severity=low confidence=medium technique=T1071.004
WITH asked AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM dns
    WHERE NOT is_response AND protocol = 'dns' AND rd AND dst_port = 53 GROUP BY capture_id, src_ip, dst_ip),
answering AS (SELECT DISTINCT capture_id, src_ip AS server FROM dns WHERE is_response AND protocol = 'dns' AND ra AND src_port = 53),
inside AS (SELECT DISTINCT capture_id FROM answering WHERE is_private(server))
SELECT 'A public resolver was asked although there is one inside' AS title, CAST(sum(a.n) AS VARCHAR) || ' queries' AS details, a.src_ip, a.dst_ip, sum(a.n) AS count, min(a.frame) AS frame, first_value(a.frames ORDER BY a.frame) AS frames, min(a.ts) AS ts, max(a.end_ts) AS end_ts, min(a.capture) AS capture
FROM asked a JOIN inside i ON i.capture_id = a.capture_id LEFT JOIN answering s ON s.capture_id = a.capture_id AND s.server = a.src_ip
WHERE is_private(a.src_ip) AND is_public(a.dst_ip) AND s.server IS NULL GROUP BY a.capture_id, a.src_ip, a.dst_ip ORDER BY a.src_ip, a.dst_ip;

-- @finding dns_rare_type severity=low confidence=medium technique=T1071.004
SELECT 'Questions for types hardly anybody uses' AS title, qtype_name || ' of ' || coalesce(registered_domain, min(query), 'the root') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns WHERE NOT is_response AND protocol = 'dns' AND (qtype IN (10, 11, 13, 25) OR qtype BETWEEN 32770 AND 65534) GROUP BY qtype_name, registered_domain, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding dns_long_query severity=low confidence=medium technique=T1071.004
SELECT 'Names near the greatest length' AS title, 'up to ' || CAST(max(query_length) AS VARCHAR) || ' bytes, below ' || coalesce(registered_domain, 'an unknown domain') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns WHERE NOT is_response AND protocol = 'dns' AND query_length >= 200 AND query NOT LIKE '%.arpa' GROUP BY registered_domain, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding dns_non_dns_port severity=medium confidence=high technique=T1571
SELECT 'DNS on a port of its own choice' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dns WHERE NOT is_response AND protocol = 'dns' AND transport IN ('udp', 'tcp') AND dst_port NOT IN (53, 443, 853, 5353, 5355) AND src_port NOT IN (53, 5353) AND opcode_name = 'query' GROUP BY capture_id, src_ip, dst_ip, dst_port HAVING count(*) >= 3 ORDER BY src_ip, dst_ip, dst_port;

-- @finding dns_not_dns severity=medium confidence=medium technique=T1571
SELECT 'Something else on the DNS port' AS title, coalesce(f.service, 'unknown content') || ' over ' || f.transport || ', ' || CAST(f.orig_bytes + f.resp_bytes AS VARCHAR) || ' bytes' AS details, f.src_ip, f.dst_ip, f.dst_port, f.orig_packets + f.resp_packets AS count, f.frame, f.ts, f.end_ts, f.capture
FROM flows f WHERE f.dst_port = 53 AND f.transport IN ('tcp', 'udp') AND coalesce(f.service, '') <> 'dns' AND f.orig_bytes > 0 AND f.resp_bytes > 0 AND f.missed_bytes = 0 AND f.orig_packets + f.resp_packets >= 4 ORDER BY f.capture, f.frame;

-- @finding dns_wpad severity=medium confidence=medium technique=T1557
SELECT 'A proxy configuration host was named from outside' AS title, query || ' is ' || array_to_string(answers, ', ') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns WHERE is_response AND lower(query) LIKE 'wpad.%' AND array_length(answers) > 0 AND is_public(array_element(answers, CAST(array_length(answers) AS BIGINT))) GROUP BY query, answers, dst_ip, src_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding dns_internal_leak severity=low confidence=high technique=T1590
SELECT 'Inside names asked of a public resolver' AS title, CAST(count(DISTINCT lower(query)) AS VARCHAR) || ' names, such as ' || min(lower(query)) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dns WHERE NOT is_response AND protocol = 'dns' AND is_public(dst_ip) AND is_private(src_ip)
  AND (regexp_like(lower(query), '[.](local|lan|corp|home|internal|intranet|localdomain)$') OR regexp_like(query, '[.](10|168[.]192|(1[6-9]|2[0-9]|3[01])[.]172)[.]in-addr[.]arpa$') OR (query NOT LIKE '%.%' AND length(query) > 0 AND qtype_name IN ('A', 'AAAA')))
GROUP BY src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding dns_malformed severity=low confidence=high technique=T1498
SELECT 'DNS messages that break the rules' AS title, kind || ': ' || min(detail) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM anomalies WHERE protocol = 'dns' AND kind <> 'decoder_fault' GROUP BY kind, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip, details;

-- @finding dns_encoded_names severity=high confidence=medium technique=T1071.004,T1048.003
-- Names that look like noise, all of one length, each asked for once, by one host alone: they carry something. Reputation services
-- and block lists are asked so too, and are known.
WITH asked AS (
  SELECT capture, capture_id, src_ip, dst_ip, registered_domain AS domain, lower(query) AS name, split_part(lower(query), '.', 1) AS label, qtype_name, frame, ts FROM dns
  WHERE NOT is_response AND protocol = 'dns' AND registered_domain IS NOT NULL AND lower(query) <> registered_domain AND coalesce(retransmission, false) = false
    AND NOT regexp_like(registered_domain, '(^|[.])(mcafee[.]com|sophosxl[.]net|sophos[.]com|spamhaus[.](org|net)|surbl[.]org|uribl[.]com|barracudacentral[.]org|sorbs[.]net|e5[.]sk|eset[.]com|avast[.]com|trendmicro[.]com|cymru[.]com|senderbase[.]org|kaspersky-labs[.]com)$')),
known AS (SELECT capture_id, domain, count(DISTINCT src_ip) AS clients FROM asked GROUP BY capture_id, domain),
series AS (
  SELECT min(capture) AS capture, capture_id, src_ip, domain, min(dst_ip) AS dst_ip, count(*) AS n, count(DISTINCT name) AS names, avg(length(label)) AS mean_length, dispersion(array_agg(length(label))) AS spread, avg(entropy(label)) AS noise, avg(CASE WHEN regexp_like(label, '[bcdfghjklmnpqrstvwxz]{4}|[0-9][a-z]+[0-9]|[a-z][0-9][a-z]') THEN 1.0 ELSE 0.0 END) AS unlike_words, array_to_string(array_sort(array_agg(DISTINCT qtype_name)), ', ') AS kinds,
    min(name) AS example, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM asked GROUP BY capture_id, src_ip, domain)
SELECT CASE WHEN s.mean_length >= 24 AND s.spread <= 0.1 THEN 'high' ELSE 'medium' END AS confidence, 'Encoded names are asked for' AS title, CAST(s.names AS VARCHAR) || ' different names of ' || s.domain || ' (' || s.kinds || '), such as ' || s.example || ': first label of ' || CAST(round(s.mean_length) AS VARCHAR) || ' characters with ' || CAST(round(s.noise, 1) AS VARCHAR) || ' bits each, about ' || CAST(round(s.names * s.mean_length * 5 / 8) AS VARCHAR) || ' bytes' AS details,
  s.src_ip, s.dst_ip, s.n AS count, s.frame, s.frames, s.ts, s.end_ts, s.capture
FROM series s JOIN known k ON k.capture_id = s.capture_id AND k.domain = s.domain
WHERE k.clients = 1 AND s.names >= 20 AND s.names >= 0.9 * s.n AND s.mean_length >= 12 AND s.noise >= 3.0 AND s.unlike_words >= 0.8 AND s.spread <= 0.25 ORDER BY s.frame, s.domain;
