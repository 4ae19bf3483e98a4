import { z } from "zod";
import { hostPort, isLoopback } from "../../shared/settings/addresses.ts";
import { LOG_LEVELS, processFields } from "../../shared/settings/common.ts";
import { field, optionalField } from "../../shared/settings/field.ts";
import { choice } from "../../shared/settings/texts.ts";

/** Settings of `signalbox demo`. */
export const demoSettings = z
  .object({
    listen: optionalField(hostPort, {
      group: "Listening",
      says: "Address to listen on, of this machine only; 127.0.0.1:8080 or else any free port if not given",
    }),
    ...processFields,
    logLevel: field(choice(LOG_LEVELS), {
      group: "Process",
      default: "warn",
      says: "The least important messages to log; at info each request has a line",
    }),
  })
  .superRefine(({ listen }, { addIssue }) => {
    if (!listen || isLoopback(listen.host)) return;
    addIssue({
      code: "custom",
      path: ["listen"],
      message: `anyone who reaches ${listen.host} could connect a worker, as the demo asks nobody for a secret`,
      params: { hint: "listen on 127.0.0.1, or use signalbox serve" },
    });
  });

export type DemoSettings = z.output<typeof demoSettings>;
