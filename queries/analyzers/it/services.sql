-- @analyzer services
-- @group    it
-- @title    SERVICE ANALYSIS
-- @help     Services, who offers and who uses them

-- @section summary shape=facts
SELECT count(DISTINCT dst_ip || ':' || CAST(dst_port AS VARCHAR) || transport) AS services, count(DISTINCT dst_ip) AS hosts, count(DISTINCT dst_port) AS ports,
  count(DISTINCT CASE WHEN service IS NOT NULL THEN dst_ip || ':' || CAST(dst_port AS VARCHAR) || transport END) AS confirmed_by_content,
  count(DISTINCT CASE WHEN service IS NULL THEN dst_ip || ':' || CAST(dst_port AS VARCHAR) || transport END) AS only_by_answer
FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast');

-- @section "Services" shape=table limit=15
SELECT dst_ip AS address, dst_port AS port, transport,
  coalesce(array_to_string(array_sort(array_agg(DISTINCT service)), ', '), max(service_port_name) || '?', '-') AS service,
  CASE WHEN max(service) IS NOT NULL THEN 'bytes' WHEN transport = 'tcp' AND sum(resp_bytes) = 0 THEN 'handshake' ELSE 'reply' END AS evidence,
  count(DISTINCT src_ip) AS clients, count(*) AS connections, sum(orig_bytes + resp_bytes) AS bytes, min(ts) AS first, max(end_ts) AS last
FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast')
  AND (transport <> 'tcp' OR history LIKE '%h%' OR service IS NOT NULL)
GROUP BY dst_ip, dst_port, transport ORDER BY address, port, transport;

-- @section "By service" shape=table limit=15
SELECT coalesce(service, service_port_name || '?') AS service, count(DISTINCT dst_ip) AS hosts, array_to_string(array_sort(array_agg(DISTINCT dst_port)), ', ') AS ports, count(*) AS connections
FROM flows WHERE resp_packets > 0 AND dst_port IS NOT NULL AND conn_state NOT IN ('REJ', 'RSTRH') AND coalesce(service, service_port_name) IS NOT NULL GROUP BY 1 ORDER BY connections DESC, service;

-- @section "Software" shape=table limit=15
SELECT server AS software, array_to_string(array_sort(array_agg(DISTINCT src_ip)), ', ') AS hosts, count(*) AS seen FROM http WHERE server IS NOT NULL GROUP BY server ORDER BY seen DESC, software;

-- @section "Unanswered" shape=table verbose
SELECT dst_ip AS address, dst_port AS port, transport, max(service_port_name) || '?' AS service, count(DISTINCT src_ip) AS clients, count(*) AS tries FROM flows
WHERE dst_port IS NOT NULL AND (resp_packets = 0 OR conn_state = 'REJ') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY dst_ip, dst_port, transport ORDER BY tries DESC, address, port;

-- @finding service_public_admin severity=high technique=T1133,T1190
SELECT 'An administrative service is reached from the internet' AS title, coalesce(max(service), max(service_port_name)) || ' on port ' || CAST(dst_port AS VARCHAR) || ' serves ' || CAST(count(DISTINCT src_ip) AS VARCHAR) || ' public clients' AS details,
  min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE is_public(src_ip) AND is_private(dst_ip) AND conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR') AND resp_bytes > 0
  AND (service IN ('ssh', 'rdp', 'vnc', 'telnet', 'winrm', 'smb', 'snmp') OR (service IS NULL AND transport = 'tcp' AND dst_port IN (22, 23, 445, 3389, 5900, 5985, 5986, 2375, 6443, 27017, 6379, 3306, 1433, 9200)))
GROUP BY dst_ip, dst_port, capture ORDER BY dst_ip, dst_port;

-- @finding service_odd_port severity=low technique=T1571
SELECT 'A service on a port that is not its own' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) AS details, CASE WHEN bool_or(is_public(dst_ip)) THEN 'medium' ELSE 'low' END AS severity,
  dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE resp_bytes > 0 AND ((service = 'modbus' AND dst_port NOT IN (502, 802)) OR (service = 'dns' AND dst_port NOT IN (53, 5353, 5355, 853)) OR (service = 'ntp' AND dst_port <> 123)
  OR (service = 'http' AND NOT (dst_port IN (80, 81, 3128, 5985, 631, 1900, 7547) OR dst_port BETWEEN 8000 AND 8999))
  OR (service = 'tls' AND dst_port NOT IN (443, 465, 587, 636, 853, 990, 993, 995, 2083, 3269, 4443, 5061, 5671, 6514, 8443, 8883, 9443, 25, 21, 110, 143, 389, 3389, 5222, 5269, 5432, 3306)))
  AND history LIKE 'S%'
GROUP BY service, dst_ip, dst_port, capture ORDER BY dst_ip, dst_port;

