import { lines, type ResponseCase } from "./response_case.ts";

const OK = "HTTP/1.1 200 OK";
const LENGTH_2 = "Content-Length: 2";
const CHUNKED = "Transfer-Encoding: chunked";

function head(...fields: string[]): string {
  return lines(OK, ...fields, "");
}

const LONGEST_VALUE = "v".repeat(64 * 1024 - head("a: ").length);

/** Status lines, fields, and what keeps a connection open. */
export const VALID_HEADS: ResponseCase[] = [
  // the head
  {
    name: "a length",
    bytes: `${head(LENGTH_2)}hi`,
    status: 200,
    reason: "OK",
    headers: [["Content-Length", "2"]],
    body: "hi",
    ends: "reusable",
  },
  {
    name: "names as long as those of the fields that concern a connection",
    bytes: `${head("Xonnection: close", "Contend-Length: 3", "Transfer-encodinX: gzip", LENGTH_2)}hi`,
    body: "hi",
    ends: "reusable",
  },
  { name: "no header fields: to the close", bytes: head(), headers: [], body: "", ends: "complete_at_close" },
  {
    name: "a reason of several words",
    bytes: lines("HTTP/1.1 404 Not Found Here", "Content-Length: 0", ""),
    reason: "Not Found Here",
    ends: "reusable",
  },
  {
    name: "no reason, no space",
    bytes: lines("HTTP/1.1 301", "Content-Length: 0", ""),
    status: 301,
    reason: "",
    ends: "reusable",
  },
  {
    name: "no reason behind a space",
    bytes: lines("HTTP/1.1 200 ", "Content-Length: 0", ""),
    reason: "",
    ends: "reusable",
  },
  {
    name: "a reason that begins with a space",
    bytes: lines("HTTP/1.1 200  OK", "Content-Length: 0", ""),
    reason: " OK",
    ends: "reusable",
  },
  {
    name: "a Latin-1 reason",
    bytes: lines("HTTP/1.1 200 d\xe9j\xe0", "Content-Length: 0", ""),
    reason: "d\xe9j\xe0",
    ends: "reusable",
  },
  {
    name: "the highest status",
    bytes: lines("HTTP/1.1 599 x", "Content-Length: 0", ""),
    status: 599,
    ends: "reusable",
  },
  {
    name: "blanks around a value",
    bytes: head("a:\t b \t", "Content-Length:\t0\t"),
    headers: [
      ["a", "b"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "no blank before a value",
    bytes: head("a:b", "Content-Length:0"),
    headers: [
      ["a", "b"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "blanks within a value stay",
    bytes: head("a: b \t c", LENGTH_2).concat("hi"),
    headers: [
      ["a", "b \t c"],
      ["Content-Length", "2"],
    ],
    ends: "reusable",
  },
  {
    name: "an empty value is not joined with the next field",
    bytes: head("Pragma:", "b: c", "Content-Length: 0"),
    headers: [
      ["Pragma", ""],
      ["b", "c"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "a value of blanks is empty",
    bytes: head("Pragma: \t ", "Content-Length: 0"),
    headers: [
      ["Pragma", ""],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "every character of a token in a name",
    bytes: head("!#$%&'*+-.^_`|~09AZaz: 1", "Content-Length: 0"),
    headers: [
      ["!#$%&'*+-.^_`|~09AZaz", "1"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "colons in a value",
    bytes: head("Location: http://a:1/", "Content-Length: 0"),
    headers: [
      ["Location", "http://a:1/"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "Latin-1 and Windows-1252 bytes in a value",
    bytes: head("a: \x80\x9f\xa0\xff", "Content-Length: 0"),
    headers: [
      ["a", "\x80\x9f\xa0\xff"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "duplicates in their order",
    bytes: head("Set-Cookie: a", "b: c", "set-cookie: d", "Content-Length: 0"),
    headers: [
      ["Set-Cookie", "a"],
      ["b", "c"],
      ["set-cookie", "d"],
      ["Content-Length", "0"],
    ],
    ends: "reusable",
  },
  {
    name: "500 fields",
    bytes: head(...Array.from({ length: 499 }, (_, at) => `f${at}: x`), "Content-Length: 0"),
    status: 200,
    ends: "reusable",
  },
  {
    name: "a head of 64 KiB",
    bytes: head(`a: ${LONGEST_VALUE}`),
    headers: [["a", LONGEST_VALUE]],
    ends: "complete_at_close",
  },
  // keeping the connection
  {
    name: "Connection: close",
    bytes: `${head("Connection: close", LENGTH_2)}hi`,
    body: "hi",
    ends: "complete",
  },
  {
    name: "Connection: close among others",
    bytes: `${head("Connection: foo, CLOSE", LENGTH_2)}hi`,
    ends: "complete",
  },
  {
    name: "close in a second Connection field",
    bytes: `${head("Connection: foo", "connection: close", LENGTH_2)}hi`,
    ends: "complete",
  },
  {
    name: "Proxy-Connection: close is not heeded",
    bytes: `${head("Proxy-Connection: close", LENGTH_2)}hi`,
    ends: "reusable",
  },
  {
    name: "HTTP/1.0 closes by default",
    bytes: `${lines("HTTP/1.0 200 OK", LENGTH_2, "")}hi`,
    body: "hi",
    ends: "complete",
  },
  {
    name: "HTTP/1.0 with keep-alive",
    bytes: `${lines("HTTP/1.0 200 OK", LENGTH_2, "Connection: Keep-Alive", "")}hi`,
    body: "hi",
    ends: "reusable",
  },
  {
    name: "HTTP/1.0 with keep-alive and no length",
    bytes: `${lines("HTTP/1.0 200 OK", "Connection: keep-alive", "")}hi`,
    body: "hi",
    ends: "complete_at_close",
  },
  {
    name: "HTTP/1.0 with keep-alive and 204",
    bytes: lines("HTTP/1.0 204 x", "Connection: keep-alive", ""),
    ends: "reusable",
  },
  {
    name: "HTTP/1.0 with chunked is read and not trusted further",
    bytes: `${lines("HTTP/1.0 200 OK", CHUNKED, "Connection: keep-alive", "")}1\r\nx\r\n0\r\n\r\n`,
    body: "x",
    ends: "complete",
  },
  { name: "bytes behind a length", bytes: `${head(LENGTH_2)}hi!`, body: "hi", ends: "complete" },
  { name: "bytes behind the last chunk", bytes: `${head(CHUNKED)}0\r\n\r\n\r\n`, body: "", ends: "complete" },
  {
    name: "another response behind a length",
    bytes: `${head("Content-Length: 0")}${head("Content-Length: 0")}`,
    ends: "complete",
  },
];
