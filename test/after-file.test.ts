import { expect, test } from "vitest";
import { afterFile, closeFile } from "./after-file.ts";

test("everything is closed, the last first, and the error of one keeps no other open", async () => {
  const closed: string[] = [];
  afterFile(() => closed.push("first"));
  afterFile(async () => {
    throw new Error("stuck");
  });
  afterFile(() => closed.push("last"));
  await expect(closeFile()).rejects.toThrow("stuck");
  expect(closed).toEqual(["last", "first"]);
  await closeFile();
  expect(closed).toHaveLength(2);
});
