import { log } from "../../shared/log.ts";
import type { ConnectionEvents, WorkerConnection } from "./worker_connection.ts";

/** What the log says of workers that come and go. */
export const connectionLog: ConnectionEvents = {
  registered(connection, warnings) {
    const { models, maxConcurrent, endpointPrefixes } = connection.registration!;
    const form = connection.link!.connection.form;
    log.info("A worker registered", {
      ...who(connection),
      form,
      models,
      slots: maxConcurrent,
      prefixes: endpointPrefixes,
    });
    for (const warning of warnings)
      log.warn("A worker's registration was changed", { ...who(connection), warning });
  },
  closed(connection, code, reason) {
    if (connection.worker) log.info("A worker left", { ...who(connection), code, reason });
  },
  broke(connection, error) {
    log.warn("A worker broke the protocol", { ...who(connection), error });
  },
  fault(connection, error) {
    log.error("An exchange was lost by a fault of the relay", { ...who(connection), error });
  },
  complained(connection, { code, message }) {
    log.warn("A worker reports an error", { ...who(connection), code, error: message });
  },
};

function who({ worker, registration, provider, peer }: WorkerConnection) {
  return { worker: worker?.id, name: registration?.name, provider, peer };
}
