import { type AgentData, asAgent, type Code, type Doing, type Member, type StepFunction } from "ensemble/patterns";
import { z } from "zod";
import { prompts } from "./prompts.ts";

/** The decision of an agent in a round: whether it wants to act, and what it wants to do. */
export const Intention = z.object({
  shouldAct: z.boolean().describe("Whether the agent wants to act"),
  intention: z.string().default("").describe("What it wants to do"),
  touches: z.array(z.string()).default([]).describe("Keys of the board that it would change"),
  priority: z.number().min(0).max(1).default(0.5).describe("How much the objective needs this now"),
  expected: z
    .object({
      key: z.string().describe("Key that will have changed"),
      value: z.union([z.string(), z.number(), z.boolean()]).optional().describe("Its value, if it is known"),
    })
    .nullish()
    .describe("What will be on the board afterwards"),
});
export type Intention = z.infer<typeof Intention>;

/** Returns the schema of an agent's intention. If the keys of the board are known, an agent can touch only those keys. */
export const intentionFor = (keys: string[]): z.ZodType =>
  Intention.extend({
    intention: z.string().describe("What you want to do. Empty if nothing"),
    touches: z.array(keys.length === 0 ? z.string() : z.enum(keys)).describe("Keys of the board that you would change"),
  });

/** Returns the schema of the values that an action writes. */
export const valuesFor = (touches: string[]): z.ZodType =>
  z.object(Object.fromEntries(touches.map((key) => [key, z.string().describe("New value, or the present one if it stays")])));

export const Objections = z.object({
  objections: z
    .array(
      z.object({
        against: z.string().describe("Agent whose intention is meant"),
        reason: z.string().describe("Why"),
        severity: z.enum(["block", "concern"]).describe("block: not now. concern: with care"),
      }),
    )
    .default([]),
});

/** A part of a mesh's round. An agent looks at the board, objects to intentions of others, or acts. */
export type Part = "look" | "object" | "act";

/** An agent in code that decides by functions. */
export interface MeshFunctions {
  name: string;
  /** Returns the intention of the agent. The input has the objective, the board, and the outcome of the agent's last intention. */
  look: StepFunction;
  /** Returns `{ objections }` to the intentions of the other agents. Without this function, the agent never objects. */
  object?: StepFunction;
  /** Carries out the intention. Returns the new values of the keys that the intention touches. */
  act: StepFunction;
}

/** The ways to define an agent of a mesh in code: an agent, the options of an agent, or functions. */
export type MeshMember = Member | MeshFunctions;

/** An agent of a mesh: its name, and its work in each part of a round. */
export interface Actor extends Partial<Record<Part, Doing>> {
  name: string;
  look: Doing;
  act: Doing;
}

/** Converts an agent from the context to an actor, which looks, objects and acts with the default tasks. */
export const actorOf = ({ name }: Pick<AgentData, "name">): Actor => ({
  name,
  look: { agent: name, task: prompts.look },
  object: { agent: name, task: prompts.object },
  act: { agent: name, task: prompts.act },
});

/** Converts an agent from TypeScript code to an actor. The agent or its functions go into `code`, and the actor refers to them by name. */
export function actorInCode(member: MeshMember, code: Code): Actor {
  if ("look" in member) {
    const { name, look, object, act } = member;
    const own = (part: Part, work: StepFunction): Doing => {
      code.set(`${name}.${part}`, work);
      return { code: `${name}.${part}` };
    };
    return { name, look: own("look", look), ...(object && { object: own("object", object) }), act: own("act", act) };
  }
  const agent = asAgent(member);
  if (agent.graph) throw new Error(`mesh: "${agent.name}" is a graph, which cannot say what it wants to do. Give functions or an agent.`);
  code.set(agent.name, agent);
  return actorOf(agent);
}

const usual = (name: string, role: string, instructions: string) => ({ name, role, instructions });

/** The default agents, for runs that define no agents, and the keys of their board. */
export const usualMembers: Member[] = [
  usual("scout", "a researcher", "Write `findings` if it is not on the board. Otherwise do not act."),
  usual("critic", "a critical reader", "Write `doubts` about the findings once. Without findings, do not act."),
  usual("writer", "an editor", "Write `answer` when there are findings and doubts. Before that, do not act."),
];
export const usualKeys = ["findings", "doubts", "answer"];
