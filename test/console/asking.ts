import type { TestService } from "../service.ts";
import { type Look, type Opened, open } from "./browser.ts";

type Question = { prompt: string } & Record<string, unknown>;

/** Returns the actions on a service's inbox that its tests share. */
export function inboxOf({ client, urls }: TestService) {
  return {
    /** Creates a thread on which these questions are open. Returns its id. */
    async ask(...questions: Question[]): Promise<string> {
      const { thread_id: threadId } = await client.threads.create();
      await client.runs.wait(threadId, "survey", { input: { questions } });
      return threadId;
    },
    inbox: (threadId = "", look?: Look) => open(`${urls[0]}/console/inbox${threadId && `?thread=${threadId}`}`, look),
    answersOn: async (threadId: string) => ((await client.threads.get(threadId)).values as { answers: Record<string, unknown> }).answers,
  };
}

export const heading = ({ page }: Opened, name: string) => page.getByRole("heading", { name, exact: true });
export const button = ({ page }: Opened, name: string | RegExp) => page.getByRole("button", { name });

/** The schema of an answer with fields of every kind. */
export const Order = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 2, description: "Who receives the parcel." },
    size: { enum: ["small", "large"] },
    amount: { type: "integer", minimum: 1, maximum: 9, default: 1 },
    isGift: { type: "boolean", title: "It is a gift" },
    tags: { type: "array", items: { type: "string" } },
    payment: {
      oneOf: [
        {
          title: "Card",
          type: "object",
          properties: { kind: { const: "card" }, digits: { type: "string" } },
          required: ["kind", "digits"],
        },
        { title: "Invoice", type: "object", properties: { kind: { const: "invoice" } }, required: ["kind"] },
      ],
    },
  },
  required: ["name", "size", "amount", "payment"],
};

export const call = (name: string, args: object) => ({ action_request: { action: name, args } });

/** Lets the service refuse the next answer with this sentence. */
export async function refuseNextAnswer({ page }: Opened, sentence: string): Promise<void> {
  let isRefused = false;
  await page.route("**/threads/*/runs", async (route) => {
    if (isRefused || route.request().method() !== "POST") return route.continue();
    isRefused = true;
    await route.fulfill({ status: 422, body: sentence });
  });
}
