import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import ipaddr from "ipaddr.js";
import { canonicalAddress, isLoopbackAddress, whyForbidden } from "../../../server/provider/addresses.ts";

const NOBODY = { allowPrivate: [], isOwn: () => false };
const why = (address: string, ...allowPrivate: string[]) =>
  whyForbidden(address, { ...NOBODY, allowPrivate });

/** A block, why it is forbidden, and the same of the addresses before and behind it: "" for one that may be used. */
type Row = readonly [block: string, why: string, before: string, behind: string];
const END = "end of the address space";

const BLOCKS: readonly Row[] = [
  ["0.0.0.0/8", "unspecified", END, ""],
  ["10.0.0.0/8", "private", "", ""],
  ["100.64.0.0/10", "carrier-grade NAT", "", ""],
  ["100.100.100.200/32", "metadata", "carrier-grade NAT", "carrier-grade NAT"],
  ["127.0.0.0/8", "loopback", "", ""],
  ["168.63.129.16/32", "metadata", "", ""],
  ["169.254.0.0/16", "link-local", "", ""],
  ["172.16.0.0/12", "private", "", ""],
  ["192.0.0.0/25", "protocol assignments", "", "protocol assignments"],
  ["192.0.0.192/32", "metadata", "protocol assignments", "protocol assignments"],
  ["192.0.0.224/27", "protocol assignments", "protocol assignments", ""],
  ["192.0.2.0/24", "documentation", "", ""],
  ["192.31.196.0/24", "anycast of the infrastructure", "", ""],
  ["192.52.193.0/24", "anycast of the infrastructure", "", ""],
  ["192.88.99.0/24", "anycast of the infrastructure", "", ""],
  ["192.168.0.0/16", "private", "", ""],
  ["192.175.48.0/24", "anycast of the infrastructure", "", ""],
  ["198.18.0.0/15", "benchmarking", "", ""],
  ["198.51.100.0/24", "documentation", "", ""],
  ["203.0.113.0/24", "documentation", "", ""],
  ["224.0.0.0/4", "multicast", "", "reserved"],
  ["240.0.0.0/5", "reserved", "multicast", "reserved"],
  ["255.255.255.255/32", "broadcast", "reserved", END],

  ["::/128", "unspecified", END, "loopback"],
  ["::1/128", "loopback", "unspecified", "IPv4-compatible"],
  ["::8000:0/97", "IPv4-compatible", "IPv4-compatible", "reserved"],
  ["::ffff:0:0/96", "IPv4-mapped", "reserved", "reserved"],
  ["::ffff:0:0:0/96", "IPv4-translated", "reserved", "reserved"],
  ["64:ff9b::/96", "NAT64", "reserved", "reserved"],
  ["64:ff9b:1::/48", "IPv4-translated", "reserved", "reserved"],
  ["100::/64", "discard-only", "reserved", "discard-only"],
  ["100:0:0:1::/64", "discard-only", "discard-only", "reserved"],
  ["2000::/16", "", "reserved", "Teredo"],
  ["2001::/32", "Teredo", "", "protocol assignments"],
  ["2001:1::/32", "protocol assignments", "Teredo", "benchmarking"],
  ["2001:2::/48", "benchmarking", "protocol assignments", "protocol assignments"],
  ["2001:100::/24", "protocol assignments", "protocol assignments", ""],
  ["2001:db8::/32", "documentation", "", ""],
  ["2002::/16", "6to4", "", ""],
  ["2620:4f:8000::/48", "anycast of the infrastructure", "", ""],
  ["3fff::/20", "documentation", "", ""],
  ["4000::/4", "reserved", "", "reserved"],
  ["5f00::/16", "segment routing", "reserved", "reserved"],
  ["8000::/2", "reserved", "reserved", "reserved"],
  ["fc00::/8", "unique local", "reserved", "unique local"],
  ["fd00:42::/64", "metadata", "unique local", "unique local"],
  ["fd00:c1::/64", "metadata", "unique local", "unique local"],
  ["fd00:ec2::/64", "metadata", "unique local", "unique local"],
  ["fd20:ce::/64", "metadata", "unique local", "unique local"],
  ["fe00::/9", "reserved", "unique local", "link-local"],
  ["fe80::/10", "link-local", "reserved", "site-local"],
  ["fec0::/10", "site-local", "link-local", "multicast"],
  ["ff00::/8", "multicast", "site-local", END],
];

