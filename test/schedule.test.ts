import { describe, expect, test } from "vitest";
import { faultOfPattern, isTimezone, nextTick } from "../src/crons/schedule.ts";

/** The ticks after a moment, as a service that never sleeps would see them. */
function ticks(schedule: string, timezone: string, from: string, count: number): string[] {
  const found: string[] = [];
  for (let after = new Date(from); found.length < count; after = new Date(found.at(-1) ?? "")) {
    found.push(nextTick({ schedule, timezone, end_time: null }, after)?.toISOString().replace(":00.000", "") ?? "never");
  }
  return found;
}

describe("in Berlin, where the clock goes from 2 to 3 on 2027-03-28 and from 3 back to 2 on 2027-10-31", () => {
  test.each([
    [
      "a time of day stays one, in spring",
      "0 8 * * *",
      "2027-03-27T00:00Z",
      ["2027-03-27T07:00Z", "2027-03-28T06:00Z", "2027-03-29T06:00Z"],
    ],
    ["and in autumn", "0 8 * * *", "2027-10-30T00:00Z", ["2027-10-30T06:00Z", "2027-10-31T07:00Z", "2027-11-01T07:00Z"]],
    ["what does not exist comes when it is over, once", "30 2 * * *", "2027-03-27T02:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:30Z"]],
    ["what comes twice is done once", "30 2 * * *", "2027-10-30T02:00Z", ["2027-10-31T00:30Z", "2027-11-01T01:30Z"]],
    ["also when one looks in between", "30 2 * * *", "2027-10-31T00:45Z", ["2027-11-01T01:30Z"]],
    ["half-hours go on, in spring", "*/30 * * * *", "2027-03-28T00:00Z", ["2027-03-28T00:30Z", "2027-03-28T01:00Z", "2027-03-28T01:30Z"]],
    ["and in autumn", "*/30 * * * *", "2027-10-31T00:15Z", ["2027-10-31T00:30Z", "2027-10-31T01:00Z", "2027-10-31T01:30Z"]],
  ])("%s (%s)", (_what, schedule, from, expected) => {
    expect(ticks(schedule, "Europe/Berlin", from, expected.length)).toEqual(expected);
  });
});

test("a schedule is read in UTC where no zone is named, and its last tick is the one at the end", () => {
  const at = (end: string | null) => ({ schedule: "0 8 * * *", timezone: null, end_time: end === null ? null : new Date(end) });
  const after = new Date("2027-07-01T12:00Z");
  expect(nextTick(at(null), after)).toEqual(new Date("2027-07-02T08:00Z"));
  expect(nextTick(at("2027-07-02T08:00Z"), after)).toEqual(new Date("2027-07-02T08:00Z"));
  expect(nextTick(at("2027-07-02T07:59:59Z"), after)).toBeNull();
});

test.each(["* * * * *", " */15 8-18 * * MON-FRI ", "0 0 29 2 *", "0 0 L * *", "30 4 1,15 * 5"])("%j is a pattern", (pattern) => {
  expect(faultOfPattern(pattern)).toBeUndefined();
});

test.each([
  ["* * * * * *", /^expected five fields/],
  ["*/5 * * * * *", /nothing more often than every minute/],
  ["@hourly", /^expected five fields/],
  ["2027-01-01T00:00:00", /^expected five fields/],
  ["61 * * * *", /^is no cron pattern: .*minute/],
  ["x * * * *", /^is no cron pattern/],
  ["0 0 30 2 *", /^these five fields never come true together/],
])("%j is none, and a sentence says why", (pattern, sentence) => {
  expect(faultOfPattern(pattern)).toMatch(sentence);
});

test("a zone has a name", () => {
  expect(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"].filter((name) => !isTimezone(name))).toEqual([]);
  expect(["", "+02:00", "Berlin", "local", "Europe/"].filter(isTimezone)).toEqual([]);
});
