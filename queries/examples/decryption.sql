-- @table decryption
-- Which connections were opened, with keys from where?
SELECT protocol, server_name, version, cipher, key_source, status FROM decryption ORDER BY ts, frame;
-- Which could not be opened?
SELECT src_ip, dst_ip, protocol, status, count(*) AS connections FROM decryption WHERE status <> 'decrypted' GROUP BY src_ip, dst_ip, protocol, status ORDER BY connections DESC, src_ip;
-- What was inside?
SELECT service, count(*) AS connections, sum(client_plain_bytes) AS sent, sum(server_plain_bytes) AS received FROM decryption GROUP BY service ORDER BY connections DESC, service;
