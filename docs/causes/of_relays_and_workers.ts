/** Failures that whoever runs the relay or a worker can mend. */
export const CAUSES_OF_RELAYS_AND_WORKERS = {
  internal_error: [
    {
      likely: "A mistake in Signalbox",
      look: "the log line with the same request id has the cause: report it with `signalbox --version`",
    },
  ],
  upgrade_unsupported: [
    {
      likely: "A client opens a WebSocket, as for OpenAI's Realtime API",
      look: "whether the client has a form without WebSockets",
    },
  ],
  line_full: [
    {
      likely: "More requests than the workers can take: the line has `--max-queue-len` places",
      look: "`/admin/stats`: the length of the line; `/admin/workers`: load and slots",
    },
    {
      likely: "`--max-concurrency` of a worker is lower than what its backend takes; its default is 1",
      look: "`signalbox doctor worker`: the line `slots`, for llama.cpp",
    },
    {
      likely: "A few large bodies wait: together they may hold `--max-queue-bytes`",
      look: "`bytes_in` of the requests in the log",
    },
  ],
  wait_expired: [
    {
      likely: "All slots were busy for the whole of `--queue-timeout`",
      look: "`waited_ms` in the log line, `/admin/workers` for load and slots",
    },
    {
      likely: "The model's worker is away, and its requests wait for it during `--absent-grace`",
      look: "whether `/v1/models` lists the model now",
    },
    {
      likely: "One long answer holds the only slot",
      look: "`total_ms` of the requests before; a second slot, or a second worker",
    },
  ],
  shutting_down: [
    {
      likely: "The relay was stopped or restarted: what runs may end, what is new is refused",
      look: 'the log: "Draining"; clients that honour `Retry-After` do not notice',
    },
  ],
  worker_lost: [
    {
      likely: "The worker was stopped or killed, by the kernel when memory ran out",
      look: "its log; `journalctl -k` for `Out of memory`",
    },
    {
      likely: "Its network broke: after 45 s without a word the relay gives it up",
      look: 'the worker\'s log: "The link ended", and "Registered" some seconds later',
    },
    {
      likely: "A proxy between them closes quiet or long connections",
      look: "links that end after the same time: raise the proxy's read time limit ([reverse-proxy.md](reverse-proxy.md))",
    },
    {
      likely:
        "Another worker has the same name, and this one did not answer within 5 s when asked whether it lives",
      look: "`/admin/workers`: give each its own `--worker-name`",
    },
  ],
  worker_refused: [
    {
      likely: "It serves several relays, and the others filled its slots",
      look: "`attempts` in the log line: such a request goes to another worker first",
    },
    { likely: "It is draining", look: 'the worker\'s log: "Draining"' },
  ],
  worker_invalid: [
    {
      likely: "The backend sends a header with characters that HTTP does not allow, or a status below 200",
      look: "`curl -v` against the backend, on the worker's machine",
    },
  ],
  too_many_workers: [
    {
      likely: "A large fleet comes back at once after a restart of the relay",
      look: "`/admin/workers` fills up by itself; raise `--max-worker-handshakes`",
    },
    {
      likely: "A worker is restarted in a loop by its service manager",
      look: "`systemctl status` on the workers' machines",
    },
  ],
  link_overflow: [
    {
      likely: "A client reads slower than a ModelRelay worker sends, and 16 MiB wait",
      look: "`link_form` in `/admin/workers`: `plain`; a Signalbox worker is slowed down instead",
    },
  ],
  link_protocol: [
    {
      likely: "The two ends are of different versions, or one is no Signalbox and no ModelRelay",
      look: "`signalbox --version` on both; the relay's log names the message",
    },
    {
      likely: "A proxy between them changes WebSocket messages",
      look: "the same worker past the proxy",
    },
  ],
  link_auth_failed: [
    {
      likely: "The two secrets differ: another file, an old one, or a variable that goes before the file",
      look: "`signalbox doctor worker`: the line `link`; `signalbox config print` on both ends shows where each came from",
    },
    {
      likely: "The secret is bound to another provider (`[[worker_secret]]`)",
      look: "`--provider` of the worker",
    },
    {
      likely: "An API key was given as worker secret, as ModelRelay allows",
      look: "the worker's settings: it needs the worker secret",
    },
    {
      likely: "The handshake has an `Origin`, as those of browsers have: it is refused whatever the secret",
      look: "a proxy in front that adds one",
    },
  ],
} as const;
