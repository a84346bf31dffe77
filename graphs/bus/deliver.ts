import { bus, type Delivery, everybody, human, type Message, type Open, type Receipt, Turn, user } from "./message.ts";
import type { BusValues, TurnDone } from "./state.ts";

export const mostDeliveries = 3;

interface Changes {
  log: Message[];
  receipts: Receipt[];
  inboxes: Record<string, Delivery[]>;
  open: Open[];
  helps: Message[];
  ended: string[];
}

/** The messages and inboxes of a bus while a node works on them. The node returns `changes` as a single state update. */
export class Exchange {
  readonly changes: Changes;
  readonly #names: string[];
  readonly #sent: number;

  constructor({ inboxes, open, helps, ended, log }: BusValues, names: string[]) {
    this.#names = names;
    this.#sent = log.length;
    this.changes = { log: [], receipts: [], inboxes: { ...inboxes }, open: [...open], helps: [...helps], ended: [...ended] };
  }

  /**
   * Adds a message to the log and to the inboxes of its receivers. If a receiver does not exist or has ended, the message becomes a dead
   * letter, and the bus notifies the sender.
   */
  send(sent: Omit<Message, "id" | "at" | "correlationId"> & { correlationId?: string | undefined }): void {
    const given = sent.type === "HELP" || sent.to === human ? { ...sent, to: human, type: "HELP" as const } : sent;
    const id = `m${this.#sent + this.changes.log.length + 1}`;
    const message: Message = { ...given, id, correlationId: given.correlationId ?? id, at: new Date().toISOString() };
    const { from, to, type } = message;
    this.changes.log.push(message);
    this.#closeWith(message);
    if (type === "HELP") this.changes.helps.push(message);
    if ((type === "REQUEST" || type === "HELP") && from !== user) this.changes.open.push({ message, isHandled: type === "HELP" });
    if (to === user || to === human || type === "HELP") return;
    const receivers = to === everybody ? this.#names.filter((name) => name !== from && !this.changes.ended.includes(name)) : [to];
    for (const receiver of receivers) {
      if (!this.#names.includes(receiver)) this.#die(receiver, { message, deliveries: 0 }, `There is no agent "${receiver}".`);
      else if (this.changes.ended.includes(receiver)) this.#die(receiver, { message, deliveries: 0 }, `"${receiver}" has ended.`);
      else this.changes.inboxes[receiver] = [...(this.changes.inboxes[receiver] ?? []), { message, deliveries: 0 }];
    }
  }

  /** Applies the result of a turn. Acknowledges or redelivers the messages that the agent received, and sends the agent's new messages. */
  take(done: TurnDone, log: Message[]): void {
    const { agent, ids } = done;
    const turn = turnOf(done);
    const inbox = this.changes.inboxes[agent] ?? [];
    const got = inbox.filter(({ message }) => ids.includes(message.id));
    const again = got.flatMap((delivery) => this.#settle(delivery, turn));
    this.changes.inboxes[agent] = [...again, ...inbox.filter((delivery) => !got.includes(delivery))];
    if ("error" in turn) return;
    for (const { replyTo, ...message } of turn.send) {
      const answered = replyTo ? log.find(({ id }) => id === replyTo) : undefined;
      this.send({ ...message, from: agent, payload: message.payload ?? null, correlationId: answered?.correlationId });
    }
    if (turn.done) this.#end(agent);
  }

  /**
   * Ends one delivery of a message after the receiver's turn. Returns the delivery in a list if the message stays in the inbox, because it
   * must be delivered again or was not acknowledged. Otherwise returns an empty list.
   */
  #settle({ message, ...before }: Delivery, turn: ReturnType<typeof turnOf>): Delivery[] {
    const deliveries = before.deliveries + 1;
    const delivery = { ...before, message, deliveries };
    if (!("error" in turn)) {
      if (turn.acks && !turn.acks.includes(message.id)) return [{ ...delivery, isHandled: true }];
      this.#acknowledge(turn.agent, delivery);
      return [];
    }
    if (!turn.isFatal && deliveries < mostDeliveries) return [{ ...delivery, error: turn.error }];
    this.#die(turn.agent, delivery, turn.error);
    return [];
  }

  /**
   * Acknowledges messages that the receivers handled in an earlier turn without acknowledging them. Removes these messages from the
   * inboxes, so that the receivers do not see them again.
   */
  dropRepeated(): void {
    for (const [agent, inbox] of Object.entries(this.changes.inboxes)) {
      for (const delivery of inbox.filter(({ isHandled }) => isHandled))
        this.#acknowledge(agent, { ...delivery, deliveries: delivery.deliveries + 1 });
      this.changes.inboxes[agent] = inbox.filter(({ isHandled }) => !isHandled);
    }
  }

  /**
   * Ends an agent's wait for the reply to its message. The bus sends the agent a notice in place of the reply. If the receiver has not
   * handled the message yet, the message is removed from the receiver's inbox.
   */
  giveUp({ message }: Open, type: "UNDELIVERED" | "REFUSED", reason: string): void {
    const { id, to, from, correlationId, at } = message;
    for (const [agent, inbox] of Object.entries(this.changes.inboxes)) {
      const kept = inbox.filter((delivery) => delivery.message.id !== id);
      if (kept.length === inbox.length) continue;
      this.changes.inboxes[agent] = kept;
      this.changes.receipts.push({ id, to: agent, outcome: "dead", deliveries: 0, latencyMs: Date.now() - Date.parse(at), reason });
    }
    this.send({ from: bus, to: from, type, correlationId, payload: { id, to, reason } });
  }

  /** If the message is a reply, ends the wait of the agent that waits for this reply. */
  #closeWith({ from, to, type, correlationId }: Message): void {
    if (type === "REQUEST" || type === "HELP") return;
    const isNotice = from === bus || from === human;
    const isAnswered = ({ message }: Open) =>
      message.from === to && message.correlationId === correlationId && (isNotice || message.to === from || message.to === everybody);
    this.changes.open = this.changes.open.filter((one) => !isAnswered(one));
  }

