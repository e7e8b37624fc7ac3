-- @analyzer ldap
-- @group    it
-- @title    LDAP
-- @help     LDAP binds, searches, enumeration

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE op = 0) AS binds, count(*) FILTER (WHERE op = 3) AS searches, count(*) FILTER (WHERE op = 4) AS entries, count(*) FILTER (WHERE op IN (6, 8, 10, 12)) AS changes,
  count(DISTINCT CASE WHEN op IN (0, 3, 6, 8, 10, 12, 14, 23) THEN src_ip END) AS clients, count(DISTINCT CASE WHEN op IN (0, 3, 6, 8, 10, 12, 14, 23) THEN dst_ip END) AS servers,
  count(*) FILTER (WHERE cldap) AS "Over UDP", count(*) FILTER (WHERE sealed) AS "Sealed buffers", count(*) FILTER (WHERE extended_name = 'StartTLS' AND op = 23) AS "StartTLS asked", min(ts) AS first, max(ts) AS last FROM ldap;

-- @section "Binds" shape=table limit=25
SELECT b.src_ip AS client, b.dst_ip AS server, b.bind_name AS name, coalesce(b.sasl_mechanism, b.bind_method) AS method, count(*) FILTER (WHERE r.result_code = 0) AS ok, count(*) FILTER (WHERE r.result_code NOT IN (0, 14)) AS failed, max(r.ad_error) AS "AD error"
FROM ldap b LEFT JOIN ldap r ON r.capture_id = b.capture_id AND r.flow_id = b.flow_id AND r.op = 1 AND r.request_frame = b.frame AND r.message_id = b.message_id WHERE b.op = 0 GROUP BY b.src_ip, b.dst_ip, b.bind_name, b.sasl_mechanism, b.bind_method ORDER BY count(*) DESC, client, server, name;

-- @section "Searches" shape=table limit=25
SELECT q.src_ip AS client, q.base_object AS base, q.scope_name AS scope, q.filter AS filter, array_to_string(q.attributes, ', ') AS wanted, count(*) AS searches, sum(r.entry_count) AS entries, max(CASE WHEN r.result_code <> 0 THEN r.result END) AS error
FROM ldap q LEFT JOIN ldap r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.op = 5 AND r.request_frame = q.frame AND r.message_id = q.message_id WHERE q.op = 3 GROUP BY q.src_ip, q.base_object, q.scope_name, q.filter, q.attributes ORDER BY searches DESC, client, base, filter, wanted;

-- @section "Results other than success" shape=table limit=15
SELECT dst_ip AS client, opcode AS answer, result, ad_error AS "AD error", count(*) AS count FROM ldap WHERE result_code NOT IN (0, 14) GROUP BY dst_ip, opcode, result, ad_error ORDER BY count DESC, client, answer, result;

-- @section "Changes" shape=table
SELECT q.ts AS time, q.src_ip AS client, replace(q.opcode, '_request', '') AS change, q.object AS object, array_to_string(q.attributes, ', ') AS attributes, r.result FROM ldap q LEFT JOIN ldap r ON r.capture_id = q.capture_id AND r.flow_id = q.flow_id AND r.op = q.op + 1 AND r.request_frame = q.frame AND r.message_id = q.message_id WHERE q.op IN (6, 8, 10, 12) ORDER BY q.capture, q.frame, q.message_id;

-- @section "Objects returned" shape=table limit=25
SELECT kind, count(DISTINCT object) AS objects, array_to_string(array_slice(array_sort(array_agg(DISTINCT object)), 1, 3), '; ') AS names
FROM (SELECT object, CASE WHEN array_has("values", 'computer') THEN 'computers' WHEN array_has("values", 'user') OR array_has("values", 'person') OR array_has("values", 'inetOrgPerson') THEN 'users' WHEN array_has("values", 'group') OR array_has("values", 'groupOfNames') OR array_has("values", 'posixGroup') THEN 'groups' ELSE 'others' END AS kind
  FROM ldap_attributes WHERE opcode = 'search_entry' AND lower(attribute) = 'objectclass') GROUP BY kind ORDER BY objects DESC, kind;

