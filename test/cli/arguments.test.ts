import { describe, expect, test } from "vitest";
import { readArguments } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { makeProject, runCommand } from "../command.ts";

const read = (...argv: string[]) => readArguments(argv, commands);

describe("a slip of the pen", () => {
  test.for([
    [["strat"], 'There is no command "strat". Did you mean "start"?'],
    [["migrat"], 'Did you mean "migrate"?'],
    [["help", "wacth"], 'There is no command "wacth". Did you mean "watch"?'],
    [["run", "echo", "--tsak", "x"], "Unknown option '--tsak'. Did you mean --task? See --help."],
    [["--prot", "3000"], "Unknown option '--prot'. Did you mean --port? See --help."],
    [["--versoin"], "Did you mean --version?"],
  ] as const)("%s is answered with what was meant", async ([argv, says]) => {
    const call = async () => {
      const { name, args } = read(...argv);
      await commands[name]?.run(args);
    };
    await expect(call()).rejects.toThrow(says);
  });

  test("that looks like nothing is answered with what there is", () => {
    expect(() => read("fly")).toThrow(/^There is no command "fly"; there are start, dev, new, /);
    expect(() => read("--zzzzzz")).toThrow("Unknown option '--zzzzzz'; see --help.");
  });
});

test("help and version need no project", async () => {
  const root = await makeProject({});
  const version = await runCommand(["--version"], {}, root);
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect((await runCommand(["-v"], {}, root)).stdout).toBe(version.stdout);
  const help = await runCommand(["help"], {}, root);
  expect(help).toMatchObject({ code: 0, stdout: (await runCommand(["--help"], {}, root)).stdout });
  const ofRun = await runCommand(["help", "run"], {}, root);
  expect(ofRun).toMatchObject({ code: 0, stdout: (await runCommand(["run", "--help"], {}, root)).stdout });
});

test.for(Object.entries(commands))("the examples in the help of %s are valid", ([name, { examples }]) => {
  expect(examples).not.toEqual([]);
  for (const example of examples) {
    const [, call = ""] = /^(?:[A-Z_]+=\S+ )*ensemble ?(.*)$/.exec(example) ?? [undefined, "not a call"];
    const argv = [...call.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
    expect(read(...argv).name).toBe(name);
  }
});

test("--port and --host say where to listen, over the environment", async () => {
  const root = await makeProject({ "langgraph.json": { graphs: { a: "./a.mjs:graph" } }, "a.mjs": "" });
  const config = await runCommand(["config"], { PORT: "1" }, root);
  expect(config.stdout).toMatch(/^PORT +1 /m);
  const bad = await runCommand(["--port", "many"], { PORT: "1" }, root);
  expect(bad).toMatchObject({ code: 1, stderr: 'ensemble: --port is "many"; it should be a number from 0 to 65535.\n' });
  expect(() => read("runs", "--port", "1")).toThrow("--port belongs to start, dev: runs does not take it.");
});
