-- @analyzer webrequests
-- @group    it
-- @title    WEB REQUESTS
-- @help     Web requests in order of time

-- @section summary shape=facts
SELECT count(*) AS requests, count(*) FILTER (WHERE status_code IS NOT NULL) AS answered, count(DISTINCT src_ip) AS clients, count(DISTINCT host) AS hosts, count(*) FILTER (WHERE status_code >= 400) AS errors,
  sum(response_body_len) AS response_bytes, min(ts) AS first, max(ts) AS last FROM http_transactions WHERE method IS NOT NULL;

-- @section "Requests" shape=table limit=25
SELECT ts, src_ip AS client, method, coalesce(host, dst_ip) || coalesce(uri, '') AS url, status_code AS status, coalesce(response_mime, response_content_type) AS type, frame
FROM http_transactions WHERE method IS NOT NULL ORDER BY capture, ts, frame;

-- @section "Worth a look" shape=table limit=15
SELECT * FROM (
  SELECT frame, src_ip AS client, coalesce(host, dst_ip) || coalesce(uri, '') AS url, status_code AS status, array_to_string(array_remove_all(make_array(
    CASE WHEN response_mime IN ('application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-msi', 'application/x-mach-binary') THEN 'program' ELSE '' END,
    CASE WHEN length(uri) > 512 THEN 'long' ELSE '' END,
    CASE WHEN regexp_like(lower(uri), '(passw|pwd|secret|token|api_?key)=') THEN 'credential word' ELSE '' END,
    CASE WHEN method NOT IN ('GET', 'POST', 'HEAD', 'OPTIONS') THEN 'method ' || method ELSE '' END,
    CASE WHEN status_code IN (401, 403, 500) THEN 'status' ELSE '' END,
    CASE WHEN regexp_like(CAST(host AS VARCHAR), '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+') AND is_public(dst_ip) THEN 'bare address' ELSE '' END), ''), ', ') AS why
  FROM http_transactions WHERE method IS NOT NULL) WHERE why <> '' ORDER BY frame;

-- @section "Agents" shape=table limit=12
SELECT user_agent, count(*) AS requests, count(DISTINCT src_ip) AS clients, count(DISTINCT host) AS hosts FROM http_transactions WHERE user_agent IS NOT NULL GROUP BY user_agent ORDER BY requests DESC, user_agent;

-- @section "Hosts over TLS" shape=table limit=12
SELECT server_name AS host, count(*) AS connections, count(DISTINCT src_ip) AS clients, min(ts) AS first, max(ts) AS last FROM tls WHERE is_client AND server_name IS NOT NULL GROUP BY server_name ORDER BY connections DESC, host;

-- @section "Headers" shape=table verbose
SELECT ts, frame, src_ip AS src, dst_ip AS dst, coalesce(method, CAST(status_code AS VARCHAR)) AS message, coalesce(uri, status_msg) AS target, array_to_string(header_names, ', ') AS headers, body_bytes FROM http ORDER BY capture, frame;
