import { preferenceTable, quantizationTable, ruleTable } from "./routing_tables.ts";
import { workedExample } from "./worked_example.ts";

const INTRODUCTION = `# Routing

This page is printed by \`bun docs/generate.ts\` from \`docs/routing_page.ts\` and from scenarios that the tests run;
edit those.

What a client may ask of the relay, which worker gets the request, and what the client is told. The preferences are
OpenRouter's, by their names, so that its clients need only another base URL.

One function decides: [rules](#who-may-serve) drop workers, a [ranking](#who-goes-first) puts those that are left in
order, and the first gets the request, or it [waits or is refused](#waiting-and-refusing). \`route-test\` calls the same
function and sends nothing; its output follows each example here. \`home\`, \`lab\`, \`school\` and \`cloud\` are providers,
\`attic\`, \`cellar\`, \`rack\`, \`tower\` and so on are their workers.
`;

const ASKING = `## What a request says

| what | where, the first that says it |
| --- | --- |
| the model | JSON body \`model\`, header \`X-Model\`, form field \`model\`, query \`model\`, the first of \`models\`. None is fine: the path then decides alone |
| models to fall back to | JSON body \`models\` |
| preferences | JSON body \`provider\` where it is an object, header \`X-Provider\` |
| the conversation | JSON body \`session_id\`, header \`X-Session-Id\`; at most 256 characters |
| what it goes on from | an id in the path (\`/v1/responses/ID\`, \`/v1/files/ID\`, …), JSON body \`previous_response_id\`, \`conversation\`, \`input_file_id\` |

\`\`\`sh run
curl https://relay.example.com/v1/chat/completions -H 'Content-Type: application/json' \\
  -d '{"model":"llama3","provider":{"order":["home","lab"]},"messages":[{"role":"user","content":"Hello"}]}'
curl https://relay.example.com/v1/audio/transcriptions -H 'X-Provider: home' -F model=whisper -F file=@memo.wav
\`\`\`

- **\`X-Provider\`** takes the same JSON object, or names with commas, which mean \`only\`. A body and a header are not
  merged. A \`provider\` in the body that is a text or a list belongs to the backend and is not looked at.
- **Large bodies** are read as far as \`--peek-limit\` (1 MiB). Of a longer one the headers go first, as the rest of it may
  say something else; what is found in its beginning counts where they say nothing, and \`X-Signalbox-Warning\` tells when
  preferences were looked for in a part only. Bodies with a \`Content-Encoding\` are not read: use headers.
- **Suffixes** of OpenRouter's models are cut off: \`llama3:nitro\` is \`llama3\` with \`sort: "throughput"\`, \`:floor\` is
  \`"price"\`, \`:exacto\` is \`"exacto"\`. \`sort\` and \`order\` go before them. Any other \`:tag\` is part of the name, and so are
  these when a model of the full name is served.
- **What crosses**: the body, byte for byte, its \`provider\` too unless \`--strip-provider\` is set. \`X-Provider\`, \`X-Model\` and
  \`X-Signalbox-…\` stay at the relay.
- **Mistakes**: a field that nobody knows does not fail a request, it is named in \`X-Signalbox-Warning\`. A known one of the
  wrong kind is 400 \`invalid_preference\`. \`null\` and an empty list are as if they were not there.

${workedExample("header-provider-names-mean-only")}
${workedExample("warnings-name-the-nearest-key")}`;

