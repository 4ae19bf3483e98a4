import { sealed } from "./seal.ts";
import type { Role } from "./service.ts";

/**
 * The settings that most services need, to begin with. systemd reads it, and on macOS a shell: a value with spaces
 * stands in double quotes. `folder` is where it will be.
 */
export function environmentSample(role: Role, folder: string): string {
  return sealed(`${HEAD}${role === "serve" ? SERVE.replace("FOLDER", folder) : WORKER}`);
}

const HEAD = `# Settings of the service: take away the # of those to change, then restart it.
# There are more of them: docs/settings.md lists them, and signalbox COMMAND --help.
# Secrets stand in files of their own in this folder.

`;

const SERVE = `# Where clients and workers connect. A proxy in front that does TLS connects from the same machine.
#SIGNALBOX_LISTEN=127.0.0.1:8080

# Networks of proxies in front, whose X-Forwarded-For is believed.
#SIGNALBOX_TRUSTED_PROXY=127.0.0.1,::1

# Keys of clients, made with "signalbox keys hash"; without one nobody is asked for a key.
#SIGNALBOX_API_KEYS_FILE=FOLDER/keys.toml

# Text for people, json for programs.
#SIGNALBOX_LOG_FORMAT=text

`;

const WORKER = `# The relay, or several with commas.
#SIGNALBOX_PROXY_URL=https://relay.example.com

# The model server, and which of its paths are served.
#SIGNALBOX_BACKEND_URL=http://127.0.0.1:11434
#SIGNALBOX_ENDPOINT_PREFIXES=/v1

# How many requests it takes at a time.
#SIGNALBOX_MAX_CONCURRENCY=4

# Models to serve; without them the model server is asked.
#SIGNALBOX_MODELS=llama3.2

# The name that clients can ask for in their preferences.
#SIGNALBOX_PROVIDER=home

`;
