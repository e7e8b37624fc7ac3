-- @table arp
-- Which address is claimed by more than one card?
SELECT sender_ip, count(DISTINCT sender_mac) AS cards, array_agg(DISTINCT sender_mac) AS macs FROM arp WHERE sender_ip <> '0.0.0.0' GROUP BY sender_ip HAVING count(DISTINCT sender_mac) > 1 ORDER BY sender_ip;
-- Who asks for many addresses?
SELECT sender_ip, count(DISTINCT target_ip) AS asked FROM arp WHERE operation = 'request' GROUP BY sender_ip ORDER BY asked DESC, sender_ip;
-- Which replies did nobody ask for?
SELECT ts, sender_ip, sender_mac, target_ip FROM arp WHERE operation = 'reply' AND NOT solicited ORDER BY ts, frame;
-- @table cdp
-- Which devices say what they are?
SELECT device_id, platform, software_version, management_addresses FROM cdp GROUP BY device_id, platform, software_version, management_addresses ORDER BY device_id;
-- Which port of which device is this?
SELECT device_id, port_id, native_vlan, voice_vlan FROM cdp GROUP BY device_id, port_id, native_vlan, voice_vlan ORDER BY device_id, port_id;
-- Which device changed what it says?
SELECT ts, device_id, changed_fields FROM cdp WHERE changed_fields IS NOT NULL ORDER BY ts, device_id;
-- @table lldp
-- Which neighbours announce themselves?
SELECT system_name, chassis_id, port_id, system_description FROM lldp GROUP BY system_name, chassis_id, port_id, system_description ORDER BY system_name, port_id;
-- Which neighbours say goodbye?
SELECT ts, chassis_id, port_id FROM lldp WHERE ttl_s = 0 ORDER BY ts, frame;
-- Where are PROFINET stations?
SELECT system_name, profinet_station, management_addresses FROM lldp WHERE profinet_station IS NOT NULL GROUP BY system_name, profinet_station, management_addresses ORDER BY system_name;
-- @table stp
-- Who is the root of the spanning tree?
SELECT vlan_id, root_mac, root_priority, count(*) AS messages FROM stp GROUP BY vlan_id, root_mac, root_priority ORDER BY messages DESC, root_mac;
-- When did the topology change?
SELECT ts, bridge_mac, vlan_id FROM stp WHERE topology_change ORDER BY ts, frame;
-- Which bridges speak?
SELECT bridge_mac, bridge_priority, variant, count(*) AS messages FROM stp GROUP BY bridge_mac, bridge_priority, variant ORDER BY messages DESC, bridge_mac;
-- @table wlan
-- Which networks are there, and how are they protected?
SELECT ssid, bssid, channel, security, count(*) AS frames FROM wlan WHERE ssid IS NOT NULL GROUP BY ssid, bssid, channel, security ORDER BY frames DESC, ssid, bssid;
-- Who is thrown out of the network?
SELECT bssid, receiver, reason, count(*) AS times FROM wlan WHERE reason_code IS NOT NULL GROUP BY bssid, receiver, reason ORDER BY times DESC, bssid, receiver;
-- Which stations look for which networks?
SELECT transmitter, vendor, ssid, count(*) AS probes FROM wlan WHERE subtype = 'probe_request' GROUP BY transmitter, vendor, ssid ORDER BY probes DESC, transmitter, ssid;
-- @table igmp
-- Who listens to which group?
SELECT src_ip, "group", count(*) AS reports FROM igmp WHERE "group" IS NOT NULL GROUP BY src_ip, "group" ORDER BY reports DESC, src_ip;
-- Who asks for members?
SELECT src_ip, version, count(*) AS queries FROM igmp WHERE message_type = 17 GROUP BY src_ip, version ORDER BY queries DESC, src_ip;
-- Which versions are spoken?
SELECT version, message_type_name, count(*) AS messages FROM igmp GROUP BY version, message_type_name ORDER BY messages DESC, version, message_type_name;
-- @table icmp
-- What do ICMP messages say?
SELECT type_name, code_name, count(*) AS messages FROM icmp GROUP BY type_name, code_name ORDER BY messages DESC, type_name, code_name;
-- Whose echo requests carry data that no ping sends?
SELECT src_ip, dst_ip, payload_class, max(payload_len) AS longest, avg(payload_entropy) AS entropy FROM icmp WHERE type_name LIKE '%echo%' GROUP BY src_ip, dst_ip, payload_class ORDER BY longest DESC, src_ip, dst_ip;
-- How long do answers take?
SELECT src_ip, dst_ip, count(*) AS answers, avg(response_time_ms) AS mean_ms FROM icmp WHERE response_time_ms IS NOT NULL GROUP BY src_ip, dst_ip ORDER BY mean_ms DESC, src_ip;
