// Starts the dev server as `langgraph dev` does, without its watcher. The argument is the JSON that its own command would pass.
import { startServer } from "@langchain/langgraph-api/server";

const { host } = await startServer(JSON.parse(process.argv.at(-1)));
console.log(`peer listens on http://${host}`);
