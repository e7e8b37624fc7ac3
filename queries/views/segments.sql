-- @kept
-- Networks of one's own: each private address with its network, by a DHCP server's mask where one was told, else by a guess of 24 bits.
-- A network is of the plant where a controller, or another device of one, lies in it.
WITH masks AS (
  SELECT capture_id, network_of(yiaddr, CAST(subnet_mask AS VARCHAR)) AS network, CAST(subnet_mask AS VARCHAR) AS mask, network_of(yiaddr, '24') AS block FROM dhcp
  WHERE op = 2 AND subnet_mask IS NOT NULL AND yiaddr <> '0.0.0.0' GROUP BY capture_id, yiaddr, subnet_mask
), placed AS (
  SELECT h.capture_id, h.ip, h.mac, h.responded, h.device_type, h.roles, h.hostnames, coalesce(m.network, network_of(h.ip, '24')) AS network, m.network IS NOT NULL AS told
  FROM hosts h LEFT JOIN (SELECT capture_id, block, min(network) AS network FROM masks GROUP BY capture_id, block) m ON m.capture_id = h.capture_id AND m.block = network_of(h.ip, '24')
  WHERE h.ip_version = 4 AND is_private(h.ip)
)
SELECT p.*, o.network IS NOT NULL AS is_plant FROM placed p
LEFT JOIN (SELECT DISTINCT capture_id, network FROM placed WHERE device_type IN ('plc', 'rtu', 'ied', 'io_device', 'drive') AND responded) o ON o.capture_id = p.capture_id AND o.network = p.network
