-- @analyzer exfil
-- @group    it
-- @title    EXFILTRATION ANALYSIS
-- @help     Signs of data leaving the network

-- @section summary shape=facts
WITH outward AS (SELECT * FROM named_flows WHERE is_external(dst_ip) AND NOT is_external(src_ip))
SELECT (SELECT coalesce(sum(orig_bytes), 0) FROM outward) AS sent_out_bytes, (SELECT coalesce(sum(resp_bytes), 0) FROM outward) AS taken_in_bytes, (SELECT sum(orig_bytes) * 1.0 / nullif(sum(resp_bytes), 0) FROM outward) AS "out over in",
  (SELECT count(DISTINCT src_ip) FROM outward) AS clients, (SELECT count(DISTINCT server) FROM outward) AS destinations, (SELECT coalesce(sum(missed_bytes), 0) FROM outward) AS not_captured_bytes,
  coalesce((SELECT server || ' over ' || service FROM (SELECT server, service, sum(orig_bytes) AS sent FROM outward GROUP BY server, service) ORDER BY sent DESC, server, service LIMIT 1), '-') AS "most went to";

-- @section "Outbound by destination" shape=table limit=15
SELECT server, min(dst_ip) AS address, src_ip AS client, service, dst_port AS port, sum(orig_bytes) AS sent_bytes, sum(resp_bytes) AS received_bytes, round(sum(orig_bytes) * 1.0 / nullif(sum(resp_bytes), 0), 2) AS "out/in", count(*) AS flows, min(ts) AS first, max(end_ts) AS last
FROM named_flows WHERE is_external(dst_ip) AND NOT is_external(src_ip) AND orig_bytes > 0 GROUP BY capture_id, server, src_ip, service, dst_port ORDER BY sent_bytes DESC, server, client, port;

-- @section "Outbound by client" shape=table limit=15
SELECT src_ip AS client, sum(orig_bytes) AS sent_bytes, sum(orig_bytes) * 1.0 / nullif(max(whole), 0) AS sent_share, count(DISTINCT server) AS destinations, max(middle) AS "median of clients_bytes"
FROM named_flows JOIN (SELECT capture_id AS c, sum(sent) AS whole, median(sent) AS middle FROM (SELECT capture_id, src_ip, sum(orig_bytes) AS sent FROM named_flows WHERE is_external(dst_ip) AND NOT is_external(src_ip) GROUP BY capture_id, src_ip) GROUP BY capture_id) ON c = capture_id
WHERE is_external(dst_ip) AND NOT is_external(src_ip) GROUP BY capture_id, src_ip ORDER BY sent_bytes DESC, client;

-- @section "HTTP uploads" shape=table limit=15
SELECT ts, src_ip AS client, method, host, uri, body_bytes, coalesce(body_mime, content_type) AS type, filename, frame FROM http WHERE is_request AND body_bytes >= 10000 ORDER BY body_bytes DESC, capture, frame;

