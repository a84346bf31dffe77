import { expect, test } from "vitest";
import { mayOpenSocket } from "../src/http/cors.ts";

const host = "api.test:2024";
const from = (origin: string | undefined, hasCookie = false) => ({ origin, host, hasCookie });

test.each([
  ["no page at all", {}, from(undefined, true), true],
  ["a page of our own", { allow_origins: ["https://app.test"] }, from("http://api.test:2024", true), true],
  ["a page that is named", { allow_origins: ["https://app.test"] }, from("https://app.test", true), true],
  ["a page that is not", { allow_origins: ["https://app.test"] }, from("https://app.test.elsewhere"), false],
  ["a page that the pattern fits", { allow_origin_regex: "^https://[a-z]+\\.app\\.test$" }, from("https://one.app.test", true), true],
  ["a page that it does not fit", { allow_origin_regex: "^https://[a-z]+\\.app\\.test$" }, from("https://app.test"), false],
  ["a page that hides where it is from", { allow_origins: ["https://app.test"] }, from("null"), false],
  ["any page, where all are allowed", {}, from("https://elsewhere.test"), true],
  ["but not as whom its cookie says", { allow_origins: ["*"] }, from("https://elsewhere.test", true), false],
])("a socket is opened to %s, or not", (_who, cors, origin, may) => {
  expect(mayOpenSocket(cors, origin)).toBe(may);
});