-- @section "Entries" shape=table verbose
SELECT object, attribute, array_to_string(array_slice("values", 1, 4), ', ') AS "Values" FROM ldap_attributes WHERE opcode = 'search_entry' AND "values" IS NOT NULL ORDER BY capture, frame, message_id, object, attribute;

-- @section "Extended operations and controls" shape=table limit=15
SELECT name, count(*) AS messages, min(src_ip) AS "First from" FROM (SELECT coalesce(extended_name, extended_oid) AS name, src_ip FROM ldap WHERE op IN (23, 25) UNION ALL SELECT 'control ' || unnest(control_oids) AS name, src_ip FROM ldap WHERE control_oids IS NOT NULL) WHERE name IS NOT NULL GROUP BY name ORDER BY messages DESC, name;

-- @section "CLDAP pings" shape=table limit=15
SELECT src_ip AS client, dst_ip AS server, regexp_replace(filter, '^.*[(]DnsDomain=([^)]*)[)].*$', '\1', 'i') AS domain, CASE WHEN filter ILIKE '%(Host=%' THEN regexp_replace(filter, '^.*[(]Host=([^)]*)[)].*$', '\1', 'i') END AS host, CASE WHEN filter ILIKE '%(User=%' THEN regexp_replace(filter, '^.*[(]User=([^)]*)[)].*$', '\1', 'i') END AS account, count(*) AS pings
FROM ldap WHERE cldap AND op = 3 GROUP BY 1, 2, 3, 4, 5 ORDER BY pings DESC, client, server, domain;

-- @finding ldap_cleartext_bind severity=high confidence=high technique=T1040,T1552
SELECT 'A password is sent in clear' AS title, coalesce(bind_name, 'no name') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ldap WHERE bind_method = 'simple' AND password IS NOT NULL GROUP BY src_ip, dst_ip, dst_port, bind_name, capture ORDER BY src_ip, dst_ip, dst_port, details;

-- @finding ldap_unauthenticated_bind severity=medium confidence=high technique=T1078
SELECT 'A bind with a name and no password succeeds' AS title, b.bind_name AS details, b.src_ip, b.dst_ip, b.dst_port, count(*) AS count, min(b.frame) AS frame, array_slice(array_sort(array_agg(b.frame)), 1, 20) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, min(b.capture) AS capture
FROM ldap b JOIN ldap r ON r.capture_id = b.capture_id AND r.flow_id = b.flow_id AND r.op = 1 AND r.request_frame = b.frame AND r.message_id = b.message_id WHERE b.bind_method = 'unauthenticated' AND r.result_code = 0 GROUP BY b.capture_id, b.src_ip, b.dst_ip, b.dst_port, b.bind_name ORDER BY b.src_ip, b.dst_ip, b.dst_port, b.bind_name;

-- @finding ldap_anonymous_bind severity=low confidence=high technique=T1087.002
WITH bound AS (SELECT b.capture_id, b.flow_id, min(b.frame) AS frame FROM ldap b JOIN ldap r ON r.capture_id = b.capture_id AND r.flow_id = b.flow_id AND r.op = 1 AND r.request_frame = b.frame AND r.message_id = b.message_id WHERE b.bind_method = 'anonymous' AND r.result_code = 0 GROUP BY b.capture_id, b.flow_id),
named AS (SELECT capture_id, flow_id FROM ldap WHERE op = 0 AND bind_method <> 'anonymous' GROUP BY capture_id, flow_id)
SELECT 'A directory is searched without a login' AS title, CAST(count(*) AS VARCHAR) || ' searches, such as ' || coalesce(min(q.filter), 'one of all') AS details, q.src_ip, q.dst_ip, q.dst_port, count(*) AS count, min(q.frame) AS frame, array_slice(array_sort(array_agg(q.frame)), 1, 20) AS frames, min(q.ts) AS ts, max(q.ts) AS end_ts, min(q.capture) AS capture
FROM ldap q JOIN bound b ON b.capture_id = q.capture_id AND b.flow_id = q.flow_id AND b.frame < q.frame LEFT JOIN named n ON n.capture_id = q.capture_id AND n.flow_id = q.flow_id
WHERE q.op = 3 AND n.flow_id IS NULL AND NOT (q.base_object IS NULL AND q.scope = 0) GROUP BY q.capture_id, q.src_ip, q.dst_ip, q.dst_port ORDER BY q.src_ip, q.dst_ip, q.dst_port;

