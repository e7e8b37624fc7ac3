-- @analyzer domain
-- @group    it
-- @title    WINDOWS DOMAIN
-- @help     Domains, controllers, members, accounts, and who attacks the directory

-- @section summary shape=facts
SELECT (SELECT count(DISTINCT lower(CAST(server_tree_name AS VARCHAR))) FROM ntlm WHERE server_tree_name IS NOT NULL) AS forests,
  (SELECT count(DISTINCT domain) FROM (SELECT lower(CAST(server_dns_domain_name AS VARCHAR)) AS domain FROM ntlm WHERE server_dns_domain_name IS NOT NULL UNION ALL SELECT domain FROM domain_controllers WHERE domain LIKE '%.%' UNION ALL SELECT lower(CAST(realm AS VARCHAR)) FROM kerberos WHERE realm IS NOT NULL)) AS domains,
  (SELECT count(DISTINCT ip) FROM domain_controllers) AS controllers, (SELECT count(DISTINCT client) FROM domain_accounts) AS members, (SELECT count(DISTINCT account) FROM domain_accounts WHERE account NOT LIKE '%$') AS accounts, (SELECT count(DISTINCT account) FROM domain_accounts WHERE account LIKE '%$') AS machine_accounts,
  (SELECT count(DISTINCT upper(CAST(service AS VARCHAR))) FROM kerberos WHERE request_type IN ('TGS-REQ', 'TGS-REP') AND service LIKE 'krbtgt/%' AND upper(split_part(CAST(service AS VARCHAR), '/', 2)) <> upper(CAST(realm AS VARCHAR))) AS trusts;

-- @section "Domains" shape=table
SELECT domain AS "DNS name", max(netbios) AS "NetBIOS", max(forest) AS forest, array_to_string(array_sort(array_agg(DISTINCT controller) FILTER (WHERE controller IS NOT NULL)), ', ') AS controllers, array_to_string(array_sort(array_agg(DISTINCT source)), ', ') AS sources FROM (
  SELECT lower(CAST(server_dns_domain_name AS VARCHAR)) AS domain, CAST(server_nb_domain_name AS VARCHAR) AS netbios, lower(CAST(server_tree_name AS VARCHAR)) AS forest, CAST(NULL AS VARCHAR) AS controller, 'ntlm challenge' AS source FROM ntlm WHERE server_dns_domain_name IS NOT NULL AND lower(CAST(server_dns_domain_name AS VARCHAR)) <> lower(coalesce(CAST(server_dns_computer_name AS VARCHAR), ''))
  UNION ALL SELECT domain, NULL, NULL, ip, role FROM domain_controllers WHERE domain IS NOT NULL AND role <> 'browser announcement'
  UNION ALL SELECT lower(CAST(realm AS VARCHAR)), NULL, NULL, NULL, 'kerberos realm' FROM kerberos WHERE realm IS NOT NULL) GROUP BY domain ORDER BY domain;

-- @section "Controllers" shape=table
SELECT c.ip AS address, array_element(max(h.hostnames), 1) AS name, max(c.domain) AS domain, array_to_string(array_sort(array_agg(DISTINCT c.role)), ', ') AS roles, max(h.os) AS os, max(s.signing) AS "SMB signing", max(l.level) AS "Functional level", max(f.flows) AS "Answered flows"
FROM domain_controllers c LEFT JOIN hosts h ON h.capture_id = c.capture_id AND h.ip = c.ip
LEFT JOIN (SELECT capture_id, dst_ip AS ip, max(CAST(security_mode AS VARCHAR)) AS signing FROM smb WHERE security_mode IS NOT NULL GROUP BY capture_id, dst_ip) s ON s.capture_id = c.capture_id AND s.ip = c.ip
LEFT JOIN (SELECT capture_id, src_ip AS ip, max(array_element(values, 1)) AS level FROM ldap_attributes WHERE lower(attribute) = 'domaincontrollerfunctionality' GROUP BY capture_id, src_ip) l ON l.capture_id = c.capture_id AND l.ip = c.ip
LEFT JOIN (SELECT capture_id, dst_ip AS ip, count(*) AS flows FROM flows WHERE resp_packets > 0 GROUP BY capture_id, dst_ip) f ON f.capture_id = c.capture_id AND f.ip = c.ip
GROUP BY c.ip ORDER BY c.ip;

