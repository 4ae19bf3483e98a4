import {
  type FunctionLikeDeclaration,
  isCallExpression,
  isExportDeclaration,
  isFunctionLikeDeclaration,
  isIdentifier,
  isImportDeclaration,
  isStringLiteral,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { API } from "typescript/unstable/async";
import { locate } from "./source_tree.ts";

/** What the rules of this folder look at in a source file. Read by the compiler's own parser, so exactly. */
export interface SourceFacts {
  readonly path: string;
  /** Lines, the last newline aside. */
  readonly lines: number;
  readonly imports: readonly { readonly specifier: string; readonly typeOnly: boolean }[];
  readonly functions: readonly FunctionFacts[];
  /** Every name that stands in the code; what stands in texts and comments is none. */
  readonly names: ReadonlySet<string>;
}

export interface FunctionFacts {
  /** Its own, else that of what it is given to; "callback" for one that is passed on. */
  readonly name: string;
  readonly lines: number;
  /** Without those of the functions in it: what remains of a function that only groups others. */
  readonly ownLines: number;
  readonly parameters: number;
}

/** @throws Error for a file that `tsconfig.json` does not reach: the compiler would not check it either */
export async function readSyntax(paths: readonly string[]): Promise<SourceFacts[]> {
  const api = new API({ cwd: locate("") });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [locate("tsconfig.json")] });
    const { program } = snapshot.getProjects()[0]!;
    const facts: SourceFacts[] = [];
    for (const path of paths) {
      const file = await program.getSourceFile(locate(path));
      if (!file) throw new Error(`Cannot read ${path}: tsconfig.json does not reach it`);
      facts.push(factsOf(path, file));
    }
    return facts;
  } finally {
    await api.close();
  }
}

function factsOf(path: string, file: SourceFile): SourceFacts {
  const imports: { specifier: string; typeOnly: boolean }[] = [];
  const functions: FunctionFacts[] = [];
  const names = new Set<string>();
  const visit = (node: Node): void => {
    const imported = importOf(node);
    if (imported) imports.push(imported);
    if (isFunctionLikeDeclaration(node)) functions.push(functionFacts(node, file));
    if (isIdentifier(node)) names.add(node.text);
    node.forEachChild(visit);
  };
  file.forEachChild(visit);
  return { path, lines: lineCount(file.text.trimEnd()), imports, functions, names };
}

/** `import … from`, `export … from` and `import(…)`. */
function importOf(node: Node): { specifier: string; typeOnly: boolean } | undefined {
  if (isImportDeclaration(node) && isStringLiteral(node.moduleSpecifier)) {
    const typeOnly = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
    return { specifier: node.moduleSpecifier.text, typeOnly };
  }
  if (isExportDeclaration(node) && node.moduleSpecifier && isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly };
  }
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    const argument = node.arguments[0];
    if (argument && isStringLiteral(argument)) return { specifier: argument.text, typeOnly: false };
  }
  return undefined;
}

function functionFacts(node: FunctionLikeDeclaration, file: SourceFile): FunctionFacts {
  const name = (node as { name?: Node }).name ?? (node.parent as { name?: Node }).name;
  const lines = linesOf(node, file);
  return {
    name: name?.getText(file) ?? (node.kind === SyntaxKind.Constructor ? "constructor" : "callback"),
    lines,
    ownLines: lines - nestedLines(node, file),
    parameters: node.parameters.length,
  };
}

/** A function's first line is also its surroundings'. */
function nestedLines(node: Node, file: SourceFile): number {
  let lines = 0;
  node.forEachChild((child) => {
    lines += isFunctionLikeDeclaration(child) ? linesOf(child, file) - 1 : nestedLines(child, file);
  });
  return lines;
}

function linesOf(node: Node, file: SourceFile): number {
  return lineCount(file.text.slice(node.getStart(file), node.end));
}

function lineCount(text: string): number {
  return text.split("\n").length;
}
