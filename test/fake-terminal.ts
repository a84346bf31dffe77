/** Opens a terminal that supports what our output needs. It collects what is written, and knows which lines are visible at the end. */
export function openFakeTerminal() {
  let written = "";
  return {
    isTTY: true,
    write(text: string) {
      written += text;
      return true;
    },
    get written() {
      return written;
    },
    /** Returns the visible lines, without colours. An unknown escape sequence stays visible as ␛. */
    get lines() {
      return linesOf(written);
    },
  };
}

// biome-ignore lint/complexity/useRegexLiterals: with a literal the linter objects to the control character
const token = new RegExp("\\x1b\\[(\\d+)F|\\x1b\\[0J|\\x1b\\[\\?7[lh]|\\x1b\\[\\d*m|[^]", "g");

function linesOf(written: string): string[] {
  let lines = [""];
  let row = 0;
  for (const [text, up] of written.matchAll(token)) {
    if (up) row -= Number(up);
    else if (text.endsWith("[0J")) lines = [...lines.slice(0, row), ""];
    else if (text === "\n") lines[++row] ??= "";
    else if (text.length === 1) lines[row] += text === "\x1b" ? "␛" : text;
  }
  return lines;
}
