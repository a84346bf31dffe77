import { BlockList, isIP } from "node:net";

// The list that src/webhooks/inside.ts has too: a graph may come without the service, so it cannot import it. Change both.

/** Addresses of our own network, loopback and link-local (cloud metadata) among them, and those that no public server has. */
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
 * A list of its own: Node looks an IPv4 address up among the IPv6 networks as well, where ::ffff:0:0/96 has them all. Networks whose
 * addresses carry an IPv4 address are refused whole: it would have to be read in each of these ways of writing it.
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
  ["fe80::", 9], // link-local, and what was once site-local
  ["ff00::", 8],
] as const) {
  inside6.addSubnet(network, prefix, "ipv6");
}

export function isInside(address: string): boolean {
  return isIP(address) === 6 ? inside6.check(address, "ipv6") : inside4.check(address, "ipv4");
}
