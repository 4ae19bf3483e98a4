import assert from "node:assert/strict";
import { test } from "node:test";
import {
  backendUrl,
  hostPort,
  isLoopback,
  networks,
  origins,
  relayUrls,
} from "../../../shared/settings/addresses.ts";
import { secret, workerSecrets } from "../../../shared/settings/secrets.ts";
import { choice, file, flag, models, name, paths, somePaths } from "../../../shared/settings/texts.ts";
import { testKinds } from "./kind_cases.ts";

const MISREAD_SECRET = "the value holds something that a header cannot carry";

testKinds({
  hostPort: {
    kind: hostPort,
    reads: [
      ["127.0.0.1:8080", { host: "127.0.0.1", port: 8080 }],
      ["[::1]:0", { host: "::1", port: 0 }],
      ["localhost:65535", { host: "localhost", port: 65_535 }],
    ],
    refuses: [
      [":8080", '":8080" is not an address with a port'],
      ["8080", '"8080" is not an address with a port'],
      ["::1:8080", '"::1:8080" is not an address with a port'],
      ["[zz]:1", '"[zz]:1" is not an address with a port'],
      ["a:65536", '"a:65536" has a port above 65535'],
      ["http://a:1", '"http://a:1" is not an address with a port'],
    ],
  },
  relayUrls: {
    kind: relayUrls,
    reads: [
      ["https://a.example/,ws://b:1/base//", ["https://a.example", "ws://b:1/base"]],
      [["http://[::1]:8080"], ["http://[::1]:8080"]],
    ],
    refuses: [
      ["ftp://a", '"ftp://a" is not a URL with http:// or https:// or ws:// or wss://'],
      ["a.example:80", '"a.example:80" is not a URL with http:// or https:// or ws:// or wss://'],
      ["https://me:hunter2@a", "the URL holds credentials"],
      ["https://a/?x=1", '"https://a/?x=1" has a query or a fragment'],
    ],
  },
  backendUrl: {
    kind: backendUrl,
    reads: [["http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"]],
    refuses: [["ws://a", '"ws://a" is not a URL with http:// or https://']],
  },
  networks: {
    kind: networks,
    reads: [
      ["10.0.0.0/8, ::1,127.0.0.1", ["10.0.0.0/8", "::1/128", "127.0.0.1/32"]],
      ["FD00:0:0::/8, 10.1.2.3/8", ["fd00::/8", "10.1.2.3/8"]],
    ],
    refuses: [
      ["10.0.0.0/33", '"10.0.0.0/33" is not a network'],
      ["all", '"all" is not a network'],
      // 8.0.0.0/8 to a C library, and 0.0.0.10.
      ["010.0.0.0/8", '"010.0.0.0/8" is not a network'],
      ["10/8", '"10/8" is not a network'],
      ["10", '"10" is not a network'],
      ["0x7f.0.0.1", '"0x7f.0.0.1" is not a network'],
      ["fe80::1%eth0", '"fe80::1%eth0" is not a network'],
    ],
  },
  origins: {
    kind: origins,
    reads: [["https://App.example/,*", ["https://app.example", "*"]]],
    refuses: [
      ["https://a/path", '"https://a/path" is not a web origin'],
      ["null", '"null" is not a web origin'],
    ],
  },
  name: {
    kind: name,
    reads: [
      ["home/4090", "home/4090"],
      ["Gaming PC", "Gaming PC"],
    ],
    refuses: [
      ["a,b", '"a,b" is not a name'],
      [" a", '" a" is not a name'],
      ["a\nb", '"a\\nb" is not a name'],
      ["", '"" is not a name'],
    ],
  },
  file: { kind: file, reads: [["./a b", "./a b"]], refuses: [["", '"" is not the path of a file']] },
  flag: {
    kind: flag,
    reads: [
      ["true", true],
      ["0", false],
      [false, false],
      ["ON", true],
    ],
    refuses: [
      ["", '"" is neither true nor false'],
      ["maybe", '"maybe" is neither true nor false'],
    ],
  },
  choice: {
    kind: choice(["text", "json"], { plain: "text" }),
    reads: [
      ["JSON", "json"],
      ["plain", "text"],
    ],
    refuses: [
      ["xml", '"xml" is not one of text, json'],
      ["constructor", '"constructor" is not one of text, json'],
    ],
  },
  models: {
    kind: models,
    reads: [
      [" llama3 , meta/llama:70b,,llama3", ["llama3", "meta/llama:70b"]],
      // A list of the file is used as it is.
      [["a,b"], ["a,b"]],
    ],
    refuses: [
      [[1], "[1] is not a list of texts"],
      // A worker that serves nothing, and (below) a rule that opens everything, are never what was meant.
      [" ,", '" ," names nothing'],
    ],
  },
  paths: {
    kind: paths,
    reads: [["v1/chat/, /api*,/, //x", ["/v1/chat", "/api*", "/", "/x"]]],
    refuses: [
      ["/v1?x", '"/v1?x" is not a path'],
      ["/a/../b", '"/a/../b" is not a path'],
      ["/a*/b", '"/a*/b" is not a path'],
      [`/${"x".repeat(256)}`, `"/${"x".repeat(78)}… is longer than 256 characters`],
      [Array.from({ length: 65 }, (_, i) => `/${i}`), "65 values are more than 64"],
    ],
  },
  somePaths: {
    kind: somePaths,
    reads: [["/", ["/"]]],
    refuses: [
      ["", '"" names nothing'],
      [[], "[] names nothing"],
    ],
  },
  secret: {
    kind: secret,
    reads: [["pass word", "pass word"]],
    refuses: [
      ["", "the value is empty"],
      ["hunter2\n", MISREAD_SECRET],
      ["pässword", MISREAD_SECRET],
      [12345, MISREAD_SECRET],
    ],
  },
  workerSecrets: {
    kind: workerSecrets,
    reads: [
      ["a,b", [{ secret: "a,b" }]],
      [
        ["one", { secret: "two", provider: "home", models: ["m"] }],
        [{ secret: "one" }, { secret: "two", provider: "home", models: ["m"] }],
      ],
    ],
    refuses: [
      [
        [{ secret: "two", hunter2: "x" }],
        "the value is neither a text nor a table with secret, provider and models",
      ],
      [[{ secret: "hunter2\n" }], MISREAD_SECRET],
    ],
  },
});

test("isLoopback() knows addresses that only this machine reaches", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"])
    assert.ok(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "example.com"]) assert.ok(!isLoopback(host), host);
});
