import { clean } from "./clean.ts";

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** A piece of a line: plain, or with a style. Its text is made safe here, so nothing that is shown can forget to. */
export type Span = string | readonly [style: keyof typeof styles, text: string];

export interface Screen {
  line(...spans: Span[]): void;
  /** Text as it comes. On a terminal it is there at once, elsewhere when its line is whole. */
  text(piece: string): void;
  /** Ends a line of text that was begun. */
  endText(): void;
  /** Lines that stay at the bottom and are drawn anew each time; nowhere but on a terminal. */
  picture(lines: Span[][]): void;
  /** The picture stays as it is; what comes next stands below it. */
  leavePicture(): void;
  readonly live: boolean;
}

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

/** A place to write for people: in colour and with a picture on a terminal, as plain lines elsewhere. */
export function openScreen(output: Output, env: NodeJS.ProcessEnv = process.env): Screen {
  const live = output.isTTY === true && env.TERM !== "dumb";
  const color = live && !env.NO_COLOR;
  let drawn: string[] = [];
  let begun = "";

  const paint = (span: Span) => {
    if (typeof span === "string") return clean(span);
    return color && span[1] ? `\x1b[${styles[span[0]]}m${clean(span[1])}\x1b[0m` : clean(span[1]);
  };
  const erase = () => (drawn.length > 0 ? `\x1b[${drawn.length}F\x1b[0J` : "");
  /** Without wrapping: a line that is too long would take two, and the next picture would not cover it. */
  const draw = () => (drawn.length > 0 ? `\x1b[?7l${drawn.join("\n")}\n\x1b[?7h` : "");
  const writeAbove = (text: string) => output.write(erase() + text + draw());

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
      writeAbove(`${spans.map(paint).join("")}\n`);
    },
    picture(lines) {
      if (!live) return;
      endText();
      const before = erase();
      drawn = lines.map((line) => line.map(paint).join(""));
      output.write(before + draw());
    },
    leavePicture() {
      endText();
      drawn = [];
    },
  };
}
