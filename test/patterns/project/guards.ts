/** Guards of the project, which guardrails use by name. */
export const guards = {
  polite: (text: unknown) => ({ ok: String(text).includes("please"), reason: "Say please." }),
  louder: (text: unknown) => ({ ok: true, value: String(text).toUpperCase() }),
  broken: () => {
    throw new Error("no connection");
  },
};