-- @section "Members" shape=table limit=25
SELECT a.client AS address, array_element(max(h.hostnames), 1) AS name, max(h.os) AS os, array_to_string(array_slice(array_sort(array_agg(DISTINCT a.account)), 1, 4), ', ') AS accounts, max(a.ts) AS last
FROM domain_accounts a LEFT JOIN hosts h ON h.capture_id = a.capture_id AND h.ip = a.client LEFT JOIN (SELECT DISTINCT capture_id, ip FROM domain_controllers) c ON c.capture_id = a.capture_id AND c.ip = a.client WHERE c.ip IS NULL GROUP BY a.client ORDER BY last DESC, address;

-- @section "Accounts" shape=table limit=25
SELECT account || coalesce(' (' || max(domain) || ')', '') AS account, CASE WHEN account LIKE '%$' THEN 'machine' WHEN bool_or(account LIKE 'krbtgt%') THEN 'service' ELSE 'user' END AS kind, array_to_string(array_slice(array_sort(array_agg(DISTINCT client)), 1, 3), ', ') AS hosts, array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols,
  count(*) FILTER (WHERE success) AS ok, count(*) FILTER (WHERE NOT success) AS failed, array_to_string(array_slice(array_sort(array_agg(DISTINCT service) FILTER (WHERE service LIKE '%/%' AND service NOT LIKE 'krbtgt/%')), 1, 3), ', ') AS "Services asked for" FROM domain_accounts GROUP BY account ORDER BY count(*) DESC, account;

-- @section "Directory services used" shape=table limit=25
SELECT client, server, service, count(*) AS requests, count(*) FILTER (WHERE failed) AS errors FROM (
  SELECT src_ip AS client, dst_ip AS server, CASE WHEN dst_port = 464 THEN 'kpasswd' ELSE 'kerberos' END AS service, success = false AS failed, capture_id FROM kerberos WHERE carrier = 'kdc' AND request_type IN ('AS-REQ', 'TGS-REQ')
  UNION ALL SELECT src_ip, dst_ip, CASE WHEN cldap THEN 'cldap' WHEN dst_port IN (3268, 3269) THEN 'gc' ELSE 'ldap' END, false, capture_id FROM ldap WHERE op IN (0, 3, 6, 8, 10, 23)
  UNION ALL SELECT src_ip, dst_ip, CAST(endpoint AS VARCHAR), coalesce(return_code, 0) <> 0, capture_id FROM dcerpc WHERE ptype_name = 'request' AND endpoint IN ('samr', 'lsarpc', 'netlogon', 'drsuapi')
  UNION ALL SELECT src_ip, dst_ip, 'smb ' || lower(CAST(share_name AS VARCHAR)), status_code <> 0, capture_id FROM smb_mappings WHERE lower(share_name) IN ('sysvol', 'netlogon', 'ipc$')
  UNION ALL SELECT src_ip, dst_ip, 'dns srv', false, capture_id FROM dns WHERE NOT is_response AND qtype_name = 'SRV' AND (strpos(lower(query), '._msdcs.') > 0 OR starts_with(lower(query), '_ldap.') OR starts_with(lower(query), '_kerberos.'))) u
GROUP BY client, server, service ORDER BY requests DESC, client, server, service;

-- @section "Attack path" shape=timeline limit=30
SELECT ts AS time, severity, detection, title, details, src_ip AS source, dst_ip AS target, frame FROM findings WHERE source IN ('ldap', 'kerberos', 'ntlm', 'rpc', 'smb', 'domain') AND severity IN ('critical', 'high', 'medium') ORDER BY capture, ts, frame, detection, details;

-- @section "Who looked for controllers" shape=table limit=25 verbose
SELECT ts AS time, src_ip AS client, query AS name, dst_ip AS server, frame FROM dns WHERE NOT is_response AND qtype_name = 'SRV' AND (strpos(lower(query), '._msdcs.') > 0 OR starts_with(lower(query), '_ldap.') OR starts_with(lower(query), '_kerberos.')) ORDER BY capture, frame;

-- @section "Policies read" shape=table limit=25 verbose if=smb_files
SELECT ts AS time, src_ip AS client, dst_ip AS server, path, username, frame FROM smb_files WHERE lower(share) LIKE '%sysvol' AND lower(path) LIKE '%policies%' ORDER BY capture, frame, path;

