import open from "open";

/** Opens a page in the user's browser. If there is no browser, as on a server, prints the URL instead. */
export async function openInBrowser(url: string): Promise<void> {
  try {
    const child = await open(url);
    child.once("error", () => console.log(`Open ${url} in your browser.`));
  } catch {
    console.log(`Open ${url} in your browser.`);
  }
}