  #acknowledge(agent: string, { message, deliveries }: Delivery): void {
    const latencyMs = Date.now() - Date.parse(message.at);
    this.changes.receipts.push({ id: message.id, to: agent, outcome: "acked", deliveries, latencyMs, reason: null });
    this.changes.open = this.changes.open.map((one) => (one.message.id === message.id ? { ...one, isHandled: true } : one));
  }

  #die(agent: string, { message, deliveries }: Delivery, reason: string): void {
    const { id, from, correlationId, at } = message;
    this.changes.receipts.push({ id, to: agent, outcome: "dead", deliveries, latencyMs: Date.now() - Date.parse(at), reason });
    if (from !== bus && from !== user && from !== human)
      this.send({ from: bus, to: from, type: "UNDELIVERED", correlationId, payload: { id, to: agent, reason } });
  }

  #end(agent: string): void {
    this.changes.ended.push(agent);
    for (const delivery of this.changes.inboxes[agent] ?? []) this.#die(agent, delivery, `"${agent}" has ended.`);
    delete this.changes.inboxes[agent];
    this.changes.open = this.changes.open.filter(({ message }) => message.from !== agent);
  }
}

/** Returns the result of an agent's turn, or an error. A result that does not match the schema `Turn` becomes an error. */
function turnOf({ agent, status, result, error, isFatal = false }: TurnDone) {
  const failed = (message: string) => ({ agent, error: message, isFatal });
  if (status !== "success") return failed(error ?? "The turn failed.");
  const { data, error: problem } = Turn.safeParse(result ?? {});
  return data ? { ...data, agent } : failed(`The result of a turn is an object with \`send\`: ${problem?.issues[0]?.message}`);
}

/**
 * Returns the messages to deliver to an agent now: alerts first, then the others in their order. An agent that waits for a reply gets no
 * requests.
 */
export function messagesFor(agent: string, { inboxes, open }: Pick<BusValues, "inboxes" | "open">): Delivery[] {
  const waiting = new Set(open.filter(({ message }) => message.from === agent).map(({ message }) => message.correlationId));
  const isHeard = ({ message }: Delivery) => waiting.size === 0 || message.type === "ALERT" || waiting.has(message.correlationId);
  return (inboxes[agent] ?? []).filter(isHeard).toSorted((one, other) => urgency(other) - urgency(one));
}

const urgency = ({ message }: Delivery): number => (message.type === "ALERT" ? 1 : 0);

/**
 * Returns the open requests of agents that wait for each other in a circle. None of these requests has been handled by its receiver yet.
 */
export function circleIn(open: Open[]): Open[] {
  const waits = new Map(open.filter(({ isHandled }) => !isHandled).map((one) => [one.message.from, one]));
  for (const start of waits.keys()) {
    const path: Open[] = [];
    for (let one = waits.get(start); one && !path.includes(one); one = waits.get(one.message.to)) {
      path.push(one);
      if (one.message.to === start) return path;
    }
  }
  return [];
}
