import { join } from "node:path";
import { sealed, XML_COMMENT } from "./seal.ts";
import { type Role, SECRETS, type Service, STOP_TIMEOUT_S } from "./service.ts";

/** Label of a service, and the name of its file. */
export const LABELS: Readonly<Record<Role, string>> = {
  serve: "signalbox.serve",
  worker: "signalbox.worker",
};

/** launchd reads no file of variables: a shell does, and becomes the program, which so gets the signals. */
const READ_SETTINGS = 'set -a; . "$0"; exec "$@"';

/** The launch agent of a service, as a file. See launchd.plist(5). */
export function launchdPlist({ role, program }: Service, home: string): string {
  const settings = join(home, ".config/signalbox");
  const command = ["/bin/sh", "-c", READ_SETTINGS, join(settings, `${role}.env`), ...program, role];
  const secretFiles = SECRETS[role].map((name): [string, string] => [
    `SIGNALBOX_${name.toUpperCase().replaceAll("-", "_")}_FILE`,
    join(settings, name),
  ]);
  return sealed(
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${string(LABELS[role])}
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    ${string(word)}\n`).join("")}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${secretFiles.map(([name, path]) => `    <key>${name}</key>\n    ${string(path)}\n`).join("")}  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ExitTimeOut</key>
  <integer>${STOP_TIMEOUT_S}</integer>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>65536</integer>
  </dict>
  <key>StandardOutPath</key>
  ${string(join(home, `Library/Logs/signalbox-${role}.log`))}
  <key>StandardErrorPath</key>
  ${string(join(home, `Library/Logs/signalbox-${role}.log`))}
</dict>
</plist>
`,
    XML_COMMENT,
  );
}

function string(text: string): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<string>${escaped}</string>`;
}
