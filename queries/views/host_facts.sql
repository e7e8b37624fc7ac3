-- @kept
-- What the protocols tell about a host apart from its names: operating system, maker, model, versions, serial number, accounts; one row a
-- fact, with where it stood and its first frame. `host` is an address, or a MAC where the protocol knows no other.
WITH told AS (
  -- Operating systems, from who says so itself to who lets it be guessed.
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, windows_name(CAST(version AS VARCHAR)) AS value, 'high' AS confidence, 'ntlm.version' AS source
  FROM ntlm WHERE version IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, windows_name('10.0.' || CAST(client_build AS VARCHAR)) AS value, 'high' AS confidence, 'rdp.client_build' AS source
  FROM rdp WHERE client_build IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name('Windows NT ' || CAST(os_major AS VARCHAR) || '.' || CAST(os_minor AS VARCHAR)) AS value, 'medium' AS confidence, 'nbdgm.os' AS source
  FROM nbdgm WHERE browser_command_name = 'host_announcement' AND os_major IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, array_element(management_addresses, 1) AS ip, coalesce(chassis_mac, src_mac) AS mac, 'os' AS fact, os_name(system_description) AS value, 'high' AS confidence, 'lldp.system_description' AS source
  FROM lldp WHERE system_description IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, coalesce(array_element(addresses, 1), array_element(management_addresses, 1)) AS ip, src_mac AS mac, 'os' AS fact, os_name(software_version) AS value, 'high' AS confidence, 'cdp.software_version' AS source
  FROM cdp WHERE software_version IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(array_element(values, CAST(array_position(oids, '1.3.6.1.2.1.1.1.0') AS BIGINT))) AS value, 'high' AS confidence, 'snmp.sysdescr' AS source
  FROM snmp WHERE pdu LIKE '%response%' AND array_position(oids, '1.3.6.1.2.1.1.1.0') > 0
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(CAST(version_string AS VARCHAR)) AS value, 'high' AS confidence, 'ssh.version_string' AS source
  FROM ssh WHERE version_string IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(CAST(server AS VARCHAR)) AS value, 'high' AS confidence, 'http.server' AS source
  FROM http WHERE NOT is_request AND server IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(server) AS value, 'high' AS confidence, 'ssdp.server' AS source
  FROM ssdp WHERE server IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(CAST(server_banner AS VARCHAR)) AS value, 'high' AS confidence, 'smtp.server_banner' AS source
  FROM smtp WHERE server_banner IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(reply_msg) AS value, 'high' AS confidence, 'ftp.reply_msg' AS source
  FROM ftp WHERE reply_code IN (215, 220) AND reply_msg IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(text) AS value, 'medium' AS confidence, 'telnet.text' AS source
  FROM telnet WHERE event = 'line' AND direction = 'server' AND text IS NOT NULL AND length(text) < 80
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, coalesce(os_name(CAST(os_name AS VARCHAR) || ' ' || coalesce(CAST(os_version AS VARCHAR), '')), CAST(os_name AS VARCHAR)) AS value, 'high' AS confidence, 'niagara_fox.os_name' AS source
  FROM niagara_fox WHERE os_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, CAST(os_name AS VARCHAR) || coalesce(' ' || CAST(os_version AS VARCHAR), '') AS value, 'high' AS confidence, 'codesys.os_name' AS source
  FROM codesys WHERE os_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, os_name(CAST(user_agent AS VARCHAR)) AS value, 'medium' AS confidence, 'http.user_agent' AS source
  FROM http WHERE is_request AND user_agent IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, CAST(NULL AS VARCHAR) AS ip, client_mac AS mac, 'os' AS fact, os_name(CAST(vendor_class AS VARCHAR)) AS value, 'medium' AS confidence, 'dhcp.vendor_class' AS source
  FROM dhcp WHERE op = 1 AND vendor_class IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'os' AS fact, CASE WHEN ip_ttl BETWEEN 65 AND 128 AND tcp_window IN (8192, 16384, 64240, 65535) THEN 'Windows' WHEN ip_ttl BETWEEN 33 AND 64 AND tcp_window IN (5840, 14600, 29200, 64240, 64660, 65160) THEN 'Linux' END AS value, 'low' AS confidence, 'packets.tcp_window' AS source
  FROM packets WHERE tcp_flags & 18 = 2 AND ip_ttl IS NOT NULL AND tunnel IS NULL
  UNION ALL
  -- Makers, models, versions and serial numbers, as devices tell them.
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CAST(vendor AS VARCHAR) AS value, 'high' AS confidence, 'enip.vendor' AS source
  FROM enip WHERE product_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(product_name AS VARCHAR) AS value, 'high' AS confidence, 'enip.product_name' AS source
  FROM enip WHERE product_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(revision AS VARCHAR) AS value, 'high' AS confidence, 'enip.revision' AS source
  FROM enip WHERE product_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'serial' AS fact, lpad(to_hex(CAST(serial_number AS BIGINT)), 8, '0') AS value, 'high' AS confidence, 'enip.serial_number' AS source
  FROM enip WHERE product_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'device' AS fact, CAST(device_type AS VARCHAR) AS value, 'high' AS confidence, 'enip.device_type' AS source
  FROM enip WHERE product_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(identity_product_name AS VARCHAR) AS value, 'high' AS confidence, 'cip.identity_product_name' AS source
  FROM cip WHERE identity_product_name IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(identity_revision AS VARCHAR) AS value, 'high' AS confidence, 'cip.identity_revision' AS source
  FROM cip WHERE identity_product_name IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'serial' AS fact, lpad(to_hex(CAST(identity_serial AS BIGINT)), 8, '0') AS value, 'high' AS confidence, 'cip.identity_serial' AS source
  FROM cip WHERE identity_product_name IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(order_number AS VARCHAR) AS value, 'high' AS confidence, 's7comm.order_number' AS source
  FROM s7comm WHERE coalesce(order_number, serial_number) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(firmware AS VARCHAR) AS value, 'high' AS confidence, 's7comm.firmware' AS source
  FROM s7comm WHERE coalesce(order_number, serial_number) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'serial' AS fact, CAST(serial_number AS VARCHAR) AS value, 'high' AS confidence, 's7comm.serial_number' AS source
  FROM s7comm WHERE coalesce(order_number, serial_number) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CASE WHEN order_number LIKE '6ES7%' OR order_number LIKE '6GK%' OR order_number LIKE '6AG%' THEN 'Siemens' END AS value, 'high' AS confidence, 's7comm.order_number' AS source
  FROM s7comm WHERE coalesce(order_number, serial_number) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'bacnet' AS fact, CAST(property AS VARCHAR) || '=' || value AS value, 'high' AS confidence, 'bacnet' AS source
  FROM bacnet WHERE object_type = 'device' AND property IN ('vendor_name', 'model_name', 'firmware_revision', 'serial_number') AND NOT is_request AND value IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'modbus' AS fact, object AS value, 'high' AS confidence, 'modbus.objects' AS source
  FROM (SELECT *, unnest(objects) AS object FROM modbus WHERE objects IS NOT NULL) m
  UNION ALL
  SELECT capture, capture_id, frame, ts, dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, server_id AS value, 'low' AS confidence, 'modbus.server_id' AS source
  FROM modbus WHERE server_id IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CAST(vendor AS VARCHAR) AS value, 'high' AS confidence, 'mms.vendor' AS source
  FROM mms WHERE coalesce(vendor, model) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(model AS VARCHAR) AS value, 'high' AS confidence, 'mms.model' AS source
  FROM mms WHERE coalesce(vendor, model) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(revision AS VARCHAR) AS value, 'high' AS confidence, 'mms.revision' AS source
  FROM mms WHERE coalesce(vendor, model) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, 'HART device type ' || CAST(expanded_device_type AS VARCHAR) || coalesce(', maker ' || CAST(manufacturer_id AS VARCHAR), '') AS value, 'high' AS confidence, 'hart_ip.expanded_device_type' AS source
  FROM hart_ip WHERE expanded_device_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(software_revision AS VARCHAR) AS value, 'high' AS confidence, 'hart_ip.software_revision' AS source
  FROM hart_ip WHERE expanded_device_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'serial' AS fact, encode(device_id, 'hex') AS value, 'high' AS confidence, 'hart_ip.device_id' AS source
  FROM hart_ip WHERE expanded_device_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, NULLIF(ip, '0.0.0.0') AS ip, src_mac AS mac, 'model' AS fact, CAST(device_vendor AS VARCHAR) AS value, 'high' AS confidence, 'profinet_dcp.device_vendor' AS source
  FROM profinet_dcp WHERE service_type_name = 'response'
  UNION ALL
  SELECT capture, capture_id, frame, ts, NULLIF(ip, '0.0.0.0') AS ip, src_mac AS mac, 'vendor' AS fact, CASE WHEN vendor_id = 42 THEN 'Siemens' WHEN vendor_id = 176 THEN 'Phoenix Contact' WHEN vendor_id = 285 THEN 'WAGO' END AS value, 'high' AS confidence, 'profinet_dcp.vendor_id' AS source
  FROM profinet_dcp WHERE service_type_name = 'response'
  UNION ALL
  SELECT capture, capture_id, frame, ts, NULLIF(ip, '0.0.0.0') AS ip, src_mac AS mac, 'device' AS fact, CASE WHEN array_has(device_roles, 'io_controller') THEN 'io_controller' WHEN array_has(device_roles, 'io_device') THEN 'io_device' END AS value, 'high' AS confidence, 'profinet_dcp.device_roles' AS source
  FROM profinet_dcp WHERE service_type_name = 'response'
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, order_id AS value, 'high' AS confidence, 'profinet_cm.order_id' AS source
  FROM profinet_cm WHERE order_id IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'serial' AS fact, im_serial AS value, 'high' AS confidence, 'profinet_cm.im_serial' AS source
  FROM profinet_cm WHERE order_id IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, sw_revision AS value, 'high' AS confidence, 'profinet_cm.sw_revision' AS source
  FROM profinet_cm WHERE order_id IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CASE WHEN im_vendor_id = 42 THEN 'Siemens' END AS value, 'high' AS confidence, 'profinet_cm.im_vendor_id' AS source
  FROM profinet_cm WHERE order_id IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, array_element(management_addresses, 1) AS ip, coalesce(chassis_mac, src_mac) AS mac, 'lldp' AS fact, item AS value, 'high' AS confidence, 'lldp.med_inventory' AS source
  FROM (SELECT *, unnest(med_inventory) AS item FROM lldp WHERE med_inventory IS NOT NULL) l
  UNION ALL
  SELECT capture, capture_id, frame, ts, array_element(management_addresses, 1) AS ip, coalesce(chassis_mac, src_mac) AS mac, 'model' AS fact, substr(system_description, 1, 80) AS value, 'low' AS confidence, 'lldp.system_description' AS source
  FROM lldp WHERE system_description IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, coalesce(array_element(addresses, 1), array_element(management_addresses, 1)) AS ip, src_mac AS mac, 'model' AS fact, platform AS value, 'high' AS confidence, 'cdp.platform' AS source
  FROM cdp WHERE platform IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, coalesce(array_element(addresses, 1), array_element(management_addresses, 1)) AS ip, src_mac AS mac, 'vendor' AS fact, CASE WHEN lower(platform) LIKE 'cisco%' THEN 'Cisco' END AS value, 'high' AS confidence, 'cdp.platform' AS source
  FROM cdp WHERE platform IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, coalesce(array_element(addresses, 1), array_element(management_addresses, 1)) AS ip, src_mac AS mac, 'firmware' AS fact, array_element(regexp_match(software_version, 'Version ([^, ]+)'), 1) AS value, 'high' AS confidence, 'cdp.software_version' AS source
  FROM cdp WHERE platform IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, substr(array_element(values, CAST(array_position(oids, '1.3.6.1.2.1.1.1.0') AS BIGINT)), 1, 80) AS value, 'low' AS confidence, 'snmp.sysdescr' AS source
  FROM snmp WHERE pdu LIKE '%response%' AND array_position(oids, '1.3.6.1.2.1.1.1.0') > 0
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CAST(manufacturer AS VARCHAR) AS value, 'high' AS confidence, 'crimson.manufacturer' AS source
  FROM crimson WHERE coalesce(manufacturer, model) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(model AS VARCHAR) AS value, 'high' AS confidence, 'crimson.model' AS source
  FROM crimson WHERE coalesce(manufacturer, model) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(plc_type AS VARCHAR) AS value, 'high' AS confidence, 'pcworx.plc_type' AS source
  FROM pcworx WHERE plc_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(firmware_version AS VARCHAR) AS value, 'high' AS confidence, 'pcworx.firmware_version' AS source
  FROM pcworx WHERE plc_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, 'Phoenix Contact' AS value, 'high' AS confidence, 'pcworx' AS source
  FROM pcworx WHERE plc_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(plc_type AS VARCHAR) AS value, 'high' AS confidence, 'proconos.plc_type' AS source
  FROM proconos WHERE plc_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, runtime AS value, 'high' AS confidence, 'proconos.runtime' AS source
  FROM proconos WHERE plc_type IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(cpu_model AS VARCHAR) AS value, 'high' AS confidence, 'melsec.cpu_model' AS source
  FROM melsec WHERE cpu_model IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, 'Mitsubishi Electric' AS value, 'high' AS confidence, 'melsec' AS source
  FROM melsec WHERE cpu_model IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(controller_model AS VARCHAR) AS value, 'high' AS confidence, 'fins.controller_model' AS source
  FROM fins WHERE controller_model IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(controller_version AS VARCHAR) AS value, 'high' AS confidence, 'fins.controller_version' AS source
  FROM fins WHERE controller_model IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, 'Omron' AS value, 'high' AS confidence, 'fins' AS source
  FROM fins WHERE controller_model IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, processor AS value, 'high' AS confidence, 'pccc.processor' AS source
  FROM pccc WHERE processor IS NOT NULL AND NOT is_request
  UNION ALL
  SELECT capture, capture_id, frame, ts, dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, 'Schneider Electric' AS value, 'medium' AS confidence, 'umas' AS source
  FROM umas WHERE response_frame IS NOT NULL AND status = 'ok'
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CAST(vendor_name AS VARCHAR) AS value, 'high' AS confidence, 'codesys.vendor_name' AS source
  FROM codesys WHERE coalesce(vendor_name, device_name, product) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(coalesce(device_name, product) AS VARCHAR) AS value, 'high' AS confidence, 'codesys.device_name' AS source
  FROM codesys WHERE coalesce(vendor_name, device_name, product) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(firmware_version AS VARCHAR) AS value, 'high' AS confidence, 'codesys.firmware_version' AS source
  FROM codesys WHERE coalesce(vendor_name, device_name, product) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'model' AS fact, CAST(app_name AS VARCHAR) AS value, 'high' AS confidence, 'niagara_fox.app_name' AS source
  FROM niagara_fox WHERE coalesce(app_name, app_version) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'firmware' AS fact, CAST(app_version AS VARCHAR) AS value, 'high' AS confidence, 'niagara_fox.app_version' AS source
  FROM niagara_fox WHERE coalesce(app_name, app_version) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'vendor' AS fact, CAST(brand_id AS VARCHAR) AS value, 'high' AS confidence, 'niagara_fox.brand_id' AS source
  FROM niagara_fox WHERE coalesce(app_name, app_version) IS NOT NULL
  UNION ALL
  -- Accounts that log on from a host.
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'user' AS fact, coalesce(CAST(domainname AS VARCHAR) || '\', '') || CAST(username AS VARCHAR) AS value, 'high' AS confidence, 'ntlm.username' AS source
  FROM ntlm WHERE message_type = 3 AND username IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'user' AS fact, CAST(client AS VARCHAR) || coalesce('@' || CAST(realm AS VARCHAR), '') AS value, 'high' AS confidence, 'kerberos.client' AS source
  FROM kerberos WHERE request_type = 'AS-REQ' AND client IS NOT NULL AND client NOT LIKE '%$'
  UNION ALL
  SELECT capture, capture_id, frame, ts, dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'user' AS fact, CAST(client AS VARCHAR) || coalesce('@' || CAST(realm AS VARCHAR), '') AS value, 'high' AS confidence, 'kerberos.client' AS source
  FROM kerberos WHERE request_type IN ('AS-REP', 'TGS-REP') AND client IS NOT NULL AND client NOT LIKE '%$'
  UNION ALL
  SELECT capture, capture_id, frame, ts, src_ip AS ip, CAST(NULL AS VARCHAR) AS mac, 'user' AS fact, CAST(username AS VARCHAR) AS value, 'medium' AS confidence, 'credentials.username' AS source
  FROM credentials WHERE username IS NOT NULL AND protocol NOT IN ('ntlm', 'kerberos', 'snmp') AND coalesce(kind, '') <> 'anonymous'
), sorted AS (
  SELECT capture, capture_id, frame, ts, ip, mac, confidence, source,
    -- Objects that name themselves, as `VendorName=...`.
    CASE WHEN fact IN ('bacnet', 'modbus', 'lldp') THEN CASE lower(split_part(value, '=', 1)) WHEN 'vendor_name' THEN 'vendor' WHEN 'vendorname' THEN 'vendor' WHEN 'manufacturer' THEN 'vendor'
      WHEN 'model_name' THEN 'model' WHEN 'modelname' THEN 'model' WHEN 'model' THEN 'model' WHEN 'productname' THEN 'model' WHEN 'productcode' THEN 'product'
      WHEN 'firmware_revision' THEN 'firmware' WHEN 'majorminorrevision' THEN 'firmware' WHEN 'firmware' THEN 'firmware' WHEN 'serial_number' THEN 'serial' WHEN 'serial' THEN 'serial' END ELSE fact END AS fact,
    trim(CASE WHEN fact IN ('bacnet', 'modbus', 'lldp') THEN substr(value, strpos(value, '=') + 1) ELSE value END) AS value
  FROM told WHERE value IS NOT NULL
)
SELECT min(capture) AS capture, capture_id, min(frame) AS frame, min(ts) AS ts, ip, mac, fact, value, confidence, source, count(*) AS seen
FROM sorted WHERE fact IS NOT NULL AND value <> '' AND (ip IS NOT NULL OR mac IS NOT NULL) GROUP BY capture_id, ip, mac, fact, value, confidence, source
