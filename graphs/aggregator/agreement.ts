import { figureText, succeeded } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";
import type { Agreement } from "./synthesis.ts";

/** A statement that a result makes about a subject. Statements with the same `key` have the same meaning. */
interface Statement {
  subject: string;
  says: string;
  key: string;
  label: string;
}

/** Two metrics agree if their difference is at most this share of the larger metric. */
const tolerance = 0.1;

/**
 * Returns the points on which the successful results agree or disagree. Compares the findings and metrics of the results, and calls no
 * model.
 */
export function agreementOf(results: LabelledResult[]): Agreement {
  const good = succeeded(results);
  const bySubject = Map.groupBy([...findingsOf(good), ...metricsOf(good)], ({ subject }) => keyOf(subject));
  const agreement: Agreement = { consensus: [], disagreements: [] };
  for (const statements of bySubject.values()) add(agreement, statements);
  return agreement;
}

function add({ consensus, disagreements }: Agreement, statements: Statement[]): void {
  const subject = statements[0]?.subject ?? "";
  const views = [...Map.groupBy(statements, ({ key }) => key).values()].map((alike) => ({
    says: alike[0]?.says ?? "",
    labels: [...new Set(alike.map(({ label }) => label))],
  }));
  for (const { says, labels } of views) if (labels.length > 1) consensus.push({ subject, says, labels });
  const labels = new Set(views.flatMap((view) => view.labels));
  // A result cannot disagree with itself, so the views must come from at least two results.
  if (views.length > 1 && labels.size > 1) disagreements.push({ subject, views: views.toSorted(byLabels) });
}

const byLabels = (a: { labels: string[] }, b: { labels: string[] }) => b.labels.length - a.labels.length;
const keyOf = (text: string) => text.trim().toLowerCase().replace(/\s+/g, " ");

const findingsOf = (results: LabelledResult[]): Statement[] =>
  results.flatMap(({ label, findings }) => findings.map(({ subject, says }) => ({ subject, says, key: keyOf(says), label })));

/**
 * Returns the metrics of the results as statements. Returns an empty list if the results come from loads of different sizes, because such
 * metrics cannot be compared.
 */
function metricsOf(results: LabelledResult[]): Statement[] {
  if (new Set(results.map(({ items }) => items)).size > 1) return [];
  const names = [...new Set(results.flatMap(({ metrics }) => Object.keys(metrics)))];
  return names.flatMap((subject) => {
    const known = results.flatMap(({ label, metrics }) => {
      const value = metrics[subject];
      return value === undefined ? [] : [{ label, value }];
    });
    const values = known.map(({ value }) => value);
    const spread = Math.max(...values) - Math.min(...values);
    const isSame = spread <= tolerance * Math.max(...values.map(Math.abs));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return known.map(({ label, value }) => ({
      subject,
      says: isSame ? `about ${figureText(mean)}` : figureText(value),
      key: isSame ? "same" : String(value),
      label,
    }));
  });
}

/**
 * Joins two lists of points: those that code computed from the data, and those that a model named in its answer. Leaves out the model's
 * points about subjects that the computed points already cover. Also leaves out labels that no result has.
 */
export function joinAgreements(computed: Agreement, named: Agreement, results: LabelledResult[]): Agreement {
  const known = new Set(results.map(({ label }) => label));
  const settled = new Set([...computed.consensus, ...computed.disagreements].map(({ subject }) => keyOf(subject)));
  const only = (labels: string[]) => [...new Set(labels)].filter((label) => known.has(label));
  const isNew = ({ subject }: { subject: string }) => !settled.has(keyOf(subject));
  const consensus = named.consensus.filter(isNew).map((one) => ({ ...one, labels: only(one.labels) }));
  const disagreements = named.disagreements.filter(isNew).map(({ subject, views }) => ({
    subject,
    views: views.map(({ says, labels }) => ({ says, labels: only(labels) })).filter(({ labels }) => labels.length > 0),
  }));
  return {
    consensus: [...computed.consensus, ...consensus.filter(({ labels }) => labels.length > 1)],
    disagreements: [...computed.disagreements, ...disagreements.filter(({ views }) => views.length > 1)],
  };
}
