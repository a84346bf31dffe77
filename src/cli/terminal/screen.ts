import { styleText } from "node:util";
import { clean } from "./clean.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** A piece of a line, plain or with a style. The screen makes its text safe, so no caller can forget it. */
export type Span = string | readonly [style: Style, text: string];

export interface Screen {
  line(...spans: Span[]): void;
  /** Writes text as it arrives. A terminal shows it at once, other outputs when the line is complete. */
  text(piece: string): void;
  /** Ends an incomplete line of text. */
  endText(): void;
  /** Draws lines that stay at the bottom and replace the previous ones. Only a terminal shows them. */
  picture(lines: Span[][]): void;
  /** Leaves the picture as it is, so that later output appears below it. */
  leavePicture(): void;
  readonly live: boolean;
}

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

/** Opens an output for people. A terminal gets colour and a picture, other outputs plain lines. */
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

/** Returns the picture without wrapping. A line that is too long would take two, and the next picture would not cover it. */
const draw = (picture: string[]) => (picture.length > 0 ? `\x1b[?7l${picture.join("\n")}\n\x1b[?7h` : "");
const erase = (picture: string[]) => (picture.length > 0 ? `\x1b[${picture.length}F\x1b[0J` : "");
