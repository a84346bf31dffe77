import { formatNumber } from "./table.ts";

/** The measured figures by name. A figure that was not measured is undefined. */
export type Figures = Record<string, number | undefined>;

interface Target {
  what: string;
  wanted: string;
  /** Returns the figures to show for this target. */
  measured: (figures: Figures) => (number | undefined)[];
  /** The format of these figures. Each `#` is replaced by one figure. */
  written: string;
  met: (...measured: number[]) => boolean;
}

/** The targets. Where possible, they are ratios within one execution of the benchmark. */
const targets: Target[] = [
  {
    what: "server CPU of a five-node run, stream, 32 at once, one process",
    wanted: "≤ 6 ms",
    measured: (f) => [f["five: server CPU"]],
    written: "# ms",
    met: (cpu) => cpu <= 6,
  },
  {
    what: "runs/s there, against the dev server (which timers of its own bound)",
    wanted: "≥ 4 ×",
    measured: (f) => [f["five: against dev server"]],
    written: "# ×",
    met: (times) => times >= 4,
  },
  {
    what: "the same against in-process LangGraph with our saver",
    wanted: "≥ 0.6 ×",
    measured: (f) => [f["five: against in-process"]],
    written: "# ×",
    met: (times) => times >= 0.6,
  },
  {
    what: "our saver against PostgresSaver, five nodes, 8 and 32 at once",
    wanted: "≥ 2 ×",
    measured: (f) => [f["five: savers at 8"], f["five: savers at 32"]],
    written: "# × and # ×",
    met: (at8, at32) => at8 >= 2 && at32 >= 2,
  },
  {
    what: "the same, 1 MB rewritten by each of five nodes",
    wanted: "≥ 1 ×",
    measured: (f) => [f["rewritten: savers"]],
    written: "# ×",
    met: (times) => times >= 1,
  },
  {
    what: "round trips of a five-node run (PostgresSaver alone beside it)",
    wanted: "≤ 20",
    measured: (f) => [f["five: round trips"], f["five: round trips of stock"]],
    written: "# (#)",
    met: (ours) => ours <= 20,
  },
  {
    what: "idle: POST to first event, p50 (a committed insert beside it)",
    wanted: "≤ 8 ms",
    measured: (f) => [f["idle: first event"], f["idle: insert"]],
    written: "# ms (# ms)",
    met: (first) => first <= 8,
  },
  {
    what: "idle: POST to the end of a one-node run, p50",
    wanted: "≤ 15 ms",
    measured: (f) => [f["idle: end"]],
    written: "# ms",
    met: (end) => end <= 15,
  },
  {
    what: "turn 1,000 of a thread against turn 10",
    wanted: "≤ 15 ms more",
    measured: (f) => [f["threads: more at 1,000"]],
    written: "# ms more",
    met: (more) => more <= 15,
  },
  {
    what: "checkpoints of 1,000 turns; with the latest 10 kept",
    wanted: "≤ 10 MB; ≤ 3 MB",
    measured: (f) => [f["threads: checkpoints"], f["threads: checkpoints kept"]],
    written: "# MB; # MB",
    met: (all, kept) => all <= 10 && kept <= 3,
  },
  {
    what: "growth from 500 to 1,000 turns: checkpoints, event log, thread row",
    wanted: "≤ 2.2 × (linear)",
    measured: (f) => [f["threads: checkpoints growth"], f["threads: events growth"], f["threads: row growth"]],
    written: "# ×, # ×, # ×",
    met: (...growths) => growths.every((growth) => growth <= 2.2),
  },
  {
    what: "100 events/s to 1,000 clients: every event to every client; p99 lag",
    wanted: "all; ≤ 250 ms",
    measured: (f) => [f["fan: share"], f["fan: lag p99"]],
    written: "# %; # ms",
    met: (share, lag) => share === 100 && lag <= 250,
  },
  {
    what: "the same, flat out",
    wanted: "≥ 100,000 deliveries/s",
    measured: (f) => [f["fan: deliveries"]],
    written: "#/s",
    met: (deliveries) => deliveries >= 100_000,
  },
  {
    what: "after 10,000 runs against after 1,000: heap; resident memory",
    wanted: "≤ 1.1 ×; ≤ 1.3 ×",
    measured: (f) => [f["soak: heap"], f["soak: resident"]],
    written: "# ×; # ×",
    met: (heap, resident) => heap <= 1.1 && resident <= 1.3,
  },
  {
    what: "4 workers against 1, nodes that wait",
    wanted: "≥ 3.8 ×",
    measured: (f) => [f["scale: 4 against 1"]],
    written: "# ×",
    met: (times) => times >= 3.8,
  },
];

export interface Verdict {
  target: string;
  wanted: string;
  measured: string;
  met: "yes" | "no" | "-";
}

/** Returns each target with its measured figures. A figure that was not measured is a dash. */
export function judgeTargets(figures: Figures): Verdict[] {
  return targets.map(({ what, wanted, measured, written, met }) => {
    const values = measured(figures);
    const known = values.filter((value) => value !== undefined);
    const rest = [...values];
    const shown = written.replaceAll("#", () => write(rest.shift()));
    const isKnown = known.length === values.length;
    return { target: what, wanted, measured: known.length > 0 ? shown : "-", met: isKnown ? (met(...known) ? "yes" : "no") : "-" };
  });
}

const write = (value: number | undefined) => (value === undefined ? "-" : formatNumber(value));
