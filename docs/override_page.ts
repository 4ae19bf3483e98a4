import { furtherSections } from "./override_sections.ts";
import { ruleTable } from "./override_tables.ts";
import { workedExample } from "./worked_example.ts";

const INTRODUCTION = `# Requests that name their own endpoint

This page is printed by \`bun docs/generate.ts\` from \`docs/override_page.ts\` and from scenarios that the tests run; edit
those. A test types its commands.

A service in front of the relay may know better where a request has to go: a customer has a cluster of its own, or a
model that only a cloud provider runs. It names that place in \`x-provider-endpoint\`, and the relay sends this one
request there instead of to a worker: with the method and the body as they came, streams, uploads and HEAD included.

| header | of the request |
| --- | --- |
| \`x-provider-endpoint\` | the whole URL that the request goes to. The request's own path and query are not appended |
| \`x-model-provider\` | optional: whose endpoint it is meant to be; compared with the \`provider\` that is listed |
| \`x-provider-authorization\` | the provider's credential, where the endpoint's is \`passthrough\` |
| \`x-provider-signature\` | one of the ways to be trusted |

None of them reaches the provider under its own name, and none of them a worker. Requests without \`x-provider-endpoint\`
are served as if there were no override, with \`x-model-provider\` too.

The relay is **no fallback** for such a request. Where it may not or cannot go to its endpoint it fails, as a customer's
request that is served by shared workers in silence is the accident that all of this is to prevent.
`;

const WHY = `## Why it is strict

A header that tells a server where to send a request, with credentials, is a way into the server's network for whoever
may set it. This very feature has been that elsewhere: LiteLLM (CVE-2024-6587 and those that followed), Portkey
(CVE-2025-66405), MLflow (GHSA-h7x2-h6g9-p789), Open WebUI (CVE-2026-45400, CVE-2026-45401). So it is off until there is
an \`[override]\` table, and then:

${ruleTable}
What it does not protect from: a provider that is listed and hostile sees the requests that go to it, and who holds a
way to be trusted can use every endpoint that this way is good for.
`;

const SET_UP = `## Setting it up

1. **List the endpoint.** In the relay's settings file:

\`\`\`toml
# relay.toml
listen = "127.0.0.1:8080"
api_keys_file = "keys.toml"
admin_token_file = "admin-token.txt"

[override]

[[override.endpoint]]
name = "acme"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20231130/**"]
provider = "oci"
credential = "passthrough"
\`\`\`

2. **Make a key** for the service that will name endpoints. The first line prints the key once and writes its digest, the
   second limits it to this endpoint.

\`\`\`sh run
npx bun main.ts keys hash --generate --name gateway --scopes override > keys.toml
echo 'override_endpoints = ["acme"]' >> keys.toml
openssl rand -hex 32 > admin-token.txt
\`\`\`

3. **See whether the pattern takes what it should**, before anything is sent:

\`\`\`sh run
npx bun main.ts override check --config relay.toml \\
  https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat
\`\`\`

4. **Start the relay.** A pattern that cannot be used, or a secret that is not there, stops the start and names its line.

\`\`\`sh run
npx bun main.ts serve --config relay.toml
\`\`\`

5. **Send a request:**

\`\`\`sh run
curl http://127.0.0.1:8080/v1/chat/completions -H "Authorization: Bearer $GATEWAY_KEY" \\
  -H 'x-provider-endpoint: https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat' \\
  -H 'x-model-provider: oci' -H "x-provider-authorization: $CUSTOMER_TOKEN" \\
  -H 'Content-Type: application/json' -d '{"message":"Hello"}'
\`\`\`

${workedExample("override-goes-to-the-endpoint-alone")}`;