-- @finding service_masquerade severity=medium technique=T1036,T1571
SELECT 'Another protocol than the port stands for' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) || ' (' || service_port_name || ')' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE transport = 'tcp' AND ((dst_port = 53 AND service <> 'dns') OR (dst_port = 22 AND service <> 'ssh') OR (dst_port = 23 AND service <> 'telnet') OR (dst_port = 443 AND service NOT IN ('tls', 'http')))
GROUP BY service, service_port_name, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding service_ot_it severity=medium technique=T0886
-- Industrial networks are the user's: `[networks] ot` of the settings. Without them nothing is inside or outside.
SELECT 'An industrial service is reached from outside its network' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN (SELECT service FROM ot_services) AND resp_bytes > 0 AND is_ot(dst_ip) AND NOT is_ot(src_ip) GROUP BY service, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding service_cleartext severity=low confidence=high technique=T1040
-- HTTP counts where a login goes through it, LDAP where a name is bound with a password, mail where STARTTLS was not taken up.
WITH upgraded AS (SELECT DISTINCT capture_id, flow_id FROM tls WHERE message = 'client_hello'),
logins AS (SELECT capture_id, flow_id, count(*) AS n FROM credentials WHERE NOT coalesce(encrypted, false) AND kind IN ('password', 'basic', 'form', 'community') AND flow_id IS NOT NULL GROUP BY capture_id, flow_id),
used AS (
  SELECT f.capture, f.capture_id, CASE f.service WHEN 'ftp' THEN 'FTP' WHEN 'tftp' THEN 'TFTP' WHEN 'pop3' THEN 'POP3' WHEN 'imap' THEN 'IMAP' WHEN 'vnc' THEN 'VNC' WHEN 'telnet' THEN 'Telnet' WHEN 'http' THEN 'HTTP' WHEN 'ldap' THEN 'LDAP' ELSE f.service END AS service, f.src_ip, f.dst_ip, f.dst_port, f.frame, f.ts, f.end_ts, l.n IS NOT NULL AS has_login
  FROM flows f LEFT JOIN upgraded u ON u.capture_id = f.capture_id AND u.flow_id = f.flow_id LEFT JOIN logins l ON l.capture_id = f.capture_id AND l.flow_id = f.flow_id
  WHERE f.resp_bytes > 0 AND f.service IN ('telnet', 'ftp', 'tftp', 'pop3', 'imap', 'vnc', 'rlogin', 'rsh', 'http', 'ldap') AND u.flow_id IS NULL AND (f.service NOT IN ('http', 'ldap') OR l.n IS NOT NULL)
  UNION ALL SELECT min(capture), capture_id, 'SNMP ' || version, dst_ip, src_ip, src_port, min(frame), min(ts), max(ts), true FROM snmp WHERE pdu = 'response' AND version IN ('1', '2c') GROUP BY capture_id, version, dst_ip, src_ip, src_port)
SELECT CASE WHEN bool_or(has_login) THEN 'medium' ELSE 'low' END AS severity, 'A service without encryption' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) || ', ' || CAST(count(DISTINCT src_ip) AS VARCHAR) || ' clients' || CASE WHEN bool_or(has_login) THEN ', with logins' ELSE '' END AS details, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM used GROUP BY capture_id, service, dst_ip, dst_port ORDER BY dst_ip, dst_port, service;

-- @finding service_outdated severity=low confidence=medium technique=T1190
WITH banners AS (
  SELECT capture, capture_id, src_ip AS server, src_port AS port, CAST(server AS VARCHAR) AS banner, frame, ts FROM http WHERE NOT is_request AND server IS NOT NULL
  UNION ALL SELECT capture, capture_id, src_ip, src_port, CAST(version_string AS VARCHAR), frame, ts FROM ssh WHERE is_server AND version_string IS NOT NULL
  UNION ALL SELECT capture, capture_id, dst_ip, dst_port, CAST(server_banner AS VARCHAR), frame, ts FROM smtp WHERE server_banner IS NOT NULL
  UNION ALL SELECT capture, capture_id, src_ip, src_port, reply_msg, frame, ts FROM ftp WHERE NOT is_request AND reply_code IN (215, 220) AND reply_msg IS NOT NULL
  UNION ALL SELECT capture, capture_id, src_ip, src_port, "values"[CAST(array_position(oids, '1.3.6.1.2.1.1.1.0') AS BIGINT)], frame, ts FROM snmp WHERE pdu = 'response' AND array_has(oids, '1.3.6.1.2.1.1.1.0'))
SELECT 'Software past its end' AS title, e.product || ', without updates since ' || CAST(CAST(e.ended AS DATE) AS VARCHAR) || ': ' || substr(min(b.banner), 1, 100) AS details, b.server AS dst_ip, b.port AS dst_port, count(*) AS count, min(b.frame) AS frame, array_slice(array_sort(array_agg(b.frame)), 1, 20) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, min(b.capture) AS capture
FROM banners b JOIN end_of_life e ON regexp_like(b.banner, e.pattern) AND b.ts > e.ended GROUP BY b.capture_id, e.product, e.ended, b.server, b.port ORDER BY b.server, b.port, e.product;

-- @finding service_new severity=info confidence=medium if=baseline
SELECT 'A service that the baseline does not have' AS title, coalesce(n.service, 'unknown service') || ' on ' || n.protocol || '/' || CAST(n.port AS VARCHAR) || ' of ' || n.ip || ', ' || CAST(array_length(n.clients) AS VARCHAR) || ' clients' AS details, n.client AS src_ip, n.ip AS dst_ip, n.port AS dst_port, array_length(n.clients) AS count, n.frame, n.ts, n.end_ts, n.capture
FROM present_services n LEFT JOIN baseline_services b ON b.ip = n.ip AND b.port = n.port AND b.protocol = n.protocol WHERE b.ip IS NULL ORDER BY n.ip, n.port, n.protocol;