-- @finding domain_rogue_dc severity=critical confidence=medium technique=T1207
WITH acting AS (SELECT capture, capture_id, ip, domain, role, min(frame) AS frame, min(ts) AS ts FROM domain_controllers WHERE role IN ('kdc', 'ldap') AND domain IS NOT NULL GROUP BY capture, capture_id, ip, domain, role),
listed AS (SELECT capture_id, domain, array_sort(array_agg(DISTINCT ip)) AS ips FROM domain_controllers WHERE role LIKE '%(srv)' AND domain IS NOT NULL GROUP BY capture_id, domain)
SELECT 'A host acts as a controller that its domain does not list' AS title, a.ip || ' answers as ' || a.role || ' of ' || a.domain || '; listed are ' || array_to_string(array_sort(l.ips), ', ') AS details, a.ip AS src_ip, a.frame, a.ts, a.capture
FROM acting a JOIN listed l ON l.capture_id = a.capture_id AND l.domain = a.domain WHERE NOT array_has(l.ips, a.ip) AND strpos(a.ip, ':') = 0
UNION ALL
SELECT 'A controller is being added' AS title, coalesce(operation, '') || coalesce(' ' || detail, '') AS details, src_ip, frame, ts, capture FROM dcerpc c WHERE ptype_name = 'request' AND endpoint = 'drsuapi' AND operation IN ('DRSAddEntry', 'IDL_DRSAddEntry', 'DRSReplicaAdd', 'IDL_DRSReplicaAdd') AND NOT EXISTS (SELECT 1 FROM domain_controllers k WHERE k.capture_id = c.capture_id AND k.ip = c.src_ip) ORDER BY capture, frame, details;

-- @finding domain_recon_chain severity=high confidence=medium technique=T1087.002,T1482,T1069.002,T1615
WITH steps AS (
  SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'all users' AS step FROM ldap WHERE regexp_like(lower(filter), 'objectclass=user|objectcategory=person|samaccounttype=805306368') AND scope = 2
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'service names' FROM ldap WHERE strpos(lower(filter), 'serviceprincipalname=*') > 0
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'administrators' FROM ldap WHERE strpos(lower(filter), 'admincount') > 0
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'trusts' FROM ldap WHERE strpos(lower(filter), 'trusteddomain') > 0
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'SAMR lists' FROM dcerpc WHERE ptype_name = 'request' AND endpoint = 'samr' AND operation LIKE '%Enumerate%'
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'trusts' FROM dcerpc WHERE ptype_name = 'request' AND (operation LIKE '%DsrEnumerateDomainTrusts%' OR operation LIKE '%EnumerateTrustedDomains%')
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, 'policy passwords' FROM smb_files WHERE lower(share) LIKE '%sysvol' AND regexp_like(lower(path), 'groups[.]xml|services[.]xml|scheduledtasks[.]xml|datasources[.]xml|drives[.]xml|printers[.]xml')
  UNION ALL SELECT capture, capture_id, src_ip, min(dst_ip), min(ts), min(frame), 'sessions of many hosts' FROM dcerpc WHERE ptype_name = 'request' AND operation LIKE '%NetrSessionEnum%' GROUP BY capture, capture_id, src_ip HAVING count(DISTINCT dst_ip) >= 5)
SELECT 'A host maps the directory' AS title, array_to_string(array_sort(array_agg(DISTINCT step)), ', ') AS details, src_ip, min(dst_ip) AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM steps GROUP BY capture, capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT step) >= 3 ORDER BY capture, frame;

-- @finding domain_exposed severity=critical confidence=high technique=T1133
SELECT 'A controller is open to the internet' AS title, f.service || ' of ' || f.dst_ip || ', used by ' || CAST(count(DISTINCT f.src_ip) AS VARCHAR) || ' public addresses' AS details, min(f.src_ip) AS src_ip, f.dst_ip, f.dst_port, count(*) AS count, min(f.frame) AS frame, array_slice(array_sort(array_agg(f.frame)), 1, 20) AS frames, min(f.ts) AS ts, max(f.end_ts) AS end_ts, f.capture
FROM flows f JOIN (SELECT DISTINCT capture_id, ip FROM domain_controllers) c ON c.capture_id = f.capture_id AND c.ip = f.dst_ip WHERE is_public(f.src_ip) AND f.resp_packets > 0 AND f.service IN ('kerberos', 'ldap', 'smb', 'dcerpc') GROUP BY f.capture, f.capture_id, f.service, f.dst_ip, f.dst_port ORDER BY f.capture, frame;