-- @section "Files that left a host" shape=table limit=25
SELECT kind, name, size_bytes, client, server, ts, frame FROM (
  SELECT 'FTP' AS kind, coalesce(path, arg) AS name, size_bytes, src_ip AS client, dst_ip AS server, ts, frame, capture FROM ftp_transfers WHERE command IN ('STOR', 'APPE', 'STOU')
  UNION ALL SELECT 'SMB write', coalesce(share || '\', '') || path, bytes_written, src_ip, dst_ip, ts, frame, capture FROM smb_files WHERE bytes_written > 0
  UNION ALL SELECT 'HTTP upload', coalesce(filename, uri), body_bytes, src_ip, dst_ip, ts, frame, capture FROM http WHERE is_request AND body_bytes > 0 AND filename IS NOT NULL
  UNION ALL SELECT 'mail', array_to_string(attachment_names, ', '), size_bytes, src_ip, dst_ip, ts, frame, capture FROM email WHERE attachment_count > 0)
ORDER BY size_bytes DESC NULLS LAST, capture, frame;

-- @section "Names that carry data" shape=table limit=15
SELECT src_ip AS client, registered_domain AS domain, count(*) AS questions, count(DISTINCT lower(query)) AS names, sum(query_length - length(registered_domain)) * 5 / 8 AS at_most_bytes, min(ts) AS first, max(ts) AS last FROM dns
WHERE NOT is_response AND registered_domain IS NOT NULL AND protocol = 'dns' GROUP BY capture_id, src_ip, registered_domain HAVING count(DISTINCT lower(query)) >= 10 ORDER BY at_most_bytes DESC, client, domain;

-- @section "Industrial data that was read out" shape=table limit=15
SELECT target AS device, actor AS reader, protocol, class, count(*) AS commands, min(ts) AS first, min(frame) AS frame FROM ot_commands WHERE class = 'upload' GROUP BY target, actor, protocol, class ORDER BY commands DESC, device, reader, protocol;

-- @finding exfil_bulk severity=high confidence=high technique=T1048,T1567
SELECT CASE WHEN sum(orig_bytes) >= 500000000 THEN 'critical' ELSE 'high' END AS severity, 'Much data left to an outside server' AS title, CAST(sum(orig_bytes) AS VARCHAR) || ' bytes to ' || server || ' (' || min(service) || '), ' || CAST(sum(resp_bytes) AS VARCHAR) || ' back' AS details,
  src_ip, min(dst_ip) AS dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM named_flows WHERE is_external(dst_ip) AND is_private(src_ip) AND transport = 'tcp' GROUP BY capture_id, src_ip, server, CAST(ts AS BIGINT) / 86400000000000 HAVING sum(orig_bytes) >= 10000000 AND sum(orig_bytes) >= 4 * sum(resp_bytes) ORDER BY frame, server;

-- @finding exfil_concentrated severity=medium confidence=medium technique=T1048,T1567
-- Where at least three other hosts show what is usual here, and none comes near, it is more than suspicion.
WITH pairs AS (SELECT capture_id, min(capture) AS capture, src_ip, server, min(dst_ip) AS dst_ip, min(dst_port) AS dst_port, min(service) AS service, sum(orig_bytes) AS sent, sum(resp_bytes) AS received, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts
  FROM named_flows WHERE is_external(dst_ip) AND is_private(src_ip) AND transport IN ('tcp', 'udp') GROUP BY capture_id, src_ip, server),
totals AS (SELECT capture_id, src_ip, sum(sent) AS sent FROM pairs GROUP BY capture_id, src_ip),
usual AS (SELECT capture_id, server, count(DISTINCT src_ip) AS clients FROM pairs GROUP BY capture_id, server),
others AS (SELECT capture_id, src_ip, server, sum(orig_bytes) AS sent FROM named_flows WHERE is_private(src_ip) AND transport = 'tcp' GROUP BY capture_id, src_ip, server),
rivals AS (SELECT p.capture_id, p.src_ip, p.server, count(DISTINCT o.src_ip) AS hosts, max(o.sent) AS most FROM pairs p JOIN others o ON o.capture_id = p.capture_id AND o.src_ip <> p.src_ip WHERE p.sent >= 1000000 GROUP BY p.capture_id, p.src_ip, p.server)
SELECT CASE WHEN p.sent >= 10 * p.received AND u.clients = 1 AND r.hosts >= 3 AND r.most * 10 <= p.sent THEN 'high' ELSE 'medium' END AS severity, 'One host sends much to one outside server' AS title,
  CAST(p.sent AS VARCHAR) || ' bytes to ' || p.server || ' (' || p.service || '), ' || CAST(p.received AS VARCHAR) || ' back, ' || CAST(round(100.0 * p.sent / nullif(t.sent, 0)) AS VARCHAR) || ' % of all it sends out; of ' || CAST(coalesce(r.hosts, 0) AS VARCHAR) || ' other hosts none sends one server more than ' || CAST(coalesce(r.most, 0) AS VARCHAR) AS details,
  p.src_ip, p.dst_ip, p.dst_port, p.n AS count, p.frame, p.frames, p.ts, p.end_ts, p.capture
FROM pairs p JOIN totals t ON t.capture_id = p.capture_id AND t.src_ip = p.src_ip JOIN usual u ON u.capture_id = p.capture_id AND u.server = p.server LEFT JOIN rivals r ON r.capture_id = p.capture_id AND r.src_ip = p.src_ip AND r.server = p.server
WHERE p.sent >= 0.7 * t.sent AND p.sent >= 4 * p.received AND (p.sent >= 3000000 OR p.sent >= 1000000 AND p.sent >= 10 * p.received AND u.clients = 1 AND r.hosts >= 3 AND r.most * 10 <= p.sent) AND p.sent < 10000000 ORDER BY p.frame, p.server;

-- @finding exfil_dns severity=high confidence=medium technique=T1048.003
-- How much the names of a tunnel can have carried: five bits a character (base 32) before the domain.
WITH tunnels AS (SELECT detection, src_ip, dst_ip, frames, frame, ts, end_ts, capture, regexp_replace(details, '^.* different names of ([^ ,]+).*$', '\1') AS domain FROM direct_findings WHERE detection IN ('dns_tunnel', 'dns_encoded_names'))
SELECT 'Data may have left in DNS names' AS title, 'at most ' || CAST(sum(greatest(q.query_length - length(t.domain), 0)) * 5 / 8 AS VARCHAR) || ' bytes in ' || CAST(count(*) AS VARCHAR) || ' names of ' || t.domain AS details, t.src_ip, min(t.dst_ip) AS dst_ip, count(*) AS count, min(t.frame) AS frame, first_value(t.frames ORDER BY t.frame) AS frames, min(t.ts) AS ts, max(t.end_ts) AS end_ts, min(t.capture) AS capture
FROM tunnels t JOIN (SELECT DISTINCT capture, capture_id, src_ip, lower(query) AS name, query_length FROM dns WHERE NOT is_response AND query IS NOT NULL) q ON q.capture = t.capture AND q.src_ip = t.src_ip AND strpos(q.name, lower(t.domain)) > 0 GROUP BY q.capture_id, t.src_ip, t.domain ORDER BY frame;

-- @finding exfil_icmp severity=high confidence=high technique=T1048.003
SELECT 'Data may have left in echo requests' AS title, CAST(count(*) AS VARCHAR) || ' requests with ' || CAST(count(DISTINCT payload_sha1) AS VARCHAR) || ' payloads, ' || CAST(sum(payload_len) AS VARCHAR) || ' bytes' AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM icmp WHERE type_name = 'echo_request' AND payload_len >= 64 AND is_external(dst_ip) GROUP BY capture_id, src_ip, dst_ip HAVING count(*) >= 20 AND count(DISTINCT payload_sha1) >= 0.8 * count(*) AND avg(payload_entropy) >= 5 ORDER BY frame;

-- @finding exfil_http_upload severity=medium confidence=medium technique=T1041,T1567.002
SELECT CASE WHEN regexp_like(coalesce(host, ''), '^[0-9.]+(:[0-9]+)?$') OR regexp_like(lower(coalesce(host, '')), '(^|[.])(pastebin[.]com|paste[.]ee|hastebin[.]com|transfer[.]sh|file[.]io|gofile[.]io|anonfiles[.]com|mega[.]nz|mega[.]io|mediafire[.]com|wetransfer[.]com|sendspace[.]com|bashupload[.]com|0x0[.]st|catbox[.]moe)(:[0-9]+)?$') THEN 'high' ELSE 'medium' END AS severity,
  'A large upload by HTTP' AS title, CAST(sum(body_bytes) AS VARCHAR) || ' bytes by ' || min(method) || ' to ' || coalesce(host, dst_ip) || min(split_part(uri, '?', 1)) AS details, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM http WHERE is_request AND method IN ('POST', 'PUT', 'PATCH') AND is_external(dst_ip) GROUP BY capture_id, src_ip, dst_ip, host HAVING max(body_bytes) >= 1000000 OR sum(body_bytes) >= 3000000 ORDER BY frame;

-- @finding exfil_archive severity=high confidence=high technique=T1560,T1048
SELECT 'An archive, mailbox or database left to an outside server' AS title, CAST(sum(size_bytes) AS VARCHAR) || ' bytes, ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT name)), 1, 3), ', ') || ', by ' || min(kind) AS details, src_ip, dst_ip, min(dst_port) AS dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, 'HTTP' AS kind, coalesce(filename, split_part(uri, '?', 1)) AS name, coalesce(body_mime, content_type) AS mime, body_bytes AS size_bytes, src_ip, dst_ip, dst_port, frame, ts FROM http WHERE is_request AND method IN ('POST', 'PUT') AND body_bytes >= 10000
  UNION ALL SELECT capture, capture_id, 'FTP', coalesce(path, arg), CAST(mime AS VARCHAR), size_bytes, src_ip, dst_ip, dst_port, frame, ts FROM ftp_transfers WHERE command IN ('STOR', 'APPE', 'STOU') AND size_bytes >= 10000)
