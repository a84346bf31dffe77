import { BlockList, isIP } from "node:net";

// A copy of src/webhooks/inside.ts, because graphs may be used without the service. A test checks that both files have the same code.

/**
 * The IPv4 addresses to which callers must not direct the service's requests. They belong to private networks (including loopback and the
 * cloud's metadata service), or are reserved, so that no public server has them.
 */
const inside4 = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  inside4.addSubnet(network, prefix, "ipv4");
}

/**
 * The IPv6 addresses to which callers must not direct the service's requests. They have their own list, because Node matches IPv4 addresses
 * against IPv6 networks, and ::ffff:0:0/96 contains all IPv4 addresses. A network that embeds IPv4 addresses is refused as a whole, because
 * each such network embeds them differently.
 */
const inside6 = new BlockList();
for (const [network, prefix] of [
  ["::", 96],
  ["::ffff:0:0", 96],
  ["::ffff:0:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 32],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 9], // link-local, and the former site-local addresses
  ["ff00::", 8],
] as const) {
  inside6.addSubnet(network, prefix, "ipv6");
}

export function isInside(address: string): boolean {
  return isIP(address) === 6 ? inside6.check(address, "ipv6") : inside4.check(address, "ipv4");
}
