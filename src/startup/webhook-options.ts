import { type Config, variable } from "../config.ts";
import type { Project } from "../registry/project.ts";
import { resolveHeaders } from "../webhooks/headers.ts";
import { objectionTo, webhookRules } from "../webhooks/webhook-rules.ts";

/**
 * Returns the rules, the headers and the secrets of webhooks. Throws if the project sends alerts to a URL that the rules forbid, because
 * these alerts would never arrive. Only workers get the headers, because the headers may contain secrets.
 */
export function webhookOptions({ role, webhookInsideHosts, webhookSecrets: secrets }: Config, { file, webhooks, alertWebhook }: Project) {
  const rules = webhookRules(webhooks.url, webhookInsideHosts);
  const objection = alertWebhook && role !== "api" && objectionTo(alertWebhook, rules);
  if (objection) throw new Error(`${file}: ensemble.alerts.webhook ${objection}.`);
  return { rules, headers: role === "api" ? {} : resolveHeaders(webhooks, variable), secrets };
}
