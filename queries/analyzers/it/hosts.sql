-- @analyzer hosts
-- @group    it
-- @title    HOST ANALYSIS
-- @help     Hosts, names, services, OS, software

-- @section summary shape=facts
SELECT count(*) AS hosts, count(*) FILTER (WHERE scope IN ('private', 'ula')) AS own_net, count(*) FILTER (WHERE scope = 'public') AS public, count(*) FILTER (WHERE responded) AS responding,
  count(*) FILTER (WHERE NOT responded) AS addressed_only, count(DISTINCT mac) AS "MACs", count(*) FILTER (WHERE ip IS NULL) AS layer_2_only
FROM hosts WHERE ip IS NULL OR scope NOT IN ('multicast', 'broadcast');

-- @section "Hosts" shape=table limit=30
SELECT coalesce(ip, '-') AS address, coalesce(mac, 'via ' || via_mac) AS mac, array_element(hostnames, 1) AS name, array_to_string(roles, ', ') AS roles, array_to_string(services, ', ') AS services,
  packets_sent AS sent, packets_received AS received, peers, ts AS first, end_ts AS last
FROM hosts WHERE responded AND (ip IS NULL OR scope NOT IN ('multicast', 'broadcast'))
ORDER BY CASE WHEN scope IN ('private', 'ula') THEN 0 WHEN ip IS NULL THEN 2 ELSE 1 END, bytes_sent + bytes_received DESC, ip, mac;

-- @section "By VLAN" shape=table
SELECT vlan, count(*) AS hosts FROM (SELECT unnest(vlans) AS vlan FROM hosts WHERE responded) GROUP BY vlan ORDER BY vlan;

-- @section "Roles" shape=table
SELECT role, array_to_string(array_sort(array_agg(ip)), ', ') AS hosts FROM (SELECT ip, unnest(roles) AS role FROM hosts) GROUP BY role ORDER BY role;

-- @section "Layer-2-only devices" shape=table limit=15
SELECT mac, packets_sent AS frames, ts AS first, end_ts AS last FROM hosts WHERE ip IS NULL ORDER BY frames DESC, mac;

-- @section "Addressed but silent" shape=table limit=15
SELECT ip, peers AS askers, packets_received AS packets FROM hosts WHERE NOT responded AND scope NOT IN ('multicast', 'broadcast') AND (peers >= 3 OR packets_received >= 10) ORDER BY packets DESC, ip;
