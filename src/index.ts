/** The exports of the package `ensemble`, for graphs, tests and programs. */
export { EnsembleSaver } from "./checkpoints/saver.ts";
export { type Config, readConfig } from "./config.ts";
export { effect } from "./effects/effect.ts";
export { type EnsembleOptions, ensemble } from "./embedding/plugin.ts";
export { type FailedItem, reportDeadLetter } from "./letters/report.ts";
export { type Service, startService } from "./main.ts";
export { DeadlockError, ResourceError, ResourceTimeoutError } from "./resources/errors.ts";
export type { ResourceOptions } from "./resources/request.ts";
export { withResources } from "./resources/with-resources.ts";
