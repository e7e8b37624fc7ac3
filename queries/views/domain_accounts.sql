-- @kept
-- Logins of accounts of Windows domains: who, from where, to where, by which protocol, and whether it worked.
SELECT capture, capture_id, frame, ts, src_ip AS client, dst_ip AS server, lower(CAST(username AS VARCHAR)) AS account, CAST(domainname AS VARCHAR) AS domain, 'ntlm (' || CAST(carrier AS VARCHAR) || ')' AS protocol, success, CAST(target_spn AS VARCHAR) AS service FROM ntlm WHERE message_type = 3 AND username IS NOT NULL
UNION ALL
SELECT capture, capture_id, frame, ts, src_ip, dst_ip, lower(CAST(client AS VARCHAR)), CAST(realm AS VARCHAR), 'kerberos', success, CAST(service AS VARCHAR) FROM kerberos WHERE request_type = 'AS-REQ' AND client IS NOT NULL
UNION ALL
SELECT capture, capture_id, frame, ts, dst_ip, src_ip, lower(CAST(client AS VARCHAR)), CAST(realm AS VARCHAR), 'kerberos', true, CAST(service AS VARCHAR) FROM kerberos WHERE request_type = 'TGS-REP' AND client IS NOT NULL
UNION ALL
SELECT capture, capture_id, frame, ts, src_ip, dst_ip, lower(CAST(bind_name AS VARCHAR)), CAST(NULL AS VARCHAR), 'ldap bind', CAST(NULL AS BOOLEAN), CAST(NULL AS VARCHAR) FROM ldap WHERE opcode LIKE 'bind_request%' AND coalesce(bind_name, '') <> ''
