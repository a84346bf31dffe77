import { afterAll, vi } from "vitest";

// Files share their process, which spares each of them a second of loading; what one has set in the environment is not the next one's.
afterAll(() => void vi.unstubAllEnvs());
