// Reads an OpenAPI document from stdin and writes its TypeScript types to stdout.
import { registerHooks } from "node:module";
import { text } from "node:stream/consumers";

// openapi-typescript prints types with the API of TypeScript 5, which the package "typescript" has no more since version 7.
registerHooks({ resolve: (name, context, next) => next(name === "typescript" ? "typescript-5" : name, context) });
const { default: openapiTS, astToString } = await import("openapi-typescript");

const document = JSON.parse(await text(process.stdin));
document.info.version = ""; // the types do not depend on it
process.stdout.write(`// Generated from openapi.json by \`npm run generate:api-types\`.\n\n${astToString(await openapiTS(document))}`);