-- @finding ldap_brute_force severity=high confidence=high technique=T1110.001
WITH tries AS (SELECT b.capture, b.capture_id, b.src_ip, b.dst_ip, b.bind_name, b.frame, b.ts, r.result_code FROM ldap b JOIN ldap r ON r.capture_id = b.capture_id AND r.flow_id = b.flow_id AND r.op = 1 AND r.request_frame = b.frame AND r.message_id = b.message_id WHERE b.op = 0 AND b.bind_name IS NOT NULL),
failed AS (SELECT min(capture) AS capture, capture_id, src_ip, dst_ip, bind_name, CAST(ts AS BIGINT) / 300000000000 AS slot, count(*) AS n, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts FROM tries WHERE result_code = 49 GROUP BY capture_id, src_ip, dst_ip, bind_name, slot HAVING count(*) >= 10),
good AS (SELECT capture_id, src_ip, bind_name, max(frame) AS frame FROM tries WHERE result_code = 0 GROUP BY capture_id, src_ip, bind_name)
SELECT 'The password of one account is guessed' AS title, f.bind_name || ': ' || CAST(f.n AS VARCHAR) || ' failures within five minutes' || CASE WHEN g.frame > f.frame THEN ', then a success' ELSE '' END AS details, CASE WHEN g.frame > f.frame THEN 'critical' ELSE 'high' END AS severity, f.src_ip, f.dst_ip, f.n AS count, f.frame, f.frames, f.ts, f.end_ts, f.capture
FROM failed f LEFT JOIN good g ON g.capture_id = f.capture_id AND g.src_ip = f.src_ip AND g.bind_name = f.bind_name ORDER BY f.src_ip, f.dst_ip, f.frame;

-- @finding ldap_password_spray severity=high confidence=high technique=T1110.003
WITH failed AS (SELECT b.capture, b.capture_id, b.src_ip, b.bind_name, b.frame, b.ts FROM ldap b JOIN ldap r ON r.capture_id = b.capture_id AND r.flow_id = b.flow_id AND r.op = 1 AND r.request_frame = b.frame AND r.message_id = b.message_id WHERE b.op = 0 AND b.bind_name IS NOT NULL AND r.result_code = 49)
SELECT 'One source fails with many accounts' AS title, CAST(count(DISTINCT bind_name) AS VARCHAR) || ' accounts within ten minutes: ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT bind_name)), 1, 8), ', ') AS details, src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM failed GROUP BY capture_id, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING count(DISTINCT bind_name) >= 5 ORDER BY src_ip, frame;

