-- @analyzer http
-- @group    it
-- @title    HTTP ANALYSIS
-- @help     HTTP requests, hosts, agents, errors, suspicious URLs

-- @section summary shape=facts
SELECT count(*) AS transactions, count(*) FILTER (WHERE status_code IS NULL) AS "Unanswered requests", count(*) FILTER (WHERE method IS NULL) AS "Unasked responses",
  count(DISTINCT src_ip) AS clients, count(DISTINCT dst_ip) AS servers, count(DISTINCT host) AS hosts, sum(request_body_len) AS "Sent bytes", sum(response_body_len) AS "Received bytes", min(ts) AS first, max(ts) AS last FROM http_transactions;

-- @section "Methods" shape=table
SELECT method, count(*) AS requests FROM http WHERE is_request GROUP BY method ORDER BY requests DESC, method;

-- @section "Status codes" shape=table
SELECT status_code AS status, max(status_msg) AS reason, count(*) AS responses FROM http WHERE NOT is_request GROUP BY status_code ORDER BY responses DESC, status;

-- @section "Hosts" shape=table limit=12 indicator=host:host
SELECT host, count(DISTINCT dst_ip) AS servers, count(*) AS requests, count(DISTINCT src_ip) AS clients, count(*) FILTER (WHERE status_code >= 400) * 1.0 / count(*) AS errors_share, sum(response_body_len) AS bytes, min(ts) AS first, max(ts) AS last
FROM http_transactions WHERE method IS NOT NULL GROUP BY host ORDER BY requests DESC, host;

-- @section "URLs" shape=table limit=12 indicator=url:url
SELECT method, coalesce(url, uri) AS url, count(*) AS requests, count(DISTINCT src_ip) AS clients, array_to_string(array_sort(array_agg(DISTINCT status_code)), ', ') AS status FROM http_transactions WHERE method IS NOT NULL
GROUP BY method, coalesce(url, uri) ORDER BY requests DESC, url, method;

-- @section "Clients" shape=table limit=12
SELECT src_ip AS client, count(*) AS requests, count(DISTINCT host) AS hosts, count(DISTINCT user_agent) AS agents, count(*) FILTER (WHERE status_code >= 400) * 1.0 / count(*) AS errors_share FROM http_transactions WHERE method IS NOT NULL
GROUP BY src_ip ORDER BY requests DESC, client;

