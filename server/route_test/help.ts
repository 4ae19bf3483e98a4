/** What `signalbox route-test --help` says beside its flags. `tests/end_to_end/route_test_help.test.ts` types it. */

export const ROUTE_TEST_EXAMPLE = `signalbox route-test POST /v1/chat/completions --model llama3 \\
  --fleet fleet.toml
signalbox route-test POST /v1/chat/completions --model llama3 \\
  --provider '{"order":["lab"],"allow_fallbacks":false}' \\
  --fleet fleet.toml --expect-order lab
signalbox route-test GET /v1/files --header 'X-Model: whisper' \\
  --fleet fleet.toml --expect-code model_not_found --json
signalbox route-test POST /v1/chat/completions --body request.json \\
  --server http://127.0.0.1:8080 --admin-token-file admin-token.txt \\
  --record scenario.toml
signalbox route-test --scenario scenario.toml`;

export const ROUTE_TEST_NOTES = `A fleet.toml for the examples:

  [[worker]]
  name = "attic"
  provider = "home"
  models = ["llama3"]

  [[worker]]
  name = "rack"
  provider = "lab"
  models = ["llama3", "qwen3"]
  max_concurrent = 4

docs/scenarios.md lists the keys of a fleet file and of a scenario.

Without --body, --model, --provider and --session make a JSON body for POST, PUT
and PATCH. With it, and for other methods, they become headers.

Exit codes: 0, the request would be sent or wait in line, or all is as expected;
1, it would be refused, or something is not as expected; 2, what was given is
wrong.`;