-- @finding ldap_recon_tool severity=high confidence=medium technique=T1087.002,T1069.002,T1482
WITH kinds AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, CASE
    WHEN filter ILIKE '%serviceprincipalname=*%' AND filter NOT ILIKE '%(cn=%' THEN 'accounts with service names'
    WHEN filter ILIKE '%admincount=1%' THEN 'protected accounts'
    WHEN filter ILIKE '%1.2.840.113556.1.4.803:=4194304%' THEN 'accounts without pre-authentication'
    WHEN filter ILIKE '%1.2.840.113556.1.4.803:=524288%' OR filter ILIKE '%msds-allowedtodelegateto=*%' OR lower(array_to_string(attributes, ' ')) LIKE '%msds-allowedtodelegateto%' AND scope = 2 AND filter ILIKE '%=*%' THEN 'delegation'
    WHEN filter ILIKE '%objectclass=trusteddomain%' OR filter ILIKE '%objectcategory=trusteddomain%' THEN 'trusts'
    WHEN regexp_like(lower(coalesce(base_object, '') || ' ' || coalesce(filter, '')), 'cn=(domain admins|enterprise admins|schema admins|administrators|account operators|backup operators)') AND lower(array_to_string(attributes, ' ')) LIKE '%member%' THEN 'members of powerful groups'
    WHEN scope = 2 AND (filter ILIKE '%(samaccountname=*)%' OR lower(filter) IN ('(objectclass=user)', '(objectcategory=person)', '(objectclass=computer)')) THEN 'all accounts'
    WHEN scope = 2 AND lower(array_to_string(attributes, ' ')) LIKE '%ntsecuritydescriptor%' AND array_has(control_oids, '1.2.840.113556.1.4.801') THEN 'permissions of the tree' END AS kind
  FROM ldap WHERE op = 3)
-- Slow or fast: nobody who works with a directory asks for three of these.
SELECT 'A directory is explored in the manner of attack tools' AS title, array_to_string(array_sort(array_agg(DISTINCT kind)), ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM kinds WHERE kind IS NOT NULL GROUP BY capture_id, src_ip, dst_ip HAVING count(DISTINCT kind) >= 3 ORDER BY src_ip, dst_ip, frame;

-- @finding ldap_spn_enum severity=medium confidence=medium technique=T1558.003
SELECT 'All accounts with service names are asked for' AS title, min(filter) AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(q.capture) AS capture
FROM ldap q WHERE op = 3 AND scope = 2 AND filter ILIKE '%(serviceprincipalname=*)%' AND filter NOT ILIKE '%objectclass=computer%' AND NOT EXISTS (SELECT 1 FROM ldap d WHERE d.capture_id = q.capture_id AND d.op IN (1, 5) AND d.src_ip = q.src_ip) GROUP BY q.capture_id, src_ip, dst_ip ORDER BY src_ip, dst_ip;

-- @finding ldap_password_attribute_read severity=medium confidence=high technique=T1555,T1003
WITH names AS (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, message_id, flow_id, unnest(attributes) AS name FROM ldap WHERE op = 3),
asked AS (SELECT capture, capture_id, src_ip, dst_ip, name, frame, ts FROM names WHERE lower(name) IN ('ms-mcs-admpwd', 'mslaps-password', 'mslaps-encryptedpassword', 'msds-managedpassword', 'unixuserpassword', 'userpassword')),
given AS (SELECT capture_id, dst_ip AS client, lower(attribute) AS name, min(frame) AS frame FROM ldap_attributes WHERE opcode = 'search_entry' AND secret_values IS NOT NULL GROUP BY capture_id, dst_ip, lower(attribute))
SELECT 'A password is read from the directory' AS title, a.name || CASE WHEN g.frame IS NULL THEN ', not given' ELSE ', given in frame ' || CAST(g.frame AS VARCHAR) END AS details, CASE WHEN g.frame IS NULL THEN 'medium' ELSE 'critical' END AS severity, a.src_ip, a.dst_ip, count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, min(a.capture) AS capture
FROM asked a LEFT JOIN given g ON g.capture_id = a.capture_id AND g.client = a.src_ip AND g.name = lower(a.name) GROUP BY a.capture_id, a.src_ip, a.dst_ip, a.name, g.frame ORDER BY a.src_ip, a.dst_ip, a.name;

-- @finding ldap_bulk_dump severity=medium confidence=medium technique=T1087.002
SELECT 'A client takes much of the directory' AS title, CAST(sum(entry_count) AS VARCHAR) || ' entries within ten minutes' AS details, dst_ip AS src_ip, src_ip AS dst_ip, sum(entry_count) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ldap WHERE op = 5 AND entry_count > 0 GROUP BY capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 600000000000 HAVING sum(entry_count) >= 1000 ORDER BY src_ip, dst_ip, frame;

-- @finding ldap_sensitive_change severity=high confidence=medium technique=T1098,T1136.002
SELECT 'Rights or secrets in the directory are changed' AS title, change || ' ' || coalesce(object, '') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, object, coalesce(operation || ' ', '') || attribute || ' of' AS change FROM ldap_attributes
    WHERE opcode = 'modify_request' AND (lower(attribute) IN ('serviceprincipalname', 'msds-allowedtoactonbehalfofotheridentity', 'msds-keycredentiallink', 'useraccountcontrol', 'ntsecuritydescriptor', 'unicodepwd')
      OR lower(attribute) = 'member' AND regexp_like(lower(object), '^cn=(domain admins|enterprise admins|schema admins|administrators|account operators|backup operators|dnsadmins|group policy creator owners),'))
  UNION ALL SELECT capture, capture_id, src_ip, dst_ip, frame, ts, object, 'new account' AS change FROM ldap_attributes WHERE opcode = 'add_request' AND lower(attribute) = 'objectclass' AND (array_has("values", 'computer') OR array_has("values", 'user')))
