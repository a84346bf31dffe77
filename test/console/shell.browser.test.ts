import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { expectAccessible, expectQuiet, looks, open, shoot } from "./browser.ts";

const { urls } = await startTestService();
const url = urls[0] ?? "";

test.each(looks)("the shell is quiet and accessible at $width px, $scheme", async (look) => {
  const opened = await open(`${url}/`, look);
  await opened.page.getByRole("heading", { name: "Live" }).waitFor();
  expect(new URL(opened.page.url()).pathname).toBe("/console/");
  await shoot(opened, `shell-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});
