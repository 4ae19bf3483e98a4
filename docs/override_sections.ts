import { failureRows, keyTable, patternTable } from "./override_tables.ts";
import { workedExample } from "./worked_example.ts";

const PATTERNS = `## What may be named

A URL is taken in one form only and never repaired: \`https://\` in lower case (\`http://\` where a pattern says so), a name of
at least two labels in lower case, no address in any spelling, no user, no fragment, no default port, a path, and in it no
empty or dot segment (\`..;x\` is one too) and no escape of \`.\`, \`/\`, \`\\\`, \`%\` or a control character. Anything else is
\`override_invalid\`.

Then it is compared with the patterns, part by part, in the order in which they stand; the first counts that fits, serves
the \`x-model-provider\` and is open to who asks.

${patternTable}
- The last two labels of a host are written out. A wildcard never crosses a dot of a host or a slash of a path.
- A name stands for the same text wherever it stands, as in \`{model}-{model}\`. Where it could stand for very many texts, in a
  segment of dozens of dashes, some are tried and no more.
- A query is allowed only where a pattern ends in one, and in it too \`*\` and \`{name}\` stand for a piece between \`&\`, \`;\` and
  \`=\`, and never for an escape: a query is compared as it is written.
- With \`join = true\` the upstream may name a bare origin too; the request's path and query are appended, and what comes of
  that must be listed like any other URL.

${workedExample("override-name-stands-for-one-value")}
${workedExample("override-query-must-be-listed")}
${workedExample("override-join-takes-a-bare-origin")}`;

const CREDENTIALS = `## What the provider gets

The client's headers, without \`Authorization\`, \`x-api-key\`, \`api-key\`, \`Cookie\`, what is for one hop, and what is for the
relay (\`x-provider…\`, \`x-model\`, \`x-model-provider\`, \`x-signalbox-…\`); with \`Via\`, and \`X-Forwarded-…\` with the client's
address. Then one credential, as \`credential\` says:

| \`credential\` | \`Authorization\` is |
| --- | --- |
| \`"none"\` | not sent; the default |
| \`"passthrough"\` | the client's \`x-provider-authorization\`, as it is, one credential in one line; not sent without one |
| \`"secret"\` | the one that \`secret\` names: a token alone is sent as \`Bearer TOKEN\`, a text with a space in it as it is |

\`secret\` is \`{ file = "PATH" }\`, which starts from the settings file's folder, \`{ env = "VARIABLE" }\`, or
\`{ credential = "NAME" }\` for systemd's \`LoadCredential=\`. It is sent only where the registrable domain of every pattern is
written out, so that nobody can register a host that gets it. What is registrable is told by the ICANN part of the
[Public Suffix List](https://publicsuffix.org/list/); with names of a hosting company (\`*.github.io\`), it is for you to know
whose they are. A file is read again within a second of its change: whatever renews a token writes a new file beside it and
renames it, as below. While it is gone or empty, the old token stays.
`;

const PROVIDERS = `## Dedicated AI clusters at OCI

A dedicated cluster is called at the region's inference host, and the body names it (\`servingMode\`). Requests are signed by
who calls: the upstream signs for the endpoint's host and path, not for the relay's, and hands the result over in
\`x-provider-authorization\`. Method, body, \`Date\`, \`Content-Type\` and \`x-content-sha256\` reach OCI as they were signed. The
pattern of [the set-up](#setting-it-up) is all that it takes; write the regions out to open only those.

## Gemini on Vertex AI

The path has project, region and model in it, the host the region again, and a stream asks for \`?alt=sse\`: two patterns,
one name for both regions. The relay has the token, and the upstream none.

\`\`\`toml
# vertex.toml
listen = "127.0.0.1:8080"
api_keys_file = "vertex-keys.toml"

[override]

[[override.endpoint]]
name = "vertex"
patterns = [
  "https://{region}-aiplatform.googleapis.com/v1/projects/acme-prod/locations/{region}/publishers/google/models/*",
  "https://{region}-aiplatform.googleapis.com/v1/projects/acme-prod/locations/{region}/publishers/google/models/*?alt=sse",
]
provider = "vertex"
credential = "secret"
secret = { file = "vertex-token" }
\`\`\`

\`\`\`sh run
npx bun main.ts keys hash --generate --name vertex --scopes override > vertex-keys.toml
echo "$ACCESS_TOKEN" > vertex-token.new
mv vertex-token.new vertex-token
npx bun main.ts serve --config vertex.toml
curl http://127.0.0.1:8080/v1/chat -H "Authorization: Bearer $VERTEX_KEY" -H 'x-model-provider: vertex' \\
  -H 'x-provider-endpoint: https://europe-west4-aiplatform.googleapis.com/v1/projects/acme-prod/locations/europe-west4/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse' \\
  -H 'Content-Type: application/json' -d '{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}'
\`\`\`

Vertex's tokens live for an hour: the two lines that write the file belong into a timer.

## Private networks

A host is looked up when it is needed, at most every 30 s, and every second while it cannot be used. **Every** address of it
is checked, one that is forbidden refuses the host, and the connection goes to a checked address, with the certificate
checked for the name. Forbidden are loopback, private, link-local and metadata addresses, this machine's own, and all that
IANA lists as special. \`allow_private\` opens networks for one endpoint; link-local, metadata, multicast and addresses that
stand for others stay closed, and so do the relay's own ports.

\`\`\`toml
# private.toml
listen = "127.0.0.1:8080"

[override]
listen = "127.0.0.1:9443"
resolver = "10.0.0.53:53"

[[override.endpoint]]
name = "pool"
patterns = ["https://*.pool.corp.example/v1/**"]
allow_private = ["10.20.0.0/16"]
\`\`\`

\`\`\`sh run
npx bun main.ts override check https://unit1.pool.corp.example/v1/chat --resolve --config private.toml
\`\`\`

\`resolver\` is for split horizons: a DNS server by its address, asked in place of the system's for these names only. The system
may try a name with its search domains first (\`search\` and \`ndots\` in \`resolv.conf\`, as in Kubernetes); what it finds there is
checked like any address, and over \`https\` needs the name's certificate. \`resolver\` is asked for the name as it is and no other.
\`ca_file\` adds authorities to the public ones, for providers whose certificates are your own.
`;

