-- @kept
-- Controllers of Windows domains, and who acts as one: each with the domain it answers for, if that was told.
WITH told AS (
  SELECT capture, capture_id, frame, ts, src_ip AS ip, lower(CAST(realm AS VARCHAR)) AS domain, 'kdc' AS role FROM kerberos WHERE carrier = 'kdc' AND request_type IN ('AS-REP', 'TGS-REP')
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, lower(CAST(realm AS VARCHAR)), 'kdc' FROM kerberos WHERE carrier = 'kdc' AND request_type = 'KRB-ERROR' AND src_port = 88
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, lower(regexp_replace(regexp_replace(array_element(values, 1), '(?i)^dc=', ''), '(?i),dc=', '.', 'g')), 'ldap' FROM ldap_attributes WHERE lower(attribute) IN ('defaultnamingcontext', 'rootdomainnamingcontext') AND array_element(values, 1) ILIKE 'dc=%'
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, CAST(NULL AS VARCHAR), 'netlogon ping' FROM ldap_attributes WHERE lower(attribute) = 'netlogon' AND src_port = 389
  UNION ALL SELECT capture, capture_id, frame, ts, dst_ip, CAST(NULL AS VARCHAR), lower(share_name) FROM smb_mappings WHERE lower(share_name) IN ('sysvol', 'netlogon') AND status_code = 0
  UNION ALL SELECT capture, capture_id, frame, ts, src_ip, lower(CAST(server_name AS VARCHAR)), 'browser announcement' FROM nbdgm WHERE browser_command_name = 'host_announcement' AND server_type & 24 > 0
  UNION ALL SELECT r.capture, r.capture_id, r.frame, r.ts, h.address, lower(substr(r.name, strpos(lower(r.name), '._msdcs.') + 8)), CASE WHEN strpos(lower(r.name), '.pdc.') > 0 THEN 'pdc (srv)' WHEN strpos(lower(r.name), '.gc.') > 0 THEN 'gc (srv)' ELSE 'dc (srv)' END
    FROM dns_records r JOIN (SELECT capture_id, lower(name) AS name, address FROM dns_records WHERE address IS NOT NULL GROUP BY capture_id, lower(name), address) h ON h.capture_id = r.capture_id AND h.name = lower(rtrim(r.target, '.'))
    WHERE r.type_name = 'SRV' AND strpos(lower(r.name), '._msdcs.') > 0 AND r.is_response
)
SELECT t.capture, t.capture_id, t.ip, coalesce(t.domain, n.domain) AS domain, t.role, min(t.frame) AS frame, min(t.ts) AS ts, count(*) AS times
FROM told t LEFT JOIN (SELECT capture_id, src_ip AS ip, max(lower(CAST(server_dns_domain_name AS VARCHAR))) AS domain FROM ntlm WHERE message_type = 2 GROUP BY capture_id, src_ip) n ON n.capture_id = t.capture_id AND n.ip = t.ip
WHERE t.ip IS NOT NULL GROUP BY t.capture, t.capture_id, t.ip, coalesce(t.domain, n.domain), t.role
