-- @kept
-- Conversations of an unknown protocol whose bytes look drawn at random: their entropy is near what random bytes of that number have
-- (8 - 255 / (2 n ln 2), of n bytes), and their first bytes are no signature of compressed data, media, calls or file sharing.
WITH judged AS (
  SELECT *, encode(orig_first_bytes, 'hex') AS head, encode(resp_first_bytes, 'hex') AS tail,
    least(7.5, 8 - 255 / (2 * least(greatest(orig_bytes, 64), 4096) * ln(2)) - 0.3) AS orig_limit, least(7.5, 8 - 255 / (2 * least(greatest(resp_bytes, 64), 4096) * ln(2)) - 0.3) AS resp_limit
  FROM flows WHERE service IS NULL AND transport IN ('tcp', 'udp') AND (orig_bytes >= 256 OR resp_bytes >= 256) AND tunnel IS NULL
), signed AS (
  SELECT *, regexp_like(coalesce(head, '') || ' ' || coalesce(tail, ''), '(^| )(1f8b|504b0304|ffd8ff|89504e47|47494638|52494646|00000018667479|00000020667479|4f676753|494433|377abcaf|52617221|25504446|fd377a58|28b52ffd|425a68|13426974|64313a|1[4-7]fe|[0-9a-f]{8}2112a442|80[0-9a-f]{2}[0-9a-f]{4}|47[0-9a-f]{6}|1a45dfa3)') AS has_magic FROM judged
)
SELECT * EXCLUDE (head, tail, has_magic, orig_limit, resp_limit), history LIKE 'S%' OR (transport = 'udp' AND resp_packets > 0) AS from_start,
  CASE WHEN orig_entropy >= orig_limit AND resp_entropy >= resp_limit AND orig_bytes >= 256 AND resp_bytes >= 256 THEN 'random both ways' ELSE 'random one way' END AS reason
FROM signed WHERE NOT has_magic AND ((orig_entropy >= orig_limit AND orig_bytes >= 256) OR (resp_entropy >= resp_limit AND resp_bytes >= 256))
