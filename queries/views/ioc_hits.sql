-- One row an indicator and host: what was seen of it, and how much it weighs. Expired and doubtful entries weigh less.
WITH hits AS (
  SELECT indicator, type, host, min(confidence) AS confidence, max(feed) AS feed, first_value(tags ORDER BY feed, array_to_string(tags, ' ')) AS tags, first_value(techniques ORDER BY feed, array_to_string(techniques, ' ')) AS techniques, min(valid_until) AS valid_until, max(severity) AS said,
    count(*) AS hits, count(DISTINCT flow_id) AS flows, min(ts) AS ts, max(ts) AS end_ts, min(frame) AS frame, array_slice(array_agg(DISTINCT frame ORDER BY frame), 1, 20) AS frames,
    array_sort(array_agg(DISTINCT "table" || '.' || "column")) AS places, array_sort(array_agg(DISTINCT value)) AS "values", min(capture) AS capture, count(DISTINCT capture_id) AS captures,
    min(CASE WHEN src_ip = host THEN dst_ip ELSE src_ip END) AS peer,
    bool_or(note = 'contact') AS is_contact, bool_or(note = 'asked') AS is_asked, bool_or(note = 'unanswered') AS is_unanswered, bool_or(note = 'nxdomain') AS is_nxdomain
  FROM ioc_matches WHERE pattern IS NULL GROUP BY indicator, type, host
), weighed AS (
  SELECT *, CASE
    WHEN type IN ('md5', 'sha1', 'sha256') THEN 4
    WHEN type IN ('cert_sha1', 'cert_sha256', 'url') THEN 3
    WHEN type IN ('domain', 'ipv4', 'ipv6', 'cidr', 'ip_port') AND is_contact THEN 3
    WHEN type = 'domain' AND is_nxdomain THEN 1
    WHEN type IN ('domain', 'ipv4', 'ipv6', 'cidr', 'ip_port') AND (is_asked OR is_unanswered) THEN 2
    WHEN type IN ('ipv4', 'ipv6', 'cidr', 'ip_port', 'domain') THEN 1
    ELSE 2 END AS weight,
    valid_until IS NOT NULL AND valid_until < ts AS expired,
    CASE WHEN type IN ('ipv4', 'ipv6') THEN ip_scope(indicator) WHEN type = 'cidr' THEN ip_scope(split_part(indicator, '/', 1)) WHEN type = 'ip_port' THEN ip_scope(regexp_replace(indicator, ':[0-9]+$', '')) END AS scope
  FROM hits
)
SELECT indicator, type, host, peer, confidence, feed, tags, techniques, hits, flows, ts, end_ts, frame, frames, places, "values", capture, captures, expired,
  coalesce(scope IN ('private', 'ula', 'loopback', 'multicast', 'broadcast', 'link_local', 'unspecified'), false) AS is_local,
  CASE CASE WHEN expired OR confidence < 20 THEN 0 WHEN confidence < 50 THEN greatest(weight - 1, 0) ELSE weight END
    WHEN 4 THEN 'critical' WHEN 3 THEN 'high' WHEN 2 THEN 'medium' WHEN 1 THEN 'low' ELSE 'info' END AS severity
FROM weighed