WHERE is_external(dst_ip) AND NOT is_external(src_ip) AND (regexp_like(lower(name), '[.](zip|rar|7z|tar|tgz|tar[.]gz|gz|bak|sql|dump|mdb|accdb|kdbx|pst|ost|dit|hive|pem|key|pfx|dwg|acd|ap1[0-9]|s7p|stu|rss)$') OR mime IN ('application/zip', 'application/x-7z-compressed', 'application/vnd.rar', 'application/x-rar', 'application/vnd.ms-outlook', 'application/x-tar'))
GROUP BY capture_id, src_ip, dst_ip ORDER BY frame;

-- @finding exfil_mail severity=medium confidence=medium technique=T1048.003
SELECT 'Much left in attachments' AS title, CAST(sum(size_bytes) AS VARCHAR) || ' bytes in ' || CAST(count(*) AS VARCHAR) || ' mails of ' || coalesce(envelope_from, "from", '?') AS details, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM email WHERE attachment_count > 0 AND is_external(dst_ip) GROUP BY capture_id, coalesce(envelope_from, "from", '?'), CAST(ts AS BIGINT) / 3600000000000 HAVING sum(size_bytes) >= 10000000 ORDER BY frame;

-- @finding exfil_uncommon_port severity=medium confidence=medium technique=T1571,T1048
SELECT 'An upload on a port of no service' AS title, CAST(sum(orig_bytes) AS VARCHAR) || ' bytes to ' || server || ' port ' || CAST(dst_port AS VARCHAR) || ', ' || CAST(sum(resp_bytes) AS VARCHAR) || ' back' AS details, src_ip, min(dst_ip) AS dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM named_flows WHERE is_external(dst_ip) AND is_private(src_ip) AND transport = 'tcp' AND service = 'unknown' AND service_port_name IS NULL AND orig_bytes > 0 GROUP BY capture_id, src_ip, server, dst_port HAVING sum(orig_bytes) >= 1000000 AND sum(orig_bytes) >= 4 * sum(resp_bytes) ORDER BY frame, server;