for (const [block, forbidden, before, behind] of BLOCKS) {
  test(`${block} is ${forbidden || "for everybody"}, its neighbours are what they are`, () => {
    const { first, last, previous, next } = edges(block);
    assert.deepEqual(
      [previous, first, last, next].map((address) => (address === END ? END : (why(address) ?? ""))),
      [before, forbidden, forbidden, behind],
      [previous, first, last, next].join(" "),
    );
  });
}

test("addresses of providers may be used", () => {
  for (const address of ["147.154.1.10", "8.8.8.8", "2603:c020:1::10", "2a00:1450:4001:80b::200a"])
    assert.equal(why(address), undefined, address);
});

test("what is not an address in its usual form is none", () => {
  for (const text of [
    "",
    "127.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "2130706433",
    "localhost",
    "fe80::1%eth0",
    "1.2.3.4:5",
  ])
    assert.equal(why(text), "not an address", text);
});

test("a range opens what is in it, and nothing beside it", () => {
  assert.equal(why("10.1.2.3", "10.1.0.0/16"), undefined);
  assert.equal(why("10.2.0.0", "10.1.0.0/16"), "private");
  assert.equal(why("192.168.0.1", "10.1.0.0/16"), "private");
  assert.equal(why("127.0.0.1", "127.0.0.0/8"), undefined);
  assert.equal(why("::1", "127.0.0.0/8"), "loopback");
  assert.equal(why("::1", "::1/128"), undefined);
  assert.equal(why("fd12::1", "10.0.0.0/8", "fd00::/8"), undefined);
});

test("no range opens metadata, link-local, multicast, nor IPv6 that stands for IPv4", () => {
  const everything = ["0.0.0.0/0", "::/0"];
  const never = [
    ...["0.0.0.0", "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
    ...[
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "fd00:ec2::254",
      "fd00:c1::a9fe:a9fe",
      "fd20:ce::254",
      "fe80::1",
    ],
    ...["ff02::1", "::ffff:10.0.0.1", "::ffff:0:a00:1", "64:ff9b:1::a00:1", "2002:a00:1::", "2001:0:a00:1::"],
  ];
  for (const address of never) assert.ok(why(address, ...everything), address);
  for (const address of ["10.0.0.1", "fd12::1", "127.0.0.1"])
    assert.equal(why(address, ...everything), undefined);
});

test("an opened NAT64 reaches what its IPv4 address may reach", () => {
  const open = "64:ff9b::/96";
  assert.equal(why("64:ff9b::808:808"), "NAT64");
  assert.equal(why("64:ff9b::808:808", open), undefined);
  assert.equal(why("64:ff9b::a9fe:a9fe", open), "link-local");
  assert.equal(why("64:ff9b::a00:1", open), "private");
  assert.equal(why("64:ff9b::a00:1", open, "10.0.0.0/8"), undefined);
});

test("our own addresses are forbidden whatever is opened", () => {
  const isOwn = (address: string) => ["10.0.0.5", "2a00::5"].includes(address);
  for (const address of ["10.0.0.5", "2a00::5", "2a00:0:0::0:5"])
    assert.equal(whyForbidden(address, { allowPrivate: ["10.0.0.0/8", "::/0"], isOwn }), "our own");
});

test("one address has one spelling", () => {
  assert.equal(canonicalAddress("2A00:0:0::0:05"), "2a00::5");
  assert.equal(canonicalAddress("10.0.0.5"), "10.0.0.5");
  assert.equal(canonicalAddress("no address"), "no address");
  assert.deepEqual(["127.8.9.1", "::1", "::2", "128.0.0.1"].map(isLoopbackAddress), [
    true,
    true,
    false,
    false,
  ]);
});

/** The first and last address of a network, and those beside it. */
function edges(block: string) {
  const [start, bits] = ipaddr.parseCIDR(block);
  const width = start.toByteArray().length * 8;
  const size = 1n << BigInt(width - bits);
  const from = BigInt(`0x${Buffer.from(start.toByteArray()).toString("hex")}`);
  const text = (value: bigint) => {
    if (value < 0n || value >= 1n << BigInt(width)) return END;
    const hex = value.toString(16).padStart(width / 4, "0");
    return ipaddr.fromByteArray([...Buffer.from(hex, "hex")]).toString();
  };
  return {
    first: text(from),
    last: text(from + size - 1n),
    previous: text(from - 1n),
    next: text(from + size),
  };
}
