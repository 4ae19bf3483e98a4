import { lines, type ResponseCase } from "./response_case.ts";

const OK = "HTTP/1.1 200 OK";
const LENGTH_2 = "Content-Length: 2";
const CHUNKED = "Transfer-Encoding: chunked";

function head(...fields: string[]): string {
  return lines(OK, ...fields, "");
}

/** By length, chunked, to the close, without, and behind a 1xx. */
export const VALID_BODIES: ResponseCase[] = [
  // lengths
  {
    name: "a body that looks like a response",
    bytes: `${head("Content-Length: 19")}${lines(OK, "")}`,
    body: lines(OK, ""),
    ends: "reusable",
  },
  {
    name: "the same length twice",
    bytes: `${head(LENGTH_2, "content-length: 2")}hi`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "the same length in a list",
    bytes: `${head("Content-Length: 2, 2")}hi`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "a length with leading zeros",
    bytes: `${head("Content-Length: 002")}hi`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "a name that only begins like Content-Length",
    bytes: `${head("Content-Length-X: 0", CHUNKED)}2\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "a body with every byte",
    bytes: `${head("Content-Length: 6")}\0\r\n\xff\n\r`,
    body: "\0\r\n\xff\n\r",
    ends: "reusable",
  },
  // responses without a body
  {
    name: "HEAD with a length",
    method: "HEAD",
    bytes: head("Content-Length: 123"),
    body: "",
    ends: "reusable",
  },
  { name: "HEAD with chunked", method: "HEAD", bytes: head(CHUNKED), body: "", ends: "reusable" },
  { name: "HEAD without framing", method: "HEAD", bytes: head(), body: "", ends: "reusable" },
  {
    name: "HEAD with a body all the same",
    method: "HEAD",
    bytes: `${head(LENGTH_2)}hi`,
    body: "",
    ends: "complete",
  },
  { name: "204", bytes: lines("HTTP/1.1 204 No Content", ""), body: "", ends: "reusable" },
  {
    name: "204 with a length",
    bytes: lines("HTTP/1.1 204 No Content", LENGTH_2, ""),
    body: "",
    ends: "reusable",
  },
  {
    name: "204 and another response behind it",
    bytes: lines("HTTP/1.1 204 No Content", "", OK, ""),
    body: "",
    ends: "complete",
  },
  {
    name: "304 with a length",
    bytes: lines("HTTP/1.1 304 Not Modified", "Content-Length: 1000", ""),
    body: "",
    ends: "reusable",
  },
  {
    name: "205 is not among them",
    bytes: lines("HTTP/1.1 205 Reset Content", "Content-Length: 0", ""),
    body: "",
    ends: "reusable",
  },
  // chunked
  {
    name: "chunks",
    bytes: `${head(CHUNKED)}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
    body: "hello world",
    ends: "reusable",
  },
  {
    name: "CHUNKED in capitals",
    bytes: `${head("TRANSFER-ENCODING: CHUNKED")}1\r\nx\r\n0\r\n\r\n`,
    body: "x",
    ends: "reusable",
  },
  { name: "no chunk but the last", bytes: `${head(CHUNKED)}0\r\n\r\n`, body: "", ends: "reusable" },
  {
    name: "chunk sizes with leading zeros and capitals",
    bytes: `${head(CHUNKED)}00A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n`,
    body: "01234567890123456789",
    ends: "reusable",
  },
  {
    name: "line ends as chunk data",
    bytes: `${head(CHUNKED)}1\r\n\n\r\n2\r\n\r\n\r\n0\r\n\r\n`,
    body: "\n\r\n",
    ends: "reusable",
  },
  {
    name: "chunk extensions",
    bytes: `${head(CHUNKED)}5;a;b=c\r\nhello\r\n1;d\r\n!\r\n0;e\r\n\r\n`,
    body: "hello!",
    ends: "reusable",
  },
  {
    name: "extensions of more than 4 KiB in all",
    bytes: `${head(CHUNKED)}${`1;${"e".repeat(500)}\r\nx\r\n`.repeat(10)}0\r\n\r\n`,
    body: "x".repeat(10),
    ends: "reusable",
  },
  {
    name: "quoted chunk extensions",
    bytes: `${head(CHUNKED)}2;a="b; c";d="\xe9"\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "blanks before a chunk extension",
    bytes: `${head(CHUNKED)}2 \t;a\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "no extension behind the semicolon",
    bytes: `${head(CHUNKED)}2;\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "trailers are dropped",
    bytes: `${head(CHUNKED)}2\r\nhi\r\n0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n`,
    headers: [["Transfer-Encoding", "chunked"]],
    body: "hi",
    ends: "reusable",
  },
  {
    name: "a length among the trailers means nothing",
    bytes: `${head(CHUNKED)}2\r\nhi\r\n0\r\nContent-Length: 9\r\n\r\n`,
    body: "hi",
    ends: "reusable",
  },
  // to the close
  {
    name: "to the close",
    bytes: `${head()}one\r\n\r\ntwo`,
    body: "one\r\n\r\ntwo",
    ends: "complete_at_close",
  },
  {
    name: "to the close though keep-alive was said",
    bytes: `${head("Connection: keep-alive")}body`,
    body: "body",
    ends: "complete_at_close",
  },
  {
    name: "Upgrade in a 200 changes nothing",
    bytes: `${head("Connection: upgrade", "Upgrade: h2c")}body`,
    body: "body",
    ends: "complete_at_close",
  },
  // 1xx
  {
    name: "100 is skipped",
    bytes: `${lines("HTTP/1.1 100 Continue", "")}${head(LENGTH_2)}hi`,
    status: 200,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "103 with fields is skipped",
    bytes: `${lines("HTTP/1.1 103 Early Hints", "Link: </a>", "")}${head("a: b", "Content-Length: 0")}`,
    headers: [
      ["a", "b"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "100, 102 and 103 are skipped",
    bytes: `${lines("HTTP/1.1 100 a", "", "HTTP/1.1 102 b", "", "HTTP/1.1 103 c", "")}${head("Content-Length: 0")}`,
    status: 200,
    ends: "reusable",
  },
  {
    name: "a length on a 1xx means nothing",
    bytes: `${lines("HTTP/1.1 100 Continue", "Content-Length: 3", "")}${head("Content-Length: 0")}`,
    status: 200,
    ends: "reusable",
  },
  {
    name: "101 ends HTTP",
    bytes: `${lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "")}`,
    status: 101,
    headers: [["Upgrade", "websocket"]],
    body: "",
    ends: "switched",
  },
];
