import { useStream } from "@langchain/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { sentenceOf } from "../../api.ts";
import { prefix } from "../../boot.ts";
import { credentialHeaders } from "../../credential.ts";
import { Button } from "../../parts/button.tsx";
import { isObject } from "../../parts/json-schema.ts";
import type { RunSettings } from "../../run-settings.ts";
import { useMayAct } from "../../settings.ts";
import { Composer } from "./composer.tsx";
import { cancelOpenRuns, refreshThread, type ThreadFacts } from "./data.ts";
import { MessageList } from "./message-list.tsx";
import { readMessages } from "./messages.ts";
import { ThreadQuestions } from "./thread-questions.tsx";

interface Props {
  thread: ThreadFacts;
  settings: RunSettings;
  /** The id of the newest checkpoint whose last message is from a person. A retry begins at this checkpoint. Undefined if there is none. */
  retryFrom: string | undefined;
  /** The messages of the newest checkpoint. They are shown until the stream has loaded its messages. */
  stored: unknown[];
  /**
   * Called if the stream shows other messages than the thread has. While the thread is idle, the stream does not notice runs that others
   * start.
   */
  onBehind: () => void;
}

/** The conversation of a thread. It follows every run of the thread, including runs that others start. */
export default function Chat({ thread, settings, retryFrom, stored, onBehind }: Props) {
  const { thread_id: threadId } = thread;
  const mayAct = useMayAct();
  const [failure, setFailure] = useState<unknown>();
  const headers = useMemo(() => credentialHeaders(), []);
  const context = useRef(settings.context);
  context.current = settings.context;
  const send = useMemo(() => withContext(() => context.current), []);
  const stream = useStream<{ messages: unknown[] }>({
    apiUrl: `${location.origin}${prefix}`,
    assistantId: settings.assistant_id,
    threadId,
    defaultHeaders: headers, // always the same object, because a new one would make the stream connect again
    fetch: send,
    maxReconnectAttempts: 1_000, // keeps trying while a server restarts
    onCompleted: () => refreshThread(threadId),
  });
  const shown = stream.isThreadLoading ? stored : stream.messages;
  const messages = useMemo(() => readMessages(shown), [shown]);
  const isOther = thread.status === "busy" || !endsAlike(shown, stored);
  useLater(isOther && !stream.isLoading && !stream.isThreadLoading, onBehind);
  const run = async (input: { messages: unknown[] } | null, forkFrom?: string) => {
    setFailure(undefined);
    const options = { ...(settings.config && { config: settings.config }), ...(forkFrom && { forkFrom }), onError: setFailure };
    await stream.submit(input as never, options as never).catch(setFailure);
    refreshThread(threadId);
  };
  // The stream's own `stop` hides a failed cancellation, and cancels only runs that this stream started.
  const stop = async () => {
    await cancelOpenRuns(threadId).catch(setFailure);
    refreshThread(threadId);
  };
  const error = failure ?? stream.error;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <MessageList messages={messages} isLoading={stream.isLoading}>
        <ThreadQuestions thread={thread} isBusy={stream.isLoading} />
        {error !== undefined && !stream.isLoading && <Failed error={error} />}
      </MessageList>
      {mayAct && (
        <Composer
          isLoading={stream.isLoading}
          onSend={(text) => void run({ messages: [{ type: "human", content: text }] })}
          onStop={() => void stop()}
          beside={
            !stream.isLoading &&
            messages.length > 0 && (
              <>
                {(thread.status === "error" || error !== undefined) && (
                  <Button icon="play" onClick={() => void run(null)}>
                    Continue where it failed
                  </Button>
                )}
                {retryFrom && (
                  <Button icon="retry" onClick={() => void run(null, retryFrom)}>
                    Retry the last answer
                  </Button>
                )}
              </>
            )
          }
        />
      )}
    </div>
  );
}

/** Tells whether two conversations have the same number of messages and the same last message. */
function endsAlike(one: unknown[], other: unknown[]): boolean {
  const [last, otherLast] = [one.at(-1), other.at(-1)];
  return one.length === other.length && (isObject(last) ? last.id : undefined) === (isObject(otherLast) ? otherLast.id : undefined);
}

/**
 * Calls `work` every 1.5 s while `isTrue` holds. The first call comes after 1.5 s, because a run that has just ended may still be missing
 * in some reads.
 */
function useLater(isTrue: boolean, work: () => void): void {
  const current = useRef(work);
  current.current = work;
  useEffect(() => {
    if (!isTrue) return;
    const timer = setInterval(() => current.current(), 1_500);
    return () => clearInterval(timer);
  }, [isTrue]);
}

function Failed({ error }: { error: unknown }) {
  return (
    <p role="alert" className="rounded-lg bg-bad-soft px-3.5 py-2 break-words text-bad">
      The run failed. {sentenceOf(error)}
    </p>
  );
}

/**
 * Returns a `fetch` that adds a context to the request that starts a run. The SDK cannot send a context with this request, but the service
 * accepts one.
 */
function withContext(read: () => Record<string, unknown> | undefined): typeof fetch {
  return (input, init) => {
    const context = read();
    if (!context || typeof init?.body !== "string" || !init.body.includes('"run.start"')) return fetch(input, init);
    const command: unknown = JSON.parse(init.body);
    if (!isObject(command) || command.method !== "run.start" || !isObject(command.params)) return fetch(input, init);
    return fetch(input, { ...init, body: JSON.stringify({ ...command, params: { ...command.params, context } }) });
  };
}
