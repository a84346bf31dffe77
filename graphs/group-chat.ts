import {
  AgentData,
  AllowedHosts,
  AskTimeout,
  asAgent,
  checkNames,
  closed,
  conversation,
  findToolProblems,
  fromData,
  type Member,
  type Participant,
  patternContext,
  Selector,
  Speakers,
  Termination,
} from "ensemble/patterns";
import { z } from "zod";

const Speaker = closed(
  {
    ...AgentData.shape,
    human: z.boolean().default(false).describe("Whether a person speaks. Each turn of the person is a question."),
  },
  findToolProblems,
);

const usual = [
  { name: "planner", role: "a planner", instructions: "Say in a few sentences how to do the task, or how to change it after a review." },
  { name: "executor", role: "an executor", instructions: "Do the task as planned. Say the whole result." },
  { name: "reviewer", role: "a reviewer", instructions: "Review the last result. Say APPROVED if it is good, else say what is missing." },
];

const end = { or: [{ text: "APPROVED" }, { maxMessages: 12 }] };

const Participants = z.array(Speaker).min(2).max(10);
type OptionalParticipants = z.ZodType<z.output<typeof Participants> | undefined, z.input<typeof Participants> | undefined>;

function contextFor(members: Participant[] | undefined, defaults: object) {
  const participants: OptionalParticipants = members ? Participants.optional() : Participants.prefault(usual);
  const shape = {
    participants: participants.describe("Participants in the order in which they speak, from two to ten."),
    speakers: Speakers,
    selector: Selector,
    termination: Termination.prefault(end).describe("When the conversation ends. At least one bound is required."),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
  };
  return patternContext(shape, defaults, members, checkNames("participants", members));
}

type Context = ReturnType<typeof contextFor>;
type Person = { human: true; name: string; role?: string; description?: string };

/**
 * The options of `groupChat`: the participants, functions that choose the next speaker or end the conversation, and defaults for the
 * context of a run.
 */
export interface GroupChatOptions extends Omit<z.input<Context>, "participants"> {
  participants?: (Member | Person)[];
  /** Returns the name of the next speaker. If the function returns no name, the setting `speakers` decides. */
  next?: Parameters<typeof conversation>[0]["choice"];
  /** Tells whether the conversation ends. It ends if the function returns true or the text of a reason. */
  until?: Parameters<typeof conversation>[0]["until"];
  name?: string;
  description?: string;
}

const isPerson = (member: Member | Person): member is Person => "human" in member && member.human === true;
const asParticipant = (member: Member | Person): Participant => {
  if (!isPerson(member)) return asAgent(member);
  const { human, role = "a person", ...data } = member;
  return { ...asAgent({ ...data, role }), human };
};

/** Returns the sentences that tell an agent who the participants are and how to speak. */
const takingPart = ({ name }: Participant, all: Participant[]) => [
  `Your name is ${name}. You talk with ${all
    .filter((one) => one.name !== name)
    .map((one) => `${one.name} (${one.role})`)
    .join(", ")}.`,
  "Their messages begin with their names. Say only your own next message, without your name before it.",
];

/** Returns a graph in which a few participants talk until a condition holds. They speak in turn, or a model chooses the next speaker. */
export function groupChat({ participants, next, until, name = "group-chat", description, ...defaults }: GroupChatOptions = {}) {
  const members = participants?.map(asParticipant);
  const context = contextFor(members, defaults);
  const parse = (sent: unknown) => context.parse(sent ?? {});
  return conversation({
    ...{ name, description, pattern: "group-chat", context, choice: next, until },
    contextOf: ({ rules }, config) => parse({ ...Object(rules), ...config.context, participants: Object(rules).participants }),
    participantsOf: ({ rules }) => parse(rules).participants?.map(({ human, ...data }) => ({ ...fromData(data), human })) ?? members ?? [],
    turn: { rules: takingPart },
  });
}

export const graph = groupChat();
