import ipaddr from "ipaddr.js";

/** What a provider's address is judged by. */
export interface AddressRules {
  /** Networks in CIDR notation that are let through though they are private. */
  readonly allowPrivate: readonly string[];
  /** Whether the relay itself would answer there. */
  isOwn(address: string): boolean;
}

type Block = readonly [what: string, ...networks: string[]];

/**
 * No provider lives there, whatever is allowed. Link-local addresses and those named "metadata" are where clouds hand
 * out credentials to whoever asks from within: AWS, Azure, Google, Oracle, Alibaba, Scaleway. An IPv6 address that
 * stands for an IPv4 one reaches it by a way round the rules.
 */
const NEVER: readonly Block[] = [
  ["unspecified", "0.0.0.0/8", "::/128"],
  ["multicast", "224.0.0.0/4", "ff00::/8"],
  ["broadcast", "255.255.255.255/32"],
  ["link-local", "169.254.0.0/16", "fe80::/10"],
  ["metadata", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"],
  ["metadata", "fd00:ec2::/64", "fd20:ce::/64", "fd00:c1::/64", "fd00:42::/64"],
  ["IPv4-mapped", "::ffff:0:0/96"],
  ["IPv4-translated", "::ffff:0:0:0/96", "64:ff9b:1::/48"],
  ["6to4", "2002::/16"],
  ["Teredo", "2001::/32"],
];

/**
 * Not for everybody's use: IANA's registries of special-purpose addresses, and what is not allocated. Of IPv6 only
 * 2000::/3 is (RFC 4291 2.4).
 * https://www.iana.org/assignments/iana-ipv4-special-registry
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const SPECIAL: readonly Block[] = [
  ["loopback", "127.0.0.0/8", "::1/128"],
  ["private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  ["carrier-grade NAT", "100.64.0.0/10"],
  ["unique local", "fc00::/7"],
  ["site-local", "fec0::/10"],
  ["NAT64", "64:ff9b::/96"],
  ["IPv4-compatible", "::/96"],
  ["documentation", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"],
  ["benchmarking", "198.18.0.0/15", "2001:2::/48"],
  ["protocol assignments", "192.0.0.0/24", "2001::/23"],
  ["anycast of the infrastructure", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"],
  ["anycast of the infrastructure", "192.175.48.0/24", "2620:4f:8000::/48"],
  ["discard-only", "100::/64", "100:0:0:1::/64"],
  ["segment routing", "5f00::/16"],
  ["reserved", "240.0.0.0/4", "::/3", "4000::/2", "8000::/1"],
];

/** Why no connection may be made to an address, in a word or two; undefined when it may. */
export function whyForbidden(text: string, rules: AddressRules): string | undefined {
  const address = parse(text);
  if (!address) return "not an address";
  const never = blockOf(address, NEVER);
  if (never !== undefined) return never;
  if (rules.isOwn(address.toString())) return "our own";
  const special = blockOf(address, SPECIAL);
  if (special === undefined || !isIn(address, rules.allowPrivate)) return special;
  return special === "NAT64" ? whyForbidden(embedded(address), rules) : undefined;
}

/** What is in a network (CIDR), when `allow_private` opens nothing of it. */
export function neverOpened(network: string): string | undefined {
  const [start, bits] = ipaddr.parseCIDR(network);
  const isAround = (block: string) => bits >= ipaddr.parseCIDR(block)[1] && isIn(start, [block]);
  return NEVER.find(([, ...blocks]) => blocks.some(isAround))?.[0];
}

/** The one way in which it is written here, so that texts can be compared; as it was when it is no address. */
export function canonicalAddress(text: string): string {
  return parse(text)?.toString() ?? text;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(text: string): boolean {
  return parse(text)?.range() === "loopback";
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** In the form that DNS gives: no octal or short IPv4, no zone. */
function parse(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text)
    ? ipaddr.IPv6.parse(text)
    : undefined;
}

function blockOf(address: Address, blocks: readonly Block[]): string | undefined {
  return blocks.find(([, ...networks]) => isIn(address, networks))?.[0];
}

function isIn(address: Address, networks: readonly string[]): boolean {
  return networks.some((network) => {
    const [start, bits] = ipaddr.parseCIDR(network);
    return start.kind() === address.kind() && address.match(start, bits);
  });
}

/** The IPv4 address in the last 32 bits (RFC 6052 2.2). */
function embedded(address: Address): string {
  return address.toByteArray().slice(-4).join(".");
}
