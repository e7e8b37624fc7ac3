-- Public resolvers that answer over TLS, HTTPS or QUIC: by host name (and every name below it), and by address.
SELECT * FROM (VALUES
  ('name', 'dns.google', 'Google'), ('name', 'dns.google.com', 'Google'), ('name', 'dns64.dns.google', 'Google'),
  ('name', 'cloudflare-dns.com', 'Cloudflare'), ('name', 'one.one.one.one', 'Cloudflare'), ('name', '1dot1dot1dot1.cloudflare-dns.com', 'Cloudflare'), ('name', 'cloudflare-gateway.com', 'Cloudflare'),
  ('name', 'dns.quad9.net', 'Quad9'), ('name', 'dns9.quad9.net', 'Quad9'), ('name', 'dns10.quad9.net', 'Quad9'), ('name', 'dns11.quad9.net', 'Quad9'), ('name', 'dns12.quad9.net', 'Quad9'),
  ('name', 'dns.adguard.com', 'AdGuard'), ('name', 'dns.adguard-dns.com', 'AdGuard'), ('name', 'dns-family.adguard.com', 'AdGuard'), ('name', 'dns-unfiltered.adguard.com', 'AdGuard'),
  ('name', 'family.adguard-dns.com', 'AdGuard'), ('name', 'unfiltered.adguard-dns.com', 'AdGuard'), ('name', 'd.adguard-dns.com', 'AdGuard'),
  ('name', 'dns.nextdns.io', 'NextDNS'), ('name', 'doh.opendns.com', 'OpenDNS'), ('name', 'dns.opendns.com', 'OpenDNS'), ('name', 'doh.familyshield.opendns.com', 'OpenDNS'), ('name', 'doh.umbrella.com', 'OpenDNS'), ('name', 'dns.umbrella.com', 'OpenDNS'),
  ('name', 'dns.controld.com', 'ControlD'), ('name', 'freedns.controld.com', 'ControlD'), ('name', 'dns.mullvad.net', 'Mullvad'), ('name', 'doh.mullvad.net', 'Mullvad'),
  ('name', 'doh.cleanbrowsing.org', 'CleanBrowsing'), ('name', 'family-filter-dns.cleanbrowsing.org', 'CleanBrowsing'), ('name', 'security-filter-dns.cleanbrowsing.org', 'CleanBrowsing'), ('name', 'adult-filter-dns.cleanbrowsing.org', 'CleanBrowsing'),
  ('name', 'doh.libredns.gr', 'LibreDNS'), ('name', 'dot.libredns.gr', 'LibreDNS'), ('name', 'dnsforge.de', 'dnsforge'), ('name', 'doh.dns.sb', 'DNS.SB'), ('name', 'dot.sb', 'DNS.SB'),
  ('name', 'dns.alidns.com', 'AliDNS'), ('name', 'doh.pub', 'DNSPod'), ('name', 'dot.pub', 'DNSPod'), ('name', 'doh.360.cn', '360'), ('name', 'dot.360.cn', '360'),
  ('name', 'doh.applied-privacy.net', 'Applied Privacy'), ('name', 'dns.digitale-gesellschaft.ch', 'Digitale Gesellschaft'), ('name', 'dns.switch.ch', 'SWITCH'), ('name', 'odvr.nic.cz', 'CZ.NIC'),
  ('name', 'doh.xfinity.com', 'Comcast'), ('name', 'doh.dnslify.com', 'DNSlify'), ('name', 'dns.rubyfish.cn', 'Rubyfish'), ('name', 'doh.ffmuc.net', 'Freifunk'), ('name', 'dot.ffmuc.net', 'Freifunk'),
  ('name', 'unicast.uncensoreddns.org', 'UncensoredDNS'), ('name', 'anycast.uncensoreddns.org', 'UncensoredDNS'), ('name', 'dns0.eu', 'dns0.eu'), ('name', 'doh.tiarap.org', 'Tiarap'), ('name', 'doh.dns.apple.com', 'Apple'),
  ('address', '8.8.8.8', 'Google'), ('address', '8.8.4.4', 'Google'), ('address', '2001:4860:4860::8888', 'Google'), ('address', '2001:4860:4860::8844', 'Google'),
  ('address', '1.1.1.1', 'Cloudflare'), ('address', '1.0.0.1', 'Cloudflare'), ('address', '1.1.1.2', 'Cloudflare'), ('address', '1.0.0.2', 'Cloudflare'), ('address', '1.1.1.3', 'Cloudflare'), ('address', '1.0.0.3', 'Cloudflare'),
  ('address', '2606:4700:4700::1111', 'Cloudflare'), ('address', '2606:4700:4700::1001', 'Cloudflare'),
  ('address', '9.9.9.9', 'Quad9'), ('address', '9.9.9.10', 'Quad9'), ('address', '9.9.9.11', 'Quad9'), ('address', '149.112.112.112', 'Quad9'), ('address', '2620:fe::fe', 'Quad9'), ('address', '2620:fe::9', 'Quad9'),
  ('address', '94.140.14.14', 'AdGuard'), ('address', '94.140.15.15', 'AdGuard'), ('address', '176.103.130.130', 'AdGuard'), ('address', '176.103.130.131', 'AdGuard'),
  ('address', '208.67.222.222', 'OpenDNS'), ('address', '208.67.220.220', 'OpenDNS'), ('address', '185.228.168.9', 'CleanBrowsing'), ('address', '185.228.168.168', 'CleanBrowsing'), ('address', '185.228.169.9', 'CleanBrowsing'),
  ('address', '76.76.2.0', 'ControlD'), ('address', '76.76.10.0', 'ControlD'), ('address', '194.242.2.2', 'Mullvad'), ('address', '223.5.5.5', 'AliDNS'), ('address', '223.6.6.6', 'AliDNS'),
  ('address', '116.202.176.26', 'LibreDNS'), ('address', '176.9.93.198', 'dnsforge'), ('address', '185.222.222.222', 'DNS.SB'), ('address', '45.11.45.11', 'DNS.SB')
) AS known(kind, "value", provider)