GROUP BY capture_id, src_ip, dst_ip, object, change ORDER BY src_ip, dst_ip, details;

-- @finding ldap_external severity=medium confidence=high technique=T1133
SELECT 'Directory traffic crosses the border' AS title, CAST(count(*) AS VARCHAR) || ' requests' AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ldap WHERE op IN (0, 3, 6, 8, 10, 12, 14, 23) AND (is_public(src_ip) AND is_private(dst_ip) OR is_private(src_ip) AND is_public(dst_ip)) GROUP BY src_ip, dst_ip, dst_port, capture ORDER BY src_ip, dst_ip, dst_port;

-- @finding ldap_jndi_callback severity=critical confidence=high technique=T1190,T1203
SELECT 'A directory answer makes Java load code' AS title, array_to_string(array_sort(array_agg(DISTINCT attribute)), ', ') || coalesce(': ' || max(CASE WHEN lower(attribute) = 'javacodebase' THEN array_element("values", 1) END), '') AS details, dst_ip AS src_ip, src_ip AS dst_ip, count(DISTINCT frame) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(DISTINCT frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM ldap_attributes WHERE opcode = 'search_entry' AND lower(attribute) IN ('javacodebase', 'javafactory', 'javaserializeddata') GROUP BY dst_ip, src_ip, capture ORDER BY src_ip, dst_ip;

-- @finding cldap_amplification severity=high confidence=medium technique=T1498.002
WITH asked AS (SELECT DISTINCT capture_id, src_ip AS client, dst_ip AS server FROM ldap WHERE cldap AND op = 3)
SELECT 'CLDAP answers flood a host' AS title, CAST(count(*) AS VARCHAR) || ' answers within a minute that were not asked for' AS details, r.src_ip, r.dst_ip, count(*) AS count, min(r.frame) AS frame, array_slice(array_sort(array_agg(r.frame)), 1, 20) AS frames, min(r.ts) AS ts, max(r.ts) AS end_ts, min(r.capture) AS capture
FROM ldap r LEFT JOIN asked a ON a.capture_id = r.capture_id AND a.client = r.dst_ip AND a.server = r.src_ip WHERE r.cldap AND r.op = 5 AND a.client IS NULL GROUP BY r.capture_id, r.src_ip, r.dst_ip, CAST(r.ts AS BIGINT) / 60000000000 HAVING count(*) >= 10 ORDER BY r.src_ip, r.dst_ip, frame;
