import changelog from "../../CHANGELOG.md" with { type: "text" };
import commandLine from "../../docs/command-line.md" with { type: "text" };
import dashboard from "../../docs/dashboard.md" with { type: "text" };
import deploy from "../../docs/deploy.md" with { type: "text" };
import failures from "../../docs/failures.md" with { type: "text" };
import install from "../../docs/install.md" with { type: "text" };
import modelrelay from "../../docs/modelrelay.md" with { type: "text" };
import override from "../../docs/override.md" with { type: "text" };
import protocol from "../../docs/protocol.md" with { type: "text" };
import manual from "../../docs/README.md" with { type: "text" };
import reverseProxy from "../../docs/reverse-proxy.md" with { type: "text" };
import routeTest from "../../docs/route-test.md" with { type: "text" };
import routing from "../../docs/routing.md" with { type: "text" };
import runtimes from "../../docs/runtimes.md" with { type: "text" };
import scenarios from "../../docs/scenarios.md" with { type: "text" };
import security from "../../docs/security.md" with { type: "text" };
import settings from "../../docs/settings.md" with { type: "text" };
import tls from "../../docs/tls.md" with { type: "text" };
import troubleshooting from "../../docs/troubleshooting.md" with { type: "text" };
import upgradingFromModelrelay from "../../docs/upgrading-from-modelrelay.md" with { type: "text" };
import license from "../../LICENSE" with { type: "text" };
import readme from "../../README.md" with { type: "text" };
import type { PageName } from "./pages.ts";

/** The text of every page, as it was when this program was built. Imported when a page is asked for, and not before. */
export const TEXTS: Readonly<Record<PageName, string>> = {
  readme,
  manual,
  install,
  tls,
  "reverse-proxy": reverseProxy,
  deploy,
  dashboard,
  security,
  "upgrading-from-modelrelay": upgradingFromModelrelay,
  modelrelay,
  troubleshooting,
  settings,
  "command-line": commandLine,
  failures,
  routing,
  override,
  "route-test": routeTest,
  scenarios,
  protocol,
  runtimes,
  changelog,
  license,
};
