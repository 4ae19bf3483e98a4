import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../../server/routing/decide.ts";
import type { Decision } from "../../../server/routing/types.ts";
import { fleetOf, type RequestFacts, request, type WorkerFacts } from "./fleet_builder.ts";

/** `[1, 2]`: dispatched or waiting, with these candidates; otherwise the code and the rule. */
type Expected = ["dispatch" | "wait", ...number[]] | [refused: string, rule: string];

function brief(decision: Decision): Expected {
  if (decision.type === "refuse") return [decision.code, decision.failedRule];
  return [decision.type, ...decision.candidates.map(({ worker }) => worker.joinedAt)];
}

interface Case {
  name: string;
  fleet: WorkerFacts[];
  absent?: WorkerFacts[];
  request?: RequestFacts;
  expect: Expected;
}

const wanted: Case[] = [
  // --- rules
  { name: "a worker that serves the model gets the request", fleet: [{}], expect: ["dispatch", 1] },
  { name: "another model does not count", fleet: [{ models: ["n"] }, {}], expect: ["dispatch", 2] },
  { name: "case of a model counts", fleet: [{ models: ["M"] }], expect: ["model_not_found", "model"] },
  { name: "a star serves any model", fleet: [{ models: ["*"] }], expect: ["dispatch", 1] },
  {
    name: "a worker without models serves none",
    fleet: [{ models: [] }],
    expect: ["model_not_found", "model"],
  },
  {
    name: "without a model anyone will do",
    fleet: [{ models: [] }, { models: ["n"] }],
    request: { model: undefined },
    expect: ["dispatch", 1, 2],
  },
  {
    name: "without a model the prefixes still count",
    fleet: [{ endpointPrefixes: ["/api"] }, { endpointPrefixes: ["/v1"] }],
    request: { model: undefined },
    expect: ["dispatch", 2],
  },
  {
    name: "prefixes that do not match leave nobody",
    fleet: [{ endpointPrefixes: ["/api"] }],
    expect: ["no_eligible_worker", "endpoint_prefix"],
  },
  {
    name: "prefixes that do not match come before a model that nobody has",
    fleet: [{ endpointPrefixes: ["/api"] }],
    request: { model: "unheard" },
    expect: ["no_eligible_worker", "endpoint_prefix"],
  },
  {
    name: "a model served on other paths is not unknown",
    fleet: [{ endpointPrefixes: ["/api"] }, { models: ["n"] }],
    expect: ["no_eligible_worker", "model"],
  },
  {
    name: "a method needs a link that carries it",
    fleet: [{}, { capabilities: ["method"] }],
    request: { method: "GET", needs: ["method"] },
    expect: ["dispatch", 2],
  },
  {
    name: "a method that no link carries leaves nobody",
    fleet: [{}],
    request: { method: "GET", needs: ["method"] },
    expect: ["no_eligible_worker", "capability"],
  },
  {
    name: "bytes and only plain links",
    fleet: [{ capabilities: ["method"] }],
    request: { needs: ["binary"] },
    expect: ["plain_link_text_only", "capability"],
  },
  {
    name: "an upgrade that no link carries",
    fleet: [{ capabilities: ["method", "binary"] }],
    request: { needs: ["method", "upgrade"] },
    expect: ["upgrade_unsupported", "capability"],
  },
  {
    name: "a re-send does not go over the same link",
    fleet: [{ maxConcurrent: 9 }, {}],
    request: { excluded: ["worker-1"] },
    expect: ["dispatch", 2],
  },
  {
    name: "all were tried",
    fleet: [{}, {}],
    request: { excluded: ["worker-1", "worker-2"] },
    expect: ["no_eligible_worker", "not_tried"],
  },
  // --- order
  { name: "lowest load first", fleet: [{ inFlight: 1, maxConcurrent: 2 }, {}], expect: ["dispatch", 2, 1] },
  {
    name: "load counts relative to capacity",
    fleet: [
      { inFlight: 1, maxConcurrent: 2 },
      { inFlight: 2, maxConcurrent: 8 },
    ],
    expect: ["dispatch", 2, 1],
  },
  {
    name: "equal shares are equal: thirds are not rounded",
    fleet: [
      { inFlight: 1, maxConcurrent: 3, lastTurn: 2 },
      { inFlight: 2, maxConcurrent: 6, lastTurn: 1 },
    ],
    expect: ["dispatch", 2, 1],
  },
  {
    name: "a load that others cause counts",
    fleet: [{ reportedLoad: 1, maxConcurrent: 2 }, { maxConcurrent: 2 }],
    expect: ["dispatch", 2, 1],
  },
  {
    name: "what we know beats a report that is behind",
    fleet: [{ inFlight: 2, reportedLoad: 0, maxConcurrent: 2 }],
    expect: ["wait", 1],
  },
  {
    name: "an exact model goes before a star, also when it is busier",
    fleet: [{ models: ["*"] }, { inFlight: 1, maxConcurrent: 2 }],
    expect: ["dispatch", 2, 1],
  },
  {
    name: "a star with a free slot goes before an exact model without",
    fleet: [{ inFlight: 1 }, { models: ["*"] }],
    expect: ["dispatch", 2, 1],
  },
  {
    name: "a worker that lists the model and a star is exact",
    fleet: [{ models: ["*"] }, { models: ["*", "m"] }],
    expect: ["dispatch", 2, 1],
  },
  {
    name: "equals take turns: who waited longest goes first",
    fleet: [{ lastTurn: 7 }, { lastTurn: 5 }, { lastTurn: 6 }],
    expect: ["dispatch", 2, 3, 1],
  },
  {
    name: "equals that never had a turn go in the order they joined",
    fleet: [{}, {}],
    expect: ["dispatch", 1, 2],
  },
  {
    name: "no more candidates than there are tries",
    fleet: [{}, {}, {}, {}, {}],
    expect: ["dispatch", 1, 2, 3, 4],
  },
  // --- waiting
  { name: "all busy", fleet: [{ inFlight: 1 }], expect: ["wait", 1] },
  { name: "only a draining worker serves it", fleet: [{ draining: true }], expect: ["wait"] },
  { name: "only a worker with a dead backend serves it", fleet: [{ healthy: false }], expect: ["wait"] },
  {
    name: "draining and unhealthy ones are passed over",
    fleet: [{ draining: true }, { healthy: false }, {}],
    expect: ["dispatch", 3],
  },
  {
    name: "a draining worker is not waited for with what it cannot do",
    fleet: [{ draining: true, endpointPrefixes: ["/api"] }],
    expect: ["no_eligible_worker", "endpoint_prefix"],
  },
  { name: "served a moment ago", fleet: [], absent: [{}], expect: ["wait"] },
  {
    name: "served a moment ago by a star",
    fleet: [{ models: ["n"] }],
    absent: [{ models: ["*"] }],
    expect: ["wait"],
  },
  {
    name: "served a moment ago, on another path",
    fleet: [],
    absent: [{ endpointPrefixes: ["/api"] }],
    expect: ["no_eligible_worker", "connected"],
  },
  {
    name: "served a moment ago by a provider that is not wanted",
    fleet: [{ models: ["n"] }],
    absent: [{}],
    request: { preferences: { ignore: ["local"] } },
    expect: ["no_eligible_worker", "ignore"],
  },
  { name: "a model nobody has in an empty fleet", fleet: [], expect: ["model_not_found", "connected"] },
  {
    name: "no model in an empty fleet",
    fleet: [],
    request: { model: undefined },
    expect: ["no_eligible_worker", "connected"],
  },
];

for (const { name, fleet, absent, request: facts, expect } of wanted) {
  test(`decide() ${name}`, () => {
    assert.deepEqual(brief(decide(request(facts), fleetOf(fleet, absent))), expect);
  });
}
