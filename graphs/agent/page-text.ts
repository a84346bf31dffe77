/**
 * Returns the visible text of a page. The time that it takes grows only linearly with the length of the page, because a hostile page
 * could otherwise block the process.
 */
export function textOfPage(html: string): string {
  return withoutBlocks(withoutBlocks(html, "script"), "style")
    .replace(/<[^<>]+>/g, " ") // a tag never extends beyond the next "<", so no text is read twice
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Removes all blocks of a tag. It uses no lazy pattern, because that would read to the end of the page for every unclosed block. Here,
 * the first unclosed block ends the search.
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
