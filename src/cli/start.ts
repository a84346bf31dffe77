import { readEnvironment } from "./environment.ts";

/** Runs the service. What is wrong with its settings or its project file is said before everything else is loaded. */
export async function start(): Promise<void> {
  const config = await readEnvironment();
  const { serve } = await import("./serve.ts");
  await serve(config);
}