-- @section "Servers" shape=table limit=12
SELECT dst_ip AS server, max(server) AS software, count(*) AS requests, percentile_cont(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS p95_ms FROM http_transactions GROUP BY dst_ip ORDER BY requests DESC, dst_ip;

-- @section "User agents" shape=table limit=12
SELECT user_agent AS agent, count(DISTINCT src_ip) AS clients, count(*) AS requests FROM http WHERE is_request GROUP BY user_agent ORDER BY requests DESC, agent;

-- @section "Downloads" shape=table limit=12
SELECT filename AS name, response_mime AS type, response_body_len AS size_bytes, src_ip AS client, dst_ip AS server, response_frame AS frame FROM http_transactions
WHERE response_body_len > 0 AND status_code IN (200, 206) AND filename IS NOT NULL ORDER BY response_body_len DESC, frame;

-- @section "Authentication" shape=table limit=12
SELECT auth_scheme AS scheme, auth_realm AS realm, username, count(*) AS messages FROM http WHERE auth_scheme IS NOT NULL GROUP BY auth_scheme, auth_realm, username ORDER BY messages DESC, scheme, realm, username;

-- @section "Redirects" shape=table limit=12
SELECT request_host AS host, request_uri AS uri, status_code AS status, location, count(*) AS count FROM http WHERE location IS NOT NULL GROUP BY request_host, request_uri, status_code, location ORDER BY count DESC, host, uri, location;

-- @section "Transactions" shape=table verbose
SELECT ts, src_ip AS client, dst_ip AS server, method, coalesce(url, uri) AS url, status_code AS status, response_body_len AS bytes, frame, response_frame FROM http_transactions ORDER BY capture, frame;

-- @finding http_command_injection severity=high confidence=high technique=T1190,T1059
SELECT 'Commands in a request' AS title, kind || ': ' || substr(what, 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM (
  SELECT *, CASE WHEN regexp_like(lower(concat_ws(' ', uri, user_agent, referrer)), '\$\{(jndi|[^}]*\$\{[^}]*\}[^}]*):|jndi:(ldaps?|rmi|dns|iiop|https?)://') THEN 'Log4Shell'
      WHEN regexp_like(concat_ws(' ', user_agent, referrer), '\(\) *\{') THEN 'Shellshock'
      WHEN regexp_like(lower(uri), '(;|%3b|\||%7c|`|%60|\$\()[ +%20]*(cat|wget|curl|bash|sh|nc|id|whoami|powershell|cmd)([ +/]|%20|%2b|$)') THEN 'shell' END AS kind,
    concat_ws(' ', uri, user_agent) AS what FROM http WHERE is_request) WHERE kind IS NOT NULL ORDER BY capture, frame;

-- @finding http_path_traversal severity=medium confidence=high technique=T1190,T1083
SELECT 'A path that leaves the web root' AS title, substr(uri, 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM http
WHERE is_request AND regexp_like(lower(uri), '((\.\.|%2e%2e)(/|%2f|\\|%5c)){2,}|/etc/passwd|win\.ini|php://') ORDER BY capture, frame;

-- @finding http_sqli severity=medium confidence=medium technique=T1190
SELECT 'SQL in a request' AS title, substr(uri, 1, 160) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM http
WHERE is_request AND regexp_like(lower(uri), '(union(\+|%20| )+(all(\+|%20| )+)?select|(''|%27)(\+|%20| )*(or|and)(\+|%20| )+(''|%27)?[0-9a-z]+(''|%27)?(\+|%20| )*=|sleep\([0-9]+\)|benchmark\(|waitfor(\+|%20| )+delay)') ORDER BY capture, frame;

-- @finding http_scanner severity=medium confidence=high technique=T1595.002
SELECT CASE WHEN count(DISTINCT uri) >= 100 AND count(*) FILTER (WHERE status_code = 404) >= 0.6 * count(*) THEN 'high' ELSE 'medium' END AS severity, 'A web scanner' AS title, user_agent || ': ' || CAST(count(DISTINCT uri) AS VARCHAR) || ' different URLs' AS details,
  src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http_transactions WHERE regexp_like(lower(user_agent), '(sqlmap|nikto|nuclei|gobuster|ffuf|wpscan|masscan|zgrab|nmap scripting|dirbuster)') GROUP BY src_ip, dst_ip, user_agent, capture ORDER BY src_ip, dst_ip, user_agent;

-- @finding http_auth_bruteforce severity=high confidence=medium technique=T1110
SELECT 'Passwords are being guessed' AS title, CAST(count(*) AS VARCHAR) || ' refusals within 5 minutes, ' || CAST(count(DISTINCT q.secret_authorization) AS VARCHAR) || ' different secrets' AS details, q.src_ip, q.dst_ip, count(*) AS count, min(q.frame) AS frame,
  array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM http q JOIN http r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.trans_depth = q.trans_depth AND NOT r.is_request AND r.status_code IN (401, 403)
WHERE q.is_request AND q.auth_scheme IN ('basic', 'digest', 'bearer') GROUP BY q.capture_id, q.src_ip, q.dst_ip, CAST(q.ts AS BIGINT) / 300000000000 HAVING count(*) >= 10 AND count(DISTINCT q.secret_authorization) >= 3 ORDER BY q.src_ip, q.dst_ip, frame;

-- @finding http_executable_download severity=medium confidence=high technique=T1105
SELECT CASE WHEN regexp_like(CAST(coalesce(host, '') AS VARCHAR), '^[0-9.:]+$') THEN 'high' ELSE 'medium' END AS severity, 'A program was downloaded from the internet' AS title, coalesce(url, uri) || ' (' || response_mime || ')' AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM http_transactions WHERE is_public(dst_ip) AND response_mime IN ('application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-elf', 'application/x-msi') ORDER BY capture, frame;

-- @finding http_suspicious_agent severity=low confidence=medium technique=T1071.001
SELECT 'A tool, not a browser' AS title, coalesce(user_agent, 'no user agent') || ', ' || CAST(count(*) AS VARCHAR) || ' requests' AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http WHERE is_request AND is_public(dst_ip) AND regexp_like(lower(user_agent), '^(python-requests|curl|wget|powershell|go-http-client|winhttp)') GROUP BY src_ip, user_agent, capture ORDER BY src_ip, user_agent;

-- @finding http_webshell severity=high confidence=medium technique=T1505.003
SELECT 'A web shell at work' AS title, coalesce(url, uri) || ' answered with ' || coalesce(CAST(response_body_len AS VARCHAR), '?') || ' bytes of ' || coalesce(response_mime, 'text') AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM http_transactions WHERE status_code = 200 AND regexp_like(lower(uri), '[.](php|jsp|jspx|asp|aspx|ashx|cfm)([?]|.*[?&])(cmd|exec|command|shell|c|e)=(cat|ls|dir|id|whoami|uname|ipconfig|ifconfig|netstat|net(%20|\+)|powershell|wget|curl|type(%20|\+))') ORDER BY capture, frame;

-- @finding http_c2_uri severity=high confidence=medium technique=T1071.001
SELECT 'An address only implants ask for' AS title, kind || ': ' || uri AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT *, CASE
    WHEN method = 'GET' AND regexp_like(uri, '^/[A-Za-z0-9]{4}$') AND response_mime = 'application/octet-stream' AND response_body_len > 100000 THEN 'stager of Cobalt Strike or Metasploit'
    WHEN regexp_like(uri, '^/submit[.]php[?]id=[0-9]+$') AND method = 'POST' THEN 'Cobalt Strike task result'
    WHEN regexp_like(uri, '^/(tot|ono|mor|rob|sat|lib|top)[0-9]+/[A-Z0-9_-]+_W[0-9]+[.][0-9A-F]{32}/[0-9]+/') THEN 'TrickBot' END AS kind
  FROM http_transactions) WHERE kind IS NOT NULL GROUP BY capture_id, kind, uri, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, details;

-- @finding http_type_mismatch severity=low confidence=high technique=T1036.008
SELECT CASE WHEN body_mime IN ('application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-msi', 'application/x-mach-binary') THEN 'high' ELSE 'low' END AS severity,
  'The body is not what its type says' AS title, 'declared ' || content_type || ', but is ' || body_mime || coalesce(', from ' || request_host || request_uri, '') AS details, src_ip, dst_ip, src_port, frame, ts, capture
FROM http WHERE NOT is_request AND status_code = 200 AND body_mime IS NOT NULL AND (
    (regexp_like(lower(content_type), '^(image|text|audio|video)/') AND body_mime IN ('application/vnd.microsoft.portable-executable', 'application/x-executable', 'application/x-msi', 'application/x-mach-binary', 'application/x-ms-shortcut', 'application/vnd.rar', 'application/x-7z-compressed'))
    OR (lower(content_type) LIKE 'image/%' AND body_mime IN ('application/zip', 'application/pdf', 'application/x-ole-storage'))) ORDER BY capture, frame;

-- @finding http_bare_ip severity=low confidence=medium technique=T1071.001
SELECT CASE WHEN regexp_like(lower(min(uri)), '[.](exe|dll|ps1|sh|hta|vbs|js|bat|msi)([?]|$)') AND dst_port NOT IN (80, 8080) THEN 'medium' ELSE 'low' END AS severity, 'A public server asked for by address' AS title,
  CAST(count(*) AS VARCHAR) || ' requests to ' || host || ', such as ' || substr(min(uri), 1, 80) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http WHERE is_request AND method <> 'CONNECT' AND regexp_like(CAST(host AS VARCHAR), '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+(:[0-9]+)?$') AND split_part(host, ':', 1) = dst_ip AND is_public(dst_ip) AND is_private(src_ip) GROUP BY src_ip, dst_ip, dst_port, host, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding http_upload_large severity=medium confidence=medium technique=T1041
SELECT 'A large upload to the internet' AS title, method || ' ' || coalesce(host, '') || substr(coalesce(uri, ''), 1, 80) || ', ' || CAST(max(body_bytes) AS VARCHAR) || ' bytes' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http WHERE is_request AND method IN ('POST', 'PUT') AND body_bytes >= 1000000 AND is_public(dst_ip) AND is_private(src_ip) GROUP BY method, host, uri, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, details;

-- @finding http_method_risky severity=low confidence=high technique=T1190
SELECT 'A method that changes the server was accepted' AS title, method || ' ' || substr(coalesce(uri, ''), 1, 100) || ' answered ' || CAST(status_code AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http_transactions WHERE status_code BETWEEN 200 AND 299 AND (method IN ('PUT', 'DELETE', 'MOVE', 'TRACE', 'DEBUG') AND coalesce(response_mime, '') NOT LIKE '%json%' OR (method = 'CONNECT' AND uri NOT LIKE '%:443'))
GROUP BY method, uri, status_code, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, details;

-- @finding http_smuggling severity=high confidence=medium technique=T1190
SELECT 'A request whose length can be read in two ways' AS title, method || ' ' || substr(coalesce(uri, ''), 1, 100) || ': ' || CASE WHEN transfer_encoding IS NOT NULL THEN 'Content-Length and Transfer-Encoding ' || transfer_encoding ELSE 'Content-Length more than once' END AS details, src_ip, dst_ip, dst_port, frame, ts, capture
FROM http WHERE is_request AND content_length IS NOT NULL AND (transfer_encoding IS NOT NULL) ORDER BY capture, frame;

-- @finding http_error_burst severity=low confidence=medium technique=T1499
SELECT 'A server that fails often' AS title, CAST(count(*) FILTER (WHERE status_code >= 500) AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' answers are server errors' AS details, src_ip, src_port, count(*) FILTER (WHERE status_code >= 500) AS count,
  min(frame) FILTER (WHERE status_code >= 500) AS frame, array_slice(array_sort(array_agg(frame) FILTER (WHERE status_code >= 500)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM http WHERE NOT is_request AND status_code >= 200 GROUP BY capture_id, src_ip, src_port HAVING count(*) >= 20 AND count(*) FILTER (WHERE status_code >= 500) >= 0.3 * count(*) ORDER BY src_ip, src_port;

-- @finding http_long_uri severity=info confidence=medium technique=T1071.001
SELECT 'Much data in an address' AS title, CAST(max(length(uri)) AS VARCHAR) || ' characters, ' || substr(min(uri), 1, 80) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http WHERE is_request AND length(uri) >= 2048 AND entropy(uri) >= 4.5 AND NOT regexp_like(lower(uri), '(saml|oauth|state=|redirect_uri|doubleclick|/ads?[/?])') GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding http_non_standard_port severity=low confidence=high technique=T1571
SELECT 'HTTP on an unusual port' AS title, 'port ' || CAST(dst_port AS VARCHAR) || ', such as ' || min(coalesce(host, '') || substr(coalesce(uri, ''), 1, 60)) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM http WHERE is_request AND dst_port NOT IN (80, 81, 591, 631, 1900, 2869, 3000, 3128, 5000, 5357, 5985, 7000, 7001, 7547) AND dst_port NOT BETWEEN 8000 AND 8999 AND version <> '0.9' GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding http_host_mismatch severity=medium confidence=medium technique=T1090.004
WITH named AS (SELECT DISTINCT capture_id, lower(query) AS name, unnest(answers) AS address FROM dns WHERE answers IS NOT NULL),
known AS (SELECT DISTINCT capture_id, name FROM named)
SELECT 'A request names a host that is elsewhere' AS title, h.host || ' was never resolved to ' || h.dst_ip AS details, h.src_ip, h.dst_ip, max(h.dst_port) AS dst_port, count(*) AS count, min(h.frame) AS frame, array_slice(array_sort(array_agg(h.frame)), 1, 20) AS frames, min(h.ts) AS ts, max(h.ts) AS end_ts, min(h.capture) AS capture
FROM http h JOIN known k ON k.capture_id = h.capture_id AND k.name = lower(split_part(h.host, ':', 1)) LEFT JOIN named n ON n.capture_id = h.capture_id AND n.name = lower(split_part(h.host, ':', 1)) AND n.address = h.dst_ip
WHERE h.is_request AND n.address IS NULL AND h.uri LIKE '/%' AND is_public(h.dst_ip) GROUP BY h.capture_id, h.host, h.src_ip, h.dst_ip ORDER BY h.src_ip, h.dst_ip, details;

-- @finding http_agent_impersonation severity=medium confidence=low technique=T1036
SELECT 'One client claims to be many browsers' AS title, CAST(count(DISTINCT user_agent) AS VARCHAR) || ' browsers, among them ' || min(user_agent) AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM http WHERE is_request AND user_agent LIKE 'Mozilla/%' AND NOT coalesce(array_length(proxied) > 0, false) GROUP BY capture_id, src_ip HAVING count(DISTINCT user_agent) >= 8 ORDER BY src_ip;

-- @finding http_proxy_tunnel severity=low confidence=medium technique=T1090
SELECT 'A tunnel through a proxy that few use' AS title, 'CONNECT ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT c.uri)), 1, 5), ', ') AS details, c.src_ip, c.dst_ip, max(c.dst_port) AS dst_port, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, min(c.capture) AS capture
FROM http c JOIN (SELECT capture_id, dst_ip, count(DISTINCT src_ip) AS clients FROM http WHERE is_request AND (method = 'CONNECT' OR uri LIKE 'http%://%') GROUP BY capture_id, dst_ip) p ON p.capture_id = c.capture_id AND p.dst_ip = c.dst_ip
WHERE c.is_request AND c.method = 'CONNECT' AND p.clients = 1 AND is_public(c.dst_ip) GROUP BY c.capture_id, c.src_ip, c.dst_ip ORDER BY c.src_ip, c.dst_ip;

-- @finding http_cleartext_ot severity=info confidence=medium technique=T0885
SELECT 'A device is run over a web page in clear' AS title, 'web server of a host that also speaks ' || array_to_string(array_sort(array_agg(DISTINCT f.service)), ', ') AS details, h.src_ip, h.dst_ip, max(h.dst_port) AS dst_port, count(*) AS count, min(h.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT h.frame)), 1, 20) AS frames, min(h.ts) AS ts, max(h.ts) AS end_ts, min(h.capture) AS capture
FROM http h JOIN (SELECT DISTINCT capture_id, dst_ip, service FROM flows WHERE service IN ('modbus', 'iec104', 'dnp3', 's7comm', 'enip', 'bacnet', 'opcua', 'mms')) f ON f.capture_id = h.capture_id AND f.dst_ip = h.dst_ip WHERE h.is_request GROUP BY h.capture_id, h.src_ip, h.dst_ip ORDER BY h.src_ip, h.dst_ip;

-- @finding http_jndi severity=medium confidence=high technique=T1190
SELECT 'A request asks the server to look a name up at a stranger''s directory' AS title, array_to_string(array_slice(array_sort(array_agg(DISTINCT substr(probe, 1, 120))), 1, 3), '; ') AS details, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, dst_port, frame, ts, concat_ws(' ', user_agent, uri, referrer, username, x_forwarded_for) AS probe FROM http WHERE is_request) WHERE strpos(lower(probe), '${jndi:') > 0 OR regexp_like(lower(probe), '[$][{].{0,60}j.{0,20}n.{0,20}d.{0,20}i.{0,20}:(ldaps?|rmi|dns)') GROUP BY capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding http_xss severity=info confidence=low technique=T1059.007
-- Bodies of answers are not kept: what comes back in a header is known to be reflected, and the rest may be.
WITH tried AS (SELECT q.capture, q.capture_id, q.frame, q.ts, q.src_ip, q.dst_ip, q.dst_port, q.uri, r.frame AS answer, regexp_like(replace(replace(lower(coalesce(r.location, '')), '%3c', '<'), '%3e', '>'), '<script|<svg|<img|on(error|load|mouseover|focus)=|javascript:') AS reflected
  FROM http q LEFT JOIN http r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.trans_depth = q.trans_depth AND NOT r.is_request AND r.status_code >= 200
  WHERE q.is_request AND strpos(q.uri, '?') > 0 AND regexp_like(replace(replace(replace(replace(replace(replace(lower(substr(q.uri, strpos(q.uri, '?'))), '%25', '%'), '%3c', '<'), '%3e', '>'), '%22', '"'), '%27', ''''), '%2f', '/'), '<(script|svg|img|iframe|body|details|video|audio|object|embed)[^a-z]|["''<> /]on(error|load|mouseover|focus|click|toggle|start|animationstart)(=|%3d)|=javascript(:|%3a)'))
SELECT CASE WHEN bool_or(reflected) THEN 'low' ELSE 'info' END AS severity, CASE WHEN bool_or(reflected) THEN 'A script in a request came back' ELSE 'A script in a request' END AS title, CAST(count(DISTINCT uri) AS VARCHAR) || ' addresses, such as ' || substr(min(uri), 1, 160) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM tried GROUP BY capture_id, src_ip, dst_ip, dst_port ORDER BY src_ip, dst_ip, dst_port;
