import { isObject, type JsonSchema, toSchema } from "../json-schema.ts";

type Args = Record<string, unknown>;

/** The decision of a person on a tool call. */
export type Decision = { type: "approve" } | { type: "edit"; args: Args } | { type: "reject"; reason: string };

/** A tool call that a person must decide on, and the decisions that are allowed. */
export interface CallReview {
  name: string;
  args: Args;
  description: string | undefined;
  argsSchema: JsonSchema | undefined;
  mayApprove: boolean;
  mayEdit: boolean;
  mayReject: boolean;
}

export interface Reviews {
  reviews: CallReview[];
  /** Converts the decisions into an answer in the form that the question expects. */
  answerOf: (decisions: Decision[]) => unknown;
}

/**
 * Reads a question about tool calls. Returns undefined for any other question. The question may have the format of Ensemble's own graph
 * patterns, of Agent Inbox, or of LangChain's middleware. Ensemble's patterns write the fields of all three formats into one question, but
 * expect the answer in their own format.
 */
export function readReviews(value: unknown): Reviews | undefined {
  const all = Array.isArray(value) ? value : [value];
  const first: unknown = all[0];
  if (!isObject(first)) return undefined;
  const isOurs = first.type === "approval" && typeof first.prompt === "string";
  const several = listOf(first.action_requests) ?? listOf(first.actionRequests);
  if (several) return readSeveral(first, several, isOurs);
  const single = all.map(readSingle).filter((review) => review !== undefined);
  if (single.length === 0 || single.length !== all.length) return undefined;
  return { reviews: single, answerOf: isOurs ? ourAnswer : (decisions) => decisions.map((one, index) => inboxAnswer(one, single[index])) };
}

const listOf = (value: unknown) => (Array.isArray(value) && value.length > 0 && value.every(isObject) ? (value as Args[]) : undefined);
const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const argsOf = (value: unknown): Args => (isObject(value) ? value : {});

function readSeveral(value: Args, requests: Args[], isOurs: boolean): Reviews {
  const isCamel = value.action_requests === undefined;
  const configs = listOf(isCamel ? value.reviewConfigs : value.review_configs) ?? [];
  const reviews = requests.map((request) => {
    const name = textOf(request.name) ?? textOf(request.action) ?? "tool";
    const config = configs.find((one) => (one.action_name ?? one.actionName) === name) ?? {};
    const allowed = config.allowed_decisions ?? config.allowedDecisions;
    const may = (type: string) => !Array.isArray(allowed) || allowed.includes(type);
    return {
      name,
      args: argsOf(request.args ?? request.arguments),
      description: isOurs ? undefined : textOf(request.description),
      argsSchema: toSchema(config.args_schema ?? config.argsSchema),
      mayApprove: may("approve"),
      mayEdit: may("edit"),
      mayReject: may("reject"),
    };
  });
  const middleware = (decisions: Decision[]) => ({
    decisions: decisions.map((one, index) => middlewareAnswer(one, reviews[index], isCamel)),
  });
  return { reviews, answerOf: isOurs ? ourAnswer : middleware };
}

function readSingle(value: unknown): CallReview | undefined {
  if (!isObject(value) || !isObject(value.action_request)) return undefined;
  const { action, args } = value.action_request;
  const { allow_accept = true, allow_edit = true, allow_respond = true, allow_ignore = true } = argsOf(value.config);
  return {
    name: textOf(action) ?? "tool",
    args: argsOf(args),
    description: undefined,
    argsSchema: undefined,
    mayApprove: allow_accept !== false,
    mayEdit: allow_edit !== false,
    mayReject: allow_respond !== false || allow_ignore !== false,
  };
}

function ourAnswer(decisions: Decision[]): unknown {
  const approvals = decisions.map((decision) => {
    if (decision.type === "approve") return { approved: true };
    if (decision.type === "edit") return { approved: true, edited: decision.args };
    return { approved: false, ...(decision.reason && { reason: decision.reason }) };
  });
  return approvals.length === 1 ? approvals[0] : approvals;
}

function inboxAnswer(decision: Decision, review: CallReview | undefined) {
  if (decision.type === "approve") return { type: "accept", args: null };
  if (decision.type === "edit") return { type: "edit", args: { action: review?.name, args: decision.args } };
  return decision.reason ? { type: "response", args: decision.reason } : { type: "ignore", args: null };
}

function middlewareAnswer(decision: Decision, review: CallReview | undefined, isCamel: boolean) {
  if (decision.type === "approve") return { type: "approve" };
  if (decision.type === "reject") return { type: "reject", ...(decision.reason && { message: decision.reason }) };
  const action = { name: review?.name, args: decision.args };
  return { type: "edit", ...(isCamel ? { editedAction: action } : { edited_action: action }) };
}
