-- @analyzer dhcp
-- @group    it
-- @title    DHCP ANALYSIS
-- @help     DHCP leases, servers, rogue and starvation signs

-- @section summary shape=facts
SELECT count(*) AS messages, count(*) FILTER (WHERE message_type = 1) AS discover, count(*) FILTER (WHERE message_type = 2) AS offer, count(*) FILTER (WHERE message_type = 3) AS request, count(*) FILTER (WHERE message_type = 5) AS ack,
  count(*) FILTER (WHERE message_type = 6) AS nak, count(*) FILTER (WHERE message_type = 4) AS decline, count(DISTINCT client_mac) AS clients, count(DISTINCT server_id) AS servers,
  count(DISTINCT CASE WHEN giaddr <> '0.0.0.0' THEN giaddr END) AS relays, (SELECT count(*) FROM dhcpv6) AS "DHCPv6 messages" FROM dhcp;

-- @section "Leases" shape=table limit=25
SELECT client_mac AS client, max(n.name) AS name, yiaddr AS address, server_id AS server, CASE WHEN giaddr <> '0.0.0.0' THEN giaddr END AS relay, max(lease_time_s) AS lease_s, count(*) AS acks, min(ts) AS first, max(ts) AS last
FROM dhcp LEFT JOIN (SELECT client_mac AS mac, max(coalesce(client_fqdn, host_name)) AS name FROM dhcp GROUP BY client_mac) n ON n.mac = client_mac
WHERE message_type = 5 AND yiaddr <> '0.0.0.0' GROUP BY client_mac, yiaddr, server_id, CASE WHEN giaddr <> '0.0.0.0' THEN giaddr END ORDER BY last DESC, client, address;

-- @section "Clients" shape=table limit=25
SELECT client_mac AS mac, max(coalesce(client_fqdn, host_name)) AS name, max(vendor_class) AS "Vendor class", max(fingerprint) AS fingerprint, count(*) AS messages FROM dhcp WHERE op = 1 GROUP BY client_mac ORDER BY messages DESC, mac;

-- @section "Servers" shape=table
SELECT server_id AS server, min(src_mac) AS mac, count(*) FILTER (WHERE message_type = 2) AS offers, count(*) FILTER (WHERE message_type = 5) AS acks, count(*) FILTER (WHERE message_type = 6) AS naks, max(subnet_mask) AS mask,
  max(array_to_string(routers, ', ')) AS routers, max(array_to_string(dns_servers, ', ')) AS dns, max(domain_name) AS domain, max(lease_time_s) AS lease_s
FROM dhcp WHERE op = 2 AND server_id IS NOT NULL GROUP BY server_id ORDER BY server;

-- @section "Boot and proxy options" shape=table limit=15
SELECT server_id AS server, boot_file, tftp_server, wpad_url, array_to_string(classless_routes, ', ') AS routes, count(*) AS messages FROM dhcp
WHERE op = 2 AND (boot_file IS NOT NULL OR tftp_server IS NOT NULL OR wpad_url IS NOT NULL OR array_length(classless_routes) > 0) GROUP BY server_id, boot_file, tftp_server, wpad_url, array_to_string(classless_routes, ', ') ORDER BY messages DESC, server;

-- @section "Exchanges" shape=table verbose
SELECT ts, message_type_name AS message, trans_id AS xid, client_mac AS client, yiaddr AS address, server_id AS server, frame FROM dhcp ORDER BY capture, frame;

-- @section "DHCPv6" shape=table limit=15 if=dhcpv6
SELECT message_type_name AS message, src_ip AS src, dst_ip AS dst, client_mac AS client, array_to_string(addresses, ', ') AS addresses, client_fqdn AS name, count(*) AS messages FROM dhcpv6
GROUP BY message_type_name, src_ip, dst_ip, client_mac, array_to_string(addresses, ', '), client_fqdn ORDER BY messages DESC, message, src, dst;

-- @finding dhcp_rogue_server severity=high confidence=medium technique=T1557.003
WITH offers AS (
  SELECT min(capture) AS capture, capture_id, vlan_id, trans_id, client_mac, server_id, max(array_to_string(routers, ',')) AS routers, max(array_to_string(dns_servers, ',')) AS dns, max(domain_name) AS domain, min(frame) AS frame, min(ts) AS ts
  FROM dhcp WHERE message_type = 2 AND yiaddr <> '0.0.0.0' AND giaddr = '0.0.0.0' AND server_id IS NOT NULL GROUP BY capture_id, vlan_id, trans_id, client_mac, server_id)
SELECT CASE WHEN b.routers LIKE '%' || b.server_id || '%' OR b.dns LIKE '%' || b.server_id || '%' THEN 'critical' ELSE 'high' END AS severity, 'Two DHCP servers disagree' AS title,
  a.server_id || ' offers router ' || coalesce(a.routers, '-') || ', DNS ' || coalesce(a.dns, '-') || '; ' || b.server_id || ' offers router ' || coalesce(b.routers, '-') || ', DNS ' || coalesce(b.dns, '-') AS details,
  b.server_id AS src_ip, count(*) AS count, min(b.frame) AS frame, make_array(min(a.frame), min(b.frame)) AS frames, min(b.ts) AS ts, max(b.ts) AS end_ts, min(a.capture) AS capture
