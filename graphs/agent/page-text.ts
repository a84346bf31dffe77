/**
 * Returns the visible text of a page. The processing time grows linearly with the length of the page, so that a hostile page cannot block
 * the process.
 */
export function textOfPage(html: string): string {
  return withoutBlocks(withoutBlocks(html, "script"), "style")
    .replace(/<[^<>]+>/g, " ") // a tag never extends beyond the next "<", so no text is read twice
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Removes all blocks of a tag. The search stops at the first unclosed block. A lazy pattern is avoided, because for every unclosed block
 * such a pattern would read to the end of the page.
 */
function withoutBlocks(html: string, name: "script" | "style"): string {
  const opening = new RegExp(`<${name}\\b`, "gi");
  const closing = new RegExp(`</${name}\\b`, "gi");
  let kept = "";
  let from = 0;
  for (let start = opening.exec(html); start; start = opening.exec(html)) {
    closing.lastIndex = start.index;
    const end = closing.exec(html);
    if (!end) break;
    kept += `${html.slice(from, start.index)} `;
    from = opening.lastIndex = end.index;
  }
  return kept + html.slice(from);
}
