import type { Evidence } from "./evidence.ts";
import type { Breach } from "./ledger.ts";
import type { Takeovers } from "./takeovers.ts";

export interface Findings {
  seed: number;
  seconds: number;
  settledMs: number;
  allowedRepeats: number;
  excusedLatecomers: number;
  takeovers: Takeovers;
  breaches: Breach[];
}

const shownBreaches = 20;

/** Returns the whole result, short enough for one screen. */
export function report(evidence: Evidence, findings: Findings): string {
  const { ledger, runs, journal, audit } = evidence;
  const attempts = [...runs.values()].reduce((sum, { attempt }) => sum + attempt, 0);
  const returns = ledger.sights.reduce((sum, sight) => sum + sight.returns, 0);
  const ofRule = (...rules: string[]) => findings.breaches.filter(({ rule }) => rules.includes(rule)).length;
  const lines = [
    ...faultTable(findings.takeovers),
    "",
    line("acknowledged runs", `${ledger.runs.length} (${kinds(evidence)})`),
    line("runs in the database", `${runs.size}, ${attempts} attempts; ${ledger.retriedCreates} creates were sent again with their key`),
    line("pieces of work", `${journal.filter(({ phase }) => phase === "end").length} ended, ${audit.length} writes audited`),
    line("repeats", `${findings.allowedRepeats} allowed (nothing of it was stored), ${ofRule("repeated work")} not allowed`),
    line("work after a takeover", `${findings.excusedLatecomers} lines excused, ${ofRule("works on")} not`),
    line("losses", `${ofRule("lost", "missing step", "stuck")}`),
    line("clients", `${ledger.sights.length} streams, ${returns} times beyond the SDK's own reconnecting`),
    line("time", `${findings.seconds.toFixed(0)} s; ${(findings.settledMs / 1000).toFixed(1)} s to settle after the last client`),
    "",
    ...verdict(findings),
  ];
  return lines.join("\n");
}

function faultTable(takeovers: Takeovers): string[] {
  const head = ["fault", "times", "runs hit", "p50 ms", "p99 ms", "max ms"];
  const rows = [...takeovers].map(([name, { faults, times }]) => {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted.length === 0 ? "-" : String(Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)));
    return [name, String(faults), String(times.length), at(0.5), at(0.99), at(1)];
  });
  return [head, ...rows.toSorted()].map(([first = "", ...cells]) => first.padEnd(28) + cells.map((cell) => cell.padStart(10)).join(""));
}

function kinds({ ledger }: Evidence): string {
  const counts = Map.groupBy(ledger.runs, ({ kind }) => kind);
  return [...counts].map(([kind, runs]) => `${kind} ${runs.length}`).join(", ");
}

function verdict({ seed, breaches }: Findings): string[] {
  if (breaches.length === 0) return [`seed ${seed}: nothing is lost`];
  const shown = breaches.slice(0, shownBreaches).map(({ rule, detail }) => `  ${rule}: ${detail}`);
  const more = breaches.length > shownBreaches ? [`  … and ${breaches.length - shownBreaches} more`] : [];
  return [`seed ${seed}: ${breaches.length} breaches`, ...shown, ...more];
}

const line = (name: string, text: string) => `${name.padEnd(28)}${text}`;
