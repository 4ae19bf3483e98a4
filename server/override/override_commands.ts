import { type Command, openCommand } from "../../shared/command_line/command.ts";
import type { Inspected } from "../../shared/settings/load.ts";
import type { ServeSettings } from "../settings.ts";

/** `signalbox override sign|check`. What they need is loaded when one is asked for. */
export function overrideCommands(serve: Pick<Command, "open">): Command[] {
  return [
    {
      name: "override sign",
      says: "Print the header fields of a signed x-provider-endpoint",
      open: async () => {
        const { overrideSign, overrideSignSettings } = await import("./override_sign.ts");
        return openCommand({
          schema: overrideSignSettings,
          operands: { names: ["METHOD", "TARGET"] },
          example: SIGN_EXAMPLE,
          notes: SIGN_NOTES,
          run: (settings, io, { operands }) => overrideSign(settings, io, operands),
        });
      },
    },
    {
      name: "override check",
      says: "Tell which pattern takes an endpoint's URL, or what differs",
      open: async () => {
        const [{ overrideCheck, overrideCheckSettings }, subject] = await Promise.all([
          import("./override_check.ts"),
          serve.open(),
        ]);
        return openCommand({
          schema: overrideCheckSettings,
          operands: { names: ["URL"] },
          example: CHECK_EXAMPLE,
          notes: CHECK_NOTES,
          subject,
          run: (settings, io, { operands: [url = ""], inspected }) =>
            overrideCheck(settings, io, { url, relay: inspected as Inspected<ServeSettings> }),
        });
      },
    },
  ];
}

const SIGN_EXAMPLE = `signalbox override sign POST /v1/chat/completions --key-id upstream-1 \\
  --secret-file signing-secret.txt --endpoint https://dac.example.com/v1/chat`;

const SIGN_NOTES = `A signature is good for one request with this method, path, query, endpoint and
model provider, for as long as --life says. docs/override.md tells more.`;

const CHECK_EXAMPLE = `signalbox override check https://dac.example.com/v1/chat \\
  --config relay.toml`;

const CHECK_NOTES = `It reads what \`signalbox serve\` would: the file, and the same variables and
flags. Who asks is not looked at; \`signalbox route-test\` does.

Exit codes: 0, a pattern takes it; 1, none does, or with --resolve no address of
it may be dialled; 2, what was given is wrong.`;
