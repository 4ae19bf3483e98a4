import assert from "node:assert/strict";
import { test } from "node:test";
import { sources } from "./source_tree.ts";
import { type FunctionFacts, readSyntax } from "./syntax.ts";

/** Longer than most need; a file beyond it has a second concept in it. */
const FILE_MAX_LINES = 250;
/** Ten is usual. */
const FUNCTION_MAX_LINES = 60;
/** Beyond them a caller cannot tell which is which: an options object names them. */
const PARAMETERS_MAX = 3;

/** A limit that is exceeded today, by what and why it is bearable. What fits its limit must not stand here. */
type Excused = Readonly<Record<string, string>>;

const LONG_FILES: Excused = {};

const LONG_FUNCTIONS: Excused = {};

const MANY_PARAMETERS: Excused = {
  "shared/http1/client.ts request": "where to, what, how long, who hears of it: the order of an HTTP request",
  "shared/http1/request_writer.ts writeHead": "called once for each request, in that order",
  "tests/shared/link/framed_ends.ts frame": "the order of the bytes of a frame",
  "tests/support/program.ts start": "flags and options behind the two addresses are seldom given",
};

const files = await readSyntax(sources());
const functions = files.flatMap(({ path, functions }) => functions.map((facts) => ({ path, ...facts })));

/** Tests stand in functions that group them: of those only what is not a test counts. */
const lengthOf = ({ path, lines, ownLines }: FunctionFacts & { path: string }) =>
  path.startsWith("tests/") ? ownLines : lines;

test("there are files and functions to measure", () => {
  assert.ok(files.length > 100);
  assert.ok(functions.length > 1000);
  assert.ok(functions.some(({ ownLines, lines }) => ownLines < lines));
});

test(`no file has more than ${FILE_MAX_LINES} lines, but those excused`, () => {
  const found = files.filter(({ lines }) => lines > FILE_MAX_LINES).map(({ path }) => path);
  compare(found, LONG_FILES);
});

test(`no function has more than ${FUNCTION_MAX_LINES} lines, but those excused`, () => {
  const found = functions.filter((facts) => lengthOf(facts) > FUNCTION_MAX_LINES).map(nameIn);
  compare(found, LONG_FUNCTIONS);
});

test(`no function has more than ${PARAMETERS_MAX} parameters, but those excused`, () => {
  const found = functions.filter(({ parameters }) => parameters > PARAMETERS_MAX).map(nameIn);
  compare(found, MANY_PARAMETERS);
});

function nameIn({ path, name }: FunctionFacts & { path: string }): string {
  return `${path} ${name}`;
}

function compare(found: readonly string[], excused: Excused): void {
  assert.deepEqual(
    found.filter((name) => !(name in excused)),
    [],
    "too large",
  );
  assert.deepEqual(
    Object.keys(excused).filter((name) => !found.includes(name)),
    [],
    "within the limit: take them off the list",
  );
}
