import type { Answer, CallToCaller } from "./answer.ts";
import { callItem, messageItem, type ResponseFrame, responseOf, responseWithout, textPart } from "./response-object.ts";
import type { AnswerFrames } from "./send-answer.ts";

/**
 * Returns the events of a streamed response, in the order in which OpenAI sends them. Leaves out the events up to the number `after`, which
 * the client already has.
 */
export function responseEvents(frame: ResponseFrame, after = -1): AnswerFrames {
  let sequence = 0;
  let hasText = false;
  const write = (events: Event[]) =>
    events
      .map(({ type, ...more }) => ({ type, sequence_number: sequence++, ...more }))
      .filter(({ sequence_number }) => sequence_number > after)
      .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join("");
  const start = () => {
    const begun = hasText ? [] : messageBegins(frame);
    hasText = true;
    return begun;
  };
  return {
    begin: () => {
      const response = responseWithout(frame, "in_progress");
      return write([
        { type: "response.created", response },
        { type: "response.in_progress", response },
      ]);
    },
    text: (delta) => write([...start(), { type: "response.output_text.delta", ...placeOf(frame), delta, logprobs: [] }]),
    end: (answer) => {
      const { text, calls, error } = answer;
      const isSilent = !hasText && (calls.length > 0 || error !== undefined);
      const message = isSilent ? [] : [...start(), ...messageEnds(frame, text)];
      const called = calls.flatMap((call, index) => callEvents(frame, call, { index, output: index + (isSilent ? 0 : 1) }));
      return write([...message, ...called, responseEnds(frame, answer)]);
    },
  };
}

interface Event {
  type: string;
  [field: string]: unknown;
}

/**
 * The fields with which an event says to which part of the response its text belongs. They are always the same, because a response has only
 * one message, and the message has only one part.
 */
const placeOf = ({ runId }: ResponseFrame) => ({ item_id: `msg_${runId}`, output_index: 0, content_index: 0 });

function messageBegins(frame: ResponseFrame): Event[] {
  return [
    { type: "response.output_item.added", output_index: 0, item: messageItem(frame, { status: "in_progress" }) },
    { type: "response.content_part.added", ...placeOf(frame), part: textPart("") },
  ];
}

function messageEnds(frame: ResponseFrame, text: string): Event[] {
  return [
    { type: "response.output_text.done", ...placeOf(frame), text, logprobs: [] },
    { type: "response.content_part.done", ...placeOf(frame), part: textPart(text) },
    { type: "response.output_item.done", output_index: 0, item: messageItem(frame, { text, status: "completed" }) },
  ];
}

function callEvents(frame: ResponseFrame, call: CallToCaller, { index, output: output_index }: { index: number; output: number }): Event[] {
  const item = callItem(frame, call, index);
  const place = { item_id: item.id, output_index };
  return [
    { type: "response.output_item.added", output_index, item: { ...item, status: "in_progress", arguments: "" } },
    { type: "response.function_call_arguments.delta", ...place, delta: call.args },
    { type: "response.function_call_arguments.done", ...place, name: call.name, arguments: call.args },
    { type: "response.output_item.done", output_index, item },
  ];
}

function responseEnds(frame: ResponseFrame, answer: Answer): Event {
  const response = responseOf(frame, answer);
  return { type: `response.${response.status}`, response };
}