-- @finding exfil_internal_staging severity=medium confidence=medium technique=T1074.002
WITH gathered AS (SELECT capture_id, src_ip, sum(resp_bytes) AS taken, count(DISTINCT dst_ip) AS servers, min(CAST(ts AS BIGINT)) AS since FROM flows WHERE is_private(src_ip) AND is_private(dst_ip) AND resp_bytes >= 1000000 GROUP BY capture_id, src_ip HAVING sum(resp_bytes) >= 100000000 AND count(DISTINCT dst_ip) >= 3)
SELECT 'Data was gathered, then sent out' AS title, CAST(max(g.taken) AS VARCHAR) || ' bytes from ' || CAST(max(g.servers) AS VARCHAR) || ' servers, ' || CAST(sum(f.orig_bytes) AS VARCHAR) || ' out' AS details, f.src_ip, min(f.dst_ip) AS dst_ip, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM flows f JOIN gathered g ON g.capture_id = f.capture_id AND g.src_ip = f.src_ip WHERE is_external(f.dst_ip) AND CAST(f.ts AS BIGINT) BETWEEN g.since AND g.since + 86400000000000 GROUP BY f.capture_id, f.src_ip HAVING sum(f.orig_bytes) >= 0.5 * max(g.taken) ORDER BY frame;