const ANSWERS = `## What the client gets

The provider's status, headers and body, as they come, errors and redirects included: no redirect is followed, nothing is
sent twice. \`X-Signalbox-Provider\` names the endpoint's \`provider\`, else its \`name\`. Otherwise one of these, in the dialect
of the path ([failures.md](failures.md)); \`param\` is the part that is to blame, such as \`host\` or \`path\`. No message has an
address, a pattern or a word of the provider's in it.

${failureRows}
They are checked in this order: off or a path of the relay's own, trust, form, list. Limits of time and size are those of
requests to workers (\`--request-timeout\`, \`--response-idle-timeout\`, \`--max-body-size\`, …). A provider that breaks off
after its answer has begun breaks the client's connection. WebSockets are not passed through yet.

## The log, and what is counted

The line of such a request has \`override\` (the endpoint's \`name\`), \`host\` (scheme and host), \`provider\` and \`client\` (the
name of the API key, or the id of the key that signed), and no path or query, neither of the endpoint nor of the request.
Why a provider could not be reached stands in a line of its own, with addresses.

\`/admin/stats\` counts the requests by endpoint and by what came of them, a status or a code; those that were refused stand
under \`""\`:

\`\`\`json
{ "overrides": { "acme": { "200": 31, "provider_timeout": 1 }, "": { "override_not_listed": 2 } } }
\`\`\`

## Testing your own patterns

\`override check\` compares one URL with what a settings file lists, \`--resolve\` looks its host up too. The exit code is 0 when
it is taken, 1 when it is not, 2 when something is wrong with what was given.

\`\`\`sh run
npx bun main.ts override check https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat \\
  --model-provider oci --config relay.toml
\`\`\`

\`route-test\` tells of a running relay what it would do: who is trusted and why, each pattern and what differs from it, what
is stripped, where it would go. It connects to nothing, looks up nothing without \`--resolve\`, and leaves a signature unused.

\`\`\`sh run
npx bun main.ts serve --config relay.toml
npx bun main.ts route-test POST /v1/chat/completions --server http://127.0.0.1:8080 --admin-token-file admin-token.txt \\
  --header "Authorization: Bearer $GATEWAY_KEY" --header 'x-model-provider: oci' \\
  --header 'x-provider-endpoint: https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat'
\`\`\`

A [scenario](scenarios.md#override) keeps a case for good: the table as in the settings, who asks, and what is to come of
it. No secret is read. The examples of this page are such files (\`tests/routing/scenarios/override-….toml\`).

\`\`\`toml
# acme.toml
title = "acme's cluster is acme's"

[[override.endpoint]]
name = "acme"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20231130/**"]

[request]
path = "/v1/chat/completions"
key = { scopes = ["override"], override_endpoints = ["globex"] }

[request.headers]
x-provider-endpoint = "https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat"

[expect]
code = "override_not_allowed"
faults = { "https://inference.generativeai.*.oci.oraclecloud.com/20231130/**" = "grant" }
\`\`\`

\`\`\`sh run
npx bun main.ts route-test --scenario acme.toml
\`\`\`

## Every key of [override]

In variables and flags the whole table is JSON (\`SIGNALBOX_OVERRIDE\`, \`--override\`). Paths start from the file's folder,
elsewhere from the current one.

${keyTable}`;

/** What comes behind the ways to be trusted. */
export const furtherSections: readonly string[] = [PATTERNS, CREDENTIALS, PROVIDERS, ANSWERS];
