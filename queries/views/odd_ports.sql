-- @kept
-- Conversations whose service, told by their bytes, is not the one that their port is for. `is_core` are ports that everybody lets through.
WITH ports (port, transport, expected, is_core, fits) AS (VALUES
  (20, 'tcp', 'ftp-data', false, 'ftp-data'), (21, 'tcp', 'ftp', false, 'ftp'), (22, 'tcp', 'ssh', true, 'ssh'), (23, 'tcp', 'telnet', false, 'telnet'), (25, 'tcp', 'smtp', true, 'smtp tls'), (53, 'tcp', 'dns', true, 'dns'), (53, 'udp', 'dns', true, 'dns'), (67, 'udp', 'dhcp', false, 'dhcp'), (69, 'udp', 'tftp', false, 'tftp'),
  (80, 'tcp', 'http', true, 'http http2 websocket'), (88, 'tcp', 'kerberos', false, 'kerberos'), (110, 'tcp', 'pop3', false, 'pop3 tls'), (123, 'udp', 'ntp', true, 'ntp'), (135, 'tcp', 'dcerpc', false, 'dcerpc'), (137, 'udp', 'nbns', false, 'nbns'), (139, 'tcp', 'smb', false, 'smb nbss'), (143, 'tcp', 'imap', false, 'imap tls'), (161, 'udp', 'snmp', false, 'snmp'),
  (389, 'tcp', 'ldap', false, 'ldap tls'), (443, 'tcp', 'tls', true, 'tls http2'), (443, 'udp', 'quic', true, 'quic dtls'), (445, 'tcp', 'smb', false, 'smb'), (502, 'tcp', 'modbus', false, 'modbus'), (514, 'udp', 'syslog', false, 'syslog'), (587, 'tcp', 'smtp', false, 'smtp tls'), (636, 'tcp', 'tls', false, 'tls ldap'), (853, 'tcp', 'tls', false, 'tls'),
  (993, 'tcp', 'tls', false, 'tls imap'), (995, 'tcp', 'tls', false, 'tls pop3'), (3389, 'tcp', 'rdp', false, 'rdp tls'), (5900, 'tcp', 'vnc', false, 'vnc'))
SELECT f.capture, f.capture_id, f.flow_id, f.frame, f.ts, f.end_ts, f.src_ip, f.dst_ip, f.src_port, f.dst_port, f.transport, f.service, f.orig_bytes, f.resp_bytes, p.expected, p.is_core
FROM flows f JOIN ports p ON p.port = f.dst_port AND p.transport = f.transport
WHERE f.service IS NOT NULL AND f.resp_packets > 0 AND NOT array_has(string_to_array(p.fits, ' '), CAST(f.service AS VARCHAR)) AND f.service NOT IN ('icmp', 'teamviewer', 'socks', 'esp', 'ike')
