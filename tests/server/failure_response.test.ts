import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { HTTPClient, OpenRouter } from "@openrouter/sdk";
import * as openRouterErrors from "@openrouter/sdk/models/errors";
import { APICallError, generateText } from "ai";
import OpenAI from "openai";
import { failureResponse } from "../../server/failure_response.ts";
import { FAILURES, type FailureCode, RelayFailure, toFailure } from "../../shared/failures.ts";

const codes = Object.keys(FAILURES) as FailureCode[];
const REQUEST = {
  method: "POST",
  path: "/v1/chat/completions",
  headers: new Headers(),
  requestId: "req-1",
};

async function bodyAt(path: string, failure: RelayFailure): Promise<unknown> {
  return failureResponse(failure, { ...REQUEST, path }).json();
}

test("the path decides the dialect", async () => {
  const metadata = { failed_rule: "model" };
  const failure = new RelayFailure("model_not_found", { detail: '"x"', param: "model", metadata });
  const message = 'No worker serves this model: "x"';
  const code = "model_not_found";
  const openai = { error: { message, type: "invalid_request_error", code, param: "model", metadata } };
  const anthropic = {
    type: "error",
    error: { type: "not_found_error", message, code, metadata },
    request_id: "req-1",
  };
  const ollama = { error: message, code, metadata };
  for (const path of ["/v1/chat/completions", "/", "/v1/messagesx", "/apix"]) {
    assert.deepEqual(await bodyAt(path, failure), openai, path);
  }
  for (const path of ["/v1/messages", "/v1/messages?beta=true", "/v1/messages/count_tokens"]) {
    assert.deepEqual(await bodyAt(path, failure), anthropic, path);
  }
  assert.deepEqual(await bodyAt("/api/chat", failure), ollama);
});

test("headers name the request, when to come back, and how to come in", () => {
  const headersOf = (failure: RelayFailure) => failureResponse(failure, REQUEST).headers;
  const full = headersOf(new RelayFailure("line_full", { retryAfterS: 2.2 }));
  assert.equal(full.get("x-signalbox-request-id"), "req-1");
  assert.equal(full.get("retry-after"), "3");
  assert.equal(full.get("content-type"), "application/json");
  assert.equal(headersOf(new RelayFailure("wait_expired", { retryAfterS: 0 })).get("retry-after"), "1");
  assert.equal(headersOf(new RelayFailure("unauthorized")).get("www-authenticate"), "Bearer");
  assert.equal(headersOf(new RelayFailure("not_found")).get("retry-after"), null);
  const notAllowed = new RelayFailure("method_not_allowed", { headers: { allow: "GET, HEAD" } });
  assert.equal(headersOf(notAllowed).get("allow"), "GET, HEAD");
});

test("an answer to HEAD has no body", () => {
  const response = failureResponse(new RelayFailure("not_found"), { ...REQUEST, method: "HEAD" });
  assert.deepEqual([response.status, response.body], [404, null]);
});

test("nothing of a cause is shown", async () => {
  const cause = new Error("connect ECONNREFUSED 10.1.2.3:8000 hunter22");
  for (const failure of [new RelayFailure("backend_unreachable", { cause }), toFailure(cause)]) {
    const response = failureResponse(failure, REQUEST);
    const shown = JSON.stringify([await response.text(), ...response.headers]);
    assert.doesNotMatch(shown, /ECONN|10\.1|hunter22|failure_response/);
  }
});

/** What the official clients raise for a status; others are their general error. */
const OPENAI_ERRORS: Record<number, typeof OpenAI.APIError<number, Headers>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  429: OpenAI.RateLimitError,
};

test("the OpenAI client raises its error that fits, with our code and message", async () => {
  assert.ok(codes.length > 0);
  for (const code of codes) {
    const failure = new RelayFailure(code, { param: "model" });
    const fetch = () => Promise.resolve(failureResponse(failure, REQUEST));
    const client = new OpenAI({ apiKey: "k", baseURL: "http://relay.test/v1", maxRetries: 0, fetch });
    const error = await client.chat.completions
      .create({ model: "m", messages: [] })
      .catch((thrown: unknown) => thrown);
    const expected =
      OPENAI_ERRORS[failure.status] ?? (failure.status >= 500 ? OpenAI.InternalServerError : OpenAI.APIError);
    assert.ok(error instanceof expected, code);
    assert.deepEqual([error.status, error.code, error.param], [failure.status, code, "model"]);
    assert.equal(error.message, `${failure.status} ${failure.message}`);
  }
});

test("the Anthropic client raises its error that fits, with our message", async () => {
  for (const code of codes) {
    const failure = new RelayFailure(code);
    const fetch = () => Promise.resolve(failureResponse(failure, { ...REQUEST, path: "/v1/messages" }));
    const client = new Anthropic({ apiKey: "k", baseURL: "http://relay.test", maxRetries: 0, fetch });
    const params = { model: "m", max_tokens: 1, messages: [] };
    const error = await client.messages.create(params).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Anthropic.APIError, code);
    if (failure.status === 401) assert.ok(error instanceof Anthropic.AuthenticationError);
    if (failure.status === 404) assert.ok(error instanceof Anthropic.NotFoundError);
    if (failure.status >= 500) assert.ok(error instanceof Anthropic.InternalServerError);
    assert.equal(error.status, failure.status);
    assert.ok(error.message.includes(failure.message), error.message);
  }
});

