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
  min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE is_public(src_ip) AND is_private(dst_ip) AND conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR') AND resp_bytes > 0
  AND (service IN ('ssh', 'rdp', 'vnc', 'telnet', 'winrm', 'smb', 'snmp') OR (service IS NULL AND transport = 'tcp' AND dst_port IN (22, 23, 445, 3389, 5900, 5985, 5986, 2375, 6443, 27017, 6379, 3306, 1433, 9200)))
GROUP BY dst_ip, dst_port, capture ORDER BY dst_ip, dst_port;

-- @finding service_odd_port severity=low technique=T1571
SELECT 'A service on a port that is not its own' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) AS details, CASE WHEN bool_or(is_public(dst_ip)) THEN 'medium' ELSE 'low' END AS severity,
  dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE resp_bytes > 0 AND ((service = 'modbus' AND dst_port NOT IN (502, 802)) OR (service = 'dns' AND dst_port NOT IN (53, 5353, 5355, 853)) OR (service = 'ntp' AND dst_port <> 123)
  OR (service = 'http' AND NOT (dst_port IN (80, 81, 3128, 5985, 631, 1900, 7547) OR dst_port BETWEEN 8000 AND 8999))
  OR (service = 'tls' AND dst_port NOT IN (443, 465, 587, 636, 853, 990, 993, 995, 2083, 3269, 4443, 5061, 5671, 6514, 8443, 8883, 9443, 25, 21, 110, 143, 389, 3389, 5222, 5269, 5432, 3306)))
  AND history LIKE 'S%'
GROUP BY service, dst_ip, dst_port, capture ORDER BY dst_ip, dst_port;

-- @finding service_masquerade severity=medium technique=T1036,T1571
SELECT 'Another protocol than the port stands for' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) || ' (' || service_port_name || ')' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE transport = 'tcp' AND ((dst_port = 53 AND service <> 'dns') OR (dst_port = 22 AND service <> 'ssh') OR (dst_port = 23 AND service <> 'telnet') OR (dst_port = 443 AND service NOT IN ('tls', 'http')))
GROUP BY service, service_port_name, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding service_ot_it severity=medium technique=T0886
-- Industrial networks are the user's: `[networks] ot` of the settings. Without them nothing is inside or outside.
SELECT 'An industrial service is reached from outside its network' AS title, service || ' on port ' || CAST(dst_port AS VARCHAR) AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame,
  array_slice(array_agg(frame ORDER BY frame), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN (SELECT service FROM ot_services) AND resp_bytes > 0 AND is_ot(dst_ip) AND NOT is_ot(src_ip) GROUP BY service, src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;