const SERVING = `## Who may serve

A worker meets the rules in this order and falls to the first that it does not pass:

${ruleTable}
How many are left after each is the **funnel**. Where nobody is left but somebody would be, were it there and well, the
request waits; otherwise it is refused.

### Paths

A worker that declares \`--endpoint-prefixes\` serves these paths and what is below them; one that declares none serves
every path. A prefix matches whole segments: \`/v1\` is \`/v1\` and \`/v1/chat\`, not \`/v1beta\`. One with \`*\` at its end is
compared letter by letter, \`/\` is everything. Dot segments are resolved before, \`%2F\` stays as it is and separates
nothing, case counts, the query does not. The worker checks its prefixes itself too. \`--allow-path\` and \`--deny-path\` of
the relay say what is relayed at all.

${workedExample("prefixes-match-whole-segments")}
### Providers

A worker serves under the provider that its \`--provider\` names, which may have a variant: \`home/4090\`. In preferences
\`home\` means all its variants, \`home/4090\` that one. Case counts. Names of providers that nobody serves under are no
mistake: they may be away.

${workedExample("variants-can-be-told-apart-in-order")}
### Preferences

${preferenceTable}
A *filter* drops workers, an *order* ranks them, and what is *soft* only sends some to the end.

${workedExample("ignore-wins-over-only")}
${workedExample("order-without-fallbacks-is-all-there-is")}
### Labels

Filters ask for what workers declare: \`[labels]\` in a worker's file, or flags such as \`--zdr\` and \`--quantization\`
([settings.md](settings.md), [protocol.md](protocol.md#labels)). A label for a single model goes before the one for all; a
price counts as a whole. **Who does not declare a label falls to the filter that asks for it.** Only a price that is not
declared is 0. The relay believes what workers say: whom to trust is decided by who gets a worker secret.

${workedExample("zdr-leaves-nobody")}
### Quantizations

Names in \`quantizations\` and in labels are mapped by this table before they are compared, any other name is compared in
lower case. Upper case, \`-\` for \`_\`, and what else is put around a width (\`ud-q4_k_xl\`) make no difference.

${quantizationTable}
${workedExample("quantizations-map-names-of-gguf")}`;

const RANKING = `## Who goes first

The first of these that tells two workers apart decides:

1. who [keeps](#conversations-and-things-that-are-kept) what the request refers to
2. a free slot: nobody waits while somebody else can serve
3. preferred throughput and latency: who meets them, who was not measured, who misses one
4. the order of \`models\`, unless \`partition\` is \`none\`
5. \`order\`, else \`sort\`
6. without these two, who had the conversation's last request
7. who names the model, before who serves \`*\`
8. load: requests under way, in parts of the slots. What a worker reports counts when it is more than what this relay gave it
9. who has waited longest

Nobody's provider is preferred to others, the relay's own \`--provider\` neither.

${workedExample("order-goes-first-then-everybody-else")}
### What is measured

For each provider variant and model, what the relay itself saw in the last five minutes, the latest 256 answers at most:
**latency** is seconds from dispatch to the first byte; **throughput** is tokens per second from dispatch to the last byte,
as many tokens as the backend says it generated, else as many as there were events. Of latency, p90 is what nine in ten
answers stayed within; of throughput, what nine in ten reached. \`sort\` goes by the median and puts who was not measured last.

${workedExample("throughput-unmeasured-is-in-between")}
${workedExample("combined-fastest-within-a-price")}
### Conversations and things that are kept

A **conversation** that has a name goes back to the worker that had its last request for the model, which has it cached.
That is forgotten after ten idle minutes and when the worker leaves, and is off under \`order\` and \`sort\`.

${workedExample("sticky-session-goes-back-to-its-worker")}
A **thing that a backend keeps** (a stored response, a file, a batch, a vector store, …) can be had only where it is. The
relay remembers for an hour which worker gave an id, also when that worker has connected again since, and waits for it
when it is busy. Filters hold for it like for anybody. When it has left, anybody is asked.

${workedExample("kept-is-worth-a-wait")}
### Several models

With \`models\`, candidates of the first model go before those of the next, each under the same preferences. The next one
also serves while all workers of the first are busy. \`X-Signalbox-Model\` names the one that served; where that is another
than the body names, the body's \`model\` is replaced, and nothing else in it.

${workedExample("models-first-one-is-busy")}
${workedExample("partition-none-is-one-ranking")}`;