-- @finding exfil_lateral_bulk severity=low confidence=low technique=T1570
WITH served AS (SELECT capture_id, dst_ip, count(DISTINCT src_ip) AS clients FROM flows WHERE resp_bytes > 0 AND dst_port IS NOT NULL GROUP BY capture_id, dst_ip)
SELECT 'Much data went from host to host' AS title, CAST(sum(f.orig_bytes) AS VARCHAR) || ' bytes' AS details, f.src_ip, f.dst_ip, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, min(f.capture) AS capture
FROM flows f JOIN served s ON s.capture_id = f.capture_id AND s.dst_ip = f.dst_ip WHERE is_private(f.src_ip) AND is_private(f.dst_ip) AND s.clients < 3 GROUP BY f.capture_id, f.src_ip, f.dst_ip HAVING sum(f.orig_bytes) >= 500000000 ORDER BY frame;

-- @finding exfil_low_slow severity=medium confidence=medium technique=T1029,T1041
SELECT 'Data leaves in steady portions' AS title, CAST(events AS VARCHAR) || ' portions, ' || CAST(all_sent_bytes AS VARCHAR) || ' bytes to ' || server || ', every ' || CAST(round(period_s, 1) AS VARCHAR) || ' s' AS details, client AS src_ip, server_ip AS dst_ip, port AS dst_port, events AS count, frame, frames, first AS ts, last AS end_ts, capture
FROM beacon_series WHERE class = 'candidate' AND is_external(server_ip) AND events >= 20 AND sent_bytes >= 10000 AND score >= 0.8 AND all_sent_bytes >= 1000000 ORDER BY frame, client;

-- @finding exfil_ot_external severity=critical confidence=high technique=T0882,T0811
SELECT 'Program or data of a controller went to an outside address' AS title, protocol || ' ' || min(command) || ' of ' || target AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ot_commands WHERE class = 'upload' AND outcome = 'ok' AND confidence <> 'low' AND is_public(src_ip) GROUP BY capture, capture_id, protocol, target, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding exfil_ot_upload severity=high confidence=medium technique=T0845
-- Who loads programs into a controller reads them too.
WITH loaders AS (SELECT DISTINCT capture_id, actor FROM ot_commands WHERE class = 'download'), met AS (SELECT capture_id, src_ip, dst_ip, min(CAST(ts AS BIGINT)) AS since FROM flows GROUP BY capture_id, src_ip, dst_ip), begun AS (SELECT capture_id, min(CAST(ts AS BIGINT)) AS start FROM packets GROUP BY capture_id)
SELECT 'The program of a controller was read by a newcomer' AS title, c.protocol || ' ' || min(c.command) || ' of ' || c.target AS details, c.src_ip, c.dst_ip, min(c.dst_port) AS dst_port, count(*) AS count, min(c.frame) AS frame, array_slice(array_sort(array_agg(DISTINCT c.frame)), 1, 20) AS frames, min(c.ts) AS ts, max(c.ts) AS end_ts, min(c.capture) AS capture
FROM ot_commands c JOIN met m ON m.capture_id = c.capture_id AND m.src_ip = c.src_ip AND m.dst_ip = c.dst_ip JOIN begun b ON b.capture_id = c.capture_id LEFT JOIN loaders l ON l.capture_id = c.capture_id AND l.actor = c.actor
WHERE c.class = 'upload' AND c.outcome = 'ok' AND l.actor IS NULL AND m.since - b.start > 60000000000 GROUP BY c.capture_id, c.protocol, c.target, c.src_ip, c.dst_ip ORDER BY frame;
