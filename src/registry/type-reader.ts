/**
 * Reads the TypeScript types of graphs with the project's own compiler. This program runs in a separate process, because the compiler may
 * take seconds and hundreds of megabytes. Its last argument is the request as JSON, and its output is the schemas as JSON.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as TypeScript from "typescript-5";
import type { TypeSchemas } from "./graph-schemas.ts";
import { definitionSchema, type SchemaContext, typeSchema } from "./type-json.ts";

/** The files whose types are read, and the path of the compiler. */
export interface ReadRequest {
  typescript: string;
  sources: { file: string; exportName: string }[];
}

const request = JSON.parse(process.argv.at(-1) ?? "") as ReadRequest;
const ts = createRequire(import.meta.url)(request.typescript) as typeof TypeScript;
const files = [...new Set(request.sources.map(({ file }) => file))];
const program = ts.createProgram(files, compilerOptions(files[0] ?? ""));
const checker = program.getTypeChecker();
const context: SchemaContext = { ts, checker };
process.stdout.write(JSON.stringify(request.sources.map(readExport)));

function compilerOptions(file: string): TypeScript.CompilerOptions {
  const found = ts.findConfigFile(dirname(file), ts.sys.fileExists, "tsconfig.json");
  const read = found && ts.readConfigFile(found, ts.sys.readFile).config;
  const own = found ? ts.parseJsonConfigFileContent(read, ts.sys, dirname(found)).options : {};
  return {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    ...own,
    allowImportingTsExtensions: true,
    allowJs: true,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
  };
}

function readExport({ file, exportName }: ReadRequest["sources"][number]): Record<string, TypeSchemas> {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const exported = module && checker.getExportsOfModule(module).find(({ name }) => name === exportName);
  if (!exported || !source) return {};
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const schemas: Record<string, TypeSchemas> = {};
  addSchemas(schemas, "", checker.getTypeOfSymbolAtLocation(symbol, source));
  for (const declaration of symbol.declarations ?? []) readSubgraphs(schemas, [], initializerOf(declaration), new Set());
  return schemas;
}

function addSchemas(schemas: Record<string, TypeSchemas>, name: string, type: TypeScript.Type): boolean {
  const graph = compiledGraph(type);
  if (graph) schemas[name] = schemasOf(graph);
  return graph !== undefined;
}

/**
 * Returns the type of the compiled graph that a value of this type leads to. The value may be a graph builder, a promise, a function that
 * makes the graph, or the wrapper of an agent. Returns undefined if it leads to no graph.
 */
function compiledGraph(type: TypeScript.Type | undefined, depth = 0): TypeScript.Type | undefined {
  if (!type || depth > 4) return undefined;
  if (type.getProperty("lg_is_pregel")) return type;
  const [call] = type.getCallSignatures();
  const awaited = checker.getAwaitedType(type);
  const compile = memberOf(type, "compile")?.getCallSignatures()[0];
  if (call) return compiledGraph(call.getReturnType(), depth + 1);
  if (awaited && awaited !== type) return compiledGraph(awaited, depth + 1);
  if (compile) return compiledGraph(compile.getReturnType(), depth + 1);
  return compiledGraph(memberOf(type, "graph"), depth + 1);
}

function memberOf(type: TypeScript.Type | undefined, name: string): TypeScript.Type | undefined {
  const member = type?.getProperty(name);
  return member && checker.getTypeOfSymbol(member);
}

function schemasOf(graph: TypeScript.Type): TypeSchemas {
  const builder = memberOf(graph, "builder");
  const [inputType, outputType] = [memberOf(graph, "~InputType"), memberOf(graph, "~OutputType")];
  const input = inputType ? typeSchema(context, inputType) : {};
  const state = stateOf(builder);
  return {
    state: state ? typeSchema(context, state) : input,
    input: definitionSchema(context, memberOf(builder, "_inputDefinition"), "UpdateType") ?? input,
    output:
      definitionSchema(context, memberOf(builder, "_outputDefinition"), "ValueType") ?? (outputType ? typeSchema(context, outputType) : {}),
    config: definitionSchema(context, memberOf(builder, "_configSchema"), "UpdateType") ?? {},
  };
}

