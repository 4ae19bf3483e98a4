import { lookup } from "node:dns/promises";
import { systemClock } from "../../shared/clock.ts";
import { ask } from "../../shared/command_line/ask.ts";
import { type Finding, ok, problem, warning } from "../../shared/command_line/findings.ts";
import { driftFinding } from "../../shared/command_line/machine_findings.ts";
import { originOf } from "../../shared/http1/origin.ts";
import { Http1Failure, type Origin } from "../../shared/http1/types.ts";
import { runtime } from "../../shared/runtime/current.ts";
import { DialError } from "../../shared/runtime/ports.ts";
import { isLoopback } from "../../shared/settings/addresses.ts";
import { within } from "../../shared/within.ts";
import { connectHeaders, connectUrl } from "../handshake.ts";
import type { WorkerSettings } from "../settings.ts";

export interface RelayCheck {
  relayUrl: string;
  settings: WorkerSettings;
  caPem: string[] | undefined;
}

/** The way to a relay, step by step: what comes after one that fails could not be told apart from it. */
export async function* relayFindings(check: RelayCheck): AsyncGenerator<Finding> {
  const url = new URL(check.relayUrl.replace(/^ws/, "http"));
  const origin = originOf(url, check.caPem);
  for (const step of [nameFinding, connectionFinding]) {
    const finding = await step(origin, check);
    if (finding) yield finding;
    if (finding?.level === "problem") return;
  }
  if (url.protocol === "http:" && !isLoopback(origin.host)) {
    yield warning(
      "relay",
      `${check.relayUrl}: who is on the way reads the worker secret and every prompt`,
      "https://, if the relay or a proxy in front of it has a certificate",
    );
  }
  yield* clock(url, check);
  yield await linkFinding(check);
}

async function nameFinding({ host }: Origin): Promise<Finding | undefined> {
  try {
    const addresses = await lookup(host, { all: true });
    const list = addresses.map(({ address }) => address).join(", ");
    return list === host ? undefined : ok("relay", `${host} is ${list}`);
  } catch {
    return problem(
      "relay",
      `the name ${host} is not known`,
      "check --proxy-url, and the name server of this machine",
    );
  }
}

/** Opened and closed: TCP, and TLS where the URL wants it. */
async function connectionFinding(origin: Origin, { settings }: RelayCheck): Promise<Finding> {
  const { host, port, tls } = origin;
  const startMs = systemClock.nowMs();
  const timeoutMs = settings.backendConnectTimeoutMs;
  try {
    const connection = await runtime.dial(
      { host, port, timeoutMs, ...(tls && { tls }) },
      { data() {}, drain() {}, closed() {} },
    );
    connection.close();
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return problem("relay", error.message, DIAL_HINTS[error.kind]);
  }
  const tookMs = Math.ceil(systemClock.nowMs() - startMs);
  return ok("relay", `${host}:${port} connects in ${tookMs} ms${tls ? ", and its certificate is good" : ""}`);
}

const IS_IT_RUNNING = "is the relay running, and does a firewall let this machine through?";

const DIAL_HINTS: Readonly<Record<DialError["kind"], string>> = {
  resolve: "check --proxy-url, and the name server of this machine",
  refused: IS_IT_RUNNING,
  unreachable: IS_IT_RUNNING,
  timeout: IS_IT_RUNNING,
  tls: "give --ca-file with the authority that signed it, or write http:// if there is no TLS",
  handshake: IS_IT_RUNNING,
};

/** `/health` is a relay's own, ModelRelay's too, and wants no secret. */
async function* clock(url: URL, { relayUrl, caPem }: RelayCheck): AsyncGenerator<Finding> {
  const askedMs = Date.now();
  const answer = await ask(`${url.href.replace(/\/+$/, "")}/health`, caPem);
  const nowMs = Date.now();
  if (answer instanceof Http1Failure || answer.status !== 200) {
    const found = answer instanceof Http1Failure ? answer.message : `GET /health gave ${answer.status}`;
    yield warning(
      "relay",
      `${relayUrl} looks like no relay: ${found}`,
      "is it the address of `signalbox serve`?",
    );
    return;
  }
  const date = answer.headers.find(([name]) => name === "date")?.[1];
  if (date !== undefined) yield driftFinding(date, { askedMs, nowMs });
}

/** A ModelRelay server accepts, and refuses with a close right after. */
const REFUSAL_LIMIT_MS = 500;

/** Knock as a worker does, and leave before saying what is served: the relay sends nothing, and logs nothing. */
async function linkFinding({ relayUrl, settings, caPem }: RelayCheck): Promise<Finding> {
  const { provider, workerSecret, linkForm } = settings;
  let refused!: (reason: string) => void;
  const refusal = new Promise<string>((resolve) => {
    refused = resolve;
  });
  try {
    const socket = await runtime.dialWebSocket(
      {
        url: connectUrl(relayUrl, provider),
        headers: connectHeaders(workerSecret, linkForm === "plain"),
        ...(caPem && { caPem }),
        timeoutMs: settings.backendConnectTimeoutMs,
        maxMessageBytes: 1024 * 1024,
      },
      { message() {}, drain() {}, closed: (code, reason) => refused(reason || `closed with ${code}`) },
    );
    if (await within(systemClock, REFUSAL_LIMIT_MS, refusal)) {
      return problem(
        "link",
        `the relay says: ${await refusal}`,
        "is the worker secret the one that the relay has?",
      );
    }
    socket.close(1000, "signalbox doctor");
    await within(systemClock, REFUSAL_LIMIT_MS, refusal);
    socket.terminate();
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return refusedFinding(error, workerSecret !== undefined);
  }
  return ok("link", `the relay takes this worker in as ${provider}`);
}

function refusedFinding({ status, message }: DialError, hadSecret: boolean): Finding {
  if (status === 401) {
    return hadSecret
      ? problem(
          "link",
          "the relay refuses the worker secret",
          "compare it with --worker-secret-file of `signalbox serve`",
        )
      : problem("link", "the relay wants a worker secret, and none is set", "give --worker-secret-file FILE");
  }
  if (status === 429) {
    return problem(
      "link",
      "the relay has seen too many wrong secrets from here",
      "wait a minute, then try again",
    );
  }
  return problem("link", message, "is it a relay, and does a proxy in front of it let WebSockets through?");
}
