import { z } from "zod";

/** A tool call that a person is asked to approve: the name of the tool, and its arguments. */
export interface Action {
  name: string;
  args: Record<string, unknown>;
}

const Edited = z.record(z.string(), z.unknown());

export const Approval = z.object({
  approved: z.boolean(),
  reason: z.string().optional().describe("Why the person refused"),
  edited: Edited.optional().describe("Arguments that replace the arguments of the call"),
});

export type Approval = z.infer<typeof Approval>;

/**
 * Returns additional fields for a question. With these fields, chat clients show the question with buttons. Agent Inbox reads
 * `action_request`, `config` and `description`. Agent Chat UI reads `action_requests` and `review_configs`.
 */
export function drawing({ name, args }: Action, prompt: string) {
  return {
    action_request: { action: name, args },
    config: { allow_accept: true, allow_edit: true, allow_respond: true, allow_ignore: true },
    description: prompt,
    action_requests: [{ name, args, description: prompt }],
    review_configs: [{ action_name: name, allowed_decisions: ["approve", "edit", "reject"] }],
  };
}

/** Returns additional fields for a question about several calls. With these fields, Agent Chat UI shows the question with buttons. */
export function drawingOf(actions: Action[]) {
  const drawn = actions.map((action) => drawing(action, `May ${action.name} be used?`));
  return {
    action_requests: drawn.flatMap(({ action_requests }) => action_requests),
    review_configs: drawn.flatMap(({ review_configs }) => review_configs),
  };
}

/**
 * The schema of an answer to a question about several calls. The answer is a list of decisions, or an object with this list in `decisions`,
 * as LangChain's middleware sends it. The schema accepts any other value too, because `readDecisions` checks the answer and says what is
 * wrong with it.
 */
export const Decisions = z.union([
  z.object({ decisions: z.array(z.unknown()) }).describe("One decision for each call, in order"),
  z.array(z.unknown()).describe("One decision for each call, in order"),
  z.unknown(),
]);

/** Returns the decision on each call. If the answer cannot be used, returns a sentence that says why. */
export function readDecisions(answer: unknown, actions: Action[]): { approvals: Approval[] } | { problem: string } {
  const list = z.object({ decisions: z.array(z.unknown()) }).safeParse(answer).data?.decisions ?? [answer].flat();
  if (list.length !== actions.length) {
    const sent = `${list.length} ${list.length === 1 ? "decision was" : "decisions were"} sent`;
    return { problem: `There are ${actions.length} calls, and ${sent}. Send one decision for each call, in order.` };
  }
  const approvals: Approval[] = [];
  for (const [index, action] of actions.entries()) {
    const read = decisionOn(action).safeParse(list[index]);
    if (!read.success) return { problem: `The decision on ${action.name} cannot be used.` };
    approvals.push(read.data);
  }
  return { approvals };
}

const yes = (edited?: Record<string, unknown>): Approval => ({ approved: true, ...(edited && { edited }) });
const no = (reason?: string): Approval => ({ approved: false, ...(reason !== undefined && { reason }) });

/**
 * Returns the schema of an answer to the approval of a tool call. It accepts the answers of Agent Inbox, of Agent Chat UI, and of
 * LangChain's human-in-the-loop middleware. A person may change the tool's arguments, but not the tool.
 */
export function answersTo(action: Action): z.ZodType<Approval> {
  const { inbox, decision } = formsOf(action);
  return z.union([
    Approval,
    inbox,
    z.tuple([inbox]).transform(([answer]) => answer),
    z.object({ decisions: z.tuple([decision]) }).transform(({ decisions: [answer] }) => answer),
  ]);
}

/** Returns the schema of one decision in an answer about several calls. */
const decisionOn = (action: Action): z.ZodType<Approval> => z.union([Approval, ...Object.values(formsOf(action))]);

/**
 * Returns the schemas of the answers that a client may send about this action. Agent Inbox sends answers in its own form (`inbox`). Agent
 * Chat UI sends the decisions of LangChain's human-in-the-loop middleware (`decision`).
 */
function formsOf({ name }: Action) {
  const inbox = z.union([
    z.object({ type: z.literal("accept") }).transform(() => yes()),
    z
      .object({ type: z.literal("edit"), args: z.object({ action: z.literal(name), args: Edited }) })
      .transform(({ args }) => yes(args.args)),
    z.object({ type: z.literal("response"), args: z.string() }).transform(({ args }) => no(args)),
    z.object({ type: z.literal("ignore") }).transform(() => no()),
  ]);
  const action = z.object({ name: z.literal(name), args: Edited });
  const decision = z.union([
    z.object({ type: z.literal("approve") }).transform(() => yes()),
    z.object({ type: z.literal("edit"), edited_action: action }).transform(({ edited_action: { args } }) => yes(args)),
    z.object({ type: z.literal("edit"), editedAction: action }).transform(({ editedAction: { args } }) => yes(args)),
    z.object({ type: z.literal("reject"), message: z.string().optional() }).transform(({ message }) => no(message)),
  ]);
  return { inbox, decision };
}
