import type { Registry } from "../../registry/registry.ts";
import type { Issue } from "../../registry/validate.ts";
import type { AskedRun, RunCheck } from "../../runs/create.ts";
import { openQuestions } from "../../threads/questions.ts";
import { objectionTo, type WebhookRules } from "../../webhooks/webhook-rules.ts";
import { refuseIssues } from "../answers/issues.ts";
import { issuesOfAnswers, issuesOfUnasked } from "./answer-check.ts";
import { findCallIssues } from "./call-issues.ts";

/** Returns the check that a run must pass before it is created. `index` is the run's position in a batch, or undefined for a single run. */
export function runCheck(registry: Registry, index?: number): RunCheck {
  const inBatch = (issues: Issue[]) => (index === undefined ? issues : issues.map((issue) => ({ ...issue, path: [index, ...issue.path] })));
  return async (tx, run) => {
    refuseIssues(inBatch(await findCallIssues(tx, registry, run.assistant.graph_id, callOf(run))));
    const { resume } = run.kwargs.command ?? {};
    if (resume === undefined || resume === null || !knowsOpenQuestions(run)) return;
    const questions = await openQuestions(tx, run.threadId);
    if (run.kwargs.strict_resume) refuseIssues(inBatch(issuesOfUnasked(questions, resume)));
    refuseIssues(inBatch(issuesOfAnswers(questions, resume)));
  };
}

/**
 * Throws if the service must not send webhooks to this URL. The host name is not looked up in the DNS here. A webhook that passes may thus
 * still be refused when it is sent, because its host has a forbidden address.
 */
export function refuseWebhook(rules: WebhookRules, webhook: string | null | undefined, path: PropertyKey[] = ["body"]): void {
  const objection = typeof webhook === "string" && objectionTo(webhook, rules);
  if (objection) refuseIssues([{ path: [...path, "webhook"], message: objection }]);
}

/** Returns the parts of a run that are validated against the graph's schemas. */
function callOf({ kwargs: { input, command, context, config } }: AskedRun) {
  return {
    // A null input continues from the thread's state, and a command replaces the input. In both cases, no input is validated.
    ...(command === null && input !== null && { input }),
    // Without a context, LangGraph uses `configurable` as the context, because older graphs keep their context in it.
    context: context ?? config.configurable,
  };
}

/**
 * Tells whether the questions that are open now are those that the run will find when it begins. This is not certain if other runs come
 * first, or if the run starts at an earlier checkpoint. In these cases, the answers cannot be validated before the run.
 */
function knowsOpenQuestions({ wasBusy, kwargs }: AskedRun): boolean {
  return !wasBusy && !kwargs.config.configurable?.checkpoint_id;
}

/**
 * Throws if the context of an assistant is invalid for its graph. Each given field must be valid. A required field may be missing, because
 * the request that starts a run can add it.
 */
export async function refuseContext(registry: Registry, graphId: string, context: Record<string, unknown>): Promise<void> {
  const issues = await registry.validate(graphId, { context });
  refuseIssues(issues.filter(({ path }) => path.length !== 2 || Object.hasOwn(context, path[1] ?? "")));
}
