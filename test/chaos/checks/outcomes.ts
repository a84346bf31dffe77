import { claimsOf, type Evidence } from "../evidence.ts";
import type { Breach } from "../ledger.ts";

/** Checks that every run has ended. Acknowledged runs must have succeeded, with all of their work and nothing else. */
export function checkOutcomes(evidence: Evidence): Breach[] {
  const { ledger, runs } = evidence;
  const stuck = [...runs.values()]
    .filter(({ status }) => status === "pending" || status === "running")
    .map(({ runId, status }) => ({ rule: "stuck", detail: `run ${runId} is still ${status}` }));
  const acknowledged = new Set(ledger.runs.map(({ runId }) => runId));
  const made = [...runs.keys()]
    .filter((runId) => !acknowledged.has(runId))
    .map((runId) => ({ rule: "made twice", detail: `run ${runId} was made, and another was acknowledged for the same key` }));
  return [...stuck, ...made, ...ledger.runs.flatMap((run) => checkRun(evidence, run))];
}

function checkRun(evidence: Evidence, { runId, kind, work, statusSeen }: Evidence["ledger"]["runs"][number]): Breach[] {
  const name = `${kind} run ${runId}`;
  const row = evidence.runs.get(runId);
  if (!row) return [{ rule: "lost", detail: `${name} is not there any more` }];
  const breaches: Breach[] = [];
  if (row.status !== "success") breaches.push({ rule: "wrong end", detail: `${name} ended as ${row.status}: ${row.error}` });
  if (statusSeen !== row.status) {
    breaches.push({ rule: "told before final", detail: `after its stream ended, ${name} was shown as ${statusSeen}` });
  }
  const done = new Set((evidence.journalOf.get(runId) ?? []).filter(({ phase }) => phase === "end").map(({ what }) => what));
  const missing = work.filter((what) => !done.has(what));
  const strange = [...done].filter((what) => !work.includes(what));
  if (missing.length > 0) breaches.push({ rule: "missing step", detail: `${name} never did ${missing.join(", ")}` });
  if (strange.length > 0) breaches.push({ rule: "strange step", detail: `${name} also did ${strange.join(", ")}` });
  if (claimsOf(evidence, runId).some(({ attempt }, index) => attempt !== index + 1)) {
    breaches.push({ rule: "attempts", detail: `the attempts of ${name} are not counted one by one` });
  }
  return breaches;
}
