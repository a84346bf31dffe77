import { styleText } from "node:util";
import { clean } from "./clean.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** A part of a line, plain or with a style. The screen removes characters that control a terminal, so callers need not remove them. */
export type Span = string | readonly [style: Style, text: string];

export interface Screen {
  line(...spans: Span[]): void;
  /** Writes text piece by piece. A terminal shows each piece immediately. Any other output shows only complete lines. */
  text(piece: string): void;
  /** Ends the current line of text if it is incomplete. */
  endText(): void;
  /** Draws lines at the bottom of the terminal, in place of the lines of the previous call. Other outputs do not show them. */
  picture(lines: Span[][]): void;
  /** Leaves the drawn lines on the screen in their present state. Later output appears below them. */
  leavePicture(): void;
  readonly live: boolean;
}

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

/**
 * Returns a screen that writes text for people to `output`. A terminal gets colours, and lines at the bottom that are redrawn. Any other
 * output gets plain lines.
 */
export function openScreen(output: Output, env: NodeJS.ProcessEnv = process.env): Screen {
  const live = output.isTTY === true && env.TERM !== "dumb";
  const color = live && !env.NO_COLOR;
  let drawn: string[] = [];
  let begun = "";

  const painted = (spans: Span[]) => spans.map((span) => paint(span, color)).join("");
  const writeAbove = (text: string) => output.write(erase(drawn) + text + draw(drawn));

  function endText(): void {
    if (begun) writeAbove(isShownAtOnce() ? "\n" : `${begun}\n`);
    begun = "";
  }

  const isShownAtOnce = () => live && drawn.length === 0;

  function text(piece: string): void {
    const lines = clean(piece).split("\n");
    lines.forEach((line, index) => {
      if (isShownAtOnce()) output.write(line);
      begun += line;
      if (index === lines.length - 1) return;
      if (begun) endText();
      else writeAbove("\n");
    });
  }

  return {
    live,
    text,
    endText,
    line(...spans) {
      endText();
      writeAbove(`${painted(spans)}\n`);
    },
    picture(lines) {
      if (!live) return;
      endText();
      const before = erase(drawn);
      drawn = lines.map(painted);
      output.write(before + draw(drawn));
    },
    leavePicture() {
      endText();
      drawn = [];
    },
  };
}

function paint(span: Span, color: boolean): string {
  if (typeof span === "string") return clean(span);
  return color && span[1] ? styleText(span[0], clean(span[1]), { validateStream: false }) : clean(span[1]);
}

/**
 * Returns the drawn lines with line wrapping turned off. A wrapped line would take two rows, and the next drawing would not cover both
 * rows.
 */
const draw = (picture: string[]) => (picture.length > 0 ? `\x1b[?7l${picture.join("\n")}\n\x1b[?7h` : "");
const erase = (picture: string[]) => (picture.length > 0 ? `\x1b[${picture.length}F\x1b[0J` : "");