/**
 * Returns the state type of a builder, which is the second type argument of `StateGraph<Definition, State, Update, …>`. Returns undefined
 * if this type has no properties.
 */
function stateOf(builder: TypeScript.Type | undefined): TypeScript.Type | undefined {
  const state = builder && checker.getTypeArguments(builder as TypeScript.TypeReference)[1];
  return state && checker.getPropertiesOfType(state).length > 0 ? state : undefined;
}

function initializerOf(declaration: TypeScript.Node): TypeScript.Node | undefined {
  if (ts.isVariableDeclaration(declaration)) return declaration.initializer;
  return ts.isExportAssignment(declaration) ? declaration.expression : declaration;
}

/**
 * Adds the schemas of a graph's subgraphs to `schemas`. `root` is the expression that builds the graph. A subgraph is a graph that a call
 * of `addNode` in this expression adds as a node. If the expression names variables, searches their initial values too.
 */
function readSubgraphs(
  schemas: Record<string, TypeSchemas>,
  path: string[],
  root: TypeScript.Node | undefined,
  seen: Set<TypeScript.Node>,
) {
  if (!root || seen.has(root)) return;
  seen.add(root);
  const visit = (node: TypeScript.Node): void => {
    const added = addedNode(node);
    if (added) {
      for (const graph of graphsIn(added.action))
        if (addSchemas(schemas, [...path, added.name].join("|"), checker.getTypeAtLocation(graph)))
          readSubgraphs(schemas, [...path, added.name], declarationOf(graph), new Set(seen));
      visit(added.target);
    } else if (ts.isIdentifier(node)) readSubgraphs(schemas, path, builderOf(node), seen);
    else ts.forEachChild(node, visit);
  };
  visit(root);
}

/** Returns the arguments and the target of a call `target.addNode(name, action, …)`. Returns undefined for any other expression. */
function addedNode(node: TypeScript.Node) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression) || node.expression.name.text !== "addNode")
    return undefined;
  const [name, ...action] = node.arguments;
  return name && ts.isStringLiteralLike(name) ? { name: name.text, action, target: node.expression.expression } : undefined;
}

/** Returns the graphs in the arguments of `addNode`: the node's action, and the graphs that its options list under `subgraphs`. */
function graphsIn(action: TypeScript.Expression[]): TypeScript.Expression[] {
  const listed = action
    .flatMap((one) => (ts.isObjectLiteralExpression(one) ? one.properties : []))
    .flatMap((property) => {
      const isList = ts.isPropertyAssignment(property) && property.name.getText() === "subgraphs";
      return isList && ts.isArrayLiteralExpression(property.initializer) ? [...property.initializer.elements] : [];
    });
  return [...action.slice(0, 1).filter((one) => !ts.isFunctionLike(one)), ...listed];
}

/** Returns the initial value of the variable that an expression names. Returns any other expression unchanged. */
function declarationOf(expression: TypeScript.Node): TypeScript.Node | undefined {
  if (!ts.isIdentifier(expression)) return expression;
  const symbol = checker.getSymbolAtLocation(expression);
  const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = target?.valueDeclaration;
  return declaration && initializerOf(declaration);
}

/** Returns the initial value of a variable if its type is a graph or a graph builder. Returns undefined for any other variable. */
function builderOf(identifier: TypeScript.Identifier): TypeScript.Node | undefined {
  const type = checker.getTypeAtLocation(identifier);
  const isGraph = type.getProperty("lg_is_pregel") !== undefined || type.getProperty("addNode") !== undefined;
  return isGraph ? declarationOf(identifier) : undefined;
}