-- @finding domain_ntlm_on_dc severity=low confidence=low technique=T1557.001
SELECT 'NTLM where Kerberos could be' AS title, 'to a controller by its address, ' || CAST(count(*) AS VARCHAR) || ' logins of ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT n.username)), 1, 3), ', ') AS details, n.src_ip, n.dst_ip, n.dst_port, count(*) AS count, min(n.frame) AS frame, array_slice(array_sort(array_agg(n.frame)), 1, 20) AS frames, min(n.ts) AS ts, max(n.ts) AS end_ts, n.capture
FROM ntlm n JOIN (SELECT DISTINCT capture_id, ip FROM domain_controllers WHERE role = 'kdc') c ON c.capture_id = n.capture_id AND c.ip = n.dst_ip WHERE n.message_type = 3 AND n.username IS NOT NULL AND regexp_like(coalesce(n.target_spn, '/' || n.dst_ip), '/[0-9.]+$') GROUP BY n.capture, n.capture_id, n.src_ip, n.dst_ip, n.dst_port ORDER BY n.capture, frame;

-- @finding domain_clock_skew severity=low confidence=medium
SELECT 'A controller''s clock is off' AS title, src_ip || ' by ' || CAST(round(max(abs(CAST(server_ts AS BIGINT) - CAST(ts AS BIGINT))) / 1e9) AS VARCHAR) || ' s against the capture' AS details, src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ntlm n WHERE message_type = 2 AND server_ts IS NOT NULL AND EXISTS (SELECT 1 FROM domain_controllers k WHERE k.capture_id = n.capture_id AND k.ip = n.src_ip)
  AND EXISTS (SELECT 1 FROM ntlm o WHERE o.capture_id = n.capture_id AND o.message_type = 2 AND o.server_ts IS NOT NULL AND abs(CAST(o.server_ts AS BIGINT) - CAST(o.ts AS BIGINT)) <= 300000000000) AND CAST(server_ts AS BIGINT) > 0 AND abs(CAST(server_ts AS BIGINT) - CAST(ts AS BIGINT)) > 300000000000 GROUP BY capture, capture_id, src_ip ORDER BY capture, src_ip;

-- @finding domain_gpp_password severity=high confidence=high technique=T1552.006
SELECT 'A password in a policy file' AS title, coalesce(filename, 'a file of SYSVOL') || ' holds a cpassword' AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM strings WHERE kind = 'credential' AND context = 'smb_file' AND strpos(lower(value), 'cpassword') > 0 ORDER BY capture, frame;

-- @finding domain_machine_from_two_hosts severity=high confidence=medium technique=T1550.003
WITH logins AS (SELECT capture, capture_id, account, client, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM domain_accounts WHERE account LIKE '%$' AND coalesce(success, true) AND is_private(client) GROUP BY capture, capture_id, account, client)
SELECT 'One machine account, two machines' AS title, a.account || ' from ' || a.client || ' and ' || b.client AS details, b.client AS src_ip, a.client AS dst_ip, a.frame, make_array(a.frame, b.frame) AS frames, least(a.ts, b.ts) AS ts, greatest(a.end_ts, b.end_ts) AS end_ts, a.capture
FROM logins a JOIN logins b ON b.capture_id = a.capture_id AND b.account = a.account AND a.client < b.client LEFT JOIN hosts x ON x.capture_id = a.capture_id AND x.ip = a.client LEFT JOIN hosts y ON y.capture_id = b.capture_id AND y.ip = b.client
WHERE abs(CAST(a.ts AS BIGINT) - CAST(b.ts AS BIGINT)) <= 3600000000000 AND ((x.mac IS DISTINCT FROM y.mac) OR x.mac IS NULL) AND NOT EXISTS (SELECT 1 FROM domain_controllers k WHERE k.capture_id = a.capture_id AND k.ip = a.client) AND NOT EXISTS (SELECT 1 FROM domain_controllers k WHERE k.capture_id = b.capture_id AND k.ip = b.client) ORDER BY details;

-- @finding domain_new_machine_account severity=medium confidence=medium technique=T1136.002
SELECT 'A computer is added to the domain' AS title, coalesce(object, '') AS details, src_ip, dst_ip, dst_port, min(frame) AS frame, min(ts) AS ts, capture FROM ldap_attributes WHERE opcode = 'add_request' AND lower(attribute) = 'objectclass' AND array_has(values, 'computer') GROUP BY capture, capture_id, object, src_ip, dst_ip, dst_port
UNION ALL
SELECT 'A computer is added to the domain' AS title, coalesce(detail, operation) AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM dcerpc WHERE ptype_name = 'request' AND endpoint = 'samr' AND operation LIKE '%CreateUser2InDomain%' AND detail LIKE '%$%' ORDER BY capture, frame, details;
