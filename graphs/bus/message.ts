import { z } from "zod";

/** The types of messages that agents send. */
export const MessageType = z.enum(["DISCOVERY", "REQUEST", "ALERT", "COMPLETE", "HELP"]);
export type MessageType = z.infer<typeof MessageType>;

/** The receiver name that addresses all agents. The constants `user`, `human` and `bus` name senders and receivers that are not agents. */
export const everybody = "*";
export const user = "user";
export const human = "human";
export const bus = "bus";

/** A message on the bus, from an agent, from the bus itself, or from a person. */
export const Message = z.object({
  id: z.string().describe("Id of the message"),
  from: z.string().describe("Sender: an agent, `user`, `human`, or `bus` for the notices of the bus itself"),
  to: z.string().describe("Receiver. `*` for all agents, `human` for a person, `user` for the answer of the run"),
  type: z
    .enum([...MessageType.options, "UNDELIVERED", "REFUSED"])
    .describe("UNDELIVERED and REFUSED are notices of the bus to the sender of a message"),
  payload: z.unknown().describe("Content"),
  correlationId: z.string().describe("Id of the exchange. A reply has the same id as the message to which it replies."),
  at: z.string().describe("Time at which it was sent"),
});
export type Message = z.infer<typeof Message>;

/** The record of how the delivery of a message to one receiver ended. A message to several receivers has one record for each of them. */
export const Receipt = z.object({
  id: z.string().describe("Id of the message"),
  to: z.string().describe("Receiver"),
  outcome: z.enum(["acked", "dead"]).describe("`dead` if the message could not be delivered"),
  deliveries: z.number().int().describe("How often it was delivered"),
  latencyMs: z.number().describe("Milliseconds from sending to the acknowledgement or the end of the attempts"),
  reason: z.string().nullable().describe("Why it could not be delivered"),
});
export type Receipt = z.infer<typeof Receipt>;

/** A message in the inbox of one receiver. */
export interface Delivery {
  message: Message;
  deliveries: number;
  /** True if the receiver has handled the message without acknowledging it. The receiver then does not get the message again. */
  isHandled?: boolean;
  error?: string;
}

/** A message whose sender still waits for a reply. */
export interface Open {
  message: Message;
  /** Whether the receiver has handled the message. */
  isHandled: boolean;
}

/** Returns the messages that an agent sent. Without an agent, returns all messages. */
export const historyOf = (log: Message[], agent?: string): Message[] => log.filter(({ from }) => agent === undefined || from === agent);

/** The schema of the result that an agent returns after it has handled its messages. */
export const Turn = z.object({
  send: z
    .array(
      z.object({
        to: z.string(),
        type: MessageType.default("COMPLETE"),
        payload: z.unknown(),
        replyTo: z.string().nullish(),
      }),
    )
    .default([]),
  acks: z.array(z.string()).optional(),
  done: z.boolean().default(false),
});
export type Turn = z.infer<typeof Turn>;

/** Returns the result schema of a turn, for agents other than functions. These agents acknowledge every message that they received. */
export const turnFor = (names: string[]) =>
  z.object({
    send: z
      .array(
        z.object({
          to: z.enum([...names, user, everybody]).describe("Receiver. Write to `*` only if it concerns all."),
          type: MessageType.describe("Type of the message"),
          payload: z.string().describe("Content"),
          replyTo: z.string().describe("Id of the message to which this replies. Empty if it is not a reply"),
        }),
      )
      .describe("Messages to send. Empty if there is nothing to say"),
    done: z.boolean().describe("Whether your work is over. You then get no further messages."),
  });
