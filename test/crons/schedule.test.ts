import { describe, expect, test } from "vitest";
import { faultOfPattern, isTimezone, nextTick } from "../../src/crons/schedule.ts";

/** Returns the times of a schedule after a moment, as a service without interruptions would see them. */
function ticks(schedule: string, timezone: string, from: string, count: number): string[] {
  const found: string[] = [];
  for (let after = new Date(from); found.length < count; after = new Date(found.at(-1) ?? "")) {
    found.push(nextTick({ schedule, timezone, end_time: null }, after)?.toISOString().replace(":00.000", "") ?? "never");
  }
  return found;
}

describe("a time that the clock skips comes once, when it is over, in whatever company, and years later still in order", () => {
  const berlin = "Europe/Berlin";
  const newYork = "America/New_York"; // from 2 to 3 on 2027-03-14
  const lordHowe = "Australia/Lord_Howe"; // from 2 to 2:30 on 2027-10-03
  test.each([
    ["0,30 2 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z", "2027-03-29T00:30Z"]],
    ["15,45 2 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:15Z"]],
    ["*/20 2 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z", "2027-03-29T00:20Z"]],
    ["0 1,2 * * *", berlin, "2027-03-27T23:00Z", ["2027-03-28T00:00Z", "2027-03-28T01:00Z", "2027-03-28T23:00Z"]],
    ["30 1-3 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T00:30Z", "2027-03-28T01:00Z", "2027-03-28T01:30Z", "2027-03-28T23:30Z"]],
    ["0 2,3 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z"]],
    ["30 2,14 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T01:00Z", "2027-03-28T12:30Z", "2027-03-29T00:30Z"]],
    ["15,45 2 28 3 *", berlin, "2027-03-28T00:00Z", ["2027-03-28T01:00Z", "2028-03-28T00:15Z", "2028-03-28T00:45Z"]],
    ["0 */2 * * *", berlin, "2027-03-28T00:00Z", ["2027-03-28T02:00Z", "2027-03-28T04:00Z"]],
    ["*/15 * * * *", berlin, "2027-03-28T00:45Z", ["2027-03-28T01:00Z", "2027-03-28T01:15Z"]],
    ["15,45 2 * * *", newYork, "2027-03-14T06:00Z", ["2027-03-14T07:00Z", "2027-03-15T06:15Z", "2027-03-15T06:45Z"]],
    ["30 1,2,3 * * 0", newYork, "2027-03-14T06:00Z", ["2027-03-14T06:30Z", "2027-03-14T07:00Z", "2027-03-14T07:30Z", "2027-03-21T05:30Z"]],
    ["10,20,40 2 * * *", lordHowe, "2027-10-02T15:00Z", ["2027-10-02T15:30Z", "2027-10-02T15:40Z", "2027-10-03T15:10Z"]],
    ["10,20 2 * * *", lordHowe, "2027-10-02T15:00Z", ["2027-10-02T15:30Z", "2027-10-03T15:10Z", "2027-10-03T15:20Z"]],
  ])("%s in %s", (schedule, timezone, from, expected) => {
    expect(ticks(schedule, timezone, from, expected.length)).toEqual(expected);
  });

  test.each([
    ["0,30 2 * * *", berlin, "2027-10-31T00:15Z", ["2027-10-31T00:30Z", "2027-11-01T01:00Z"]],
    ["*/30 2 * * *", berlin, "2027-10-30T23:45Z", ["2027-10-31T00:00Z", "2027-10-31T00:30Z", "2027-11-01T01:00Z"]],
    ["30 1,2 * * *", newYork, "2027-11-07T05:00Z", ["2027-11-07T05:30Z", "2027-11-07T07:30Z", "2027-11-08T06:30Z"]],
    ["45,50 1 * * *", lordHowe, "2027-04-03T14:30Z", ["2027-04-03T14:45Z", "2027-04-03T14:50Z", "2027-04-04T15:15Z"]],
  ])("and one that comes twice is done once: %s in %s", (schedule, timezone, from, expected) => {
    expect(ticks(schedule, timezone, from, expected.length)).toEqual(expected);
  });

  test.each([berlin, newYork, lordHowe, "America/Santiago", "Africa/Cairo", "Asia/Kolkata"])(
    "in %s every tick is after the last",
    (timezone) => {
      for (const schedule of ["0,30 0-3 * * *", "15,45 2 * 3,10 *", "*/10 1,2 * * 0", "*/25 * * * *", "59 23,0 * * *"]) {
        const found = ticks(schedule, timezone, "2027-03-01T00:00Z", 1_500);
        expect(found).toEqual([...new Set(found)].sort());
      }
    },
  );
});

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
  ["*/5 * * * * *", /the shortest interval is one minute/],
  ["@hourly", /^expected five fields/],
  ["2027-01-01T00:00:00", /^expected five fields/],
  ["61 * * * *", /^is not a cron pattern: .*minute/],
  ["x * * * *", /^is not a cron pattern/],
  ["0 0 30 2 *", /^no date matches these five fields/],
])("%j is none, and a sentence says why", (pattern, sentence) => {
  expect(faultOfPattern(pattern)).toMatch(sentence);
});

test("a zone has a name", () => {
  expect(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"].filter((name) => !isTimezone(name))).toEqual([]);
  expect(["", "+02:00", "Berlin", "local", "Europe/"].filter(isTimezone)).toEqual([]);
});
