import type { Runtime } from "../../../shared/runtime/ports.ts";
import { dialContract } from "./dial_contract.ts";
import { httpContract } from "./http_contract.ts";
import { kernelBuffersContract } from "./kernel_buffers_contract.ts";
import { leavingContract } from "./leaving_contract.ts";
import { listenerContract } from "./listener_contract.ts";
import { smallMessagesContract } from "./small_messages_contract.ts";
import { streamingContract } from "./streaming_contract.ts";
import { targetContract } from "./target_contract.ts";
import { tlsContract } from "./tls_contract.ts";
import { unwantedBodyContract } from "./unwanted_body_contract.ts";
import { upgradeContract } from "./upgrade_contract.ts";
import { webSocketContract } from "./websocket_contract.ts";

/** What every adapter must do, one part for each thing that the ports promise. */
export function runtimeContract(runtime: Runtime): void {
  targetContract(runtime);
  httpContract(runtime);
  unwantedBodyContract(runtime);
  leavingContract(runtime);
  streamingContract(runtime);
  upgradeContract(runtime);
  webSocketContract(runtime);
  smallMessagesContract(runtime);
  dialContract(runtime);
  kernelBuffersContract(runtime);
  tlsContract(runtime);
  listenerContract(runtime);
}
