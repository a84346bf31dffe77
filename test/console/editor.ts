import type { Opened } from "./browser.ts";

/** Replaces the text of a JSON editor. It is emptied first, because Chromium copies the style of a text that is overwritten. */
export async function type({ page }: Opened, name: string, text: string): Promise<void> {
  await page.getByRole("textbox", { name, exact: true }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}
