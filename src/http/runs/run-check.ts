import type { Registry } from "../../registry/registry.ts";
import type { Issue } from "../../registry/validate.ts";
import type { AskedRun, RunCheck } from "../../runs/create.ts";
import { openQuestions } from "../../threads/questions.ts";
import { objectionTo, type WebhookRules } from "../../webhooks/rules.ts";
import { refuseIssues } from "../answers/issues.ts";
import { issuesOfAnswers, issuesOfUnasked } from "./answer-check.ts";

/** What a run must pass before it exists. In a batch, `index` says which run it is. */
export function runCheck(registry: Registry, index?: number): RunCheck {
  const inBatch = (issues: Issue[]) => (index === undefined ? issues : issues.map((issue) => ({ ...issue, path: [index, ...issue.path] })));
  return async (tx, run) => {
    refuseIssues(inBatch(await registry.validate(run.assistant.graph_id, callOf(run))));
    const { resume } = run.kwargs.command ?? {};
    if (resume === undefined || resume === null || !knowsWhatIsAsked(run)) return;
    const questions = await openQuestions(tx, run.threadId);
    if (run.kwargs.strict_resume) refuseIssues(inBatch(issuesOfUnasked(questions, resume)));
    refuseIssues(inBatch(issuesOfAnswers(questions, resume)));
  };
}

/** Refuses a webhook that will not be called, as far as that can be told without asking for its address. */
export function refuseWebhook(rules: WebhookRules, webhook: string | null | undefined, path: PropertyKey[] = ["body"]): void {
  const objection = typeof webhook === "string" && objectionTo(webhook, rules);
  if (objection) refuseIssues([{ path: [...path, "webhook"], message: objection }]);
}

/** What LangGraph will hold against the graph's schemas. */
function callOf({ kwargs: { input, command, context, config } }: AskedRun) {
  return {
    // Null goes on from where the thread stands, and a command takes the input's place.
    ...(command === null && input !== null && { input }),
    // Without a context it is the configurable, as graphs once had it.
    context: context ?? config.configurable,
  };
}

/** Behind other runs, and at an earlier checkpoint, other questions may be open than the thread shows: such answers the graph judges itself. */
function knowsWhatIsAsked({ wasBusy, kwargs }: AskedRun): boolean {
  return !wasBusy && !kwargs.config.configurable?.checkpoint_id;
}

/**
 * Refuses a context for an assistant that its graph would refuse. What is missing may still come with the run; what is there may not
 * be wrong.
 */
export async function refuseContext(registry: Registry, graphId: string, context: Record<string, unknown>): Promise<void> {
  const issues = await registry.validate(graphId, { context });
  refuseIssues(issues.filter(({ path }) => path.length !== 2 || Object.hasOwn(context, path[1] ?? "")));
}
