/** Failures that a client can mend, or whoever gives it its key. */
export const CAUSES_OF_CLIENTS = {
  bad_request: [
    {
      likely: "A GET or HEAD was sent with a body, which not every server on the way would understand alike",
      look: "the client's code: send it as POST, or without the body",
    },
    {
      likely: "Something that is no worker called `/v1/worker/connect`",
      look: "`path` and `peer` in the relay's log line",
    },
  ],
  invalid_preference: [
    {
      likely: "A field of `provider` has a value of the wrong kind, such as a text where a list is wanted",
      look: "the message names the field; [routing.md](routing.md#preferences) lists them all",
    },
    {
      likely: "`X-Provider` holds neither a JSON object nor names with commas",
      look: "`route-test --provider '…'` with the same text",
    },
  ],
  bad_host: [
    {
      likely: "A proxy in front sends another `Host`, an empty one or two",
      look: "its setting: nginx wants `proxy_set_header Host $http_host` ([reverse-proxy.md](reverse-proxy.md))",
    },
    {
      likely: "A scanner tries what the server makes of it",
      look: "`peer` in the log: nothing is to be done",
    },
  ],
  unauthorized: [
    {
      likely: "The client sends no key, or in a header that is none of the three",
      look: "`curl -v` with `Authorization: Bearer KEY`; a browser's page sends none by itself",
    },
    {
      likely: "A proxy in front takes `Authorization` away, as for a login of its own",
      look: "the same request past the proxy, on the relay's own port",
    },
  ],
  invalid_api_key: [
    {
      likely: "The key was meant for OpenAI or another service: the client has the wrong variable",
      look: "the first characters of what it sends",
    },
    {
      likely: "Its entry is not in the file, or the file could not be read again after a change",
      look: 'the relay\'s log: "API keys were read again", or "cannot be read again" with the reason',
    },
    {
      likely: "A space or a line break was copied with the key into a variable",
      look: "`signalbox keys hash` with the key on standard input prints the digest to compare",
    },
  ],
  forbidden: [
    {
      likely: "The key's entry has `scopes` without `inference`, or `X-Signalbox-Explain` wants `explain`",
      look: "`scopes` of the entry with that name in `--api-keys-file`; a change counts within a second",
    },
  ],
  admin_forbidden: [
    {
      likely: "No admin token is set, which closes `/admin`",
      look: 'the relay\'s first lines: "admin closed"; set `--admin-token-file`',
    },
    {
      likely: "A client's API key was sent: it opens nothing below `/admin`",
      look: "the token in `Authorization: Bearer`",
    },
    {
      likely: "The dashboard is used through a proxy that changes `Host`, or that is no `--trusted-proxy`",
      look: "the message: it then says that the request does not come from the dashboard's own page",
    },
  ],
  override_not_allowed: [
    {
      likely: "The relay has no `[override]` table: then the header is refused on every path",
      look: "`signalbox config print serve`",
    },
    {
      likely:
        "The caller is trusted by none of the ways that are set up, or the way lacks what `require` adds",
      look: "the message, and `route-test --header 'x-provider-endpoint: …'`",
    },
    {
      likely: "The signature has expired or was used before, or a clock is more than 30 s wrong",
      look: "`date -u` on both machines; `signalbox override sign` makes a fresh one",
    },
  ],
  override_invalid: [
    {
      likely: "The URL is not in its one form: a spelt-out port 443, an escape, an empty segment, upper case",
      look: "`signalbox override check` with the URL tells the part",
    },
    {
      likely: "`x-model-provider` is not the one that the pattern has",
      look: "`provider` of that `[[override.endpoint]]`",
    },
    {
      likely: "A header came twice, as a proxy added one to the client's",
      look: "what the proxy adds",
    },
  ],
  override_not_listed: [
    {
      likely: "Another version, region or path than the patterns have",
      look: "`signalbox override check`: it tells which part of which pattern differs",
    },
    {
      likely: "The query is not part of the pattern: it is compared too",
      look: "whether a pattern ends in that query",
    },
  ],
  not_found: [
    {
      likely: "A path below `/admin`, `/metrics`, `/dashboard` or `/v1/worker` that the relay does not have",
      look: "the list in [README.md](../README.md#what-clients-can-call): these are never relayed",
    },
  ],
  path_not_allowed: [
    {
      likely: "`--allow-path` or `--deny-path` says so",
      look: "`signalbox config print serve`; prefixes are whole segments: `/v1` is not `/v1beta`",
    },
    { likely: "The base URL lacks its `/v1`, or has it twice", look: "`path` in the relay's log line" },
  ],
  no_eligible_worker: [
    {
      likely: "No worker serves the path: `--endpoint-prefixes` of all leave it out",
      look: "`routing_funnel` in `error.metadata`, or `route-test` with the same request: the rule is `endpoint_prefix`",
    },
    {
      likely: "The client's preferences drop every worker, often as labels are not declared",
      look: "the same funnel; `labels` in `/admin/workers`. An undeclared label fails the preference that asks for it",
    },
    {
      likely: "The method is not POST, and only ModelRelay workers are connected",
      look: "`link_form` in `/admin/workers`; the rule is `capability`",
    },
  ],
  model_not_found: [
    {
      likely: "Another spelling: `llama3` and `llama3:latest` are two models",
      look: "the message names the nearest ones; `GET /v1/models` lists all",
    },
    {
      likely: "Its worker left longer ago than `--absent-grace`",
      look: '`/admin/workers`, and the worker\'s log: "The link ended", "The relay cannot be reached"',
    },
    {
      likely: "The worker is connected, but its backend does not answer or has not loaded the model",
      look: "`signalbox doctor worker` on the worker's machine: the lines `backend` and `models`",
    },
    {
      likely: "The worker's secret is bound to other models (`[[worker_secret]]`)",
      look: "the relay's log: \"A worker's registration was changed\"",
    },
  ],
  method_not_allowed: [
    {
      likely: "One of the relay's own paths was called with another method",
      look: "the `Allow` header of the answer",
    },
    { likely: "The client takes the relay for a proxy and sends CONNECT", look: "its proxy settings" },
  ],
  upload_timeout: [
    {
      likely: "The client's network stalls, or its program feeds the body too slowly",
      look: "`bytes_in` in the log line; raise `--upload-idle-timeout`",
    },
    {
      likely: "`Content-Length` is larger than what is sent",
      look: "the client: the same request with `curl --data-binary @FILE`",
    },
  ],
  body_too_large: [
    {
      likely: "The body is longer than `--max-body-size`",
      look: "the message names the limit",
    },
    {
      likely: "It goes to a ModelRelay worker, whose link carries 15 MiB of text at most",
      look: "`link_form` in `/admin/workers`: `plain`; run a Signalbox worker",
    },
    {
      likely: "A 413 without this code: a proxy in front has a limit of its own",
      look: "nginx: `client_max_body_size 0`",
    },
  ],
  plain_link_text_only: [
    {
      likely: "An upload of audio or images, and only ModelRelay workers serve the model",
      look: "`link_form` in `/admin/workers`",
    },
    {
      likely: "A Signalbox worker was started with `--link-form plain`",
      look: "`signalbox config print worker`",
    },
  ],
  too_many_attempts: [
    {
      likely:
        "A worker tries again and again with an old worker secret, or somebody guesses at it or the admin token",
      look: "`peer` in the relay's log",
    },
    {
      likely: "All workers come through one proxy and share its address",
      look: "`peer` in the log is the proxy's: find the worker with the wrong secret, in its own log",
    },
  ],
  header_too_large: [
    {
      likely: "A browser sends the cookies of a whole domain, or a client long metadata",
      look: "`curl -v` of the same; raise `--max-header-size`, and the proxy's limit beside it",
    },
    {
      likely: "The link carries 64 KiB and 500 fields at most, whatever the setting",
      look: "how many fields the client sends",
    },
  ],
  client_gone: [
    {
      likely: "The client's own time limit was shorter than the answer took, or somebody pressed Stop",
      look: "`total_ms` in the log line: the same number again and again is a time limit",
    },
    {
      likely: "A proxy in front gave up first",
      look: "its read time limit: nginx's `proxy_read_timeout` is 60 s unless set",
    },
  ],
  client_stalled: [
    {
      likely: "The client keeps the connection open and reads nothing: a paused program, a full disk",
      look: "`client` and `bytes_out` in the log line; raise `--slow-reader-timeout` if it is meant to pause",
    },
  ],
} as const;
