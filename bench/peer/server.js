// The dev server as `langgraph dev` starts it, without its watcher. The argument is what its own command would give it, as JSON.
import { startServer } from "@langchain/langgraph-api/server";

const { host } = await startServer(JSON.parse(process.argv.at(-1)));
console.log(`peer listens on http://${host}`);