const ANSWERS = `## When a candidate fails

Before a byte of an answer was forwarded, the next candidate may be tried, three times at most:

- **A worker or backend that is lost**: where sending it twice does no harm ([settings.md](settings.md), \`--resend-paths\`,
  \`--replay-limit\`).
- **A backend that answers with an error**: its answer passes as it is. Only where the request names \`order\` or \`models\`,
  or the relay has \`--fallback-on\`, the statuses 429, 500, 502, 503, 504 and 529 go on to the next candidate;
  a request that may not be done twice (DELETE, a POST that stores) goes on with 429, 503 and 529 only. The last answer
  is what the client gets.

Each try decides anew, without those that failed. \`allow_fallbacks: false\` holds for all tries.

## Waiting and refusing

| situation | what happens |
| --- | --- |
| some may serve, all are busy | it waits in line |
| who serves the model has left within \`--absent-grace\` (60 s), leaves, or has a backend that is away | it waits in line |
| the line is full (\`--max-queue-len\`, \`--max-queue-bytes\`) | 503 \`line_full\`, \`Retry-After\` |
| nobody became free within \`--queue-timeout\` (30 s) | 503 \`wait_expired\`, \`Retry-After\` |
| the path or a preference leaves nobody | 404 \`no_eligible_worker\` |
| nobody serves the model, nor did within the grace | 404 \`model_not_found\`, with the nearest that are served |
| bytes, and only ModelRelay's links | 415 \`plain_link_text_only\` |
| a preference of the wrong kind | 400 \`invalid_preference\` |

${workedExample("absent-worker-is-waited-for")}
All codes are in [failures.md](failures.md). Refusals of routing carry \`metadata\`:

| member | holds |
| --- | --- |
| \`failed_rule\` | the rule that nobody passed |
| \`routing_funnel\` | a list of \`{rule, left, step, endpoint_count}\`: the rule, how many workers were left after it, and both in OpenRouter's words |
| \`failed_routing_step\` | \`failed_rule\` in OpenRouter's words |
| \`available_providers\` | who serves the model; where nobody does, who is there |
| \`requested_providers\` | \`only\`, else \`order\`, where one was given |

## What an answer says

| header | says |
| --- | --- |
| \`X-Signalbox-Request-Id\` | the request's id, as in the relay's log; errors have it too |
| \`X-Signalbox-Provider\`, \`X-Signalbox-Worker\` | who answered |
| \`X-Signalbox-Model\` | with which model; not there without one |
| \`X-Signalbox-Attempts\` | how many workers had the request |
| \`X-Signalbox-Warning\` | what of the preferences was not understood |
| \`X-Signalbox-Route\` | the decision as JSON, for a request with \`X-Signalbox-Explain: 1\` |

**\`X-Signalbox-Explain: 1\`** wants the admin token or an API key with the scope \`explain\`; without it is 403. The JSON has
\`decision\`, \`funnel\`, and \`candidates\` (the first four, each with what set it \`behind_by\` the one before it) or \`code\` and
\`failed_rule\`.

**\`X-OpenRouter-Metadata: enabled\`** puts OpenRouter's \`openrouter_metadata\` into the answer: the candidates, the tries and
who was selected. On \`/v1/chat/completions\`, \`/v1/completions\`, \`/v1/responses\` and \`/v1/messages\`, in a JSON body or in the
last event of a stream.`;

const TESTING = `## Trying it

\`route-test\` answers where a request would go, of a fleet in a file or of a running relay, and sends nothing:

\`\`\`sh run
npx bun main.ts route-test POST /v1/chat/completions --model llama3 --provider '{"order":["home"]}' --fleet fleet.toml
npx bun main.ts route-test POST /v1/chat/completions --model llama3 --server http://127.0.0.1:8080 --record found.toml
npx bun main.ts route-test --scenario tests/routing/scenarios
\`\`\`

[route-test.md](route-test.md) tells what it prints and [scenarios.md](scenarios.md) how a fleet or a scenario is written.
The folder of the last line has a scenario for each rule of this page, and for how they combine;
[combined-each-rule-takes-one.toml](../tests/routing/scenarios/combined-each-rule-takes-one.toml) has most rules in one. A file
that \`--record\` wrote is the best part of a bug report.
`;

/** `docs/routing.md` */
export function routingPage(): string {
  return [INTRODUCTION, ASKING, SERVING, RANKING, `${ANSWERS}\n`, TESTING].join("\n");
}
