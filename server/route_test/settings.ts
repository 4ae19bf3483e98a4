import { z } from "zod";
import { relayUrl } from "../../shared/settings/addresses.ts";
import { field, optionalField } from "../../shared/settings/field.ts";
import { secret } from "../../shared/settings/secrets.ts";
import { choice, file, flag } from "../../shared/settings/texts.ts";
import { failureCode, headers, names, preferences, text } from "./kinds.ts";
import { DECISION_TYPES } from "./scenario_schema.ts";

/** What is about a single run is a flag only: a variable would be there for every run. */
const flagOnly = { flagOnly: true };
const fleetGroup = { group: "Fleet" };
const requestGroup = { group: "Request", ...flagOnly };
const expectedGroup = { group: "Expectations", ...flagOnly };
const scenarioGroup = { group: "Scenarios", ...flagOnly };
const outputGroup = { group: "Output", ...flagOnly };

/** Settings of `signalbox route-test`. */
export const routeTestSettings = z
  .object({
    fleet: optionalField(file, {
      ...fleetGroup,
      ...flagOnly,
      says: "TOML file of a fleet to go by; docs/scenarios.md tells what is in it",
    }),
    server: optionalField(relayUrl, {
      ...fleetGroup,
      ...flagOnly,
      says: "A running relay to ask, which goes by its own fleet; it wants its admin token",
    }),
    adminToken: optionalField(secret, {
      ...fleetGroup,
      env: ["MODELRELAY_ADMIN_TOKEN"],
      says: "The admin token of the relay that --server names",
    }),
    caFile: optionalField(file, {
      ...fleetGroup,
      says: "More certificate authorities to trust for --server, PEM; the public ones stay trusted",
    }),
    model: optionalField(text("MODEL", "write the model as a client names it"), {
      ...requestGroup,
      says: "The model to ask for",
    }),
    provider: optionalField(preferences, {
      ...requestGroup,
      says: "Provider preferences: JSON, or names with commas for only",
    }),
    session: optionalField(text("NAME", "write the client's name for the conversation"), {
      ...requestGroup,
      says: "The client's name for the conversation, whose requests best go to one worker",
    }),
    body: optionalField(text("FILE", "write the path of a file, or -"), {
      ...requestGroup,
      says: "File of the request's body, - for standard input; JSON unless a Content-Type says otherwise",
    }),
    headers: field(headers, {
      ...requestGroup,
      key: "header",
      default: "",
      says: "A header field of the request, such as 'X-Model: whisper'; may be given several times",
    }),
    onListener: optionalField(flag, {
      ...requestGroup,
      says: "The request comes to the listener for overrides",
    }),
    resolve: optionalField(flag, {
      ...requestGroup,
      says: "Look up the host that x-provider-endpoint names, and check its addresses; nothing is connected to",
    }),
    expect: optionalField(choice(DECISION_TYPES), { ...expectedGroup, says: "The decision" }),
    expectProvider: optionalField(text("NAME", "write a provider, such as home or home/4090"), {
      ...expectedGroup,
      says: "The provider of the first candidate; a name without a variant means all of its variants",
    }),
    expectWorker: optionalField(text("NAME", "write the name of a worker"), {
      ...expectedGroup,
      says: "The first candidate",
    }),
    expectOrder: optionalField(names, {
      ...expectedGroup,
      says: "All candidates in order, each by its name or its provider's",
    }),
    expectEndpoint: optionalField(text("NAME", "write the name of an [[override.endpoint]]"), {
      ...expectedGroup,
      says: "The listed endpoint that takes a request which names its own",
    }),
    expectCode: optionalField(failureCode, { ...expectedGroup, says: "The failure code of a refusal" }),
    scenario: optionalField(text("PATH", "write the path of a file or of a folder"), {
      ...scenarioGroup,
      says: "Run a scenario file, or all in a folder and below it, in place of one request",
    }),
    record: optionalField(text("FILE", "write the path of the file to make, or -"), {
      ...scenarioGroup,
      says: "Write a scenario of the fleet, the request and what was decided; - prints it in place of the rest",
    }),
    json: field(flag, {
      ...outputGroup,
      default: "false",
      says: "Print JSON; docs/route-test.md lists its members",
    }),
    color: field(choice(["auto", "always", "never"]), {
      ...outputGroup,
      default: "auto",
      says: "Colours; auto is on a terminal, unless NO_COLOR is set",
    }),
  })
  .superRefine(checkTogether);

export type RouteTestSettings = z.output<typeof routeTestSettings>;

/** What a scenario file has in it: flags for the same thing would be without effect. */
const IN_SCENARIOS = [
  ...["fleet", "server", "model", "provider", "session", "body", "onListener", "resolve", "record"],
  ...["expectEndpoint", "expect", "expectProvider", "expectWorker", "expectOrder", "expectCode"],
] as (keyof RouteTestSettings)[];

type Complain = {
  addIssue(issue: { code: "custom"; path: string[]; message: string; params?: object }): void;
};

function checkTogether(settings: RouteTestSettings, { addIssue }: Complain): void {
  const complain = (property: keyof RouteTestSettings, message: string, hint: string) =>
    addIssue({ code: "custom", path: [property], message, params: { hint } });
  if (settings.fleet !== undefined && settings.server !== undefined) {
    complain("fleet", "there is --server too", "give one of them: a file, or a running relay");
  }
  const surplus = IN_SCENARIOS.find((property) => settings[property] !== undefined);
  if (settings.scenario !== undefined && surplus) {
    complain(surplus, "there is --scenario too", "a scenario has its own fleet, request and expectations");
  }
  if (settings.record === "-" && settings.json) {
    complain("record", "there is --json too", "name a file for the scenario, or leave one of them out");
  }
}