FROM offers a JOIN offers b ON b.capture_id = a.capture_id AND b.trans_id = a.trans_id AND b.client_mac = a.client_mac AND coalesce(b.vlan_id, 0) = coalesce(a.vlan_id, 0) AND b.frame > a.frame AND b.server_id <> a.server_id
WHERE coalesce(a.routers, '') <> coalesce(b.routers, '') OR coalesce(a.dns, '') <> coalesce(b.dns, '') OR coalesce(a.domain, '') <> coalesce(b.domain, '')
GROUP BY a.capture_id, a.server_id, b.server_id, a.routers, b.routers, a.dns, b.dns ORDER BY a.server_id, b.server_id;

-- @finding dhcp_conflicting_options severity=high confidence=high technique=T1557.003
SELECT 'One server, two different answers' AS title, server_id || ': domain ' || array_to_string(array_sort(array_agg(DISTINCT domain_name)), ' and ') || ', router ' || array_to_string(array_sort(array_agg(DISTINCT array_to_string(routers, '/'))), ' and ') AS details,
  server_id AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dhcp WHERE message_type IN (2, 5) AND server_id IS NOT NULL GROUP BY capture_id, server_id, trans_id, client_mac
HAVING count(DISTINCT domain_name) > 1 OR count(DISTINCT array_to_string(routers, '/')) > 1 OR count(DISTINCT array_to_string(dns_servers, '/')) > 1 ORDER BY src_ip, frame;

-- @finding dhcp_starvation severity=high confidence=medium technique=T1499,T0814
SELECT 'One station asks for many clients' AS title, src_mac || ' sends for ' || CAST(count(DISTINCT client_mac) AS VARCHAR) || ' client addresses within a minute' AS details, count(*) AS count, min(frame) AS frame,
  array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dhcp WHERE message_type IN (1, 3) AND giaddr = '0.0.0.0' AND client_mac <> src_mac GROUP BY capture_id, src_mac, CAST(ts AS BIGINT) / 60000000000 HAVING count(DISTINCT client_mac) >= 20 ORDER BY frame;

-- @finding dhcp_nak_flood severity=medium confidence=high technique=T1499
SELECT 'A server refuses many requests' AS title, CAST(count(*) AS VARCHAR) || ' NAK within a minute' AS details, server_id AS src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dhcp WHERE message_type = 6 GROUP BY capture_id, server_id, CAST(ts AS BIGINT) / 60000000000 HAVING count(*) >= 20 AND count(*) > count(DISTINCT client_mac) ORDER BY frame;

-- @finding dhcp_request_flood severity=medium confidence=high technique=T1499
SELECT 'One client floods the server' AS title, client_mac || ': up to ' || CAST(max(n) AS VARCHAR) || ' messages a second' AS details, sum(n) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, client_mac, CAST(ts AS BIGINT) / 1000000000 AS second, count(*) AS n, min(frame) AS frame, min(ts) AS ts FROM dhcp WHERE op = 1 GROUP BY capture_id, client_mac, CAST(ts AS BIGINT) / 1000000000)
WHERE n > 50 GROUP BY capture_id, client_mac ORDER BY client_mac;

-- @finding dhcp_wpad severity=medium technique=T1557
SELECT 'DHCP hands out a proxy configuration' AS title, wpad_url AS details, server_id AS src_ip, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture FROM dhcp WHERE op = 2 AND wpad_url IS NOT NULL GROUP BY wpad_url, server_id, capture ORDER BY src_ip, details;

-- @finding dhcp_malformed severity=low confidence=high
SELECT 'Malformed DHCP' AS title, CASE WHEN array_length(duplicate_options) > 0 THEN 'options given twice: ' || array_to_string(duplicate_options, ', ') ELSE message_type_name END AS details, src_ip, dst_ip, frame, ts, capture
FROM dhcp WHERE array_length(duplicate_options) > 0 OR message_type_name LIKE 'TYPE-%' ORDER BY capture, frame;

