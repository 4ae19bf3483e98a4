import { OVERRIDE_REFUSAL } from "../support/program.ts";
import { type Change, prefers, testChanges } from "../support/routed_session.ts";

/** The same for where in a request something is said: body, headers, form, query, path; and for what is wrong. */

const BOUNDARY = "a-boundary";
const FORM = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\ntuned\r\n--${BOUNDARY}--\r\n`;

const PLACES: readonly Change[] = [
  {
    name: "X-Provider: names",
    was: "attic",
    with: { headers: { "x-provider": "lab, cloud" } },
    now: "lab",
    byCommand: true,
  },
  {
    name: "X-Provider: JSON",
    was: "attic",
    with: { headers: { "x-provider": '{"zdr":true}' } },
    now: "rig4090",
  },
  {
    name: "X-Provider beside a provider that is the backend's",
    was: "attic",
    without: { body: { provider: "lab" } },
    with: { body: { provider: "lab" }, headers: { "x-provider": "home/4090" } },
    now: "rig4090",
  },
  {
    name: "the body's provider beats X-Provider",
    was: "cloud",
    without: { headers: { "x-provider": "cloud" } },
    with: { ...prefers({ only: ["lab"] }), headers: { "x-provider": "cloud" } },
    now: "lab",
  },
  {
    name: "X-Model",
    was: { to: "cloud", model: "nameless" },
    without: { body: "{}", headers: { "content-type": "application/json", "x-model": "nameless" } },
    with: { body: "{}", headers: { "content-type": "application/json", "x-model": "tuned" } },
    now: { to: "lab", model: "tuned" },
    byCommand: true,
  },
  {
    name: "X-Model without a body",
    was: "rig3060",
    without: { method: "GET", path: "/v1/things", body: null },
    with: { method: "GET", path: "/v1/things", body: null, headers: { "x-model": "tuned" } },
    now: { to: "lab", model: "tuned" },
    byCommand: true,
  },
  {
    name: "the body's model beats X-Model",
    was: { to: "lab", model: "tuned" },
    without: { body: "{}", headers: { "content-type": "application/json", "x-model": "tuned" } },
    with: { headers: { "x-model": "tuned" } },
    now: { to: "attic", model: "small" },
  },
  {
    name: "a model in a form",
    was: "rig3060",
    without: { path: "/v1/audio/x", body: "none", headers: { "content-type": "text/plain" } },
    with: {
      path: "/v1/audio/x",
      body: FORM,
      headers: { "content-type": `multipart/form-data; boundary=${BOUNDARY}` },
    },
    now: { to: "lab", model: "tuned" },
  },
  {
    name: "a model in the query",
    was: "rig3060",
    without: { method: "GET", path: "/v1/things?x=1", body: null },
    with: { method: "GET", path: "/v1/things?x=1&model=tuned", body: null },
    now: { to: "lab", model: "tuned" },
  },
  {
    name: "endpoint prefixes",
    was: "attic",
    with: { path: "/v1/completions" },
    now: "rig3060",
    byCommand: true,
  },
  { name: "endpoint prefixes: segments", was: "attic", with: { path: "/v1/chatter" }, now: "rig3060" },
  {
    name: "endpoint prefixes: a * at the end",
    was: "rig3060",
    without: { path: "/v1/emb" },
    with: { path: "/v1/embeddings" },
    now: "attic",
  },
  {
    name: "endpoint prefixes: of one alone",
    turns: ["lab"],
    was: "lab",
    with: { path: "/api/chat" },
    now: "attic",
  },
  {
    name: "endpoint prefixes: of nobody but the one with all",
    was: "attic",
    with: { path: "/x/y" },
    now: "cloud",
  },
  {
    name: "bytes do not go over a plain link",
    turns: ["rig3060"],
    was: "rig3060",
    with: { headers: { accept: "audio/mpeg" } },
    now: "attic",
  },
];

const WRONG: readonly Change[] = [
  {
    name: "a misspelt field is warned of",
    was: "lab",
    without: prefers({ order: ["lab"] }),
    with: prefers({ ordr: ["lab"] }),
    now: "attic",
    warning: /"ordr": did you mean "order"/,
  },
  {
    name: "a wrong value",
    was: "attic",
    with: prefers({ zdr: "yes" }),
    now: { code: "invalid_preference" },
    byCommand: true,
  },
  {
    name: "an endpoint of the client's own",
    was: "attic",
    with: { headers: { "x-provider-endpoint": "https://a.test" } },
    now: { code: OVERRIDE_REFUSAL.code },
  },
];

testChanges({ places: PLACES, mistakes: WRONG });
