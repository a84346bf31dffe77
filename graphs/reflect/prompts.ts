import { agent } from "ensemble/patterns";

const writerRule = "Write exactly what the task asks for. Answer with the text only.";
const criticRule = "Judge the draft against each criterion.";

/** The default writer and the default critic. The options of `reflect` can replace them. */
export const usualWriter = agent({ name: "writer", role: "a careful writer", instructions: writerRule, timeoutSeconds: 60 });
export const usualCritic = agent({ name: "critic", role: "a strict but fair critic", instructions: criticRule, timeoutSeconds: 60 });
