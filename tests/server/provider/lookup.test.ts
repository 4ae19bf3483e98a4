import assert from "node:assert/strict";
import { test } from "node:test";
import { serverLookup, systemLookup } from "../../../server/provider/lookup.ts";
import { type DnsAnswer, DnsServer } from "../../support/dns_server.ts";

async function asking(answers: Record<string, DnsAnswer>, name: string) {
  await using server = await DnsServer.start((asked) => answers[asked] ?? []);
  const found = await serverLookup({ host: "127.0.0.1", port: server.port })(name).then(
    (addresses) => ({ addresses }),
    (error: Error) => ({ error }),
  );
  return { ...found, questions: [...server.questions].sort() };
}

test("the named server is asked for both kinds of addresses, by the whole name", async () => {
  const { questions, ...found } = await asking({ "a.test": ["203.0.113.9", "2001:db8::9"] }, "a.test");
  assert.deepEqual(found, { addresses: ["203.0.113.9", "2001:db8::9"] });
  assert.deepEqual(questions, ["A a.test", "AAAA a.test"]);
});

test("the named server may have an address of either kind", async () => {
  await using server = await DnsServer.start(() => ["203.0.113.9"], "::1");
  assert.deepEqual(await serverLookup({ host: "::1", port: server.port })("a.test"), ["203.0.113.9"]);
});

test("one kind is enough", async () => {
  const four = await asking({ "a.test": ["203.0.113.9"] }, "a.test");
  assert.deepEqual("addresses" in four && four.addresses, ["203.0.113.9"]);
  const six = await asking({ "a.test": ["2001:db8::9"] }, "a.test");
  assert.deepEqual("addresses" in six && six.addresses, ["2001:db8::9"]);
});

test("nothing is kept from one lookup to the next", async () => {
  const answers = [["203.0.113.9"], ["2001:db8::9"], [], ["203.0.113.9"]];
  let answer: DnsAnswer = [];
  await using server = await DnsServer.start(() => answer);
  const lookup = serverLookup({ host: "127.0.0.1", port: server.port });
  for (answer of answers) assert.deepEqual(await lookup("a.test").catch(() => []), answer);
  assert.equal(server.questions.length, 2 * answers.length);
});

test("an answer that fits no datagram comes over TCP, whole", async () => {
  const many = Array.from({ length: 200 }, (_, at) => `10.0.0.${at}`);
  const found = await asking({ "many.test": many }, "many.test");
  assert.deepEqual("addresses" in found && found.addresses.toSorted(), many.toSorted());
  assert.equal(found.questions.filter((question) => question === "A many.test").length, 2);
});

test("a name that is none, and a server that fails, are errors; no other name is tried", async () => {
  const none = await asking({}, "nobody.test");
  assert.ok("error" in none);
  assert.deepEqual(none.questions, ["A nobody.test", "AAAA nobody.test"]);
  assert.ok("error" in (await asking({ "broken.test": "server failure" }, "broken.test")));
});

test("a server has to be an address", () => {
  assert.throws(() => serverLookup({ host: "dns.test", port: 53 }));
});

test("the system knows localhost, and does not know what is invalid", async () => {
  assert.ok((await systemLookup("localhost")).some((address) => ["127.0.0.1", "::1"].includes(address)));
  await assert.rejects(systemLookup("nobody.invalid"));
});
