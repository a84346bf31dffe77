import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { qualityOf } from "../../graphs/skills/definition.ts";
import { findSkill, SkillName } from "../../graphs/skills/registry.ts";
import type { Job, Skill } from "../../graphs/skills/skill.ts";

const job = { signal: new AbortController().signal, worked: () => {}, complexity: 1, allowedHosts: [], allowedDirectories: [] };

test("the skill that the README shows does what it says", async () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const code = /```ts\n(\/\/ graphs\/skills\/word-count\.ts\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const file = fileURLToPath(new URL("../../graphs/skills/word-count.ts", import.meta.url));
  writeFileSync(file, code, { flag: "wx" });
  onTestFinished(() => rmSync(file));
  const { wordCount }: { wordCount: Skill } = await import(/* @vite-ignore */ file);
  const params = wordCount.params.parse({});
  const items = await wordCount.generate({ size: 4, distribution: "uniform", seed: 1 }, params, job);
  const results = z.array(wordCount.result).parse(await wordCount.invoke(items, params, job as unknown as Job));
  expect(wordCount.scenarios().map(({ inputSize }) => inputSize)).toEqual([10, 30, 80]);
  expect(wordCount.score(results)).toEqual({ accuracy: 1 });
  expect(wordCount.measure(results)).toEqual({ words: 20 });
});

test.each(SkillName.options)("%s has three scenarios of rising size, each with what is expected of it", (name) => {
  const sizes = findSkill(name)
    .scenarios()
    .map(({ inputSize }) => inputSize);
  expect(sizes).toHaveLength(3);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  for (const { expectedQuality, skillParams } of findSkill(name).scenarios()) {
    expect(qualityOf[expectedQuality]).toBeGreaterThan(0.5);
    expect(findSkill(name).params.safeParse(skillParams).success).toBe(true);
  }
});
