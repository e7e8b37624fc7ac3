-- @analyzer ioc
-- @group    it
-- @title    IOC ANALYSIS
-- @help     Indicators of compromise that occur, where and when

-- @section summary shape=facts
SELECT i.indicators_loaded, i.types, m.matched, m.ip_hits, m.domain_hits, m.hash_hits, m.other_hits, i.indicators_loaded - m.matched AS without_a_hit, i.sources, i.tags, i.techniques AS "MITRE", i.confidence AS "Avg Confidence", i.local_entries AS "Local addresses in list"
FROM (SELECT count(*) FILTER (WHERE pattern IS NULL) AS indicators_loaded,
    (SELECT array_to_string(array_agg(type || '(' || CAST(n AS VARCHAR) || ')' ORDER BY n DESC, type), ', ') FROM (SELECT type, count(*) AS n FROM indicators WHERE pattern IS NULL GROUP BY type)) AS types,
    count(DISTINCT feed) AS sources, (SELECT count(DISTINCT tag) FROM (SELECT unnest(tags) AS tag FROM indicators)) AS tags,
    (SELECT array_to_string(array_sort(array_agg(DISTINCT technique)), ', ') FROM (SELECT unnest(techniques) AS technique FROM indicators)) AS techniques,
    round(avg(confidence), 1) AS confidence,
    count(*) FILTER (WHERE type IN ('ipv4', 'ipv6', 'cidr', 'ip_port') AND ip_scope(regexp_replace(value, '(/[0-9]+|:[0-9]+)$', '')) IN ('private', 'ula', 'loopback', 'multicast', 'broadcast', 'link_local')) AS local_entries FROM indicators) i,
  (SELECT count(DISTINCT indicator || type) AS matched, coalesce(sum(hits) FILTER (WHERE type IN ('ipv4', 'ipv6', 'cidr', 'ip_port')), 0) AS ip_hits, coalesce(sum(hits) FILTER (WHERE type = 'domain'), 0) AS domain_hits,
    coalesce(sum(hits) FILTER (WHERE type IN ('md5', 'sha1', 'sha256', 'cert_sha1', 'cert_sha256')), 0) AS hash_hits,
    coalesce(sum(hits) FILTER (WHERE type NOT IN ('ipv4', 'ipv6', 'cidr', 'ip_port', 'domain', 'md5', 'sha1', 'sha256', 'cert_sha1', 'cert_sha256')), 0) AS other_hits FROM ioc_hits) m;

-- @section "Matches" shape=table limit=20 indicator=typed:indicator
SELECT indicator, type, host, array_to_string(places, ', ') AS "where", hits, severity, ts AS first, feed AS source
FROM ioc_hits ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, confidence DESC NULLS LAST, hits DESC, indicator, type, host;

-- @section "Patterns" shape=table limit=20 unless_empty
SELECT feed AS pattern, host, ts AS first, array_to_string(frames, ', ') AS frames, text AS "asks for" FROM indicator_patterns ORDER BY ts, pattern, host;

-- @section "Hosts with hits" shape=table limit=20 unless_empty
SELECT host, count(*) AS indicators, sum(hits) AS hits, min(ts) AS first, max(end_ts) AS last FROM ioc_hits GROUP BY host ORDER BY indicators DESC, hits DESC, host;

-- @section "Techniques and tags" shape=table verbose unless_empty
SELECT kind, word, count(DISTINCT indicator) AS indicators FROM (SELECT 'technique' AS kind, unnest(techniques) AS word, indicator FROM ioc_hits UNION ALL SELECT 'tag', unnest(tags), indicator FROM ioc_hits) GROUP BY kind, word ORDER BY kind, indicators DESC, word;

-- @section "Every match" shape=table verbose
SELECT capture, frame, ts, type, indicator, confidence, value, "table" || '.' || "column" AS "where", src_ip, dst_ip, flow_id, note FROM ioc_matches WHERE pattern IS NULL ORDER BY capture, frame, indicator, "table", "column";

-- @finding ioc_hash severity=critical technique=T1204 if=indicators
SELECT 'A file or certificate of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1204')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type IN ('md5', 'sha1', 'sha256', 'cert_sha1', 'cert_sha256') AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_domain severity=high technique=T1071 if=indicators
SELECT 'A name of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1071')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type = 'domain' AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_ip severity=high technique=T1071 if=indicators
SELECT 'An address of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1071')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type IN ('ipv4', 'ipv6', 'cidr', 'ip_port') AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_url severity=high technique=T1105 if=indicators
SELECT 'A URL of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1105')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type = 'url' AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_fingerprint severity=medium technique=T1071.001 if=indicators
SELECT 'A fingerprint of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1071.001')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type IN ('ja3', 'ja3s', 'ja4', 'ja4s', 'hassh') AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_user_agent severity=medium technique=T1071.001 if=indicators
SELECT 'A user agent of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1071.001')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type = 'user_agent' AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_email severity=medium technique=T1566 if=indicators
SELECT 'A mail address of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1566')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type = 'email' AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_filename severity=medium technique=T1204 if=indicators
SELECT 'A file name of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1204')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type = 'filename' AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_mac severity=medium technique=T1200 if=indicators
SELECT 'A hardware address of the indicator list' AS title, indicator || ' (' || coalesce(feed, 'list') || ') in ' || array_to_string(places, ', ') || ': ' || CAST(hits AS VARCHAR) || ' times in ' || CAST(flows AS VARCHAR) || ' flows' || CASE WHEN expired THEN '; the entry had expired' ELSE '' END AS details,
  severity, CASE WHEN confidence IS NULL OR confidence >= 70 THEN 'high' WHEN confidence >= 40 THEN 'medium' ELSE 'low' END AS confidence, coalesce(techniques, make_array('T1200')) AS techniques, tags,
  host AS src_ip, peer AS dst_ip, hits AS count, frame, frames, ts, end_ts, capture FROM ioc_hits WHERE type = 'mac' AND NOT is_local ORDER BY indicator, host;

-- @finding ioc_pattern severity=high technique=T1071 if=indicator_patterns
SELECT 'A pattern of the indicator list' AS title, coalesce(feed, pattern) || ': ' || text AS details, severity, coalesce(techniques, make_array('T1071')) AS techniques, tags,
  host AS src_ip, array_length(frames) AS count, frames[1] AS frame, frames, ts, end_ts, capture FROM indicator_patterns ORDER BY pattern, host;
