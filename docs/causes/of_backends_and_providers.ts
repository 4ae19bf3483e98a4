/** Failures of what answers in the end: the model server behind a worker, or the endpoint that an override names. */
export const CAUSES_OF_BACKENDS_AND_PROVIDERS = {
  backend_unreachable: [
    {
      likely: "The model server is not running, or still loads its model",
      look: "`signalbox doctor worker`: the line `backend`",
    },
    {
      likely: "`--backend-url` names another port or machine; in a container `127.0.0.1` is the container",
      look: "`curl` of that URL from where the worker runs",
    },
  ],
  backend_broke_off: [
    {
      likely: "The model server crashed, often as the GPU's or the machine's memory ran out",
      look: "its log at the time of the request; `journalctl -k` for `Out of memory`",
    },
    { likely: "It was restarted", look: "its log" },
  ],
  backend_invalid: [
    {
      likely: "`--backend-url` says `http` for a server that speaks TLS, or the other way round",
      look: "`curl -v --http1.1` of the URL",
    },
    {
      likely: "Something else listens on that port",
      look: "`signalbox doctor worker`: the line `models`",
    },
    {
      likely: "The answer has doubtful framing: two lengths, a length beside chunks",
      look: "`curl -v --http1.1`: the headers of the answer",
    },
  ],
  provider_unreachable: [
    {
      likely:
        "The name does not resolve, or to an address that may not be dialled: private, loopback, metadata",
      look: '"A provider gave no whole answer" in the relay\'s log; `route-test --resolve`; `allow_private` of the endpoint',
    },
    {
      likely: "Its certificate is not for that name, or of an authority that this machine does not know",
      look: "the same log line",
    },
    {
      likely: "A firewall stops the relay's machine",
      look: "`curl` of the endpoint from the relay's machine",
    },
  ],
  provider_broke_off: [
    {
      likely: "The provider closed the connection in the middle",
      look: "its status page; the relay's log line tells how much had come (`bytes_out`)",
    },
  ],
  provider_invalid: [
    {
      likely: "The endpoint speaks HTTP/2 only, or is no HTTP server",
      look: "`curl --http1.1 -v` of the endpoint",
    },
  ],
  provider_timeout: [
    {
      likely: "The provider thinks for longer than `--request-timeout`",
      look: "`total_ms` in the log line; an answer that is streamed begins sooner",
    },
  ],
  request_timeout: [
    {
      likely: "A long prompt, or an answer that is not streamed: its first byte comes after its last token",
      look: "`total_ms` in the log line is `--request-timeout`: stream, or raise it",
    },
    {
      likely: "The backend loads the model first, or hangs",
      look: "the backend's log; `nvidia-smi` on its machine",
    },
    {
      likely: "A 504 without this code: a proxy in front gave up before the relay did",
      look: "nginx: `proxy_read_timeout`",
    },
  ],
  response_stalled: [
    {
      likely: "The backend stopped in the middle and said nothing for `--response-idle-timeout`",
      look: "the backend's log; the client saw the connection break",
    },
    {
      likely: "It thinks for long between two pieces, as with tools",
      look: "raise `--response-idle-timeout`, and the worker's `--backend-idle-timeout`",
    },
  ],
} as const;
