import { createHmac } from "node:crypto";
import { writePush } from "./push.ts";
import type { Delivery, StoredAlert, StoredRun } from "./webhooks.ts";

/** The headers and the body of a delivery. */
export interface Message {
  headers: Record<string, string>;
  body: string;
}

/**
 * Returns the signed message of a delivery: a run's webhook, a push notification about a task, or a report about an alert. The message has
 * the id of the delivery, so that receivers can recognise a repeated delivery. The id of a run's webhook is the run's id.
 */
export function writeMessage(delivery: Delivery, configured: Record<string, string>, secrets: Buffer[]): Message {
  const { runId, sentAt } = delivery;
  const { headers, body } = writeContent(delivery);
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => `v1,${sign(secret, `${runId}.${timestamp}.${body}`)}`);
  return {
    headers: {
      ...without(configured, Object.keys(headers)),
      ...headers,
      "webhook-id": runId,
      "webhook-timestamp": timestamp,
      ...(signatures.length > 0 && { "webhook-signature": signatures.join(" ") }),
    },
    body,
  };
}

function writeContent({ run, alert, push, sentAt }: Delivery): Message {
  if (alert !== null) return writeAlert(run as StoredAlert, sentAt);
  return push ? writePush(push, run as StoredRun) : writeRun(run as StoredRun, sentAt);
}

/** Returns the content of a webhook about an alert that has opened or closed. */
function writeAlert({ crossed_at, changed_at, ...fields }: StoredAlert, sentAt: Date): Message {
  const body = JSON.stringify({
    ...fields,
    crossed_at: isoTime(crossed_at),
    changed_at: isoTime(changed_at),
    webhook_sent_at: sentAt.toISOString(),
  });
  return { headers: { "content-type": "application/json" }, body };
}

/** Returns the content of a run's webhook: the run in the API's form, with the final values. */
function writeRun(run: StoredRun, sentAt: Date): Message {
  const { error, ...fields } = run;
  const body = JSON.stringify({
    ...fields,
    created_at: isoTime(run.created_at),
    updated_at: isoTime(run.updated_at),
    run_started_at: isoTime(run.run_started_at),
    run_ended_at: isoTime(run.run_ended_at),
    webhook_sent_at: sentAt.toISOString(),
    ...(error && { error: error.message }),
  });
  return { headers: { "content-type": "application/json" }, body };
}

/** Returns the headers without those whose name, in lower case, is in `names`. */
const without = (headers: Record<string, string>, names: string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())));

/** Returns a signature of `content` according to the Standard Webhooks scheme. */
function sign(secret: Buffer, content: string): string {
  return createHmac("sha256", secret).update(content).digest("base64");
}

const isoTime = (text: string | null) => text && new Date(text).toISOString();
