import { createHmac } from "node:crypto";
import type { Delivery } from "./webhooks.ts";

/** The headers and the body of a delivery. */
export interface Message {
  headers: Record<string, string>;
  body: string;
}

/**
 * Returns the message of a delivery. The message contains the run in the API's form, with the final values. Its id is the run's id, by
 * which receivers can recognise a repeated delivery.
 */
export function writeMessage({ runId, run, sentAt }: Delivery, configured: Record<string, string>, secrets: Buffer[]): Message {
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
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => `v1,${sign(secret, `${runId}.${timestamp}.${body}`)}`);
  return {
    headers: {
      ...configured,
      "content-type": "application/json",
      "webhook-id": runId,
      "webhook-timestamp": timestamp,
      ...(signatures.length > 0 && { "webhook-signature": signatures.join(" ") }),
    },
    body,
  };
}

/** Returns a signature of `content` according to the Standard Webhooks scheme. */
function sign(secret: Buffer, content: string): string {
  return createHmac("sha256", secret).update(content).digest("base64");
}

const isoTime = (text: string | null) => text && new Date(text).toISOString();
