import { afterAll, vi } from "vitest";
import { closeFile } from "./after-file.ts";

// Files share their process, which spares each of them a second of loading; what one has set or opened is not the next one's.
afterAll(closeFile);
afterAll(() => void vi.unstubAllEnvs());
