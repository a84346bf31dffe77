/**
 * Reads the types of a graph with the project's own TypeScript, in a process of its own: a large project takes the compiler seconds and
 * hundreds of megabytes. Its argument says what to read; its output is the schemas, as JSON.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as TypeScript from "typescript-5";
import { definitionSchema, type JsonSchema, type SchemaContext, typeSchema } from "./type-json.ts";

/** The types of one graph, with its subgraphs by name. */
export interface TypeSchemas {
  state: JsonSchema;
  input: JsonSchema;
  output: JsonSchema;
  config: JsonSchema;
}

/** The files to read, and the location of the compiler. */
export interface Asked {
  typescript: string;
  sources: { file: string; exportName: string }[];
}

const asked = JSON.parse(process.argv.at(-1) ?? "") as Asked;
const ts = createRequire(import.meta.url)(asked.typescript) as typeof TypeScript;
const files = [...new Set(asked.sources.map(({ file }) => file))];
const program = ts.createProgram(files, compilerOptions(files[0] ?? ""));
const checker = program.getTypeChecker();
const context: SchemaContext = { ts, checker };
process.stdout.write(JSON.stringify(asked.sources.map(readExport)));

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

function readExport({ file, exportName }: Asked["sources"][number]): Record<string, TypeSchemas> {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const exported = module && checker.getExportsOfModule(module).find(({ name }) => name === exportName);
  if (!exported || !source) return {};
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const schemas: Record<string, TypeSchemas> = {};
  note(schemas, "", checker.getTypeOfSymbolAtLocation(symbol, source));
  for (const declaration of symbol.declarations ?? []) readSubgraphs(schemas, [], initializerOf(declaration), new Set());
  return schemas;
}

function note(schemas: Record<string, TypeSchemas>, name: string, type: TypeScript.Type): boolean {
  const graph = compiledGraph(type);
  if (graph) schemas[name] = schemasOf(graph);
  return graph !== undefined;
}

/** Returns the type of the compiled graph behind a builder, a promise, a factory or an agent's wrapper. */
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
  const [asInput, asOutput] = [memberOf(graph, "~InputType"), memberOf(graph, "~OutputType")];
  const input = asInput ? typeSchema(context, asInput) : {};
  const state = stateOf(builder);
  return {
    state: state ? typeSchema(context, state) : input,
    input: definitionSchema(context, memberOf(builder, "_inputDefinition"), "UpdateType") ?? input,
    output:
      definitionSchema(context, memberOf(builder, "_outputDefinition"), "ValueType") ?? (asOutput ? typeSchema(context, asOutput) : {}),
    config: definitionSchema(context, memberOf(builder, "_configSchema"), "UpdateType") ?? {},
  };
}

/** Returns the state among the type arguments of a builder, `StateGraph<Definition, State, Update, …>`. */
function stateOf(builder: TypeScript.Type | undefined): TypeScript.Type | undefined {
  const state = builder && checker.getTypeArguments(builder as TypeScript.TypeReference)[1];
  return state && checker.getPropertiesOfType(state).length > 0 ? state : undefined;
}

function initializerOf(declaration: TypeScript.Node): TypeScript.Node | undefined {
  if (ts.isVariableDeclaration(declaration)) return declaration.initializer;
  return ts.isExportAssignment(declaration) ? declaration.expression : declaration;
}

/** Finds the graphs that an expression adds as nodes, also through the variables that it is made from. */
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
      for (const graph of graphsIn(added.what))
        if (note(schemas, [...path, added.name].join("|"), checker.getTypeAtLocation(graph)))
          readSubgraphs(schemas, [...path, added.name], declared(graph), new Set(seen));
      visit(added.target);
    } else if (ts.isIdentifier(node)) readSubgraphs(schemas, path, builderOf(node), seen);
    else ts.forEachChild(node, visit);
  };
  visit(root);
}

/** Returns what `builder.addNode(name, what, …)` adds. */
function addedNode(node: TypeScript.Node) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression) || node.expression.name.text !== "addNode")
    return undefined;
  const [name, ...what] = node.arguments;
  return name && ts.isStringLiteralLike(name) ? { name: name.text, what, target: node.expression.expression } : undefined;
}

/** The node itself where it is a graph, and those that its options list as `subgraphs`. */
function graphsIn(what: TypeScript.Expression[]): TypeScript.Expression[] {
  const listed = what
    .flatMap((one) => (ts.isObjectLiteralExpression(one) ? one.properties : []))
    .flatMap((property) => {
      const isList = ts.isPropertyAssignment(property) && property.name.getText() === "subgraphs";
      return isList && ts.isArrayLiteralExpression(property.initializer) ? [...property.initializer.elements] : [];
    });
  return [...what.slice(0, 1).filter((one) => !ts.isFunctionLike(one)), ...listed];
}

/** Returns the declaration of the variable that an expression names. */
function declared(expression: TypeScript.Node): TypeScript.Node | undefined {
  if (!ts.isIdentifier(expression)) return expression;
  const symbol = checker.getSymbolAtLocation(expression);
  const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = target?.valueDeclaration;
  return declaration && initializerOf(declaration);
}

/** The value of a variable that holds a graph or its builder. */
function builderOf(identifier: TypeScript.Identifier): TypeScript.Node | undefined {
  const type = checker.getTypeAtLocation(identifier);
  const isGraph = type.getProperty("lg_is_pregel") !== undefined || type.getProperty("addNode") !== undefined;
  return isGraph ? declared(identifier) : undefined;
}