/** As they are sent by `@openrouter/sdk` of TypeScript, Python and Go, and by whoever names an app to OpenRouter. */
const OPENROUTERS_HEADERS: Record<string, string>[] = [
  { "User-Agent": "speakeasy-sdk/typescript 1.3.19 2.914.0 1.0.0 @openrouter/sdk" },
  { "User-Agent": "speakeasy-sdk/python 1.1.34 2.914.0 1.0.0 openrouter" },
  { "User-Agent": "speakeasy-sdk/go 0.5.41 2.914.0 1.0.0 github.com/OpenRouterTeam/go-sdk" },
  { "X-OpenRouter-Title": "App" },
  { "X-OpenRouter-Metadata": "enabled" },
];

test("OpenRouter's clients get its shape, in which the code is the status", async () => {
  const metadata = { failed_rule: "only", available_providers: ["home"] };
  const failure = new RelayFailure("no_eligible_worker", { param: "model", metadata });
  const shape = {
    error: {
      code: 404,
      message: failure.message,
      metadata: { ...metadata, error_type: "not_found", code: "no_eligible_worker" },
    },
  };
  const bodyFor = (path: string, headers: Record<string, string>) =>
    failureResponse(failure, { ...REQUEST, path, headers: new Headers(headers) }).json();
  for (const headers of OPENROUTERS_HEADERS) {
    for (const path of ["/v1/chat/completions", "/v1/responses", "/api/v1/chat/completions"]) {
      assert.deepEqual(await bodyFor(path, headers), shape, JSON.stringify([path, headers]));
    }
    assert.equal((await bodyFor("/v1/messages", headers)).error.type, "not_found_error");
  }
  const others = [
    { "User-Agent": "OpenAI/JS 6.49.0" },
    { "HTTP-Referer": "https://app.test", "X-Title": "App" },
  ];
  for (const headers of others) {
    assert.equal((await bodyFor("/v1/chat/completions", headers)).error.code, "no_eligible_worker");
  }
});

/** What OpenRouter's client raises for a status; others are its general error. */
const OPENROUTER_ERRORS: Record<number, new (...args: never[]) => openRouterErrors.OpenRouterError> = {
  400: openRouterErrors.BadRequestResponseError,
  401: openRouterErrors.UnauthorizedResponseError,
  403: openRouterErrors.ForbiddenResponseError,
  404: openRouterErrors.NotFoundResponseError,
  408: openRouterErrors.RequestTimeoutResponseError,
  413: openRouterErrors.PayloadTooLargeResponseError,
  429: openRouterErrors.TooManyRequestsResponseError,
  500: openRouterErrors.InternalServerResponseError,
  502: openRouterErrors.BadGatewayResponseError,
  503: openRouterErrors.ServiceUnavailableResponseError,
};

test("the OpenRouter client raises its error that fits, with our code in its metadata", async () => {
  for (const code of codes) {
    const failure = new RelayFailure(code, { metadata: { failed_rule: "only" } });
    const fetcher = async (request: RequestInfo | URL) =>
      failureResponse(failure, { ...REQUEST, headers: (request as Request).headers });
    const client = new OpenRouter({
      apiKey: "k",
      serverURL: "http://relay.test/v1",
      retryConfig: { strategy: "none" },
      httpClient: new HTTPClient({ fetcher }),
    });
    const asked = client.chat.send({
      chatRequest: { model: "m", messages: [{ role: "user", content: "x" }] },
    });
    const error = await asked.then(
      () => assert.fail("wanted an error"),
      (thrown: unknown) => thrown,
    );
    const expected = OPENROUTER_ERRORS[failure.status];
    assert.ok(error instanceof (expected ?? openRouterErrors.OpenRouterDefaultError), `${code}: ${error}`);
    assert.equal(error.statusCode, failure.status);
    if (!expected) continue;
    const { message, metadata } = (error as openRouterErrors.NotFoundResponseError).error;
    assert.deepEqual([message, metadata?.code, metadata?.failed_rule], [failure.message, code, "only"]);
  }
});

test("OpenRouter's provider for the AI SDK reads either shape", async () => {
  for (const compatible of [{}, { appName: "App" }]) {
    const failure = new RelayFailure("no_eligible_worker", { metadata: { failed_rule: "only" } });
    const fetch = async (_: unknown, init?: RequestInit) =>
      failureResponse(failure, { ...REQUEST, headers: new Headers(init?.headers) });
    const provider = createOpenRouter({
      apiKey: "k",
      baseURL: "http://relay.test/v1",
      fetch: fetch as typeof globalThis.fetch,
      ...compatible,
    });
    const asked = generateText({ model: provider.chat("m"), prompt: "x", maxRetries: 0 });
    const error = await asked.then(
      () => assert.fail("wanted an error"),
      (thrown: unknown) => thrown,
    );
    assert.ok(APICallError.isInstance(error));
    const { metadata } = (error.data as { error: { metadata: Record<string, unknown> } }).error;
    assert.deepEqual(
      [error.statusCode, error.message, error.isRetryable, metadata.failed_rule],
      [404, failure.message, false, "only"],
    );
  }
});
