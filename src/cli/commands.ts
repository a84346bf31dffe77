import { printConfig } from "./config.ts";
import { checkHealth } from "./health.ts";
import { migrateDatabase } from "./migrate.ts";
import { start } from "./start.ts";

export interface Command {
  summary: string;
  run(): Promise<void>;
}

export const commands: Record<string, Command> = {
  start: { summary: "run the service (the default)", run: start },
  migrate: { summary: "bring the database's schema to this release, and exit", run: migrateDatabase },
  config: { summary: "print the environment table with this process's values", run: printConfig },
  health: { summary: "exit 0 when the database answers and, on a worker's host, the worker lives", run: checkHealth },
};
