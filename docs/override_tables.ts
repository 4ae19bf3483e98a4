import { TABLE_KEYS } from "../server/override/override_schema.ts";
import { FAILURES, type FailureCode } from "../shared/failures.ts";
import { type Row, rowsFor, table } from "./routing_tables.ts";

/** What each rule is for. */
export const ruleTable = table(
  ["rule", "what it stops"],
  [
    [
      "A request that may not is refused, never served by workers",
      "A customer's data in the shared pool, unnoticed",
    ],
    ["A right of its own: a scope, a listener, a signature", "Every client's key as a way into the network"],
    [
      "A signature is of one request, for a minute, once",
      "A header that somebody read used again, or for another endpoint",
    ],
    [
      "Only what is listed, compared part by part",
      "A relay to any URL; a host that only ends like a listed one",
    ],
    [
      "One canonical form, which two parsers agree on, or refused",
      "URLs that two programs read in two ways: `https://a@b/`, `\\`, `%2e%2e`, `0x7f.1`, `①`, a dot at the end",
    ],
    ["`{name}` is the same everywhere", "The host of one region or customer with the path of another"],
    [
      "Addresses are checked by what dials, and the checked one is dialled",
      "A listed name that points to loopback, a private network or a cloud's metadata, at once or after the check",
    ],
    [
      "No redirect is followed, no proxy of the environment is asked, no cookie is kept",
      "Being sent on by a provider",
    ],
    [
      "A secret is bound to patterns, and to domains that are written out",
      "A secret sent to a host that somebody registered",
    ],
    ["The client's other credentials stop at the relay", "A provider that learns the relay's keys"],
    ["The outcome is final", "A second try elsewhere, with the customer's data"],
    ["Errors have no address and no foreign text in them", "The relay as a scanner of its own network"],
  ],
);

/** What can stand in a pattern. */
export const patternTable = table(
  ["in a pattern", "stands for"],
  [
    ["`*`", "one label of the host, one segment of the path, or a piece of one; at least one character"],
    ["`{name}`", "the same, with the same value wherever the name stands in the pattern"],
    ["`**`", "one segment of the path or more; the last one only, never in a host"],
    ["`?…`", "a query, which must be there; without it there must be none"],
    ["`:8443`", "this port; without it the scheme's own"],
    ["all other characters", "themselves, letter by letter"],
  ],
);

const CODES: Readonly<Partial<Record<FailureCode, string>>> = {
  unauthorized: "It shows no credential at all, or an API key that is none",
  override_not_allowed:
    "There is no `[override]`, what it shows is not enough, or not good for this endpoint; or the path is the relay's own",
  override_invalid:
    "The URL is not in its canonical form, a header of the override is there twice, or `x-model-provider` is not the endpoint's",
  override_not_listed: "No pattern fits",
  upgrade_unsupported: "It asks for a WebSocket",
  provider_unreachable:
    "The name does not resolve, an address of it is forbidden, nobody answers there, or the certificate is not right",
  provider_broke_off: "The connection ended before there was an answer",
  provider_invalid: "What came is not HTTP/1.1",
  provider_timeout: "The answer did not begin within `--request-timeout`",
};

/** What the client gets from the relay itself. */
export const failureRows = table(
  ["status", "code", "when"],
  (Object.entries(CODES) as [FailureCode, string][]).map(([code, when]) => [
    `${FAILURES[code].status}`,
    `\`${code}\``,
    when,
  ]),
);

const KEYS: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  "": {
    listen: ["`HOST:PORT` or `unix:PATH`", "A listener for requests that may name an endpoint"],
    resolver: ["`HOST:PORT`", "A DNS server to ask for providers' names; not given, as the system does"],
    ca_file: ["path", "More certificate authorities to trust for providers, PEM"],
    require: [
      "list of `key`, `listener`, `signature`",
      "Ways that are required together; not given, one will do",
    ],
    endpoint: ["tables", "What may be named, in the order in which it is tried; 1 to 256"],
    key: ["tables", "Who may sign; 1 to 64"],
  },
  endpoint: {
    name: ["text", "For keys, the log and what is counted"],
    patterns: ["list of texts", "[Patterns](#what-may-be-named), 1 to 64"],
    provider: ["text", "What `x-model-provider` must say when it is sent; not given, it must not be sent"],
    credential: ["`none`, `passthrough`, `secret`", "What the provider gets; not given, `none`"],
    secret: ["table", 'Where the secret stands, for `credential = "secret"`'],
    join: [
      "true or false",
      "A bare origin is taken too, and gets the request's path and query; not given, false",
    ],
    allow_private: ["list of networks", "Private networks that its hosts may be in"],
  },
  key: {
    id: ["text", "The `kid` of signatures"],
    secret: ["table", "Where its secret stands; at least 32 bytes"],
    endpoints: ["list of texts", "The endpoints that it is good for; not given, all"],
  },
  secret: {
    file: ["path", "Its file"],
    env: ["name", "Its variable"],
    credential: ["name", "Its file in `$CREDENTIALS_DIRECTORY`"],
  },
};

const PREFIXES: Readonly<Record<string, string>> = {
  "": "",
  endpoint: "endpoint[].",
  key: "key[].",
  secret: "….secret.",
};

/** Every key that the settings take. @throws Error for one without a row here, or a row without a key */
export const keyTable = table(
  ["key", "takes", "meaning"],
  Object.entries(TABLE_KEYS).flatMap(([name, keys]) =>
    rowsFor(keys, KEYS[name] ?? {}).map(([key, ...cells]) => [
      key!.replace("`", `\`${PREFIXES[name]}`),
      ...cells,
    ]),
  ),
);
