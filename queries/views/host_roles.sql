-- @kept
-- What a host is to others, from what it answered or announced; never from a port alone. `device` is what a role says of the kind
-- of machine, if anything.
WITH answered AS (
  SELECT capture_id, dst_ip AS ip, service FROM flows
  WHERE service IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH', 'OTH', 'S0') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY capture_id, dst_ip, service
), told AS (
  SELECT capture_id, ip, CASE service WHEN 'dns' THEN 'dns_server' WHEN 'ntp' THEN 'ntp_server' WHEN 'http' THEN 'web_server' WHEN 'http2' THEN 'web_server' WHEN 'tls' THEN 'tls_server' WHEN 'quic' THEN 'web_server'
      WHEN 'smtp' THEN 'mail_server' WHEN 'imap' THEN 'mail_server' WHEN 'pop3' THEN 'mail_server' WHEN 'ftp' THEN 'ftp_server' WHEN 'tftp' THEN 'tftp_server' WHEN 'ssh' THEN 'ssh_server' WHEN 'telnet' THEN 'telnet_server'
      WHEN 'smb' THEN 'file_server' WHEN 'nfs' THEN 'file_server' WHEN 'ldap' THEN 'ldap_server' WHEN 'rdp' THEN 'rdp_server' WHEN 'vnc' THEN 'vnc_server' WHEN 'snmp' THEN 'snmp_agent' WHEN 'socks' THEN 'proxy' WHEN 'mqtt' THEN 'mqtt_broker'
      WHEN 'modbus' THEN 'modbus_server' WHEN 's7comm' THEN 's7_server' WHEN 'enip' THEN 'enip_server' WHEN 'dnp3' THEN 'dnp3_outstation' WHEN 'iec104' THEN 'iec104_outstation' WHEN 'opcua' THEN 'opcua_server' WHEN 'mms' THEN 'mms_server'
      WHEN 'fins' THEN 'fins_server' WHEN 'melsec' THEN 'melsec_server' WHEN 'srtp' THEN 'srtp_server' WHEN 'niagara_fox' THEN 'niagara_station' WHEN 'hart_ip' THEN 'hart_server' WHEN 'coap' THEN 'coap_server'
      WHEN 'pcworx' THEN 'pcworx_server' WHEN 'proconos' THEN 'proconos_server' WHEN 'codesys' THEN 'codesys_server' WHEN 'tristation' THEN 'tristation_server' WHEN 'synchrophasor' THEN 'synchrophasor_server' END AS role,
    CASE WHEN service IN ('modbus', 's7comm', 'fins', 'melsec', 'srtp', 'pcworx', 'proconos', 'codesys', 'tristation') THEN 'plc' WHEN service IN ('dnp3', 'iec104') THEN 'rtu' WHEN service IN ('mms', 'synchrophasor') THEN 'ied' END AS device,
    'flows.service' AS source
  FROM answered
  UNION ALL SELECT capture_id, server_id, 'dhcp_server', NULL, 'dhcp.server_id' FROM dhcp WHERE op = 2 AND server_id IS NOT NULL
  UNION ALL SELECT capture_id, router, 'gateway', 'router', 'dhcp.routers' FROM (SELECT capture_id, unnest(routers) AS router FROM dhcp WHERE op = 2)
  UNION ALL SELECT capture_id, src_ip, 'gateway', 'router', 'icmp.router_advertisement' FROM icmp WHERE type_name = 'router_advertisement' AND ra_lifetime_s > 0
  UNION ALL SELECT capture_id, src_ip, 'router', 'router', 'ospf' FROM ospf
  UNION ALL SELECT capture_id, src_ip, 'router', 'router', 'eigrp' FROM eigrp
  UNION ALL SELECT capture_id, src_ip, 'router', 'router', 'bgp' FROM bgp
  UNION ALL SELECT capture_id, src_ip, 'router', 'router', 'hsrp' FROM hsrp
  UNION ALL SELECT capture_id, src_ip, 'router', 'router', 'vrrp' FROM vrrp
  UNION ALL SELECT capture_id, array_element(management_addresses, 1), CASE WHEN array_has(enabled_capabilities, 'router') THEN 'router' ELSE 'switch' END, CASE WHEN array_has(enabled_capabilities, 'router') THEN 'router' ELSE 'switch' END, 'lldp.enabled_capabilities'
    FROM lldp WHERE array_has(enabled_capabilities, 'router') OR array_has(enabled_capabilities, 'bridge')
  UNION ALL SELECT capture_id, array_element(management_addresses, 1), 'phone', 'phone', 'lldp.enabled_capabilities' FROM lldp WHERE array_has(enabled_capabilities, 'telephone')
  UNION ALL SELECT capture_id, coalesce(array_element(addresses, 1), array_element(management_addresses, 1)), CASE WHEN array_has(capabilities, 'router') THEN 'router' WHEN array_has(capabilities, 'switch') THEN 'switch' WHEN array_has(capabilities, 'phone') THEN 'phone' END,
    CASE WHEN array_has(capabilities, 'router') THEN 'router' WHEN array_has(capabilities, 'switch') THEN 'switch' WHEN array_has(capabilities, 'phone') THEN 'phone' END, 'cdp.capabilities' FROM cdp
  UNION ALL SELECT capture_id, src_ip, 'kdc', NULL, 'kerberos' FROM kerberos WHERE carrier = 'kdc' AND request_type IN ('AS-REP', 'TGS-REP')
  UNION ALL SELECT k.capture_id, k.src_ip, 'domain_controller', 'domain_controller', 'kerberos and ldap' FROM kerberos k JOIN answered a ON a.capture_id = k.capture_id AND a.ip = k.src_ip AND a.service IN ('ldap', 'smb') WHERE k.carrier = 'kdc' AND k.request_type IN ('AS-REP', 'TGS-REP')
  UNION ALL SELECT l.capture_id, l.src_ip, 'domain_controller', 'domain_controller', 'ldap.netlogon' FROM ldap_attributes l WHERE lower(attribute) = 'netlogon' AND l.src_port = 389
  UNION ALL SELECT capture_id, dst_ip, 'domain_controller', 'domain_controller', 'smb_mappings' FROM smb_mappings WHERE lower(share_name) IN ('sysvol', 'netlogon') AND status_code = 0
  UNION ALL SELECT r.capture_id, h.address, 'domain_controller', 'domain_controller', 'dns.srv' FROM dns_records r JOIN (SELECT capture_id, lower(name) AS name, address FROM dns_records WHERE address IS NOT NULL GROUP BY capture_id, lower(name), address) h ON h.capture_id = r.capture_id AND h.name = lower(rtrim(r.target, '.'))
    WHERE r.type_name = 'SRV' AND starts_with(lower(r.name), '_ldap._tcp.') AND strpos(lower(r.name), '._msdcs.') > 0 AND r.is_response
  UNION ALL SELECT capture_id, src_ip, 'domain_controller', 'domain_controller', 'nbdgm.server_type' FROM nbdgm WHERE browser_command_name = 'host_announcement' AND server_type & 24 > 0
  UNION ALL SELECT capture_id, src_ip, 'proxy', NULL, 'http.connect' FROM http WHERE NOT is_request AND request_method = 'CONNECT' AND status_code BETWEEN 200 AND 299
  UNION ALL SELECT capture_id, dst_ip, 'syslog_server', NULL, 'syslog' FROM syslog WHERE ip_scope(dst_ip) NOT IN ('multicast', 'broadcast')
  UNION ALL SELECT capture_id, src_ip, 'upnp_device', NULL, 'ssdp' FROM ssdp WHERE method = 'NOTIFY' OR status_code = 200
  UNION ALL SELECT capture_id, src_ip, CASE device_type WHEN 'programmable_logic_controller' THEN 'plc' WHEN 'human_machine_interface' THEN 'hmi' END,
    CASE device_type WHEN 'programmable_logic_controller' THEN 'plc' WHEN 'human_machine_interface' THEN 'hmi' WHEN 'ac_drive' THEN 'drive' WHEN 'dc_drive' THEN 'drive' WHEN 'communications_adapter' THEN 'io_device' END, 'enip.device_type' FROM enip WHERE device_type IS NOT NULL AND NOT is_request
  UNION ALL SELECT capture_id, NULLIF(ip, '0.0.0.0'), 'profinet_device', 'io_device', 'profinet_dcp.device_roles' FROM profinet_dcp WHERE array_has(device_roles, 'io_device')
  UNION ALL SELECT capture_id, NULLIF(ip, '0.0.0.0'), 'profinet_controller', 'plc', 'profinet_dcp.device_roles' FROM profinet_dcp WHERE array_has(device_roles, 'io_controller')
  UNION ALL SELECT capture_id, src_ip, 'bacnet_device', 'plc', 'bacnet' FROM bacnet WHERE pdu_type IN ('complex_ack', 'simple_ack') OR pdu_service = 'i_am'
  -- Who orders controllers about, by what it orders; a station that also asks them all the time is their operator's.
  UNION ALL SELECT capture_id, actor, 'ot_operator', NULL, 'ot_commands' FROM ot_commands WHERE class IN ('write', 'setpoint', 'select', 'operate', 'force')
  UNION ALL SELECT capture_id, actor, 'ot_engineering', 'engineering_workstation', 'ot_commands' FROM ot_commands WHERE class IN ('download', 'upload', 'firmware', 'config', 'delete') AND outcome = 'ok'
  UNION ALL SELECT capture_id, src_ip, 'ot_client', NULL, 'flows.service' FROM flows WHERE service IN ('modbus', 's7comm', 'enip', 'dnp3', 'iec104', 'opcua', 'mms', 'fins', 'melsec', 'srtp', 'codesys', 'pcworx', 'niagara_fox', 'hart_ip') AND resp_packets > 0
)
SELECT capture_id, CAST(ip AS VARCHAR) AS ip, role, device, min(source) AS source FROM told WHERE ip IS NOT NULL AND (role IS NOT NULL OR device IS NOT NULL) GROUP BY capture_id, CAST(ip AS VARCHAR), role, device