-- @finding dhcp_decline_conflict severity=low confidence=high
SELECT 'A client declined the address it was given' AS title, client_mac || ' declined ' || array_to_string(array_sort(array_agg(DISTINCT requested_addr)), ', ') AS details, min(src_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dhcp WHERE message_type_name = 'DECLINE' GROUP BY client_mac, capture ORDER BY client_mac;

-- @finding dhcp_routes_hijack severity=medium confidence=medium technique=T1557
SELECT 'A lease redirects traffic' AS title, 'routes ' || array_to_string(classless_routes, ', ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dhcp WHERE classless_routes IS NOT NULL AND regexp_like(array_to_string(classless_routes, ' '), '(^| )(0\.0\.0\.0/1|128\.0\.0\.0/1)( |$)') GROUP BY classless_routes, src_ip, dst_ip, capture ORDER BY src_ip, dst_ip;

-- @finding dhcp_option_exfil severity=medium confidence=medium technique=T1048.003
SELECT 'A client changes its names without end' AS title, client_mac || ' sent ' || CAST(count(DISTINCT value) AS VARCHAR) || ' different long names' AS details, min(src_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM (SELECT capture, capture_id, client_mac, src_ip, frame, ts, coalesce(host_name, vendor_class) AS value FROM dhcp WHERE op = 1)
WHERE length(value) >= 32 AND entropy(value) >= 4 GROUP BY capture_id, client_mac HAVING count(DISTINCT value) >= 5 ORDER BY client_mac;

-- @finding dhcp_boot_untrusted severity=medium confidence=medium technique=T1542.005
SELECT 'Clients are told to boot from the internet' AS title, coalesce(boot_file, 'no file') || ' from ' || siaddr AS details, src_ip, siaddr AS dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM dhcp WHERE op = 2 AND boot_file IS NOT NULL AND is_public(siaddr) AND is_private(src_ip) GROUP BY boot_file, src_ip, siaddr, capture ORDER BY src_ip, dst_ip;

-- @finding dhcp_second_server severity=high confidence=medium technique=T1557.003
-- Two servers lease addresses of one network and send clients to different routers or name servers: one of them is not the site's.
-- Servers that share a pool agree on both.
WITH leases AS (
  SELECT capture, capture_id, coalesce(vlan_id, 0) AS vlan, server_id, regexp_replace(yiaddr, '[.][0-9]+$', '') AS net, coalesce(array_to_string(array_sort(routers), ', '), '-') AS routers, coalesce(array_to_string(array_sort(dns_servers), ', '), '-') AS dns, client_mac, giaddr, frame, ts
  FROM dhcp WHERE message_type IN (2, 5) AND yiaddr IS NOT NULL AND yiaddr <> '0.0.0.0' AND server_id IS NOT NULL),
servers AS (
  SELECT min(capture) AS capture, capture_id, vlan, net, server_id, min(routers) AS routers, min(dns) AS dns, count(DISTINCT client_mac) AS clients, bool_and(giaddr = '0.0.0.0') AS direct, bool_or(routers LIKE '%' || server_id || '%') AS is_router, bool_or(dns LIKE '%' || server_id || '%') AS is_dns, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts
  FROM leases GROUP BY capture_id, vlan, net, server_id),
ranked AS (
  -- The stranger: makes itself the router, answers without a relay where the other is relayed, serves fewer.
  SELECT a.*, b.server_id AS other, b.routers AS other_routers, b.dns AS other_dns, b.clients AS other_clients,
    (CASE WHEN a.is_router AND a.is_dns THEN 4 WHEN a.is_router THEN 2 ELSE 0 END + CASE WHEN a.direct AND NOT b.direct THEN 2 ELSE 0 END + CASE WHEN a.clients < b.clients THEN 1 ELSE 0 END) - (CASE WHEN b.is_router AND b.is_dns THEN 4 WHEN b.is_router THEN 2 ELSE 0 END + CASE WHEN b.direct AND NOT a.direct THEN 2 ELSE 0 END + CASE WHEN b.clients < a.clients THEN 1 ELSE 0 END) AS strangeness
  FROM servers a JOIN servers b ON b.capture_id = a.capture_id AND b.vlan = a.vlan AND b.net = a.net AND b.server_id <> a.server_id WHERE a.routers <> b.routers OR a.dns <> b.dns)
SELECT CASE WHEN is_router AND is_dns THEN 'high' ELSE 'medium' END AS confidence, 'A second DHCP server sends clients elsewhere' AS title, server_id || ' gives router ' || routers || ', DNS ' || dns || ' to ' || CAST(clients AS VARCHAR) || ' clients of ' || net || '.0; ' || other || ' gives router ' || other_routers || ', DNS ' || other_dns || ' to ' || CAST(other_clients AS VARCHAR) AS details,
  server_id AS src_ip, clients AS count, frame, frames, ts, end_ts, capture
FROM ranked WHERE strangeness > 0 OR strangeness = 0 AND server_id > other ORDER BY frame, details;

-- @finding dhcp_public_server severity=high confidence=high technique=T1557.003
-- Where the leases themselves are public a provider serves its customers; where a relay inside asks it, the network chose the server.
SELECT 'Leases of an inner network come from a public address' AS title, 'server ' || coalesce(server_id, src_ip) || CASE WHEN is_public(giaddr) THEN ', relay ' || giaddr ELSE '' END || ' leases ' || array_to_string(array_slice(array_sort(array_agg(DISTINCT yiaddr)), 1, 4), ', ') AS details, coalesce(server_id, src_ip) AS src_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM dhcp WHERE op = 2 AND message_type IN (2, 5) AND yiaddr IS NOT NULL AND is_private(yiaddr) AND (is_public(giaddr) OR coalesce(giaddr, '0.0.0.0') = '0.0.0.0' AND (is_public(server_id) OR is_public(src_ip))) GROUP BY capture_id, coalesce(server_id, src_ip), giaddr ORDER BY src_ip, frame;
