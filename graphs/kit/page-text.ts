/** What a reader sees of a page, in time that grows with its length alone: whoever wrote the page may mean harm. */
export function textOfPage(html: string): string {
  return withoutBlocks(withoutBlocks(html, "script"), "style")
    .replace(/<[^<>]+>/g, " ") // no tag reaches over the next "<", so nothing is read twice
    .replace(/\s+/g, " ")
    .trim();
}

/** A lazy pattern would read on to the end of the page from every block that is never closed; here the first such ends the search. */
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
