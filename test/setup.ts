import { afterAll, vi } from "vitest";
import { closeFile } from "./after-file.ts";

// Test files share a process, which saves a second of loading for each. What a file has set or opened must not affect the next file.
afterAll(closeFile);
afterAll(() => void vi.unstubAllEnvs());