const TRUST = `## Who may name an endpoint

There are three ways. Any one of them will do, unless \`require\` names some that must be there together. The admin token is
none of them. Trust is looked at first: who has none is not told what is listed, nor whether a URL is well written.

### An API key

One with the scope \`override\`, in \`Authorization\`, \`x-api-key\` or \`api-key\`. It is good for every endpoint, or for those
in its \`override_endpoints\`. The scope is for nothing else: a key that is also to reach workers has \`inference\` too.

\`\`\`toml
[[key]]
name = "gateway"
sha256 = "0a1b…"
scopes = ["override"]
override_endpoints = ["acme"]
\`\`\`

${workedExample("override-key-of-other-endpoints")}
### A listener of its own

Whoever reaches it may name every endpoint: an address in a network where only trusted services are, or better a unix
socket, whose file only its owner can open. It speaks plain HTTP.

\`\`\`toml
# listener.toml
listen = "127.0.0.1:8080"

[override]
listen = "127.0.0.1:9443"

[[override.endpoint]]
name = "acme"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20231130/**"]
\`\`\`

\`\`\`sh run
npx bun main.ts serve --config listener.toml
curl http://127.0.0.1:9443/v1/chat/completions -d '{"message":"Hello"}' \\
  -H 'x-provider-endpoint: https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat'
\`\`\`

The same with a socket:

\`\`\`toml
# socket.toml
listen = "127.0.0.1:8080"

[override]
listen = "unix:override.sock"

[[override.endpoint]]
name = "acme"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20231130/**"]
\`\`\`

\`\`\`sh run
npx bun main.ts serve --config socket.toml
curl --unix-socket override.sock http://relay/v1/chat/completions -d '{"message":"Hello"}' \\
  -H 'x-provider-endpoint: https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat'
\`\`\`

### A signature

An HMAC by which a service shows that it has authorised this very request. It is good for one request, at most 60 s; the
clocks of the two may be 30 s apart. So the header is worth nothing to who reads it in a log.

\`\`\`toml
# signed.toml
listen = "127.0.0.1:8080"

[override]

[[override.endpoint]]
name = "acme"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20231130/**"]

[[override.key]]
id = "gateway-1"
secret = { file = "signing-secret.txt" }
\`\`\`

\`\`\`sh run
openssl rand -hex 32 > signing-secret.txt
npx bun main.ts serve --config signed.toml
npx bun main.ts override sign POST /v1/chat/completions --key-id gateway-1 --secret-file signing-secret.txt \\
  --endpoint https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat > headers.txt
curl http://127.0.0.1:8080/v1/chat/completions -H @headers.txt -d '{"message":"Hello"}'
\`\`\`

\`override sign\` is for scripts; \`--format curl\` prints the whole command, \`--format json\` an object. A service signs by
itself: the header is \`v1;t=…;exp=…;n=…;kid=…;s=…\`, where \`t\` and \`exp\` are Unix seconds, \`n\` is 16 to 64 characters of
base64url that are never used twice, \`kid\` is the id of the key, and \`s\` is in lower-case hex the HMAC-SHA256 of these
nine lines, with a line feed between each two and none at the end:

\`\`\`text
v1
1795314973
1795315033
Ss32xRJHbIM3GY9Tv7TXVQ
gateway-1
POST
/v1/chat/completions
https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat

\`\`\`

The last line is \`x-model-provider\`, empty without one; the seventh is path and query of the request, dot segments
resolved. The body is not signed. A signature that is shown must be right, also where another way would do. A key may be
limited like an API key: \`endpoints = ["acme"]\`.

**Changing a secret**: two keys are good at the same time. Add the new one, let the services change over, take the old one
out. A secret's file is also read again within a second of its change.

\`\`\`toml
# rotating.toml
listen = "127.0.0.1:8080"

[override]

[[override.endpoint]]
name = "acme"
patterns = ["https://inference.generativeai.*.oci.oraclecloud.com/20231130/**"]

[[override.key]]
id = "gateway-1"
secret = { file = "signing-secret.txt" }

[[override.key]]
id = "gateway-2"
secret = { file = "signing-secret-2.txt" }
\`\`\`

\`\`\`sh run
openssl rand -hex 32 > signing-secret-2.txt
npx bun main.ts serve --config rotating.toml
npx bun main.ts override sign POST /v1/chat/completions --key-id gateway-2 --secret-file signing-secret-2.txt \\
  --endpoint https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/chat > headers.txt
curl http://127.0.0.1:8080/v1/chat/completions -H @headers.txt -d '{"message":"Hello"}'
\`\`\`

### Several together

\`require = ["listener", "signature"]\` wants both: who gets into the network has no secret, and who got hold of a secret is
not in the network. \`["key", "signature"]\` is for a service that comes over the internet. What each way is limited to holds.

${workedExample("override-ways-required-together")}`;

/** `docs/override.md` */
export function overridePage(): string {
  return [INTRODUCTION, WHY, SET_UP, TRUST, ...furtherSections].join("\n");
}
