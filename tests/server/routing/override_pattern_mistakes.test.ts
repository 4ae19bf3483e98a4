import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern, PatternMistake } from "../../../server/routing/override_pattern.ts";

/** Patterns that cannot be used, with the part that is to blame. */
const BAD: Readonly<Record<string, readonly [part: string, problem: RegExp]>> = {
  "": ["scheme", /begin with https:/],
  "*://a.example/": ["scheme", /begin with https:/],
  "https://a.example/#x": ["scheme", /no fragment/],
  "https://u@a.example/": ["userinfo", /user/],
  "https://*.example/": ["host", /last two labels/],
  "https://a.*/": ["host", /last two labels/],
  "https://*/": ["host", /last two labels/],
  "https://{x}.example/": ["host", /last two labels/],
  "https://a.b*.example/": ["host", /last two labels/],
  "https://**.a.example/": ["host", /\*\*/],
  "https://**/": ["host", /\*\*/],
  "https://example/": ["host", /two labels/],
  "https://A.example/": ["host", /lower-case/],
  "https://*-.a.example/": ["host", /lower-case/],
  "https://127.0.0.1/": ["host", /address/],
  "https://[::1]/": ["host", /./],
  "https://a.example:443/": ["port", /left out/],
  "https://a.example:*/": ["port", /written out/],
  "https://a.example:{port}/": ["port", /written out/],
  "https://a.example:0/": ["port", /65535/],
  "https://a.example": ["path", /no path/],
  "https://a.example?x": ["path", /no path/],
  "https://a.example/x/": ["path", /empty/],
  "https://a.example/../x": ["path", /dot/],
  "https://a.example/%2e": ["path", /escape/],
  "https://a.example/x y": ["path", /escaped/],
  "https://a.example/**/x": ["path", /last segment/],
  "https://a.example/x**": ["path", /last segment/],
  "https://a.example/***": ["path", /last segment/],
  "https://a.example/*{x}": ["path", /touch/],
  "https://a.example/{x}{y}": ["path", /touch/],
  "https://a.example/{}": ["path", /name in braces/],
  "https://a.example/{x": ["path", /name in braces/],
  "https://a.example/x}": ["path", /name in braces/],
  "https://a.example/{1x}": ["path", /name in braces/],
  "https://a.example/{{x}}": ["path", /name in braces/],
  "https://a.example/x?": ["query", /without a query/],
  "https://a.example/x?**": ["query", /\*\*/],
  "https://a.example/x?a'b": ["query", /escaped/],
  [`https://a.example/${"x".repeat(2048)}`]: ["pattern", /2048/],
};

for (const [pattern, [part, problem]] of Object.entries(BAD)) {
  test(`compilePattern() refuses ${pattern.slice(0, 80)} for its ${part}`, () => {
    assert.throws(
      () => compilePattern(pattern),
      (error) => {
        assert.ok(error instanceof PatternMistake, String(error));
        assert.equal(error.part, part, error.message);
        assert.match(error.message, problem);
        return true;
      },
    );
  });
}
