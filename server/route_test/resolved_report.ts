import { previewDial } from "../provider/dial_preview.ts";
import type { RelaySettings } from "./dry_run.ts";
import type { RouteReport } from "./report.ts";

/** With the addresses of the endpoint that takes the request, if one does and they are `wanted`. */
export async function resolvedReport(
  report: RouteReport,
  { override: policy, liveOverride }: RelaySettings,
  wanted: boolean,
): Promise<RouteReport> {
  const { override } = report;
  const endpoint = policy?.endpoints.find(({ name }) => name === override?.name);
  if (!wanted || !override || !endpoint) return report;
  const place = { endpoint, host: override.host!, port: override.port! };
  const preview = { resolver: policy!.resolver, ports: liveOverride?.ports ?? [] };
  return { ...report, override: { ...override, resolved: await previewDial(place, preview) } };
}
