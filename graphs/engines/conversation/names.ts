import type { z } from "zod";
import { namesIn, type Termination } from "../termination.ts";

interface Named {
  participants?: { name: string }[];
  termination: Termination;
  selector?: { candidates: Record<string, string[]> };
}

type Problem = { path: PropertyKey[]; message: string };

/** Returns the context schema with a check of the names in it: they are unique, and conditions and settings name only participants. */
export function withNames<Context extends z.ZodObject>(context: Context, members: { name: string }[] | undefined): Context {
  const twin = members && twinsIn(members)[0];
  if (twin) throw new Error(`participants: ${twin.message}`);
  return context.superRefine((given, { addIssue }) => {
    for (const problem of problemsOf(given as unknown as Named, members)) addIssue({ code: "custom", ...problem });
  });
}

function problemsOf({ participants, termination, selector }: Named, members: { name: string }[] = []): Problem[] {
  const names = (participants ?? members).map(({ name }) => name);
  const candidates = Object.entries(selector?.candidates ?? {}).flatMap(([speaker, after]) => [
    { name: speaker, path: ["selector", "candidates", speaker] },
    ...after.map((name, index) => ({ name, path: ["selector", "candidates", speaker, index] })),
  ]);
  const unknown = [...namesIn(termination, ["termination"]), ...candidates].filter(({ name }) => !names.includes(name));
  return [
    ...twinsIn(participants ?? []),
    ...unknown.map(({ name, path }) => ({ path, message: `there is no participant "${name}"; there are ${names.join(", ")}` })),
  ];
}

function twinsIn(participants: { name: string }[]): Problem[] {
  const names = participants.map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [{ path: ["participants", index, "name"], message: `there is another participant named "${name}"` }] : [],
  );
}
