import { expect, test } from "vitest";
import { echoProject, makeProject, runCommand } from "../command.ts";
import { startTestService } from "../service.ts";

const limits = { echo: { perKey: 2, maxWaiting: 100 }, models: { graphs: ["echo"], total: 5, rate: "100/m" } };
const file = { ...echoProject["langgraph.json"], ensemble: { queues: { limits } } };
const project = await makeProject({ ...echoProject, "langgraph.json": file });
const { databaseUrl } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const ensemble = (...words: string[]) => runCommand(["limits", ...words], { DATABASE_URL: databaseUrl }, project);

test("limits lists the limits, and sets, pauses and resets one", async () => {
  expect((await ensemble()).stdout).toBe(
    "echo  per_key=2  max_waiting=100  0 running  0 waiting\nmodels  graphs=echo  total=5  rate=100/m  0 running  0 waiting\n",
  );
  expect((await ensemble("set", "models", "total=9")).stdout).toBe(
    "models  graphs=echo  total=9  rate=100/m  0 running  0 waiting  set at run time\n",
  );
  expect((await ensemble("pause", "models")).stdout).toContain("total=0  rate=100/m");
  expect((await ensemble("reset", "models")).stdout).toBe("models  graphs=echo  total=5  rate=100/m  0 running  0 waiting\n");
});

test("a limit that only exists at run time keeps its other values when one is changed, and is gone after a reset", async () => {
  await ensemble("set", "shared", "graphs=echo,other", "perKey=3");
  expect((await ensemble("pause", "shared")).stdout).toBe(
    "shared  graphs=echo,other  total=0  per_key=3  0 running  0 waiting  set at run time\n",
  );
  expect((await ensemble("reset", "shared")).stdout).toBe('The limit "shared" is gone, because langgraph.json does not have it.\n');
});

test.each([
  [["set", "echo", "many=3"], 'Unrecognized key: "many"'],
  [["set", "echo", "total=x"], "total: "],
  [["set", "echo", "rate=fast"], 'rate: must be a number per time, such as "100/m"'],
  [["set", "echo", "total"], '"total" is not a value.'],
  [["set", "echo"], '"limits set" needs a value.'],
  [["set"], '"limits set" needs the name of a limit.'],
  [["reset", "nothing"], 'There is no limit with the name "nothing".'],
  [["remove", "echo"], '"limits" does not know "remove".'],
])("limits %j is refused with a sentence", async (words, sentence) => {
  const { code, stdout, stderr } = await ensemble(...words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.startsWith(`ensemble: ${sentence}`), stderr).toBe(true);
});
