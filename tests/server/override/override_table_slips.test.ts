import assert from "node:assert/strict";
import { test } from "node:test";
import { complaint, serve, type Written } from "../../shared/settings/written.ts";
import { at, FILE, SIGNING, THERE, written } from "./override_file.ts";

/** A change of the file, text that only the line to blame has, and what is said of it. */
type Slip = readonly [from: string | RegExp, to: string, blamed: string, message: string];

const IN_FILE: Readonly<Record<string, Slip>> = {
  "a bad pattern": [
    /patterns = \["https:\/\/inf.*/,
    'patterns = ["https://*.com/**"]',
    "*.com",
    'endpoint[1].patterns[1] cannot be used: "https://*.com/**": its last two labels must be written out, not be wildcards',
  ],
  "a bad pattern in a list of several lines": [
    "{region}/models/*?alt=sse",
    "{}/models/*",
    "{}",
    'endpoint[2].patterns[2] cannot be used: "https://{region}-aiplatform.googleapis.com/v1/locations/{}/models/*": {} is not a name in braces, as {region} is',
  ],
  "a pattern that leaves open whose domain it is": [
    "https://{region}-aiplatform.googleapis.com/v1/locations/{region}/models/*?alt=sse",
    "https://{region}.co.uk/v1",
    ".co.uk",
    'endpoint[2].patterns cannot be used: a secret goes only where the registrable domain is written out, "https://{region}.co.uk/v1" leaves it open',
  ],
  "a misspelt key": [
    "provider =",
    "provder =",
    "provder",
    "endpoint[1].provder is unknown: the nearest is provider",
  ],
  "a misspelt key of the table": [
    "resolver",
    "resolvr",
    "resolvr",
    "resolvr is unknown: the nearest is resolver",
  ],
  "a misspelt key of a secret": [
    "{ file =",
    "{ flie =",
    "flie",
    "endpoint[2].secret.flie is unknown: the nearest is file",
  ],
  "a key that is like none": [
    "join",
    "zzz",
    "zzz",
    "endpoint[1].zzz is unknown: there are name, patterns, provider, credential, secret, join, allow_private",
  ],
  "a name with a space": [
    '"oci-dac"',
    '"oci dac"',
    "oci dac",
    'endpoint[1].name must be 1 to 64 letters, digits, dots, dashes and underscores: found "oci dac"',
  ],
  "a name twice": [
    'name = "vertex"',
    'name = "oci-dac" # again',
    "# again",
    'endpoint[2].name cannot be used: there is "oci-dac" already',
  ],
  "a key id twice": ['"k2"', '"k1" # again', "# again", 'key[2].id cannot be used: there is "k1" already'],
  "a key for an endpoint that is not there": [
    '["vertex"]',
    '["vertx"]',
    "vertx",
    'key[1].endpoints cannot be used: there is no endpoint "vertx", the nearest is vertex',
  ],
  "a provider that no header can say": [
    '"oci"',
    '"o ci"',
    "o ci",
    'endpoint[1].provider must be ASCII of 1 to 128 characters without spaces and any of \\ " < > ^ ` { | }: found "o ci"',
  ],
  "a credential of another kind": [
    '"passthrough"',
    '"pass"',
    '"pass"',
    'endpoint[1].credential must be none, passthrough or secret: found "pass"',
  ],
  "a secret that is sent nowhere": [
    'credential = "secret"',
    "",
    "vertex-token",
    'endpoint[2].secret cannot be used: credential = "secret" and a secret go together',
  ],
  "no secret to send": [
    'secret = { file = "vertex-token" }',
    "",
    'credential = "secret"',
    'endpoint[2].credential cannot be used: credential = "secret" and a secret go together',
  ],
  "a secret from two places": [
    "{ file =",
    '{ env = "X", file =',
    '"X"',
    "endpoint[2].secret cannot be used: it must have one of file, env and credential",
  ],
  "a network that is none": [
    "10.0.0.0/8",
    "10.0.0.0/88",
    "10.0.0.0/88",
    'endpoint[1].allow_private cannot be used: "10.0.0.0/88" is not a network',
  ],
  "a network that stays closed": [
    '"10.0.0.0/8"',
    '"10.0.0.0/8", "169.254.169.254"',
    "169.254",
    'endpoint[1].allow_private cannot be used: "169.254.169.254/32" would open nothing: link-local addresses stay closed',
  ],
  "a network that stands for another": [
    "10.0.0.0/8",
    "::ffff:10.0.0.0/104",
    "allow_private",
    'endpoint[1].allow_private cannot be used: "::ffff:a00:0/104" would open nothing: IPv4-mapped addresses stay closed',
  ],
  "a resolver by its name": [
    "127.0.0.1:5353",
    "dns.example:53",
    "resolver",
    'resolver cannot be used: "dns.example" is not the address of a DNS server',
  ],
  "a resolver without a port": [
    ":5353",
    "",
    "resolver",
    'resolver cannot be used: "127.0.0.1" is not an address with a port',
  ],
  "a listener of another kind": [
    "unix:override.sock",
    "override.sock",
    "listen =",
    'listen cannot be used: "override.sock" is neither HOST:PORT nor unix:PATH',
  ],
  "a way that is none": [
    '"signature"]',
    '"signatur"]',
    "signatur",
    'require[2] must be one of key, listener, signature: found "signatur"',
  ],
  "a listener that is required and not there": [
    /listen = .*/,
    "",
    "require",
    "require cannot be used: there is no listener, as listen is not given",
  ],
  "a signature that nobody can give": [
    /\[\[override\.key\]\][\s\S]*/,
    "",
    "require",
    "require cannot be used: nobody can sign, as there is no [[override.key]]",
  ],
  "no endpoint": [
    /\[\[override\.endpoint\]\][\s\S]*vertex-token" }/,
    "",
    "[override]",
    "endpoint must be 1 to 256 tables in double brackets: found nothing",
  ],
};

for (const [what, [from, to, blamed, message]] of Object.entries(IN_FILE)) {
  test(`the start is stopped by ${what}, with its line`, () => {
    const changed = written(from, to);
    const lines = changed.files!["etc/relay.toml"]!.split("\n");
    const line = lines.findIndex((text) => text.includes(blamed)) + 1;
    assert.equal(
      complaint(() => serve(changed))[0],
      `Cannot read etc/relay.toml: line ${line}: override.${message}`,
    );
  });
}

const SECRETS: Readonly<Record<string, readonly [Partial<Written>, message: string]>> = {
  "a secret's file that is not there": [
    { files: { "etc/relay.toml": FILE, "/run/c/signing": SIGNING } },
    `Cannot read ${at("vertex-token")}: there is no such file`,
  ],
  "a secret's file that is empty": [
    { files: { ...THERE.files, [at("vertex-token")]: " \n" } },
    `Cannot read etc/relay.toml: line 23: override.endpoint[2].secret cannot be read: ${at("vertex-token")} is empty`,
  ],
  "a secret that no header can carry": [
    { files: { ...THERE.files, [at("vertex-token")]: "a\nb" } },
    "Cannot read etc/relay.toml: line 23: override.endpoint[2].secret must hold ASCII that a header can carry, on one line",
  ],
  "a signing secret that is short": [
    { env: { ...THERE.env, SIGNING: "s".repeat(31) } },
    "Cannot read etc/relay.toml: line 27: override.key[1].secret must hold at least 32 bytes: found 31",
  ],
  "a variable that is not set": [
    { env: { CREDENTIALS_DIRECTORY: "/run/c" } },
    "Cannot read etc/relay.toml: line 27: override.key[1].secret cannot be read: the variable SIGNING is empty or not set",
  ],
  "a credential outside systemd": [
    { env: { SIGNING } },
    "Cannot read etc/relay.toml: line 32: override.key[2].secret cannot be read: there is no $CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential=",
  ],
};

for (const [what, [rest, message]] of Object.entries(SECRETS)) {
  test(`the start is stopped by ${what}`, () => {
    assert.equal(complaint(() => serve({ ...THERE, ...rest }))[0], message);
  });
}
