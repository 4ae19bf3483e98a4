import { type JsonSchema, jsonSchemaOf } from "../server/route_test/json_schema.ts";
import { RULE_NAMES, scenarioSchema } from "../server/route_test/scenario_schema.ts";
import { wrap } from "../shared/command_line/help.ts";
import { schemaTable } from "./schema_table.ts";

const PAGE_COLUMNS = 120;

const INTRODUCTION = `# Scenarios

This page is printed from \`server/route_test/scenario_schema.ts\` by \`bun docs/generate.ts\`; edit that, or
\`docs/scenarios_page.ts\`.

A scenario is one TOML file: a fleet, a request, and what is to become of it. Nothing runs but the code with which the
relay decides. The tests of routing are such files (\`tests/routing/scenarios/\`), and one is the best part of a bug
report about routing.

\`\`\`toml
title = "order beats load"
why = "Who names an order wants it, even where somebody else has more room."

[[worker]]
name = "attic"
provider = "home"
models = ["llama3"]
max_concurrent = 4
in_flight = 3

[[worker]]
name = "rack"
provider = "lab"
models = ["llama3"]
max_concurrent = 4

[request]
path = "/v1/chat/completions"
body = { model = "llama3", provider = { order = ["home", "lab"] } }

[expect]
decision = "dispatch"
order = ["attic", "rack"]
reasons = { rack = "second in order" }
\`\`\`

\`\`\`sh run
npx bun main.ts route-test --scenario order.toml
npx bun main.ts route-test --scenario tests/routing/scenarios
\`\`\`

It prints a line for each file, what differs below it, and a count; the exit code is 0 when nothing differs, 1 when
something does, and 2 when a file is wrong: then nothing is run. \`route-test --record FILE\` writes a scenario of a
running relay's fleet, or of a fleet file, that expects what was found. It leaves out the headers that hold credentials,
and of sessions and kept things all that the request does not name; the request's body stands in it as it was.

A **fleet file** is one without \`[request]\` and \`[expect]\`; \`route-test --fleet\` takes scenarios as well and looks at
their fleet only.

An unknown key, a value of the wrong kind and a name that no worker has are errors, with the line they stand in.
`;

const SECTIONS: readonly (readonly [key: string, heading: string, says: string])[] = [
  [
    "worker",
    "`[[worker]]`",
    "Each is a connected worker. They joined in the order of the file, and tie in it while `last_turn` does not tell them apart.",
  ],
  ["absent", "`[[absent]]`", "Each left a moment ago: it is no candidate, but may be worth waiting for."],
  [
    "measured",
    "`[[measured]]`",
    "What the relay saw of a provider's answers with a model in the last five minutes.",
  ],
  ["session", "`[[session]]`", "Which worker had a conversation's last request."],
  ["kept", "`[[kept]]`", "Which worker keeps what an id names, such as a stored response."],
  [
    "override",
    "`[override]`",
    "Which endpoints a request may name, as in the relay's settings ([override.md](override.md#every-key-of-override)). Secrets and files that it names are not read and need not be there. Without it the override is off.",
  ],
  [
    "request",
    "`[request]`",
    "As a client sends it. Without a body, `model`, `provider` and `session` make one for POST, PUT and PATCH; with one, and for other methods, they become headers. The same table, as JSON, is the body of `POST /admin/route-test`.",
  ],
  ["expect", "`[expect]`", "At least one of these. What is not named is not looked at."],
];

const RULES = `## Rules

A worker meets them in this order and falls to the first that it does not pass:
${wrap(`${RULE_NAMES.map((name) => `\`${name}\``).join(", ")}.`, "", PAGE_COLUMNS)}
`;

/** `docs/scenarios.md` */
export function scenariosPage(): string {
  const { properties } = jsonSchemaOf(scenarioSchema);
  const top = Object.entries(properties!).filter(([key]) => !SECTIONS.some(([section]) => section === key));
  const sections = SECTIONS.map(([key, heading, says]) => section(heading, says, properties![key]!));
  return [
    INTRODUCTION,
    section("At the top", "", { properties: Object.fromEntries(top) }),
    ...sections,
    RULES,
  ].join("\n");
}

function section(heading: string, says: string, schema: JsonSchema): string {
  const shape = schema.items ?? schema;
  const table = shape.properties ? [schemaTable(shape, { defaults: true })] : [];
  const text = says === "" ? [] : [`${wrap(says, "", PAGE_COLUMNS)}\n`];
  return [`## ${heading}\n`, ...text, ...table].join("\n");
}
