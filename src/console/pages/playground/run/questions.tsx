import { Link } from "wouter";
import { Icon } from "../../../parts/icons.tsx";
import { JsonView } from "../../../parts/json-view.tsx";
import type { Session } from "./session.ts";

/** The questions that the run has asked. They are answered in the inbox. */
export function Questions({ session: { view } }: { session: Session }) {
  return (
    <section aria-label="Questions" className="space-y-3 rounded-lg bg-warn-soft p-4">
      <p className="flex items-center gap-2 font-medium text-warn">
        <Icon name="inbox" />
        The graph asks, and waits for an answer.
      </p>
      {view.questions.map((question, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the questions of a run do not move
        <JsonView key={index} value={question} label="Question" />
      ))}
      <Link href="/inbox" className="text-accent underline">
        Answer in the inbox
      </Link>
    </section>
  );
}
