import { statuses } from "../../../shared/settings/statuses.ts";
import { testKinds } from "./kind_cases.ts";

testKinds({
  statuses: {
    kind: statuses([429, 503]),
    reads: [
      ["429,503", [429, 503]],
      [" 503 ,, 503", [503]],
      ["", []],
      [[], []],
      [
        [503, "429"],
        [503, 429],
      ],
      [429, [429]],
    ],
    refuses: [
      ["500", '"500" is not one of 429, 503'],
      ["429,teapot", '"teapot" is not one of 429, 503'],
      ["4e2", '"4e2" is not one of 429, 503'],
      [[429, 500], "500 is not one of 429, 503"],
      [[[429]], "[429] is not one of 429, 503"],
      [true, "true is not one of 429, 503"],
      [null, "null is not one of 429, 503"],
    ],
  },
});
