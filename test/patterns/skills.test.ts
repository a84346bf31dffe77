import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { qualityOf } from "../../graphs/skills/definition.ts";
import { builtInSkills, skillsWith } from "../../graphs/skills/registry.ts";
import type { Job, Skill } from "../../graphs/skills/skill.ts";
import { listFiles, readListed } from "../../graphs/skills/source-directory.ts";

const { find: findSkill } = skillsWith();
const dataset = (size: number, complexity = 1) => ({ size, distribution: "uniform", seed: 1, complexity }) as const;
const job = { signal: new AbortController().signal, worked: () => {}, complexity: 1, allowedHosts: [], allowedDirectories: [] };

test("the skill that the documentation shows does what it says", async () => {
  const page = readFileSync(new URL("../../docs/patterns/scenario.md", import.meta.url), "utf8");
  const code = /```ts file=word-count\.ts\n(.*?)```/s.exec(page)?.[1] ?? "";
  // The file is next to this one and not in graphs/, because other tests read every file in graphs/, and this file is temporary.
  const file = fileURLToPath(new URL(`./word-count-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, code, { flag: "wx" });
  onTestFinished(() => rmSync(file));
  const { wordCount }: { wordCount: Skill } = await import(/* @vite-ignore */ file);
  const params = wordCount.params.parse({});
  const items = await wordCount.generate(dataset(4), params, job);
  const results = z.array(wordCount.result).parse(await wordCount.invoke(items, params, job as unknown as Job));
  expect(wordCount.scenarios().map(({ inputSize }) => inputSize)).toEqual([10, 30, 80]);
  const worked = { params, failed: 0 };
  expect(wordCount.score(results, worked)).toEqual({ accuracy: 1 });
  expect(wordCount.measure(results, worked)).toEqual({ words: 20 });
});

test.each(builtInSkills.map(({ name }) => name))("%s has three scenarios of rising size, each with what is expected of it", (name) => {
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

test("a part of a directory that may not be read does not stop the scan of the rest", async () => {
  const directory = await mkdtemp(join(tmpdir(), "scan-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const name of ["closed", "open"]) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, "a.py"), "text");
  }
  await writeFile(join(directory, "b.py"), "text", { mode: 0 });
  await chmod(directory, 0o755);
  await chmod(join(directory, "closed"), 0);
  if (process.geteuid?.() === 0) process.seteuid?.(65_534); // root may read everything
  const listing = findSkill("security-scanning").generate(dataset(9), findSkill("security-scanning").params.parse({ directory }), {
    allowedDirectories: [directory],
  });
  const items = await Promise.resolve(listing).finally(() => process.seteuid?.(process.getuid?.() ?? 0));
  await chmod(join(directory, "closed"), 0o755);
  expect(items).toMatchObject([{ path: "open/a.py" }]);
});

test("a directory's files are not held in memory before their turn", async () => {
  const directory = await mkdtemp(join(tmpdir(), "scan-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "a.py"), 'os.system("rm " + name)');
  const skill = findSkill("security-scanning");
  const params = skill.params.parse({ directory });
  const allowing = { ...job, allowedDirectories: [directory] };
  const items = await skill.generate(dataset(9), params, allowing);
  expect(items).toEqual([{ path: "a.py", truth: null }]);
  expect(await skill.invoke(items, params, allowing as unknown as Job)).toMatchObject({
    results: [{ path: "a.py", found: 1 }],
    failed: [],
  });
});

test("a file that has become a link since it was listed is not read", async () => {
  const directory = await mkdtemp(join(tmpdir(), "scan-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "a.py"), "");
  const allowed = [directory];
  expect(await listFiles(directory, { allowed, most: 9, longestFile: 9 })).toEqual(["a.py"]);
  await rm(join(directory, "a.py"));
  await symlink("/etc/hostname", join(directory, "a.py"));
  await expect(readListed(directory, "a.py", allowed)).rejects.toThrow("has become a link");
  await expect(readListed(directory, "a.py", [])).rejects.toThrow("may not be read");
});

test("a scan leaves nothing behind in the process", async () => {
  const marks = () => performance.getEntriesByType("mark").length;
  const before = marks();
  const skill = findSkill("security-scanning");
  const params = skill.params.parse({});
  const files = await skill.generate(dataset(5), params, job);
  expect(await skill.invoke(files, params, job as unknown as Job)).toMatchObject({ results: { length: 5 } });
  expect(marks()).toBe(before);
});
